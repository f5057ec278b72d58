package parhelion.testkit.fpu;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HexFormat;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import parhelion.cpu.Access;
import parhelion.cpu.Cpu;
import parhelion.cpu.CpuState;
import parhelion.cpu.GuestFault;
import parhelion.cpu.Monitor;
import parhelion.cpu.Segments;
import parhelion.cpu.decode.Decoder;
import parhelion.cpu.decode.Insn;
import parhelion.cpu.decode.Opcode;
import parhelion.cpu.fpu.FpuOps;
import parhelion.cpu.interp.CodeCache;
import parhelion.cpu.interp.Op;
import parhelion.cpu.memory.MachineMemory;
import parhelion.testkit.NativeFrame;
import parhelion.testkit.oracle.RandomValues;

/**
 * One floating-point or vector instruction, executed by the host and by the interpreter's op from
 * the same state; reports the first difference in registers, flags, control words or memory.
 */
final class HostComparison implements AutoCloseable {
  static final int DATA_BYTES = 8192;
  private static final int FX_TOP = 3;

  private final NativeFrame frame = new NativeFrame(DATA_BYTES);
  private final MachineMemory memory = new MachineMemory(16);
  private final Cpu cpu;
  private final Decoder decoder = Decoder.ofEverything();
  private final Insn insn = new Insn();
  private final byte[] fx = new byte[512];
  private final byte[] data = new byte[1024];
  private final long[] gprs = new long[16];
  private long flags;
  private @Nullable Op op;
  private byte[] code = new byte[0];

  /** Bits of the status word that this comparison ignores. */
  int ignoredFsw;

  /**
   * An x87 comparison: when it raises an unmasked exception, the SDM leaves the codes alone where
   * AMD sets them.
   */
  boolean comparison;

  /** Bytes of the memory operand that are not compared. */
  int ignoredFrom;

  int ignoredTo;

  /** Bits of RFLAGS that are not compared. */
  long ignoredFlags;

  /** Called instead of a bit-wise comparison of registers where not null. */
  @Nullable Tolerance tolerance;

  @FunctionalInterface
  interface Tolerance {
    /** Whether the host's and the interpreter's results, as FXSAVE images, are close enough. */
    boolean accepts(byte[] host, byte[] ours);
  }

  HostComparison() {
    Monitor monitor =
        new Monitor() {
          @Override
          public long translate(Cpu c, long va, int access) {
            long pa = va - frame.dataVa();
            if (pa < 0 || pa >= DATA_BYTES) {
              throw c.pageFault(va, 0);
            }
            return (pa & -4096L) | Access.MAY_READ | Access.MAY_WRITE | Access.MAY_EXECUTE;
          }
        };
    cpu = new Cpu(memory, new CodeCache(memory), monitor);
    cpu.put64(CpuState.CR0, 0x80000033L);
    cpu.put64(CpuState.CR4, 0x40620L);
    cpu.put64(CpuState.EFER, 0xd01);
    cpu.put64(CpuState.XCR0, 3);
    Segments.set(cpu, CpuState.CS, 0x33, 0, 0xffffffffL, 0xa0fb);
    cpu.updateMode();
  }

  Cpu cpu() {
    return cpu;
  }

  byte[] fx() {
    return fx;
  }

  byte[] data() {
    return data;
  }

  long[] gprs() {
    return gprs;
  }

  void flags(long value) {
    flags = value;
  }

  /** Address of the data that memory operands see: RDI points there, RSI 32 bytes before it. */
  long dataVa() {
    return frame.dataVa() + 1024;
  }

  /** Takes the instruction; false if the interpreter has no op for it. */
  boolean load(byte[] bytes) {
    code = bytes;
    int status = decoder.decode(bytes, 0, bytes.length, 64, insn);
    if (status != Decoder.OK || insn.length != bytes.length) {
      throw new IllegalStateException(
          "decoder says " + status + " to " + HexFormat.of().formatHex(bytes));
    }
    Opcode row = insn.opcode;
    ignoredFlags = ~0x8d5L | row.flagsUndefined();
    op = FpuOps.translate(insn, 0, cpu.modeKey);
    frame.code(bytes);
    return op != null;
  }

  /** Fills the whole state with {@link RandomValues}. */
  void randomize(Random random, boolean doublePrecision) {
    FxImage.randomize(fx, data, random, doublePrecision);
    for (int i = 0; i < 16; i++) {
      gprs[i] = RandomValues.integer(random);
    }
    gprs[4] = frame.dataVa() + 6144;
    gprs[7] = dataVa();
    gprs[6] = dataVa() - 32;
    flags = 2 | random.nextInt(0x1000) & 0x8d5;
  }

  /** Executes on both; null if they agree, else what differs. */
  @Nullable String run() {
    runHost();
    Op o = op;
    if (o == null) {
      return "no op";
    }
    loadInterpreter();
    try {
      o.exec(cpu);
    } catch (GuestFault f) {
      return describe() + ": interpreter faulted, vector " + f.vector;
    }
    return difference();
  }

  private void runHost() {
    for (int i = 0; i < 16; i++) {
      frame.gpr(i, gprs[i]);
    }
    frame.flags(flags);
    MemorySegment.copy(fx, 0, frame.fxIn(), ValueLayout.JAVA_BYTE, 0, 512);
    MemorySegment.copy(data, 0, frame.data(), ValueLayout.JAVA_BYTE, 1024, data.length);
    frame.run();
  }

  private void loadInterpreter() {
    for (int i = 0; i < 16; i++) {
      cpu.put64(CpuState.GPR + i * 8, gprs[i]);
    }
    cpu.rflags(flags);
    memory.write(1024, data, 0, data.length);
    FxImage.toCpu(fx, cpu);
  }

  private @Nullable String difference() {
    for (int i = 0; i < 16; i++) {
      long ours = cpu.get64(CpuState.GPR + i * 8);
      if (ours != frame.gprOut(i)) {
        return describe() + differs("register " + i, frame.gprOut(i), ours);
      }
    }
    boolean trapped = comparison && (FxImage.u16(hostImage(), 2) & 0x80) != 0;
    long flagsDiff = (frame.flagsOut() ^ cpu.rflags()) & ~ignoredFlags;
    if (flagsDiff != 0 && !trapped) {
      return describe() + differs("flags", frame.flagsOut(), cpu.rflags());
    }
    byte[] ours = FxImage.ofCpu(cpu);
    byte[] host = frame.fxOut().toArray(ValueLayout.JAVA_BYTE);
    Tolerance t = tolerance;
    if (t != null) {
      return t.accepts(host, ours)
          ? null
          : describe()
              + image("FSW", host, ours, 2, 2)
              + image("ST0", host, ours, 32, 10)
              + image("ST1", host, ours, 48, 10);
    }
    int fswDiff = (FxImage.u16(host, 2) ^ FxImage.u16(ours, 2)) & ~(trapped ? 0x4700 : ignoredFsw);
    if (fswDiff != 0) {
      return describe() + differs("FSW", FxImage.u16(host, 2), FxImage.u16(ours, 2));
    }
    if (FxImage.u16(host, 0) != FxImage.u16(ours, 0) || host[4] != ours[4]) {
      return describe() + image("FCW, FTW", host, ours, 0, 8);
    }
    if (FxImage.u16(host, 24) != FxImage.u16(ours, 24)) {
      return describe() + differs("MXCSR", FxImage.u16(host, 24), FxImage.u16(ours, 24));
    }
    for (int i = 32; i < 416; i += 16) {
      int n = i < 160 ? 10 : 16;
      for (int j = i; j < i + n; j++) {
        if (host[j] != ours[j]) {
          return describe()
              + image(i < 160 ? "ST" + (i - 32) / 16 : "XMM" + (i - 160) / 16, host, ours, i, n);
        }
      }
    }
    byte[] hostData = frame.data().asSlice(1024, data.length).toArray(ValueLayout.JAVA_BYTE);
    byte[] ourData = new byte[data.length];
    memory.read(1024, ourData, 0, ourData.length);
    for (int i = 0; i < data.length; i++) {
      boolean ignored = i >= ignoredFrom && i < ignoredTo;
      if (!ignored && hostData[i] != ourData[i]) {
        return describe() + image("memory", hostData, ourData, i & ~15, 16);
      }
    }
    return null;
  }

  byte[] hostImage() {
    return frame.fxOut().toArray(ValueLayout.JAVA_BYTE);
  }

  private static String differs(String what, long host, long ours) {
    return String.format(" %s: host %x, interpreter %x", what, host, ours);
  }

  private static String image(String what, byte[] host, byte[] ours, int at, int n) {
    return " " + what + ": host " + hex(host, at, n) + ", interpreter " + hex(ours, at, n);
  }

  /** Most significant byte first. */
  static String hex(byte[] image, int at, int n) {
    StringBuilder s = new StringBuilder();
    for (int i = n - 1; i >= 0; i--) {
      s.append(String.format("%02x", image[at + i]));
    }
    return s.toString();
  }

  private String describe() {
    StringBuilder s =
        new StringBuilder(insn.mnemonic() + " [" + HexFormat.of().formatHex(code) + "]");
    s.append(
        String.format(
            " fcw %x fsw %x ftw %02x mxcsr %x",
            FxImage.u16(fx, 0), FxImage.u16(fx, 2), fx[4], FxImage.u16(fx, 24)));
    if (insn.opcode.has(Opcode.SSE) && insn.modrm != Insn.NONE) {
      s.append(" reg ").append(hex(fx, 160 + insn.reg * 16, 16));
      if (!insn.isMemory()) {
        s.append(" rm ").append(hex(fx, 160 + insn.rm * 16, 16));
      }
    } else {
      s.append(" st0 ").append(hex(fx, 32, 10)).append(" st1 ").append(hex(fx, 48, 10));
      if (!insn.isMemory() && insn.modrm != Insn.NONE) {
        int i = insn.rm & 7;
        s.append(" st(i) ").append(hex(fx, 32 + 16 * i, 10));
        s.append(" reg ").append(hex(fx, 32 + 16 * (insn.reg & 7), 10));
      }
    }
    if (insn.isMemory()) {
      s.append(" mem ").append(hex(data, 0, 16));
    }
    return s.toString();
  }

  @Override
  public void close() {
    cpu.close();
    memory.close();
    frame.close();
  }
}
