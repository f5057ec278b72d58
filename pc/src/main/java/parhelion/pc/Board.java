package parhelion.pc;

/**
 * What a device is plugged into: where it puts its registers, which lines it raises, the memory
 * that it masters and the time that it keeps. All on the thread that runs the machine, but for
 * {@link #post}.
 */
public interface Board {
  /**
   * Places a device's registers at {@code count} ports from {@code first} on. Where ranges overlap,
   * the one that was placed last answers: a guest moves its PCI functions about as it likes.
   */
  Mapping mapPorts(int first, int count, String device, Registers registers);

  /**
   * Places registers in memory, {@code length} bytes from physical address {@code start}: whole
   * pages. Where ranges overlap, the one that was placed last answers.
   */
  Mapping mapMemory(long start, long length, String device, Registers registers);

  /**
   * Memory for a device, whole pages, zeroed: placed by {@link #mapMemory}, processors reach it
   * without asking. For devices that are plugged in before the machine runs, and stay.
   */
  DeviceMemory deviceMemory(int bytes);

  /** A range of registers where it was placed. */
  @FunctionalInterface
  interface Mapping {
    /** Takes the range away; what it covered answers again. Once only. */
    void unmap();
  }

  /**
   * The input of the interrupt controllers that ISA interrupt or PCI's INTx number {@code gsi} is.
   */
  InterruptLine line(int gsi);

  /** A message-signalled interrupt: what a device writes to the local APICs' range. */
  void message(long address, int data);

  GuestMemory memory();

  Timers timers();

  /**
   * Runs {@code action} on the machine's thread soon; may be called by any thread, and wakes a
   * machine that idles.
   */
  void post(Runnable action);
}
