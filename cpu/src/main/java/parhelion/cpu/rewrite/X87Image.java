package parhelion.cpu.rewrite;

import static parhelion.cpu.memory.Host.U;

import parhelion.cpu.CpuState;

/**
 * The guest's x87 state as FRSTOR and FNSAVE want it (SDM volume 1, figure 8-9: 28 bytes of
 * environment, then ST(0) to ST(7)), to and from the state block. Pointers to the last instruction
 * stay what they were: the host's would tell the guest host addresses.
 */
final class X87Image {
  private static final int REGISTERS = 28;

  private X87Image() {}

  /** Whether no x87 exception can become a signal on the host. */
  static boolean isMasked(long state) {
    return (U.getInt(state + CpuState.FCW) & 0x3f) == 0x3f
        && (U.getInt(state + CpuState.FSW) & 0x80) == 0;
  }

  static void toImage(long state) {
    long image = state + NativeState.X87_IMAGE;
    U.setMemory(image, REGISTERS, (byte) 0);
    U.putInt(image, U.getInt(state + CpuState.FCW) & 0xffff);
    U.putInt(image + 4, U.getInt(state + CpuState.FSW) & 0xffff);
    U.putInt(image + 8, U.getInt(state + CpuState.FTW) & 0xffff);
    int top = U.getInt(state + CpuState.FSW) >> 11 & 7;
    for (int i = 0; i < 8; i++) {
      long register = state + CpuState.X87 + (top + i & 7) * 16L;
      long at = image + REGISTERS + i * 10L;
      U.putLong(at, U.getLong(register));
      U.putShort(at + 8, U.getShort(register + 8));
    }
  }

  static void fromImage(long state) {
    long image = state + NativeState.X87_IMAGE;
    U.putLong(state + CpuState.FCW, U.getInt(image) & 0xffff);
    U.putLong(state + CpuState.FSW, U.getInt(image + 4) & 0xffff);
    U.putLong(state + CpuState.FTW, U.getInt(image + 8) & 0xffff);
    int top = U.getInt(image + 4) >> 11 & 7;
    for (int i = 0; i < 8; i++) {
      long register = state + CpuState.X87 + (top + i & 7) * 16L;
      long at = image + REGISTERS + i * 10L;
      U.putLong(register, U.getLong(at));
      U.putShort(register + 8, U.getShort(at + 8));
    }
  }
}
