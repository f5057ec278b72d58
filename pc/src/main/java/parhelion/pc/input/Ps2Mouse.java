package parhelion.pc.input;

/** A mouse with two or three buttons, and a wheel for hosts that ask for one. */
final class Ps2Mouse extends Ps2Device {
  private static final int SCALE_1 = 0xe6;
  private static final int SCALE_2 = 0xe7;
  private static final int SET_RESOLUTION = 0xe8;
  private static final int STATUS = 0xe9;
  private static final int STREAM = 0xea;
  private static final int READ = 0xeb;
  private static final int WRAP_END = 0xec;
  private static final int WRAP = 0xee;
  private static final int REMOTE = 0xf0;
  private static final int IDENTIFY = 0xf2;
  private static final int SET_RATE = 0xf3;
  private static final int ENABLE = 0xf4;
  private static final int DISABLE = 0xf5;
  private static final int DEFAULTS = 0xf6;
  private static final int AGAIN = 0xfe;
  private static final int RESET = 0xff;
  private static final int WHEEL_KNOCK = 200 << 16 | 100 << 8 | 80;

  private boolean reporting;
  private boolean remote;
  private boolean wrap;
  private boolean doubled;
  private boolean wheel;
  private int resolution;
  private int rate;
  private int rates;
  private int pending;
  private int x;
  private int y;
  private int z;
  private int buttons;

  Ps2Mouse() {
    defaults();
  }

  private void defaults() {
    reporting = false;
    remote = false;
    doubled = false;
    resolution = 2;
    rate = 100;
    x = 0;
    y = 0;
    z = 0;
  }

  @Override
  void reset() {
    clear();
    defaults();
    wrap = false;
    wheel = false;
    rates = 0;
    pending = 0;
    buttons = 0;
  }

  @Override
  void receive(int value) {
    if (wrap && value != WRAP_END && value != RESET) {
      answer(value);
      return;
    }
    int waits = pending;
    pending = 0;
    if (waits != 0) {
      argument(waits, value);
      return;
    }
    switch (value) {
      case SCALE_1, SCALE_2 -> {
        doubled = value == SCALE_2;
        answer(ACKNOWLEDGE);
      }
      case SET_RESOLUTION, SET_RATE -> {
        pending = value;
        answer(ACKNOWLEDGE);
      }
      case STATUS -> {
        int bits = (remote ? 0x40 : 0) | (reporting ? 0x20 : 0) | (doubled ? 0x10 : 0) | buttons;
        answer(ACKNOWLEDGE, bits, resolution, rate);
      }
      case STREAM, REMOTE -> {
        remote = value == REMOTE;
        answer(ACKNOWLEDGE);
      }
      case READ -> {
        answer(ACKNOWLEDGE);
        report();
      }
      case WRAP, WRAP_END -> {
        wrap = value == WRAP;
        answer(ACKNOWLEDGE);
      }
      case IDENTIFY -> answer(ACKNOWLEDGE, wheel ? 3 : 0);
      case ENABLE, DISABLE -> {
        reporting = value == ENABLE;
        answer(ACKNOWLEDGE);
      }
      case DEFAULTS -> {
        defaults();
        answer(ACKNOWLEDGE);
      }
      case AGAIN -> answer(last());
      case RESET -> {
        reset();
        answer(ACKNOWLEDGE, SELF_TEST_PASSED, 0);
      }
      default -> answer(RESEND);
    }
  }

  private void argument(int command, int value) {
    answer(ACKNOWLEDGE);
    if (command == SET_RESOLUTION) {
      resolution = value & 3;
    } else {
      rate = value;
      rates = (rates << 8 | value) & 0xff_ffff;
      wheel |= rates == WHEEL_KNOCK;
    }
  }

  /** Moves by counts, up and to the right, turns the wheel, and sets buttons: bits 0 to 2. */
  void move(int dx, int dy, int dz, int pressed) {
    x = Math.clamp(x + (long) dx, -2048, 2047);
    y = Math.clamp(y + (long) dy, -2048, 2047);
    z = Math.clamp(z + (long) dz, -128, 127);
    buttons = pressed & 7;
    if (reporting && !remote && hasRoom(4)) {
      report();
    }
  }

  private void report() {
    int dx = Math.clamp(x, -256, 255);
    int dy = Math.clamp(y, -256, 255);
    answer(0x08 | buttons | (dx < 0 ? 0x10 : 0) | (dy < 0 ? 0x20 : 0), dx & 0xff, dy & 0xff);
    if (wheel) {
      int dz = Math.clamp(z, -8, 7);
      answer(-dz & 0xff);
    }
    x = 0;
    y = 0;
    z = 0;
  }
}
