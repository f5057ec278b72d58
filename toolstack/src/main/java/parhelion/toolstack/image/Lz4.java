package parhelion.toolstack.image;

import parhelion.media.codec.Bytes;
import parhelion.media.codec.CorruptDataException;
import parhelion.media.codec.GrowingBytes;

/**
 * LZ4 as kernels use it: the "legacy" frame (magic 0x184C2102, then length-prefixed blocks that
 * each unpack to 8 MiB, the last one to what remains), and the block format itself. Blocks do not
 * refer to each other.
 *
 * <p>Written for a cold JVM: one flat loop that is compiled on stack replacement within
 * milliseconds, long runs moved by {@link System#arraycopy}, no library to load. Two blocks are
 * decoded at once.
 */
final class Lz4 {
  static final int LEGACY_MAGIC = 0x184C2102;
  private static final int BLOCK_BYTES = 8 << 20;
  private static final int MAX_RATIO = 255;
  private static final int MIN_MATCH = 4;

  /** Below this, a loop beats the call of arraycopy. */
  private static final int SHORT_RUN = 16;

  private Lz4() {}

  /**
   * Unpacks a legacy frame at {@code in[offset, end)}.
   *
   * @param sizeBytes the unpacked size, or -1 if it is not known (then the frame ends with the
   *     input, or with four more bytes that are the size, as a kernel's build leaves it)
   */
  static byte[] legacyFrame(byte[] in, int offset, int end, long sizeBytes, int limitBytes)
      throws CorruptDataException {
    if (sizeBytes > limitBytes) {
      throw new CorruptDataException(
          "it unpacks to more than the limit of " + limitBytes + " bytes");
    }
    int[] starts = new int[16];
    int blocks = 0;
    int at = offset + 4;
    while (end - at >= 4) {
      int length = Bytes.le32(in, at);
      if (length == LEGACY_MAGIC) { // frames may be concatenated
        at += 4;
        continue;
      }
      if (end - at == 4 && blocks > 0 && sizeBytes < 0) {
        sizeBytes = length & 0xffff_ffffL;
        at = end;
        break;
      }
      if (length <= 0 || length > end - at - 4) {
        if (sizeBytes >= 0 && (long) blocks * BLOCK_BYTES >= sizeBytes) {
          break;
        }
        throw new CorruptDataException("lz4 block " + blocks + " runs past the end of the data");
      }
      if (blocks == starts.length) {
        starts = java.util.Arrays.copyOf(starts, 2 * blocks);
      }
      starts[blocks++] = at;
      at += 4 + length;
    }
    if (sizeBytes > limitBytes || (sizeBytes < 0 && at != end)) {
      throw new CorruptDataException("its lz4 data are cut off or too large");
    }
    return sizeBytes >= 0
        ? sized(in, starts, blocks, (int) sizeBytes)
        : unsized(in, starts, blocks, limitBytes, end - offset);
  }

  private static byte[] sized(byte[] in, int[] starts, int blocks, int size)
      throws CorruptDataException {
    long most = 0;
    for (int i = 0; i < blocks; i++) {
      most += Math.min(BLOCK_BYTES, (long) MAX_RATIO * Bytes.le32(in, starts[i]));
    }
    if (size > most || size <= (blocks - 1L) * BLOCK_BYTES) {
      throw new CorruptDataException(
          "it announces " + size + " bytes, which its " + blocks + " lz4 blocks cannot hold");
    }
    byte[] out = new byte[size];
    int half = blocks / 2;
    Range upper = new Range(in, starts, half, blocks, out);
    Thread helper = null;
    if (half > 0) {
      helper = new Thread(upper, "parhelion-lz4");
      helper.setDaemon(true);
      helper.start();
    }
    Range lower = new Range(in, starts, 0, helper == null ? blocks : half, out);
    lower.run();
    if (helper != null) {
      join(helper);
      upper.check();
    }
    lower.check();
    return out;
  }

  private static void join(Thread helper) throws CorruptDataException {
    try {
      helper.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CorruptDataException("unpacking was interrupted");
    }
  }

  private static byte[] unsized(byte[] in, int[] starts, int blocks, int limit, int inputBytes)
      throws CorruptDataException {
    GrowingBytes out = new GrowingBytes(limit, 0, inputBytes);
    for (int i = 0; i < blocks; i++) {
      int length = Bytes.le32(in, starts[i]);
      int most = (int) Math.min(BLOCK_BYTES, (long) MAX_RATIO * length);
      out.reserve(Math.min(most, out.room()));
      int from = starts[i] + 4;
      int done = block(in, from, from + length, out.array, out.length, out.array.length);
      if (done - out.length > BLOCK_BYTES) {
        throw new CorruptDataException("lz4 block " + i + " unpacks to more than 8 MiB");
      }
      out.length = done;
    }
    return out.toArray();
  }

  /** Decodes blocks {@code [first, last)} to their places in the output, on any thread. */
  private static final class Range implements Runnable {
    private final byte[] in;
    private final int[] starts;
    private final int first;
    private final int last;
    private final byte[] out;
    private @org.jspecify.annotations.Nullable CorruptDataException failure;

    Range(byte[] in, int[] starts, int first, int last, byte[] out) {
      this.in = in;
      this.starts = starts;
      this.first = first;
      this.last = last;
      this.out = out;
    }

    @Override
    public void run() {
      try {
        for (int i = first; i < last; i++) {
          int from = starts[i] + 4;
          int to = (int) Math.min((long) i * BLOCK_BYTES, out.length);
          int end = (int) Math.min((i + 1L) * BLOCK_BYTES, out.length);
          if (block(in, from, from + Bytes.le32(in, starts[i]), out, to, end) != end) {
            throw new CorruptDataException("lz4 block " + i + " is shorter than 8 MiB");
          }
        }
      } catch (CorruptDataException e) {
        failure = e;
      }
    }

    void check() throws CorruptDataException {
      if (failure != null) {
        throw failure;
      }
    }
  }

  /**
   * Decodes one block from {@code in[at, inEnd)} to {@code out[to, outEnd)}.
   *
   * @return the index after the last byte written
   */
  static int block(byte[] in, int at, int inEnd, byte[] out, int to, int outEnd)
      throws CorruptDataException {
    int base = to;
    try {
      while (at < inEnd) {
        int token = in[at++] & 0xff;
        int run = token >>> 4;
        if (run == 15) {
          int more;
          do {
            more = in[at++] & 0xff;
            run += more;
          } while (more == 255 && run >= 0);
        }
        if (run < 0 || run > inEnd - at || run > outEnd - to) {
          throw new CorruptDataException("an lz4 literal run is too long");
        }
        if (run > SHORT_RUN) {
          System.arraycopy(in, at, out, to, run);
        } else {
          for (int i = 0; i < run; i++) {
            out[to + i] = in[at + i];
          }
        }
        at += run;
        to += run;
        if (at >= inEnd) {
          return to;
        }
        int distance = (in[at] & 0xff) | (in[at + 1] & 0xff) << 8;
        at += 2;
        int match = token & 15;
        if (match == 15) {
          int more;
          do {
            more = in[at++] & 0xff;
            match += more;
          } while (more == 255 && match >= 0);
        }
        match += MIN_MATCH;
        if (distance == 0 || distance > to - base || match < 0 || match > outEnd - to) {
          throw new CorruptDataException("an lz4 match refers outside its block");
        }
        GrowingBytes.copyMatch(out, to, distance, match);
        to += match;
      }
      return to;
    } catch (ArrayIndexOutOfBoundsException e) {
      throw new CorruptDataException("an lz4 block ends in the middle of a sequence");
    }
  }
}
