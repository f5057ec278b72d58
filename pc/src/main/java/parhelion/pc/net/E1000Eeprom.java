package parhelion.pc.net;

import parhelion.media.net.MacAddress;

/**
 * The card's EEPROM of 64 words: by the read register, and wire by wire as the Microwire part that
 * it is (317453, chapter 5).
 */
final class E1000Eeprom {
  private static final int WORDS = 64;
  private static final int CHECKSUM = 0xbaba;
  private static final int CLOCK = 1;
  private static final int SELECT = 2;
  private static final int DATA_IN = 4;
  private static final int DATA_OUT = 8;
  private static final int REQUEST = 0x40;
  private static final int GRANT = 0x80;
  private static final int PRESENT = 0x100;

  /** A start bit, two bits of operation, six of address. */
  private static final int COMMAND_BITS = 9;

  private static final int READ = 2;
  private static final int READ_DONE = 1 << 4;

  private final int[] words = new int[WORDS];
  private int lines;

  /** Bits that came in since the start bit, with that. */
  private int shifted;

  private int bits;
  private boolean out;

  E1000Eeprom(MacAddress mac) {
    for (int i = 0; i < 3; i++) {
      int first = (int) (mac.bits() >>> 40 - 16 * i) & 0xff;
      int second = (int) (mac.bits() >>> 32 - 16 * i) & 0xff;
      words[i] = first | second << 8;
    }
    words[0x05] = 0xffff; // no version
    words[0x0a] = 0x4508;
    words[0x0b] = 0x1100;
    words[0x0c] = 0x1af4;
    words[0x0d] = 0x100e;
    words[0x0e] = 0x8086;
    int sum = 0;
    for (int i = 0; i < WORDS - 1; i++) {
      sum += words[i];
    }
    words[WORDS - 1] = CHECKSUM - sum & 0xffff;
  }

  int word(int index) {
    return words[index & WORDS - 1];
  }

  /** The read register after software has written to it. */
  int read(int value) {
    return (value & 1) == 0 ? value : READ_DONE | value & 0xff00 | word(value >>> 8 & 0xff) << 16;
  }

  int lines() {
    int value = lines & ~DATA_OUT | PRESENT | (out ? DATA_OUT : 0);
    return (lines & REQUEST) != 0 ? value | GRANT : value;
  }

  void setLines(int value) {
    boolean rises = (value & CLOCK) != 0 && (lines & CLOCK) == 0;
    lines = value & (CLOCK | SELECT | DATA_IN | REQUEST);
    if ((value & SELECT) == 0) {
      shifted = 0;
      bits = 0;
      out = true;
    } else if (rises) {
      clock((value & DATA_IN) != 0);
    }
  }

  private void clock(boolean in) {
    if (bits == 0 && !in) {
      return; // no start bit yet
    }
    if (bits < COMMAND_BITS) {
      shifted = shifted << 1 | (in ? 1 : 0);
      bits++;
      out = false;
      return;
    }
    boolean reads = (shifted >>> 6 & 3) == READ;
    int bit = bits - COMMAND_BITS;
    // A read that goes on gives the next word.
    out = reads && (word(shifted + bit / 16) >>> 15 - bit % 16 & 1) != 0;
    bits = bits == Integer.MAX_VALUE ? COMMAND_BITS : bits + 1;
  }
}
