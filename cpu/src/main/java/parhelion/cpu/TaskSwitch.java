package parhelion.cpu;

import static parhelion.cpu.CpuState.*;

/**
 * Hardware task switches between 32-bit task-state segments (SDM volume 3, chapter 8), by far
 * transfers, task gates and IRET with NT. Systems use them for double faults if at all. 16-bit TSSs
 * are refused with #GP; see docs/quirks.md.
 */
final class TaskSwitch {
  private static final int AVAILABLE = 9;
  private static final int BUSY = 0xb;
  private static final int TASK_GATE = 5;

  private static final int TSS_BYTES = 0x68;
  private static final int CR3_FIELD = 0x1c;
  private static final int EIP_FIELD = 0x20;
  private static final int EFLAGS_FIELD = 0x24;
  private static final int GPR_FIELDS = 0x28;
  private static final int SEGMENT_FIELDS = 0x48;
  private static final int LDT_FIELD = 0x60;

  private enum Kind {
    JUMP,
    CALL,
    RETURN
  }

  private TaskSwitch() {}

  static void jump(Cpu c, int selector, long descriptor) {
    fromInstruction(c, selector, descriptor, Kind.JUMP);
  }

  static void call(Cpu c, int selector, long descriptor) {
    fromInstruction(c, selector, descriptor, Kind.CALL);
  }

  private static void fromInstruction(Cpu c, int selector, long descriptor, Kind kind) {
    int attr = Segments.attributes(descriptor);
    int dpl = Segments.dpl(attr);
    if (dpl < c.cpl() || dpl < (selector & 3)) {
      throw c.fault(GuestFault.GP, selector & 0xfffc);
    }
    int task = selector;
    if ((attr & Segments.TYPE) == TASK_GATE) {
      if ((attr & Segments.PRESENT) == 0) {
        throw c.fault(GuestFault.NP, selector & 0xfffc);
      }
      task = (int) (descriptor >>> 16) & 0xffff;
    }
    change(c, task, kind, -1);
  }

  /**
   * An exception or interrupt through a task gate; {@code code} is pushed on the new task's stack
   * unless negative.
   */
  static void interrupt(Cpu c, int selector, int code) {
    change(c, selector, Kind.CALL, code);
  }

  /** IRET of a nested task. */
  static void iret(Cpu c) {
    int link = (int) SystemMemory.load(c, c.get64(TR + 8), 2);
    change(c, link, Kind.RETURN, -1);
  }

  private static void change(Cpu c, int selector, Kind kind, int code) {
    int wrong = kind == Kind.RETURN ? GuestFault.TS : GuestFault.GP;
    if ((selector & 4) != 0 || (selector & 0xfffc) == 0) {
      throw c.fault(wrong, selector & 0xfffc);
    }
    long d = Segments.descriptor(c, selector, wrong);
    int attr = Segments.attributes(d);
    int type = attr & (Segments.NORMAL | Segments.TYPE);
    if (type != (kind == Kind.RETURN ? BUSY : AVAILABLE)) {
      throw c.fault(wrong, selector & 0xfffc);
    }
    if ((attr & Segments.PRESENT) == 0) {
      throw c.fault(GuestFault.NP, selector & 0xfffc);
    }
    if (Segments.limit(d) < TSS_BYTES - 1 || c.get64(TR + 16) < TSS_BYTES - 1) {
      throw c.fault(GuestFault.TS, selector & 0xfffc);
    }
    int[] task = read(c, Segments.base(d));
    int oldTask = c.get32(TR);
    save(c, kind == Kind.RETURN);
    if (kind != Kind.CALL) {
      Segments.setBusy(c, oldTask, false);
    }
    if (kind != Kind.RETURN) {
      Segments.setBusy(c, selector, true);
    }
    if (kind == Kind.CALL) {
      SystemMemory.store(c, Segments.base(d), 2, oldTask);
    }
    Segments.setSystem(c, TR, selector, Segments.base(d), Segments.limit(d), attr | 2);
    loadRegisters(c, task, kind == Kind.CALL);
    try {
      loadSegments(c, task);
      if (code >= 0) {
        Stack stack = Stack.current(c);
        stack.push(4, code);
        stack.commit();
      }
    } catch (GuestFault f) {
      // These are the new task's own faults, with its state in place.
      c.updateMode();
      c.monitor.exception(c, f.vector, f.errorCode, f.cr2);
    }
  }

  private static int[] read(Cpu c, long base) {
    int[] task = new int[TSS_BYTES / 4];
    for (int i = 0; i < task.length; i++) {
      task[i] = (int) SystemMemory.load(c, base + i * 4, 4);
    }
    return task;
  }

  private static void save(Cpu c, boolean returning) {
    long base = c.get64(TR + 8);
    long flags = c.rflags() & ~(returning ? (long) Rflags.NT : 0);
    SystemMemory.store(c, base + EIP_FIELD, 4, c.rip());
    SystemMemory.store(c, base + EFLAGS_FIELD, 4, flags);
    for (int i = 0; i < 8; i++) {
      SystemMemory.store(c, base + GPR_FIELDS + i * 4, 4, c.get64(GPR + i * 8));
    }
    for (int s = 0; s < 6; s++) {
      SystemMemory.store(c, base + SEGMENT_FIELDS + s * 4, 2, c.get64(SEG_SELECTOR + s * 8));
    }
  }

  private static void loadRegisters(Cpu c, int[] task, boolean nested) {
    if ((c.get64(CR0) & 1L << 31) != 0) {
      c.put32(CR3, task[CR3_FIELD / 4]);
      c.flushTlbs();
    }
    c.put64(CR0, c.get64(CR0) | ControlRegisters.CR0_TS);
    c.put64(DR7, c.get64(DR7) & ~0x55L);
    c.put32(RIP, task[EIP_FIELD / 4]);
    for (int i = 0; i < 8; i++) {
      c.put32(GPR + i * 8, task[GPR_FIELDS / 4 + i]);
    }
    long flags = task[EFLAGS_FIELD / 4] & 0xffff_ffffL & ~(long) Rflags.VM;
    c.rflags(flags | (nested ? Rflags.NT : 0));
    for (int s = 0; s < 6; s++) {
      Segments.set(c, s, task[SEGMENT_FIELDS / 4 + s] & 0xffff, 0, 0, 0);
    }
    Segments.setSystem(c, LDTR, task[LDT_FIELD / 4] & 0xffff, 0, 0, 0);
    c.put64(CPL, task[SEGMENT_FIELDS / 4 + CS] & 3);
    c.updateMode();
  }

  private static void loadSegments(Cpu c, int[] task) {
    int ldt = task[LDT_FIELD / 4] & 0xffff;
    try {
      Segments.loadLdt(c, ldt);
    } catch (GuestFault f) {
      throw c.fault(GuestFault.TS, ldt & 0xfffc);
    }
    int cs = task[SEGMENT_FIELDS / 4 + CS] & 0xffff;
    long d = (cs & 0xfffc) == 0 ? 0 : Segments.descriptor(c, cs, GuestFault.TS);
    int attr = Segments.attributes(d);
    int dpl = Segments.dpl(attr);
    boolean conforming = (attr & Segments.CONFORMING) != 0;
    if ((attr & (Segments.NORMAL | Segments.CODE)) != (Segments.NORMAL | Segments.CODE)
        || (conforming ? dpl > c.cpl() : dpl != c.cpl())) {
      throw c.fault(GuestFault.TS, cs & 0xfffc);
    }
    if ((attr & Segments.PRESENT) == 0) {
      throw c.fault(GuestFault.NP, cs & 0xfffc);
    }
    Segments.markAccessed(c, cs, d);
    Segments.set(c, CS, cs, d);
    for (int s : new int[] {SS, ES, DS, FS, GS}) {
      int selector = task[SEGMENT_FIELDS / 4 + s] & 0xffff;
      try {
        Segments.load(c, s, selector);
      } catch (GuestFault f) {
        int vector = f.vector == GuestFault.GP ? GuestFault.TS : f.vector;
        if (vector == GuestFault.PF) {
          throw c.pageFault(f.cr2, f.errorCode);
        }
        throw c.fault(vector, selector & 0xfffc);
      }
    }
    c.updateMode();
    if (c.rip() > c.get64(SEG_LIMIT + CS * 8)) {
      throw c.fault(GuestFault.GP, 0);
    }
  }
}
