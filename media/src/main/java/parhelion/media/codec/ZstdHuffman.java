package parhelion.media.codec;

/** A Huffman table of zstd literals (RFC 8878, 4.2): up to 11 bits looked up at once. */
final class ZstdHuffman {
  private static final int MAX_BITS = 11;
  private static final int MAX_SYMBOLS = 256;

  private final int maxBits;
  private final byte[] symbol;
  private final byte[] bits;

  /** Where the description that this table was read from ended. */
  final int end;

  /** Reads the tree description at {@code in[at, limit)}. */
  ZstdHuffman(byte[] in, int at, int limit, ZstdBits stream) throws CorruptDataException {
    if (at >= limit) {
      throw new CorruptDataException("a zstd Huffman table is missing");
    }
    int header = in[at++] & 0xff;
    byte[] weights = new byte[MAX_SYMBOLS];
    int count;
    if (header >= 128) {
      count = header - 127;
      int bytes = (count + 1) / 2;
      if (bytes > limit - at) {
        throw new CorruptDataException("a zstd Huffman table is cut off");
      }
      for (int i = 0; i < count; i++) {
        int pair = in[at + i / 2];
        weights[i] = (byte) ((i & 1) == 0 ? pair >> 4 & 15 : pair & 15);
      }
      at += bytes;
    } else {
      if (header > limit - at) {
        throw new CorruptDataException("a zstd Huffman table is cut off");
      }
      count = compressedWeights(in, at, at + header, stream, weights);
      at += header;
    }
    this.end = at;
    long sum = 0;
    for (int i = 0; i < count; i++) {
      if (weights[i] > MAX_BITS) {
        throw new CorruptDataException("a zstd Huffman code is too long");
      }
      sum += weights[i] == 0 ? 0 : 1L << (weights[i] - 1);
    }
    this.maxBits = 64 - Long.numberOfLeadingZeros(sum);
    long rest = (1L << maxBits) - sum;
    if (sum == 0 || maxBits > MAX_BITS || Long.bitCount(rest) != 1) {
      throw new CorruptDataException("a zstd Huffman table does not add up");
    }
    weights[count] = (byte) (Long.numberOfTrailingZeros(rest) + 1);
    this.symbol = new byte[1 << maxBits];
    this.bits = new byte[1 << maxBits];
    fill(weights, count + 1);
  }

  private void fill(byte[] weights, int count) {
    int at = 0;
    for (int weight = 1; weight <= maxBits; weight++) {
      int width = maxBits + 1 - weight;
      for (int s = 0; s < count; s++) {
        if (weights[s] == weight) {
          int to = at + (1 << (weight - 1));
          while (at < to) {
            symbol[at] = (byte) s;
            bits[at++] = (byte) width;
          }
        }
      }
    }
  }

  /** Two interleaved FSE states give the weights until the stream runs dry. */
  private static int compressedWeights(
      byte[] in, int at, int limit, ZstdBits stream, byte[] weights) throws CorruptDataException {
    ZstdFse.Description description = new ZstdFse.Description();
    description.read(in, at, limit, 6, MAX_BITS + 1);
    ZstdFse fse = description.table;
    stream.begin(description.end, limit);
    int one = stream.read(fse.log);
    int two = stream.read(fse.log);
    int count = 0;
    while (stream.left >= 0) {
      if (count + 2 >= MAX_SYMBOLS) {
        throw new CorruptDataException("a zstd Huffman table has too many symbols");
      }
      weights[count++] = fse.symbol[one];
      one = fse.next(one, stream);
      if (stream.left < 0) {
        weights[count++] = fse.symbol[two];
        return count;
      }
      int swap = one;
      one = two;
      two = swap;
    }
    throw new CorruptDataException("a zstd Huffman table is cut off");
  }

  /** Decodes the stream {@code in[from, to)} into {@code out[at, end)}, exactly. */
  void decode(ZstdBits stream, int from, int to, byte[] out, int at, int end)
      throws CorruptDataException {
    stream.begin(from, to);
    for (; at < end; at++) {
      int code = stream.peek(maxBits);
      out[at] = symbol[code];
      stream.left -= bits[code];
    }
    if (stream.left != 0) {
      throw new CorruptDataException("a zstd literal stream has the wrong length");
    }
  }
}
