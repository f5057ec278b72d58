package parhelion.xen.event;

import parhelion.abi.Errno;
import parhelion.abi.EvtchnArgs.EvtchnInitControl;
import parhelion.abi.EvtchnFifo;
import parhelion.abi.EvtchnFifoControlBlock;
import parhelion.cpu.memory.MachineMemory;
import parhelion.xen.Domain;
import parhelion.xen.Vcpu;
import parhelion.xen.XenError;
import parhelion.xen.memory.FrameTable;

/**
 * FIFO event channels: an event word for each port in pages of the guest's, linked into a queue for
 * each vcpu and priority; heads and the set of non-empty queues in a control block. The guest may
 * only clear what we set, at any time: words change by compare-and-set.
 */
final class Fifo implements EventAbi {
  private static final int WORDS_PER_PAGE = 1024;
  private static final int MAX_PAGES = EvtchnFifo.NR_CHANNELS / WORDS_PER_PAGE;
  private static final int PENDING = 1 << EvtchnFifo.PENDING;
  private static final int MASKED = 1 << EvtchnFifo.MASKED;
  private static final int LINKED = 1 << EvtchnFifo.LINKED;
  private static final int BUSY = 1 << EvtchnFifo.BUSY;

  private final Domain domain;
  private final EventChannels channels;
  private final MachineMemory memory;
  private final FrameTable frames;
  private final long[] pages = new long[MAX_PAGES];
  private int pageCount;

  /**
   * Machine address of each vcpu's control block, -1 for none, and the tail of each of its queues.
   */
  private final long[] control;

  private final int[][] tails;

  Fifo(Domain domain, EventChannels channels) {
    this.domain = domain;
    this.channels = channels;
    memory = domain.hypervisor().memory();
    frames = domain.hypervisor().frames();
    int vcpus = domain.vcpus().size();
    control = new long[vcpus];
    java.util.Arrays.fill(control, -1);
    tails = new int[vcpus][EvtchnFifo.MAX_QUEUES];
  }

  /** Where the guest asked for its control block; the vcpu exists. */
  void mapControlBlock(EvtchnInitControl args) {
    int vcpu = (int) args.vcpu();
    if (control[vcpu] != -1) {
      throw new XenError(Errno.EINVAL);
    }
    control[vcpu] = (mapPage(args.controlGfn()) << 12) + args.offset();
  }

  void forEachFrame(java.util.function.LongConsumer action) {
    for (int i = 0; i < pageCount; i++) {
      action.accept(pages[i]);
    }
    for (long pa : control) {
      if (pa != -1) {
        action.accept(pa >>> 12);
      }
    }
  }

  private long mapPage(long gfn) {
    long mfn = domain.mfnOf(gfn);
    if (!frames.getPageAndType(domain, mfn, FrameTable.WRITABLE)) {
      throw new XenError(Errno.EINVAL);
    }
    return mfn;
  }

  /** Adds a page of event words, and raises what was pending without one. */
  void expandArray(long gfn) {
    if (pageCount >= MAX_PAGES) {
      throw new XenError(Errno.ENOSPC);
    }
    pages[pageCount] = mapPage(gfn);
    int first = pageCount * WORDS_PER_PAGE;
    pageCount++;
    for (int n = first; n < first + WORDS_PER_PAGE; n++) {
      Port port = channels.port(n);
      if (port == null) {
        break;
      }
      if (port.pending) {
        port.pending = false;
        setPending(port);
      }
    }
  }

  @Override
  public int maxPorts() {
    return EvtchnFifo.NR_CHANNELS;
  }

  /** Machine address of a port's word, or -1. */
  private long word(int port) {
    int page = port / WORDS_PER_PAGE;
    return page < pageCount ? (pages[page] << 12) + port % WORDS_PER_PAGE * 4L : -1;
  }

  private boolean testAndSet(long pa, int bits) {
    while (true) {
      int old = memory.getInt(pa);
      if ((old & bits) == bits) {
        return true;
      }
      if (memory.compareAndSetInt(pa, old, old | bits)) {
        return false;
      }
    }
  }

  private void clear(long pa, int bits) {
    int old;
    do {
      old = memory.getInt(pa);
    } while ((old & bits) != 0 && !memory.compareAndSetInt(pa, old, old & ~bits));
  }

  private boolean test(Port port, int bits) {
    long word = word(port.number);
    return word != -1 && (memory.getInt(word) & bits) != 0;
  }

  @Override
  public void init(Port port) {
    port.priority = EvtchnFifo.PRIORITY_DEFAULT;
  }

  @Override
  public void setPending(Port port) {
    long word = word(port.number);
    if (word == -1) {
      port.pending = true;
      return;
    }
    int vcpu = port.vcpu;
    if (control[vcpu] == -1) {
      return;
    }
    boolean wasPending = testAndSet(word, PENDING);
    if ((memory.getInt(word) & MASKED) == 0 && !testAndSet(word, LINKED)) {
      link(port, vcpu);
    }
    if (!wasPending) {
      channels.wakePollers(port.number);
    }
  }

  /** Appends a port, whose word has just become LINKED, to its queue. */
  private void link(Port port, int vcpu) {
    int priority = port.priority;
    if (tails[port.lastVcpu][port.lastPriority] == port.number) {
      // It was the last of its old queue, which is therefore empty.
      tails[port.lastVcpu][port.lastPriority] = 0;
    }
    port.lastVcpu = vcpu;
    port.lastPriority = priority;
    int tail = tails[vcpu][priority];
    boolean linked = tail != 0 && setLink(word(tail), port.number);
    tails[vcpu][priority] = port.number;
    if (linked) {
      return;
    }
    long head = control[vcpu] + EvtchnFifoControlBlock.HEAD.offset() + priority * 4L;
    memory.putInt(head, port.number);
    long ready = control[vcpu] + EvtchnFifoControlBlock.READY.offset();
    Vcpu v = domain.vcpu(vcpu);
    if (!testAndSet(ready, 1 << priority) && v != null) {
      v.markEventsPending();
    }
  }

  /** Points the tail's word at {@code port} unless the guest has unlinked it; false then. */
  private boolean setLink(long word, int port) {
    if (word == -1) {
      return false;
    }
    for (int i = 0; i < 6; i++) {
      int old = memory.getInt(word);
      if ((old & LINKED) == 0) {
        clear(word, BUSY);
        return false;
      }
      if (memory.compareAndSetInt(word, old, (old & ~(BUSY | EvtchnFifo.LINK_MASK)) | port)) {
        return true;
      }
      testAndSet(word, BUSY);
    }
    // A guest that changes it all the time breaks its own queue only.
    clear(word, BUSY);
    return true;
  }

  @Override
  public void clearPending(Port port) {
    port.pending = false;
    long word = word(port.number);
    if (word != -1) {
      clear(word, PENDING);
    }
  }

  @Override
  public void unmask(Port port) {
    long word = word(port.number);
    if (word != -1) {
      clear(word, MASKED);
      if ((memory.getInt(word) & PENDING) != 0) {
        setPending(port);
      }
    }
  }

  @Override
  public boolean isPending(Port port) {
    return test(port, PENDING);
  }

  @Override
  public boolean isMasked(Port port) {
    return word(port.number) == -1 || test(port, MASKED);
  }

  @Override
  public boolean isBusy(Port port) {
    return test(port, LINKED);
  }

  @Override
  public void setPriority(Port port, long priority) {
    if (priority < 0 || priority > EvtchnFifo.PRIORITY_MIN) {
      throw new XenError(Errno.EINVAL);
    }
    port.priority = (int) priority;
  }

  @Override
  public void destroy() {
    for (int i = 0; i < pageCount; i++) {
      frames.putPageAndType(pages[i]);
    }
    pageCount = 0;
    for (int i = 0; i < control.length; i++) {
      if (control[i] != -1) {
        frames.putPageAndType(control[i] >>> 12);
        control[i] = -1;
      }
    }
  }
}
