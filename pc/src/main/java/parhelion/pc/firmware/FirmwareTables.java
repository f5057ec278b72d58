package parhelion.pc.firmware;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import parhelion.pc.PcMachine;
import parhelion.pc.PcMemory;
import parhelion.pc.acpi.AcpiTables;
import parhelion.pc.serial.Uart;
import parhelion.pc.time.Rtc;

/**
 * What a PC's firmware is told of its machine: by files and items of the configuration channel, and
 * by the clock's memory, where firmware has always looked.
 */
public final class FirmwareTables {
  private static final int RAM_BYTES = 3;
  private static final int PROCESSORS = 5;
  private static final int MENU = 0xe;
  private static final int MOST_PROCESSORS = 0xf;
  private static final int TIMER_OVERRIDE = 0x8002;
  private static final int RAM = 1;
  private static final int RESERVED = 2;

  private FirmwareTables() {}

  /** Fills both. */
  public static void describe(
      PcMachine machine, AcpiTables.Contents contents, FirmwareConfig config) {
    PcMemory ram = machine.ram();
    long above = ram.highEnd() == 0 ? 0 : ram.highEnd() - PcMemory.GAP_END;
    int processors = machine.vcpus().size();
    config.item(RAM_BYTES, FirmwareConfig.little(ram.lowEnd() + above, 8));
    config.item(PROCESSORS, FirmwareConfig.little(processors, 2));
    config.item(MOST_PROCESSORS, FirmwareConfig.little(processors, 2));
    config.item(MENU, FirmwareConfig.little(0, 2));
    config.item(TIMER_OVERRIDE, FirmwareConfig.little(1, 1));
    config.file("etc/e820", memoryMap(ram.lowEnd(), above));
    config.file("etc/show-boot-menu", FirmwareConfig.little(0, 2));
    // What firmware shows on the screen goes to the serial line, too.
    config.file("etc/sercon-port", FirmwareConfig.little(Uart.COM1, 2));
    new AcpiTables(contents).describeTo(config);
    clockMemory(machine.rtc(), ram.lowEnd(), above, processors);
  }

  /** Address, length and type, 20 bytes each. */
  private static byte[] memoryMap(long lowEnd, long above) {
    ByteBuffer map = ByteBuffer.allocate(above > 0 ? 60 : 40).order(ByteOrder.LITTLE_ENDIAN);
    map.putLong(0).putLong(lowEnd).putInt(RAM);
    map.putLong(0xfec0_0000L).putLong(PcMemory.GAP_END - 0xfec0_0000L).putInt(RESERVED);
    if (above > 0) {
      map.putLong(PcMemory.GAP_END).putLong(above).putInt(RAM);
    }
    return map.array();
  }

  private static void clockMemory(Rtc rtc, long lowEnd, long above, int processors) {
    store(rtc, 0x15, 640, 2);
    long extended = Math.min((lowEnd >> 10) - 1024, 63 << 10);
    store(rtc, 0x17, extended, 2);
    store(rtc, 0x30, extended, 2);
    store(rtc, 0x34, Math.max(0, lowEnd - (16 << 20)) >> 16, 2);
    store(rtc, 0x5b, above >> 16, 3);
    store(rtc, 0x5f, processors - 1, 1);
    rtc.store(0x14, 0x06); // a coprocessor, a mouse
    rtc.store(0x38, 0x41); // then the network, and no check of a boot sector's signature
    rtc.store(0x3d, 0x32); // the disk first, then the CD
  }

  private static void store(Rtc rtc, int at, long value, int bytes) {
    for (int i = 0; i < bytes; i++) {
      rtc.store(at + i, (int) (value >>> 8 * i));
    }
  }
}
