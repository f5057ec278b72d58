package parhelion.pc.acpi;

import parhelion.pc.PcMemory;
import parhelion.pc.serial.Uart;

/** The machine's devices in ACPI's language: the DSDT's body. */
final class Dsdt {
  /** The last address below the interrupt controllers. */
  private static final long GAP_LAST = 0xfebf_ffffL;

  /** What a device is notified of. */
  private static final int CHECK = 1;

  private static final int EJECT_REQUEST = 3;

  private Dsdt() {}

  static byte[] of(AcpiTables.Contents contents) {
    Aml root = new Aml();
    root.name(
        "\\_S5",
        new Aml()
            .elements(
                Aml.of(PowerManagement.SLEEP_OFF),
                Aml.of(PowerManagement.SLEEP_OFF),
                Aml.of(0),
                Aml.of(0)));
    Aml devices = new Aml();
    if (contents.pci()) {
      devices.device("PCI0", pci(contents));
    }
    devices.device(
        "COM1",
        identified("PNP0501", 1)
            .name(
                "_CRS",
                new Aml().resources(new Aml().ports(Uart.COM1, 8).interrupt(Uart.COM1_LINE))));
    devices.device(
        "RTC",
        identified("PNP0B00", 0)
            .name("_CRS", new Aml().resources(new Aml().ports(0x70, 2).interrupt(8))));
    if (contents.keyboard()) {
      devices.device(
          "KBD",
          identified("PNP0303", 0)
              .name(
                  "_CRS",
                  new Aml().resources(new Aml().ports(0x60, 1).ports(0x64, 1).interrupt(1))));
      devices.device(
          "MOU",
          identified("PNP0F13", 0).name("_CRS", new Aml().resources(new Aml().interrupt(12))));
    }
    root.scope("\\_SB", devices);
    if (contents.pci()) {
      root.scope(
          "\\_GPE", new Aml().method("_E0" + HotPlug.EVENT, 0, Aml.called("\\_SB.PCI0.SCAN")));
    }
    return root.bytes();
  }

  private static Aml identified(String id, int number) {
    return new Aml().name("_HID", new Aml().eisaId(id)).name("_UID", number);
  }

  private static Aml pci(AcpiTables.Contents contents) {
    Aml windows =
        new Aml()
            .buses(0, 255)
            .ports(0xcf8, 8)
            .portWindow(0, 0xcf7)
            .portWindow(0xd00, 0xffff)
            .memoryWindow(PcMemory.VIDEO_START, PcMemory.VIDEO_END - 1)
            .memoryWindow(contents.gapStart(), GAP_LAST);
    Aml[] routes = new Aml[PciInterrupts.SLOTS * 4];
    for (int slot = 0; slot < PciInterrupts.SLOTS; slot++) {
      for (int pin = 0; pin < 4; pin++) {
        routes[slot * 4 + pin] =
            new Aml()
                .elements(
                    Aml.of((long) slot << 16 | 0xffff),
                    Aml.of(pin),
                    Aml.of(0),
                    Aml.of(PciInterrupts.line(PciInterrupts.wire(slot, pin))));
      }
    }
    Aml bridge = identified("PNP0A03", 0);
    hotPlug(bridge);
    return bridge
        .name("_ADR", 0)
        .name("_BBN", 0)
        .name("_CRS", new Aml().resources(windows))
        .name("_PRT", new Aml().elements(routes));
  }

  /** The slots that cards come to and go from, and the method that finds out which did. */
  private static void hotPlug(Aml bridge) {
    bridge.registers("PLUG", HotPlug.PORT, "COME", "GOES", "EJCT");
    Aml scan =
        new Aml().store(Aml.called("COME"), Aml.local(0)).store(Aml.called("GOES"), Aml.local(1));
    for (int slot = HotPlug.FIRST_SLOT; slot < PciInterrupts.SLOTS; slot++) {
      String name = String.format("S%02X", slot);
      long bit = 1L << slot;
      bridge.device(
          name,
          new Aml()
              .name("_ADR", (long) slot << 16)
              .name("_SUN", slot)
              .method("_EJ0", 1, new Aml().store(Aml.of(bit), Aml.called("EJCT"))));
      scan.when(new Aml().and(Aml.local(0), bit), new Aml().notify(name, CHECK));
      scan.when(new Aml().and(Aml.local(1), bit), new Aml().notify(name, EJECT_REQUEST));
    }
    bridge.method("SCAN", 0, scan);
  }
}
