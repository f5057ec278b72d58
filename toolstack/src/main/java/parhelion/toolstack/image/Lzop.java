package parhelion.toolstack.image;

import parhelion.media.codec.Bytes;
import parhelion.media.codec.CorruptDataException;
import parhelion.media.codec.GrowingBytes;

/**
 * The lzop container and LZO1X inside it: how kernels are compressed with CONFIG_KERNEL_LZO. The
 * stream format is the one that Linux's Documentation/staging/lzo.rst describes.
 */
final class Lzop {
  private static final int[] MAGIC = {0x89, 'L', 'Z', 'O', 0, 0x0d, 0x0a, 0x1a, 0x0a};
  private static final int VERSION_WITH_LEVEL = 0x940;
  private static final int FLAG_ADLER32_D = 1;
  private static final int FLAG_ADLER32_C = 2;
  private static final int FLAG_EXTRA_FIELD = 0x40;
  private static final int FLAG_CRC32_D = 0x100;
  private static final int FLAG_CRC32_C = 0x200;
  private static final int FLAG_FILTER = 0x800;
  private static final int MAX_BLOCK_BYTES = 64 << 20;

  /** An LZO1X stream cannot expand more than this per byte (255 a zero byte of a length). */
  private static final int MAX_RATIO = 256;

  private final byte[] in;
  private final int end;
  private int at;

  private Lzop(byte[] in, int at, int end) {
    this.in = in;
    this.at = at;
    this.end = end;
  }

  static boolean matches(byte[] in, int offset) {
    return Bytes.startsWith(in, offset, MAGIC);
  }

  static void decode(byte[] in, int offset, int end, GrowingBytes out) throws CorruptDataException {
    new Lzop(in, offset, end).run(out);
  }

  private void run(GrowingBytes out) throws CorruptDataException {
    skip(MAGIC.length);
    int version = be16();
    skip(2);
    if (version >= VERSION_WITH_LEVEL) {
      skip(2);
    }
    skip(version >= VERSION_WITH_LEVEL ? 2 : 1);
    int flags = be32();
    skip((flags & FLAG_FILTER) != 0 ? 4 : 0);
    skip(version >= VERSION_WITH_LEVEL ? 12 : 8);
    skip(1);
    skip(in[at - 1] & 0xff);
    skip(4);
    if ((flags & FLAG_EXTRA_FIELD) != 0) {
      skip(be32());
      skip(4);
    }
    while (true) {
      int unpacked = be32();
      if (unpacked == 0) {
        return;
      }
      int packed = be32();
      skip(4 * Integer.bitCount(flags & (FLAG_ADLER32_D | FLAG_CRC32_D)));
      if (packed < unpacked) {
        skip(4 * Integer.bitCount(flags & (FLAG_ADLER32_C | FLAG_CRC32_C)));
      }
      if (unpacked < 0
          || unpacked > MAX_BLOCK_BYTES
          || packed <= 0
          || packed > unpacked
          || (long) MAX_RATIO * packed < unpacked) {
        throw new CorruptDataException("an lzo block has impossible sizes");
      }
      int from = at;
      skip(packed);
      if (packed == unpacked) {
        out.put(in, from, packed);
      } else {
        out.reserve(unpacked);
        int to = out.length + unpacked;
        if (block(in, from, at, out.array, out.length, to) != to) {
          throw new CorruptDataException("an lzo block has not the size that it announces");
        }
        out.length = to;
      }
    }
  }

  private void skip(int count) throws CorruptDataException {
    if (count < 0 || count > end - at) {
      throw new CorruptDataException("lzo data are cut off");
    }
    at += count;
  }

  private int be16() throws CorruptDataException {
    skip(2);
    return (in[at - 2] & 0xff) << 8 | (in[at - 1] & 0xff);
  }

  private int be32() throws CorruptDataException {
    skip(4);
    return Bytes.be32(in, at - 4);
  }

  /** Decodes one LZO1X stream; returns the index after the last byte written. */
  private static int block(byte[] in, int at, int inEnd, byte[] out, int to, int outEnd)
      throws CorruptDataException {
    try {
      return new Stream(in, at, inEnd, out, to, outEnd).run();
    } catch (ArrayIndexOutOfBoundsException e) {
      throw new CorruptDataException("an lzo block ends in the middle of an instruction");
    }
  }

  private static final class Stream {
    private final byte[] in;
    private final int inEnd;
    private final byte[] out;
    private final int base;
    private final int outEnd;
    private int at;
    private int to;

    Stream(byte[] in, int at, int inEnd, byte[] out, int to, int outEnd) {
      this.in = in;
      this.at = at;
      this.inEnd = inEnd;
      this.out = out;
      this.base = to;
      this.to = to;
      this.outEnd = outEnd;
    }

    int run() throws CorruptDataException {
      int state = 0;
      int first = in[at] & 0xff;
      if (first > 17) {
        at++;
        literals(first - 17);
        state = Math.min(first - 17, 4);
      }
      while (at < inEnd) {
        int op = in[at++] & 0xff;
        int length;
        int distance;
        int trailing;
        if (op >= 64) {
          length = op >= 128 ? 5 + (op >> 5 & 3) : 3 + (op >> 5 & 1);
          distance = ((in[at++] & 0xff) << 3) + (op >> 2 & 7) + 1;
          trailing = op & 3;
        } else if (op >= 16) {
          boolean near = op >= 32;
          int mask = near ? 31 : 7;
          length = 2 + ((op & mask) != 0 ? op & mask : extended(mask));
          int word = Bytes.le16(in, at);
          at += 2;
          distance = (word >> 2) + (near ? 1 : 16384 + ((op & 8) << 11));
          trailing = word & 3;
          if (!near && distance == 16384) {
            return to;
          }
        } else if (state == 0) {
          literals(3 + (op != 0 ? op : extended(15)));
          state = 4;
          continue;
        } else {
          length = state == 4 ? 3 : 2;
          distance = ((in[at++] & 0xff) << 2) + (op >> 2) + (state == 4 ? 2049 : 1);
          trailing = op & 3;
        }
        if (distance > to - base || length < 0 || length > outEnd - to) {
          throw new CorruptDataException("an lzo match refers outside its block");
        }
        GrowingBytes.copyMatch(out, to, distance, length);
        to += length;
        literals(trailing);
        state = trailing;
      }
      throw new CorruptDataException("an lzo block has no end mark");
    }

    private int extended(int start) throws CorruptDataException {
      int length = start;
      while (in[at] == 0) {
        length += 255;
        at++;
        if (length > MAX_BLOCK_BYTES) {
          throw new CorruptDataException("an lzo length is too long");
        }
      }
      return length + (in[at++] & 0xff);
    }

    private void literals(int count) throws CorruptDataException {
      if (count > inEnd - at || count > outEnd - to) {
        throw new CorruptDataException("an lzo literal run is too long");
      }
      System.arraycopy(in, at, out, to, count);
      at += count;
      to += count;
    }
  }
}
