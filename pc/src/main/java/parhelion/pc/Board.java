package parhelion.pc;

/**
 * What a device is plugged into: where it puts its registers, which lines it raises, the memory
 * that it masters and the time that it keeps. All on the thread that runs the machine, but for
 * {@link #post}.
 */
public interface Board {
  /** Places a device's registers at ports; a range that overlaps another is a programming error. */
  void mapPorts(int first, int count, String device, Registers registers);

  /** Takes away the range that starts at {@code first}. */
  void unmapPorts(int first);

  /**
   * Places registers in memory, {@code length} bytes from physical address {@code start}: whole
   * pages. Where ranges overlap, the one that was placed last answers (a guest moves its PCI
   * functions about as it likes).
   */
  void mapMemory(long start, long length, String device, Registers registers);

  void unmapMemory(long start);

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
