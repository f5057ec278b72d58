package parhelion.cpu;

import static parhelion.cpu.CpuState.*;

/**
 * The stack that a control transfer pushes to or pops from: the current one, an inner privilege
 * level's, or a flat one of 64-bit mode. The stack pointer is moved only by {@link #commit}, so a
 * fault on the way leaves the CPU as it was.
 */
final class Stack {
  private final Cpu c;
  private final boolean flat;
  private final long base;
  private final long limit;
  private final int attr;
  private final long mask;

  /** Privilege level of the accesses. */
  private final int cpl;

  /** Inner stacks: the new SS. */
  private final int selector;

  private final long descriptor;

  long sp;

  private Stack(
      Cpu c,
      boolean flat,
      long sp,
      int cpl,
      long base,
      long limit,
      int attr,
      int selector,
      long descriptor) {
    this.c = c;
    this.flat = flat;
    this.sp = sp;
    this.cpl = cpl;
    this.base = base;
    this.limit = limit;
    this.attr = attr;
    this.selector = selector;
    this.descriptor = descriptor;
    mask = flat ? -1L : (attr & Segments.BIG) != 0 ? 0xffff_ffffL : 0xffffL;
  }

  /** SS:rSP as it is. */
  static Stack current(Cpu c) {
    if (c.codeBits == 64) {
      return flat(c, c.get64(RSP), c.cpl());
    }
    return new Stack(
        c,
        false,
        c.get64(RSP),
        c.cpl(),
        c.get64(SEG_BASE + SS * 8),
        c.get64(SEG_LIMIT + SS * 8),
        c.get32(SEG_ATTR + SS * 8),
        -1,
        0);
  }

  /** A stack without segmentation, accessed at privilege level {@code cpl}. */
  static Stack flat(Cpu c, long rsp, int cpl) {
    return new Stack(c, true, rsp, cpl, 0, 0, 0, -1, 0);
  }

  /** The stack that the legacy TSS names for an inner level; checked. */
  static Stack inner(Cpu c, int cpl) {
    boolean wide = (c.get32(TR + 24) & 8) != 0;
    int offset = wide ? 4 + cpl * 8 : 2 + cpl * 4;
    int size = wide ? 4 : 2;
    if (offset + size + 1 > c.get64(TR + 16)) {
      throw c.fault(GuestFault.TS, c.get32(TR) & 0xfffc);
    }
    long sp = SystemMemory.load(c, c.get64(TR + 8) + offset, size);
    int selector = (int) SystemMemory.load(c, c.get64(TR + 8) + offset + size, 2);
    if ((selector & 0xfffc) == 0) {
      throw c.fault(GuestFault.TS, 0);
    }
    long d = Segments.descriptor(c, selector, GuestFault.TS);
    Segments.checkStack(c, selector, Segments.attributes(d), cpl, GuestFault.TS);
    return new Stack(
        c,
        false,
        sp,
        cpl,
        Segments.base(d),
        Segments.limit(d),
        Segments.attributes(d),
        selector,
        d);
  }

  void push(int size, long value) {
    long to = (sp - size) & mask;
    long va = address(to, size);
    if (cpl == 3 || c.cpl() != 3) {
      c.store(va, size, value);
    } else {
      SystemMemory.store(c, va, size, value);
    }
    sp = (sp & ~mask) | to;
  }

  long pop(int size) {
    long value = peek(0, size);
    sp = (sp & ~mask) | ((sp + size) & mask);
    return value;
  }

  void release(int bytes) {
    sp = (sp & ~mask) | ((sp + bytes) & mask);
  }

  /** Reads {@code offset} bytes above the top. */
  long peek(int offset, int size) {
    long va = address((sp + offset) & mask, size);
    return cpl == 3 || c.cpl() != 3 ? c.load(va, size) : SystemMemory.load(c, va, size);
  }

  private long address(long offset, int size) {
    if (flat) {
      if (offset << 16 >> 16 != offset) {
        throw c.fault(GuestFault.SS, 0);
      }
      return offset;
    }
    long last = offset + size - 1;
    boolean down = (attr & (Segments.CODE | Segments.CONFORMING)) == Segments.CONFORMING;
    boolean inside = down ? offset > limit && last <= mask : last <= limit;
    if (!inside) {
      throw c.fault(GuestFault.SS, selector < 0 ? 0 : selector & 0xfffc);
    }
    return (base + offset) & 0xffff_ffffL;
  }

  /** Makes this the CPU's stack: SS where it is a new one, and rSP. */
  void commit() {
    if (selector >= 0) {
      Segments.markAccessed(c, selector, descriptor);
      Segments.set(c, SS, selector, descriptor);
      c.put64(RSP, sp & mask);
    } else if (flat) {
      c.put64(RSP, sp);
    } else {
      c.put64(RSP, mask == 0xffffL ? sp : sp & mask);
    }
  }
}
