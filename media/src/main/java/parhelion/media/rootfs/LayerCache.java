package parhelion.media.rootfs;

import io.airlift.compress.zstd.ZstdInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import java.util.zip.GZIPInputStream;
import org.apache.commons.compress.compressors.bzip2.BZip2CompressorInputStream;
import org.jspecify.annotations.Nullable;
import org.tukaani.xz.XZInputStream;

/**
 * Archives that came compressed, unpacked once: a directory of files named by what they were made
 * of. Those that nobody has used for a month go when another is added.
 */
public final class LayerCache {
  /** What is unpacked is not more, whatever is packed: a terabyte fits into a megabyte. */
  private static final long MAX_BYTES = 64L << 30;

  private static final long KEEP_FREE_BYTES = 1L << 30;
  private static final int XZ_MEMORY_KIB = 128 << 10;
  private static final Duration KEPT = Duration.ofDays(30);

  private final Path directory;

  /** A cache in a directory, which need not exist yet. */
  public LayerCache(Path directory) {
    this.directory = directory;
  }

  /** A directory for files that have no name. */
  Path scratch() throws IOException {
    return Files.createDirectories(directory);
  }

  /** How something is packed, or null if it is not, or in a way that we do not know. */
  static @Nullable String packing(ByteRange range) throws IOException {
    byte[] start = range.slice(0, Math.min(6, range.sizeBytes())).bytes(6);
    String hex = HexFormat.of().formatHex(start);
    return hex.startsWith("1f8b08")
        ? "gzip"
        : hex.startsWith("fd377a585a00")
            ? "xz"
            : hex.startsWith("28b52ffd") ? "zstd" : hex.startsWith("425a68") ? "bzip2" : null;
  }

  private static InputStream unpacking(String packing, InputStream packed) throws IOException {
    return switch (packing) {
      case "gzip" -> new GZIPInputStream(packed, 1 << 16);
      case "xz" -> new XZInputStream(packed, XZ_MEMORY_KIB);
      case "zstd" -> new ZstdInputStream(packed);
      default -> new BZip2CompressorInputStream(packed, true);
    };
  }

  /**
   * The archive itself: what is not packed, as it is; else its unpacked form.
   *
   * @param key names what is packed, for the cache: a digest of it, or of where it is and when it
   *     was changed
   * @param digest SHA-256 that the packed bytes must have, in hexadecimal, or null
   * @param opened gets the files that were opened, for the caller to close
   */
  ByteRange unpacked(ByteRange range, String key, @Nullable String digest, List<FileChannel> opened)
      throws IOException {
    String packing = packing(range);
    if (packing == null) {
      return range;
    }
    Files.createDirectories(directory);
    Path file = directory.resolve(key + ".tar");
    if (!Files.isRegularFile(file)) {
      expire();
      unpack(range, packing, digest, file);
    }
    FileChannel channel = FileChannel.open(file);
    opened.add(channel);
    Files.setLastModifiedTime(file, FileTime.from(Instant.now()));
    return new ByteRange(channel, 0, channel.size());
  }

  private void unpack(ByteRange range, String packing, @Nullable String digest, Path file)
      throws IOException {
    Path part = Files.createTempFile(directory, "part-", "");
    try {
      MessageDigest sha256 = sha256();
      try (InputStream packed = new DigestInputStream(range.stream(), sha256);
          InputStream in = unpacking(packing, packed);
          OutputStream out = Files.newOutputStream(part)) {
        copy(in, out);
        packed.transferTo(OutputStream.nullOutputStream());
      } catch (RootFsException e) {
        throw e;
      } catch (IOException | RuntimeException e) {
        // Libraries answer some corrupt input with unchecked exceptions.
        throw new RootFsException("its " + packing + " data cannot be unpacked (" + e + ")");
      }
      if (digest != null && !digest.equals(HexFormat.of().formatHex(sha256.digest()))) {
        throw new RootFsException("a layer is not what its digest says");
      }
      Files.move(part, file, StandardCopyOption.ATOMIC_MOVE);
    } finally {
      Files.deleteIfExists(part);
    }
  }

  private void copy(InputStream in, OutputStream out) throws IOException {
    byte[] buffer = new byte[1 << 18];
    long total = 0;
    long checkAt = 0;
    int n;
    while ((n = in.read(buffer)) >= 0) {
      total += n;
      if (total > MAX_BYTES) {
        throw new RootFsException("it unpacks to more than " + (MAX_BYTES >> 30) + " GiB");
      }
      if (total >= checkAt) {
        checkAt = total + (64 << 20);
        if (Files.getFileStore(directory).getUsableSpace() < KEEP_FREE_BYTES) {
          throw new RootFsException("there is no room to unpack it in " + directory);
        }
      }
      out.write(buffer, 0, n);
    }
  }

  private void expire() throws IOException {
    Instant before = Instant.now().minus(KEPT);
    try (var files = Files.list(directory)) {
      for (Path file : files.toList()) {
        if (Files.getLastModifiedTime(file).toInstant().isBefore(before)) {
          Files.deleteIfExists(file);
        }
      }
    }
  }

  /** A digest that every JDK has. */
  static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }
}
