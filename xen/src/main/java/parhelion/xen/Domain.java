package parhelion.xen;

import java.util.List;
import org.jspecify.annotations.Nullable;
import parhelion.xen.event.EventChannels;
import parhelion.xen.grant.GrantTable;

/**
 * A virtual machine: vcpus, memory, event channels and grants. Made by {@link
 * Hypervisor#createDomain}.
 */
public final class Domain {
  /** Frames that count towards the reservation, and their limit. */
  public long totPages;

  public long maxPages;

  /** Bits of {@link parhelion.abi.VmAssist}. */
  public long vmAssist;

  private final Hypervisor hypervisor;
  private final int id;
  private final boolean privileged;
  private final long sharedInfoMfn;
  private final List<Vcpu> vcpus;
  private final EventChannels events;
  private final GrantTable grants;

  Domain(Hypervisor hypervisor, int id, DomainConfig config) {
    this.hypervisor = hypervisor;
    this.id = id;
    privileged = config.privileged();
    maxPages = config.maxPages();
    sharedInfoMfn = hypervisor.frames().allocateShared(this);
    events = new EventChannels(this);
    grants = new GrantTable(this);
    vcpus =
        java.util.stream.IntStream.range(0, config.vcpus())
            .mapToObj(i -> new Vcpu(this, i))
            .toList();
  }

  public Hypervisor hypervisor() {
    return hypervisor;
  }

  public int id() {
    return id;
  }

  /** May call what only dom0 may. */
  public boolean isPrivileged() {
    return privileged;
  }

  public long sharedInfoMfn() {
    return sharedInfoMfn;
  }

  public List<Vcpu> vcpus() {
    return vcpus;
  }

  /** The vcpu of that number, or null. */
  public @Nullable Vcpu vcpu(long id) {
    return id >= 0 && id < vcpus.size() ? vcpus.get((int) id) : null;
  }

  public EventChannels events() {
    return events;
  }

  public GrantTable grants() {
    return grants;
  }

  @Override
  public String toString() {
    return "d" + id;
  }
}
