package parhelion.cpu;

import static parhelion.cpu.CpuState.*;

/**
 * Far JMP, CALL, RET and IRET in all modes (SDM volume 2, and volume 3, 5.8): code segments, call
 * gates with and without a change of privilege, returns to outer levels, switches between
 * compatibility and 64-bit mode. On entry RIP is that of the next instruction; everything is
 * checked before anything is committed.
 */
public final class FarTransfers {
  private static final int CALL_GATE16 = 4;
  private static final int CALL_GATE = 0xc;

  private FarTransfers() {}

  /** JMP to {@code selector:offset}. */
  public static void jump(Cpu c, int selector, long offset, int operandSize) {
    if (!c.protectedMode()) {
      long rip = realTarget(c, offset, operandSize);
      Segments.setReal(c, CS, selector);
      arrive(c, rip);
      return;
    }
    long d = targetDescriptor(c, selector);
    int attr = Segments.attributes(d);
    if ((attr & Segments.NORMAL) == 0) {
      jumpThrough(c, selector, d);
      return;
    }
    checkDirect(c, selector, attr);
    long rip = target(c, d, offset);
    enter(c, selector, d, c.cpl(), rip);
  }

  /** CALL to {@code selector:offset}. */
  public static void call(Cpu c, int selector, long offset, int operandSize) {
    if (!c.protectedMode()) {
      long rip = realTarget(c, offset, operandSize);
      Stack stack = Stack.current(c);
      stack.push(operandSize, c.get64(SEG_SELECTOR + CS * 8));
      stack.push(operandSize, c.rip());
      stack.commit();
      Segments.setReal(c, CS, selector);
      arrive(c, rip);
      return;
    }
    long d = targetDescriptor(c, selector);
    int attr = Segments.attributes(d);
    if ((attr & Segments.NORMAL) == 0) {
      callThrough(c, selector, d);
      return;
    }
    checkDirect(c, selector, attr);
    Stack stack = Stack.current(c);
    stack.push(operandSize, c.get64(SEG_SELECTOR + CS * 8));
    stack.push(operandSize, c.rip());
    long rip = target(c, d, offset);
    Segments.markAccessed(c, selector, d);
    stack.commit();
    enter(c, selector, d, c.cpl(), rip);
  }

  private static long realTarget(Cpu c, long offset, int operandSize) {
    long rip = operandSize == 2 ? offset & 0xffff : offset & 0xffff_ffffL;
    if (rip > c.get64(SEG_LIMIT + CS * 8)) {
      throw c.fault(GuestFault.GP, 0);
    }
    return rip;
  }

  private static long targetDescriptor(Cpu c, int selector) {
    if ((selector & 0xfffc) == 0) {
      throw c.fault(GuestFault.GP, 0);
    }
    return Segments.descriptor(c, selector, GuestFault.GP);
  }

  /** A code segment named by the instruction itself. */
  private static void checkDirect(Cpu c, int selector, int attr) {
    checkCode(c, selector, attr);
    int dpl = Segments.dpl(attr);
    boolean allowed =
        (attr & Segments.CONFORMING) != 0
            ? dpl <= c.cpl()
            : (selector & 3) <= c.cpl() && dpl == c.cpl();
    if (!allowed) {
      throw c.fault(GuestFault.GP, selector & 0xfffc);
    }
    checkPresent(c, selector, attr);
  }

  /** Is a code segment, of a kind that exists. */
  private static void checkCode(Cpu c, int selector, int attr) {
    int both = Segments.LONG | Segments.BIG;
    if ((attr & (Segments.NORMAL | Segments.CODE)) != (Segments.NORMAL | Segments.CODE)
        || (c.longMode() && (attr & both) == both)) {
      throw c.fault(GuestFault.GP, selector & 0xfffc);
    }
  }

  private static void checkPresent(Cpu c, int selector, int attr) {
    if ((attr & Segments.PRESENT) == 0) {
      throw c.fault(GuestFault.NP, selector & 0xfffc);
    }
  }

  private static boolean is64(Cpu c, long descriptor) {
    return c.longMode() && (Segments.attributes(descriptor) & Segments.LONG) != 0;
  }

  /** The offset within a code segment: canonical, or within the limit. */
  private static long target(Cpu c, long descriptor, long offset) {
    if (is64(c, descriptor)) {
      if (offset << 16 >> 16 != offset) {
        throw c.fault(GuestFault.GP, 0);
      }
      return offset;
    }
    long rip = offset & 0xffff_ffffL;
    if (rip > Segments.limit(descriptor)) {
      throw c.fault(GuestFault.GP, 0);
    }
    return rip;
  }

  private static void enter(Cpu c, int selector, long d, int cpl, long rip) {
    Segments.markAccessed(c, selector, d);
    Segments.set(c, CS, selector & 0xfffc | cpl, d);
    c.put64(CPL, cpl);
    arrive(c, rip);
  }

  private static void arrive(Cpu c, long rip) {
    c.rip(rip);
    c.updateMode();
  }

  // --- gates ---

  private record Gate(int selector, long offset, int size, int parameters, long target) {}

  /**
   * Reads and checks a call gate and finds its code segment; what privilege that may have is the
   * caller's matter.
   */
  private static Gate gate(Cpu c, int selector, long low) {
    int attr = Segments.attributes(low);
    int type = attr & Segments.TYPE;
    if (type != CALL_GATE && (type != CALL_GATE16 || c.longMode())) {
      throw c.fault(GuestFault.GP, selector & 0xfffc);
    }
    int dpl = Segments.dpl(attr);
    if (dpl < c.cpl() || dpl < (selector & 3)) {
      throw c.fault(GuestFault.GP, selector & 0xfffc);
    }
    long upper = c.longMode() ? Segments.upperHalf(c, selector, GuestFault.GP) : 0;
    if ((upper >>> 40 & 0x1f) != 0) {
      throw c.fault(GuestFault.GP, selector & 0xfffc);
    }
    checkPresent(c, selector, attr);
    int code = (int) (low >>> 16) & 0xffff;
    long d = targetDescriptor(c, code);
    int codeAttr = Segments.attributes(d);
    checkCode(c, code, codeAttr);
    if (Segments.dpl(codeAttr) > c.cpl() || (c.longMode() && !is64(c, d))) {
      throw c.fault(GuestFault.GP, code & 0xfffc);
    }
    int size = c.longMode() ? 8 : type == CALL_GATE ? 4 : 2;
    long offset = low & 0xffff | (size == 2 ? 0 : low >>> 32 & 0xffff_0000L) | upper << 32;
    return new Gate(code, offset, size, (int) (low >>> 32) & 31, d);
  }

  private static void jumpThrough(Cpu c, int selector, long d) {
    if (isTask(c, d)) {
      TaskSwitch.jump(c, selector, d);
      return;
    }
    Gate gate = gate(c, selector, d);
    int attr = Segments.attributes(gate.target);
    if ((attr & Segments.CONFORMING) == 0 && Segments.dpl(attr) != c.cpl()) {
      throw c.fault(GuestFault.GP, gate.selector & 0xfffc);
    }
    checkPresent(c, gate.selector, attr);
    enter(c, gate.selector, gate.target, c.cpl(), target(c, gate.target, gate.offset));
  }

  private static void callThrough(Cpu c, int selector, long d) {
    if (isTask(c, d)) {
      TaskSwitch.call(c, selector, d);
      return;
    }
    Gate gate = gate(c, selector, d);
    int attr = Segments.attributes(gate.target);
    checkPresent(c, gate.selector, attr);
    int dpl = Segments.dpl(attr);
    boolean inner = (attr & Segments.CONFORMING) == 0 && dpl < c.cpl();
    int cpl = inner ? dpl : c.cpl();
    Stack stack;
    if (!inner) {
      stack = Stack.current(c);
    } else if (c.longMode()) {
      stack = Stack.flat(c, InterruptEntry.taskField64(c, 4 + cpl * 8), cpl);
    } else {
      stack = Stack.inner(c, cpl);
    }
    if (inner) {
      stack.push(gate.size, c.get64(SEG_SELECTOR + SS * 8));
      stack.push(gate.size, c.get64(RSP));
      if (!c.longMode()) {
        Stack outer = Stack.current(c);
        for (int i = gate.parameters - 1; i >= 0; i--) {
          stack.push(gate.size, outer.peek(i * gate.size, gate.size));
        }
      }
    }
    stack.push(gate.size, c.get64(SEG_SELECTOR + CS * 8));
    stack.push(gate.size, c.rip());
    long rip = target(c, gate.target, gate.offset);
    Segments.markAccessed(c, gate.selector, gate.target);
    stack.commit();
    if (inner && c.longMode()) {
      Segments.loadNull(c, SS, cpl);
    }
    enter(c, gate.selector, gate.target, cpl, rip);
  }

  private static boolean isTask(Cpu c, long descriptor) {
    int type = Segments.attributes(descriptor) & Segments.TYPE;
    return !c.longMode() && (type == 1 || type == 3 || type == 5 || type == 9 || type == 0xb);
  }

  // --- returns ---

  /** RETF, which also releases {@code bytes} of parameters. */
  public static void ret(Cpu c, int operandSize, int bytes) {
    Stack stack = Stack.current(c);
    long rip = stack.pop(operandSize);
    int selector = (int) stack.pop(operandSize) & 0xffff;
    if (!c.protectedMode()) {
      rip = realTarget(c, rip, operandSize);
      stack.release(bytes);
      stack.commit();
      Segments.setReal(c, CS, selector);
      arrive(c, rip);
      return;
    }
    long d = returnSegment(c, selector);
    int cpl = selector & 3;
    stack.release(bytes);
    if (cpl == c.cpl()) {
      long to = target(c, d, rip);
      Segments.markAccessed(c, selector, d);
      stack.commit();
      enter(c, selector, d, cpl, to);
      return;
    }
    long rsp = stack.pop(operandSize);
    int ss = (int) stack.pop(operandSize) & 0xffff;
    returnOuter(c, selector, d, rip, ss, rsp, operandSize, bytes);
  }

  /** The code segment that a return names. */
  private static long returnSegment(Cpu c, int selector) {
    long d = targetDescriptor(c, selector);
    int attr = Segments.attributes(d);
    int rpl = selector & 3;
    checkCode(c, selector, attr);
    int dpl = Segments.dpl(attr);
    if (rpl < c.cpl() || ((attr & Segments.CONFORMING) != 0 ? dpl > rpl : dpl != rpl)) {
      throw c.fault(GuestFault.GP, selector & 0xfffc);
    }
    checkPresent(c, selector, attr);
    return d;
  }

  /** Return with a new stack: to an outer level, or to any from 64-bit IRET. */
  private static void returnOuter(
      Cpu c, int selector, long d, long rip, int ss, long rsp, int operandSize, int release) {
    int cpl = selector & 3;
    boolean nullStack = (ss & 0xfffc) == 0;
    long stackDescriptor = 0;
    if (nullStack) {
      if (!is64(c, d) || cpl == 3 || (ss & 3) != cpl) {
        throw c.fault(GuestFault.GP, 0);
      }
    } else {
      stackDescriptor = Segments.descriptor(c, ss, GuestFault.GP);
      Segments.checkStack(c, ss, Segments.attributes(stackDescriptor), cpl, GuestFault.GP);
    }
    long to = target(c, d, rip);
    Segments.markAccessed(c, selector, d);
    if (nullStack) {
      Segments.loadNull(c, SS, ss);
    } else {
      Segments.markAccessed(c, ss, stackDescriptor);
      Segments.set(c, SS, ss, stackDescriptor);
    }
    boolean outer = cpl > c.cpl();
    setOuterPointer(c, d, rsp + release, operandSize);
    Segments.set(c, CS, selector, d);
    c.put64(CPL, cpl);
    arrive(c, to);
    if (outer) {
      Segments.dropInner(c);
    }
  }

  /** A 16-bit stack keeps the upper half of ESP, as processors do. */
  private static void setOuterPointer(Cpu c, long codeDescriptor, long rsp, int operandSize) {
    boolean big = (c.get32(SEG_ATTR + SS * 8) & Segments.BIG) != 0;
    if (is64(c, codeDescriptor)) {
      c.put64(RSP, operandSize == 8 ? rsp : rsp & (operandSize == 4 ? 0xffff_ffffL : 0xffffL));
    } else if (big) {
      c.put64(RSP, rsp & 0xffff_ffffL);
    } else {
      c.put16(RSP, (int) rsp);
    }
  }

  /** IRET, IRETD, IRETQ. */
  public static void iret(Cpu c, int operandSize) {
    if (!c.protectedMode()) {
      Stack stack = Stack.current(c);
      long rip = realTarget(c, stack.pop(operandSize), operandSize);
      int selector = (int) stack.pop(operandSize) & 0xffff;
      long flags = stack.pop(operandSize);
      stack.commit();
      Segments.setReal(c, CS, selector);
      arrive(c, rip);
      returnFlags(c, flags, operandSize, 0);
      return;
    }
    if ((c.get64(RFLAGS) & Rflags.NT) != 0) {
      if (c.longMode()) {
        throw c.fault(GuestFault.GP, 0);
      }
      TaskSwitch.iret(c);
      return;
    }
    int before = c.cpl();
    boolean from64 = c.codeBits == 64;
    Stack stack = Stack.current(c);
    long rip = stack.pop(operandSize);
    int selector = (int) stack.pop(operandSize) & 0xffff;
    long flags = stack.pop(operandSize);
    if ((flags & Rflags.VM) != 0 && before == 0 && !c.longMode() && operandSize == 4) {
      throw c.fault(GuestFault.GP, 0); // virtual-8086 mode: see docs/quirks.md
    }
    if (from64) {
      long rsp = stack.pop(operandSize);
      int ss = (int) stack.pop(operandSize) & 0xffff;
      long d = returnSegment(c, selector);
      returnOuter(c, selector, d, rip, ss, rsp, operandSize, 0);
    } else {
      long d = returnSegment(c, selector);
      if ((selector & 3) > before) {
        long rsp = stack.pop(operandSize);
        int ss = (int) stack.pop(operandSize) & 0xffff;
        returnOuter(c, selector, d, rip, ss, rsp, operandSize, 0);
      } else {
        long to = target(c, d, rip);
        Segments.markAccessed(c, selector, d);
        stack.commit();
        enter(c, selector, d, before, to);
      }
    }
    returnFlags(c, flags, operandSize, before);
  }

  /**
   * RFLAGS from a frame with the rights of the level that executed IRET; RF only matters while
   * there are breakpoints.
   */
  private static void returnFlags(Cpu c, long flags, int operandSize, int cpl) {
    c.nmiBlocked = false;
    long old = c.rflags();
    long mask = Rflags.ARITHMETIC | Rflags.TF | Rflags.DF | Rflags.NT;
    if (operandSize != 2) {
      mask |= Rflags.AC | Rflags.ID | ((c.get64(DR7) & 0xff) != 0 ? Rflags.RF : 0);
    }
    if (cpl == 0) {
      mask |= Rflags.IOPL;
    }
    if (cpl <= (old >>> 12 & 3)) {
      mask |= Rflags.IF;
    }
    if (operandSize != 2) {
      old &= ~(long) Rflags.RF;
    }
    c.rflags((old & ~mask) | (flags & mask));
  }
}
