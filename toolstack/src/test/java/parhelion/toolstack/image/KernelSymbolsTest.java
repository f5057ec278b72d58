package parhelion.toolstack.image;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class KernelSymbolsTest {
  private static final long BASE = 0xffffffff81000000L;

  @TempDir Path temporary = Path.of("");

  @Test
  void theSymbolTableNamesAddresses() {
    byte[] file = Samples.linux(new byte[5000]);
    KernelSymbols symbols =
        KernelSymbols.of(ElfImage.parse(ByteBuffer.wrap(file), "vmlinux"), null);
    assertEquals(2, symbols.size());
    assertEquals("startup_xen", symbols.describe(BASE + 0x10));
    assertEquals("startup_xen+0xef", symbols.describe(BASE + 0xff));
    assertEquals("start_kernel+0x4", symbols.describe(BASE + 0x104));
    assertEquals("0xffffffff81000000", symbols.describe(BASE));
    assertNull(symbols.at(0x1234));
    assertNull(symbols.at(BASE + (64 << 20)));
    assertEquals(OptionalLong.of(BASE + 0x100), symbols.addressOf("start_kernel"));
  }

  @Test
  void aSystemMapNamesAddresses() throws IOException {
    Path map = temporary.resolve("System.map");
    Files.writeString(
        map,
        """
        0000000000000000 D __per_cpu_start
        ffffffff81000000 T _text
        ffffffff81000100 t helper\t[module]
        """);
    KernelSymbols symbols = KernelSymbols.ofSystemMap(map);
    assertEquals("_text+0x20", symbols.describe(BASE + 0x20));
    assertEquals("helper", symbols.describe(BASE + 0x100));
  }

  @Test
  void whatIsNoSystemMapIsRefused() throws IOException {
    Path map = temporary.resolve("System.map");
    for (String text : List.of("hello world\n", "xyz T name\n", "ffffffff81000000\n")) {
      Files.writeString(map, text);
      assertThrows(ImageException.class, () -> KernelSymbols.ofSystemMap(map));
    }
    Files.delete(map);
    assertThrows(ImageException.class, () -> KernelSymbols.ofSystemMap(map));
  }

  /** Kallsyms tables as scripts/kallsyms.c lays them out, each token standing for itself. */
  private static byte[] kallsyms(int count, boolean offsetsFirst) {
    ByteArrayOutputStream names = new ByteArrayOutputStream();
    ByteArrayOutputStream markers = new ByteArrayOutputStream();
    ByteBuffer offsets = ByteBuffer.allocate(4 * count).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < count; i++) {
      if (i % 256 == 0) {
        markers.writeBytes(Samples.le32(names.size()));
      }
      String name = "Tfunction_" + i + (i == 7 ? "_with_a_long_name".repeat(10) : "");
      if (name.length() > 127) {
        names.write(name.length() & 0x7f | 0x80);
        names.write(name.length() >> 7);
      } else {
        names.write(name.length());
      }
      names.writeBytes(name.getBytes(StandardCharsets.US_ASCII));
      offsets.putInt(offsetsFirst ? -1 - 16 * i : 16 * i);
    }
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    all.writeBytes(Samples.data(1000, 2));
    if (offsetsFirst) {
      aligned(all, offsets.array());
      aligned(all, base());
    }
    aligned(all, Samples.le32(count));
    aligned(all, names.toByteArray());
    aligned(all, markers.toByteArray());
    if (offsetsFirst) {
      aligned(all, new byte[3 * count]); // the sequence numbers of some 6.1 kernels
    }
    ByteArrayOutputStream tokens = new ByteArrayOutputStream();
    ByteBuffer index = ByteBuffer.allocate(512).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < 256; i++) {
      index.putShort((short) tokens.size());
      if (i > ' ' && i < 127) {
        tokens.write(i);
      }
      tokens.write(0);
    }
    aligned(all, tokens.toByteArray());
    aligned(all, index.array());
    if (!offsetsFirst) {
      aligned(all, offsets.array());
      aligned(all, base());
    }
    all.writeBytes(new byte[4096]);
    return all.toByteArray();
  }

  private static byte[] base() {
    return ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(BASE).array();
  }

  private static void aligned(ByteArrayOutputStream out, byte[] table) {
    out.writeBytes(new byte[-out.size() & 7]);
    out.writeBytes(table);
  }

  private static ElfImage stripped(byte[] data) {
    byte[] file = Samples.linux(data);
    ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).putShort(60, (short) 0);
    return ElfImage.parse(ByteBuffer.wrap(file), "vmlinux");
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aStrippedKernelIsNamedByItsKallsyms(boolean offsetsFirst) {
    KernelSymbols symbols = KernelSymbols.of(stripped(kallsyms(1000, offsetsFirst)), null);
    assertEquals(1000, symbols.size());
    assertEquals("function_0", symbols.describe(BASE));
    assertEquals("function_999+0x3", symbols.describe(BASE + 16 * 999 + 3));
    assertTrue(symbols.describe(BASE + 16 * 7).endsWith("long_name"));
  }

  @Test
  void damagedKallsymsGiveSomeSymbolsOrNone() {
    byte[] good = kallsyms(300, true);
    List<Integer> sizes = new ArrayList<>();
    Corruption.fuzz(
        good, ImageException.class, bad -> sizes.add(KernelSymbols.of(stripped(bad), null).size()));
    assertTrue(sizes.contains(0));
    assertTrue(sizes.contains(300));
  }
}
