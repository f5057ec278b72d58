package parhelion.toolstack.image;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Finds Linux's own symbol table in a stripped kernel. Nothing points to it; it is recognised by
 * shape: 256 tokens of which those for the digits are the digits themselves, an index of them,
 * markers into the list of compressed names, and that list (scripts/kallsyms.c). Debian's packages
 * hold no usable System.map, so this is where a guest's backtrace gets its names.
 *
 * <p>Knows the order of tables before 6.4 and from then on. Finds nothing rather than fail.
 */
final class Kallsyms {
  private static final int TOKENS = 256;
  private static final int MAX_TOKEN_BYTES = 64;
  private static final int NAMES_PER_MARKER = 256;
  private static final int MAX_TABLES_BYTES = 32 << 20;
  private static final int MAX_NAME_BYTES = 1024;
  private static final int DIGIT = '0';
  private static final KernelSymbols NONE = new KernelSymbols(List.of());

  private final ByteBuffer file;
  private final int limit;
  private final String[] tokens = new String[TOKENS];
  private int tokenTable;
  private int afterIndex;
  private int names;
  private int count;

  private Kallsyms(ElfImage elf) {
    this.file = elf.file();
    this.limit = file.limit();
  }

  static KernelSymbols read(ElfImage elf) {
    try {
      KernelSymbols symbols = new Kallsyms(elf).find();
      return symbols == null ? NONE : symbols;
    } catch (IndexOutOfBoundsException e) {
      return NONE;
    }
  }

  private @Nullable KernelSymbols find() {
    byte[] digits = new byte[20];
    for (int i = 0; i < 10; i++) {
      digits[2 * i] = (byte) (DIGIT + i);
    }
    for (int at = 1; at < limit - digits.length; at++) {
      if (file.get(at) == '0' && file.get(at + 1) == 0 && matches(at, digits)) {
        if (readTokens(at) && findNames()) {
          return symbols();
        }
      }
    }
    return null;
  }

  private boolean matches(int at, byte[] wanted) {
    for (int i = 0; i < wanted.length; i++) {
      if (file.get(at + i) != wanted[i]) {
        return false;
      }
    }
    return true;
  }

  /** From the digit 0's token: forward to the table's end, by its index back to its beginning. */
  private boolean readTokens(int zero) {
    int at = zero;
    for (int token = DIGIT; token < TOKENS; token++) {
      int length = 0;
      while (file.get(at + length) != 0) {
        if (++length > MAX_TOKEN_BYTES) {
          return false;
        }
      }
      at += length + 1;
    }
    for (int alignment = 4; alignment <= 8; alignment += 4) {
      int index = at + alignment - 1 & -alignment;
      tokenTable = zero - Short.toUnsignedInt(file.getShort(index + 2 * DIGIT));
      if (tokenTable > 0 && file.getShort(index) == 0 && indexFits(index)) {
        afterIndex = index + 2 * TOKENS;
        return true;
      }
    }
    return false;
  }

  private boolean indexFits(int index) {
    int at = tokenTable;
    for (int token = 0; token < TOKENS; token++) {
      if (Short.toUnsignedInt(file.getShort(index + 2 * token)) != at - tokenTable) {
        return false;
      }
      int end = at;
      while (file.get(end) != 0) {
        end++;
      }
      byte[] text = new byte[end - at];
      file.get(at, text);
      tokens[token] = new String(text, StandardCharsets.ISO_8859_1);
      at = end + 1;
    }
    return true;
  }

  /**
   * Looks backwards from the tokens for a count that as many names follow, and markers that agree
   * with them. Other tables may lie between the markers and the tokens.
   */
  private boolean findNames() {
    int earliest = Math.max(16, tokenTable - MAX_TABLES_BYTES);
    for (int start = (tokenTable & -8) - 8; start >= earliest; start -= 8) {
      int total = file.getInt(start - 8);
      if (total >= NAMES_PER_MARKER
          && total <= (tokenTable - start) / 2
          && file.getInt(start - 4) == 0
          && namesFit(start, total)) {
        names = start;
        count = total;
        return true;
      }
    }
    return false;
  }

  private boolean namesFit(int start, int total) {
    int at = start;
    int second = 0;
    int last = 0;
    for (int i = 0; i < total; i++) {
      if (i % NAMES_PER_MARKER == 0) {
        last = at - start;
        second = i == NAMES_PER_MARKER ? last : second;
      }
      int length = nameTokens(at);
      at += headBytes(at) + length;
      if (length == 0 || at > tokenTable) {
        return false;
      }
    }
    int markers = at + 7 & -8;
    int markerCount = (total + NAMES_PER_MARKER - 1) / NAMES_PER_MARKER;
    return file.getInt(markers) == 0
        && (markerCount == 1 || file.getInt(markers + 4) == second)
        && file.getInt(markers + 4 * (markerCount - 1)) == last;
  }

  private int headBytes(int at) {
    return file.get(at) < 0 ? 2 : 1;
  }

  /** A length of one byte, or of two if the first has its high bit set. */
  private int nameTokens(int at) {
    int length = file.get(at) & 0x7f;
    return file.get(at) < 0 ? length | (file.get(at + 1) & 0xff) << 7 : length;
  }

  private @Nullable KernelSymbols symbols() {
    int offsetBytes = 4 * count + 7 & -8;
    int before = names - 8 - 8 - offsetBytes;
    int after = afterIndex + 7 & -8;
    if (before > 0 && isBase(file.getLong(names - 16))) {
      return symbols(before, file.getLong(names - 16));
    }
    if (isBase(file.getLong(after + offsetBytes))) {
      return symbols(after, file.getLong(after + offsetBytes));
    }
    return null;
  }

  private static boolean isBase(long va) {
    return va >>> 47 == 0x1ffff;
  }

  private KernelSymbols symbols(int offsets, long base) {
    int negative = 0;
    for (int i = 0; i < count; i++) {
      negative += file.getInt(offsets + 4 * i) >>> 31;
    }
    // Per-cpu symbols are kept as they are and all others below zero, or there are no such.
    boolean perCpu = negative > count / 2;
    List<KernelSymbols.Entry> entries = new ArrayList<>(count);
    int at = names;
    for (int i = 0; i < count; i++) {
      int offset = file.getInt(offsets + 4 * i);
      long va = perCpu ? (offset < 0 ? base - 1 - offset : offset) : base + (offset & 0xffff_ffffL);
      int head = headBytes(at);
      int length = nameTokens(at);
      String name = name(at + head, length);
      if (name.length() > 1) {
        entries.add(new KernelSymbols.Entry(va, name.substring(1))); // the first is the type
      }
      at += head + length;
    }
    return new KernelSymbols(entries);
  }

  private String name(int at, int length) {
    StringBuilder name = new StringBuilder();
    for (int i = 0; i < length && name.length() < MAX_NAME_BYTES; i++) {
      name.append(tokens[file.get(at + i) & 0xff]);
    }
    return name.toString();
  }
}
