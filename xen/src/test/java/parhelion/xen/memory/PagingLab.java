package parhelion.xen.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.jspecify.annotations.Nullable;
import parhelion.abi.Domid;
import parhelion.abi.MmuExtCmd;
import parhelion.cpu.memory.MachineMemory;
import parhelion.xen.Domain;
import parhelion.xen.HypercallContinuation;
import parhelion.xen.Hypervisor;
import parhelion.xen.Vcpu;
import parhelion.xen.XenError;

/**
 * A small machine with two guests whose kernels are this test: each has {@link #PAGES} pages, all
 * mapped writable from {@link #BASE} on but for its page tables, and makes hypercalls with
 * arguments in its page 0.
 */
final class PagingLab implements AutoCloseable {
  static final int PAGES = 256;
  static final long BASE = 0xffff_ffff_8000_0000L;

  /** First of the pages that the builder made page tables: L4, L3, L2, L1. */
  static final int TABLES = PAGES - 4;

  static final int RW = (int) (Pte.PRESENT | Pte.RW | Pte.USER | Pte.ACCESSED | Pte.DIRTY);
  static final int RO = RW & ~(int) Pte.RW;

  final MachineMemory memory;
  final Hypervisor hypervisor;
  final FrameTable frames;
  final Paging paging;
  final Guest a;
  final Guest b;

  /** Leaves interrupted hypercalls as they are instead of going on with them. */
  boolean abandons;

  PagingLab() {
    this(2048);
  }

  PagingLab(int machineFrames) {
    memory = new MachineMemory(machineFrames);
    hypervisor = TestHypervisors.make(memory);
    frames = hypervisor.frames();
    paging = hypervisor.paging();
    a = new Guest(false);
    b = new Guest(false);
  }

  Guest privilegedGuest() {
    return new Guest(true);
  }

  /** A guest's kernel. */
  final class Guest {
    final Domain domain;
    final Vcpu vcpu;
    final long[] p2m;

    Guest(boolean privileged) {
      domain = hypervisor.createDomain(TestHypervisors.config(2, PAGES + 64, privileged));
      vcpu = domain.vcpus().getFirst();
      DomainMemoryBuilder builder = new DomainMemoryBuilder(hypervisor, domain);
      p2m = builder.allocate(PAGES);
      int[] next = {TABLES};
      builder.startTables(() -> p2m[next[0]++]);
      for (int pfn = 0; pfn < PAGES; pfn++) {
        builder.map(va(pfn), p2m[pfn], Pte.RW);
      }
      long l4 = builder.finish();
      paging.installBases(vcpu, l4, 0);
    }

    long va(int pfn) {
      return BASE + pfn * 4096L;
    }

    long mfn(int pfn) {
      return p2m[pfn];
    }

    int type(int pfn) {
      return frames.type(p2m[pfn]);
    }

    int uses(int pfn) {
      return frames.typeCount(p2m[pfn]);
    }

    long pte(int pfn) {
      return paging.guestL1Entry(vcpu, va(pfn));
    }

    /** Writes to a page by its machine address, as the guest would by its own mapping. */
    void poke(int pfn, int slot, long value) {
      memory.putLong((p2m[pfn] << 12) + slot * 8L, value);
    }

    long peek(int pfn, int slot) {
      return memory.getLong((p2m[pfn] << 12) + slot * 8L);
    }

    /** Machine address of an entry. */
    long at(int pfn, int slot) {
      return (p2m[pfn] << 12) + slot * 8L;
    }

    private long call(Call call, long a1, long a2, long a3, long a4) {
      long[] args = {a1, a2, a3, a4, 0};
      while (true) {
        try {
          return call.call(vcpu, args[0], args[1], args[2], args[3], args[4]);
        } catch (HypercallContinuation c) {
          if (abandons) {
            return -1;
          }
          args = vcpu.continuation.clone();
        } catch (XenError e) {
          return e.result();
        }
      }
    }

    long update(long ptr, long value) {
      return update(ptr, value, Domid.SELF);
    }

    long update(long ptr, long value, long foreigndom) {
      poke(0, 0, ptr);
      poke(0, 1, value);
      return call(paging::mmuUpdate, va(0), 1, 0, foreigndom);
    }

    /** {@code count} requests that stand in page 0. */
    long updates(int count, long doneVa) {
      return call(paging::mmuUpdate, va(0), count, doneVa, Domid.SELF);
    }

    /** Changes the entry by which the kernel maps its page. */
    long remap(int pfn, long entry) {
      return call(paging::updateVaMapping, va(pfn), entry, 0, 0);
    }

    long remap(int pfn, long entry, long flags) {
      return call(paging::updateVaMapping, va(pfn), entry, flags, 0);
    }

    void makeReadOnly(int pfn) {
      assertEquals(0, remap(pfn, Pte.of(p2m[pfn], RO)));
    }

    void makeWritable(int pfn) {
      assertEquals(0, remap(pfn, Pte.of(p2m[pfn], RW)));
    }

    long ext(MmuExtCmd command, long arg1, long arg2) {
      return ext(command, arg1, arg2, Domid.SELF);
    }

    long ext(MmuExtCmd command, long arg1, long arg2, long foreigndom) {
      poke(0, 0, command.nr());
      poke(0, 1, arg1);
      poke(0, 2, arg2);
      return call(paging::mmuextOp, va(0), 1, 0, foreigndom);
    }

    long pin(int level, int pfn) {
      return ext(MmuExtCmd.of(level - 1), p2m[pfn], 0);
    }

    long unpin(int pfn) {
      return ext(MmuExtCmd.UNPIN_TABLE, p2m[pfn], 0);
    }

    long memoryOp(long cmd) {
      return call(hypervisor.memoryOps()::memoryOp, cmd, va(0), 0, 0);
    }

    long[] args(long... values) {
      for (int i = 0; i < values.length; i++) {
        poke(0, i, values[i]);
      }
      return values;
    }
  }

  private interface Call {
    long call(Vcpu v, long a1, long a2, long a3, long a4, long a5);
  }

  void assertSound(Auditor.Source... others) {
    List<String> found = Auditor.audit(hypervisor, others);
    assertEquals(List.of(), found);
  }

  @Nullable Domain owner(long mfn) {
    return frames.owner(mfn);
  }

  @Override
  public void close() {
    hypervisor.close();
  }
}
