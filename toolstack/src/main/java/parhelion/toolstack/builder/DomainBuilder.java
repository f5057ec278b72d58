package parhelion.toolstack.builder;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;
import parhelion.abi.FlatSelectors;
import parhelion.abi.Sif;
import parhelion.abi.StartInfo;
import parhelion.cpu.Cpu;
import parhelion.cpu.CpuState;
import parhelion.cpu.memory.MachineMemory;
import parhelion.toolstack.UserError;
import parhelion.toolstack.image.ElfImage;
import parhelion.toolstack.image.XenNotes;
import parhelion.xen.Domain;
import parhelion.xen.HypercallPage;
import parhelion.xen.Hypervisor;
import parhelion.xen.Vcpu;

/**
 * Fills a new domain's memory and its first vcpu the way Xen's toolstack does for a 64-bit PV
 * guest: loads the kernel, places the initrd, the p2m list, start_info and the rings, builds and
 * pins the page tables. What lies where is {@link BootLayout}'s.
 */
public final class DomainBuilder {
  private static final int CMD_LINE_BYTES = 1024;

  private final Hypervisor hypervisor;
  private final Domain domain;
  private final ElfImage kernel;
  private final XenNotes notes;
  private final @Nullable ByteBuffer initrd;
  private final String commandLine;
  private final BootLayout layout;
  private final long[] p2m;
  private final MachineMemory memory;

  /**
   * What the builder leaves behind for the rest of the toolstack.
   *
   * @param storeMfn frame of the xenstore ring
   * @param consoleMfn frame of the console ring
   * @param startInfoPa machine address of start_info, whose event-channel fields are to be filled
   * @param p2m machine frame of each pseudo-physical frame
   */
  public record Built(long storeMfn, long consoleMfn, long startInfoPa, long[] p2m) {}

  private DomainBuilder(
      Hypervisor hypervisor,
      Domain domain,
      ElfImage kernel,
      @Nullable ByteBuffer initrd,
      String commandLine,
      long pages) {
    this.hypervisor = hypervisor;
    this.domain = domain;
    this.kernel = kernel;
    this.notes = kernel.xenNotes();
    this.initrd = initrd;
    this.commandLine = commandLine;
    memory = hypervisor.memory();
    layout = BootLayout.of(notes, pages, initrd == null ? 0 : initrd.remaining());
    p2m = new long[Math.toIntExact(pages)];
  }

  /**
   * Builds {@code domain} with {@code pages} frames of memory.
   *
   * @throws UserError when kernel, initrd and memory do not fit together
   */
  public static Built build(
      Hypervisor hypervisor,
      Domain domain,
      ElfImage kernel,
      @Nullable ByteBuffer initrd,
      String commandLine,
      long pages) {
    return new DomainBuilder(hypervisor, domain, kernel, initrd, commandLine, pages).build();
  }

  private Built build() {
    byte[] line = commandLine.getBytes(StandardCharsets.UTF_8);
    if (line.length >= CMD_LINE_BYTES) {
      throw new UserError(
          "kernel command line of " + line.length + " bytes is too long: give at most 1023");
    }
    allocate();
    loadKernel();
    loadInitrd();
    InitialTables tables =
        new InitialTables(memory, p2m, layout.tablesPfn(), layout.tablesPfn() + layout.tables());
    tables.map(layout.virtBase(), 0, layout.mappedEndPfn());
    if (layout.p2mApart()) {
      tables
          .takingFrom(
              layout.p2mPfn() + layout.p2mListFrames(), layout.p2mPfn() + layout.p2mFrames())
          .map(layout.p2mVa(), layout.p2mPfn(), layout.p2mListFrames());
    }
    tables.protect(layout.va(layout.tablesPfn()), layout.tables());
    writeP2m();
    writeStartInfo(line);
    if (notes.hypercallPageVa().isPresent()) {
      HypercallPage.fill(memory, paOfVa(notes.hypercallPageVa().getAsLong()) >>> 12);
    }
    hypervisor.paging().pinInitial(domain, tables.l4Mfn());
    startVcpu(tables.l4Mfn());
    return new Built(
        p2m[(int) layout.storePfn()],
        p2m[(int) layout.consolePfn()],
        p2m[(int) layout.startInfoPfn()] << 12,
        p2m);
  }

  private void allocate() {
    for (int pfn = 0; pfn < p2m.length; pfn++) {
      p2m[pfn] = hypervisor.frames().allocate(domain);
      hypervisor.frames().m2p().set(p2m[pfn], pfn);
    }
  }

  private long paOfVa(long va) {
    long pfn = (va - layout.virtBase()) >>> 12;
    if (pfn >= layout.mappedEndPfn()) {
      throw new UserError(
          kernel.name()
              + ": its Xen notes name address 0x"
              + Long.toHexString(va)
              + " outside of the kernel: give another kernel");
    }
    return (p2m[(int) pfn] << 12) | (va & 4095);
  }

  private void loadKernel() {
    for (ElfImage.Segment segment : kernel.loadable()) {
      long guestPa = notes.guestPaOf(segment.pa());
      if (guestPa < 0
          || segment.memBytes() > (long) p2m.length << 12
          || guestPa + segment.memBytes() > (layout.mappedEndPfn() << 12)) {
        throw new UserError(
            kernel.name()
                + ": a segment at 0x"
                + Long.toHexString(segment.pa())
                + " does not fit in the domain's memory: give more --memory");
      }
      ByteBuffer bytes = kernel.file();
      bytes.limit(segment.fileOffset() + segment.fileBytes()).position(segment.fileOffset());
      copyIn(guestPa, bytes);
    }
  }

  private void loadInitrd() {
    if (initrd != null) {
      copyIn(layout.initrdPfn() << 12, initrd.duplicate());
    }
  }

  /** Copies to pseudo-physical {@code guestPa}, frame by frame. */
  private void copyIn(long guestPa, ByteBuffer bytes) {
    byte[] page = new byte[4096];
    while (bytes.hasRemaining()) {
      int offset = (int) (guestPa & 4095);
      int n = Math.min(4096 - offset, bytes.remaining());
      bytes.get(page, 0, n);
      memory.write((p2m[(int) (guestPa >>> 12)] << 12) + offset, page, 0, n);
      guestPa += n;
    }
  }

  private void writeP2m() {
    for (int pfn = 0; pfn < p2m.length; pfn++) {
      long frame = p2m[(int) layout.p2mPfn() + (pfn >>> 9)];
      memory.putLong((frame << 12) + (pfn & 511) * 8L, p2m[pfn]);
    }
  }

  private void writeStartInfo(byte[] line) {
    GuestPage page = new GuestPage(memory, p2m[(int) layout.startInfoPfn()] << 12);
    page.put(StartInfo.MAGIC.offset(), "xen-3.0-x86_64".getBytes(StandardCharsets.US_ASCII));
    StartInfo.NR_PAGES.put(page, 0, p2m.length);
    StartInfo.SHARED_INFO.put(page, 0, domain.sharedInfoMfn() << 12);
    StartInfo.STORE_MFN.put(page, 0, p2m[(int) layout.storePfn()]);
    StartInfo.CONSOLE_MFN.put(page, 0, p2m[(int) layout.consolePfn()]);
    StartInfo.PT_BASE.put(page, 0, layout.va(layout.tablesPfn()));
    StartInfo.NR_PT_FRAMES.put(page, 0, layout.tables());
    StartInfo.MFN_LIST.put(page, 0, layout.p2mVa());
    int flags = domain.isPrivileged() ? Sif.PRIVILEGED | Sif.INITDOMAIN : 0;
    if (initrd != null) {
      if (layout.initrdMapped()) {
        StartInfo.MOD_START.put(page, 0, layout.va(layout.initrdPfn()));
      } else {
        StartInfo.MOD_START.put(page, 0, layout.initrdPfn());
        flags |= Sif.MOD_START_PFN;
      }
      StartInfo.MOD_LEN.put(page, 0, initrd.remaining());
    }
    StartInfo.FLAGS.put(page, 0, flags);
    page.put(StartInfo.CMD_LINE.offset(), line);
    if (layout.p2mApart()) {
      StartInfo.FIRST_P2M_PFN.put(page, 0, layout.p2mPfn());
      StartInfo.NR_P2M_FRAMES.put(page, 0, layout.p2mFrames());
    }
  }

  private void startVcpu(long l4Mfn) {
    Vcpu v = domain.vcpus().get(0);
    hypervisor.paging().installBases(v, l4Mfn, 0);
    Cpu cpu = v.cpu();
    cpu.rip(notes.entryVa());
    cpu.put64(CpuState.RSI, layout.va(layout.startInfoPfn()));
    cpu.put64(CpuState.RSP, layout.va(layout.stackPfn() + 1));
    v.state.kernelSs = FlatSelectors.KERNEL_SS64;
    v.state.kernelSp = layout.va(layout.stackPfn() + 1);
    v.state.initialised = true;
    v.up();
  }
}
