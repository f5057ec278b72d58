package parhelion.cpu;

import static parhelion.cpu.CpuState.*;

/**
 * Segmentation (SDM volume 3, chapters 3 and 5): descriptors, loads of segment registers with all
 * checks, linear addresses of legacy modes, and the instructions that look at descriptors. Control
 * transfers are in {@link FarTransfers}.
 *
 * <p>Attributes are a descriptor's bits 40..55 shifted down to bit 0, without the limit's bits.
 */
public final class Segments {
  static final int ATTR_MASK = 0xf0ff;

  /** Bits of attributes. */
  public static final int TYPE = 15;

  public static final int ACCESSED = 1;

  /** Data: writable. Code: readable. */
  public static final int WRITABLE = 2;

  /** Data: expand-down. Code: conforming. */
  public static final int CONFORMING = 4;

  public static final int CODE = 8;

  /** Code or data, not a system descriptor. */
  public static final int NORMAL = 16;

  public static final int PRESENT = 0x80;
  public static final int LONG = 0x2000;
  public static final int BIG = 0x4000;
  public static final int GRANULAR = 0x8000;

  private static final int REAL_DATA = 0x93;

  private Segments() {}

  // --- descriptors ---

  public static int attributes(long descriptor) {
    return (int) (descriptor >>> 40) & ATTR_MASK;
  }

  public static int dpl(int attributes) {
    return attributes >>> 5 & 3;
  }

  /** Bits 31..0 of the base. */
  public static long base(long descriptor) {
    return (descriptor >>> 16 & 0xff_ffff) | (descriptor >>> 32 & 0xff00_0000L);
  }

  /** Limit in bytes, granularity applied. */
  public static long limit(long descriptor) {
    long limit = (descriptor & 0xffff) | (descriptor >>> 32 & 0xf_0000);
    return (descriptor >>> 55 & 1) != 0 ? limit << 12 | 0xfff : limit;
  }

  /**
   * Linear address of a selector's descriptor, or -1 when {@code bytes} from it are not within its
   * table.
   */
  static long descriptorAddress(Cpu c, int selector, int bytes) {
    int index = selector & 0xfff8;
    if ((selector & 4) == 0) {
      return index + bytes - 1 <= c.get64(GDTR + 8) ? c.get64(GDTR) + index : -1L;
    }
    if ((c.get64(LDTR) & 0xfffc) == 0 || (c.get64(LDTR + 24) & PRESENT) == 0) {
      return -1L;
    }
    return index + bytes - 1 <= c.get64(LDTR + 16) ? c.get64(LDTR + 8) + index : -1L;
  }

  /**
   * A selector's descriptor; raises {@code vector} with the selector when it is beyond its table.
   */
  static long descriptor(Cpu c, int selector, int vector) {
    long at = descriptorAddress(c, selector, 8);
    if (at == -1L) {
      throw c.fault(vector, selector & 0xfffc);
    }
    return SystemMemory.load(c, at, 8);
  }

  /** Upper half of a 16-byte system descriptor of long mode. */
  static long upperHalf(Cpu c, int selector, int vector) {
    long at = descriptorAddress(c, selector, 16);
    if (at == -1L) {
      throw c.fault(vector, selector & 0xfffc);
    }
    return SystemMemory.load(c, at + 8, 8);
  }

  /** Sets a code or data descriptor's accessed bit in memory; can fault. */
  static void markAccessed(Cpu c, int selector, long descriptor) {
    if ((descriptor >>> 40 & ACCESSED) == 0) {
      long at = descriptorAddress(c, selector, 8) + 5;
      SystemMemory.store(c, at, 1, SystemMemory.load(c, at, 1) | ACCESSED);
    }
  }

  /** Fills a segment register's hidden and visible parts. */
  public static void set(Cpu c, int segment, int selector, long base, long limit, int attributes) {
    c.put64(SEG_SELECTOR + segment * 8, selector);
    c.put64(SEG_BASE + segment * 8, base);
    c.put64(SEG_LIMIT + segment * 8, limit);
    c.put64(SEG_ATTR + segment * 8, attributes);
  }

  static void set(Cpu c, int segment, int selector, long descriptor) {
    set(
        c,
        segment,
        selector,
        base(descriptor),
        limit(descriptor),
        attributes(descriptor) | ACCESSED);
  }

  static void setReal(Cpu c, int segment, int selector) {
    c.put64(SEG_SELECTOR + segment * 8, selector);
    c.put64(SEG_BASE + segment * 8, (long) selector << 4);
    c.put64(SEG_ATTR + segment * 8, REAL_DATA);
  }

  // --- loads ---

  /** MOV or POP to ES, SS, DS, FS or GS, LES and its kin. The caller updates the mode after SS. */
  public static void load(Cpu c, int segment, int selector) {
    if (!c.protectedMode()) {
      setReal(c, segment, selector);
      return;
    }
    if ((selector & 0xfffc) == 0) {
      if (segment == SS && (c.codeBits != 64 || c.cpl() == 3 || (selector & 3) != c.cpl())) {
        throw c.fault(GuestFault.GP, 0);
      }
      loadNull(c, segment, selector);
      return;
    }
    long d = descriptor(c, selector, GuestFault.GP);
    int attr = attributes(d);
    if (segment == SS) {
      checkStack(c, selector, attr, c.cpl(), GuestFault.GP);
    } else {
      checkData(c, selector, attr);
    }
    markAccessed(c, selector, d);
    set(c, segment, selector, d);
  }

  /** A null selector makes the register unusable; Intel's processors clear the base too. */
  static void loadNull(Cpu c, int segment, int selector) {
    set(c, segment, selector, 0, 0, segment == SS ? (selector & 3) << 5 : 0);
  }

  /** After a return to an outer level: registers with segments of an inner one become null. */
  static void dropInner(Cpu c) {
    for (int s = 0; s < 6; s++) {
      int attr = c.get32(SEG_ATTR + s * 8);
      boolean conforming = (attr & (CODE | CONFORMING)) == (CODE | CONFORMING);
      if (s != CS && s != SS && !conforming && dpl(attr) < c.cpl()) {
        int selector = c.get32(SEG_SELECTOR + s * 8);
        if ((attr & PRESENT) != 0 || (selector & 0xfffc) != 0) {
          loadNull(c, s, 0);
        }
      }
    }
  }

  private static void checkData(Cpu c, int selector, int attr) {
    boolean code = (attr & CODE) != 0;
    if ((attr & NORMAL) == 0 || (code && (attr & WRITABLE) == 0)) {
      throw c.fault(GuestFault.GP, selector & 0xfffc);
    }
    if (!code || (attr & CONFORMING) == 0) {
      int dpl = dpl(attr);
      if ((selector & 3) > dpl || c.cpl() > dpl) {
        throw c.fault(GuestFault.GP, selector & 0xfffc);
      }
    }
    if ((attr & PRESENT) == 0) {
      throw c.fault(GuestFault.NP, selector & 0xfffc);
    }
  }

  /**
   * Checks a stack segment for privilege level {@code cpl}; {@code vector} is #GP, or #TS for
   * stacks from a TSS.
   */
  static void checkStack(Cpu c, int selector, int attr, int cpl, int vector) {
    if ((selector & 3) != cpl
        || (attr & (NORMAL | CODE | WRITABLE)) != (NORMAL | WRITABLE)
        || dpl(attr) != cpl) {
      throw c.fault(vector, selector & 0xfffc);
    }
    if ((attr & PRESENT) == 0) {
      throw c.fault(GuestFault.SS, selector & 0xfffc);
    }
  }

  /** LLDT. */
  public static void loadLdt(Cpu c, int selector) {
    if ((selector & 0xfffc) == 0) {
      setSystem(c, LDTR, selector, 0, 0, 0);
      return;
    }
    long d = systemDescriptor(c, selector, GuestFault.GP);
    int attr = attributes(d);
    if ((attr & (NORMAL | TYPE)) != 2) {
      throw c.fault(GuestFault.GP, selector & 0xfffc);
    }
    if ((attr & PRESENT) == 0) {
      throw c.fault(GuestFault.NP, selector & 0xfffc);
    }
    setSystem(c, LDTR, selector, systemBase(c, selector, d), limit(d), attr);
  }

  /** LTR. */
  public static void loadTask(Cpu c, int selector) {
    if ((selector & 0xfffc) == 0) {
      throw c.fault(GuestFault.GP, 0);
    }
    long d = systemDescriptor(c, selector, GuestFault.GP);
    int attr = attributes(d);
    int type = attr & (NORMAL | TYPE);
    if (type != 9 && (type != 1 || c.longMode())) {
      throw c.fault(GuestFault.GP, selector & 0xfffc);
    }
    if ((attr & PRESENT) == 0) {
      throw c.fault(GuestFault.NP, selector & 0xfffc);
    }
    long base = systemBase(c, selector, d);
    setBusy(c, selector, true);
    setSystem(c, TR, selector, base, limit(d), attr | 2);
  }

  /** Sets or clears the busy bit of a TSS descriptor. */
  static void setBusy(Cpu c, int selector, boolean busy) {
    long at = descriptorAddress(c, selector, 8) + 5;
    long old = SystemMemory.load(c, at, 1);
    SystemMemory.store(c, at, 1, busy ? old | 2 : old & ~2L);
  }

  private static long systemDescriptor(Cpu c, int selector, int vector) {
    if ((selector & 4) != 0) {
      throw c.fault(vector, selector & 0xfffc);
    }
    return descriptor(c, selector, vector);
  }

  private static long systemBase(Cpu c, int selector, long descriptor) {
    if (!c.longMode()) {
      return base(descriptor);
    }
    long upper = upperHalf(c, selector, GuestFault.GP);
    long base = base(descriptor) | upper << 32;
    if ((upper >>> 40 & 0x1f) != 0 || base << 16 >> 16 != base) {
      throw c.fault(GuestFault.GP, selector & 0xfffc);
    }
    return base;
  }

  static void setSystem(Cpu c, int register, int selector, long base, long limit, int attributes) {
    c.put64(register, selector);
    c.put64(register + 8, base);
    c.put64(register + 16, limit);
    c.put64(register + 24, attributes);
  }

  // --- linear addresses ---

  /**
   * Linear address of {@code size} bytes at {@code segment:offset} outside 64-bit mode, with type
   * and limit checked.
   */
  public static long linear(Cpu c, int segment, long offset, int size, boolean write) {
    int attr = c.get32(SEG_ATTR + segment * 8);
    long limit = c.get64(SEG_LIMIT + segment * 8);
    long last = offset + Math.max(size, 1) - 1;
    boolean inside =
        (attr & (CODE | CONFORMING)) == CONFORMING && c.protectedMode()
            ? offset > limit && last <= ((attr & BIG) != 0 ? 0xffff_ffffL : 0xffffL)
            : last <= limit;
    if (!inside || !mayAccess(c, attr, write)) {
      throw c.fault(segment == SS ? GuestFault.SS : GuestFault.GP, 0);
    }
    return (c.get64(SEG_BASE + segment * 8) + offset) & 0xffff_ffffL;
  }

  private static boolean mayAccess(Cpu c, int attr, boolean write) {
    if (!c.protectedMode()) {
      return true;
    }
    if ((attr & PRESENT) == 0) {
      return false;
    }
    if (write) {
      return (attr & (CODE | WRITABLE)) == WRITABLE;
    }
    return (attr & (CODE | WRITABLE)) != CODE;
  }

  // --- LAR, LSL, VERR, VERW ---

  /** The descriptor that LAR, LSL, VERR or VERW may look at with these rights, or 0. */
  private static long visible(Cpu c, int selector) {
    if ((selector & 0xfffc) == 0) {
      return 0;
    }
    long at = descriptorAddress(c, selector, 8);
    if (at == -1L) {
      return 0;
    }
    long d = SystemMemory.load(c, at, 8);
    int attr = attributes(d);
    boolean conforming = (attr & (NORMAL | CODE | CONFORMING)) == (NORMAL | CODE | CONFORMING);
    int dpl = dpl(attr);
    if (!conforming && (c.cpl() > dpl || (selector & 3) > dpl)) {
      return 0;
    }
    return d;
  }

  /** LAR: the access rights as that instruction gives them, or -1 when it clears ZF. */
  public static long accessRights(Cpu c, int selector) {
    long d = visible(c, selector);
    int attr = attributes(d);
    int valid = c.longMode() ? 1 << 2 | 1 << 9 | 1 << 0xb | 1 << 0xc : 0x1a3e;
    if (d == 0 || ((attr & NORMAL) == 0 && (valid >>> (attr & TYPE) & 1) == 0)) {
      return -1L;
    }
    return d >>> 32 & 0xffff00; // bits 16 to 19 too, as processors do
  }

  /** LSL: the limit in bytes, or -1 when it clears ZF. */
  public static long segmentLimit(Cpu c, int selector) {
    long d = visible(c, selector);
    int attr = attributes(d);
    int valid = c.longMode() ? 1 << 2 | 1 << 9 | 1 << 0xb : 0x0a0e;
    if (d == 0 || ((attr & NORMAL) == 0 && (valid >>> (attr & TYPE) & 1) == 0)) {
      return -1L;
    }
    return limit(d);
  }

  /** VERR and VERW: whether the segment can be read or written at this privilege. */
  public static boolean verify(Cpu c, int selector, boolean write) {
    int attr = attributes(visible(c, selector));
    if ((attr & NORMAL) == 0) {
      return false;
    }
    boolean code = (attr & CODE) != 0;
    return write ? !code && (attr & WRITABLE) != 0 : !code || (attr & WRITABLE) != 0;
  }

  // --- ports ---

  /**
   * Whether the I/O permission bitmap of a 32-bit or 64-bit TSS allows {@code size} ports from
   * {@code port}.
   */
  public static boolean portAllowed(Cpu c, int port, int size) {
    long limit = c.get64(TR + 16);
    if (limit < 0x67 || (c.get32(TR + 24) & 0xf) != 0xb) {
      return false;
    }
    long base = c.get64(TR + 8);
    long at = SystemMemory.load(c, base + 0x66, 2) + (port >>> 3);
    if (at + 1 > limit) {
      return false;
    }
    long bits = SystemMemory.load(c, base + at, 2) >>> (port & 7);
    return (bits & ((1 << size) - 1)) == 0;
  }
}
