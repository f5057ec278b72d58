package parhelion.pc.net;

/**
 * The card's transceiver, reached through the MDIC register (317453, section 8.1): a link of 1000
 * Mbit/s, full duplex, that is always up.
 */
final class E1000Phy {
  private static final int ADDRESS = 1;
  private static final int OPERATION_WRITE = 1;
  private static final int OPERATION_READ = 2;
  private static final int READY = 1 << 28;
  private static final int ERROR = 1 << 30;
  private static final int CONTROL = 0;
  private static final int CONTROL_RESET = 1 << 15;
  private static final int CONTROL_RESTART = 1 << 9;
  private static final int WRITABLE = 1 << CONTROL | 1 << 4 | 1 << 9 | 1 << 16 | 1 << 20 | 1 << 29;

  private final int[] registers = new int[32];

  E1000Phy() {
    reset();
  }

  void reset() {
    java.util.Arrays.fill(registers, 0);
    registers[0] = 0x1140; // negotiates; 1000 Mbit/s, full duplex
    registers[1] = 0x796d; // able of all; negotiation done; link up
    registers[2] = 0x0141;
    registers[3] = 0x0c20; // M88E1011
    registers[4] = 0x0de1;
    registers[5] = 0xcde1; // the partner can do the same
    registers[6] = 0x0005;
    registers[9] = 0x0e00;
    registers[10] = 0x3c00;
    registers[15] = 0x3000;
    registers[16] = 0x0360;
    registers[17] = 0xac00; // 1000 Mbit/s, full duplex, resolved, link up
    registers[20] = 0x0d60;
  }

  /** MDIC after software has written to it; whether the link has been negotiated again. */
  int access(int value) {
    int index = value >>> 16 & 31;
    int operation = value >>> 26 & 3;
    if ((value >>> 21 & 31) != ADDRESS) {
      return value | READY | ERROR;
    }
    if (operation == OPERATION_READ) {
      return value & 0xffff_0000 | registers[index] | READY;
    }
    if (operation != OPERATION_WRITE) {
      return value | READY | ERROR;
    }
    if ((WRITABLE >>> index & 1) != 0) {
      int written = value & 0xffff;
      if (index == CONTROL && (written & CONTROL_RESET) != 0) {
        reset();
      } else {
        registers[index] = index == CONTROL ? written & ~CONTROL_RESTART : written;
      }
    }
    return value | READY;
  }

  /** Whether a write to MDIC begins a negotiation, which is over at once. */
  static boolean negotiates(int value) {
    boolean writesControl = (value >>> 26 & 3) == OPERATION_WRITE && (value >>> 16 & 31) == CONTROL;
    return writesControl && (value & (CONTROL_RESET | CONTROL_RESTART)) != 0;
  }
}
