package parhelion.cpu.fpu;

import java.util.HexFormat;
import org.jspecify.annotations.Nullable;
import parhelion.cpu.Access;
import parhelion.cpu.Cpu;
import parhelion.cpu.CpuModel;
import parhelion.cpu.CpuState;
import parhelion.cpu.GuestFault;
import parhelion.cpu.Monitor;
import parhelion.cpu.Segments;
import parhelion.cpu.decode.Decoder;
import parhelion.cpu.decode.Insn;
import parhelion.cpu.interp.CodeCache;
import parhelion.cpu.interp.Op;
import parhelion.cpu.memory.MachineMemory;

/**
 * A CPU in 64-bit mode with two pages of memory at 0, on which single instructions are executed.
 */
final class FpuFixture implements AutoCloseable {
  static final int FRAMES = 2;
  static final long CR0_MP = 2;
  static final long CR0_EM = 4;
  static final long CR0_TS = 8;
  static final long CR0_NE = 32;
  static final long CR4_OSFXSR = 0x200;
  static final long CR4_OSXMMEXCPT = 0x400;
  static final long CR4_OSXSAVE = 0x40000;

  final MachineMemory memory = new MachineMemory(FRAMES);
  final Cpu cpu;
  private final Decoder decoder = Decoder.ofEverything();
  private final Insn insn = new Insn();

  FpuFixture() {
    this(CpuModel.DEFAULT);
  }

  FpuFixture(CpuModel model) {
    Monitor monitor =
        new Monitor() {
          @Override
          public long translate(Cpu c, long va, int access) {
            if (va < 0 || va >= FRAMES * 4096) {
              throw c.pageFault(va, access == Access.WRITE ? 2 : 0);
            }
            return (va & -4096L) | Access.MAY_READ | Access.MAY_WRITE | Access.MAY_EXECUTE;
          }
        };
    cpu = new Cpu(memory, new CodeCache(memory), monitor, model);
    cpu.put64(CpuState.EFER, 0xd01);
    cpu.put64(CpuState.XCR0, model.xcr0Bits);
    Segments.set(cpu, CpuState.CS, 0x33, 0, 0xffffffffL, 0xa0fb);
    control(CR0_MP | CR0_NE, CR4_OSFXSR | CR4_OSXMMEXCPT | CR4_OSXSAVE);
  }

  void control(long cr0, long cr4) {
    cpu.put64(CpuState.CR0, 0x80000001L | cr0);
    cpu.put64(CpuState.CR4, 0x20 | cr4);
    cpu.updateMode();
  }

  @Nullable Op translate(String hex) {
    byte[] code = HexFormat.of().parseHex(hex.replace(" ", ""));
    int status = decoder.decode(code, 0, code.length, 64, insn);
    if (status != Decoder.OK || insn.length != code.length) {
      throw new IllegalArgumentException(hex + ": status " + status);
    }
    return FpuOps.translate(insn, 0, cpu.modeKey);
  }

  /** Executes the instruction; gives the vector of the fault that it raises, or -1. */
  int run(String hex) {
    Op op = translate(hex);
    if (op == null) {
      throw new IllegalArgumentException(hex + ": no op");
    }
    try {
      op.exec(cpu);
      return -1;
    } catch (GuestFault f) {
      return f.vector;
    }
  }

  void xmm(int i, long low, long high) {
    cpu.put64(CpuState.XMM + i * CpuState.XMM_STRIDE, low);
    cpu.put64(CpuState.XMM + i * CpuState.XMM_STRIDE + 8, high);
  }

  /** Sets the upper half of a YMM register. */
  void ymmHigh(int i, long low, long high) {
    cpu.put64(CpuState.YMM_HIGH + i * CpuState.XMM_STRIDE, low);
    cpu.put64(CpuState.YMM_HIGH + i * CpuState.XMM_STRIDE + 8, high);
  }

  /** Eight bytes of a YMM register, {@code lane} 0 to 3. */
  long ymm(int i, int lane) {
    return cpu.get64(CpuState.XMM + i * CpuState.XMM_STRIDE + lane * 8);
  }

  long xmmLow(int i) {
    return cpu.get64(CpuState.XMM + i * CpuState.XMM_STRIDE);
  }

  long xmmHigh(int i) {
    return cpu.get64(CpuState.XMM + i * CpuState.XMM_STRIDE + 8);
  }

  int mxcsr() {
    return cpu.get32(CpuState.MXCSR);
  }

  void mxcsr(int value) {
    cpu.put64(CpuState.MXCSR, value);
  }

  @Override
  public void close() {
    cpu.close();
    memory.close();
  }
}
