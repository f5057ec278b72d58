package parhelion.toolstack.image;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * Unpacked kernels, one file each, mapped rather than read. An entry is the ELF file, then the key
 * that it was stored under, then a trailer with lengths and a CRC; whatever does not agree is
 * deleted and counts as not there. Entries appear by rename, so readers need no lock; the oldest go
 * when there are too many. A cache that cannot be written is no error: there is just none.
 */
public final class ElfCache {
  private static final long MAGIC = 0x3146_4c45_4c48_5250L;
  private static final int TRAILER_BYTES = 8 + 8 + 4 + 4;
  private static final int MAX_KEY_BYTES = 16 << 10;
  private static final int MAX_ENTRIES = 8;
  private static final long MAX_TOTAL_BYTES = 1L << 30;

  private final Path directory;
  private final int maxEntries;
  private final long maxTotalBytes;

  /** A cache in a directory of its own. */
  public ElfCache(Path directory) {
    this(directory, MAX_ENTRIES, MAX_TOTAL_BYTES);
  }

  ElfCache(Path directory, int maxEntries, long maxTotalBytes) {
    this.directory = directory;
    this.maxEntries = maxEntries;
    this.maxTotalBytes = maxTotalBytes;
  }

  /** The user's cache. */
  public static ElfCache ofUser() {
    return new ElfCache(CacheDirectory.ofUser().resolve("elf"));
  }

  /**
   * What identifies a file without reading it. The change time is in it, which no copy and no touch
   * can set back.
   */
  static String keyOf(Path file) throws IOException {
    Path real = file.toRealPath();
    var unix = Files.readAttributes(real, "unix:size,ino,dev,lastModifiedTime,ctime");
    return "1|"
        + real
        + '|'
        + unix.get("size")
        + '|'
        + unix.get("ino")
        + '|'
        + unix.get("dev")
        + '|'
        + unix.get("lastModifiedTime")
        + '|'
        + unix.get("ctime");
  }

  private Path entry(String key) {
    long hash = 0xcbf29ce484222325L;
    for (int i = 0; i < key.length(); i++) {
      hash = (hash ^ key.charAt(i)) * 0x100000001b3L;
    }
    return directory.resolve(Long.toHexString(hash) + ".elf");
  }

  /** The ELF file stored under a key, mapped read-only, or null. */
  @Nullable ByteBuffer find(String key) {
    Path file = entry(key);
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      long size = channel.size();
      if (size <= TRAILER_BYTES || size > Integer.MAX_VALUE) {
        return drop(file);
      }
      ByteBuffer all = channel.map(FileChannel.MapMode.READ_ONLY, 0, size);
      all.order(ByteOrder.LITTLE_ENDIAN);
      int trailer = (int) size - TRAILER_BYTES;
      long magic = all.getLong(trailer);
      long elfBytes = all.getLong(trailer + 8);
      int keyBytes = all.getInt(trailer + 16);
      if (magic != MAGIC
          || keyBytes < 0
          || keyBytes > MAX_KEY_BYTES
          || elfBytes < 0
          || elfBytes + keyBytes != trailer) {
        return drop(file);
      }
      byte[] storedKey = new byte[keyBytes];
      all.get((int) elfBytes, storedKey);
      ByteBuffer elf = all.slice(0, (int) elfBytes).order(ByteOrder.LITTLE_ENDIAN);
      if (!key.equals(new String(storedKey, StandardCharsets.UTF_8))
          || crc(elf) != all.getInt(trailer + 20)) {
        return drop(file);
      }
      touch(file);
      return elf;
    } catch (IOException e) {
      return null;
    }
  }

  private static void touch(Path file) {
    try {
      Files.setLastModifiedTime(file, FileTime.fromMillis(System.currentTimeMillis()));
    } catch (IOException e) {
      // Only the order of eviction suffers: a cache on a read-only disk is still of use.
    }
  }

  private static @Nullable ByteBuffer drop(Path file) throws IOException {
    Files.deleteIfExists(file);
    return null;
  }

  private static int crc(ByteBuffer elf) {
    CRC32C crc = new CRC32C();
    crc.update(elf.duplicate());
    return (int) crc.getValue();
  }

  /** Stores an ELF file and returns it mapped, or null if the cache cannot be written. */
  @Nullable ByteBuffer store(String key, ByteBuffer elf) {
    byte[] keyBytes = key.getBytes(StandardCharsets.UTF_8);
    if (keyBytes.length > MAX_KEY_BYTES || elf.remaining() > maxTotalBytes) {
      return null;
    }
    Path temporary = null;
    try {
      CacheDirectory.create(directory);
      temporary = Files.createTempFile(directory, "new", ".tmp");
      try (FileChannel channel = FileChannel.open(temporary, StandardOpenOption.WRITE)) {
        ByteBuffer trailer =
            ByteBuffer.allocate(keyBytes.length + TRAILER_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        trailer.put(keyBytes).putLong(MAGIC).putLong(elf.remaining());
        trailer.putInt(keyBytes.length).putInt(crc(elf)).flip();
        writeFully(channel, elf.duplicate());
        writeFully(channel, trailer);
      }
      Files.move(temporary, entry(key), StandardCopyOption.ATOMIC_MOVE);
      evict(entry(key));
      return find(key);
    } catch (IOException e) {
      deleteQuietly(temporary);
      return null;
    }
  }

  private static void writeFully(FileChannel channel, ByteBuffer bytes) throws IOException {
    int end = bytes.limit();
    while (bytes.position() < end) { // in pieces: NIO copies heap buffers to a direct one first
      bytes.limit(Math.min(end, bytes.position() + (1 << 20)));
      channel.write(bytes);
    }
  }

  private static void deleteQuietly(@Nullable Path file) {
    try {
      if (file != null) {
        Files.deleteIfExists(file);
      }
    } catch (IOException e) {
      // The next eviction finds it.
    }
  }

  private record Entry(Path file, long bytes, FileTime used) {}

  /** Deletes the least recently used entries beyond the bounds, and temporary files left behind. */
  private void evict(Path keep) throws IOException {
    List<Entry> entries = new ArrayList<>();
    long staleMillis = System.currentTimeMillis() - 3_600_000L;
    try (DirectoryStream<Path> files = Files.newDirectoryStream(directory)) {
      for (Path file : files) {
        FileTime used = Files.getLastModifiedTime(file);
        if (!file.toString().endsWith(".elf")) {
          if (used.toMillis() < staleMillis) {
            deleteQuietly(file);
          }
        } else if (!file.equals(keep)) {
          entries.add(new Entry(file, Files.size(file), used));
        }
      }
    }
    entries.sort(Comparator.comparing(Entry::used).reversed());
    long total = Files.size(keep);
    int count = 1;
    for (Entry entry : entries) {
      total += entry.bytes();
      if (++count > maxEntries || total > maxTotalBytes) {
        deleteQuietly(entry.file());
      }
    }
  }
}
