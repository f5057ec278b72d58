package parhelion.backends.xenstore;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A request's payload, taken apart as the protocol asks: NUL-terminated strings, at times followed
 * by binary data. Bytes map to chars one to one (ISO 8859-1), so nothing is lost on the way back.
 */
final class Args {
  /** Domids are 16 bits wide. */
  static final int DOMID_MAX = 0xffff;

  private final byte[] payload;

  Args(byte[] payload) {
    this.payload = payload;
  }

  /** Every NUL-terminated string; bytes after the last NUL are not part of any. */
  List<String> strings() {
    List<String> found = new ArrayList<>();
    int start = 0;
    for (int i = 0; i < payload.length; i++) {
      if (payload[i] == 0) {
        found.add(text(start, i));
        start = i + 1;
      }
    }
    return found;
  }

  /** The payload as exactly one string with its NUL at the very end, or EINVAL. */
  String only() {
    int nul = firstNul();
    if (nul != payload.length - 1) {
      throw new XsException(XsErrno.EINVAL, "malformed request");
    }
    return text(0, nul);
  }

  /** The first string, or EINVAL. */
  String first() {
    return text(0, firstNul());
  }

  /** Everything after the first string's NUL. */
  byte[] afterFirst() {
    return Arrays.copyOfRange(payload, firstNul() + 1, payload.length);
  }

  private int firstNul() {
    for (int i = 0; i < payload.length; i++) {
      if (payload[i] == 0) {
        return i;
      }
    }
    throw new XsException(XsErrno.EINVAL, "malformed request");
  }

  private String text(int from, int to) {
    return new String(payload, from, to - from, StandardCharsets.ISO_8859_1);
  }

  /** A decimal domid, 0 to 65535, or EINVAL. */
  static int domid(String text) {
    int value = decimal(text);
    if (value < 0 || value > DOMID_MAX) {
      throw new XsException(XsErrno.EINVAL, "domain number \"" + text + "\"");
    }
    return value;
  }

  /** A non-negative decimal number that fits an int, or -1. */
  static int decimal(String text) {
    if (text.isEmpty() || text.length() > 10) {
      return -1;
    }
    long value = 0;
    for (int i = 0; i < text.length(); i++) {
      int digit = text.charAt(i) - '0';
      if (digit < 0 || digit > 9) {
        return -1;
      }
      value = value * 10 + digit;
    }
    return value > Integer.MAX_VALUE ? -1 : (int) value;
  }

  /** The reply form of a list of strings: each followed by a NUL. */
  static byte[] join(List<String> strings) {
    StringBuilder joined = new StringBuilder();
    for (String string : strings) {
      joined.append(string).append('\0');
    }
    return bytes(joined.toString());
  }

  static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.ISO_8859_1);
  }
}
