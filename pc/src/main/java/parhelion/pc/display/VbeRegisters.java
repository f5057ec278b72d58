package parhelion.pc.display;

import parhelion.pc.DeviceMemory;

/**
 * The Bochs VBE display interface: eleven registers of 16 bits behind an index and a data port,
 * which set modes that a VGA does not have.
 */
final class VbeRegisters {
  static final int ID = 0;
  static final int WIDTH = 1;
  static final int HEIGHT = 2;
  static final int DEPTH = 3;
  static final int ENABLE = 4;
  static final int BANK = 5;
  static final int VIRTUAL_WIDTH = 6;
  static final int VIRTUAL_HEIGHT = 7;
  static final int X_OFFSET = 8;
  static final int Y_OFFSET = 9;
  static final int MEMORY_64K = 10;

  static final int MAX_WIDTH = 2560;
  static final int MAX_HEIGHT = 1600;

  private static final int NEWEST = 0xb0c5;
  private static final int OLDEST = 0xb0c0;
  private static final int ON = 1;
  private static final int CAPABILITIES = 2;
  private static final int DAC_8_BITS = 0x20;
  private static final int NO_CLEAR = 0x80;

  private final DeviceMemory memory;
  private final int[] values = new int[11];
  private int index;

  VbeRegisters(DeviceMemory memory) {
    this.memory = memory;
    reset();
  }

  void reset() {
    java.util.Arrays.fill(values, 0);
    values[ID] = NEWEST;
    values[DEPTH] = 8;
    index = 0;
  }

  boolean isOn() {
    return (values[ENABLE] & ON) != 0;
  }

  boolean hasWideDac() {
    return (values[ENABLE] & DAC_8_BITS) != 0;
  }

  int index() {
    return index;
  }

  void setIndex(int value) {
    index = value;
  }

  int get(int at) {
    return at < values.length ? values[at] : 0;
  }

  int read(int at) {
    if (at == MEMORY_64K) {
      return memory.length() >>> 16;
    }
    if ((values[ENABLE] & CAPABILITIES) != 0) {
      switch (at) {
        case WIDTH -> {
          return MAX_WIDTH;
        }
        case HEIGHT -> {
          return MAX_HEIGHT;
        }
        case DEPTH -> {
          return 32;
        }
        default -> {}
      }
    }
    return get(at);
  }

  void write(int at, int value) {
    switch (at) {
      case ID -> {
        if (value >= OLDEST && value <= NEWEST) {
          values[ID] = value;
        }
      }
      case WIDTH, HEIGHT, DEPTH -> {
        if (!isOn()) {
          values[at] = value;
        }
      }
      case ENABLE -> enable(value);
      case BANK -> values[BANK] = value % Math.max(1, memory.length() >>> 16);
      case VIRTUAL_WIDTH -> {
        if (isOn()) {
          stretch(value);
        }
      }
      case X_OFFSET, Y_OFFSET -> {
        if (isOn()) {
          values[at] = value;
        }
      }
      default -> {}
    }
  }

  private void enable(int value) {
    boolean turnsOn = (value & ON) != 0 && !isOn();
    if (turnsOn) {
      values[WIDTH] = Math.clamp(values[WIDTH], 8, MAX_WIDTH) & ~7;
      values[DEPTH] =
          switch (values[DEPTH]) {
            case 15, 16, 24, 32 -> values[DEPTH];
            default -> 8;
          };
      int most = memory.length() / lineBytes(values[WIDTH]);
      values[HEIGHT] = Math.clamp(values[HEIGHT], 1, Math.min(MAX_HEIGHT, most));
      values[X_OFFSET] = 0;
      values[Y_OFFSET] = 0;
      values[BANK] = 0;
      stretch(values[WIDTH]);
      if ((value & NO_CLEAR) == 0) {
        memory.clear(values[HEIGHT] * lineBytes(values[WIDTH]));
      }
    }
    values[ENABLE] = value & ~NO_CLEAR;
  }

  private void stretch(int width) {
    int most = memory.length() / values[HEIGHT] / pixelBytes();
    values[VIRTUAL_WIDTH] = Math.clamp(width, values[WIDTH], Math.min(most, 0xffff)) & ~7;
    values[VIRTUAL_HEIGHT] = Math.min(0xffff, memory.length() / lineBytes(values[VIRTUAL_WIDTH]));
  }

  int pixelBytes() {
    return (values[DEPTH] + 7) / 8;
  }

  int lineBytes(int width) {
    return width * pixelBytes();
  }
}
