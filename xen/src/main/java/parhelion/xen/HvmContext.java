package parhelion.xen;

import parhelion.abi.Bytes;
import parhelion.abi.Errno;
import parhelion.abi.Field.U16;
import parhelion.abi.Field.U32;
import parhelion.abi.VcpuHvmContext;
import parhelion.abi.VcpuHvmContext.Bits32;
import parhelion.abi.VcpuHvmContext.Bits64;
import parhelion.cpu.ControlRegisters;
import parhelion.cpu.Cpu;
import parhelion.cpu.CpuState;
import parhelion.cpu.GuestFault;
import parhelion.cpu.Rflags;
import parhelion.cpu.Segments;

/**
 * Puts a processor of a fully virtualised domain into the state that VCPUOP_initialise names. What
 * the processor itself would refuse is EINVAL, and it is as after its reset then.
 */
final class HvmContext {
  private static final int CODE_BITS = Segments.PRESENT | Segments.NORMAL | Segments.CODE;
  private static final int FLAT_CODE64 = 0xa09b;
  private static final int FLAT_DATA = 0xc093;
  private static final int TSS = 0x8b;
  private static final long MAX_LIMIT = 0xffff_ffffL;

  private HvmContext() {}

  static void install(Cpu c, Bytes b) {
    long apicBase = c.get64(CpuState.APIC_BASE);
    boolean done = false;
    try {
      c.reset();
      switch ((int) VcpuHvmContext.MODE.get(b, 0)) {
        case VcpuHvmContext.Value.MODE_32B -> install32(c, b, VcpuHvmContext.X86_32.at(0));
        case VcpuHvmContext.Value.MODE_64B -> install64(c, b, VcpuHvmContext.X86_64.at(0));
        default -> throw new XenError(Errno.EINVAL);
      }
      done = true;
    } catch (GuestFault e) {
      throw new XenError(Errno.EINVAL);
    } finally {
      if (!done) {
        c.reset();
      }
      c.put64(CpuState.APIC_BASE, apicBase);
      c.stateChanged();
    }
  }

  private static void control(Cpu c, long cr0, long cr3, long cr4, long efer) {
    if ((cr0 & ControlRegisters.CR0_PE) == 0) {
      throw new XenError(Errno.EINVAL);
    }
    c.put64(CpuState.CR3, cr3);
    ControlRegisters.writeCr4(c, cr4);
    ControlRegisters.writeEfer(c, efer & ~ControlRegisters.EFER_LMA);
    ControlRegisters.writeCr0(c, cr0);
  }

  private static void install32(Cpu c, Bytes b, long at) {
    if ((Bits32.EFER.get(b, at) & ControlRegisters.EFER_LME) != 0) {
      throw new XenError(Errno.EINVAL);
    }
    control(
        c,
        Bits32.CR0.get(b, at),
        Bits32.CR3.get(b, at),
        Bits32.CR4.get(b, at),
        Bits32.EFER.get(b, at));
    segment(c, CpuState.CS, b, at, Bits32.CS_BASE, Bits32.CS_LIMIT, Bits32.CS_AR);
    segment(c, CpuState.DS, b, at, Bits32.DS_BASE, Bits32.DS_LIMIT, Bits32.DS_AR);
    segment(c, CpuState.SS, b, at, Bits32.SS_BASE, Bits32.SS_LIMIT, Bits32.SS_AR);
    segment(c, CpuState.ES, b, at, Bits32.ES_BASE, Bits32.ES_LIMIT, Bits32.ES_AR);
    segment(c, CpuState.TR, b, at, Bits32.TR_BASE, Bits32.TR_LIMIT, Bits32.TR_AR);
    c.put64(CpuState.RAX, Bits32.EAX.get(b, at));
    c.put64(CpuState.RCX, Bits32.ECX.get(b, at));
    c.put64(CpuState.RDX, Bits32.EDX.get(b, at));
    c.put64(CpuState.RBX, Bits32.EBX.get(b, at));
    c.put64(CpuState.RSP, Bits32.ESP.get(b, at));
    c.put64(CpuState.RBP, Bits32.EBP.get(b, at));
    c.put64(CpuState.RSI, Bits32.ESI.get(b, at));
    c.put64(CpuState.RDI, Bits32.EDI.get(b, at));
    flags(c, Bits32.EFLAGS.get(b, at));
    c.rip(Bits32.EIP.get(b, at));
  }

  /** Attributes are those of a descriptor without the gap where its limit's upper bits are. */
  private static void segment(
      Cpu c, int segment, Bytes b, long at, U32 base, U32 limit, U16 attributes) {
    int given = attributes.get(b, at);
    int bits = given & 0xff | (given & 0xf00) << 4;
    boolean code = segment == CpuState.CS;
    boolean right =
        segment == CpuState.TR
            ? (bits & Segments.PRESENT) == 0 || (bits & 0x1f) == (TSS & 0x1f)
            : (bits & CODE_BITS) == (code ? CODE_BITS : CODE_BITS & ~Segments.CODE)
                || !code && bits == 0;
    if (!right || given >>> 12 != 0 || (bits & 0x60) != 0 || (bits & Segments.LONG) != 0) {
      throw new XenError(Errno.EINVAL);
    }
    Segments.set(c, segment, 0, base.get(b, at), limit.get(b, at), bits);
  }

  private static void install64(Cpu c, Bytes b, long at) {
    long efer = Bits64.EFER.get(b, at);
    long cr0 = Bits64.CR0.get(b, at);
    if ((efer & ControlRegisters.EFER_LME) == 0 || (cr0 & ControlRegisters.CR0_PG) == 0) {
      throw new XenError(Errno.EINVAL);
    }
    control(c, cr0, Bits64.CR3.get(b, at), Bits64.CR4.get(b, at), efer);
    Segments.set(c, CpuState.CS, 0, 0, MAX_LIMIT, FLAT_CODE64);
    for (int segment : new int[] {CpuState.DS, CpuState.SS, CpuState.ES}) {
      Segments.set(c, segment, 0, 0, MAX_LIMIT, FLAT_DATA);
    }
    Segments.set(c, CpuState.TR, 0, 0, 0x67, TSS);
    c.put64(CpuState.RAX, Bits64.RAX.get(b, at));
    c.put64(CpuState.RCX, Bits64.RCX.get(b, at));
    c.put64(CpuState.RDX, Bits64.RDX.get(b, at));
    c.put64(CpuState.RBX, Bits64.RBX.get(b, at));
    c.put64(CpuState.RSP, Bits64.RSP.get(b, at));
    c.put64(CpuState.RBP, Bits64.RBP.get(b, at));
    c.put64(CpuState.RSI, Bits64.RSI.get(b, at));
    c.put64(CpuState.RDI, Bits64.RDI.get(b, at));
    flags(c, Bits64.RFLAGS.get(b, at));
    c.rip(Bits64.RIP.get(b, at));
  }

  private static void flags(Cpu c, long value) {
    if ((value & ~0x3f_7fd7L) != 0) {
      throw new XenError(Errno.EINVAL);
    }
    c.put64(CpuState.RFLAGS, value | Rflags.FIXED);
  }
}
