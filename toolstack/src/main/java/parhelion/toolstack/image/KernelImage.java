package parhelion.toolstack.image;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import parhelion.media.codec.Bytes;

/**
 * A kernel file, reduced to the ELF file in it: plain ELF, packed ELF, or a bzImage with a payload
 * packed by any method that Linux knows. Packed kernels are unpacked once and then mapped from an
 * {@link ElfCache}, because boot time is counted from the start of the process.
 */
public final class KernelImage {
  /** No kernel comes near this; a bomb would. */
  public static final int DEFAULT_LIMIT_BYTES = 512 << 20;

  private static final int[] ELF_MAGIC = {0x7f, 'E', 'L', 'F'};
  private static final String REMEDY = "give an x86-64 Linux bzImage or a 64-bit ELF kernel";
  private static final String FETCH_AGAIN = "the file is cut off or corrupt: fetch it again";

  private final String name;
  private final ByteBuffer elf;
  private final Compression compression;
  private final boolean cached;

  private KernelImage(String name, ByteBuffer elf, Compression compression, boolean cached) {
    this.name = name;
    this.elf = elf.order(ByteOrder.LITTLE_ENDIAN);
    this.compression = compression;
    this.cached = cached;
  }

  /**
   * Opens a kernel file.
   *
   * @param cache where unpacked kernels are kept, or null to unpack every time
   * @param limitBytes the most that the kernel may unpack to
   * @throws ImageException if it is missing, unreadable, corrupt, too large or no kernel
   */
  public static KernelImage open(
      Path file, @Nullable ElfCache cache, int limitBytes, Progress progress) {
    String name = file.toString();
    String key = null;
    try {
      if (Files.isDirectory(file)) {
        throw ImageException.of(name, "is a directory", REMEDY);
      }
      if (Files.exists(file) && !Files.isRegularFile(file)) {
        throw ImageException.of(name, "is a device or a pipe, not a file", REMEDY);
      }
      if (cache != null) {
        key = ElfCache.keyOf(file);
        ByteBuffer known = cache.find(key);
        if (known != null && known.remaining() <= limitBytes) {
          return new KernelImage(name, known, Compression.NONE, true);
        }
      }
      if (Files.size(file) > limitBytes) {
        throw ImageException.of(name, "is larger than " + limitBytes + " bytes", REMEDY);
      }
      KernelImage image = parse(Files.readAllBytes(file), name, limitBytes, progress);
      if (cache != null && key != null && image.compression != Compression.NONE) {
        ByteBuffer stored = cache.store(key, image.elf);
        if (stored != null) {
          return new KernelImage(name, stored, image.compression, false);
        }
      }
      return image;
    } catch (NoSuchFileException e) {
      throw ImageException.of(name, "there is no such file", "check the path", e);
    } catch (IOException e) {
      throw ImageException.unreadable(name, "check it", e);
    } catch (OutOfMemoryError e) {
      throw ImageException.of(
          name, "unpacking it needs more memory than this process has", "raise -Xmx", e);
    }
  }

  /** {@link #open(Path, ElfCache, int, Progress)} with the user's cache and the usual limit. */
  public static KernelImage open(Path file, Progress progress) {
    return open(file, ElfCache.ofUser(), DEFAULT_LIMIT_BYTES, progress);
  }

  /**
   * Takes the ELF file out of a kernel that is in memory.
   *
   * @param name what to call it in messages
   */
  public static KernelImage parse(byte[] image, String name, int limitBytes, Progress progress) {
    if (image.length == 0) {
      throw ImageException.of(name, "is empty", FETCH_AGAIN);
    }
    if (Bytes.startsWith(image, 0, ELF_MAGIC)) {
      return new KernelImage(name, ByteBuffer.wrap(image), Compression.NONE, false);
    }
    int at = 0;
    int end = image.length;
    long size = -1;
    if (BootHeader.matches(image)) {
      BootHeader header = BootHeader.parse(image, name);
      at = header.payloadAt();
      end = header.payloadEnd();
      if (Compression.of(image, at) == Compression.NONE) {
        return plainPayload(image, at, end, name);
      }
      // The build appends the unpacked size; gzip has it in its own trailer.
      size = Bytes.le32(image, end - 4) & 0xffff_ffffL;
      if (Compression.of(image, at) != Compression.GZIP) {
        end -= 4;
      }
    }
    Compression kind = Compression.of(image, at);
    if (kind == Compression.NONE) {
      throw ImageException.of(name, whatElse(image), REMEDY);
    }
    byte[] elf;
    try {
      elf = kind.unpack(image, at, end, size, limitBytes, "unpacking " + shortName(name), progress);
    } catch (IOException e) {
      throw ImageException.of(name, String.valueOf(e.getMessage()), FETCH_AGAIN, e);
    }
    if (!Bytes.startsWith(elf, 0, ELF_MAGIC)) {
      throw ImageException.of(name, "what is packed in it is not an ELF file", REMEDY);
    }
    return new KernelImage(name, ByteBuffer.wrap(elf), kind, false);
  }

  private static KernelImage plainPayload(byte[] image, int at, int end, String name) {
    if (!Bytes.startsWith(image, at, ELF_MAGIC)) {
      throw ImageException.of(name, "its payload is packed in a way that we do not know", REMEDY);
    }
    ByteBuffer elf = ByteBuffer.wrap(image, at, end - at).slice();
    return new KernelImage(name, elf, Compression.NONE, false);
  }

  private static String shortName(String name) {
    return name.substring(name.lastIndexOf('/') + 1);
  }

  private static String whatElse(byte[] image) {
    if (Bytes.startsWith(image, 56, 'A', 'R', 'M', 0x64)) {
      return "is a Linux kernel for AArch64";
    }
    if (Bytes.startsWith(image, 0, 0x27, 0x05, 0x19, 0x56)) {
      return "is a U-Boot image";
    }
    if (Bytes.startsWith(image, 0, '!', '<', 'a', 'r', 'c', 'h', '>')) {
      return "is a package or an archive, not a kernel";
    }
    if (Bytes.startsWith(image, 0, 'M', 'Z')) {
      return "is an EFI or DOS program, not a Linux bzImage";
    }
    if (Bytes.startsWith(image, 0, '0', '7', '0', '7', '0')) {
      return "is an initramfs, not a kernel";
    }
    return "is not a kernel";
  }

  /** The name for messages: the path as the user gave it. */
  public String name() {
    return name;
  }

  /** The ELF file, little-endian, position 0; may be a file mapping. Not to be written to. */
  public ByteBuffer elf() {
    return elf.duplicate().order(ByteOrder.LITTLE_ENDIAN);
  }

  /** How it was packed; NONE for plain files and for what came out of the cache. */
  public Compression compression() {
    return compression;
  }

  /** Whether the cache had it. */
  public boolean cached() {
    return cached;
  }
}
