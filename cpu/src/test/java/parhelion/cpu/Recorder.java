package parhelion.cpu;

import java.util.ArrayList;
import java.util.List;
import parhelion.cpu.decode.Insn;

/**
 * A monitor that writes down what it is asked, and stops the CPU at exceptions unless told to
 * deliver them.
 */
final class Recorder implements Monitor {
  final List<String> events = new ArrayList<>();
  boolean deliver;
  boolean stopped;

  /** Whether privileged instructions are emulated, as no-ops. */
  boolean emulate;

  int portValue = 0x1234_5678;

  static String describe(int vector, int code, long cr2) {
    String name =
        switch (vector) {
          case 0 -> "DE";
          case 1 -> "DB";
          case 3 -> "BP";
          case 4 -> "OF";
          case 5 -> "BR";
          case 6 -> "UD";
          case 7 -> "NM";
          case 8 -> "DF";
          case 10 -> "TS";
          case 11 -> "NP";
          case 12 -> "SS";
          case 13 -> "GP";
          case 14 -> "PF";
          default -> "vector " + vector;
        };
    String text =
        GuestFault.hasErrorCode(vector) ? name + "(" + Integer.toHexString(code) + ")" : name;
    return vector == GuestFault.PF ? text + "@" + Long.toHexString(cr2) : text;
  }

  String last() {
    return events.isEmpty() ? "none" : events.get(events.size() - 1);
  }

  @Override
  public void exception(Cpu cpu, int vector, int errorCode, long cr2) {
    events.add(describe(vector, errorCode, cr2));
    if (deliver) {
      Monitor.super.exception(cpu, vector, errorCode, cr2);
    } else {
      stopped = true;
      cpu.stop();
    }
  }

  @Override
  public void shutdown(Cpu cpu) {
    events.add("shutdown");
    stopped = true;
    cpu.stop();
  }

  @Override
  public void halt(Cpu cpu) {
    events.add("halt");
    stopped = true;
    cpu.stop();
  }

  @Override
  public boolean privileged(Cpu cpu, Insn insn) {
    events.add(insn.mnemonic() + " at " + Long.toHexString(cpu.rip()));
    if (emulate) {
      cpu.rip(cpu.rip() + insn.length);
    }
    return emulate;
  }

  @Override
  public int in(Cpu cpu, int port, int size) {
    events.add("in " + Integer.toHexString(port) + " " + size);
    return portValue;
  }

  @Override
  public void out(Cpu cpu, int port, int size, int value) {
    events.add("out " + Integer.toHexString(port) + " " + size + " " + Integer.toHexString(value));
  }

  @Override
  public long tsc(Cpu cpu) {
    return 0x1_0000_0005L;
  }

  @Override
  public long rdmsr(Cpu cpu, int msr) {
    events.add("rdmsr " + Integer.toHexString(msr));
    return 7;
  }

  @Override
  public void wrmsr(Cpu cpu, int msr, long value) {
    events.add("wrmsr " + Integer.toHexString(msr) + " " + Long.toHexString(value));
  }
}
