package parhelion.xen.memory;

import java.util.ArrayList;
import java.util.List;
import parhelion.cpu.memory.MachineMemory;
import parhelion.xen.Domain;
import parhelion.xen.Hypervisor;
import parhelion.xen.Vcpu;
import parhelion.xen.VcpuState;

/**
 * Counts from scratch what the {@link FrameTable} keeps incrementally: walks every live page table,
 * pin, page-table base and descriptor table, and reports each frame whose references, uses or
 * owner's total differ, and each broken rule. For tests and fuzzers; nothing may be running.
 */
public final class Auditor {
  /** References that something other than page tables holds: grants, event channels, vcpu areas. */
  @FunctionalInterface
  public interface Source {
    /** Calls {@code count} for each reference; with a writable use where {@code writable}. */
    void references(Count count);
  }

  /** One reference to a frame. */
  @FunctionalInterface
  public interface Count {
    void reference(long mfn, boolean writable);
  }

  private static final int MAX_REPORTS = 50;

  private final Hypervisor hypervisor;
  private final FrameTable frames;
  private final PageTypes types;
  private final MachineMemory memory;
  private final int[] refs;
  private final int[] uses;
  private final int[] linear;
  private final List<String> reports = new ArrayList<>();

  private Auditor(Hypervisor hypervisor) {
    this.hypervisor = hypervisor;
    frames = hypervisor.frames();
    types = frames.types();
    memory = hypervisor.memory();
    refs = new int[frames.size()];
    uses = new int[frames.size()];
    linear = new int[frames.size()];
  }

  /** Every difference, one line each; an empty list means that all is well. */
  public static List<String> audit(Hypervisor hypervisor, Source... others) {
    Auditor a = new Auditor(hypervisor);
    a.count(others);
    a.compare();
    return a.reports;
  }

  private void report(String text) {
    if (reports.size() < MAX_REPORTS) {
      reports.add(text);
    }
  }

  private void count(Source[] others) {
    for (int mfn = 0; mfn < frames.size(); mfn++) {
      if (frames.owner(mfn) == null) {
        continue;
      }
      if (frames.isAllocated(mfn)) {
        refs[mfn]++;
        uses[mfn] += frames.isShared(mfn) ? 1 : 0;
      }
      if (types.isPinned(mfn)) {
        hold(mfn);
      }
      if (types.isPartial(mfn) || types.isDying(mfn)) {
        hold(mfn);
        countTable(mfn, types.validatedEntries(mfn));
      } else if (types.isLiveTable(mfn)) {
        countTable(mfn, Pte.ENTRIES);
      }
    }
    for (Domain d : hypervisor.domains()) {
      for (Vcpu v : d.vcpus()) {
        countVcpu(v);
      }
    }
    for (Source other : others) {
      other.references(
          (mfn, writable) -> {
            refs[(int) mfn]++;
            uses[(int) mfn] += writable ? 1 : 0;
          });
    }
  }

  private void hold(int mfn) {
    refs[mfn]++;
    uses[mfn]++;
  }

  private void countVcpu(Vcpu v) {
    VcpuState s = v.state;
    holdBase(v, s.kernelCr3);
    holdBase(v, s.userCr3);
    for (int i = 0; i < (s.gdtEntries + 511) / 512; i++) {
      hold((int) s.gdtFrames[i]);
      if (frames.type(s.gdtFrames[i]) != FrameTable.SEGDESC) {
        report(v + ": GDT frame " + s.gdtFrames[i] + " is no descriptor page");
      }
    }
    if (s.vcpuInfoMoved) {
      hold((int) (s.vcpuInfoPa >>> 12));
    }
    v.descriptorTables().ldtFrames().forEach(mfn -> hold((int) mfn));
  }

  private void holdBase(Vcpu v, long cr3) {
    if (cr3 != 0) {
      hold((int) (cr3 >>> 12));
      if (frames.type(cr3 >>> 12) != FrameTable.L4) {
        report(v + ": page-table base " + (cr3 >>> 12) + " is no L4 table");
      }
    }
  }

  private void countTable(int mfn, int entries) {
    int level = types.type(mfn);
    for (int i = 0; i < entries; i++) {
      long entry = memory.getLong(((long) mfn << 12) + i * 8L);
      if (Pte.present(entry) && Pte.isGuestSlot(level, i)) {
        if (level == FrameTable.L1) {
          countL1(mfn, i, entry);
        } else {
          countUpper(mfn, level, i, entry);
        }
      }
    }
  }

  private void countL1(int table, int slot, long entry) {
    Domain tableOwner = frames.owner(table);
    long mfn = Pte.mfn(entry);
    Domain owner = frames.owner(mfn);
    String where = "L1 " + table + "[" + slot + "] = 0x" + Long.toHexString(entry);
    if (owner == null) {
      report(where + ": maps a frame that is no domain's");
      return;
    }
    boolean foreign = owner != tableOwner;
    if (foreign && (entry & Pte.GNTTAB) == 0 && tableOwner != null && !tableOwner.isPrivileged()) {
      report(where + ": maps a frame of " + owner);
    }
    if ((entry & Pte.USER) == 0) {
      report(where + ": without the user bit");
    }
    boolean writable = (entry & Pte.RW) != 0;
    if (writable && frames.type(mfn) != FrameTable.WRITABLE) {
      report(where + ": writable mapping of a frame of type " + frames.type(mfn));
    }
    refs[(int) mfn]++;
    uses[(int) mfn] += writable ? 1 : 0;
  }

  private void countUpper(int table, int level, int slot, long entry) {
    long mfn = Pte.mfn(entry);
    if (mfn == table) {
      if ((entry & Pte.RW) != 0) {
        report("table " + table + " maps itself writable");
      }
      return;
    }
    String where = "L" + level + " " + table + "[" + slot + "] = 0x" + Long.toHexString(entry);
    if (frames.owner(mfn) != frames.owner(table)) {
      report(where + ": leads to a frame of another owner");
      return;
    }
    int child = (int) mfn;
    int type = types.type(child);
    hold(child);
    if (type == level) {
      linear[table]++;
      linear[child]--;
      if ((entry & Pte.RW) != 0) {
        report(where + ": linear and writable");
      }
    } else if (type != level - 1) {
      report(where + ": leads to a frame of type " + type);
    }
    if (!types.isLiveTable(child)) {
      report(where + ": leads to a table that is not validated");
    }
  }

  private void compare() {
    java.util.Map<Domain, Long> totals = new java.util.HashMap<>();
    for (int mfn = 0; mfn < frames.size(); mfn++) {
      compareFrame(mfn);
      Domain d = frames.owner(mfn);
      if (d != null && !frames.isShared(mfn)) {
        totals.merge(d, 1L, Long::sum);
      }
    }
    for (Domain d : hypervisor.domains()) {
      long total = totals.getOrDefault(d, 0L);
      if (total != d.totPages) {
        report(d + ": has " + total + " pages, totPages says " + d.totPages);
      }
    }
  }

  private void compareFrame(int mfn) {
    String frame =
        "frame " + mfn + " of " + frames.owner(mfn) + " (type " + types.type(mfn) + "): ";
    if (frames.owner(mfn) == null) {
      if (refs[mfn] != 0 || frames.references(mfn) != 0 || types.count(mfn) != 0) {
        report(
            frame
                + "free, but "
                + refs[mfn]
                + " references were found, "
                + frames.references(mfn)
                + " kept");
      }
      return;
    }
    if (refs[mfn] != frames.references(mfn)) {
      report(frame + refs[mfn] + " references were found, " + frames.references(mfn) + " kept");
    }
    if (uses[mfn] != types.count(mfn)) {
      report(frame + uses[mfn] + " uses were found, " + types.count(mfn) + " kept");
    }
    if (linear[mfn] != types.linearCount(mfn)) {
      report(
          frame
              + "linear count "
              + linear[mfn]
              + " was found, "
              + types.linearCount(mfn)
              + " kept");
    }
  }
}
