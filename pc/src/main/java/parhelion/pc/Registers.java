package parhelion.pc;

/**
 * A device's registers in a range of ports or of memory. Called on the thread that runs the
 * machine, inside an instruction; must not block. Whatever the guest does here gets an answer: what
 * no register is at reads as all ones and takes no write.
 */
public interface Registers {
  /**
   * Reads {@code size} bytes, 1, 2, 4 or 8 (ports: at most 4), at {@code offset} bytes from the
   * range's start; the bytes above the size are ignored.
   */
  long read(long offset, int size);

  /** Writes likewise; {@code value} is zero-extended. */
  void write(long offset, int size, long value);
}
