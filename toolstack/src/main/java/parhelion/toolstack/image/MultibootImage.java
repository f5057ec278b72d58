package parhelion.toolstack.image;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A kernel with a header of the Multiboot Specification 0.6.96, section 3.1: what of it goes where,
 * by the header's own addresses or as a 32- or 64-bit ELF file, and where it is entered. What leads
 * outside of the file is refused here.
 */
public final class MultibootImage {
  private static final int MAGIC = 0x1bad_b002;

  /** The header is within so many bytes of the start, at a multiple of four. */
  private static final int SEARCHED_BYTES = 8192;

  private static final int HAS_ADDRESSES = 1 << 16;

  /** Modules on pages, memory, video: what a loader must know or refuse the kernel. */
  private static final int KNOWN_REQUIREMENTS = 7;

  private static final int REQUIREMENTS = 0xffff;
  private static final int PT_LOAD = 1;
  private static final int MAX_PROGRAM_HEADERS = 128;
  private static final String REMEDY = "give another kernel";

  private final String name;
  private final ByteBuffer file;
  private final List<Part> parts = new ArrayList<>();
  private final long entry;

  /**
   * A part of the kernel.
   *
   * @param pa physical address
   * @param bytes what is there, from position to limit
   * @param memBytes length in memory, zeroes behind the bytes
   */
  public record Part(long pa, ByteBuffer bytes, long memBytes) {}

  private MultibootImage(String name, ByteBuffer file, int header) {
    this.name = name;
    this.file = file;
    int flags = file.getInt(header + 4);
    if ((flags & REQUIREMENTS & ~KNOWN_REQUIREMENTS) != 0) {
      throw ImageException.of(
          name,
          "its multiboot header asks for what no loader here knows (flags 0x"
              + Integer.toHexString(flags)
              + ")",
          REMEDY);
    }
    entry = (flags & HAS_ADDRESSES) != 0 ? byAddresses(header) : byElf();
    if (parts.stream().noneMatch(p -> entry >= p.pa && entry - p.pa < p.memBytes)) {
      throw corrupt("its entry 0x" + Long.toHexString(entry) + " is not in it");
    }
  }

  /**
   * Reads a kernel file, packed by gzip or not.
   *
   * @return null if it has no such header
   * @throws ImageException if it cannot be read, or has one that cannot be used
   */
  public static @Nullable MultibootImage open(Path path, int limitBytes) {
    String name = path.toString();
    try {
      if (!Files.isRegularFile(path) || Files.size(path) > limitBytes) {
        return null; // KernelImage says what is wrong with it
      }
      byte[] bytes = Files.readAllBytes(path);
      if (Compression.of(bytes, 0) == Compression.GZIP) {
        bytes =
            Compression.GZIP.unpack(
                bytes, 0, bytes.length, -1, limitBytes, "unpacking " + name, Progress.NONE);
      }
      return parse(bytes, name);
    } catch (IOException e) {
      throw ImageException.unreadable(name, "check it", e);
    }
  }

  /** The same of a kernel in memory. */
  static @Nullable MultibootImage parse(byte[] bytes, String name) {
    ByteBuffer file = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    for (int at = 0; at + 12 <= Math.min(bytes.length, SEARCHED_BYTES); at += 4) {
      if (file.getInt(at) == MAGIC
          && file.getInt(at) + file.getInt(at + 4) + file.getInt(at + 8) == 0) {
        return new MultibootImage(name, file, at);
      }
    }
    return null;
  }

  private ImageException corrupt(String what) {
    return ImageException.of(name, what, "the file is cut off or corrupt: fetch it again");
  }

  private long unsigned(int at) {
    return file.getInt(at) & 0xffff_ffffL;
  }

  private long byAddresses(int header) {
    if (header + 32 > file.capacity()) {
      throw corrupt("its multiboot header is cut off");
    }
    long headerAt = unsigned(header + 12);
    long load = unsigned(header + 16);
    long loadEnd = unsigned(header + 20);
    long zeroEnd = unsigned(header + 24);
    long from = header - (headerAt - load);
    long length = loadEnd == 0 ? file.capacity() - from : loadEnd - load;
    if (load > headerAt || from < 0 || length < 0 || from + length > file.capacity()) {
      throw corrupt("its multiboot header has addresses outside of it");
    }
    add(load, from, length, Math.max(length, zeroEnd - load));
    return unsigned(header + 28);
  }

  private long byElf() {
    if (file.capacity() < 64 || file.getInt(0) != 0x464c_457f || file.get(5) != 1) {
      throw corrupt("its multiboot header has no addresses, and it is no ELF file");
    }
    boolean wide = file.get(4) == 2;
    long at = wide ? file.getLong(32) : unsigned(28);
    int bytes = Short.toUnsignedInt(file.getShort(wide ? 54 : 42));
    int count = Short.toUnsignedInt(file.getShort(wide ? 56 : 44));
    if (bytes < (wide ? 56 : 32)
        || count > MAX_PROGRAM_HEADERS
        || at < 0
        || at > file.capacity() - (long) bytes * count) {
      throw corrupt("its program headers lie outside the file");
    }
    for (int i = 0; i < count; i++) {
      int header = (int) at + i * bytes;
      if (file.getInt(header) == PT_LOAD) {
        if (wide) {
          add(
              file.getLong(header + 24),
              file.getLong(header + 8),
              file.getLong(header + 32),
              file.getLong(header + 40));
        } else {
          add(
              unsigned(header + 12),
              unsigned(header + 4),
              unsigned(header + 16),
              unsigned(header + 20));
        }
      }
    }
    return wide ? file.getLong(24) : unsigned(24);
  }

  private void add(long pa, long from, long length, long memBytes) {
    if (from < 0 || length < 0 || length > file.capacity() || from > file.capacity() - length) {
      throw corrupt("a part of it lies outside the file");
    }
    if (pa < 0 || memBytes < length || pa + memBytes > 1L << 32) {
      throw corrupt("a part of it lies outside of 4 GiB");
    }
    parts.add(new Part(pa, file.slice((int) from, (int) length), memBytes));
  }

  /** The name for messages. */
  public String name() {
    return name;
  }

  public List<Part> parts() {
    return List.copyOf(parts);
  }

  /** The physical address at which it is entered. */
  public long entry() {
    return entry;
  }
}
