package parhelion.xen;

import java.util.Collection;
import java.util.Collections;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import parhelion.abi.Domid;
import parhelion.abi.Errno;
import parhelion.cpu.Engine;
import parhelion.cpu.Mark;
import parhelion.cpu.interp.CodeCache;
import parhelion.cpu.memory.MachineMemory;
import parhelion.xen.grant.GrantOps;
import parhelion.xen.memory.FrameTable;
import parhelion.xen.memory.MemoryOps;
import parhelion.xen.memory.Paging;

/**
 * The hypervisor: machine memory, time, and the domains that share them. {@link #run} on one thread
 * runs everything; other threads hand it work by {@link #post}.
 */
public final class Hypervisor implements AutoCloseable {
  /** Frames that a domain begins with: shared_info and one of its grant table. */
  private static final int SHARED_FRAMES = 2;

  private final MachineMemory memory;
  private final CodeCache code;
  private final FrameTable frames;
  private final XenClock clock;
  private final Scheduler scheduler;
  private final Paging paging;
  private final MemoryOps memoryOps;
  private final GrantOps grantOps;
  private final Hypercalls hypercalls;
  private final Stopwatch stopwatch = new Stopwatch();
  private final TrapStats trapStats = new TrapStats(stopwatch);
  private final TreeMap<Integer, Domain> domains = new TreeMap<>();
  private final long gdtFrame;
  private final long zeroFrame;

  /** False where memory and processors are a machine's, which runs them. */
  private final boolean ownsMachine;

  private DomainListener listener = new DomainListener() {};
  private Mark.@Nullable Listener markListener;
  private @Nullable SplittableRandom random;

  /** Takes over {@code memory}, which {@link #close} closes; on the engine that is preferred. */
  public Hypervisor(MachineMemory memory, XenClock clock) {
    this(memory, clock, Engine.preferred());
  }

  /**
   * Takes over {@code memory}, which {@link #close} closes.
   *
   * @throws parhelion.cpu.EngineUnavailableException where this host cannot run {@code engine}
   */
  public Hypervisor(MachineMemory memory, XenClock clock, Engine engine) {
    this(memory, new CodeCache(memory, engine), clock, 1, null);
  }

  /**
   * A hypervisor's interface under a machine that runs its processors by itself, for a fully
   * virtualised domain. The machine closes its memory.
   *
   * @param code what was decoded of the memory
   * @param firstMfn where the hypervisor's own frames begin; those below are the machine's
   */
  public static Hypervisor under(
      MachineMemory memory, CodeCache code, XenClock clock, int firstMfn, VcpuRunner runner) {
    return new Hypervisor(memory, code, clock, firstMfn, runner);
  }

  private Hypervisor(
      MachineMemory memory,
      CodeCache code,
      XenClock clock,
      int firstMfn,
      @Nullable VcpuRunner runner) {
    this.memory = memory;
    this.clock = clock;
    this.code = code;
    ownsMachine = runner == null;
    frames = new FrameTable(memory, code, firstMfn);
    scheduler = new Scheduler(clock, runner);
    paging = new Paging(this);
    memoryOps = new MemoryOps(this);
    grantOps = new GrantOps(this);
    gdtFrame = frames.allocateForXen(0);
    zeroFrame = frames.allocateForXen(0);
    DescriptorTables.fillReservedPage(memory, gdtFrame);
    hypercalls = new Hypercalls(this);
  }

  public MachineMemory memory() {
    return memory;
  }

  /** The clock of all statistics. */
  public Stopwatch stopwatch() {
    return stopwatch;
  }

  public CodeCache code() {
    return code;
  }

  public FrameTable frames() {
    return frames;
  }

  public XenClock clock() {
    return clock;
  }

  public Scheduler scheduler() {
    return scheduler;
  }

  public Paging paging() {
    return paging;
  }

  public MemoryOps memoryOps() {
    return memoryOps;
  }

  public GrantOps grantOps() {
    return grantOps;
  }

  public Hypercalls hypercalls() {
    return hypercalls;
  }

  /** What guests did beside hypercalls. */
  public TrapStats trapStats() {
    return trapStats;
  }

  public DomainListener listener() {
    return listener;
  }

  public void setListener(DomainListener listener) {
    this.listener = listener;
  }

  /** Gives guests the random numbers of a seed instead of the host's: a run can be repeated. */
  public void repeatRandom(long seed) {
    random = new SplittableRandom(seed);
  }

  @Nullable SplittableRandom random() {
    return random;
  }

  /** Tells {@code listener} of every measurement mark of a guest's, or nobody. */
  public void setMarkListener(Mark.@Nullable Listener listener) {
    markListener = listener;
  }

  Mark.@Nullable Listener markListener() {
    return markListener;
  }

  long gdtFrame() {
    return gdtFrame;
  }

  long zeroFrame() {
    return zeroFrame;
  }

  // --- domains ---

  /**
   * A new domain with the lowest free number, an empty reservation, all of its vcpus down; ENOMEM.
   */
  public Domain createDomain(DomainConfig config) {
    int id = 1;
    while (domains.containsKey(id)) {
      id++;
    }
    if (id >= Domid.FIRST_RESERVED) {
      throw new XenError(Errno.ENOSPC);
    }
    if (frames.freeFrames() < SHARED_FRAMES) {
      throw new XenError(Errno.ENOMEM);
    }
    Domain d = new Domain(this, id, config);
    domains.put(id, d);
    return d;
  }

  /**
   * Ends a domain, running or not: closes its channels and grants, unmakes its page tables, frees
   * its memory.
   */
  public void destroyDomain(Domain d) {
    if (domains.get(d.id()) != d) {
      throw new IllegalStateException(d + " is not a domain of this hypervisor");
    }
    if (scheduler.current() != null) {
      throw new IllegalStateException("a domain is destroyed between slices");
    }
    if (d.hvm() != null) {
      throw new IllegalStateException(d + " ends with its machine");
    }
    d.kill();
    for (Vcpu v : d.vcpus()) {
      v.descriptorTables().dropLdt();
      v.descriptorTables().dropGdt();
      if (v.state.vcpuInfoMoved) {
        frames.putPageAndType(v.state.vcpuInfoPa >>> 12);
        v.state.vcpuInfoPa = -1;
        v.state.vcpuInfoMoved = false;
      }
      paging.dropBases(v);
    }
    paging.relinquish(d);
    domains.remove(d.id());
    for (Vcpu v : d.vcpus()) {
      v.cpu().close();
    }
  }

  /** The domain of that number, or null. */
  public @Nullable Domain domain(long id) {
    return id >= 0 && id < Domid.FIRST_RESERVED ? domains.get((int) id) : null;
  }

  /** {@code id} as a hypercall of {@code caller} means it, DOMID_SELF included; ESRCH. */
  public Domain domainFor(Domain caller, long id) {
    Domain d = id == Domid.SELF ? caller : domain(id);
    if (d == null) {
      throw new XenError(Errno.ESRCH);
    }
    return d;
  }

  public Collection<Domain> domains() {
    return Collections.unmodifiableCollection(domains.values());
  }

  // --- running ---

  /** Runs all vcpus on the calling thread until {@code done}, which is asked between slices. */
  public void run(java.util.function.BooleanSupplier done) {
    scheduler.run(done);
  }

  /** Has {@code work} run between slices on the thread of {@link #run}. Any thread. */
  public void post(Runnable work) {
    scheduler.post(work);
  }

  /** Has {@code work} run once the guests have nothing to do, or after {@code patienceNanos}. */
  public void defer(Runnable work, long patienceNanos) {
    scheduler.defer(work, patienceNanos);
  }

  /** Gives the memory back; no vcpu may be running. */
  @Override
  public void close() {
    if (!ownsMachine) {
      return;
    }
    for (Domain d : domains.values()) {
      d.vcpus().forEach(v -> v.cpu().close());
    }
    memory.close();
  }
}
