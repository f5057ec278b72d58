package parhelion.xen;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import parhelion.abi.HvmParam;

/**
 * What Xen keeps of a fully virtualised domain: its parameters, how events interrupt it, and which
 * of Xen's frames it has where. Guest frames are the machine's physical addresses; behind them is
 * the machine's memory or, where the guest has asked for it, a frame of Xen's own. On the thread
 * that runs the machine.
 */
public final class HvmDomain {
  /** Parameters that Xen has. */
  public static final int PARAMS = 39;

  private static final int TYPE_SHIFT = 56;
  private static final int FIRST_VECTOR = 16;
  private static final int DEVICE_SHIFT = 11;

  private final HvmMachine machine;
  private final long[] params = new long[PARAMS];
  private final int[] upcallVectors;

  /** Whether the callback's line is raised, if the callback is one. */
  private boolean lineRaised;

  /** Xen's frames by guest frame, and the other way: a frame is in one place at a time. */
  private final Map<Long, Long> shown = new HashMap<>();

  private final Map<Long, Long> places = new HashMap<>();

  HvmDomain(HvmMachine machine, int vcpus) {
    this.machine = machine;
    upcallVectors = new int[vcpus];
  }

  public HvmMachine machine() {
    return machine;
  }

  // --- memory ---

  /** The machine frame behind a guest frame, or -1. */
  public long mfnOf(long gfn) {
    Long own = shown.get(gfn);
    return own != null ? own : machine.memoryFrame(gfn);
  }

  /** Where one of Xen's frames is, or -1. */
  public long placeOf(long mfn) {
    Long gfn = places.get(mfn);
    return gfn == null ? -1 : gfn;
  }

  /** Puts a frame of Xen's at a guest frame, and takes it from where it was; false if it cannot. */
  public boolean place(long gfn, long mfn) {
    Long before = shown.get(gfn);
    if (before != null && before == mfn) {
      return true;
    }
    if (!machine.show(gfn, mfn)) {
      return false;
    }
    if (before != null) {
      places.remove(before);
    }
    Long old = places.put(mfn, gfn);
    shown.put(gfn, mfn);
    if (old != null) {
      shown.remove(old);
      machine.hide(old);
    }
    return true;
  }

  /** Takes Xen's frame away from a guest frame; false if there is none. */
  public boolean remove(long gfn) {
    Long mfn = shown.remove(gfn);
    if (mfn == null) {
      return false;
    }
    places.remove(mfn);
    machine.hide(gfn);
    return true;
  }

  /** Takes one of Xen's frames away from wherever it is. */
  public void withdraw(long mfn) {
    Long gfn = places.get(mfn);
    if (gfn != null) {
      boolean unused = remove(gfn);
    }
  }

  // --- parameters and events ---

  public long param(int index) {
    return params[index];
  }

  public void param(int index, long value) {
    params[index] = value;
  }

  /** Sets how events are to interrupt. What waits already is not told of by this. */
  void callback(long via) {
    if (lineRaised) {
      lineRaised = false;
      drive(false);
    }
    params[HvmParam.CALLBACK_IRQ] = via;
  }

  private int callbackType() {
    return (int) (params[HvmParam.CALLBACK_IRQ] >>> TYPE_SHIFT);
  }

  /** Whether the callback is a line or a pin, which the first vcpu's events raise. */
  private boolean callbackIsLine() {
    return switch (callbackType()) {
      case HvmParam.CALLBACK_TYPE_GSI -> params[HvmParam.CALLBACK_IRQ] != 0;
      case HvmParam.CALLBACK_TYPE_PCI_INTX -> true;
      default -> false;
    };
  }

  private void drive(boolean raised) {
    int via = (int) params[HvmParam.CALLBACK_IRQ];
    if (callbackType() == HvmParam.CALLBACK_TYPE_GSI) {
      machine.line(via & 0xff, raised);
    } else {
      machine.pciPin(via >>> DEVICE_SHIFT & 31, via & 3, raised);
    }
  }

  /**
   * Lowers the callback's line if the guest has seen the first vcpu's events, which it says in
   * memory alone. To be called before controllers are asked whether the line still asks.
   */
  public void noticeSeen(Vcpu first) {
    if (lineRaised && !first.upcallPending()) {
      lineRaised = false;
      drive(false);
    }
  }

  /** The vector by which the guest wants to be interrupted on any vcpu; -1 for none. */
  public int callbackVector() {
    long via = params[HvmParam.CALLBACK_IRQ];
    int vector = (int) via & 0xff;
    boolean isVector = callbackType() == HvmParam.CALLBACK_TYPE_VECTOR;
    return isVector && vector >= FIRST_VECTOR ? vector : -1;
  }

  /** Has a vcpu be told of events through its local APIC; false for a vector that has none. */
  boolean upcallVector(int vcpu, int vector) {
    if (vector < FIRST_VECTOR) {
      return false;
    }
    upcallVectors[vcpu] = vector;
    return true;
  }

  /** Tells a vcpu that it has events, in the way that it has asked for. */
  public void eventsPending(Vcpu v) {
    int vector = upcallVectors[v.id()];
    if (vector != 0) {
      machine.interrupt(v.id(), vector);
    } else if (callbackVector() >= 0) {
      machine.eventsPending(v.id());
    } else if (v.id() == 0 && callbackIsLine()) {
      if (lineRaised) {
        // Seen, and new ones have come before anybody looked: an edge for those who want one.
        drive(false);
      }
      lineRaised = true;
      drive(true);
    }
  }

  /**
   * The vector with which a vcpu is to be interrupted now, by the callback for all vcpus; -1 if it
   * is not.
   */
  public int waitingVector(Vcpu v) {
    return upcallVectors[v.id()] == 0 && v.upcallPending() ? callbackVector() : -1;
  }

  static @Nullable HvmDomain of(@Nullable HvmMachine machine, int vcpus) {
    return machine == null ? null : new HvmDomain(machine, vcpus);
  }
}
