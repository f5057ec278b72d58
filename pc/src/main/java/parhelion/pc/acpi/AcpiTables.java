package parhelion.pc.acpi;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import parhelion.pc.firmware.FirmwareConfig;
import parhelion.pc.interrupt.IoApic;
import parhelion.pc.time.Hpet;
import parhelion.pc.time.Rtc;

/**
 * The tables that describe the machine (ACPI 6.4, chapter 5): FADT, DSDT, MADT, HPET and what leads
 * to them. They are made once, relative to where they will be; then either put at an address, or
 * given to firmware with a script that says how to put them somewhere.
 */
public final class AcpiTables {
  private static final int HEADER = 36;
  private static final int FACS_BYTES = 64;
  private static final int FADT_BYTES = 244;
  private static final int REDUCED_FADT_BYTES = 268;
  private static final int RSDP_BYTES = 36;
  private static final long APIC_ADDRESS = 0xfee0_0000L;

  private static final int WBINVD = 1;
  private static final int PROC_C1 = 1 << 2;
  private static final int NO_POWER_BUTTON = 1 << 4;
  private static final int NO_SLEEP_BUTTON = 1 << 5;
  private static final int TIMER_32 = 1 << 8;
  private static final int RESET_SUPPORTED = 1 << 10;
  private static final int HARDWARE_REDUCED = 1 << 20;

  private static final int BOOT_LEGACY = 1;
  private static final int BOOT_8042 = 2;
  private static final int BOOT_NO_VGA = 4;
  private static final int BOOT_NO_CLOCK = 1 << 5;

  private static final String FILE = "etc/acpi/tables";
  private static final String RSDP_FILE = "etc/acpi/rsdp";
  private static final int NAME_BYTES = 56;
  private static final int COMMAND_BYTES = 128;

  /**
   * What there is to be described.
   *
   * @param processors numbered from 0
   * @param pci a PCI bus, with configuration at port CF8h
   * @param keyboard an 8042 with keyboard and mouse
   * @param video a VGA
   * @param gapStart where addresses for PCI devices begin
   */
  public record Contents(
      int processors, boolean pci, boolean keyboard, boolean video, long gapStart) {}

  /** A place in the tables that is to hold the address of another place in them. */
  private record Pointer(int at, int bytes, int target) {}

  private record Table(int at, int length) {}

  private final GrowingTable data = new GrowingTable();
  private final List<Pointer> pointers = new ArrayList<>();
  private final List<Table> tables = new ArrayList<>();
  private final int rsdt;
  private final int xsdt;

  /** The tables for a machine. */
  public AcpiTables(Contents contents) {
    int facs = facs();
    int dsdt = table("DSDT", 2, Dsdt.of(contents));
    int fadt = fadt(contents, facs, dsdt);
    int madt = madt(contents.processors);
    int hpet = hpet();
    int[] all = {fadt, madt, hpet};
    rsdt = root("RSDT", 4, all);
    xsdt = root("XSDT", 8, all);
  }

  /** The tables of a machine whose only hardware is its processors and their local APICs. */
  public static AcpiTables reduced(int processors) {
    return new AcpiTables(processors);
  }

  private AcpiTables(int processors) {
    int dsdt = table("DSDT", 2, new Aml().scope("\\_SB", new Aml()).bytes());
    int fadt = reducedFadt(dsdt);
    int[] all = {fadt, reducedMadt(processors)};
    rsdt = root("RSDT", 4, all);
    xsdt = root("XSDT", 8, all);
  }

  private int reducedFadt(int dsdt) {
    byte[] whole = new byte[REDUCED_FADT_BYTES];
    put(whole, 96, 0xffff, 2); // no C2
    put(whole, 98, 0xffff, 2); // no C3
    put(whole, 109, BOOT_NO_VGA | BOOT_NO_CLOCK, 2);
    put(whole, 112, WBINVD | PROC_C1 | NO_POWER_BUTTON | NO_SLEEP_BUTTON | HARDWARE_REDUCED, 4);
    byte[] body = new byte[REDUCED_FADT_BYTES - HEADER];
    System.arraycopy(whole, HEADER, body, 0, body.length);
    int at = table("FACP", 5, body);
    pointers.add(new Pointer(at + 40, 4, dsdt));
    pointers.add(new Pointer(at + 140, 8, dsdt));
    return at;
  }

  private int reducedMadt(int processors) {
    byte[] body = new byte[8 + 8 * processors];
    put(body, 0, APIC_ADDRESS, 4);
    processors(body, 8, processors);
    return table("APIC", 3, body);
  }

  /** Entries of local APICs from {@code at} on; where they end. */
  private static int processors(byte[] body, int at, int processors) {
    for (int i = 0; i < processors; i++) {
      entry(body, at, 0, 8);
      body[at + 2] = (byte) i;
      body[at + 3] = (byte) i;
      put(body, at + 4, 1, 4);
      at += 8;
    }
    return at;
  }

  // --- each table ---

  private int facs() {
    byte[] bytes = new byte[FACS_BYTES];
    put(bytes, 0, "FACS");
    put(bytes, 4, FACS_BYTES, 4);
    bytes[32] = 1;
    return data.add(bytes, 64);
  }

  private int table(String signature, int revision, byte[] body) {
    byte[] bytes = new byte[HEADER + body.length];
    put(bytes, 0, signature);
    put(bytes, 4, bytes.length, 4);
    bytes[8] = (byte) revision;
    put(bytes, 10, "PARHEL");
    put(bytes, 16, "PARHELPC");
    put(bytes, 24, 1, 4);
    put(bytes, 28, "PARH");
    put(bytes, 32, 1, 4);
    System.arraycopy(body, 0, bytes, HEADER, body.length);
    int at = data.add(bytes, 16);
    tables.add(new Table(at, bytes.length));
    return at;
  }

  private int fadt(Contents contents, int facs, int dsdt) {
    byte[] whole = new byte[FADT_BYTES];
    put(whole, 46, PowerManagement.LINE, 2);
    put(whole, 56, PowerManagement.EVENT, 4);
    put(whole, 64, PowerManagement.CONTROL, 4);
    put(whole, 76, PowerManagement.TIMER, 4);
    put(whole, 80, PowerManagement.GENERAL, 4);
    whole[88] = 4;
    whole[89] = 2;
    whole[91] = 4;
    whole[92] = 4;
    put(whole, 96, 0xffff, 2); // no C2
    put(whole, 98, 0xffff, 2); // no C3
    whole[108] = Rtc.CENTURY;
    int boot =
        BOOT_LEGACY | (contents.keyboard ? BOOT_8042 : 0) | (contents.video ? 0 : BOOT_NO_VGA);
    put(whole, 109, boot, 2);
    put(whole, 112, WBINVD | PROC_C1 | NO_SLEEP_BUTTON | TIMER_32 | RESET_SUPPORTED, 4);
    port(whole, 116, PowerManagement.RESET, 1);
    whole[128] = PowerManagement.RESET_VALUE;
    port(whole, 148, PowerManagement.EVENT, 4);
    port(whole, 172, PowerManagement.CONTROL, 2);
    port(whole, 208, PowerManagement.TIMER, 4);
    port(whole, 220, PowerManagement.GENERAL, 4);
    byte[] body = new byte[FADT_BYTES - HEADER];
    System.arraycopy(whole, HEADER, body, 0, body.length);
    int at = table("FACP", 3, body);
    pointers.add(new Pointer(at + 36, 4, facs));
    pointers.add(new Pointer(at + 40, 4, dsdt));
    pointers.add(new Pointer(at + 140, 8, dsdt));
    return at;
  }

  /** A generic address of a port. */
  private static void port(byte[] table, int at, int port, int bytes) {
    table[at] = 1;
    table[at + 1] = (byte) (8 * bytes);
    table[at + 3] = (byte) (bytes == 4 ? 3 : bytes);
    put(table, at + 4, port, 8);
  }

  private int madt(int processors) {
    byte[] body = new byte[8 + 8 * processors + 12 + 10 * 4 + 6];
    put(body, 0, APIC_ADDRESS, 4);
    put(body, 4, 1, 4); // there are 8259s, too
    int at = processors(body, 8, processors);
    entry(body, at, 1, 12);
    put(body, at + 4, IoApic.ADDRESS, 4);
    at += 12;
    at = override(body, at, 0, 2, 0);
    for (int line : new int[] {PowerManagement.LINE, 10, 11}) {
      at = override(body, at, line, line, 0xd); // active high, level-triggered
    }
    entry(body, at, 4, 6);
    body[at + 2] = (byte) 0xff; // LINT1 of all processors is the NMI's
    body[at + 5] = 1;
    return table("APIC", 3, body);
  }

  private static void entry(byte[] body, int at, int type, int length) {
    body[at] = (byte) type;
    body[at + 1] = (byte) length;
  }

  private static int override(byte[] body, int at, int source, int gsi, int flags) {
    entry(body, at, 2, 10);
    body[at + 3] = (byte) source;
    put(body, at + 4, gsi, 4);
    put(body, at + 8, flags, 2);
    return at + 10;
  }

  private int hpet() {
    byte[] body = new byte[20];
    put(body, 0, Hpet.CAPABILITIES & 0xffff_ffffL, 4);
    body[5] = 64;
    put(body, 8, Hpet.ADDRESS, 8);
    put(body, 17, 100, 2);
    return table("HPET", 1, body);
  }

  private int root(String signature, int pointerBytes, int[] all) {
    int at = table(signature, 1, new byte[pointerBytes * all.length]);
    for (int i = 0; i < all.length; i++) {
      pointers.add(new Pointer(at + HEADER + i * pointerBytes, pointerBytes, all[i]));
    }
    return at;
  }

  private static byte[] rsdp() {
    byte[] bytes = new byte[RSDP_BYTES];
    put(bytes, 0, "RSD PTR ");
    put(bytes, 9, "PARHEL");
    bytes[15] = 2;
    put(bytes, 20, RSDP_BYTES, 4);
    return bytes;
  }

  // --- where they go ---

  /** Everything as it is to be at {@code address}, a multiple of 64: the RSDP is at its start. */
  public byte[] at(long address) {
    int base = 64;
    byte[] tablesHere = data.bytes();
    byte[] all = new byte[base + tablesHere.length];
    System.arraycopy(tablesHere, 0, all, base, tablesHere.length);
    for (Pointer pointer : pointers) {
      put(all, base + pointer.at, address + base + pointer.target, pointer.bytes);
    }
    for (Table table : tables) {
      checksum(all, base + table.at, table.length, base + table.at + 9);
    }
    System.arraycopy(rsdp(), 0, all, 0, RSDP_BYTES);
    put(all, 16, address + base + rsdt, 4);
    put(all, 24, address + base + xsdt, 8);
    checksum(all, 0, 20, 8);
    checksum(all, 0, RSDP_BYTES, 32);
    return all;
  }

  /** Gives the tables to firmware, with the script by which it places them (QEMU's loader). */
  public void describeTo(FirmwareConfig config) {
    byte[] tablesHere = data.bytes();
    for (Pointer pointer : pointers) {
      put(tablesHere, pointer.at, pointer.target, pointer.bytes);
    }
    byte[] root = rsdp();
    put(root, 16, rsdt, 4);
    put(root, 24, xsdt, 8);
    config.file(FILE, tablesHere);
    config.file(RSDP_FILE, root);
    List<byte[]> script = new ArrayList<>();
    script.add(allocate(FILE, 64, 1));
    script.add(allocate(RSDP_FILE, 16, 2));
    for (Pointer pointer : pointers) {
      script.add(addPointer(FILE, pointer.at, pointer.bytes));
    }
    script.add(addPointer(RSDP_FILE, 16, 4));
    script.add(addPointer(RSDP_FILE, 24, 8));
    for (Table table : tables) {
      script.add(addChecksum(FILE, table.at + 9, table.at, table.length));
    }
    script.add(addChecksum(RSDP_FILE, 8, 0, 20));
    script.add(addChecksum(RSDP_FILE, 32, 0, RSDP_BYTES));
    byte[] whole = new byte[script.size() * COMMAND_BYTES];
    for (int i = 0; i < script.size(); i++) {
      System.arraycopy(script.get(i), 0, whole, i * COMMAND_BYTES, COMMAND_BYTES);
    }
    config.file("etc/table-loader", whole);
  }

  private static byte[] allocate(String file, int align, int zone) {
    byte[] command = new byte[COMMAND_BYTES];
    put(command, 0, 1, 4);
    put(command, 4, file);
    put(command, 4 + NAME_BYTES, align, 4);
    command[8 + NAME_BYTES] = (byte) zone;
    return command;
  }

  private static byte[] addPointer(String file, int offset, int bytes) {
    byte[] command = new byte[COMMAND_BYTES];
    put(command, 0, 2, 4);
    put(command, 4, file);
    put(command, 4 + NAME_BYTES, FILE);
    put(command, 4 + 2 * NAME_BYTES, offset, 4);
    command[8 + 2 * NAME_BYTES] = (byte) bytes;
    return command;
  }

  private static byte[] addChecksum(String file, int offset, int start, int length) {
    byte[] command = new byte[COMMAND_BYTES];
    put(command, 0, 3, 4);
    put(command, 4, file);
    put(command, 4 + NAME_BYTES, offset, 4);
    put(command, 8 + NAME_BYTES, start, 4);
    put(command, 12 + NAME_BYTES, length, 4);
    return command;
  }

  private static void checksum(byte[] bytes, int start, int length, int at) {
    bytes[at] = 0;
    int sum = 0;
    for (int i = 0; i < length; i++) {
      sum += bytes[start + i];
    }
    bytes[at] = (byte) -sum;
  }

  private static void put(byte[] into, int at, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
    System.arraycopy(bytes, 0, into, at, bytes.length);
  }

  private static void put(byte[] into, int at, long value, int bytes) {
    for (int i = 0; i < bytes; i++) {
      into[at + i] = (byte) (value >>> 8 * i);
    }
  }

  /** Tables one behind the other. */
  private static final class GrowingTable {
    private byte[] bytes = new byte[0];

    int add(byte[] table, int align) {
      int at = (bytes.length + align - 1) / align * align;
      bytes = java.util.Arrays.copyOf(bytes, at + table.length);
      System.arraycopy(table, 0, bytes, at, table.length);
      return at;
    }

    byte[] bytes() {
      return bytes.clone();
    }
  }
}
