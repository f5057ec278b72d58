package parhelion.pc.interrupt;

import java.util.Arrays;
import parhelion.pc.Timers;

/**
 * A processor's local APIC (SDM volume 3, chapter 11): registers in memory or, in x2APIC mode, as
 * MSRs; timer with one-shot, periodic and TSC-deadline mode; the acceptance of interrupts by
 * priority. Its bus clock is 1 GHz. On the thread that runs the machine.
 *
 * <p>Registers are named by their offset in memory; an x2APIC MSR is 0x800 and a sixteenth of it.
 */
public final class LocalApic {
  /** What a local APIC is wired to. */
  public interface Wires {
    /** An interrupt may have become deliverable. */
    void changed();

    /** Software has switched it on. */
    default void softwareEnabled() {}

    /** A non-maskable interrupt. */
    void nmi();

    /** INIT, and the start-up message that follows. */
    void init();

    void startUp(int vector);

    /** Sends a message to other processors. */
    void send(LocalApic from, ApicMessage message);

    /** Tells I/O APICs that a level-triggered interrupt has been served. */
    void endOfInterrupt(int vector);

    /** The task priority, bits 7 to 4, which the processor holds as CR8. */
    int taskPriorityClass();

    void taskPriorityClass(int priorityClass);
  }

  public static final int ID = 0x20;
  private static final int VERSION = 0x30;
  private static final int TPR = 0x80;
  private static final int PPR = 0xa0;
  public static final int EOI = 0xb0;
  private static final int LDR = 0xd0;
  private static final int DFR = 0xe0;
  private static final int SVR = 0xf0;
  private static final int ISR = 0x100;
  private static final int TMR = 0x180;
  private static final int IRR = 0x200;
  private static final int ESR = 0x280;
  public static final int ICR = 0x300;
  private static final int ICR_HIGH = 0x310;
  private static final int LVT_TIMER = 0x320;
  private static final int LVT_LINT0 = 0x350;
  private static final int LVT_LINT1 = 0x360;
  private static final int LVT_ERROR = 0x370;
  private static final int INITIAL_COUNT = 0x380;
  private static final int CURRENT_COUNT = 0x390;
  private static final int DIVIDE = 0x3e0;
  private static final int SELF_IPI = 0x3f0;

  /** Integrated, LVT entries 0 to 5. */
  private static final int VERSION_VALUE = 0x0005_0014;

  private static final int MASKED = 1 << 16;
  private static final int MODE_EXTINT = 7;
  private static final int MODE_NMI = 4;
  private static final int ERROR_SEND_VECTOR = 1 << 5;
  private static final int ERROR_RECEIVE_VECTOR = 1 << 6;
  private static final int ERROR_REGISTER = 1 << 7;

  /** Bits that may be written of timer, thermal, counter, LINT0, LINT1, error. */
  private static final int[] LVT_BITS = {0x700ff, 0x107ff, 0x107ff, 0x1a7ff, 0x1a7ff, 0x100ff};

  private final int id;
  private final Wires wires;
  private final ApicTimer timer;
  private final int[] lvt = new int[6];
  private final long[] irr = new long[4];
  private final long[] isr = new long[4];
  private final long[] tmr = new long[4];
  private int taskPrioritySubclass;
  private int ldr;
  private int dfr;
  private int svr;
  private int esr;
  private int pendingErrors;
  private int icr;
  private int icrHigh;
  private boolean enabled = true;
  private boolean x2apic;
  private int physicalId;

  /** The local APIC number {@code id}, after reset. */
  public LocalApic(int id, Wires wires, Timers timers) {
    this.id = id;
    this.wires = wires;
    timer = new ApicTimer(timers, () -> signal(0));
    reset();
  }

  /** The state after RESET or INIT; the mode of the registers stays. */
  public void reset() {
    Arrays.fill(lvt, MASKED);
    if (id == 0) {
      lvt[3] = MODE_EXTINT << 8; // the 8259s reach the first processor, as firmware would have it
    }
    Arrays.fill(irr, 0);
    Arrays.fill(isr, 0);
    Arrays.fill(tmr, 0);
    wires.taskPriorityClass(0);
    taskPrioritySubclass = 0;
    physicalId = id;
    ldr = 0;
    dfr = -1;
    svr = 0xff;
    esr = 0;
    pendingErrors = 0;
    icr = 0;
    icrHigh = 0;
    timer.reset();
  }

  /** Its number, by which tables and messages name it. */
  public int id() {
    return id;
  }

  /** Follows IA32_APIC_BASE: whether there are registers, and which. */
  public void mode(boolean enable, boolean extended) {
    if (enabled && !enable) {
      reset();
    }
    enabled = enable;
    x2apic = enable && extended;
    wires.changed();
  }

  public boolean isEnabled() {
    return enabled;
  }

  public boolean isX2apic() {
    return x2apic;
  }

  private boolean softwareEnabled() {
    return enabled && (svr & 0x100) != 0;
  }

  // --- registers ---

  /** Reads a register of xAPIC mode. */
  public int read(int offset) {
    return switch (offset) {
      case ID -> x2apic ? id : physicalId << 24;
      case VERSION -> VERSION_VALUE;
      case TPR -> taskPriority();
      case PPR -> processorPriority();
      case LDR -> x2apic ? logicalX2apic() : ldr;
      case DFR -> dfr;
      case SVR -> svr;
      case ESR -> esr;
      case ICR -> icr;
      case ICR_HIGH -> icrHigh;
      case INITIAL_COUNT -> timer.initialCount();
      case CURRENT_COUNT -> timer.currentCount();
      case DIVIDE -> timer.divideRegister();
      default -> {
        if ((offset & 15) != 0) {
          yield 0;
        }
        if (offset >= LVT_TIMER && offset <= LVT_ERROR) {
          yield lvt[offset - LVT_TIMER >> 4];
        }
        if (offset >= ISR && offset < IRR + 0x80) {
          long[] bits = offset < TMR ? isr : offset < IRR ? tmr : irr;
          int word = offset >> 4 & 7;
          yield (int) (bits[word >> 1] >>> 32 * (word & 1));
        }
        yield 0;
      }
    };
  }

  /** Writes a register of xAPIC mode. */
  public void write(int offset, int value) {
    switch (offset) {
      case ID -> physicalId = x2apic ? physicalId : value >>> 24;
      case TPR -> taskPriority(value & 0xff);
      case EOI -> endOfInterrupt();
      case LDR -> ldr = value & 0xff00_0000;
      case DFR -> dfr = value | 0x0fff_ffff;
      case SVR -> spurious(value);
      case ESR -> {
        esr = pendingErrors;
        pendingErrors = 0;
      }
      case ICR -> {
        icr = value & 0xccfff;
        send(icr, x2apic ? icrHigh : icrHigh >>> 24);
      }
      case ICR_HIGH -> icrHigh = x2apic ? value : value & 0xff00_0000;
      case INITIAL_COUNT -> timer.start(value);
      case DIVIDE -> timer.divide(value);
      case SELF_IPI -> {
        if (x2apic) {
          accept(value & 0xff, false);
        }
      }
      default -> {
        if (offset >= LVT_TIMER && offset <= LVT_ERROR && (offset & 15) == 0) {
          writeLvt(offset - LVT_TIMER >> 4, value);
        } else {
          error(ERROR_REGISTER);
        }
      }
    }
  }

  private void writeLvt(int entry, int value) {
    lvt[entry] = value & LVT_BITS[entry] | ((svr & 0x100) == 0 ? MASKED : 0);
    if (entry == 0) {
      timer.mode(value >>> 17 & 3);
    }
    wires.changed();
  }

  private void spurious(int value) {
    boolean on = (svr & 0x100) != 0;
    svr = value & 0x1ff;
    if ((svr & 0x100) == 0) {
      for (int i = 0; i < lvt.length; i++) {
        lvt[i] |= MASKED;
      }
    } else if (!on) {
      wires.softwareEnabled();
    }
    wires.changed();
  }

  /** Whether RDMSR knows the register at {@code offset}. */
  public static boolean isReadable(int offset) {
    return switch (offset) {
      case ID, VERSION, TPR, PPR, LDR, SVR, ESR, ICR -> true;
      case INITIAL_COUNT, CURRENT_COUNT, DIVIDE -> true;
      default -> offset >= ISR && offset < IRR + 0x80 || offset >= LVT_TIMER && offset <= LVT_ERROR;
    };
  }

  /** Reads an x2APIC register; the caller has checked that it is one. */
  public long readMsr(int offset) {
    return offset == ICR ? (long) icrHigh << 32 | icr & 0xffff_ffffL : read(offset) & 0xffff_ffffL;
  }

  /** Writes an x2APIC register; false for #GP. */
  public boolean writeMsr(int offset, long value) {
    if (offset == ICR) {
      icrHigh = (int) (value >>> 32);
      write(ICR, (int) value);
      return true;
    }
    boolean writable =
        switch (offset) {
          case TPR, SVR, INITIAL_COUNT, DIVIDE, SELF_IPI -> true;
          case EOI, ESR -> value == 0;
          default -> offset >= LVT_TIMER && offset <= LVT_ERROR;
        };
    if (!writable || value >>> 32 != 0) {
      return false;
    }
    write(offset, (int) value);
    return true;
  }

  /** IA32_TSC_DEADLINE, in nanoseconds of the machine; 0 when disarmed. */
  public long deadline() {
    return timer.deadline();
  }

  public void deadline(long nanos) {
    timer.deadline(nanos);
  }

  // --- priorities ---

  private int taskPriority() {
    return wires.taskPriorityClass() << 4 | taskPrioritySubclass;
  }

  private void taskPriority(int value) {
    taskPrioritySubclass = value & 15;
    wires.taskPriorityClass(value >>> 4);
    wires.changed();
  }

  private int processorPriority() {
    int serving = highest(isr);
    int task = taskPriority();
    return serving >>> 4 > task >>> 4 ? serving & 0xf0 : task;
  }

  private static int highest(long[] bits) {
    for (int i = 3; i >= 0; i--) {
      if (bits[i] != 0) {
        return i * 64 + 63 - Long.numberOfLeadingZeros(bits[i]);
      }
    }
    return 0;
  }

  private static boolean get(long[] bits, int vector) {
    return (bits[vector >> 6] >>> (vector & 63) & 1) != 0;
  }

  private static void set(long[] bits, int vector, boolean value) {
    long bit = 1L << (vector & 63);
    bits[vector >> 6] = value ? bits[vector >> 6] | bit : bits[vector >> 6] & ~bit;
  }

  /** Whether an interrupt waits whose priority lets it be delivered. */
  public boolean hasInterrupt() {
    if ((irr[0] | irr[1] | irr[2] | irr[3]) == 0 || !softwareEnabled()) {
      return false;
    }
    return highest(irr) >>> 4 > processorPriority() >>> 4;
  }

  /** Takes the interrupt that {@link #hasInterrupt} speaks of into service. */
  public int acknowledge() {
    int vector = highest(irr);
    set(irr, vector, false);
    set(isr, vector, true);
    return vector;
  }

  /** Whether any interrupt waits to be taken into service, whatever its priority. */
  public boolean hasRequests() {
    return (irr[0] | irr[1] | irr[2] | irr[3]) != 0;
  }

  /** Whether the interrupt in service is one whose end the I/O APIC waits for. */
  public boolean servesLevel() {
    return get(tmr, highest(isr));
  }

  /** Ends the interrupt in service, as the register does. */
  public void endOfInterrupt() {
    int vector = highest(isr);
    if (vector == 0) {
      return;
    }
    set(isr, vector, false);
    if (get(tmr, vector)) {
      wires.endOfInterrupt(vector);
    }
    wires.changed();
  }

  // --- messages ---

  /** Accepts an interrupt by a message. */
  public void accept(int vector, boolean level) {
    if (!softwareEnabled()) {
      return;
    }
    if (vector < 16) {
      error(ERROR_RECEIVE_VECTOR);
      return;
    }
    set(irr, vector, true);
    set(tmr, vector, level);
    wires.changed();
  }

  private void error(int bit) {
    boolean first = (pendingErrors & bit) == 0;
    pendingErrors |= bit;
    if (first) {
      signal(5);
    }
  }

  /** The interrupt of a local source. */
  private void signal(int entry) {
    int value = lvt[entry];
    if ((value & MASKED) == 0 && (value & 0xff) >= 16) {
      accept(value & 0xff, false);
    }
  }

  private void send(int command, int destination) {
    int mode = command >>> 8 & 7;
    boolean assertLevel = (command & 0x4000) != 0;
    if (mode == ApicMessage.INIT && !assertLevel) {
      return; // INIT level de-assert: of old buses
    }
    if (mode <= ApicMessage.LOWEST_PRIORITY && (command & 0xff) < 16) {
      error(ERROR_SEND_VECTOR);
      return;
    }
    boolean logical = (command & 0x800) != 0;
    int shorthand = command >>> 18 & 3;
    int everyone = x2apic ? -1 : 0xff;
    wires.send(
        this,
        new ApicMessage(
            shorthand >= 2 ? everyone : shorthand == 1 ? id : destination,
            logical && shorthand == 0,
            mode,
            command & 0xff,
            false,
            shorthand == 3));
  }

  /** Takes part of a message; see {@link #isAddressed}. */
  public void receive(ApicMessage message) {
    switch (message.mode()) {
      case ApicMessage.FIXED, ApicMessage.LOWEST_PRIORITY ->
          accept(message.vector(), message.level());
      case ApicMessage.NMI -> wires.nmi();
      case ApicMessage.INIT -> wires.init();
      case ApicMessage.START_UP -> wires.startUp(message.vector());
      default -> {} // SMI: there is no system management mode; ExtINT comes by LINT0
    }
  }

  private int logicalX2apic() {
    return id >>> 4 << 16 | 1 << (id & 15);
  }

  /** Whether a message is for this one. */
  public boolean isAddressed(ApicMessage message) {
    if (!enabled) {
      return false;
    }
    int destination = message.destination();
    if (destination == -1 || !x2apic && destination == 0xff) {
      return true;
    }
    if (!message.logical()) {
      return destination == (x2apic ? id : physicalId);
    }
    if (x2apic) {
      int own = logicalX2apic();
      return own >>> 16 == destination >>> 16 && (own & destination & 0xffff) != 0;
    }
    int own = ldr >>> 24;
    if (dfr >>> 28 == 15) {
      return (own & destination) != 0;
    }
    return own >>> 4 == destination >>> 4 && (own & destination & 15) != 0;
  }

  // --- the wires LINT0 and LINT1 ---

  /** Whether the 8259s' interrupt comes to the processor by LINT0. */
  public boolean acceptsExternal() {
    return !enabled || (lvt[3] & (MASKED | 0x700)) == MODE_EXTINT << 8;
  }

  /** A signal at LINT0 or LINT1 (0, 1), for the modes other than ExtINT. */
  public void localInterrupt(int pin) {
    int value = lvt[pin == 0 ? 3 : 4];
    if ((value & MASKED) != 0 || !enabled) {
      return;
    }
    int mode = value >>> 8 & 7;
    if (mode == MODE_NMI) {
      wires.nmi();
    } else if (mode == 0) {
      accept(value & 0xff, false);
    }
  }

  /** The registers of entries that others wire: for tests. */
  static int lvtOffset(int lint) {
    return lint == 0 ? LVT_LINT0 : LVT_LINT1;
  }
}
