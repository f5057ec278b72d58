package parhelion.media.codec;

import org.jspecify.annotations.Nullable;

/**
 * Zstandard decompression (RFC 8878): kernels and Debian-style packages use it. All of the format
 * but dictionaries. Our own because the pure-Java library uses sun.misc.Unsafe, about which JDK 25
 * warns on the user's screen, and because its out-of-bounds reads on bad input are not ours to fix.
 */
public final class Zstd {
  /** What a frame begins with, little-endian. */
  public static final int MAGIC = 0xFD2FB528;

  private static final int SKIPPABLE_MAGIC = 0x184D2A50;
  private static final int MAX_BLOCK_BYTES = 128 << 10;

  private static final int[] LL_BASE = {
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 18, 20, 22, 24, 28, 32, 40, 48, 64,
    128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768, 65536
  };
  private static final byte[] LL_BITS = {
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11,
    12, 13, 14, 15, 16
  };
  private static final int[] ML_BASE = {
    3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28,
    29, 30, 31, 32, 33, 34, 35, 37, 39, 41, 43, 47, 51, 59, 67, 83, 99, 131, 259, 515, 1027, 2051,
    4099, 8195, 16387, 32771, 65539
  };
  private static final byte[] ML_BITS = {
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16
  };
  private static final short[] LL_DEFAULT = {
    4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 2, 1, 1, 1, 1, 1,
    -1, -1, -1, -1
  };
  private static final short[] ML_DEFAULT = {
    1, 4, 3, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1, -1, -1
  };
  private static final short[] OF_DEFAULT = {
    1, 1, 1, 1, 1, 1, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1
  };

  private final byte[] in;
  private final int end;
  private final GrowingBytes out;
  private final ZstdBits bits;
  private final byte[] literals = new byte[MAX_BLOCK_BYTES];
  private int literalCount;
  private int at;
  private int frameStart;
  private int blockMost;
  private @Nullable ZstdHuffman huffman;
  private @Nullable ZstdFse literalLengths;
  private @Nullable ZstdFse offsets;
  private @Nullable ZstdFse matchLengths;
  private int rep1;
  private int rep2;
  private int rep3;

  private Zstd(byte[] in, int at, int end, GrowingBytes out) {
    this.in = in;
    this.at = at;
    this.end = end;
    this.out = out;
    this.bits = new ZstdBits(in);
  }

  /** Appends every frame of {@code in[offset, end)} to {@code out}. */
  public static void decode(byte[] in, int offset, int end, GrowingBytes out)
      throws CorruptDataException {
    Zstd zstd = new Zstd(in, offset, end, out);
    do {
      zstd.frame();
    } while (zstd.at < end);
  }

  /**
   * Appends frames of {@code in} until {@code out} has no more room, and leaves what comes after
   * them.
   */
  public static void decodeUntilFull(byte[] in, GrowingBytes out) throws CorruptDataException {
    Zstd zstd = new Zstd(in, 0, in.length, out);
    while (out.room() > 0) {
      zstd.frame();
    }
  }

  private void need(int count) throws CorruptDataException {
    if (count < 0 || count > end - at) {
      throw new CorruptDataException("zstd data are cut off");
    }
  }

  private void frame() throws CorruptDataException {
    need(4);
    int magic = Bytes.le32(in, at);
    at += 4;
    if ((magic & ~15) == SKIPPABLE_MAGIC) {
      need(4);
      int length = Bytes.le32(in, at);
      at += 4;
      need(length);
      at += length;
      return;
    }
    if (magic != MAGIC) {
      throw new CorruptDataException("a zstd frame does not begin with its magic number");
    }
    need(1);
    int descriptor = in[at++];
    boolean single = (descriptor & 0x20) != 0;
    if ((descriptor & 8) != 0) {
      throw new CorruptDataException("a zstd frame header has a reserved bit set");
    }
    long window = single ? Long.MAX_VALUE : window();
    skipDictionary(descriptor & 3);
    long size = contentSize(descriptor >>> 6 & 3, single);
    frameStart = out.length;
    if (size > out.room()) {
      throw new CorruptDataException("it announces " + size + " bytes, more than it may have");
    }
    blockMost = (int) Math.min(MAX_BLOCK_BYTES, single ? Math.max(size, 1) : window);
    huffman = null;
    literalLengths = offsets = matchLengths = null;
    rep1 = 1;
    rep2 = 4;
    rep3 = 8;
    while (block()) {}
    if (size >= 0 && out.length - frameStart != size) {
      throw new CorruptDataException("a zstd frame has not the size that it announces");
    }
    if ((descriptor & 4) != 0) {
      need(4);
      int sum = (int) XxHash64.of(out.array, frameStart, out.length);
      if (sum != Bytes.le32(in, at)) {
        throw new CorruptDataException("the zstd checksum is wrong");
      }
      at += 4;
    }
  }

  private long window() throws CorruptDataException {
    need(1);
    int b = in[at++] & 0xff;
    long base = 1L << (10 + (b >>> 3));
    return base + (base >>> 3) * (b & 7);
  }

  private void skipDictionary(int flag) throws CorruptDataException {
    int bytes = flag == 3 ? 4 : flag;
    need(bytes);
    for (int i = 0; i < bytes; i++) {
      if (in[at++] != 0) {
        throw new CorruptDataException("it needs a zstd dictionary");
      }
    }
  }

  private long contentSize(int flag, boolean single) throws CorruptDataException {
    int bytes = flag == 0 ? (single ? 1 : 0) : 1 << flag;
    need(bytes);
    at += bytes;
    long size =
        switch (bytes) {
          case 0 -> -1;
          case 1 -> in[at - 1] & 0xff;
          case 2 -> Bytes.le16(in, at - 2) + 256;
          case 4 -> Bytes.le32(in, at - 4) & 0xffff_ffffL;
          default -> Bytes.le64(in, at - 8);
        };
    return bytes == 8 && size < 0 ? Long.MAX_VALUE : size;
  }

  /** One block; false after the last one. */
  private boolean block() throws CorruptDataException {
    need(3);
    int header = Bytes.le16(in, at) | (in[at + 2] & 0xff) << 16;
    at += 3;
    int size = header >>> 3;
    if (size > blockMost) {
      throw new CorruptDataException("a zstd block is too large");
    }
    switch (header >>> 1 & 3) {
      case 0 -> {
        need(size);
        out.put(in, at, size);
        at += size;
      }
      case 1 -> {
        need(1);
        out.fill(in[at++], size);
      }
      case 2 -> {
        need(size);
        compressed(at + size);
        at += size;
      }
      default -> throw new CorruptDataException("a zstd block is of a reserved type");
    }
    return (header & 1) == 0;
  }

  private void compressed(int blockEnd) throws CorruptDataException {
    int from = literals(at, blockEnd);
    if (from >= blockEnd) {
      throw new CorruptDataException("a zstd block has no sequences section");
    }
    int count = in[from++] & 0xff;
    if (count >= 128) {
      int more = count == 255 ? 2 : 1;
      if (more > blockEnd - from) {
        throw new CorruptDataException("a zstd sequence count is cut off");
      }
      count = more == 2 ? Bytes.le16(in, from) + 0x7f00 : ((count - 128) << 8) + (in[from] & 0xff);
      from += more;
    }
    out.reserve(Math.min(blockMost, out.room()));
    if (count == 0) {
      if (from != blockEnd) {
        throw new CorruptDataException("a zstd block has bytes after its end");
      }
      out.put(literals, 0, literalCount);
      return;
    }
    if (from >= blockEnd || (in[from] & 3) != 0) {
      throw new CorruptDataException("a zstd sequences header is malformed");
    }
    int modes = in[from++];
    ZstdFse.Description cursor = new ZstdFse.Description();
    cursor.end = from;
    literalLengths = table(modes >>> 6 & 3, cursor, blockEnd, literalLengths, LL_DEFAULT, 6, 9, 36);
    offsets = table(modes >>> 4 & 3, cursor, blockEnd, offsets, OF_DEFAULT, 5, 8, 32);
    matchLengths = table(modes >>> 2 & 3, cursor, blockEnd, matchLengths, ML_DEFAULT, 6, 9, 53);
    bits.begin(cursor.end, blockEnd);
    sequences(count, literalLengths, offsets, matchLengths);
  }

  private ZstdFse table(
      int mode,
      ZstdFse.Description cursor,
      int limit,
      @Nullable ZstdFse previous,
      short[] defaults,
      int defaultLog,
      int maxLog,
      int symbols)
      throws CorruptDataException {
    switch (mode) {
      case 0 -> {
        return ZstdFse.of(defaultLog, defaults, defaults.length);
      }
      case 1 -> {
        if (cursor.end >= limit || (in[cursor.end] & 0xff) >= symbols) {
          throw new CorruptDataException("a zstd sequence code is out of range");
        }
        return ZstdFse.constant(in[cursor.end++]);
      }
      case 2 -> {
        cursor.read(in, cursor.end, limit, maxLog, symbols);
        return cursor.table;
      }
      default -> {
        if (previous == null) {
          throw new CorruptDataException("a zstd block repeats a table that there is not");
        }
        return previous;
      }
    }
  }

  private void sequences(int count, ZstdFse ll, ZstdFse of, ZstdFse ml)
      throws CorruptDataException {
    int llState = bits.read(ll.log);
    int ofState = bits.read(of.log);
    int mlState = bits.read(ml.log);
    int literal = 0;
    int most = out.length + Math.min(blockMost, out.room());
    for (int i = 0; i < count; i++) {
      int ofCode = of.symbol[ofState];
      int ofValue = (int) Math.min(Integer.MAX_VALUE, (1L << ofCode) + readWide(ofCode));
      int mlCode = ml.symbol[mlState];
      int match = ML_BASE[mlCode] + bits.read(ML_BITS[mlCode]);
      int llCode = ll.symbol[llState];
      int run = LL_BASE[llCode] + bits.read(LL_BITS[llCode]);
      if (i + 1 < count) {
        llState = ll.next(llState, bits);
        mlState = ml.next(mlState, bits);
        ofState = of.next(ofState, bits);
      }
      int distance = distance(ofValue, run);
      if (bits.left < 0
          || run > literalCount - literal
          || run + match > most - out.length
          || distance <= 0
          || distance > out.length + run - frameStart) {
        throw new CorruptDataException("a zstd sequence refers outside its data");
      }
      System.arraycopy(literals, literal, out.array, out.length, run);
      literal += run;
      out.length += run;
      GrowingBytes.copyMatch(out.array, out.length, distance, match);
      out.length += match;
    }
    if (bits.left != 0 || literalCount - literal > most - out.length) {
      throw new CorruptDataException("a zstd block has the wrong length");
    }
    out.put(literals, literal, literalCount - literal);
  }

  /** Offset codes go to 31 bits, one more than an int read can give. */
  private long readWide(int count) {
    return bits.read(count) & 0xffff_ffffL;
  }

  private int distance(int value, int run) {
    if (value > 3) {
      rep3 = rep2;
      rep2 = rep1;
      rep1 = value - 3;
      return rep1;
    }
    int index = value - 1 + (run == 0 ? 1 : 0);
    int distance =
        switch (index) {
          case 0 -> rep1;
          case 1 -> rep2;
          case 2 -> rep3;
          default -> rep1 - 1;
        };
    if (index > 0) {
      if (index > 1) {
        rep3 = rep2;
      }
      rep2 = rep1;
      rep1 = distance;
    }
    return distance;
  }

  /** Reads the literals section at {@code from}; returns where it ends. */
  private int literals(int from, int blockEnd) throws CorruptDataException {
    if (from >= blockEnd) {
      throw new CorruptDataException("a zstd block is empty");
    }
    int type = in[from] & 3;
    int format = in[from] >>> 2 & 3;
    int headerBytes =
        type < 2
            ? ((format & 1) == 0 ? 1 : format == 1 ? 2 : 3)
            : 3 + format - (format > 0 ? 1 : 0);
    if (headerBytes > blockEnd - from) {
      throw new CorruptDataException("a zstd literals header is cut off");
    }
    long header = 0;
    for (int i = headerBytes - 1; i >= 0; i--) {
      header = header << 8 | (in[from + i] & 0xff);
    }
    from += headerBytes;
    if (type < 2) {
      return plainLiterals(type, (int) (header >>> (headerBytes == 1 ? 3 : 4)), from, blockEnd);
    }
    int width = format < 2 ? 10 : format == 2 ? 14 : 18;
    int size = (int) (header >>> 4) & ((1 << width) - 1);
    int stored = (int) (header >>> (4 + width)) & ((1 << width) - 1);
    if (size > blockMost || stored > blockEnd - from) {
      throw new CorruptDataException("a zstd literals section is too long");
    }
    int to = from + stored;
    if (type == 2) {
      huffman = new ZstdHuffman(in, from, to, bits);
      from = huffman.end;
    }
    if (huffman == null) {
      throw new CorruptDataException("a zstd block repeats a Huffman table that there is not");
    }
    literalCount = size;
    if (format == 0) {
      huffman.decode(bits, from, to, literals, 0, size);
    } else {
      fourStreams(huffman, from, to, size);
    }
    return to;
  }

  private int plainLiterals(int type, int size, int from, int blockEnd)
      throws CorruptDataException {
    int stored = type == 0 ? size : 1;
    if (size > blockMost || stored > blockEnd - from) {
      throw new CorruptDataException("a zstd literals section is too long");
    }
    if (type == 0) {
      System.arraycopy(in, from, literals, 0, size);
    } else {
      java.util.Arrays.fill(literals, 0, size, in[from]);
    }
    literalCount = size;
    return from + stored;
  }

  private void fourStreams(ZstdHuffman table, int from, int to, int size)
      throws CorruptDataException {
    if (to - from < 6) {
      throw new CorruptDataException("a zstd jump table is cut off");
    }
    int share = (size + 3) / 4;
    if (3 * share > size) {
      throw new CorruptDataException("a zstd literals section is too short for four streams");
    }
    int stream = from + 6;
    for (int i = 0; i < 4; i++) {
      int next = i == 3 ? to : stream + Bytes.le16(in, from + 2 * i);
      if (next > to) {
        throw new CorruptDataException("a zstd literal stream runs past its section");
      }
      table.decode(bits, stream, next, literals, i * share, i == 3 ? size : (i + 1) * share);
      stream = next;
    }
  }
}
