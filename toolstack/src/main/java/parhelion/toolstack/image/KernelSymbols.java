package parhelion.toolstack.image;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * Names for addresses in a guest's kernel, for crash reports and traces: from the ELF file's symbol
 * table, from a System.map, or from the kallsyms tables that a stripped Linux still carries.
 * Reading them takes some 100 ms, so ask for them only when there is something to report.
 */
public final class KernelSymbols {
  private static final int SYMBOL_BYTES = 24;
  private static final int MAX_SYMBOLS = 4 << 20;
  private static final int MAX_NAME_BYTES = 1024;
  private static final int MAX_LINE_CHARS = 2048;
  private static final long MAX_MAP_BYTES = 256 << 20;

  /** Farther than this behind a symbol, an address is not part of it. */
  private static final long MAX_OFFSET = 16 << 20;

  private static final KernelSymbols NONE = new KernelSymbols(List.of());

  /** A symbol and how far an address lies behind its beginning. */
  public record Symbol(String name, long va, long offset) {
    @Override
    public String toString() {
      return offset == 0 ? name : name + "+0x" + Long.toHexString(offset);
    }
  }

  /** One row, before sorting. */
  record Entry(long va, String name) {}

  private final long[] vas;
  private final String[] names;

  KernelSymbols(List<Entry> entries) {
    List<Entry> sorted = new ArrayList<>(entries);
    sorted.sort(Comparator.comparingLong((Entry e) -> e.va() + Long.MIN_VALUE));
    vas = new long[sorted.size()];
    names = new String[sorted.size()];
    for (int i = 0; i < vas.length; i++) {
      vas[i] = sorted.get(i).va();
      names[i] = sorted.get(i).name();
    }
  }

  /**
   * The best symbols there are: the ELF file's, else the System.map's, else kallsyms'; empty if
   * none.
   *
   * @throws ImageException only if a System.map is given that cannot be read
   */
  public static KernelSymbols of(ElfImage elf, @Nullable Path systemMap) {
    KernelSymbols symbols = ofSymtab(elf);
    if (symbols.size() == 0 && systemMap != null) {
      symbols = ofSystemMap(systemMap);
    }
    if (symbols.size() == 0) {
      symbols = Kallsyms.read(elf);
    }
    return symbols;
  }

  /** The {@code .symtab} section's functions and objects. */
  static KernelSymbols ofSymtab(ElfImage elf) {
    List<ElfImage.Section> sections = elf.sections();
    for (ElfImage.Section table : sections) {
      if (table.type() != ElfImage.SHT_SYMTAB
          || table.entryBytes() != SYMBOL_BYTES
          || table.link() < 0
          || table.link() >= sections.size()) {
        continue;
      }
      ElfImage.Section strings = sections.get(table.link());
      ByteBuffer file = elf.file();
      int count = Math.min(MAX_SYMBOLS, table.bytes() / SYMBOL_BYTES);
      List<Entry> entries = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        int at = table.offset() + i * SYMBOL_BYTES;
        int name = file.getInt(at);
        int type = file.get(at + 4) & 15;
        int section = Short.toUnsignedInt(file.getShort(at + 6));
        if (type <= 2 && section != 0 && name > 0 && name < strings.bytes()) {
          int most = Math.min(MAX_NAME_BYTES, strings.bytes() - name);
          String text = elf.string(strings.offset() + name, most);
          if (!text.isEmpty()) {
            entries.add(new Entry(file.getLong(at + 8), text));
          }
        }
      }
      return new KernelSymbols(entries);
    }
    return NONE;
  }

  /** A file of {@code ADDRESS TYPE NAME} lines, as System.map and /proc/kallsyms have them. */
  public static KernelSymbols ofSystemMap(Path file) {
    String name = file.toString();
    String remedy = "give the System.map of this kernel";
    try {
      if (Files.size(file) > MAX_MAP_BYTES) {
        throw ImageException.of(name, "is too large for a System.map", remedy);
      }
      List<Entry> entries = new ArrayList<>();
      try (BufferedReader lines = Files.newBufferedReader(file, StandardCharsets.ISO_8859_1)) {
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
          int space = line.indexOf(' ');
          if (space < 1 || space > 16 || line.length() < space + 4) {
            throw ImageException.of(name, "is not a System.map", remedy);
          }
          if (entries.size() < MAX_SYMBOLS && line.length() < MAX_LINE_CHARS) {
            long va = Long.parseUnsignedLong(line, 0, space, 16);
            entries.add(new Entry(va, line.substring(space + 3).split("[ \t]", 2)[0]));
          }
        }
      }
      return new KernelSymbols(entries);
    } catch (NumberFormatException e) {
      throw ImageException.of(name, "is not a System.map", remedy, e);
    } catch (IOException e) {
      throw ImageException.unreadable(name, remedy, e);
    }
  }

  /** How many symbols there are. */
  public int size() {
    return vas.length;
  }

  /** The symbol that an address belongs to, or null. */
  public @Nullable Symbol at(long va) {
    int low = 0;
    int high = vas.length;
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (Long.compareUnsigned(vas[middle], va) <= 0) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    if (low == 0 || va - vas[low - 1] >= MAX_OFFSET || (va < 0) != (vas[low - 1] < 0)) {
      return null;
    }
    int first = low - 1;
    while (first > 0 && vas[first - 1] == vas[low - 1]) { // the first name of several is the usual
      first--;
    }
    return new Symbol(names[first], vas[first], va - vas[first]);
  }

  /** {@code name+0xoffset}, or the bare address if there is no name for it. */
  public String describe(long va) {
    Symbol symbol = at(va);
    return symbol == null ? "0x" + Long.toHexString(va) : symbol.toString();
  }

  /** Where a symbol is; the first of several with that name. */
  public OptionalLong addressOf(String name) {
    for (int i = 0; i < names.length; i++) {
      if (names[i].equals(name)) {
        return OptionalLong.of(vas[i]);
      }
    }
    return OptionalLong.empty();
  }
}
