package parhelion.toolstack.image;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An x86-64 ELF file with its headers checked: what of it goes where in memory, and where its notes
 * and symbols are. Offsets, sizes and counts that lead outside the file are refused here, so the
 * domain builder need only compare addresses with the domain's memory.
 *
 * <p>Broken section headers are taken as none at all: loading does not need them.
 */
public final class ElfImage {
  private static final int HEADER_BYTES = 64;
  private static final int PROGRAM_HEADER_BYTES = 56;
  private static final int SECTION_HEADER_BYTES = 64;
  private static final int MAX_PROGRAM_HEADERS = 128;
  private static final int MAX_SECTIONS = 16384;
  private static final int ET_EXEC = 2;
  private static final int ET_DYN = 3;
  private static final int EM_X86_64 = 62;
  static final int PT_LOAD = 1;
  static final int PT_NOTE = 4;
  private static final int SHT_NULL = 0;
  static final int SHT_SYMTAB = 2;
  static final int SHT_NOTE = 7;
  private static final int SHT_NOBITS = 8;
  private static final String REMEDY = "give an x86-64 kernel";

  private static final int EM_386 = 3;

  /** Bytes of a program header and a section header of a 32-bit file. */
  private static final int PROGRAM_HEADER_BYTES_32 = 32;

  private static final int SECTION_HEADER_BYTES_32 = 40;

  private final String name;
  private final ByteBuffer file;
  private final boolean wide;
  private final long entryVa;
  private final List<Segment> segments;
  private final List<Section> sections;

  /**
   * One program header.
   *
   * @param va virtual address in the kernel's own mapping
   * @param pa physical address: where it goes, counted from the notes' paddrOffset
   * @param fileOffset of its bytes in {@link #file()}
   * @param fileBytes how many of them there are; zeros follow up to {@code memBytes}
   * @param flags 4 readable, 2 writable, 1 executable
   */
  public record Segment(
      int type, int flags, long va, long pa, int fileOffset, int fileBytes, long memBytes) {
    /** Whether this is to be put into memory: PT_LOAD with any right, as Xen's libelf decides. */
    public boolean loadable() {
      return type == PT_LOAD && (flags & 7) != 0;
    }
  }

  /** One section header with its bytes inside the file. */
  record Section(String name, int type, int link, int offset, int bytes, long entryBytes) {}

  private ElfImage(String name, ByteBuffer file) {
    this.name = name;
    this.file = file;
    this.wide = file.get(4) == 2;
    this.entryVa = word(24);
    this.segments = readSegments();
    this.sections = readSections();
  }

  /**
   * Parses an ELF file.
   *
   * @param bytes the whole file, from position to limit; kept, not copied
   * @param name what to call it in messages
   */
  public static ElfImage parse(ByteBuffer bytes, String name) {
    ByteBuffer file = bytes.slice().order(ByteOrder.LITTLE_ENDIAN);
    if (file.remaining() < HEADER_BYTES || file.getInt(0) != 0x464c457f) {
      throw ImageException.of(name, "is not an ELF file", "give an x86-64 bzImage or ELF kernel");
    }
    int machine = Short.toUnsignedInt(file.getShort(18));
    if (file.get(5) != 1) {
      throw ImageException.of(name, "is a big-endian ELF file", REMEDY);
    }
    if (machine != EM_X86_64 && machine != EM_386) {
      throw ImageException.of(name, "is for " + machineName(machine) + ", not x86-64", REMEDY);
    }
    if (machine == EM_386 && file.get(4) != 1) {
      throw ImageException.of(name, "is for 32-bit x86 in a 64-bit ELF file", REMEDY);
    }
    if (machine == EM_X86_64 && file.get(4) != 2) {
      throw ImageException.of(name, "is a 32-bit ELF file", REMEDY);
    }
    int type = Short.toUnsignedInt(file.getShort(16));
    if (type != ET_EXEC && type != ET_DYN) {
      String kind = type == 1 ? "an object file" : type == 4 ? "a core dump" : "of type " + type;
      throw ImageException.of(name, "is " + kind + ", not a program", "give a linked kernel");
    }
    return new ElfImage(name, file);
  }

  /** {@link #parse(ByteBuffer, String)} of what is in a kernel file. */
  public static ElfImage of(KernelImage kernel) {
    return parse(kernel.elf(), kernel.name());
  }

  private static String machineName(int machine) {
    return switch (machine) {
      case 8 -> "MIPS";
      case 20 -> "PowerPC";
      case 21 -> "64-bit PowerPC";
      case 22 -> "S/390";
      case 40 -> "32-bit Arm";
      case 183 -> "AArch64";
      case 243 -> "RISC-V";
      case 258 -> "LoongArch";
      default -> "machine " + machine;
    };
  }

  private ImageException corrupt(String what) {
    return ImageException.of(name, what, "the file is cut off or corrupt: fetch it again");
  }

  /** An address, offset or size: of 64 bits, or of 32. */
  private long word(int at) {
    return wide ? file.getLong(at) : file.getInt(at) & 0xffff_ffffL;
  }

  private int half(int at) {
    return Short.toUnsignedInt(file.getShort(at));
  }

  private List<Segment> readSegments() {
    long at = word(wide ? 32 : 28);
    int headerBytes = wide ? PROGRAM_HEADER_BYTES : PROGRAM_HEADER_BYTES_32;
    int entryBytes = half(wide ? 54 : 42);
    int count = half(wide ? 56 : 44);
    if (count > MAX_PROGRAM_HEADERS) {
      throw corrupt("it has " + count + " program headers, more than " + MAX_PROGRAM_HEADERS);
    }
    if (count > 0 && entryBytes != headerBytes) {
      throw corrupt(
          "its program headers are of " + entryBytes + " bytes instead of " + headerBytes);
    }
    if (!inFile(at, (long) count * headerBytes)) {
      throw corrupt("its program headers lie outside the file");
    }
    List<Segment> found = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      int header = (int) at + i * headerBytes;
      int type = file.getInt(header);
      if (type != PT_LOAD && type != PT_NOTE) {
        continue;
      }
      // Flags come after the type in 64-bit files, and last but one in the others.
      int words = header + (wide ? 8 : 4);
      int size = wide ? 8 : 4;
      long offset = word(words);
      long va = word(words + size);
      long pa = word(words + 2 * size);
      long fileBytes = word(words + 3 * size);
      long memBytes = word(words + 4 * size);
      int flags = file.getInt(header + (wide ? 4 : 24));
      if (!inFile(offset, fileBytes)) {
        throw corrupt("program header " + i + " refers outside the file");
      }
      if (type == PT_LOAD && (memBytes < fileBytes || wraps(va, memBytes) || wraps(pa, memBytes))) {
        throw corrupt("program header " + i + " has impossible sizes or addresses");
      }
      found.add(new Segment(type, flags, va, pa, (int) offset, (int) fileBytes, memBytes));
    }
    return List.copyOf(found);
  }

  private static boolean wraps(long start, long bytes) {
    return bytes < 0 || (bytes > 0 && Long.compareUnsigned(start + (bytes - 1), start) < 0);
  }

  private boolean inFile(long offset, long bytes) {
    return offset >= 0 && bytes >= 0 && bytes <= file.limit() && offset <= file.limit() - bytes;
  }

  private List<Section> readSections() {
    long at = word(wide ? 40 : 32);
    int headerBytes = wide ? SECTION_HEADER_BYTES : SECTION_HEADER_BYTES_32;
    int entryBytes = half(wide ? 58 : 46);
    int count = half(wide ? 60 : 48);
    int namesIndex = half(wide ? 62 : 50);
    if (entryBytes != headerBytes
        || count > MAX_SECTIONS
        || namesIndex >= count
        || !inFile(at, (long) count * headerBytes)) {
      return List.of();
    }
    int offsetAt = wide ? 24 : 16;
    int bytesAt = wide ? 32 : 20;
    int namesHeader = (int) at + namesIndex * headerBytes;
    long names = word(namesHeader + offsetAt);
    long namesBytes = word(namesHeader + bytesAt);
    if (!inFile(names, namesBytes)) {
      return List.of();
    }
    List<Section> found = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      int header = (int) at + i * headerBytes;
      int type = file.getInt(header + 4);
      long offset = word(header + offsetAt);
      long bytes = word(header + bytesAt);
      boolean empty = type == SHT_NOBITS || !inFile(offset, bytes);
      long nameAt = file.getInt(header) & 0xffff_ffffL;
      String section =
          nameAt < namesBytes
              ? string((int) (names + nameAt), (int) Math.min(256, namesBytes - nameAt))
              : "";
      found.add(
          new Section(
              section,
              empty ? SHT_NOBITS : type,
              file.getInt(header + (wide ? 40 : 24)),
              empty ? 0 : (int) offset,
              empty ? 0 : (int) bytes,
              word(header + (wide ? 56 : 36))));
    }
    return List.copyOf(found);
  }

  /** The NUL-terminated string at an offset, of at most {@code maxBytes}. */
  String string(int offset, int maxBytes) {
    int most = Math.min(maxBytes, file.limit() - offset);
    int length = 0;
    while (length < most && file.get(offset + length) != 0) {
      length++;
    }
    byte[] text = new byte[length];
    file.get(offset, text);
    return new String(text, StandardCharsets.ISO_8859_1);
  }

  /** Whether it is a 32-bit program, which only a PVH guest begins as. */
  public boolean is32Bit() {
    return !wide;
  }

  /**
   * Refuses a 32-bit program.
   *
   * @throws ImageException if it is one
   */
  public void require64Bit() {
    if (!wide) {
      throw ImageException.of(name, "is a 32-bit program", "add --mode pvh, or give another");
    }
  }

  /** What to call it in messages. */
  public String name() {
    return name;
  }

  /** The file, little-endian, position 0. Not to be written to. */
  public ByteBuffer file() {
    return file.duplicate().order(ByteOrder.LITTLE_ENDIAN);
  }

  /** {@code e_entry}; a Xen guest is entered at {@link XenNotes#entryVa()} instead. */
  public long entryVa() {
    return entryVa;
  }

  /** The loadable and note segments in the file's order. */
  public List<Segment> segments() {
    return segments;
  }

  /** The segments that go into memory, in the file's order. */
  public List<Segment> loadable() {
    List<Segment> found = new ArrayList<>(segments.size());
    for (Segment segment : segments) {
      if (segment.loadable()) {
        found.add(segment);
      }
    }
    return found;
  }

  List<Section> sections() {
    return sections;
  }

  @Nullable Section section(String wanted) {
    for (Section section : sections) {
      boolean hasData = section.type() != SHT_NULL && section.type() != SHT_NOBITS;
      if (hasData && section.name().equals(wanted)) {
        return section;
      }
    }
    return null;
  }

  /**
   * What the kernel says about itself to Xen.
   *
   * @throws ImageException if it says nothing, contradicts itself, or cannot run as a PV guest
   */
  public XenNotes xenNotes() {
    return XenNotesReader.read(this);
  }
}
