package parhelion.testkit.oracle;

import static parhelion.cpu.memory.Host.U;

import jdk.internal.misc.Unsafe;
import parhelion.cpu.Access;
import parhelion.cpu.Cpu;
import parhelion.cpu.CpuModel;
import parhelion.cpu.CpuState;
import parhelion.cpu.Monitor;
import parhelion.cpu.Segments;
import parhelion.cpu.interp.CodeCache;
import parhelion.cpu.memory.MachineMemory;

/**
 * The {@link Arena} of the interpreter: a flat user-mode machine with nothing but code and data.
 * Programs end with UD2 where the host's copy jumps out.
 */
final class InterpreterArena implements Monitor, AutoCloseable {
  /** No program runs longer than this. */
  private static final int MAX_INSTRUCTIONS = 20_000;

  /** What {@link #run} gives: the program came to its end. */
  static final int DONE = -1;

  /** It did not end in time. */
  static final int ENDLESS = -2;

  private static final int NONE = -3;
  private static final int ESCAPED = -4;

  private final MachineMemory memory = new MachineMemory(Arena.BYTES / Arena.PAGE);
  final Cpu cpu = new Cpu(memory, new CodeCache(memory), this, CpuModel.MAX);
  private final Arena arena;
  private int outcome;
  private long exitVa;

  /** Address of the last page fault. */
  long faultCr2;

  /** Whether the program stores to its code. */
  boolean modifiesItself;

  /** Whether stores to the data fault. */
  private boolean readOnly;

  /** Of 64-bit code. */
  InterpreterArena(Arena arena) {
    this(arena, 64);
  }

  InterpreterArena(Arena arena, int codeBits) {
    this.arena = arena;
    cpu.put64(CpuState.CR0, 0x80000033L);
    cpu.put64(CpuState.CR4, 0x50620L);
    cpu.put64(CpuState.XCR0, cpu.model.xcr0Bits);
    cpu.put64(CpuState.EFER, 0xd01);
    cpu.put64(CpuState.CPL, 3);
    if (codeBits == 64) {
      Segments.set(cpu, CpuState.CS, NativeArena.CS_64, 0, 0xffffffffL, 0xa0fb);
    } else {
      Segments.set(cpu, CpuState.CS, NativeArena.CS_32, 0, 0xffffffffL, 0xc0fb);
    }
    Segments.set(cpu, CpuState.SS, NativeArena.DATA_SELECTOR, 0, 0xffffffffL, 0xc0f3);
    for (int s : new int[] {CpuState.ES, CpuState.DS, CpuState.FS, CpuState.GS}) {
      Segments.set(cpu, s, 0, 0, 0, 0);
    }
    if (codeBits == 32) {
      Segments.set(cpu, CpuState.DS, NativeArena.DATA_SELECTOR, 0, 0xffffffffL, 0xc0f3);
      Segments.set(cpu, CpuState.ES, NativeArena.DATA_SELECTOR, 0, 0xffffffffL, 0xc0f3);
    }
    cpu.updateMode();
  }

  /** Host address of the data. */
  long dataAddress() {
    return memory.base() + Arena.DATA;
  }

  long codeAddress() {
    return memory.base() + Arena.CODE;
  }

  void writeCode(int offset, byte[] code) {
    memory.write(Arena.CODE + offset, code, 0, code.length);
  }

  /** The code as it is now, {@code length} bytes. */
  byte[] code(int offset, int length) {
    byte[] bytes = new byte[length];
    U.copyMemory(null, codeAddress() + offset, bytes, Unsafe.ARRAY_BYTE_BASE_OFFSET, length);
    return bytes;
  }

  /**
   * Runs from {@code entryVa} to {@code exitVa}, in blocks or instruction by instruction.
   *
   * @return DONE, ENDLESS, or the vector of the fault that ended it
   */
  int run(long entryVa, long exitVa, MachineState in, MachineState out, boolean stepwise) {
    this.exitVa = exitVa;
    outcome = NONE;
    in.toCpu(cpu);
    cpu.rip(entryVa);
    if (stepwise) {
      for (int i = 0; i < MAX_INSTRUCTIONS && outcome == NONE; i++) {
        cpu.interpreter().runOne();
      }
    } else {
      cpu.run(MAX_INSTRUCTIONS);
    }
    out.fromCpu(cpu);
    return outcome == NONE ? ENDLESS : outcome;
  }

  /** From now on, or no longer, stores to the data fault. */
  void protectData(boolean from) {
    readOnly = from;
    cpu.flushTlbs();
  }

  @Override
  public boolean mayModifyItself(Cpu c, long va) {
    return modifiesItself;
  }

  @Override
  public long translate(Cpu c, long va, int access) {
    long pa = va - arena.va();
    if (pa >= Arena.CODE && pa < Arena.CODE + Arena.CODE_BYTES
        || !readOnly && pa >= Arena.DATA && pa < Arena.DATA + Arena.DATA_BYTES) {
      return (pa & -4096L) | Access.MAY_READ | Access.MAY_WRITE | Access.MAY_EXECUTE;
    }
    if (pa >= Arena.DATA && pa < Arena.DATA + Arena.DATA_BYTES && access == Access.READ) {
      return (pa & -4096L) | Access.MAY_READ;
    }
    throw c.pageFault(va, 0);
  }

  @Override
  public void exception(Cpu c, int vector, int errorCode, long cr2) {
    end(c, vector);
    faultCr2 = cr2;
  }

  @Override
  public boolean undefined(Cpu c) {
    if (c.rip() != exitVa) {
      return false;
    }
    end(c, DONE);
    return true;
  }

  @Override
  public void softwareInterrupt(Cpu c, int vector, int insnLength) {
    end(c, ESCAPED);
  }

  @Override
  public void syscall(Cpu c) {
    end(c, ESCAPED);
  }

  @Override
  public void sysenter(Cpu c) {
    end(c, ESCAPED);
  }

  private void end(Cpu c, int what) {
    outcome = what;
    c.stop();
  }

  @Override
  public void close() {
    cpu.close();
    memory.close();
  }
}
