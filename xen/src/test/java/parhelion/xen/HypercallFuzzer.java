package parhelion.xen;

import static parhelion.cpu.CpuState.RSP;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import parhelion.abi.CallbackOp;
import parhelion.abi.ConsoleIoOp;
import parhelion.abi.Domid;
import parhelion.abi.EvtchnOp;
import parhelion.abi.Gntmap;
import parhelion.abi.GnttabArgs.GnttabCopy;
import parhelion.abi.GnttabArgs.GnttabCopyPtr;
import parhelion.abi.GnttabArgs.GnttabMapGrantRef;
import parhelion.abi.GnttabArgs.GnttabUnmapGrantRef;
import parhelion.abi.GnttabOp;
import parhelion.abi.Gtf;
import parhelion.abi.Hypercall;
import parhelion.abi.MemoryArgs.XenMemoryExchange;
import parhelion.abi.MemoryArgs.XenMemoryReservation;
import parhelion.abi.MemoryOp;
import parhelion.abi.MmuArgs.MmuextOp;
import parhelion.abi.MmuExtCmd;
import parhelion.abi.MulticallEntry;
import parhelion.abi.NmiOp;
import parhelion.abi.Numbered;
import parhelion.abi.PhysdevOp;
import parhelion.abi.PlatformOp;
import parhelion.abi.SchedOp;
import parhelion.abi.Struct;
import parhelion.abi.SubOp;
import parhelion.abi.TrapInfo;
import parhelion.abi.VcpuGuestContext;
import parhelion.abi.VcpuOp;
import parhelion.abi.XenVersionOp;
import parhelion.cpu.GuestFault;
import parhelion.xen.event.HostPort;
import parhelion.xen.grant.GrantRefused;
import parhelion.xen.grant.HostGrant;
import parhelion.xen.memory.Pte;

/**
 * Makes hypercalls with random arguments from the kernels of three guests, one of them privileged,
 * and expects of the hypervisor that it answers each, whatever it says, and keeps its books. A
 * guest that crashes, shuts down or has lost its argument pages is replaced by a new one.
 */
final class HypercallFuzzer implements AutoCloseable {
  private static final int PAGES = 72;
  private static final int MACHINE_FRAMES = 1536;
  private static final int FREE_FRAMES = 20;
  private static final int BETWEEN_AUDITS = 2500;
  private static final int REMEMBERED = 12;

  /** What was asked, and of whom. */
  private record Call(Vcpu vcpu, long nr, long[] args) {
    @Override
    public String toString() {
      Hypercall call = Hypercall.of(nr);
      StringBuilder s = new StringBuilder(vcpu + ": " + (call == null ? "" + nr : call.cName()));
      for (long arg : args) {
        s.append(" 0x").append(Long.toHexString(arg));
      }
      return s.toString();
    }
  }

  /** A mapping of a grant that a guest knows of. */
  private record Mapped(long hostAddr, long handle, long devBusAddr) {}

  /** A grant or an open port that the other guests may have heard of. */
  private record Offer(int from, int to, int number) {}

  private static final class Kernel {
    final MicroMachine.Guest guest;
    final List<Mapped> mapped = new ArrayList<>();

    Kernel(MicroMachine.Guest guest) {
      this.guest = guest;
    }
  }

  private final long seed;
  private final boolean honest;
  private final Random random;
  private final MicroMachine machine = new MicroMachine(MACHINE_FRAMES);
  private final Kernel[] kernels = new Kernel[3];
  private final FuzzValues values;
  private final Deque<Call> last = new ArrayDeque<>();

  /** Calls and successes by hypercall and sub-op. */
  private final Map<String, int[]> counts = new TreeMap<>();

  private final List<Offer> offers = new ArrayList<>();
  private final List<Offer> openPorts = new ArrayList<>();
  private final List<HostGrant> hostGrants = new ArrayList<>();
  private final List<HostPort> hostPorts = new ArrayList<>();
  private Kernel kernel;
  private MicroMachine.Guest guest;
  private int crashes;
  private @Nullable Domain hog;

  /**
   * With {@code honest} guests, which make grant and event operations and remappings only and do
   * not write to entries in use, the status bits of all grants are audited, too.
   */
  HypercallFuzzer(long seed, boolean honest) {
    this.seed = seed;
    this.honest = honest;
    random = new Random(seed);
    for (int i = 0; i < kernels.length; i++) {
      kernels[i] = newKernel(i);
    }
    if (seed % 3 == 0) {
      hogMemory();
    }
    kernel = kernels[0];
    guest = kernel.guest;
    values = new FuzzValues(machine, guest, random, honest);
  }

  /** A domain that has nearly all memory: every third machine is short of it. */
  private void hogMemory() {
    Domain d = machine.hypervisor.createDomain(new DomainConfig(1, MACHINE_FRAMES, false));
    while (machine.hypervisor.frames().freeFrames() > FREE_FRAMES) {
      machine.hypervisor.frames().allocate(d);
    }
    hog = d;
  }

  private Kernel newKernel(int i) {
    Domain h = hog;
    if (h != null && machine.hypervisor.frames().freeFrames() < PAGES + FREE_FRAMES) {
      hog = null;
      machine.hypervisor.destroyDomain(h);
    }
    MicroMachine.Guest g = machine.guest(PAGES, PAGES + 16, 2, i == 2);
    Vcpu second = g.domain.vcpus().get(1);
    machine.hypervisor.paging().installBases(second, g.mfn(PAGES - MicroMachine.TABLES), 0);
    second.state.initialised = true;
    second.state.kernelSs = 0xe02b;
    second.state.kernelSp = g.va(3);
    second.up();
    g.interruptions = random;
    return new Kernel(g);
  }

  /** Calls, and successes among them, by hypercall and sub-op. */
  Map<String, int[]> counts() {
    return counts;
  }

  int crashes() {
    return crashes;
  }

  void run(int calls) {
    for (int i = 1; i <= calls; i++) {
      kernel = kernels[random.nextInt(8) % 3];
      guest = kernel.guest;
      values.of(guest);
      step(i);
      if (i % BETWEEN_AUDITS == 0 || i == calls) {
        audit("after call " + i);
      }
    }
    for (int i = 0; i < kernels.length; i++) {
      kernels[i].guest.destroy();
      audit("after the end of guest " + i);
    }
    hostGrants.forEach(HostGrant::close);
    audit("after the end of the backends");
  }

  private void step(int number) {
    List<Vcpu> vcpus = guest.domain.vcpus();
    Vcpu v = vcpus.get(values.oneIn(5) ? 1 : 0);
    if (v.state.kernelCr3 == 0) {
      v = vcpus.getFirst();
    }
    long[] words = honest ? chooseHonest() : choose();
    Call call = new Call(v, words[0], Arrays.copyOfRange(words, 1, 6));
    last.addLast(call);
    if (last.size() > REMEMBERED) {
      last.removeFirst();
    }
    try {
      make(v, call);
      replaceTheDead();
    } catch (GuestFault e) {
      throw failure("call " + number + " raised a fault", e);
    } catch (RuntimeException | Error e) {
      throw failure("call " + number, e);
    }
  }

  private void make(Vcpu v, Call call) {
    try {
      long result = guest.call(v, call.nr, call.args);
      count(call, result >= 0 || result < -4095);
      afterwards(v, call, result);
    } catch (DomainCrash e) {
      count(call, false);
      guest.domain.crash(v, String.valueOf(e.getMessage()));
    }
  }

  private AssertionError failure(String what, Throwable cause) {
    return new AssertionError(
        "seed " + seed + ", " + what + " (the last is the one): " + last + ": " + cause, cause);
  }

  private void audit(String when) {
    List<String> found = honest ? machine.audit() : machine.auditBooks();
    if (!found.isEmpty()) {
      throw new AssertionError("seed " + seed + ", " + when + ": " + found + "; last: " + last);
    }
  }

  private void count(Call call, boolean success) {
    Hypercalls.Row row = machine.hypervisor.hypercalls().row(call.nr);
    String name = row == null ? "unknown" : row.call().cName();
    if (row != null && row.firstIsSubOp()) {
      name += " " + (call.args[0] >= 0 && call.args[0] < 64 ? call.args[0] : "else");
    }
    int[] n = counts.computeIfAbsent(name, key -> new int[2]);
    n[0]++;
    n[1] += success ? 1 : 0;
  }

  /** What the guest would do between two calls, and what it learns. */
  private void afterwards(Vcpu v, Call call, long result) {
    v.unblock();
    if (!v.state.kernelMode) {
      v.toggleMode();
    }
    noteStatus(call, result);
    if (call.nr == Hypercall.GRANT_TABLE_OP.nr() && call.args[0] == 0 && result == 0) {
      long at = call.args[1];
      if (values.get32(at + GnttabMapGrantRef.STATUS.offset() - 2) >>> 16 == 0) {
        kernel.mapped.add(
            new Mapped(
                values.get32(at) | values.get32(at + 4) << 32,
                values.get32(at + GnttabMapGrantRef.HANDLE.offset()),
                values.get32(at + GnttabMapGrantRef.DEV_BUS_ADDR.offset())));
      }
    }
    if (call.nr == Hypercall.EVENT_CHANNEL_OP.nr() && call.args[0] == 6 && result == 0) {
      int to = (int) (values.get32(call.args[1]) >>> 16);
      remember(openPorts, to, (int) values.get32(call.args[1] + 4));
    }
    if (values.oneIn(60)) {
      host();
    }
    if (values.oneIn(50)) {
      v.cpu().put64(RSP, guest.va(2) - 0x100);
      v.state.kernelSp = guest.va(2);
      v.traps().exitToGuest();
    }
    if (values.oneIn(200)) {
      VirtualClock clock = (VirtualClock) machine.hypervisor.clock();
      clock.advanceTo(clock.systemNanos() + random.nextInt(2_000_000_000));
      machine.hypervisor.scheduler().timers().fire(clock.systemNanos());
    }
  }

  private void remember(List<Offer> kind, int to, int number) {
    if (kind.size() < 40) {
      kind.add(new Offer(guest.domain.id(), to, number));
    } else {
      kind.set(random.nextInt(40), new Offer(guest.domain.id(), to, number));
    }
  }

  /** What was offered to this guest of late, mostly; or anything. */
  private Offer offer(List<Offer> kind) {
    for (int i = 0; i < 8 && !kind.isEmpty() && !values.oneIn(8); i++) {
      Offer offer = kind.get(random.nextInt(kind.size()));
      if (offer.to == guest.domain.id()) {
        return offer;
      }
    }
    return new Offer(values.peer(), 0, (int) values.small());
  }

  /** Backends in Java come and go. */
  private void host() {
    if (values.oneIn(2) && hostGrants.size() < 20) {
      try {
        hostGrants.add(guest.domain.grants().mapForHost(values.small(), values.oneIn(2)));
      } catch (GrantRefused e) {
        // Most of what it could ask for was never granted.
      }
    } else if (!hostGrants.isEmpty()) {
      hostGrants.remove(random.nextInt(hostGrants.size())).close();
    }
    if (values.oneIn(2) && hostPorts.size() < 20) {
      try {
        hostPorts.add(
            values.oneIn(2)
                ? guest.domain.events().bindToHost(() -> {})
                : guest.domain.events().bindHost(values.small(), () -> {}));
      } catch (XenError e) {
        // Not open to Java.
      }
    } else if (!hostPorts.isEmpty()) {
      HostPort port = hostPorts.get(random.nextInt(hostPorts.size()));
      port.notifyGuest();
      if (values.oneIn(2)) {
        hostPorts.remove(port);
        port.close();
      }
    }
  }

  private void noteStatus(Call call, long result) {
    int at =
        call.nr != Hypercall.GRANT_TABLE_OP.nr() || result != 0
            ? -1
            : switch ((int) call.args[0]) {
              case 0 -> GnttabMapGrantRef.STATUS.offset();
              case 1, 7 -> GnttabUnmapGrantRef.STATUS.offset();
              case 5 -> GnttabCopy.STATUS.offset();
              default -> -1;
            };
    if (at >= 0) {
      short status = (short) values.get32(call.args[1] + at);
      int[] n =
          counts.computeIfAbsent(
              "status of grant op " + call.args[0] + ": " + status, key -> new int[2]);
      n[0]++;
    }
  }

  private void replaceTheDead() {
    for (int i = 0; i < kernels.length; i++) {
      MicroMachine.Guest g = kernels[i].guest;
      boolean argumentsAreGone =
          g == guest && values.oneIn(16) && !isWritable(g, FuzzValues.ARGS + values.below(4));
      if (g.domain.shutdownReason() != null || argumentsAreGone || values.oneIn(30_000)) {
        crashes++;
        String why =
            argumentsAreGone
                ? "arguments gone"
                : g.domain.crashReason() != null
                    ? g.domain
                        .crashReason()
                        .split("\n")[0]
                        .replaceAll("d[0-9]v[0-9]|0x[0-9a-f]+|[0-9a-f]{8,}", "")
                    : "" + g.domain.shutdownReason();
        counts.computeIfAbsent("end: " + why, key -> new int[2])[0]++;
        g.destroy();
        kernels[i] = newKernel(i);
      }
    }
  }

  private static boolean isWritable(MicroMachine.Guest g, int page) {
    try {
      g.bytes().putByte(g.va(page), (byte) 0);
      return true;
    } catch (XenError e) {
      return false;
    }
  }

  // --- calls ---

  private static long[] call(Hypercall call, long... args) {
    long[] words = new long[6];
    words[0] = call.nr();
    System.arraycopy(args, 0, words, 1, args.length);
    return words;
  }

  private long[] choose() {
    return switch (random.nextInt(40)) {
      case 0, 1, 2, 3 -> updateVaMapping();
      case 4, 5, 6 -> mmuUpdate();
      case 7, 8, 9, 10 -> mmuext();
      case 11, 12, 13 -> memoryOp();
      case 14, 15, 16, 17, 18, 19, 20 -> grantOp();
      case 21, 22 -> multicall();
      case 23, 24, 25, 26 -> subOp(Hypercall.EVENT_CHANNEL_OP, EvtchnOp.values());
      case 27 -> subOp(Hypercall.SCHED_OP, values.oneIn(40) ? SchedOp.values() : HARMLESS_SCHED);
      case 28, 29 -> vcpuOp();
      case 30 -> subOp(Hypercall.PHYSDEV_OP, PhysdevOp.values());
      case 31 -> subOp(Hypercall.XEN_VERSION, XenVersionOp.values());
      case 32 -> subOp(Hypercall.CALLBACK_OP, CallbackOp.values());
      case 33 -> console();
      case 34, 35 -> descriptors();
      case 36 -> registers();
      case 37 -> traps();
      case 38 -> privileged();
      default -> anything();
    };
  }

  private long[] chooseHonest() {
    return switch (random.nextInt(8)) {
      case 0 -> updateVaMapping();
      case 1 -> subOp(Hypercall.EVENT_CHANNEL_OP, EvtchnOp.values());
      default -> grantOp();
    };
  }

  private static final SchedOp[] HARMLESS_SCHED = {
    SchedOp.YIELD, SchedOp.BLOCK, SchedOp.POLL, SchedOp.WATCHDOG, SchedOp.PIN_OVERRIDE
  };

  private long[] anything() {
    long nr = values.oneIn(4) ? values.edge() : random.nextInt(64);
    if (nr == Hypercall.IRET.nr() && !values.oneIn(10)) {
      nr = 63;
    }
    return new long[] {nr, values.any(), values.any(), values.any(), values.any(), values.any()};
  }

  private long[] subOp(Hypercall call, Numbered[] ops) {
    if (values.oneIn(30)) {
      return call(call, values.any(), values.any());
    }
    Numbered op = ops[random.nextInt(ops.length)];
    Struct struct = op instanceof SubOp s ? s.argument() : null;
    long arg = struct == null || values.oneIn(30) ? values.any() : values.garbage(struct);
    if (op == EvtchnOp.ALLOC_UNBOUND || op == EvtchnOp.BIND_INTERDOMAIN) {
      values.put32(arg, op == EvtchnOp.BIND_INTERDOMAIN ? values.peer() : values.domid());
      values.put16(arg + 2, values.peer());
      if (op == EvtchnOp.BIND_INTERDOMAIN) {
        Offer port = offer(openPorts);
        values.put32(arg, port.from);
        values.put32(arg + 4, port.number);
      } else if (values.oneIn(2)) {
        values.put16(arg, Domid.SELF);
      }
    } else if (op == EvtchnOp.BIND_VIRQ || op == EvtchnOp.BIND_VCPU) {
      values.put32(arg, values.below(12));
      values.put32(arg + 4, values.below(2));
    } else if (op == EvtchnOp.EXPAND_ARRAY || op == EvtchnOp.INIT_CONTROL) {
      values.put64(arg, values.frame());
    }
    return call(call, op.nr(), arg);
  }

  private long[] vcpuOp() {
    VcpuOp op = VcpuOp.values()[random.nextInt(VcpuOp.values().length)];
    Struct struct = op.argument();
    if (op == VcpuOp.INITIALISE) {
      struct = VcpuGuestContext.STRUCT;
    }
    long arg = struct == null ? values.any() : values.garbage(struct);
    if (op == VcpuOp.REGISTER_VCPU_INFO) {
      values.put64(arg, values.frame());
      values.put32(arg + 8, random.nextInt(4200));
    }
    return call(Hypercall.VCPU_OP, op.nr(), values.oneIn(8) ? values.any() : values.below(3), arg);
  }

  private long[] console() {
    return call(
        Hypercall.CONSOLE_IO,
        values.oneIn(4) ? values.small() : ConsoleIoOp.WRITE.nr(),
        values.small(),
        values.pointer(4096));
  }

  private long[] privileged() {
    long[] answer = subOp(Hypercall.PLATFORM_OP, PlatformOp.values());
    return switch (random.nextInt(4)) {
      case 0 -> call(Hypercall.PLATFORM_OP, answer[2]);
      case 1 -> call(Hypercall.SYSCTL, answer[2]);
      case 2 -> call(Hypercall.DOMCTL, answer[2]);
      default -> subOp(Hypercall.NMI_OP, NmiOp.values());
    };
  }

  // --- memory ---

  private long[] updateVaMapping() {
    int page = values.page();
    long va = guest.va(page);
    // One kernel in fifty forgets that a grant is mapped there.
    if (page >= FuzzValues.MAPS && page < FuzzValues.END && !values.oneIn(50)) {
      va = guest.va(FuzzValues.PLAY + values.below(FuzzValues.MAPS - FuzzValues.PLAY));
    }
    long entry =
        values.oneIn(3)
            ? Pte.of(guest.mfn(page), Pte.PRESENT | Pte.RW | Pte.ACCESSED)
            : values.entry();
    long flags = values.oneIn(3) ? values.any() : values.below(3) | values.below(2) * 4L;
    if (values.oneIn(12)) {
      return call(
          Hypercall.UPDATE_VA_MAPPING_OTHERDOMAIN, va, entry, values.below(3), values.peer());
    }
    return call(Hypercall.UPDATE_VA_MAPPING, values.oneIn(30) ? values.any() : va, entry, flags);
  }

  /** How many elements: mostly few, at times far more than there are. */
  private int some(int most) {
    return 1 + random.nextInt(most);
  }

  private long countOr(int n) {
    return values.oneIn(25) ? values.edge() : n;
  }

  private long foreign() {
    return values.oneIn(10) ? values.any() : values.domid();
  }

  private long[] mmuUpdate() {
    int n = some(5);
    long at = values.pointer(n * 16);
    for (int i = 0; i < n; i++) {
      long table = values.oneIn(3) ? guest.mfn(guest.l1Page()) : values.frame();
      long ptr = table << 12 | values.below(512) * 8L;
      values.put64(at + i * 16L, ptr | (values.oneIn(6) ? values.below(8) : 0));
      values.put64(at + i * 16L + 8, values.entry());
    }
    long done = values.oneIn(2) ? 0 : values.pointer(4);
    return call(Hypercall.MMU_UPDATE, at, countOr(n), done, foreign());
  }

  private long[] mmuext() {
    int n = some(3);
    int size = MmuextOp.STRUCT.size();
    long at = values.pointer(n * size);
    for (int i = 0; i < n; i++) {
      long op = at + i * (long) size;
      int cmd = MmuExtCmd.values()[random.nextInt(MmuExtCmd.values().length)].nr();
      values.put32(op, values.oneIn(20) ? (int) values.any() : cmd);
      boolean known = cmd == MmuExtCmd.NEW_BASEPTR.nr() && values.oneIn(2);
      values.put64(
          op + 8, known ? guest.mfn(PAGES - 4) : values.oneIn(8) ? values.any() : values.frame());
      values.put64(op + 16, values.oneIn(2) ? values.frame() : values.any());
    }
    return call(
        Hypercall.MMUEXT_OP, at, countOr(n), values.oneIn(2) ? 0 : values.pointer(4), foreign());
  }

  private void reservation(long at, int extents, int order) {
    long list = values.pointer(extents * 8);
    for (int i = 0; i < extents; i++) {
      values.put64(list + i * 8L, values.oneIn(6) ? values.any() : values.frame());
    }
    values.put64(at + XenMemoryReservation.EXTENT_START.offset(), list);
    values.put64(at + XenMemoryReservation.NR_EXTENTS.offset(), countOr(extents));
    values.put32(at + XenMemoryReservation.EXTENT_ORDER.offset(), order);
    values.put32(at + XenMemoryReservation.MEM_FLAGS.offset(), values.memFlags());
    values.put16(at + XenMemoryReservation.DOMID.offset(), values.domid());
  }

  /** Makes it one frame that nothing maps, for one. */
  private void idleExchange(long at) {
    long mfn = values.frame();
    var frames = machine.hypervisor.frames();
    for (int pfn = FuzzValues.PLAY; pfn < FuzzValues.END; pfn++) {
      long candidate = guest.mfn(pfn);
      if (frames.owner(candidate) == guest.domain && frames.references(candidate) == 1) {
        mfn = candidate;
      }
    }
    long list = values.pointer(8);
    values.put64(list, mfn);
    values.put64(at, list);
    for (int part = 0; part < 64; part += 32) {
      values.put64(at + part + XenMemoryReservation.NR_EXTENTS.offset(), 1);
      values.put32(at + part + XenMemoryReservation.EXTENT_ORDER.offset(), 0);
    }
  }

  private int order() {
    return values.oneIn(4) ? (int) values.small() : 0;
  }

  private long[] memoryOp() {
    MemoryOp op = MemoryOp.values()[random.nextInt(MemoryOp.values().length)];
    Struct struct = op.argument();
    long at = struct == null ? values.any() : values.garbage(struct);
    if (struct == XenMemoryReservation.STRUCT) {
      reservation(at, some(4), order());
    } else if (op == MemoryOp.EXCHANGE) {
      int n = some(3);
      int domid = values.oneIn(4) ? values.domid() : Domid.SELF;
      reservation(at, n, order());
      reservation(at + XenMemoryExchange.OUT.offset(), n, order());
      if (values.oneIn(2)) {
        idleExchange(at);
      }
      values.put16(at + XenMemoryReservation.DOMID.offset(), domid);
      values.put16(at + 32 + XenMemoryReservation.DOMID.offset(), domid);
      values.put64(at + XenMemoryExchange.NR_EXCHANGED.offset(), values.oneIn(9) ? 1 : 0);
    }
    long start = values.oneIn(20) ? values.small() << 6 : 0;
    return call(Hypercall.MEMORY_OP, op.nr() | start, at);
  }

  // --- grants ---

  /** Writes an entry of the guest's table as a kernel that has it mapped does. */
  private void grantSomething() {
    int ref = values.oneIn(10) ? values.below(4096) : values.below(24);
    int flags =
        switch (random.nextInt(8)) {
          case 0 -> Gtf.INVALID;
          case 1 -> (int) values.any() & 0xffff;
          case 2 -> Gtf.TRANSITIVE;
          case 3 -> Gtf.PERMIT_ACCESS | Gtf.READONLY;
          case 4 -> Gtf.PERMIT_ACCESS | Gtf.SUB_PAGE;
          default -> Gtf.PERMIT_ACCESS;
        };
    var grants = guest.domain.grants();
    boolean v1 = grants.version() == 1;
    int perFrame = v1 ? 512 : 256;
    if (ref >= grants.frameCount() * perFrame) {
      return;
    }
    long pa = (grants.sharedMfn(ref / perFrame) << 12) + ref % perFrame * (v1 ? 8L : 16L);
    boolean inUse = grants.statusOf(ref) != 0;
    if (inUse && honest) {
      return;
    }
    if (honest) {
      flags &= ~(Gtf.READING | Gtf.WRITING);
    }
    long frame = values.oneIn(4) ? values.frame() : guest.mfn(values.page());
    int to = values.peer();
    machine.memory.putInt(pa, flags | to << 16);
    remember(offers, to, ref);
    if (v1) {
      machine.memory.putInt(pa + 4, (int) frame);
    } else {
      Offer behind = offer(offers);
      boolean transitive = (flags & Gtf.TYPE_MASK) == Gtf.TRANSITIVE;
      machine.memory.putInt(pa + 4, transitive ? behind.from : values.below(4200) | 2000 << 16);
      machine.memory.putLong(pa + 8, transitive ? behind.number : frame);
    }
  }

  private long[] grantOp() {
    grantSomething();
    GnttabOp[] ops = GnttabOp.values();
    GnttabOp op =
        switch (random.nextInt(6)) {
          case 0, 1 -> GnttabOp.MAP_GRANT_REF;
          case 2 -> GnttabOp.UNMAP_GRANT_REF;
          case 3 -> GnttabOp.COPY;
          default -> ops[random.nextInt(ops.length)];
        };
    int n = some(4);
    int size = op.argument().size();
    long at = values.pointer(n * size);
    for (int i = 0; i < n; i++) {
      long element = at + i * (long) size;
      switch (op) {
        case MAP_GRANT_REF -> mapArgs(element);
        case UNMAP_GRANT_REF, UNMAP_AND_REPLACE -> unmapArgs(element, op);
        case COPY -> copyArgs(element);
        default -> {
          for (int k = 0; k + 4 <= size; k += 4) {
            values.put32(element + k, (int) values.small());
          }
          if (op == GnttabOp.SET_VERSION) {
            values.put32(element, 1 + values.below(2) + (values.oneIn(9) ? 1 : 0));
          } else if (values.oneIn(2)) {
            values.put16(element + (op == GnttabOp.GET_STATUS_FRAMES ? 4 : 0), Domid.SELF);
          }
          if (op == GnttabOp.SETUP_TABLE || op == GnttabOp.GET_STATUS_FRAMES) {
            n = 1;
            values.put64(element + size - 8, values.pointer(64 * 8));
          }
          if (op == GnttabOp.QUERY_SIZE) {
            n = 1;
          }
        }
      }
    }
    long cmd = values.oneIn(30) ? values.any() : op.nr();
    return call(Hypercall.GRANT_TABLE_OP, cmd, at, countOr(n));
  }

  private void mapArgs(long at) {
    long flags =
        switch (random.nextInt(8)) {
          case 0 -> values.any();
          case 1 -> Gntmap.DEVICE_MAP | Gntmap.HOST_MAP;
          case 2 -> Gntmap.DEVICE_MAP | Gntmap.READONLY;
          case 3 -> Gntmap.HOST_MAP | Gntmap.CONTAINS_PTE;
          case 4, 5 -> Gntmap.HOST_MAP | Gntmap.READONLY;
          default -> Gntmap.HOST_MAP;
        };
    int page = FuzzValues.MAPS + values.below(FuzzValues.END - FuzzValues.MAPS);
    if ((guest.pte(page) & Pte.GNTTAB) != 0 && !values.oneIn(100)) {
      // Mapping over a grant's mapping is a crash; most kernels know.
      flags = Gntmap.DEVICE_MAP;
    }
    boolean pte = (flags & Gntmap.CONTAINS_PTE) != 0;
    long hostAddr = pte ? guest.pteAddress(page) : guest.va(page);
    values.put64(at, values.oneIn(20) ? values.any() : hostAddr);
    values.put32(at + GnttabMapGrantRef.FLAGS.offset(), (int) flags);
    Offer grant = offer(offers);
    values.put32(at + GnttabMapGrantRef.REF.offset(), grant.number);
    values.put16(at + GnttabMapGrantRef.DOM.offset(), grant.from);
  }

  private void unmapArgs(long at, GnttabOp op) {
    Mapped m = new Mapped(values.any(), values.small(), values.any());
    if (!kernel.mapped.isEmpty() && !values.oneIn(10)) {
      int i = random.nextInt(kernel.mapped.size());
      m = values.oneIn(4) ? kernel.mapped.get(i) : kernel.mapped.remove(i);
    }
    values.put64(at, values.oneIn(20) ? values.va() : m.hostAddr);
    boolean replace = op == GnttabOp.UNMAP_AND_REPLACE;
    int play = FuzzValues.PLAY + values.below(8);
    values.put64(at + 8, replace ? guest.va(play) : values.oneIn(8) ? values.any() : m.devBusAddr);
    values.put32(at + GnttabUnmapGrantRef.HANDLE.offset(), (int) m.handle);
  }

  private void copyArgs(long at) {
    int flags = values.below(4);
    for (int end = 0; end < 2; end++) {
      long ptr = at + end * (long) GnttabCopyPtr.STRUCT.size();
      boolean isGrant = (flags & 1 << end) != 0;
      Offer grant = offer(offers);
      values.put64(ptr, isGrant ? grant.number : values.frame());
      values.put16(
          ptr + GnttabCopyPtr.DOMID.offset(),
          isGrant || values.oneIn(20) ? grant.from : Domid.SELF);
      values.put16(ptr + GnttabCopyPtr.OFFSET.offset(), values.below(4200));
    }
    values.put16(at + GnttabCopy.LEN.offset(), values.below(2000));
    values.put16(at + GnttabCopy.FLAGS.offset(), flags);
  }

  // --- the rest ---

  private long[] multicall() {
    int n = some(5);
    int size = MulticallEntry.STRUCT.size();
    long at = values.pointer(n * size);
    for (int i = 0; i < n; i++) {
      long[] words = values.oneIn(25) ? multicallInMulticall() : chooseFlat();
      long entry = at + i * (long) size;
      values.put64(entry, words[0]);
      values.put64(entry + 8, values.any());
      for (int k = 0; k < 5; k++) {
        values.put64(entry + MulticallEntry.ARG0.offset() + k * 8L, words[k + 1]);
      }
    }
    return call(Hypercall.MULTICALL, at, countOr(n));
  }

  private static long[] multicallInMulticall() {
    return call(Hypercall.MULTICALL, FuzzValues.ARGS, 1);
  }

  private long[] chooseFlat() {
    while (true) {
      long[] words = choose();
      if (words[0] != Hypercall.MULTICALL.nr()) {
        return words;
      }
    }
  }

  private long[] descriptors() {
    return switch (random.nextInt(3)) {
      case 0 -> {
        long list = values.pointer(16 * 8);
        for (int i = 0; i < 16; i++) {
          values.put64(list + i * 8L, values.frame());
        }
        yield call(Hypercall.SET_GDT, list, values.oneIn(4) ? values.any() : values.below(7400));
      }
      case 1 ->
          call(
              Hypercall.UPDATE_DESCRIPTOR,
              values.frame() << 12 | values.below(512) * 8L,
              values.oneIn(2) ? 0x00cf_fa00_0000_ffffL : values.any());
      default -> call(Hypercall.STACK_SWITCH, values.any(), values.va());
    };
  }

  private long[] registers() {
    return switch (random.nextInt(6)) {
      case 0 -> call(Hypercall.SET_DEBUGREG, values.small(), values.any());
      case 1 -> call(Hypercall.GET_DEBUGREG, values.small());
      case 2 -> call(Hypercall.SET_SEGMENT_BASE, values.small(), values.any());
      case 3 -> call(Hypercall.FPU_TASKSWITCH, values.small());
      case 4 -> call(Hypercall.VM_ASSIST, values.small(), values.small());
      default -> call(Hypercall.SET_TIMER_OP, values.any());
    };
  }

  private long[] traps() {
    if (values.oneIn(3)) {
      return call(Hypercall.SET_CALLBACKS, values.va(), values.va(), values.va());
    }
    int n = some(6);
    int size = TrapInfo.STRUCT.size();
    long at = values.pointer((n + 1) * size);
    for (int i = 0; i < n; i++) {
      values.put32(at + i * (long) size, (int) values.any());
      values.put32(at + i * (long) size + 4, 0);
      values.put64(at + i * (long) size + 8, values.any());
    }
    values.put64(at + n * (long) size, 0);
    values.put64(at + n * (long) size + 8, 0);
    return call(Hypercall.SET_TRAP_TABLE, values.oneIn(10) ? 0 : at);
  }

  @Nullable Object lastCall() {
    return last.peekLast();
  }

  @Override
  public void close() {
    machine.close();
  }
}
