package parhelion.pc.display;

import parhelion.pc.DeviceMemory;
import parhelion.pc.Registers;

/**
 * The display's memory: one range, of which the VGA's four planes are the first 256 KiB, byte by
 * byte in turn; and the window on it at 0xa0000, with the ways in which reads and writes are
 * changed there. Beyond 256 KiB only the linear frame buffer reaches.
 */
final class VgaMemory implements Registers {
  static final int PLANE_BYTES = 0x1_0000;
  private static final int ODD_EVEN_OFF = 4;
  private static final int CHAIN_4 = 8;

  final DeviceMemory bytes;
  private final VgaRegisters registers;
  private final int[] latches = new int[4];

  VgaMemory(DeviceMemory bytes, VgaRegisters registers) {
    this.bytes = bytes;
    this.registers = registers;
  }

  int plane(int plane, int offset) {
    return bytes.get((offset & PLANE_BYTES - 1) * 4 + plane);
  }

  private void setPlane(int plane, int offset, int value) {
    bytes.put((offset & PLANE_BYTES - 1) * 4 + plane, value);
  }

  /** Offset in a plane of an offset in the window, or -1 where the window is not. */
  private int mapped(long offset) {
    int at = (int) offset;
    return switch (registers.graphics[VgaRegisters.GRAPHICS_MISC] >>> 2 & 3) {
      case 0 -> at;
      case 1 -> at < 0x1_0000 ? at : -1;
      case 2 -> at >= 0x1_0000 && at < 0x1_8000 ? at - 0x1_0000 : -1;
      default -> at >= 0x1_8000 ? at - 0x1_8000 : -1;
    };
  }

  private boolean isChained() {
    return (registers.sequencer[VgaRegisters.SEQUENCER_MODE] & CHAIN_4) != 0;
  }

  @Override
  public long read(long offset, int size) {
    long value = 0;
    for (int i = 0; i < size; i++) {
      int at = mapped(offset + i);
      value |= (at < 0 ? 0xffL : readByte(at)) << 8 * i;
    }
    return value;
  }

  @Override
  public void write(long offset, int size, long value) {
    for (int i = 0; i < size; i++) {
      int at = mapped(offset + i);
      if (at >= 0) {
        writeByte(at, (int) (value >>> 8 * i) & 0xff);
      }
    }
  }

  private int readByte(int at) {
    if (isChained()) {
      return plane(at & 3, at & ~3);
    }
    int offset = at;
    int plane = registers.graphics[VgaRegisters.GRAPHICS_READ_MAP] & 3;
    if ((registers.graphics[VgaRegisters.GRAPHICS_MODE] & 0x10) != 0) {
      plane = plane & 2 | at & 1;
      offset = at & ~1;
    }
    for (int i = 0; i < 4; i++) {
      latches[i] = plane(i, offset);
    }
    if ((registers.graphics[VgaRegisters.GRAPHICS_MODE] & 8) == 0) {
      return latches[plane];
    }
    int matches = 0xff;
    for (int i = 0; i < 4; i++) {
      if ((registers.graphics[VgaRegisters.GRAPHICS_DONT_CARE] >>> i & 1) != 0) {
        boolean set = (registers.graphics[VgaRegisters.GRAPHICS_COMPARE] >>> i & 1) != 0;
        matches &= set ? latches[i] : ~latches[i];
      }
    }
    return matches & 0xff;
  }

  private void writeByte(int at, int value) {
    int planes = registers.sequencer[VgaRegisters.SEQUENCER_MAP_MASK] & 15;
    if (isChained()) {
      if ((planes >>> (at & 3) & 1) != 0) {
        setPlane(at & 3, at & ~3, value);
      }
      return;
    }
    int offset = at;
    if ((registers.sequencer[VgaRegisters.SEQUENCER_MODE] & ODD_EVEN_OFF) == 0) {
      planes &= (at & 1) != 0 ? 0xa : 0x5;
      offset = at & ~1;
    }
    for (int i = 0; i < 4; i++) {
      if ((planes >>> i & 1) != 0) {
        setPlane(i, offset, result(i, value));
      }
    }
  }

  /** What a write puts into one plane: write modes 0 to 3. */
  private int result(int plane, int value) {
    int[] g = registers.graphics;
    int rotated = rotated(value, g[VgaRegisters.GRAPHICS_ROTATE] & 7);
    int setReset = (g[VgaRegisters.GRAPHICS_SET_RESET] >>> plane & 1) != 0 ? 0xff : 0;
    int mask = g[VgaRegisters.GRAPHICS_BIT_MASK];
    int data;
    switch (g[VgaRegisters.GRAPHICS_MODE] & 3) {
      case 0 -> {
        boolean fixed = (g[VgaRegisters.GRAPHICS_ENABLE_SET_RESET] >>> plane & 1) != 0;
        data = fixed ? setReset : rotated;
      }
      case 1 -> {
        return latches[plane];
      }
      case 2 -> data = (value >>> plane & 1) != 0 ? 0xff : 0;
      default -> {
        data = setReset;
        mask &= rotated;
      }
    }
    int latch = latches[plane];
    data =
        switch (g[VgaRegisters.GRAPHICS_ROTATE] >>> 3 & 3) {
          case 1 -> data & latch;
          case 2 -> data | latch;
          case 3 -> data ^ latch;
          default -> data;
        };
    return data & mask | latch & ~mask;
  }

  private static int rotated(int value, int by) {
    return (value >>> by | value << 8 - by) & 0xff;
  }
}
