package parhelion.lab.bounds;

import static parhelion.cpu.CpuState.GPR;

import java.util.EnumSet;
import parhelion.cpu.Cpu;
import parhelion.cpu.GuestFault;
import parhelion.cpu.decode.Decoder;
import parhelion.cpu.decode.Disassembler;
import parhelion.cpu.decode.Feature;
import parhelion.cpu.decode.Insn;
import parhelion.cpu.memory.MachineMemory;

/** Says in words what a job did when the processor stopped it. */
final class Offence {
  private Offence() {}

  /** RIP is at the instruction. */
  static String of(Cpu c, MachineMemory memory, Job job, int vector) {
    long eip = c.rip();
    if (eip >= job.bytes()) {
      return "went on at %x, where it has no memory: its bound is %x".formatted(eip, job.bytes());
    }
    Insn insn = new Insn();
    byte[] code = new byte[(int) Math.min(Decoder.MAX_LENGTH, job.bytes() - eip)];
    memory.read(job.base + eip, code, 0, code.length);
    int decoded = new Decoder(EnumSet.allOf(Feature.class)).decode(code, 0, code.length, 32, insn);
    if (decoded != Decoder.OK) {
      return "executed what is no instruction, at %x".formatted(eip);
    }
    String at = "%s, at %x".formatted(Disassembler.disassemble(insn, eip, null), eip);
    if ((vector == GuestFault.GP || vector == GuestFault.SS) && insn.isMemory()) {
      long address = address(c, insn);
      return "reached for %x, its bound being %x, by %s".formatted(address, job.bytes(), at);
    }
    return switch (vector) {
      case GuestFault.DE -> "divided by nought or out of range: " + at;
      case GuestFault.UD -> "executed what is no instruction: " + at;
      case GuestFault.GP -> "executed what only a supervisor may: " + at;
      default -> "raised exception " + vector + ": " + at;
    };
  }

  /** Offset in the segment of a memory operand. */
  private static long address(Cpu c, Insn insn) {
    long address = insn.disp;
    if (insn.base != Insn.NONE) {
      address += c.get32(GPR + insn.base * 8);
    }
    if (insn.index != Insn.NONE) {
      address += (long) c.get32(GPR + insn.index * 8) << insn.scale;
    }
    return address & (insn.addressSize == 2 ? 0xffff : 0xffff_ffffL);
  }
}
