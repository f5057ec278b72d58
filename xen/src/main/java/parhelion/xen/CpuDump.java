package parhelion.xen;

import static parhelion.cpu.CpuState.*;

import parhelion.cpu.Cpu;

/** A vcpu's registers as text, for reports of crashes. */
public final class CpuDump {
  private static final String[] NAMES = {
    "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
    "r8 ", "r9 ", "r10", "r11", "r12", "r13", "r14", "r15"
  };

  private CpuDump() {}

  /** Several lines, the last without a newline. */
  public static String registers(Vcpu v) {
    Cpu c = v.cpu();
    StringBuilder s = new StringBuilder();
    s.append(v).append(v.state.kernelMode ? " guest kernel" : " guest user");
    s.append(String.format(", rip %016x, rflags %08x%n", c.rip(), c.rflags()));
    for (int i = 0; i < 16; i++) {
      s.append(NAMES[i]).append(String.format(" %016x", c.get64(GPR + i * 8)));
      s.append((i & 3) == 3 ? System.lineSeparator() : "  ");
    }
    s.append(String.format("cs %04x ss %04x ds %04x es %04x fs %04x gs %04x%n", selectors(c)));
    s.append(
        String.format(
            "fsb %016x gsb %016x gss %016x%ncr2 %016x cr3 %016x",
            c.get64(FS_BASE),
            c.get64(GS_BASE),
            c.get64(KERNEL_GS_BASE),
            v.state.cr2,
            c.get64(CR3)));
    return s.toString();
  }

  private static Object[] selectors(Cpu c) {
    int[] order = {CS, SS, DS, ES, FS, GS};
    Object[] values = new Object[order.length];
    for (int i = 0; i < order.length; i++) {
      values[i] = c.get32(SEG_SELECTOR + order[i] * 8);
    }
    return values;
  }
}
