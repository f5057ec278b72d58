package parhelion.pc.input;

import org.jspecify.annotations.Nullable;

/** The keys of a keyboard of 101 keys in the US layout, with their codes of set 1. */
public enum Key {
  ESCAPE(0x01),
  DIGIT_1(0x02),
  DIGIT_2(0x03),
  DIGIT_3(0x04),
  DIGIT_4(0x05),
  DIGIT_5(0x06),
  DIGIT_6(0x07),
  DIGIT_7(0x08),
  DIGIT_8(0x09),
  DIGIT_9(0x0a),
  DIGIT_0(0x0b),
  MINUS(0x0c),
  EQUALS(0x0d),
  BACKSPACE(0x0e),
  TAB(0x0f),
  Q(0x10),
  W(0x11),
  E(0x12),
  R(0x13),
  T(0x14),
  Y(0x15),
  U(0x16),
  I(0x17),
  O(0x18),
  P(0x19),
  LEFT_BRACKET(0x1a),
  RIGHT_BRACKET(0x1b),
  ENTER(0x1c),
  LEFT_CONTROL(0x1d),
  A(0x1e),
  S(0x1f),
  D(0x20),
  F(0x21),
  G(0x22),
  H(0x23),
  J(0x24),
  K(0x25),
  L(0x26),
  SEMICOLON(0x27),
  APOSTROPHE(0x28),
  BACKQUOTE(0x29),
  LEFT_SHIFT(0x2a),
  BACKSLASH(0x2b),
  Z(0x2c),
  X(0x2d),
  C(0x2e),
  V(0x2f),
  B(0x30),
  N(0x31),
  M(0x32),
  COMMA(0x33),
  PERIOD(0x34),
  SLASH(0x35),
  RIGHT_SHIFT(0x36),
  LEFT_ALT(0x38),
  SPACE(0x39),
  CAPS_LOCK(0x3a),
  F1(0x3b),
  F2(0x3c),
  F3(0x3d),
  F4(0x3e),
  F5(0x3f),
  F6(0x40),
  F7(0x41),
  F8(0x42),
  F9(0x43),
  F10(0x44),
  F11(0x57),
  F12(0x58),
  HOME(0x47, true),
  UP(0x48, true),
  PAGE_UP(0x49, true),
  LEFT(0x4b, true),
  RIGHT(0x4d, true),
  END(0x4f, true),
  DOWN(0x50, true),
  PAGE_DOWN(0x51, true),
  INSERT(0x52, true),
  DELETE(0x53, true),
  RIGHT_CONTROL(0x1d, true),
  RIGHT_ALT(0x38, true);

  private static final String PLAIN = "1234567890-=qwertyuiop[]asdfghjkl;'`\\zxcvbnm,./ ";
  private static final String SHIFTED = "!@#$%^&*()_+QWERTYUIOP{}ASDFGHJKL:\"~|ZXCVBNM<>? ";
  private static final int[] CODES = new int[PLAIN.length()];

  static {
    int[][] runs = {{0x02, 12}, {0x10, 12}, {0x1e, 12}, {0x2b, 11}, {0x39, 1}};
    int at = 0;
    for (int[] run : runs) {
      for (int i = 0; i < run[1]; i++) {
        CODES[at++] = run[0] + i;
      }
    }
  }

  final int set1;
  final boolean extended;

  Key(int set1) {
    this(set1, false);
  }

  Key(int set1, boolean extended) {
    this.set1 = set1;
    this.extended = extended;
  }

  /** The key that types a character, or null; letters and signs, line ends and tabs. */
  public static @Nullable Key typing(char c) {
    switch (c) {
      case '\n', '\r' -> {
        return ENTER;
      }
      case '\t' -> {
        return TAB;
      }
      case '\b', 127 -> {
        return BACKSPACE;
      }
      case 27 -> {
        return ESCAPE;
      }
      default -> {
        int index = Math.max(PLAIN.indexOf(c), SHIFTED.indexOf(c));
        return index < 0 ? null : ofCode(CODES[index]);
      }
    }
  }

  /** Whether typing a character takes a shift key. */
  public static boolean isShifted(char c) {
    return c != ' ' && SHIFTED.indexOf(c) >= 0;
  }

  private static @Nullable Key ofCode(int code) {
    for (Key key : values()) {
      if (key.set1 == code && !key.extended) {
        return key;
      }
    }
    return null;
  }
}
