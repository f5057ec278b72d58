package parhelion.toolstack.image;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * What a kernel module says of itself in its section {@code .modinfo}: NUL-terminated strings of
 * the form {@code key=value} (Linux's include/linux/moduleparam.h).
 *
 * @param depends modules whose symbols it uses, by name
 * @param aliases names and patterns that the kernel asks for it by
 * @param softPre what should be loaded before it, if it exists; names or aliases
 */
record ModuleInfo(List<String> depends, List<String> aliases, List<String> softPre) {
  private static final int SECTION_HEADER_BYTES = 64;
  private static final int MAX_SECTIONS = 1 << 16;
  private static final String PRE = "pre:";
  private static final String POST = "post:";

  /** A name as the kernel writes it: file names may have hyphens where it has underscores. */
  static String canonical(String name) {
    return name.replace('-', '_');
  }

  /**
   * Reads a module that is not packed.
   *
   * @throws ImageException if it is no x86-64 module; {@code name} is for that
   */
  static ModuleInfo of(byte[] elf, String name) {
    try {
      return parse(section(ByteBuffer.wrap(elf).order(ByteOrder.LITTLE_ENDIAN)));
    } catch (IndexOutOfBoundsException | IllegalArgumentException e) {
      throw ImageException.of(
          name, "is not a kernel module", "the package is corrupt: fetch it again", e);
    }
  }

  /** The content of {@code .modinfo}. */
  private static ByteBuffer section(ByteBuffer elf) {
    if (elf.getInt(0) != 0x464c457f || elf.get(4) != 2) {
      throw new IllegalArgumentException("no 64-bit ELF file");
    }
    int table = Math.toIntExact(Math.max(0, Math.min(Integer.MAX_VALUE, elf.getLong(0x28))));
    int entries = Math.min(MAX_SECTIONS, elf.getShort(0x3c) & 0xffff);
    int names = offset(elf, table + SECTION_HEADER_BYTES * (elf.getShort(0x3e) & 0xffff));
    for (int i = 0; i < entries; i++) {
      int header = table + SECTION_HEADER_BYTES * i;
      if (text(elf, names + elf.getInt(header), elf.limit()).equals(".modinfo")) {
        long bytes = elf.getLong(header + 0x20);
        int at = offset(elf, header);
        return elf.slice(at, (int) Math.max(-1, Math.min(Integer.MAX_VALUE, bytes)));
      }
    }
    throw new IllegalArgumentException("no .modinfo");
  }

  private static int offset(ByteBuffer elf, int header) {
    return (int) Math.max(-1, Math.min(Integer.MAX_VALUE, elf.getLong(header + 0x18)));
  }

  private static String text(ByteBuffer bytes, int at, int limit) {
    int end = at;
    while (end < limit && bytes.get(end) != 0) {
      end++;
    }
    byte[] text = new byte[end - at];
    bytes.get(at, text);
    return new String(text, StandardCharsets.UTF_8);
  }

  private static ModuleInfo parse(ByteBuffer section) {
    List<String> depends = new ArrayList<>();
    List<String> aliases = new ArrayList<>();
    List<String> softPre = new ArrayList<>();
    int at = 0;
    while (at < section.limit()) {
      String entry = text(section, at, section.limit());
      at += entry.getBytes(StandardCharsets.UTF_8).length + 1;
      int equals = entry.indexOf('=');
      String value = entry.substring(equals + 1);
      switch (equals < 0 ? "" : entry.substring(0, equals)) {
        case "depends" -> addWords(depends, value, ",");
        case "alias" -> aliases.add(value);
        case "softdep" -> addSoft(softPre, value);
        default -> {}
      }
    }
    return new ModuleInfo(depends, aliases, softPre);
  }

  /** The words after "pre:" up to "post:". */
  private static void addSoft(List<String> softPre, String value) {
    boolean pre = false;
    for (String word : value.split("\\s+", -1)) {
      if (word.equals(PRE) || word.equals(POST)) {
        pre = word.equals(PRE);
      } else if (pre && !word.isEmpty()) {
        softPre.add(word);
      }
    }
  }

  private static void addWords(List<String> words, String text, String separator) {
    for (String word : text.split(separator, -1)) {
      if (!word.isEmpty()) {
        words.add(word);
      }
    }
  }
}
