package parhelion.cpu;

import static parhelion.cpu.CpuState.*;

import java.util.HexFormat;
import parhelion.cpu.interp.CodeCache;
import parhelion.cpu.memory.MachineMemory;

/**
 * A CPU with 8 MiB of memory, descriptor tables and identity page tables at fixed places, in the
 * mode that a test asks for. Faults are recorded by its {@link Recorder}, or delivered where a test
 * says so.
 */
final class Machine implements AutoCloseable {
  static final int GDT = 0x1000;
  static final int IDT = 0x2000;
  static final int TSS = 0x3000;
  static final int LDT = 0x4000;
  static final int CODE = 0x8000;
  static final int STACK = 0x2_0000;
  static final int INNER_STACK = 0x3_0000;
  static final int HANDLER = 0x9000;

  static final int PML4 = 0x10_0000;
  static final int PDPT = 0x10_1000;
  static final int PD = 0x10_2000;
  static final int PT = 0x10_3000;

  // Selectors of the GDT.
  static final int CODE64 = 0x08;
  static final int DATA = 0x10;
  static final int USER_CODE32 = 0x18 | 3;
  static final int USER_DATA = 0x20 | 3;
  static final int USER_CODE64 = 0x28 | 3;
  static final int CODE32 = 0x30;
  static final int TASK = 0x38;
  static final int CODE16 = 0x48;
  static final int DATA16 = 0x50;
  static final int CONFORMING64 = 0x58;
  static final int ABSENT_DATA = 0x60;
  static final int READ_ONLY = 0x68;
  static final int EXECUTE_ONLY = 0x70;
  static final int LDT_SELECTOR = 0x78;
  static final int GATE = 0x88;
  static final int ABSENT_CODE = 0x98;
  static final int EXPAND_DOWN = 0xa0;
  static final int CONFORMING32 = 0xa8;
  static final int OTHER_TASK = 0xb0;
  static final int LAST = 0xff;

  final MachineMemory memory = new MachineMemory(2048);
  final Recorder recorder = new Recorder();
  final Cpu cpu;

  private Machine() {
    this(CpuModel.DEFAULT);
  }

  private Machine(CpuModel model) {
    cpu = new Cpu(memory, new CodeCache(memory), recorder, model);
  }

  static Machine real() {
    return real(CpuModel.DEFAULT);
  }

  static Machine real(CpuModel model) {
    Machine m = new Machine(model);
    m.set(IDTR + 8, 0x3ff);
    for (int s = 0; s < 6; s++) {
      m.set(SEG_ATTR + s * 8, 0x93);
    }
    m.set(RIP, CODE);
    m.set(RSP, 0x7000);
    m.cpu.stateChanged();
    return m;
  }

  /** Flat 32-bit protected mode without paging at privilege level {@code cpl}. */
  static Machine protected32(int cpl) {
    Machine m = new Machine();
    m.tables(false);
    m.set(CR0, 0x31);
    m.flat(cpl == 0 ? CODE32 : USER_CODE32, cpl == 0 ? DATA : USER_DATA, cpl);
    m.start();
    return m;
  }

  /**
   * 64-bit mode with identity paging (user, writable, not yet accessed) at privilege level {@code
   * cpl}.
   */
  static Machine long64(int cpl) {
    return long64(cpl, CpuModel.DEFAULT);
  }

  static Machine long64(int cpl, CpuModel model) {
    Machine m = new Machine(model);
    m.tables(true);
    m.identity();
    m.set(CR0, 0x8001_0031L);
    m.set(CR4, 0x620);
    m.set(EFER, 0xd01);
    m.set(CR3, PML4);
    m.flat(cpl == 0 ? CODE64 : USER_CODE64, cpl == 0 ? DATA : USER_DATA, cpl);
    m.start();
    return m;
  }

  private void start() {
    set(RIP, CODE);
    set(RSP, STACK);
    cpu.stateChanged();
  }

  private void flat(int code, int data, int cpl) {
    set(CPL, cpl);
    for (int s = 0; s < 6; s++) {
      int selector = s == CS ? code : data;
      Segments.set(cpu, s, selector, memory.getLong(GDT + (selector & 0xfff8)));
    }
  }

  private void identity() {
    memory.putLong(PML4, PDPT | 7);
    memory.putLong(PDPT, PD | 7);
    for (int i = 0; i < 4; i++) {
      memory.putLong(PD + i * 8, PT + i * 4096 | 7);
    }
    for (int i = 0; i < 2048; i++) {
      memory.putLong(PT + i * 8, (long) i << 12 | 7);
    }
  }

  private void tables(boolean longMode) {
    descriptor(CODE64, 0, 0xfffff, 0xa09b);
    descriptor(DATA, 0, 0xfffff, 0xc093);
    descriptor(USER_CODE32, 0, 0xfffff, 0xc0fb);
    descriptor(USER_DATA, 0, 0xfffff, 0xc0f3);
    descriptor(USER_CODE64, 0, 0xfffff, 0xa0fb);
    descriptor(CODE32, 0, 0xfffff, 0xc09b);
    descriptor(TASK, TSS, 0x1fff, longMode ? 0x89 : 0x89);
    descriptor(CODE16, 0, 0xffff, 0x9b);
    descriptor(DATA16, 0, 0xffff, 0x93);
    descriptor(CONFORMING64, 0, 0xfffff, 0xa09f);
    descriptor(ABSENT_DATA, 0, 0xfffff, 0xc013);
    descriptor(READ_ONLY, 0, 0xfffff, 0xc0f1);
    descriptor(EXECUTE_ONLY, 0, 0xfffff, 0xc0f9);
    descriptor(LDT_SELECTOR, LDT, 0xff, 0x82);
    descriptor(ABSENT_CODE, 0, 0xfffff, longMode ? 0xa01b : 0xc01b);
    descriptor(EXPAND_DOWN, 0, 0xf, 0xc097);
    descriptor(CONFORMING32, 0, 0xfffff, 0xc09f);
    set(GDTR, GDT);
    set(GDTR + 8, LAST);
    set(IDTR, IDT);
    set(IDTR + 8, longMode ? 0xfff : 0x7ff);
    set(TR, TASK);
    set(TR + 8, TSS);
    set(TR + 16, 0x1fff);
    set(TR + 24, 0x8b);
    if (longMode) {
      memory.putLong(TSS + 4, INNER_STACK);
    } else {
      memory.putInt(TSS + 4, INNER_STACK);
      memory.putInt(TSS + 8, DATA);
    }
    memory.putShort(TSS + 0x66, (short) 0x68);
    memory.fill(TSS + 0x68, 0x1f98, (byte) -1);
  }

  /** Writes a GDT entry; {@code limit} is the 20-bit field, {@code attr} as in {@link Segments}. */
  void descriptor(int selector, long base, long limit, int attr) {
    memory.putLong(GDT + (selector & 0xfff8), encode(base, limit, attr));
  }

  static long encode(long base, long limit, int attr) {
    return limit & 0xffff
        | (base & 0xff_ffff) << 16
        | (attr & 0xffL) << 40
        | (limit >>> 16 & 15) << 48
        | (attr & 0xf000L) << 40
        | (base >>> 24 & 0xff) << 56;
  }

  /** A gate of the legacy format, for GDT or IDT. */
  static long gate(int selector, long offset, int attr) {
    return offset & 0xffff
        | (long) selector << 16
        | (long) attr << 40
        | (offset >>> 16 & 0xffff) << 48;
  }

  void idt64(int vector, int selector, long offset, int attr, int ist) {
    memory.putLong(IDT + vector * 16L, gate(selector, offset, attr) | (long) ist << 32);
    memory.putLong(IDT + vector * 16L + 8, offset >>> 32);
  }

  void idt32(int vector, int selector, long offset, int attr) {
    memory.putLong(IDT + vector * 8L, gate(selector, offset, attr));
  }

  /** Places instruction bytes at the start of code. */
  Machine code(String hex) {
    return bytes(CODE, hex);
  }

  Machine bytes(int pa, String hex) {
    byte[] bytes = HexFormat.of().parseHex(hex.replace(" ", ""));
    memory.write(pa, bytes, 0, bytes.length);
    return this;
  }

  /** Runs one instruction. */
  Machine step() {
    return run(1);
  }

  /** Runs {@code n} instructions, or fewer if the CPU stops. */
  Machine run(int n) {
    for (int i = 0; i < n && !recorder.stopped; i++) {
      cpu.interpreter().runOne();
    }
    return this;
  }

  Machine set(int offset, long value) {
    cpu.put64(offset, value);
    return this;
  }

  long get(int offset) {
    return cpu.get64(offset);
  }

  long selector(int segment) {
    return cpu.get64(SEG_SELECTOR + segment * 8);
  }

  /** What a piece of work raised: "none", or vector, error code and, for #PF, the address. */
  static String fault(Runnable work) {
    try {
      work.run();
      return "none";
    } catch (GuestFault f) {
      return Recorder.describe(f.vector, f.errorCode, f.cr2);
    }
  }

  @Override
  public void close() {
    cpu.close();
    memory.close();
  }
}
