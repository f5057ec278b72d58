package parhelion.xen;

import static parhelion.cpu.CpuState.*;

import parhelion.abi.Errno;
import parhelion.abi.HypervisorVirt;
import parhelion.cpu.Cpu;

/**
 * Debug registers as {@code set_debugreg}, {@code get_debugreg} and the emulated moves reach them.
 */
final class DebugRegisters {
  private static final long DR6_ZERO = 0x1000;
  private static final long DR6_ONE = 0xffff_0ff0L;
  private static final long DR7_ZERO = 0xd800;
  private static final long DR7_ONE = 0x400;
  private static final long GENERAL_DETECT = 1 << 13;
  private static final long ACTIVE = 0xff;
  private static final int IO = 2;

  private DebugRegisters() {}

  /**
   * ENODEV for registers that do not exist (4 and 5 with CR4.DE), EINVAL for reserved bits, EPERM
   * for what Xen keeps.
   */
  static void write(Vcpu v, int number, long value) {
    Cpu c = v.cpu();
    boolean extensions = (v.state.cr4 & XenCpuid.CR4_DE) != 0;
    switch (number) {
      case 0, 1, 2, 3 -> {
        boolean own =
            (value >= 0 && value <= (1L << 47) - 8) || (value < 0 && value >= HypervisorVirt.END);
        require(own, Errno.EPERM);
        c.put64(DR + number * 8, value);
      }
      case 4, 6 -> {
        require(number == 6 || !extensions, Errno.ENODEV);
        require(value >>> 32 == 0, Errno.EINVAL);
        c.put64(DR6, (value & ~DR6_ZERO) | DR6_ONE);
      }
      case 5, 7 -> {
        require(number == 7 || !extensions, Errno.ENODEV);
        writeControl(v, c, value, extensions);
      }
      default -> throw new XenError(Errno.ENODEV);
    }
    c.updateSlow();
    c.flushTlbs();
  }

  private static void writeControl(Vcpu v, Cpu c, long value, boolean extensions) {
    require(value >>> 32 == 0, Errno.EINVAL);
    require((value & GENERAL_DETECT) == 0, Errno.EPERM);
    long set = (value & ~DR7_ZERO) | DR7_ONE;
    if ((set & ACTIVE) != 0) {
      for (int i = 0; i < 4; i++) {
        if ((set >> (16 + i * 4) & 3) == IO) {
          require(extensions, Errno.EPERM);
          // Port breakpoints are not for the processor.
          set &= ~(3L << (i * 2));
        }
      }
    }
    c.put64(DR7, set);
  }

  /** ENODEV as above. */
  static long read(Vcpu v, int number) {
    boolean extensions = (v.state.cr4 & XenCpuid.CR4_DE) != 0;
    int real = number == 4 || number == 5 ? number + 2 : number;
    require(number >= 0 && number < 8 && (real == number || !extensions), Errno.ENODEV);
    return v.cpu().get64(DR + real * 8);
  }

  private static void require(boolean condition, Errno errno) {
    if (!condition) {
      throw new XenError(errno);
    }
  }
}
