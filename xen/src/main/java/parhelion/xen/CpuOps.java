package parhelion.xen;

import parhelion.abi.Errno;
import parhelion.abi.ReservedGdt;
import parhelion.abi.SegmentBase;
import parhelion.xen.memory.FrameTable;
import parhelion.xen.memory.SegmentDescriptors;

/** Hypercalls on descriptors, segment bases, the FPU's TS flag and debug registers. */
final class CpuOps {
  private CpuOps() {}

  static long setGdt(Vcpu v, long list, long count, long a3, long a4, long a5) {
    long entries = count & 0xffff_ffffL;
    if (entries > ReservedGdt.ENTRY) {
      throw new XenError(Errno.EINVAL);
    }
    long[] mfns = new long[(int) (entries + 511) / 512];
    for (int i = 0; i < mfns.length; i++) {
      mfns[i] = v.guest().getLong(list + i * 8L);
    }
    v.descriptorTables().setGdt(mfns, (int) entries);
    return 0;
  }

  /**
   * Writes one descriptor, in a frame that is already a descriptor page or is not in use otherwise.
   * {@code pa} is its machine address; EINVAL.
   */
  static long updateDescriptor(Vcpu v, long pa, long descriptor, long a3, long a4, long a5) {
    Domain d = v.domain();
    FrameTable frames = d.hypervisor().frames();
    long checked = SegmentDescriptors.checked(descriptor);
    if ((pa & 7) != 0 || checked == SegmentDescriptors.REFUSED) {
      throw new XenError(Errno.EINVAL);
    }
    long mfn = pa >>> 12;
    int type = frames.owner(mfn) == d ? frames.type(mfn) : FrameTable.NONE;
    int wanted = type == FrameTable.SEGDESC ? FrameTable.SEGDESC : FrameTable.WRITABLE;
    if (!frames.getPageAndType(d, mfn, wanted)) {
      throw new XenError(Errno.EINVAL);
    }
    d.hypervisor().memory().putLong(pa, checked);
    frames.putPageAndType(mfn);
    return 0;
  }

  static long setSegmentBase(Vcpu v, long which, long base, long a3, long a4, long a5) {
    SegmentBase segment = SegmentBase.of(which & 0xffff_ffffL);
    if (segment == null) {
      throw new XenError(Errno.EINVAL);
    }
    return v.traps().setSegmentBase(segment, base);
  }

  static long fpuTaskswitch(Vcpu v, long set, long a2, long a3, long a4, long a5) {
    v.traps().setTaskSwitched(v.cpu(), (int) set != 0);
    return 0;
  }

  static long setDebugreg(Vcpu v, long register, long value, long a3, long a4, long a5) {
    DebugRegisters.write(v, (int) register, value);
    return 0;
  }

  static long getDebugreg(Vcpu v, long register, long a2, long a3, long a4, long a5) {
    return DebugRegisters.read(v, (int) register);
  }
}
