package parhelion.process;

import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import parhelion.process.file.OpenFile;

/** Function names of a program with a .symtab, for crash reports. Whatever is odd is left out. */
final class ElfSymbols {
  private static final int MAX_BYTES = 64 << 20;

  private record Symbol(String name, long bytes) {}

  private final TreeMap<Long, Symbol> symbols = new TreeMap<>();

  private ElfSymbols() {}

  /** The symbols of an ELF64 file that was loaded {@code bias} above its own addresses. */
  static ElfSymbols of(OpenFile file, long bias) {
    ElfSymbols table = new ElfSymbols();
    try {
      table.read(file, bias);
    } catch (LinuxError | IndexOutOfBoundsException e) {
      table.symbols.clear(); // a damaged table is no table
    }
    return table;
  }

  private static byte[] part(OpenFile file, long at, long length) {
    if (at < 0 || length < 0 || length > MAX_BYTES) {
      throw new IndexOutOfBoundsException();
    }
    byte[] bytes = new byte[(int) length];
    if (file.readAt(bytes, bytes.length, at) != bytes.length) {
      throw new IndexOutOfBoundsException();
    }
    return bytes;
  }

  private void read(OpenFile file, long bias) {
    byte[] header = part(file, 0, 64);
    int count = Bytes.get16(header, 60);
    byte[] sections = part(file, Bytes.get64(header, 40), count * 64L);
    for (int i = 0; i < count; i++) {
      int at = i * 64;
      int strings = Bytes.get32(sections, at + 40);
      if (Bytes.get32(sections, at + 4) != 2 /* SHT_SYMTAB */ || strings < 0 || strings >= count) {
        continue;
      }
      byte[] table = part(file, Bytes.get64(sections, at + 24), Bytes.get64(sections, at + 32));
      int s = strings * 64;
      byte[] names = part(file, Bytes.get64(sections, s + 24), Bytes.get64(sections, s + 32));
      for (int e = 0; e + 24 <= table.length; e += 24) {
        if ((table[e + 4] & 15) == 2 /* STT_FUNC */ && Bytes.get16(table, e + 6) != 0) {
          int from = Bytes.get32(table, e);
          int to = from;
          while (names[to] != 0) {
            to++;
          }
          String name = new String(names, from, to - from, StandardCharsets.ISO_8859_1);
          symbols.put(
              Bytes.get64(table, e + 8) + bias, new Symbol(name, Bytes.get64(table, e + 16)));
        }
      }
    }
  }

  /** "name+0x12", or null. */
  @Nullable String at(long va) {
    Map.Entry<Long, Symbol> entry = symbols.floorEntry(va);
    if (entry == null || va - entry.getKey() > Math.max(1, entry.getValue().bytes)) {
      return null;
    }
    long offset = va - entry.getKey();
    return entry.getValue().name + (offset == 0 ? "" : "+0x" + Long.toHexString(offset));
  }
}
