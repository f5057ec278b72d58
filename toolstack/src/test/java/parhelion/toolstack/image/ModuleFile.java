package parhelion.toolstack.image;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/** Makes files that are kernel modules as far as their {@code .modinfo} goes. */
public final class ModuleFile {
  private ModuleFile() {}

  /** A module with such entries, each {@code key=value}. */
  public static byte[] of(String... entries) {
    byte[] names = "\0.strtab\0.modinfo\0".getBytes(StandardCharsets.US_ASCII);
    byte[] info = (String.join("\0", entries) + "\0").getBytes(StandardCharsets.US_ASCII);
    int table = 64 + names.length + info.length;
    ByteBuffer elf = ByteBuffer.allocate(table + 3 * 64).order(ByteOrder.LITTLE_ENDIAN);
    elf.put(0, new byte[] {0x7f, 'E', 'L', 'F', 2, 1, 1}).putLong(0x28, table);
    elf.putShort(0x3a, (short) 64).putShort(0x3c, (short) 3).putShort(0x3e, (short) 1);
    elf.put(64, names).put(64 + names.length, info);
    section(elf, table + 64, 1, 64, names.length);
    section(elf, table + 128, 9, 64 + names.length, info.length);
    return elf.array();
  }

  private static void section(ByteBuffer elf, int header, int name, int offset, int bytes) {
    elf.putInt(header, name).putLong(header + 0x18, offset).putLong(header + 0x20, bytes);
  }
}
