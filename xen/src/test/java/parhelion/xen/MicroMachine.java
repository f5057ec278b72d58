package parhelion.xen;

import static parhelion.cpu.CpuState.RSP;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import parhelion.abi.Bytes;
import parhelion.abi.Hypercall;
import parhelion.cpu.memory.MachineMemory;
import parhelion.xen.event.EventAuditor;
import parhelion.xen.grant.GrantAuditor;
import parhelion.xen.memory.Auditor;
import parhelion.xen.memory.DomainMemoryBuilder;
import parhelion.xen.memory.Pte;

/**
 * A small machine whose guests' kernels are the test: each guest has real, validated page tables
 * and makes hypercalls through the dispatcher, with arguments in its memory. Nothing is executed.
 */
public final class MicroMachine implements AutoCloseable {
  /** Where a guest's pages are mapped, page 0 first; its page tables are read-only. */
  public static final long BASE = 0xffff_ffff_8000_0000L;

  /** The last pages: L4, L3, L2 and L1 table. */
  public static final int TABLES = 4;

  public final MachineMemory memory;
  public final Hypervisor hypervisor;

  public MicroMachine(int frames) {
    memory = new MachineMemory(frames);
    hypervisor = new Hypervisor(memory, new VirtualClock(1_700_000_000_000_000_000L));
  }

  public Guest guest(int pages, int maxPages, int vcpus, boolean privileged) {
    return new Guest(pages, maxPages, vcpus, privileged);
  }

  public Guest guest(int pages) {
    return new Guest(pages, pages + 64, 1, false);
  }

  /** A guest's kernel. */
  public final class Guest {
    public final Domain domain;
    public final Vcpu vcpu;

    /** Machine frame of each of its pages. */
    public final long[] p2m;

    /** Interrupts calls at random, where it is set. */
    public @Nullable Random interruptions;

    Guest(int pages, int maxPages, int vcpus, boolean privileged) {
      domain = hypervisor.createDomain(new DomainConfig(vcpus, maxPages, privileged));
      vcpu = domain.vcpus().getFirst();
      DomainMemoryBuilder builder = new DomainMemoryBuilder(hypervisor, domain);
      p2m = builder.allocate(pages);
      int[] next = {pages - TABLES};
      builder.startTables(() -> p2m[next[0]++]);
      for (int pfn = 0; pfn < pages; pfn++) {
        builder.map(va(pfn), p2m[pfn], Pte.RW);
      }
      hypervisor.paging().installBases(vcpu, builder.finish(), 0);
      vcpu.state.initialised = true;
      vcpu.state.kernelSs = 0xe02b;
      vcpu.state.kernelSp = va(2);
      vcpu.cpu().put64(RSP, va(2) - 0x100);
      vcpu.up();
    }

    public int pages() {
      return p2m.length;
    }

    /** Page of the L1 table that maps all of them. */
    public int l1Page() {
      return p2m.length - 1;
    }

    public long va(int pfn) {
      return BASE + pfn * 4096L;
    }

    public long mfn(int pfn) {
      return p2m[pfn];
    }

    /** Machine address of the entry by which a page is mapped. */
    public long pteAddress(int pfn) {
      return (p2m[l1Page()] << 12) + pfn * 8L;
    }

    public long pte(int pfn) {
      return memory.getLong(pteAddress(pfn));
    }

    /** Its memory by virtual address, as its kernel sees it. */
    public Bytes bytes() {
      return vcpu.guest();
    }

    public long peek(int pfn, int offset) {
      return memory.getLong((p2m[pfn] << 12) + offset);
    }

    public void poke(int pfn, int offset, long value) {
      memory.putLong((p2m[pfn] << 12) + offset, value);
    }

    /** Makes a hypercall and goes on with it when it is interrupted; {@code rax}. */
    public long call(Hypercall call, long... args) {
      return call(vcpu, call.nr(), args);
    }

    /** The same for any number and vcpu. */
    public long call(Vcpu v, long nr, long... args) {
      long[] a = java.util.Arrays.copyOf(args, 5);
      while (true) {
        Random random = interruptions;
        if (random != null && random.nextInt(8) == 0) {
          v.cpu().requestAttention();
        }
        try {
          return hypervisor.hypercalls().call(v, nr, a[0], a[1], a[2], a[3], a[4]);
        } catch (HypercallContinuation c) {
          a = v.continuation.clone();
          v.cpu().clearAttention();
        }
      }
    }

    public void destroy() {
      hypervisor.destroyDomain(domain);
    }
  }

  /** Everything that an auditor finds wrong. */
  public List<String> audit() {
    List<String> found = new ArrayList<>();
    GrantAuditor grants = new GrantAuditor(hypervisor);
    EventAuditor events = new EventAuditor(hypervisor);
    found.addAll(Auditor.audit(hypervisor, grants, events));
    found.addAll(grants.audit());
    found.addAll(events.audit());
    return found;
  }

  /** The same for guests that may write to the status of their grants. */
  public List<String> auditBooks() {
    GrantAuditor grants = new GrantAuditor(hypervisor);
    EventAuditor events = new EventAuditor(hypervisor);
    List<String> found = new ArrayList<>(Auditor.audit(hypervisor, grants, events));
    found.addAll(grants.audit(false));
    found.addAll(events.audit());
    return found;
  }

  @Override
  public void close() {
    hypervisor.close();
  }
}
