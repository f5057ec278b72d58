package parhelion.pc.acpi;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.TreeMap;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The tables: sums, pointers, and what a disassembler makes of the DSDT. */
final class AcpiTablesTest {
  private static final long BASE = 0xe_0000;

  private final byte[] bytes =
      new AcpiTables(new AcpiTables.Contents(3, true, true, true, 0xc000_0000L)).at(BASE);
  private final ByteBuffer all = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);

  private String text(int at, int length) {
    return new String(bytes, at, length, StandardCharsets.US_ASCII);
  }

  private int sum(int at, int length) {
    int sum = 0;
    for (int i = 0; i < length; i++) {
      sum += bytes[at + i];
    }
    return sum & 0xff;
  }

  /** Tables by their signatures, found as an operating system does. */
  private TreeMap<String, Integer> tables() {
    TreeMap<String, Integer> found = new TreeMap<>();
    int xsdt = (int) (all.getLong(24) - BASE);
    found.put(text(xsdt, 4), xsdt);
    for (int at = xsdt + 36; at < xsdt + all.getInt(xsdt + 4); at += 8) {
      int table = (int) (all.getLong(at) - BASE);
      found.put(text(table, 4), table);
    }
    int fadt = found.get("FACP");
    found.put("DSDT", (int) (all.getLong(fadt + 140) - BASE));
    return found;
  }

  @Test
  void everythingIsReachedFromTheRootAndSumsToZero() {
    assertEquals("RSD PTR ", text(0, 8));
    assertEquals(0, sum(0, 20));
    assertEquals(0, sum(0, 36));
    TreeMap<String, Integer> tables = tables();
    assertEquals("[APIC, DSDT, FACP, HPET, XSDT]", tables.keySet().toString());
    tables.forEach((name, at) -> assertEquals(0, sum(at, all.getInt(at + 4)), name));
    int rsdt = (int) (all.getInt(16) - BASE);
    assertEquals("RSDT", text(rsdt, 4));
    assertEquals(0, sum(rsdt, all.getInt(rsdt + 4)));
    int facs = (int) (all.getInt(tables.get("FACP") + 36) - BASE);
    assertEquals("FACS", text(facs, 4));
    assertEquals(0, facs + BASE & 63);
  }

  @Test
  void theMadtListsProcessorsAndOverrides() {
    int at = tables().get("APIC");
    int end = at + all.getInt(at + 4);
    List<Integer> types = new ArrayList<>();
    for (int entry = at + 44; entry < end; entry += bytes[entry + 1]) {
      types.add((int) bytes[entry]);
    }
    assertEquals(List.of(0, 0, 0, 1, 2, 2, 2, 2, 4), types);
  }

  @Test
  void packageLengthsAreWrittenInAllTheirSizes() {
    for (int length : new int[] {1, 62, 63, 64, 100, 4000, 5000}) {
      byte[] body = new byte[length];
      byte[] scope = new Aml().scope("\\_SB", new Aml().raw(body)).bytes();
      int lead = scope[1] & 0xff;
      int extra = lead >> 6;
      int told = extra == 0 ? lead : lead & 15;
      for (int i = 0; i < extra; i++) {
        told |= (scope[2 + i] & 0xff) << 4 + 8 * i;
      }
      assertEquals(scope.length - 1, told, "of " + length);
    }
  }

  @Test
  void namesAndNumbersAreEncodedAsTheStandardSays() {
    byte[] name = new Aml().name("_HID", new Aml().eisaId("PNP0A03")).bytes();
    assertArrayEquals(HexFormat.of().parseHex("085f4849440c41d00a03"), name);
    byte[] numbers =
        new Aml().integer(0).integer(1).integer(255).integer(256).integer(65536).bytes();
    assertArrayEquals(HexFormat.of().parseHex("00010aff0b00010c00000100"), numbers);
    byte[] path = new Aml().name("\\_SB.PCI0.FOO", 0).bytes();
    assertArrayEquals(HexFormat.of().parseHex("085c2f035f53425f50434930464f4f5f00"), path);
  }

  @Test
  void aDisassemblerReadsTheDsdtAsItIsMeant(@TempDir Path directory) throws Exception {
    int at = tables().get("DSDT");
    Path file = directory.resolve("dsdt.aml");
    byte[] table = new byte[all.getInt(at + 4)];
    all.get(at, table);
    Files.write(file, table);
    Process process;
    try {
      process = new ProcessBuilder("iasl", "-d", file.toString()).redirectErrorStream(true).start();
    } catch (java.io.IOException e) {
      Assumptions.abort("there is no iasl to disassemble with: " + e.getMessage());
      return;
    }
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, process.waitFor(), said);
    String source = Files.readString(directory.resolve("dsdt.dsl"));
    for (String expected :
        List.of(
            "Device (PCI0)",
            "PNP0A03",
            "_PRT",
            "Device (COM1)",
            "0x03F8",
            "_S5",
            "Method (_EJ0, 1, NotSerialized)",
            "Notify (S1F, 0x03)",
            "Method (_E01, 0, NotSerialized)",
            "WordBusNumber")) {
      assertTrue(source.contains(expected), expected + " is not in:\n" + source);
    }
  }
}
