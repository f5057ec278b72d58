package parhelion.cpu.interp;

import org.jspecify.annotations.Nullable;
import parhelion.cpu.Cpu;
import parhelion.cpu.CpuState;
import parhelion.cpu.Rflags;
import parhelion.cpu.Segments;
import parhelion.cpu.decode.Insn;
import parhelion.cpu.decode.Mnemonic;
import parhelion.cpu.decode.Operand;

/**
 * IN, OUT, INS and OUTS: allowed by IOPL or by the task's I/O permission bitmap, else the monitor's
 * to emulate.
 */
final class PortOps {
  /**
   * Elements that one execution of a repeated instruction moves at most, so that interrupts get in.
   */
  private static final int BURST = 256;

  private PortOps() {}

  static @Nullable Op translate(Insn insn, int offset) {
    return switch (insn.mnemonic()) {
      case IN -> in(insn, offset);
      case OUT -> out(insn, offset);
      case INS, OUTS -> new Strings(insn, offset)::exec;
      default -> null;
    };
  }

  /** State offset of the port number, or -1 with the number in the immediate. */
  private static int portRegister(Insn insn, int operand) {
    return Operands.kind(insn, operand) == Operand.Kind.I ? -1 : CpuState.RDX;
  }

  private static Op in(Insn insn, int offset) {
    int size = insn.size(0);
    int register = portRegister(insn, 1);
    int fixed = (int) insn.imm & 0xff;
    Insn copy = insn.copy();
    return c -> {
      int port = register < 0 ? fixed : c.get16(register);
      if (!allowed(c, port, size)) {
        SystemOps.privileged(c, offset, copy);
        return;
      }
      c.put(CpuState.RAX, size, c.monitor.in(c, port, size));
    };
  }

  private static Op out(Insn insn, int offset) {
    int size = insn.size(1);
    int register = portRegister(insn, 0);
    int fixed = (int) insn.imm & 0xff;
    Insn copy = insn.copy();
    return c -> {
      int port = register < 0 ? fixed : c.get16(register);
      if (!allowed(c, port, size)) {
        SystemOps.privileged(c, offset, copy);
        return;
      }
      c.monitor.out(c, port, size, (int) c.get(CpuState.RAX, size));
    };
  }

  private static boolean allowed(Cpu c, int port, int size) {
    return SystemOps.withinIopl(c) || Segments.portAllowed(c, port, size);
  }

  /** INS and OUTS, once or repeated; each element is committed as it goes. */
  private static final class Strings {
    private final boolean input;
    private final int size;
    private final int addressSize;
    private final long addressMask;
    private final int segment;
    private final boolean flat;
    private final boolean repeated;
    private final int offset;
    private final Insn copy;

    Strings(Insn insn, int offset) {
      input = insn.mnemonic() == Mnemonic.INS;
      size = insn.size(input ? 0 : 1);
      addressSize = insn.addressSize;
      addressMask = addressSize == 8 ? -1L : addressSize == 4 ? 0xffff_ffffL : 0xffffL;
      segment =
          input
              ? CpuState.ES
              : insn.segmentOverride == Insn.NONE ? CpuState.DS : insn.segmentOverride;
      flat = insn.codeBits == 64;
      repeated = insn.rep || insn.repne;
      this.offset = offset;
      copy = insn.copy();
    }

    void exec(Cpu c) {
      int port = c.get16(CpuState.RDX);
      if (!allowed(c, port, size)) {
        SystemOps.privileged(c, offset, copy);
        return;
      }
      if (!repeated) {
        element(c, port);
        return;
      }
      long count = c.get(CpuState.RCX, addressSize);
      int burst = c.isSlow() ? 1 : BURST;
      for (int done = 0; done < burst && count != 0; done++) {
        element(c, port);
        count--;
        c.put(CpuState.RCX, addressSize, count);
      }
      if (count != 0) {
        c.put64(CpuState.RIP, c.get64(CpuState.RIP_BASE) + offset);
      }
    }

    private void element(Cpu c, int port) {
      int register = input ? CpuState.RDI : CpuState.RSI;
      long at = c.get64(register) & addressMask;
      long va = linear(c, at);
      if (input) {
        c.checkWritable(va, size);
        c.store(va, size, c.monitor.in(c, port, size));
      } else {
        c.monitor.out(c, port, size, (int) c.load(va, size));
      }
      int step = (c.get64(CpuState.RFLAGS) & Rflags.DF) != 0 ? -size : size;
      c.put(register, addressSize, at + step);
    }

    private long linear(Cpu c, long at) {
      if (!flat) {
        return Segments.linear(c, segment, at, size, input);
      }
      return segment == CpuState.FS || segment == CpuState.GS
          ? at + c.get64(CpuState.SEG_BASE + segment * 8)
          : at;
    }
  }
}
