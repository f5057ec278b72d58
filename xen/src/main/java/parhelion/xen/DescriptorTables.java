package parhelion.xen;

import static parhelion.cpu.CpuState.*;

import java.util.stream.LongStream;
import parhelion.abi.Errno;
import parhelion.abi.ReservedGdt;
import parhelion.cpu.Access;
import parhelion.cpu.Cpu;
import parhelion.cpu.GuestFault;
import parhelion.cpu.PageWalker;
import parhelion.cpu.Segments;
import parhelion.xen.memory.FrameTable;

/**
 * A vcpu's GDT and LDT. Both live in guest frames that are typed as descriptor pages, so that every
 * descriptor in them has been checked and none can be changed but by {@code update_descriptor}; the
 * processor sees them at addresses in the hypervisor's range, as on Xen, where only its own
 * implicit accesses get through. The last two pages of the GDT are Xen's.
 */
public final class DescriptorTables {
  /** Where the processor finds the tables: in the per-domain slot of Xen's range. */
  public static final long GDT_VA = 0xffff_8200_0000_0000L;

  public static final long LDT_VA = GDT_VA + 0x1_0000;

  /** Flat segments as attributes (see {@link Segments}). */
  static final int CODE64 = 0xa0fb;

  private static final int CODE32 = 0xc0fb;
  static final int DATA = 0xc0f3;

  static final int FLAT_CS64 = 0xe033;
  static final int FLAT_SS = 0xe02b;
  static final int FLAT_CS32 = 0xe023;

  private static final int LDT_PAGES = 16;

  private final Vcpu vcpu;
  private final VcpuState state;
  private final FrameTable frames;

  /** Frames of the LDT that have been looked up, -1 for the others; each holds a type reference. */
  private final long[] ldtFrames = new long[LDT_PAGES];

  /** See {@link #isFlatPairKnown}; a selector of the LDT stands for none. */
  private int flatCs = 4;

  private int flatSs = 4;
  private long flatCode;
  private long flatStack;

  DescriptorTables(Vcpu vcpu) {
    this.vcpu = vcpu;
    state = vcpu.state;
    frames = vcpu.domain().hypervisor().frames();
    java.util.Arrays.fill(ldtFrames, -1);
  }

  /** Fills Xen's own GDT page, shared by all vcpus: the flat segments of the ABI. */
  static void fillReservedPage(parhelion.cpu.memory.MachineMemory memory, long mfn) {
    long pa = mfn << 12;
    memory.putLong(pa + 0x20, 0x00cf_fb00_0000_ffffL); // 0xe023: ring 3 code, compatibility
    memory.putLong(pa + 0x28, 0x00cf_f300_0000_ffffL); // 0xe02b: ring 3 data
    memory.putLong(pa + 0x30, 0x00af_fb00_0000_ffffL); // 0xe033: ring 3 code, 64 bit
  }

  /** Points the processor's GDTR and LDTR at the tables. */
  void install(Cpu cpu) {
    cpu.put64(GDTR, GDT_VA);
    cpu.put64(GDTR + 8, ReservedGdt.BYTE + 0xfff);
    boolean present = state.ldtEntries != 0;
    cpu.put64(LDTR, present ? 0xe050 : 0);
    cpu.put64(LDTR + 8, LDT_VA);
    cpu.put64(LDTR + 16, present ? state.ldtEntries * 8L - 1 : 0);
    cpu.put64(LDTR + 24, present ? 0x82 : 0);
  }

  /**
   * {@code set_gdt}: EINVAL, with nothing changed, unless every frame can be a descriptor page of
   * the domain.
   */
  public void setGdt(long[] mfns, int entries) {
    if (entries < 0 || entries > ReservedGdt.ENTRY) {
      throw new XenError(Errno.EINVAL);
    }
    int count = (entries + 511) / 512;
    Domain d = vcpu.domain();
    for (int i = 0; i < count; i++) {
      if (!frames.getPageAndType(d, mfns[i], FrameTable.SEGDESC)) {
        while (i-- > 0) {
          frames.putPageAndType(mfns[i]);
        }
        throw new XenError(Errno.EINVAL);
      }
    }
    dropGdt();
    state.gdtEntries = entries;
    System.arraycopy(mfns, 0, state.gdtFrames, 0, count);
  }

  /** Gives the GDT's frames back. */
  public void dropGdt() {
    for (int i = 0; i < (state.gdtEntries + 511) / 512; i++) {
      frames.putPageAndType(state.gdtFrames[i]);
      state.gdtFrames[i] = 0;
    }
    state.gdtEntries = 0;
  }

  /** MMUEXT_SET_LDT: {@code va} page-aligned and the guest's, at most 8192 entries, else EINVAL. */
  public void setLdt(long va, long entries) {
    boolean own = (va >= 0 && va < 1L << 47) || (va < 0 && va >= parhelion.abi.HypervisorVirt.END);
    if ((va & 4095) != 0 || entries < 0 || entries > 8192 || !own) {
      throw new XenError(Errno.EINVAL);
    }
    dropLdt();
    state.ldtBase = entries == 0 ? 0 : va;
    state.ldtEntries = (int) entries;
    install(vcpu.cpu());
  }

  /**
   * Gives the LDT's frames back; they are looked up again when next used. Called when the frames
   * behind the LDT's addresses may have changed (new page tables, TLB flushes).
   */
  public void dropLdt() {
    for (int i = 0; i < LDT_PAGES; i++) {
      if (ldtFrames[i] != -1) {
        frames.putPageAndType(ldtFrames[i]);
        ldtFrames[i] = -1;
      }
    }
  }

  /** The frames of the LDT that are referenced now. */
  public LongStream ldtFrames() {
    return LongStream.of(ldtFrames).filter(mfn -> mfn != -1);
  }

  /**
   * Machine address with rights for the processor's own access at {@code va} in Xen's range, or -1
   * for no table there.
   */
  long translate(Cpu cpu, long va) {
    long page = (va - GDT_VA) >> 12;
    if (page < 0 || page >= 16 + LDT_PAGES) {
      return -1;
    }
    if (page < ReservedGdt.PAGE) {
      int count = (state.gdtEntries + 511) / 512;
      long mfn = page < count ? state.gdtFrames[(int) page] : zeroFrame();
      return mfn << 12 | Access.MAY_READ | Access.MAY_WRITE;
    }
    if (page < 16) {
      return page == ReservedGdt.PAGE ? reservedFrame() << 12 | Access.MAY_READ : -1;
    }
    int index = (int) page - 16;
    if (ldtFrames[index] == -1) {
      ldtFrames[index] = mapLdt(cpu, index);
    }
    return ldtFrames[index] << 12 | Access.MAY_READ | Access.MAY_WRITE;
  }

  private long mapLdt(Cpu cpu, int index) {
    long va = state.ldtBase + index * 4096L;
    if ((long) index * 512 < state.ldtEntries) {
      long pa = PageWalker.lookup(cpu, state.kernelCr3, va);
      if (pa != -1 && frames.getPageAndType(vcpu.domain(), pa >>> 12, FrameTable.SEGDESC)) {
        return pa >>> 12;
      }
    }
    throw cpu.pageFault(va, PageWalker.PF_USER);
  }

  private long zeroFrame() {
    return vcpu.domain().hypervisor().zeroFrame();
  }

  private long reservedFrame() {
    return vcpu.domain().hypervisor().gdtFrame();
  }

  /** Makes CS and SS the flat ones of 64-bit code. */
  static void setFlat64(Cpu cpu) {
    Segments.set(cpu, CS, FLAT_CS64, 0, 0xffff_ffffL, CODE64);
    Segments.set(cpu, SS, FLAT_SS, 0, 0xffff_ffffL, DATA);
  }

  /** The same for compatibility mode. */
  static void setFlat32(Cpu cpu) {
    Segments.set(cpu, CS, FLAT_CS32, 0, 0xffff_ffffL, CODE32);
    Segments.set(cpu, SS, FLAT_SS, 0, 0xffff_ffffL, DATA);
  }

  /**
   * Loads CS and SS as an IRET to privilege level 3 does; raises its faults, with both selectors
   * already in place.
   */
  static void loadForIret(Cpu cpu, int cs, int ss) {
    if (cs == FLAT_CS64 && ss == FLAT_SS) {
      setFlat64(cpu);
      return;
    }
    cpu.put64(SEG_SELECTOR + CS * 8, cs);
    cpu.put64(SEG_SELECTOR + SS * 8, ss);
    long code = descriptor(cpu, cs, GuestFault.GP);
    int attr = Segments.attributes(code);
    boolean normalCode =
        (attr & (Segments.NORMAL | Segments.CODE)) == (Segments.NORMAL | Segments.CODE);
    boolean conforming = (attr & Segments.CONFORMING) != 0;
    boolean both = (attr & (Segments.LONG | Segments.BIG)) == (Segments.LONG | Segments.BIG);
    if (!normalCode || both || (!conforming && Segments.dpl(attr) != 3)) {
      throw cpu.fault(GuestFault.GP, cs & 0xfffc);
    }
    if ((attr & Segments.PRESENT) == 0) {
      throw cpu.fault(GuestFault.NP, cs & 0xfffc);
    }
    long stack = descriptor(cpu, ss, GuestFault.GP);
    int stackAttr = Segments.attributes(stack);
    int wanted = Segments.NORMAL | Segments.WRITABLE;
    if ((stackAttr & (Segments.NORMAL | Segments.CODE | Segments.WRITABLE)) != wanted
        || Segments.dpl(stackAttr) != 3) {
      throw cpu.fault(GuestFault.GP, ss & 0xfffc);
    }
    if ((stackAttr & Segments.PRESENT) == 0) {
      throw cpu.fault(GuestFault.SS, ss & 0xfffc);
    }
    Segments.set(cpu, CS, cs, Segments.base(code), Segments.limit(code), attr | 1);
    Segments.set(cpu, SS, ss, Segments.base(stack), Segments.limit(stack), stackAttr | 1);
    if ((attr & Segments.LONG) != 0 && isFlat(code) && isFlat(stack)) {
      ((XenMonitor) cpu.monitor).vcpu().descriptorTables().remember(cs, code, ss, stack);
    }
  }

  private static boolean isFlat(long descriptor) {
    return Segments.base(descriptor) == 0 && Segments.limit(descriptor) == 0xffff_ffffL;
  }

  // --- the pair of selectors that IRET loaded last ---

  private void remember(int cs, long code, int ss, long stack) {
    flatCs = cs;
    flatSs = ss;
    flatCode = code;
    flatStack = stack;
  }

  /**
   * Whether {@link #flatCs} and {@link #flatSs} can be loaded again without a look: 64-bit code and
   * its stack, base 0 and no limit, whose descriptors in the GDT are what they were when an IRET
   * loaded them.
   */
  boolean isFlatPairKnown() {
    return isUnchanged(flatCs, flatCode) && isUnchanged(flatSs, flatStack);
  }

  private boolean isUnchanged(int selector, long descriptor) {
    int index = selector >>> 3;
    if ((selector & 4) != 0 || index >= state.gdtEntries) {
      return false;
    }
    long pa = (state.gdtFrames[index >>> 9] << 12) + (index & 511) * 8L;
    return vcpu.domain().hypervisor().memory().getLong(pa) == descriptor;
  }

  int flatCs() {
    return flatCs;
  }

  int flatSs() {
    return flatSs;
  }

  /** Attributes as loading {@link #flatCs} gives them. */
  int flatCodeAttributes() {
    return Segments.attributes(flatCode) | 1;
  }

  int flatStackAttributes() {
    return Segments.attributes(flatStack) | 1;
  }

  /** A selector's descriptor; the fault {@code vector} where there is none. */
  private static long descriptor(Cpu cpu, int selector, int vector) {
    int index = selector & 0xfff8;
    boolean local = (selector & 4) != 0;
    long limit = local ? cpu.get64(LDTR + 16) : cpu.get64(GDTR + 8);
    boolean present = !local || (cpu.get64(LDTR + 24) & Segments.PRESENT) != 0;
    if ((selector & 0xfffc) == 0 || !present || index + 7 > limit) {
      throw cpu.fault(vector, selector & 0xfffc);
    }
    long va = (local ? LDT_VA : GDT_VA) + index;
    XenMonitor monitor = (XenMonitor) cpu.monitor;
    long translation = monitor.vcpu().descriptorTables().translate(cpu, va);
    if (translation == -1) {
      throw cpu.fault(vector, selector & 0xfffc);
    }
    return cpu.memory.getLong((translation & -4096L) | (va & 4095));
  }
}
