package parhelion.cpu.rewrite;

import static parhelion.cpu.CpuState.*;

import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import parhelion.cpu.Cpu;
import parhelion.cpu.CpuModel;
import parhelion.cpu.CpuState;
import parhelion.cpu.Engine;
import parhelion.cpu.Monitor;
import parhelion.cpu.Segments;
import parhelion.cpu.interp.CodeCache;
import parhelion.cpu.memory.MachineMemory;

/**
 * A CPU in 64-bit user mode with four-level page tables, a kernel's tables and a little memory, on
 * one of the engines. Exceptions are written down and stop it.
 *
 * <p>Frames 0 and 1 are the kernel's tables, those up to {@link #FREE} page tables, made as {@link
 * #map} needs them.
 */
class Guest implements Monitor, AutoCloseable {
  static final int FRAMES = 160;

  /** First frame that is not taken, as a machine address. */
  static final int FREE = 0x2_0000;

  static final long KERNEL = 0xffff_8800_0000_0000L;
  static final int KERNEL_CODE = FREE - 0x1000;
  static final int KERNEL_STACK = FREE - 0x2000;
  private static final int TABLES = 0x2000;

  static final long P = 1;
  static final long W = 2;
  static final long U = 4;
  static final long A = 0x20;
  static final long D = 0x40;
  static final long LARGE = 0x80;
  static final long NX = 1L << 63;

  /** What a page of user code or data may have without any walk having to note something. */
  static final long USER = P | W | Guest.U | A | D;

  final MachineMemory memory;
  final CodeCache code;
  final Cpu cpu;
  final List<String> events = new ArrayList<>();

  /** Whether generated code walks the page tables by itself. */
  boolean walks = true;

  private int nextTable = TABLES;

  Guest(Engine engine) {
    this(engine, FRAMES);
  }

  Guest(Engine engine, int frames) {
    memory = new MachineMemory(frames);
    code = new CodeCache(memory, engine);
    cpu = newCpu();
    long root = newTable();
    cpu.put64(CR3, root);
    kernel();
    start(cpu, root);
  }

  /** Another CPU on the same memory, in the same address space. */
  Cpu newCpu() {
    return new Cpu(memory, code, this, CpuModel.DEFAULT);
  }

  /** Brings a CPU to user mode in an address space. */
  final void start(Cpu c, long root) {
    c.put64(CR0, 0x8001_0033L);
    c.put64(CR4, 0x620);
    c.put64(EFER, 0xd01);
    c.put64(CR3, root);
    c.put64(CPL, 3);
    Segments.set(c, CS, 0x23, 0, 0xffff_ffffL, 0xa0fb);
    for (int s : new int[] {SS, DS, ES, FS, GS}) {
      Segments.set(c, s, 0x1b, 0, 0xffff_ffffL, 0xc0f3);
    }
    c.put64(GDTR, KERNEL);
    c.put64(GDTR + 8, 0x37);
    c.put64(IDTR, KERNEL + 0x1000);
    c.put64(IDTR + 8, 0xfff);
    c.put64(TR, 0x28);
    c.put64(TR + 8, KERNEL + 0x800);
    c.put64(TR + 16, 0x67);
    c.put64(TR + 24, 0x8b);
    c.put64(RFLAGS, 0x202);
    c.stateChanged();
  }

  private void kernel() {
    memory.putLong(0x08, 0x00af_9b00_0000_ffffL);
    memory.putLong(0x10, 0x00cf_9300_0000_ffffL);
    memory.putLong(0x18, 0x00cf_f300_0000_ffffL);
    memory.putLong(0x20, 0x00af_fb00_0000_ffffL);
    memory.putLong(0x28, 0x0000_8b00_0000_0067L);
    memory.putLong(0x804, KERNEL + KERNEL_STACK + 0x1000);
    for (int pa : new int[] {0, 0x1000, KERNEL_CODE, KERNEL_STACK}) {
      map(KERNEL + pa, pa, P | W);
    }
  }

  /** Has interrupts of a vector enter the kernel at {@code offset} of its page of code. */
  void gate(int vector, int offset) {
    long target = KERNEL + KERNEL_CODE + offset;
    memory.putLong(
        0x1000 + vector * 16L,
        target & 0xffff | 0x08L << 16 | 0x8e00L << 32 | (target >>> 16 & 0xffff) << 48);
    memory.putLong(0x1008 + vector * 16L, target >>> 32);
  }

  // --- page tables ---

  /** A frame for a page table. */
  final long newTable() {
    if (nextTable == KERNEL_STACK) {
      throw new IllegalStateException("no more frames for tables");
    }
    nextTable += 4096;
    return nextTable - 4096;
  }

  /** Machine address of the entry of level 4 to 1 for {@code va}; tables above it are made. */
  long entry(long root, int level, long va) {
    long table = root;
    for (int l = 4; ; l--) {
      long at = table + (va >>> 12 + 9 * (l - 1) & 511) * 8;
      if (l == level) {
        return at;
      }
      if ((memory.getLong(at) & P) == 0) {
        memory.putLong(at, newTable() | USER & ~D);
      }
      table = memory.getLong(at) & 0x000f_ffff_ffff_f000L;
    }
  }

  void map(long root, long va, long pa, long bits) {
    memory.putLong(entry(root, 1, va), pa | bits);
  }

  final void map(long va, long pa, long bits) {
    map(cpu.get64(CR3), va, pa, bits);
  }

  // --- running ---

  void write(long pa, byte[] bytes) {
    memory.write(pa, bytes, 0, bytes.length);
  }

  void write(long pa, String hex) {
    write(pa, HexFormat.of().parseHex(hex.replace(" ", "")));
  }

  /** Runs from {@code rip} until something stops it, or so many instructions. */
  void run(long rip, int instructions) {
    cpu.rip(rip);
    cpu.run(instructions);
  }

  long get(int offset) {
    return cpu.get64(offset);
  }

  void set(int offset, long value) {
    cpu.put64(offset, value);
  }

  /** Registers, flags, what happened: what two engines must agree on. */
  String state() {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < 16; i++) {
      text.append(' ').append(Long.toHexString(get(GPR + i * 8)));
    }
    return String.format(
        "rip %x flags %x mxcsr %x fsw %x%s xmm0 %x %x %s",
        cpu.rip(),
        cpu.rflags(),
        cpu.get32(MXCSR),
        cpu.get16(FSW),
        text,
        get(XMM),
        get(XMM + 8),
        events);
  }

  // --- the monitor ---

  @Override
  public long walkRoot(Cpu c) {
    return walks ? c.get64(CpuState.CR3) : -1;
  }

  @Override
  public void exception(Cpu c, int vector, int errorCode, long cr2) {
    events.add(
        "exception "
            + vector
            + " "
            + errorCode
            + " "
            + Long.toHexString(cr2 & (vector == 14 ? -1 : 0)));
    c.stop();
  }

  @Override
  public boolean undefined(Cpu c) {
    events.add("end");
    c.stop();
    return true;
  }

  @Override
  public void syscall(Cpu c) {
    events.add("syscall");
    c.stop();
  }

  @Override
  public void softwareInterrupt(Cpu c, int vector, int insnLength) {
    events.add("int " + vector);
    c.stop();
  }

  @Override
  public void shutdown(Cpu c) {
    throw new IllegalStateException("triple fault");
  }

  @Override
  public long tsc(Cpu c) {
    return 0x1234_5678_9abcL;
  }

  @Override
  public void close() {
    for (Cpu c : List.copyOf(code.cpus())) {
      c.close();
    }
    memory.close();
  }
}
