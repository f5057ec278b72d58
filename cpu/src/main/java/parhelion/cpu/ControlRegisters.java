package parhelion.cpu;

import static parhelion.cpu.CpuState.*;

import parhelion.cpu.decode.Feature;

/**
 * Writes of control and debug registers with their reserved bits, mode switches and TLB flushes
 * (SDM volume 3, 2.5 and 18.2). The caller has checked the privilege level.
 */
public final class ControlRegisters {
  public static final long CR0_PE = 1;
  public static final long CR0_TS = 1 << 3;
  private static final long CR0_ET = 1 << 4;
  private static final long CR0_WP = 1 << 16;
  private static final long CR0_NW = 1 << 29;
  private static final long CR0_CD = 1 << 30;
  public static final long CR0_PG = 1L << 31;

  /** PE, MP, EM, TS, NE, WP, AM, NW, CD, PG; other bits cannot be set, ET is always set. */
  private static final long CR0_BITS = 0xe005_002fL;

  public static final long CR4_TSD = 1 << 2;
  public static final long CR4_DE = 1 << 3;
  private static final long CR4_PSE = 1 << 4;
  public static final long CR4_PAE = 1 << 5;
  static final long CR4_PGE = 1 << 7;
  public static final long CR4_PCE = 1 << 8;
  public static final long CR4_FSGSBASE = 1 << 16;
  public static final long CR4_PCIDE = 1 << 17;
  public static final long CR4_OSXSAVE = 1 << 18;
  private static final long CR4_SMEP = 1 << 20;
  public static final long CR4_SMAP = 1 << 21;

  public static final long EFER_SCE = 1;
  public static final long EFER_LME = 1 << 8;
  public static final long EFER_LMA = 1 << 10;
  public static final long EFER_NXE = 1 << 11;

  /** With PCIDE, bit 63 of what is written to CR3: translations may stay. */
  private static final long KEEP = 1L << 63;

  private static final long DR6_FIXED = 0xffff_0ff0L;
  private static final long DR6_BITS = 0xe00f;
  private static final long DR7_FIXED = 0x400;
  private static final long DR7_BITS = 0xffff_23ffL;

  private ControlRegisters() {}

  /** MOV to CR0, LMSW, CLTS. */
  public static void writeCr0(Cpu c, long value) {
    long old = c.get64(CR0);
    long now = value & (CR0_BITS | ~0xffff_ffffL) | CR0_ET;
    boolean paging = (now & CR0_PG) != 0;
    if (now >>> 32 != 0
        || (paging && (now & CR0_PE) == 0)
        || ((now & CR0_NW) != 0 && (now & CR0_CD) == 0)) {
      throw c.fault(GuestFault.GP, 0);
    }
    long efer = c.get64(EFER);
    if (paging && (old & CR0_PG) == 0) {
      if ((efer & EFER_LME) != 0) {
        boolean code64 = (c.get32(SEG_ATTR + CS * 8) & Segments.LONG) != 0;
        if ((c.get64(CR4) & CR4_PAE) == 0 || code64) {
          throw c.fault(GuestFault.GP, 0);
        }
        efer |= EFER_LMA;
      } else if ((c.get64(CR4) & CR4_PAE) != 0) {
        checkPointers(c, c.get64(CR3));
      }
    } else if (!paging && (old & CR0_PG) != 0) {
      if (c.codeBits == 64 || (c.get64(CR4) & CR4_PCIDE) != 0) {
        throw c.fault(GuestFault.GP, 0);
      }
      efer &= ~EFER_LMA;
    }
    c.put64(EFER, efer);
    c.put64(CR0, now);
    if (((old ^ now) & (CR0_PG | CR0_WP | CR0_PE)) != 0) {
      c.flushTlbs();
    }
    c.updateMode();
  }

  /**
   * MOV to CR3: flushes the TLB but for global pages (what other process-context identifiers have
   * left, too, and whether or not bit 63 asks to keep it: all of that is allowed).
   */
  public static void writeCr3(Cpu c, long written) {
    long value = (c.get64(CR4) & CR4_PCIDE) != 0 ? written & ~KEEP : written;
    if ((c.get64(EFER) & EFER_LMA) != 0) {
      if (value >>> Cpuid.PHYSICAL_BITS != 0) {
        throw c.fault(GuestFault.GP, 0);
      }
    } else if ((c.get64(CR0) & CR0_PG) != 0 && (c.get64(CR4) & CR4_PAE) != 0) {
      checkPointers(c, value);
    }
    c.put64(CR3, value);
    c.flushContext();
  }

  /** The page-directory pointers are loaded with CR3 under PAE, and checked then. */
  private static void checkPointers(Cpu c, long cr3) {
    for (int i = 0; i < 4; i++) {
      long pa = (cr3 & 0xffff_ffe0L) + i * 8;
      long entry = c.memory.contains(pa, 8) ? c.memory.getLong(pa) : -1L;
      if ((entry & 1) != 0 && (entry & PageWalker.POINTER_RESERVED) != 0) {
        throw c.fault(GuestFault.GP, 0);
      }
    }
  }

  /** MOV to CR4. */
  public static void writeCr4(Cpu c, long value) {
    long old = c.get64(CR4);
    long known = Cpuid.CR4_BITS | (c.model.has(Feature.INVPCID) ? CR4_PCIDE : 0);
    long changed = old ^ value;
    boolean longMode = (c.get64(EFER) & EFER_LMA) != 0;
    boolean beginsPcid = (changed & value & CR4_PCIDE) != 0;
    if ((value & ~known) != 0
        || longMode && (value & CR4_PAE) == 0
        || beginsPcid && (!longMode || (c.get64(CR3) & 0xfff) != 0)) {
      throw c.fault(GuestFault.GP, 0);
    }
    boolean pae = (value & CR4_PAE) != 0 && (c.get64(EFER) & EFER_LMA) == 0;
    if ((c.get64(CR0) & CR0_PG) != 0
        && pae
        && (changed & (CR4_PAE | CR4_PSE | CR4_PGE | CR4_SMEP)) != 0) {
      checkPointers(c, c.get64(CR3));
    }
    c.put64(CR4, value);
    if ((changed & (CR4_PAE | CR4_PSE | CR4_PGE | CR4_SMEP | CR4_SMAP | CR4_PCIDE)) != 0) {
      c.flushTlbs();
    }
    c.updateMode();
  }

  /** MOV to CR8: the task priority. Interrupts may have become deliverable. */
  public static void writeCr8(Cpu c, long value) {
    if (value >>> 4 != 0) {
      throw c.fault(GuestFault.GP, 0);
    }
    c.put64(CR8, value);
    c.requestAttention();
  }

  /** WRMSR of EFER. */
  public static void writeEfer(Cpu c, long value) {
    long old = c.get64(EFER);
    if ((value & ~(EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE)) != 0
        || (((value ^ old) & EFER_LME) != 0 && (c.get64(CR0) & CR0_PG) != 0)) {
      throw c.fault(GuestFault.GP, 0);
    }
    c.put64(EFER, value & ~EFER_LMA | old & EFER_LMA);
    if (((value ^ old) & EFER_NXE) != 0) {
      c.flushTlbs();
    }
    c.updateMode();
  }

  /** XSETBV: {@code index} is ECX. */
  public static void writeXcr(Cpu c, int index, long value) {
    if (!isXcr(c, index, value)) {
      throw c.fault(GuestFault.GP, 0);
    }
    c.put64(XCR0, value);
    c.updateMode();
  }

  /** Whether XSETBV may write it: x87 always, AVX only with SSE, nothing that the model lacks. */
  public static boolean isXcr(Cpu c, int index, long value) {
    return index == 0 && (value & 1) != 0 && (value & 6) != 4 && (value & ~c.model.xcr0Bits) == 0;
  }

  /** Number of the debug register that an instruction means: 4 and 5 are 6 and 7, or #UD. */
  public static int debugRegister(Cpu c, int number) {
    if (number != 4 && number != 5) {
      return number;
    }
    if ((c.get64(CR4) & CR4_DE) != 0) {
      throw c.fault(GuestFault.UD);
    }
    return number + 2;
  }

  /** MOV to a debug register, 0 to 3, 6 or 7. */
  public static void writeDebug(Cpu c, int number, long value) {
    if (number >= 6 && value >>> 32 != 0) {
      throw c.fault(GuestFault.GP, 0);
    }
    long stored = value;
    if (number == 6) {
      stored = value & DR6_BITS | DR6_FIXED;
    } else if (number == 7) {
      stored = value & DR7_BITS | DR7_FIXED;
    }
    c.put64(DR + number * 8, stored);
    if (number != 6) {
      c.flushTlbs(); // pages with data breakpoints must not be in it
      c.updateSlow();
    }
  }
}
