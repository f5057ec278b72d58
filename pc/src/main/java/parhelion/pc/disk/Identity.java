package parhelion.pc.disk;

/** The 256 words by which a device describes itself (ATA/ATAPI-7, sections 6.17 and 6.18). */
final class Identity {
  private final byte[] bytes = new byte[512];

  Identity word(int index, int value) {
    bytes[2 * index] = (byte) value;
    bytes[2 * index + 1] = (byte) (value >>> 8);
    return this;
  }

  Identity words(int index, int count, long value) {
    for (int i = 0; i < count; i++) {
      word(index + i, (int) (value >>> 16 * i));
    }
    return this;
  }

  /** Text in words, the first character of each in the upper byte, padded with blanks. */
  Identity text(int index, int words, String text) {
    for (int i = 0; i < 2 * words; i++) {
      char c = i < text.length() ? text.charAt(i) : ' ';
      bytes[2 * index + (i ^ 1)] = (byte) (c >= ' ' && c < 127 ? c : '?');
    }
    return this;
  }

  byte[] bytes() {
    return bytes;
  }
}
