package parhelion.pc;

/**
 * System control port A, 92h: bit 0 resets, bit 1 is the A20 gate, which is always open here, but
 * remembers what was written.
 */
final class SystemControl implements Registers {
  static final int PORT = 0x92;

  private final Runnable reset;
  private int value = 2;

  SystemControl(Runnable reset) {
    this.reset = reset;
  }

  @Override
  public long read(long offset, int size) {
    return value;
  }

  @Override
  public void write(long offset, int size, long written) {
    boolean pulse = (written & 1) != 0 && (value & 1) == 0;
    value = (int) written & 3;
    if (pulse) {
      reset.run();
    }
  }
}
