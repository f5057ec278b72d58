package parhelion.xen;

import static parhelion.cpu.CpuState.*;

import parhelion.cpu.ControlRegisters;
import parhelion.cpu.Cpu;
import parhelion.cpu.GuestFault;
import parhelion.cpu.Rflags;
import parhelion.cpu.decode.Insn;
import parhelion.cpu.decode.Mnemonic;
import parhelion.cpu.decode.Operand;

/**
 * Emulates the privileged instructions that a guest's kernel still uses, as Xen does
 * (xen/arch/x86/pv/emul-priv-op.c): ports by the virtual IOPL and the I/O bitmap, control and debug
 * registers, MSRs. What is not here is #GP(0).
 */
final class PrivilegedOps {
  static final int RTC_INDEX = 0x70;
  private static final int PCI_ADDRESS = 0xcf8;

  private final Vcpu vcpu;
  private final VcpuState state;
  private final GuestMsrs msrs;

  PrivilegedOps(Vcpu vcpu) {
    this.vcpu = vcpu;
    state = vcpu.state;
    msrs = new GuestMsrs(vcpu);
  }

  /** RIP is at the instruction. True when done and RIP moved on; false for #GP(0). */
  boolean emulate(Cpu c, Insn insn) {
    long start = vcpu.domain().hypervisor().stopwatch().now();
    if (!execute(c, insn)) {
      return false;
    }
    vcpu.domain().hypervisor().trapStats().emulated(vcpu, insn.mnemonic(), start);
    c.rip(c.rip() + insn.length);
    return true;
  }

  private boolean execute(Cpu c, Insn insn) {
    switch (insn.mnemonic()) {
      case IN:
        return in(c, insn);
      case OUT:
        return out(c, insn);
      case INS, OUTS:
        return string(c, insn);
      case CLI, STI:
        // Neither does anything: events are masked in vcpu_info.
        return vcpu.traps().virtualCpl() <= state.iopl;
      default:
        return state.kernelMode && kernelOnly(c, insn);
    }
  }

  private boolean kernelOnly(Cpu c, Insn insn) {
    switch (insn.mnemonic()) {
      case MOV:
        return move(c, insn);
      case CLTS:
        vcpu.traps().setTaskSwitched(c, false);
        return true;
      case WBINVD:
        return true;
      case RDMSR:
        long value = msrs.read(c, c.get32(RCX));
        c.put32(RAX, (int) value);
        c.put32(RDX, (int) (value >>> 32));
        return true;
      case WRMSR:
        return msrs.write(c, c.get32(RCX), c.get64(RDX) << 32 | (c.get64(RAX) & 0xffff_ffffL));
      case RDTSC, RDTSCP:
        long tsc = vcpu.domain().hypervisor().clock().tsc();
        c.put32(RAX, (int) tsc);
        c.put32(RDX, (int) (tsc >>> 32));
        if (insn.mnemonic() == Mnemonic.RDTSCP) {
          c.put32(RCX, c.get32(TSC_AUX));
        }
        return true;
      case XSETBV:
        return setExtendedControl(c);
      default:
        return false;
    }
  }

  // --- registers ---

  private boolean move(Cpu c, Insn insn) {
    Operand[] operands = insn.opcode.operands();
    int register = GPR + insn.rm * 8;
    if (operands[1].kind() == Operand.Kind.C) {
      return readControl(c, insn.reg, register);
    }
    if (operands[0].kind() == Operand.Kind.C) {
      return writeControl(c, insn.reg, c.get64(register));
    }
    if (operands[1].kind() == Operand.Kind.D) {
      c.put64(register, DebugRegisters.read(vcpu, insn.reg));
      return true;
    }
    if (operands[0].kind() == Operand.Kind.D) {
      try {
        DebugRegisters.write(vcpu, insn.reg, c.get64(register));
        return true;
      } catch (XenError e) {
        if (e.errno() == parhelion.abi.Errno.ENODEV) {
          throw c.fault(GuestFault.UD);
        }
        return false;
      }
    }
    return false;
  }

  private boolean readControl(Cpu c, int number, int register) {
    switch (number) {
      case 0 -> c.put64(register, vcpu.traps().cr0());
      case 2 -> c.put64(register, state.cr2);
      case 3 -> c.put64(register, state.kernelCr3);
      case 4 -> c.put64(register, state.cr4);
      default -> {
        return false;
      }
    }
    return true;
  }

  private boolean writeControl(Cpu c, int number, long value) {
    switch (number) {
      case 0 -> {
        if (((value ^ vcpu.traps().cr0()) & ~8L) != 0) {
          return false;
        }
        vcpu.traps().setTaskSwitched(c, (value & 8) != 0);
      }
      case 2 -> vcpu.traps().setCr2(value);
      case 3 -> {
        return writeCr3(value);
      }
      case 4 -> setCr4(c, value);
      default -> {
        return false;
      }
    }
    return true;
  }

  private boolean writeCr3(long value) {
    long mfn = (value & 0x000f_ffff_ffff_f000L) >>> 12;
    try {
      vcpu.domain().hypervisor().paging().installBases(vcpu, mfn, state.userCr3 >>> 12);
      return true;
    } catch (XenError e) {
      return false;
    }
  }

  /** The guest's choice where it has one; the rest stays. */
  void setCr4(Cpu c, long value) {
    state.cr4 = (value & XenCpuid.CR4_GUEST) | XenCpuid.CR4_FIXED;
    // XSAVE is on in the processor itself, as on a host whose Xen uses it.
    c.put64(CR4, state.cr4 | XenCpuid.CR4_OSXSAVE);
    c.updateMode();
  }

  /** XCR0, by the processor's own rules. */
  private boolean setExtendedControl(Cpu c) {
    long value = c.get64(RDX) << 32 | (c.get64(RAX) & 0xffff_ffffL);
    if (!ControlRegisters.isXcr(c, c.get32(RCX), value)) {
      return false;
    }
    c.put64(XCR0, value);
    c.updateMode();
    return true;
  }

  // --- ports ---

  private boolean in(Cpu c, Insn insn) {
    int size = insn.size(0);
    int port = port(c, insn, 1);
    if (!portAllowed(port, size)) {
      return false;
    }
    c.put(RAX, size, read(port, size) & 0xffff_ffffL);
    return true;
  }

  private boolean out(Cpu c, Insn insn) {
    int size = insn.size(1);
    int port = port(c, insn, 0);
    if (!portAllowed(port, size)) {
      return false;
    }
    write(port, size, (int) c.get(RAX, size));
    return true;
  }

  private static int port(Cpu c, Insn insn, int operand) {
    boolean fixed = insn.opcode.operands()[operand].kind() == Operand.Kind.I;
    return fixed ? (int) insn.imm & 0xff : c.get16(RDX);
  }

  /** Whether the guest has given itself the port: IOPL, or the I/O bitmap in its memory. */
  private boolean portAllowed(int port, int size) {
    if (vcpu.traps().virtualCpl() <= state.iopl) {
      return true;
    }
    if (port + size > state.ioBitmapPorts) {
      return false;
    }
    long at = state.ioBitmapVa + (port >> 3);
    int mask = bitmapByte(at) | bitmapByte(at + 1) << 8;
    return (mask >> (port & 7) & (1 << size) - 1) == 0;
  }

  /** Bytes that cannot be read allow nothing. */
  private int bitmapByte(long va) {
    try {
      return vcpu.guest().getByte(va) & 0xff;
    } catch (XenError e) {
      return 0xff;
    }
  }

  /** No domain owns a port: all ones, but for the two latches that Xen keeps. */
  private int read(int port, int size) {
    Domain d = vcpu.domain();
    if (port == PCI_ADDRESS && size == 4) {
      return d.pciAddress;
    }
    int value = -1;
    if (port <= RTC_INDEX && port + size > RTC_INDEX) {
      int shift = (RTC_INDEX - port) * 8;
      value = (value & ~(0xff << shift)) | d.cmosIndex << shift;
    }
    return value;
  }

  private void write(int port, int size, int value) {
    Domain d = vcpu.domain();
    if (port == PCI_ADDRESS && size == 4) {
      d.pciAddress = value;
    } else if (port <= RTC_INDEX && port + size > RTC_INDEX) {
      d.cmosIndex = value >> (RTC_INDEX - port) * 8 & 0x7f;
    }
  }

  /** One element of INS or OUTS; a repeated one comes back for the next. */
  private boolean string(Cpu c, Insn insn) {
    boolean input = insn.mnemonic() == Mnemonic.INS;
    int size = insn.size(input ? 0 : 1);
    int port = c.get16(RDX);
    if (!portAllowed(port, size)) {
      return false;
    }
    boolean repeated = insn.rep || insn.repne;
    long count = repeated ? c.get(RCX, insn.addressSize) : 1;
    if (count == 0) {
      return true;
    }
    int register = input ? RDI : RSI;
    long at = c.get(register, insn.addressSize);
    long va = at;
    if (c.codeBits != 64) {
      int segment =
          input || insn.segmentOverride == Insn.NONE ? input ? ES : DS : insn.segmentOverride;
      va = parhelion.cpu.Segments.linear(c, segment, at, size, input);
    } else if (!input && (insn.segmentOverride == FS || insn.segmentOverride == GS)) {
      va = at + c.get64(SEG_BASE + insn.segmentOverride * 8);
    }
    if (input) {
      c.store(va, size, read(port, size));
    } else {
      write(port, size, (int) c.load(va, size));
    }
    int step = (c.get64(RFLAGS) & Rflags.DF) != 0 ? -size : size;
    c.put(register, insn.addressSize, at + step);
    if (repeated) {
      c.put(RCX, insn.addressSize, count - 1);
      if (count > 1) {
        c.rip(c.rip() - insn.length);
      }
    }
    return true;
  }
}
