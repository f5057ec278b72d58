package parhelion.xen.grant;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import parhelion.abi.Gntmap;
import parhelion.abi.Gtf;
import parhelion.xen.Domain;
import parhelion.xen.Hypervisor;
import parhelion.xen.event.EventChannels;
import parhelion.xen.memory.Auditor;
import parhelion.xen.memory.FrameTable;

/**
 * Counts from scratch who uses which grant, by the handles of all domains and the backends' grants,
 * and compares with what the tables keep: users of each entry, status bits, references. For tests
 * and fuzzers; between hypercalls only.
 *
 * <p>The status bits are in the guest's memory and can be compared only for guests that do not
 * write to them.
 */
public final class GrantAuditor implements Auditor.Source {
  private static final int MAX_REPORTS = 50;

  private record Entry(GrantTable table, int ref) {}

  private final Hypervisor hypervisor;
  private final FrameTable frames;
  private final Map<Entry, ActiveGrant> expected = new HashMap<>();
  private final List<String> reports = new ArrayList<>();

  public GrantAuditor(Hypervisor hypervisor) {
    this.hypervisor = hypervisor;
    frames = hypervisor.frames();
  }

  private void report(String text) {
    if (reports.size() < MAX_REPORTS) {
      reports.add(text);
    }
  }

  /** References that no page-table entry holds: devices' and backends'. */
  @Override
  public void references(Auditor.Count count) {
    for (Domain d : hypervisor.domains()) {
      Maptrack maptrack = d.grants().maptrack();
      for (int handle = 0; handle < maptrack.size(); handle++) {
        Maptrack.@Nullable Mapping m = maptrack.get(handle);
        if (m != null && (m.flags() & Gntmap.DEVICE_MAP) != 0) {
          boolean readOnly = (m.flags() & Gntmap.READONLY) != 0;
          count.reference(m.table().active(m.ref()).mfn, !readOnly);
        }
      }
    }
    for (HostGrant grant : hypervisor.grantOps().hostGrants()) {
      count.reference(grant.mfn(), grant.isWritable());
    }
  }

  /** Every difference, one line each; an empty list means that all is well. */
  public List<String> audit() {
    return audit(true);
  }

  /** The same; {@code guestsAreHonest} if no guest writes to its status bits. */
  public List<String> audit(boolean guestsAreHonest) {
    for (Domain d : hypervisor.domains()) {
      countHandles(d);
    }
    for (HostGrant grant : hypervisor.grantOps().hostGrants()) {
      Entry entry = new Entry(grant.table(), grant.ref());
      use(entry, EventChannels.HOST_DOMID, grant.mfn()).pin(!grant.isWritable(), true, false, 1);
    }
    for (Domain d : hypervisor.domains()) {
      checkTable(d.grants(), guestsAreHonest);
    }
    for (Entry entry : expected.keySet()) {
      compare(entry, entry.table.activeOrNull(entry.ref));
    }
    return reports;
  }

  private void countHandles(Domain d) {
    Maptrack maptrack = d.grants().maptrack();
    int used = 0;
    for (int handle = 0; handle < maptrack.size(); handle++) {
      Maptrack.@Nullable Mapping m = maptrack.get(handle);
      if (m == null) {
        continue;
      }
      used++;
      long kinds = m.flags() & (Gntmap.HOST_MAP | Gntmap.DEVICE_MAP);
      if (kinds == 0) {
        report(d + ": handle " + handle + " maps nothing");
      }
      ActiveGrant act = m.table().activeOrNull(m.ref());
      use(new Entry(m.table(), m.ref()), d.id(), act == null ? -1 : act.mfn)
          .pin(
              (m.flags() & Gntmap.READONLY) != 0,
              (m.flags() & Gntmap.HOST_MAP) != 0,
              (m.flags() & Gntmap.DEVICE_MAP) != 0,
              1);
    }
    if (used != maptrack.count()) {
      report(d + ": " + used + " handles are in use, " + maptrack.count() + " were counted");
    }
  }

  private ActiveGrant use(Entry entry, int domid, long mfn) {
    ActiveGrant e = expected.get(entry);
    if (e == null) {
      e = new ActiveGrant();
      e.domid = domid;
      e.mfn = mfn;
      expected.put(entry, e);
    } else if (e.domid != domid || e.mfn != mfn) {
      report(name(entry) + " is in use by domains " + e.domid + " and " + domid);
    }
    return e;
  }

  private static String name(Entry entry) {
    return entry.table.domain() + ": grant " + entry.ref;
  }

  private void checkTable(GrantTable table, boolean guestIsHonest) {
    GrantTableState state = table.state();
    int entries = table.entries().count();
    for (int ref = 0; ref < state.active.length; ref++) {
      Entry entry = new Entry(table, ref);
      ActiveGrant act = state.active[ref];
      ActiveGrant e = expected.get(entry);
      if (act != null && act.isPinned() && e == null) {
        report(name(entry) + " is kept in use, but nobody uses it");
      }
      if (guestIsHonest && ref < entries) {
        int status = e == null ? 0 : e.isWritten() ? Gtf.READING | Gtf.WRITING : Gtf.READING;
        if (table.entries().status(ref) != status) {
          report(name(entry) + " has status " + table.entries().status(ref) + ", not " + status);
        }
      }
    }
    checkFrames(table, state.sharedMfns);
    checkFrames(table, state.statusMfns);
  }

  private void checkFrames(GrantTable table, long[] mfns) {
    for (long mfn : mfns) {
      if (frames.owner(mfn) != table.domain()
          || !frames.isShared(mfn)
          || !frames.isAllocated(mfn)) {
        report(table.domain() + ": frame " + mfn + " of the grant table is not shared with it");
      }
    }
  }

  private void compare(Entry entry, @Nullable ActiveGrant act) {
    ActiveGrant e = expected.get(entry);
    if (e == null) {
      return;
    }
    if (act == null || act.domid != e.domid || !sameUsers(act, e)) {
      report(name(entry) + " is used " + describe(e) + ", kept is " + describe(act));
      return;
    }
    if (frames.owner(act.mfn) != entry.table.domain()) {
      report(name(entry) + " is in use, but frame " + act.mfn + " is not its domain's");
    }
    if (e.isWritten() && frames.type(act.mfn) != FrameTable.WRITABLE) {
      report(name(entry) + " is written, but frame " + act.mfn + " is of another type");
    }
  }

  private static boolean sameUsers(ActiveGrant a, ActiveGrant b) {
    return a.hostReaders == b.hostReaders
        && a.hostWriters == b.hostWriters
        && a.deviceReaders == b.deviceReaders
        && a.deviceWriters == b.deviceWriters;
  }

  private static String describe(@Nullable ActiveGrant act) {
    return act == null
        ? "not at all"
        : "by domain "
            + act.domid
            + (" (" + act.hostReaders + ", " + act.hostWriters)
            + (", " + act.deviceReaders + ", " + act.deviceWriters + ")");
  }
}
