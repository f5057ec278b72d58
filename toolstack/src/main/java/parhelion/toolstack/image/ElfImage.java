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

  private final String name;
  private final ByteBuffer file;
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
    this.entryVa = file.getLong(24);
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
    if (machine != EM_X86_64) {
      throw ImageException.of(name, "is for " + machineName(machine) + ", not x86-64", REMEDY);
    }
    if (file.get(4) != 2) {
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
      case 3 -> "32-bit x86";
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

  private List<Segment> readSegments() {
    long at = file.getLong(32);
    int entryBytes = Short.toUnsignedInt(file.getShort(54));
    int count = Short.toUnsignedInt(file.getShort(56));
    if (count > MAX_PROGRAM_HEADERS) {
      throw corrupt("it has " + count + " program headers, more than " + MAX_PROGRAM_HEADERS);
    }
    if (count > 0 && entryBytes != PROGRAM_HEADER_BYTES) {
      throw corrupt("its program headers are of " + entryBytes + " bytes instead of 56");
    }
    if (!inFile(at, (long) count * PROGRAM_HEADER_BYTES)) {
      throw corrupt("its program headers lie outside the file");
    }
    List<Segment> found = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      int header = (int) at + i * PROGRAM_HEADER_BYTES;
      int type = file.getInt(header);
      if (type != PT_LOAD && type != PT_NOTE) {
        continue;
      }
      long offset = file.getLong(header + 8);
      long va = file.getLong(header + 16);
      long pa = file.getLong(header + 24);
      long fileBytes = file.getLong(header + 32);
      long memBytes = file.getLong(header + 40);
      if (!inFile(offset, fileBytes)) {
        throw corrupt("program header " + i + " refers outside the file");
      }
      if (type == PT_LOAD && (memBytes < fileBytes || wraps(va, memBytes) || wraps(pa, memBytes))) {
        throw corrupt("program header " + i + " has impossible sizes or addresses");
      }
      found.add(
          new Segment(
              type, file.getInt(header + 4), va, pa, (int) offset, (int) fileBytes, memBytes));
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
    long at = file.getLong(40);
    int entryBytes = Short.toUnsignedInt(file.getShort(58));
    int count = Short.toUnsignedInt(file.getShort(60));
    int namesIndex = Short.toUnsignedInt(file.getShort(62));
    if (entryBytes != SECTION_HEADER_BYTES
        || count > MAX_SECTIONS
        || namesIndex >= count
        || !inFile(at, (long) count * SECTION_HEADER_BYTES)) {
      return List.of();
    }
    int namesHeader = (int) at + namesIndex * SECTION_HEADER_BYTES;
    long names = file.getLong(namesHeader + 24);
    long namesBytes = file.getLong(namesHeader + 32);
    if (!inFile(names, namesBytes)) {
      return List.of();
    }
    List<Section> found = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      int header = (int) at + i * SECTION_HEADER_BYTES;
      int type = file.getInt(header + 4);
      long offset = file.getLong(header + 24);
      long bytes = file.getLong(header + 32);
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
              file.getInt(header + 40),
              empty ? 0 : (int) offset,
              empty ? 0 : (int) bytes,
              file.getLong(header + 56)));
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
