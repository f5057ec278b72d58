package parhelion.pc.disk;

import parhelion.pc.Registers;

/** The ports of an {@link IdeChannel}, as ranges of registers. */
final class IdePorts {
  private static final int DATA = 0;

  private IdePorts() {}

  /** The eight at 0x1f0 or 0x170. */
  static Registers commandBlock(IdeChannel channel) {
    return new Registers() {
      @Override
      public long read(long offset, int size) {
        return offset == DATA
            ? Integer.toUnsignedLong(channel.readData(size))
            : channel.readRegister((int) offset);
      }

      @Override
      public void write(long offset, int size, long value) {
        if (offset == DATA) {
          channel.writeData(size, (int) value);
        } else {
          channel.writeRegister((int) offset, (int) value & 0xff);
        }
      }
    };
  }

  /** The one at 0x3f6 or 0x376. */
  static Registers controlBlock(IdeChannel channel) {
    return new Registers() {
      @Override
      public long read(long offset, int size) {
        return channel.status();
      }

      @Override
      public void write(long offset, int size, long value) {
        channel.writeControl((int) value & 0xff);
      }
    };
  }
}
