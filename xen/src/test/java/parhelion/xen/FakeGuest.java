package parhelion.xen;

import static parhelion.cpu.CpuState.*;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import parhelion.abi.Bytes;
import parhelion.abi.Errno;
import parhelion.abi.Hypercall;
import parhelion.abi.Struct;
import parhelion.cpu.Cpu;
import parhelion.cpu.CpuModel;
import parhelion.cpu.memory.MachineMemory;
import parhelion.xen.memory.DomainMemoryBuilder;
import parhelion.xen.memory.Pte;

/**
 * A domain without an operating system, under a virtual clock: tests fill its memory and registers,
 * make hypercalls for it and look at what comes out. One megabyte of writable memory is mapped at
 * {@link #BASE}, one page read-only at {@link #READ_ONLY}; the page after each is not mapped.
 */
final class FakeGuest implements AutoCloseable, DomainListener {
  static final long BASE = 0x10_0000;
  static final int PAGES = 256;
  static final long READ_ONLY = 0x4000_0000L;
  static final long UNMAPPED = BASE + PAGES * 4096L;

  /** Where code, the kernel's stack and arguments are by convention. */
  static final long CODE = BASE;

  static final long STACK_TOP = BASE + 0x1_0000;
  static final long ARGS = BASE + 0x2_0000;
  static final long HANDLER = BASE + 0x3000;
  static final long USER_CODE = BASE + 0x4000;
  static final long USER_STACK_TOP = BASE + 0x3_0000;

  private static final int TABLES = 16;
  private static final long TABLE = 0x67; // present, writable, user, accessed, dirty

  final Hypervisor hypervisor;
  final Domain domain;
  final MachineMemory memory;
  final List<String> lines = new ArrayList<>();
  final List<Domain> shutDown = new ArrayList<>();

  /** Machine frames of the megabyte. */
  final long[] mfns = new long[PAGES];

  final long l4;
  private long next = ARGS;

  FakeGuest() {
    this(1);
  }

  FakeGuest(int vcpus) {
    this(
        new Hypervisor(new MachineMemory(4096), new VirtualClock(1_700_000_000_123_456_789L)),
        vcpus);
  }

  /** One vcpu of this model. */
  FakeGuest(CpuModel model) {
    this(
        new Hypervisor(new MachineMemory(4096), new VirtualClock(1_700_000_000_123_456_789L)),
        1,
        model);
  }

  /** Another domain of the same hypervisor. */
  FakeGuest(Hypervisor hypervisor, int vcpus) {
    this(hypervisor, vcpus, CpuModel.DEFAULT);
  }

  private FakeGuest(Hypervisor hypervisor, int vcpus, CpuModel model) {
    this.hypervisor = hypervisor;
    hypervisor.setListener(this);
    memory = hypervisor.memory();
    domain = hypervisor.createDomain(new DomainConfig(vcpus, 1024, false, model));
    DomainMemoryBuilder builder = new DomainMemoryBuilder(hypervisor, domain);
    long[] p2m = builder.allocate(PAGES + 1 + TABLES);
    System.arraycopy(p2m, 0, mfns, 0, PAGES);
    int[] used = {PAGES + 1};
    builder.startTables(() -> p2m[used[0]++]);
    for (int i = 0; i < PAGES; i++) {
      builder.map(BASE + i * 4096L, mfns[i], Pte.RW);
    }
    builder.map(READ_ONLY, p2m[PAGES], 0);
    l4 = builder.finish();
    hypervisor.paging().installBases(vcpu(), l4, l4);
    Vcpu v = vcpu();
    v.state.initialised = true;
    v.state.periodicNanos = 0;
    v.state.kernelSs = 0xe02b;
    v.state.kernelSp = STACK_TOP;
    v.cpu().put64(RSP, STACK_TOP - 0x100);
    v.up();
    v.cpu().clearAttention();
  }

  /** Writes a page-table entry for {@code va}, making the tables above it. */
  void map(long va, long entry) {
    long table = l4;
    for (int shift = 39; shift > 12; shift -= 9) {
      long pa = (table << 12) + (va >>> shift & 511) * 8;
      if (memory.getLong(pa) == 0) {
        memory.putLong(pa, hypervisor.frames().allocate(domain) << 12 | TABLE);
      }
      table = memory.getLong(pa) >>> 12;
    }
    memory.putLong((table << 12) + (va >>> 12 & 511) * 8, entry);
  }

  /** A top-level table with nothing in it. */
  long emptyL4() {
    return hypervisor.frames().allocate(domain);
  }

  Vcpu vcpu() {
    return domain.vcpus().getFirst();
  }

  Cpu cpu() {
    return vcpu().cpu();
  }

  /** Machine address behind an address of the megabyte. */
  long pa(long va) {
    return (mfns[(int) ((va - BASE) >> 12)] << 12) + (va & 4095);
  }

  long read64(long va) {
    return memory.getLong(pa(va));
  }

  void write64(long va, long value) {
    memory.putLong(pa(va), value);
  }

  void write(long va, int... bytes) {
    for (int i = 0; i < bytes.length; i++) {
      memory.putByte(pa(va + i), (byte) bytes[i]);
    }
  }

  String text(long va) {
    StringBuilder s = new StringBuilder();
    for (long at = va; memory.getByte(pa(at)) != 0; at++) {
      s.append((char) memory.getByte(pa(at)));
    }
    return s.toString();
  }

  /** Room for an argument structure, zeroed. */
  long room(int size) {
    long at = next;
    next += (size + 15) & -16;
    for (int i = 0; i < size; i++) {
      memory.putByte(pa(at + i), (byte) 0);
    }
    return at;
  }

  long room(Struct struct) {
    return room(struct.size());
  }

  long string(String s) {
    byte[] bytes = (s + "\0").getBytes(StandardCharsets.US_ASCII);
    long at = room(bytes.length);
    for (int i = 0; i < bytes.length; i++) {
      memory.putByte(pa(at + i), bytes[i]);
    }
    return at;
  }

  /** The guest's memory by virtual address, as the kernel sees it. */
  Bytes bytes() {
    return vcpu().guest();
  }

  /** Makes a hypercall of vcpu 0 without running any code; {@code rax}. */
  long call(Hypercall call, long... args) {
    return call(vcpu(), call, args);
  }

  long call(Vcpu v, Hypercall call, long... args) {
    long[] a = java.util.Arrays.copyOf(args, 5);
    return hypervisor.hypercalls().call(v, call.nr(), a[0], a[1], a[2], a[3], a[4]);
  }

  static long error(Errno e) {
    return e.result();
  }

  /**
   * Makes the vcpu execute {@code code} from {@link #CODE} in kernel mode until it has run a slice.
   */
  void run(int... code) {
    write(CODE, code);
    cpu().rip(CODE);
    step();
  }

  /** One short slice. */
  void step() {
    Timers timers = hypervisor.scheduler().timers();
    timers.timer(() -> {}).set(hypervisor.clock().systemNanos() + 600);
    hypervisor.scheduler().step();
  }

  @Override
  public void debugLine(Domain d, String line) {
    lines.add(line);
  }

  @Override
  public void shutDown(Domain d) {
    shutDown.add(d);
  }

  @Override
  public void close() {
    hypervisor.close();
  }
}
