package parhelion.pc.pci;

/** Offsets and bits of the header of type 0 in configuration space (PCI 3.0, chapter 6). */
final class PciRegister {
  static final int VENDOR = 0x00;
  static final int DEVICE = 0x02;
  static final int COMMAND = 0x04;
  static final int STATUS = 0x06;
  static final int REVISION = 0x08;
  static final int CACHE_LINE = 0x0c;
  static final int LATENCY = 0x0d;
  static final int HEADER_TYPE = 0x0e;
  static final int BAR0 = 0x10;
  static final int SUBSYSTEM_VENDOR = 0x2c;
  static final int SUBSYSTEM = 0x2e;
  static final int ROM = 0x30;
  static final int CAPABILITIES = 0x34;
  static final int INTERRUPT_LINE = 0x3c;
  static final int INTERRUPT_PIN = 0x3d;
  static final int FIRST_CAPABILITY = 0x40;

  static final int COMMAND_PORTS = 1 << 0;
  static final int COMMAND_MEMORY = 1 << 1;
  static final int COMMAND_MASTER = 1 << 2;
  static final int COMMAND_PARITY = 1 << 6;
  static final int COMMAND_SERR = 1 << 8;
  static final int COMMAND_NO_INTX = 1 << 10;

  static final int STATUS_INTX = 1 << 3;
  static final int STATUS_CAPABILITIES = 1 << 4;

  private PciRegister() {}
}
