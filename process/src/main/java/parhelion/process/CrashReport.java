package parhelion.process;

import static parhelion.cpu.CpuState.*;

import org.jspecify.annotations.Nullable;
import parhelion.cpu.Cpu;
import parhelion.cpu.decode.Decoder;
import parhelion.cpu.decode.Disassembler;
import parhelion.cpu.decode.Insn;
import parhelion.process.memory.UserMemory;

/** What is said of a program that a signal of its own making has ended. */
final class CrashReport {
  private static final int INSTRUCTIONS = 5;
  private static final int BYTES = 16;
  private static final String[] REGISTERS = {
    "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13",
    "r14", "r15"
  };

  private CrashReport() {}

  /** Prints the report if the signal is one that reports a fault of the program. */
  static void print(Task task, SignalInfo info) {
    switch (info.signal()) {
      case Signals.SIGSEGV,
          Signals.SIGBUS,
          Signals.SIGILL,
          Signals.SIGFPE,
          Signals.SIGTRAP,
          Signals.SIGSYS,
          Signals.SIGABRT -> {}
      default -> {
        return;
      }
    }
    Cpu c = task.cpu;
    StringBuilder out = new StringBuilder();
    Process process = task.process;
    out.append(process.name).append(": ").append(Signals.name(info.signal()));
    describe(out, info);
    ElfSymbols symbols = process.symbols;
    String where = symbols == null ? null : symbols.at(c.rip());
    out.append(" at rip %x%s (pid %d)".formatted(c.rip(), in(where), process.pid));
    for (int i = 0; i < REGISTERS.length; i++) {
      out.append(i % 4 == 0 ? "\n  " : "  ");
      out.append("%-3s %016x".formatted(REGISTERS[i], c.get64(GPR + i * 8)));
    }
    out.append(
        "\n  rflags %x  fs %x  gs %x".formatted(c.rflags(), c.get64(FS_BASE), c.get64(GS_BASE)));
    disassemble(out, task, symbols);
    process.kernel.report(out.toString());
  }

  private static String in(@Nullable String where) {
    return where == null ? "" : " in " + where;
  }

  private static void describe(StringBuilder out, SignalInfo info) {
    switch (info.signal()) {
      case Signals.SIGSEGV -> {
        switch (info.code()) {
          case 1 -> out.append(", nothing is mapped at %x,".formatted(info.value()));
          case 2 -> out.append(", access not allowed at %x,".formatted(info.value()));
          default -> out.append(", general protection");
        }
      }
      case Signals.SIGBUS -> out.append(", no memory behind %x,".formatted(info.value()));
      case Signals.SIGFPE -> out.append(info.code() == 1 ? ", division" : ", floating point");
      case Signals.SIGILL -> out.append(", undefined instruction");
      default -> {}
    }
  }

  private static void disassemble(StringBuilder out, Task task, @Nullable ElfSymbols symbols) {
    UserMemory memory = task.memory();
    Decoder decoder = Decoder.ofEverything();
    Insn insn = new Insn();
    long rip = task.cpu.rip();
    for (int i = 0; i < INSTRUCTIONS; i++) {
      int available = (int) memory.accessible(rip, BYTES, parhelion.cpu.Access.READ);
      byte[] code = memory.bytes(rip, available);
      if (available == 0) {
        out.append("\n  %s%x: nothing to execute".formatted(i == 0 ? "> " : "  ", rip));
        return;
      }
      int status = decoder.decode(code, 0, available, 64, insn);
      if (status != Decoder.OK) {
        out.append("\n  %s%x: (bad)".formatted(i == 0 ? "> " : "  ", rip));
        return;
      }
      String text = Disassembler.disassemble(insn, rip, symbols == null ? null : symbols::at);
      out.append("\n  %s%x: %s".formatted(i == 0 ? "> " : "  ", rip, text));
      rip += insn.length;
    }
  }
}
