package parhelion.xen.event;

import parhelion.abi.Errno;
import parhelion.abi.SharedInfo;
import parhelion.abi.VcpuInfo;
import parhelion.abi.XenLimits;
import parhelion.cpu.memory.MachineMemory;
import parhelion.xen.Domain;
import parhelion.xen.Vcpu;
import parhelion.xen.XenError;

/**
 * Two-level event channels: a pending and a mask bit for each port in shared_info, a selector word
 * in each vcpu_info.
 */
final class TwoLevel implements EventAbi {
  /** What is elsewhere in the structures of 32-bit code; pending bits are in the same place. */
  private static final int NARROW_CHANNELS = 1024;

  private static final int NARROW_MASK = 2176;
  private static final int NARROW_SELECTOR = 4;

  private final Domain domain;
  private final EventChannels channels;
  private final MachineMemory memory;

  TwoLevel(Domain domain, EventChannels channels) {
    this.domain = domain;
    this.channels = channels;
    memory = domain.hypervisor().memory();
  }

  @Override
  public int maxPorts() {
    return domain.isNarrow() ? NARROW_CHANNELS : XenLimits.EVTCHN_2L_NR_CHANNELS;
  }

  @Override
  public void init(Port port) {}

  private long word(int base, int port) {
    return (domain.sharedInfoMfn() << 12) + base + (port >>> 6) * 8L;
  }

  private long pendingWord(int port) {
    return word(SharedInfo.EVTCHN_PENDING.offset(), port);
  }

  private long maskWord(int port) {
    return word(domain.isNarrow() ? NARROW_MASK : SharedInfo.EVTCHN_MASK.offset(), port);
  }

  private boolean test(long pa, int port) {
    return (memory.getLong(pa) >>> (port & 63) & 1) != 0;
  }

  private boolean testAndSet(long pa, int bit) {
    while (true) {
      long old = memory.getLong(pa);
      long wanted = old | 1L << bit;
      if (old == wanted || memory.compareAndSetLong(pa, old, wanted)) {
        return old == wanted;
      }
    }
  }

  private boolean testAndClear(long pa, int bit) {
    while (true) {
      long old = memory.getLong(pa);
      long wanted = old & ~(1L << bit);
      if (old == wanted || memory.compareAndSetLong(pa, old, wanted)) {
        return old != wanted;
      }
    }
  }

  @Override
  public void setPending(Port port) {
    int n = port.number;
    if (testAndSet(pendingWord(n), n & 63)) {
      return;
    }
    if (!test(maskWord(n), n)) {
      select(port);
    }
    channels.wakePollers(n);
  }

  /**
   * Sets the port's bit in its vcpu's selector and, if that was clear, makes the upcall pending.
   */
  private void select(Port port) {
    Vcpu v = domain.vcpu(port.vcpu);
    if (v == null || v.state.vcpuInfoPa < 0) {
      return;
    }
    if (domain.isNarrow()) {
      selectNarrow(port, v);
      return;
    }
    long selector = v.state.vcpuInfoPa + VcpuInfo.EVTCHN_PENDING_SEL.offset();
    if (!testAndSet(selector, port.number >>> 6)) {
      v.markEventsPending();
    }
  }

  /** The same for 32-bit code, whose selector has a bit for each 32 ports. */
  private void selectNarrow(Port port, Vcpu v) {
    long selector = v.state.vcpuInfoPa + NARROW_SELECTOR;
    int bit = 1 << (port.number >>> 5);
    int old;
    do {
      old = memory.getInt(selector);
    } while ((old & bit) == 0 && !memory.compareAndSetInt(selector, old, old | bit));
    if ((old & bit) == 0) {
      v.markEventsPending();
    }
  }

  @Override
  public void clearPending(Port port) {
    testAndClear(pendingWord(port.number), port.number & 63);
  }

  @Override
  public void unmask(Port port) {
    int n = port.number;
    if (testAndClear(maskWord(n), n & 63) && test(pendingWord(n), n)) {
      select(port);
    }
  }

  @Override
  public boolean isPending(Port port) {
    return test(pendingWord(port.number), port.number);
  }

  @Override
  public boolean isMasked(Port port) {
    return test(maskWord(port.number), port.number);
  }

  @Override
  public boolean isBusy(Port port) {
    return false;
  }

  @Override
  public void setPriority(Port port, long priority) {
    throw new XenError(Errno.ENOSYS);
  }

  @Override
  public void destroy() {}
}
