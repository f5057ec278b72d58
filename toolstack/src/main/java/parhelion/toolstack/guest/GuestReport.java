package parhelion.toolstack.guest;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import parhelion.abi.ShutdownReason;
import parhelion.cpu.CpuState;
import parhelion.toolstack.image.KernelSymbols;
import parhelion.xen.CpuDump;
import parhelion.xen.Domain;
import parhelion.xen.Vcpu;
import parhelion.xen.XenError;

/** What is told of a guest that has ended: for a crash the reason, registers, and a backtrace. */
final class GuestReport {
  /** Stack words that are looked at, and entries that are shown. */
  private static final int STACK_WORDS = 512;

  private static final int ENTRIES = 24;

  private GuestReport() {}

  static Outcome outcome(Domain domain, Supplier<@Nullable KernelSymbols> symbols) {
    ShutdownReason reason = domain.shutdownReason();
    Outcome.Kind kind =
        reason == null
            ? Outcome.Kind.CRASH
            : switch (reason) {
              case POWEROFF -> Outcome.Kind.POWEROFF;
              case REBOOT, SOFT_RESET -> Outcome.Kind.REBOOT;
              case SUSPEND -> Outcome.Kind.SUSPEND;
              case WATCHDOG -> Outcome.Kind.WATCHDOG;
              default -> Outcome.Kind.CRASH;
            };
    String detail = kind == Outcome.Kind.CRASH ? crash(domain, symbols.get()) : "";
    return new Outcome(kind, detail);
  }

  private static String crash(Domain domain, @Nullable KernelSymbols symbols) {
    StringBuilder text = new StringBuilder("parhelion: the guest crashed: ");
    String byHypervisor = domain.crashReason();
    if (byHypervisor != null) {
      text.append(byHypervisor);
    } else {
      text.append("its kernel said so (panic); the console has its words");
      for (Vcpu v : domain.vcpus()) {
        if (!v.state.down) {
          text.append('\n').append(CpuDump.registers(v));
        }
      }
    }
    for (Vcpu v : domain.vcpus()) {
      if (!v.state.down) {
        backtrace(v, symbols).forEach(line -> text.append('\n').append(line));
      }
    }
    return text.toString();
  }

  /**
   * Kernels keep no frame pointers, so this lists what on the stack looks like a return address.
   */
  private static List<String> backtrace(Vcpu v, @Nullable KernelSymbols symbols) {
    List<String> lines = new ArrayList<>();
    if (symbols == null) {
      return lines;
    }
    lines.add(v + " backtrace (return addresses found on the stack):");
    lines.add("  " + symbols.describe(v.cpu().rip()));
    long sp = v.cpu().get64(CpuState.RSP) & -8L;
    try {
      for (int i = 0; i < STACK_WORDS && lines.size() < ENTRIES; i++) {
        long word = v.guest().getLong(sp + i * 8L);
        if (symbols.at(word) != null && followsCall(v, word)) {
          lines.add("  " + symbols.describe(word));
        }
      }
    } catch (XenError e) {
      // The stack ends here.
    }
    return lines;
  }

  /**
   * Whether the instruction before an address is a near call: E8, or FF /2 in its usual lengths.
   */
  private static boolean followsCall(Vcpu v, long va) {
    byte[] before = new byte[7];
    try {
      for (int i = 0; i < before.length; i++) {
        before[i] = v.guest().getByte(va - before.length + i);
      }
    } catch (XenError e) {
      return false;
    }
    if ((before[2] & 0xff) == 0xe8) {
      return true;
    }
    for (int length : new int[] {2, 3, 4, 6, 7}) {
      int at = before.length - length;
      if ((before[at] & 0xff) == 0xff && (before[at + 1] & 0x38) == 0x10) {
        return true;
      }
    }
    return false;
  }
}
