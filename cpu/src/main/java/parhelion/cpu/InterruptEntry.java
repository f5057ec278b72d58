package parhelion.cpu;

import static parhelion.cpu.CpuState.*;

/**
 * The three ways into a handler: real mode's vector table, legacy gates, long mode's gates. Commits
 * all or throws.
 */
final class InterruptEntry {
  private static final int IDT = 2;

  private InterruptEntry() {}

  static void real(Cpu c, int vector, long flags) {
    if (vector * 4 + 3 > c.get64(IDTR + 8)) {
      throw c.fault(GuestFault.GP, 0);
    }
    long target = SystemMemory.load(c, c.get64(IDTR) + vector * 4L, 4);
    Stack stack = Stack.current(c);
    stack.push(2, flags);
    stack.push(2, c.get64(SEG_SELECTOR + CS * 8));
    stack.push(2, c.rip());
    stack.commit();
    Segments.setReal(c, CS, (int) (target >>> 16) & 0xffff);
    c.rip(target & 0xffff);
    c.rflags(flags & ~(long) (Rflags.IF | Rflags.TF | Rflags.AC));
    c.updateMode();
  }

  static void longMode(Cpu c, int vector, int code, boolean software, long flags) {
    int idtCode = vector * 8 + IDT;
    if (vector * 16L + 15 > c.get64(IDTR + 8)) {
      throw c.fault(GuestFault.GP, idtCode);
    }
    long low = SystemMemory.load(c, c.get64(IDTR) + vector * 16L, 8);
    long high = SystemMemory.load(c, c.get64(IDTR) + vector * 16L + 8, 8);
    int attr = Segments.attributes(low);
    int type = attr & 0x1f;
    if ((type != 14 && type != 15) || (software && Segments.dpl(attr) < c.cpl())) {
      throw c.fault(GuestFault.GP, idtCode);
    }
    if ((attr & Segments.PRESENT) == 0) {
      throw c.fault(GuestFault.NP, idtCode);
    }
    int selector = (int) (low >>> 16) & 0xffff;
    long d = targetCode(c, selector);
    int codeAttr = Segments.attributes(d);
    if ((codeAttr & (Segments.LONG | Segments.BIG)) != Segments.LONG) {
      throw c.fault(GuestFault.GP, selector & 0xfffc);
    }
    int cpl = (codeAttr & Segments.CONFORMING) != 0 ? c.cpl() : Segments.dpl(codeAttr);
    long rip = (low & 0xffff) | (low >>> 32 & 0xffff_0000L) | high << 32;
    boolean inner = cpl < c.cpl();
    int ist = (int) (low >>> 32) & 7;
    long rsp = c.get64(RSP);
    if (ist != 0) {
      rsp = taskField64(c, 0x24 + (ist - 1) * 8);
    } else if (inner) {
      rsp = taskField64(c, 4 + cpl * 8);
    }
    Stack stack = Stack.flat(c, rsp & -16L, cpl);
    stack.push(8, c.get64(SEG_SELECTOR + SS * 8));
    stack.push(8, c.get64(RSP));
    stack.push(8, flags);
    stack.push(8, c.get64(SEG_SELECTOR + CS * 8));
    stack.push(8, c.rip());
    if (code >= 0) {
      stack.push(8, code);
    }
    if (rip << 16 >> 16 != rip) {
      throw c.fault(GuestFault.GP, 0);
    }
    Segments.markAccessed(c, selector, d);
    Segments.set(c, CS, selector & 0xfffc | cpl, d);
    if (inner) {
      Segments.loadNull(c, SS, cpl);
    }
    c.put64(RSP, stack.sp);
    finish(c, cpl, rip, flags, type == 14);
  }

  static void legacy(Cpu c, int vector, int code, boolean software, long flags) {
    int idtCode = vector * 8 + IDT;
    if (vector * 8L + 7 > c.get64(IDTR + 8)) {
      throw c.fault(GuestFault.GP, idtCode);
    }
    long gate = SystemMemory.load(c, c.get64(IDTR) + vector * 8L, 8);
    int attr = Segments.attributes(gate);
    int type = attr & 0x1f;
    boolean valid = type == 5 || type == 6 || type == 7 || type == 14 || type == 15;
    if (!valid || (software && Segments.dpl(attr) < c.cpl())) {
      throw c.fault(GuestFault.GP, idtCode);
    }
    if ((attr & Segments.PRESENT) == 0) {
      throw c.fault(GuestFault.NP, idtCode);
    }
    int selector = (int) (gate >>> 16) & 0xffff;
    if (type == 5) {
      TaskSwitch.interrupt(c, selector, code);
      return;
    }
    int size = type >= 14 ? 4 : 2;
    long d = targetCode(c, selector);
    int codeAttr = Segments.attributes(d);
    int cpl = (codeAttr & Segments.CONFORMING) != 0 ? c.cpl() : Segments.dpl(codeAttr);
    long rip = (gate & 0xffff) | (size == 4 ? gate >>> 32 & 0xffff_0000L : 0);
    boolean inner = cpl < c.cpl();
    Stack stack = inner ? Stack.inner(c, cpl) : Stack.current(c);
    if (inner) {
      stack.push(size, c.get64(SEG_SELECTOR + SS * 8));
      stack.push(size, c.get64(RSP));
    }
    stack.push(size, flags);
    stack.push(size, c.get64(SEG_SELECTOR + CS * 8));
    stack.push(size, c.rip());
    if (code >= 0) {
      stack.push(size, code);
    }
    if (rip > Segments.limit(d)) {
      throw c.fault(GuestFault.GP, 0);
    }
    Segments.markAccessed(c, selector, d);
    stack.commit();
    Segments.set(c, CS, selector & 0xfffc | cpl, d);
    finish(c, cpl, rip, flags, (type & 1) == 0);
  }

  private static void finish(Cpu c, int cpl, long rip, long flags, boolean interruptGate) {
    c.put64(CPL, cpl);
    c.rip(rip);
    c.updateMode();
    long cleared = Rflags.TF | Rflags.NT | Rflags.RF | Rflags.VM | (interruptGate ? Rflags.IF : 0);
    c.rflags(flags & ~cleared);
  }

  /** The code segment of a gate, checked except for its mode. */
  private static long targetCode(Cpu c, int selector) {
    if ((selector & 0xfffc) == 0) {
      throw c.fault(GuestFault.GP, 0);
    }
    long d = Segments.descriptor(c, selector, GuestFault.GP);
    int attr = Segments.attributes(d);
    if ((attr & (Segments.NORMAL | Segments.CODE)) != (Segments.NORMAL | Segments.CODE)
        || Segments.dpl(attr) > c.cpl()) {
      throw c.fault(GuestFault.GP, selector & 0xfffc);
    }
    if ((attr & Segments.PRESENT) == 0) {
      throw c.fault(GuestFault.NP, selector & 0xfffc);
    }
    return d;
  }

  /** Eight bytes of the 64-bit TSS: a stack pointer. */
  static long taskField64(Cpu c, int offset) {
    if (offset + 7 > c.get64(TR + 16)) {
      throw c.fault(GuestFault.TS, c.get32(TR) & 0xfffc);
    }
    return SystemMemory.load(c, c.get64(TR + 8) + offset, 8);
  }
}
