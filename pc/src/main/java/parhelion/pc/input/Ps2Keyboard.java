package parhelion.pc.input;

/** A keyboard with scan codes of sets 1 and 2. */
final class Ps2Keyboard extends Ps2Device {
  private static final int SET_LEDS = 0xed;
  private static final int ECHO = 0xee;
  private static final int SCAN_CODES = 0xf0;
  private static final int IDENTIFY = 0xf2;
  private static final int SET_RATE = 0xf3;
  private static final int ENABLE = 0xf4;
  private static final int DISABLE = 0xf5;
  private static final int DEFAULTS = 0xf6;
  private static final int AGAIN = 0xfe;
  private static final int RESET = 0xff;

  private boolean scanning = true;
  private int set = 2;
  private int leds;

  /** A command that waits for its argument, or 0. */
  private int pending;

  @Override
  void reset() {
    clear();
    defaults();
    scanning = true;
    pending = 0;
  }

  private void defaults() {
    set = 2;
    leds = 0;
  }

  /** Scroll lock, num lock, caps lock: bits 0 to 2. */
  int leds() {
    return leds;
  }

  @Override
  void receive(int value) {
    int waits = pending;
    pending = 0;
    if (waits != 0 && value < 0x80 + 0x6d) {
      argument(waits, value);
      return;
    }
    switch (value) {
      case SET_LEDS, SCAN_CODES, SET_RATE -> {
        pending = value;
        answer(ACKNOWLEDGE);
      }
      case ECHO -> answer(ECHO);
      case IDENTIFY -> answer(ACKNOWLEDGE, 0xab, 0x83);
      case ENABLE -> {
        scanning = true;
        answer(ACKNOWLEDGE);
      }
      case DISABLE -> {
        defaults();
        scanning = false;
        answer(ACKNOWLEDGE);
      }
      case DEFAULTS -> {
        defaults();
        answer(ACKNOWLEDGE);
      }
      case AGAIN -> answer(last());
      case RESET -> {
        reset();
        answer(ACKNOWLEDGE, SELF_TEST_PASSED);
      }
      default -> answer(RESEND);
    }
  }

  private void argument(int command, int value) {
    switch (command) {
      case SET_LEDS -> {
        leds = value & 7;
        answer(ACKNOWLEDGE);
      }
      case SCAN_CODES -> {
        if (value == 0) {
          answer(ACKNOWLEDGE, set);
        } else if (value <= 2) {
          set = value;
          answer(ACKNOWLEDGE);
        } else {
          answer(RESEND);
        }
      }
      default -> answer(ACKNOWLEDGE);
    }
  }

  /** A key goes down or up; false if it was lost. */
  boolean key(Key key, boolean down) {
    if (!scanning || !hasRoom(3)) {
      return false;
    }
    if (key.extended) {
      answer(0xe0);
    }
    if (set == 1) {
      answer(down ? key.set1 : key.set1 | 0x80);
    } else {
      if (!down) {
        answer(0xf0);
      }
      answer(ScanCodes.ofSet2(key.set1));
    }
    return true;
  }
}
