package parhelion.xen;

import java.util.Collection;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import parhelion.abi.Domid;
import parhelion.abi.Errno;
import parhelion.cpu.interp.CodeCache;
import parhelion.cpu.memory.MachineMemory;
import parhelion.xen.grant.GrantOps;
import parhelion.xen.memory.FrameTable;
import parhelion.xen.memory.MemoryOps;
import parhelion.xen.memory.Paging;

/** The hypervisor: machine memory, time, and the domains that share them. */
public final class Hypervisor implements AutoCloseable {
  private final MachineMemory memory;
  private final CodeCache code;
  private final FrameTable frames;
  private final XenClock clock;
  private final Paging paging;
  private final MemoryOps memoryOps = new MemoryOps();
  private final GrantOps grantOps = new GrantOps();
  private final Hypercalls hypercalls;
  private final TreeMap<Integer, Domain> domains = new TreeMap<>();

  public Hypervisor(MachineMemory memory, XenClock clock) {
    this.memory = memory;
    this.clock = clock;
    code = new CodeCache(memory);
    frames = new FrameTable(memory);
    paging = new Paging(this);
    hypercalls = new Hypercalls(this);
  }

  public MachineMemory memory() {
    return memory;
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

  /** A new domain with an empty reservation, all of its vcpus down. */
  public Domain createDomain(DomainConfig config) {
    int id = 1;
    while (domains.containsKey(id)) {
      id++;
    }
    Domain d = new Domain(this, id, config);
    domains.put(id, d);
    return d;
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
    return domains.values();
  }

  @Override
  public void close() {
    memory.close();
  }
}
