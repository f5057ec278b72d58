package parhelion.toolstack.image;

import java.io.ByteArrayInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.util.zip.GZIPInputStream;
import org.apache.commons.compress.compressors.bzip2.BZip2CompressorInputStream;
import org.jspecify.annotations.Nullable;
import org.tukaani.xz.LZMAInputStream;
import org.tukaani.xz.SingleXZInputStream;
import org.tukaani.xz.XZInputStream;
import parhelion.media.codec.Bytes;
import parhelion.media.codec.CorruptDataException;
import parhelion.media.codec.GrowingBytes;
import parhelion.media.codec.Zstd;

/** How a kernel, an initrd or a package member is packed, told by its first bytes. */
public enum Compression {
  /** Not packed, or nothing that we know. */
  NONE("none"),
  GZIP("gzip"),
  BZIP2("bzip2"),
  LZMA("lzma"),
  XZ("xz"),
  LZO("lzo"),
  LZ4("lz4"),
  ZSTD("zstd");

  /** What unpacking xz and lzma may take: kernels need 33 MiB, xz -9 65 MiB. */
  private static final int MEMORY_LIMIT_KIB = 80 << 10;

  private static final int CHUNK_BYTES = 1 << 16;
  private static final int PROGRESS_BYTES = 4 << 20;

  private final String title;

  Compression(String title) {
    this.title = title;
  }

  /** The name that people use. */
  public String title() {
    return title;
  }

  /** Recognises the data at {@code in[offset..]} by their magic number. */
  public static Compression of(byte[] in, int offset) {
    if (Bytes.startsWith(in, offset, 0x1f, 0x8b, 8)) {
      return GZIP;
    }
    if (Bytes.startsWith(in, offset, 'B', 'Z', 'h')) {
      return BZIP2;
    }
    if (Bytes.startsWith(in, offset, 0xfd, '7', 'z', 'X', 'Z', 0)) {
      return XZ;
    }
    if (Bytes.startsWith(in, offset, 0x02, 0x21, 0x4c, 0x18)) {
      return LZ4;
    }
    if (Bytes.startsWith(in, offset, 0x28, 0xb5, 0x2f, 0xfd)) {
      return ZSTD;
    }
    if (Lzop.matches(in, offset)) {
      return LZO;
    }
    if (Bytes.startsWith(in, offset, 0x5d, 0, 0)) {
      return LZMA;
    }
    return NONE;
  }

  /**
   * Unpacks {@code in[offset, end)}.
   *
   * @param sizeBytes the unpacked size that the container announces, or -1
   * @param limitBytes the most that may come out
   * @throws IOException when the data are corrupt, cut off or too large; the message is a phrase
   *     without the file's name
   */
  byte[] unpack(
      byte[] in,
      int offset,
      int end,
      long sizeBytes,
      int limitBytes,
      String what,
      Progress progress)
      throws IOException {
    if (sizeBytes > limitBytes) {
      throw new CorruptDataException(
          "it announces " + sizeBytes + " bytes, more than the limit of " + limitBytes);
    }
    if (this == LZ4) {
      return Lz4.legacyFrame(in, offset, end, sizeBytes, limitBytes);
    }
    int most = sizeBytes >= 0 ? (int) sizeBytes : limitBytes;
    GrowingBytes out = new GrowingBytes(most, sizeBytes, end - offset);
    try {
      switch (this) {
        case ZSTD -> Zstd.decode(in, offset, end, out);
        case LZO -> Lzop.decode(in, offset, end, out);
        case NONE -> out.put(in, offset, end - offset);
        default -> drain(stream(in, offset, end, sizeBytes), out, sizeBytes, what, progress);
      }
    } catch (EOFException e) {
      throw new CorruptDataException("its " + title + " data are cut off");
    } catch (CorruptDataException e) {
      throw e;
    } catch (IOException | RuntimeException e) {
      // commons-compress answers some corrupt input with unchecked exceptions.
      throw new IOException("its " + title + " data are corrupt (" + reason(e) + ")", e);
    }
    if (sizeBytes >= 0 && out.length != sizeBytes) {
      throw new CorruptDataException(
          "it announces " + sizeBytes + " bytes but holds " + out.length);
    }
    return out.toArray();
  }

  private static String reason(Exception e) {
    String message = e.getMessage();
    return message == null ? e.getClass().getSimpleName() : message;
  }

  private InputStream stream(byte[] in, int offset, int end, long sizeBytes) throws IOException {
    InputStream raw = new ByteArrayInputStream(in, offset, end - offset);
    return switch (this) {
      case GZIP -> new GZIPInputStream(raw, CHUNK_BYTES);
      case BZIP2 -> new BZip2CompressorInputStream(raw, true);
      case LZMA -> new LZMAInputStream(raw, MEMORY_LIMIT_KIB);
      case XZ ->
          sizeBytes >= 0
              ? new SingleXZInputStream(raw, MEMORY_LIMIT_KIB)
              : new XZInputStream(raw, MEMORY_LIMIT_KIB);
      default -> throw new IllegalStateException("no stream for " + this);
    };
  }

  /** A stream over packed data, or null for the formats that are only unpacked as a whole. */
  static @Nullable InputStream streamOf(Compression kind, InputStream raw) throws IOException {
    return switch (kind) {
      case NONE -> raw;
      case GZIP -> new GZIPInputStream(raw, CHUNK_BYTES);
      case BZIP2 -> new BZip2CompressorInputStream(raw, true);
      case XZ -> new XZInputStream(raw, MEMORY_LIMIT_KIB);
      case LZMA -> new LZMAInputStream(raw, MEMORY_LIMIT_KIB);
      default -> null;
    };
  }

  private static void drain(
      InputStream in, GrowingBytes out, long sizeBytes, String what, Progress progress)
      throws IOException {
    long nextReport = PROGRESS_BYTES;
    try (in) {
      while (true) {
        if (out.room() == 0) {
          if (in.read() < 0) {
            break;
          }
          out.reserve(1); // throws: there is more than there may be
        }
        out.reserve(Math.min(CHUNK_BYTES, out.room()));
        int n = in.read(out.array, out.length, Math.min(CHUNK_BYTES, out.room()));
        if (n < 0) {
          break;
        }
        out.length += n;
        if (out.length >= nextReport) {
          progress.update(what, out.length, sizeBytes);
          nextReport += PROGRESS_BYTES;
        }
      }
    }
    if (nextReport > PROGRESS_BYTES) {
      progress.update(what, out.length, out.length);
    }
  }
}
