package parhelion.cpu.fpu;

import org.jspecify.annotations.Nullable;
import parhelion.cpu.Cpu;
import parhelion.cpu.Flags;
import parhelion.cpu.Rflags;
import parhelion.cpu.decode.Insn;
import parhelion.cpu.interp.Op;

/** x87 comparisons and classification. */
final class X87CompareOps {
  private X87CompareOps() {}

  static @Nullable Op translate(Insn insn, int offset) {
    return switch (insn.mnemonic()) {
      case FCOM -> fcom(insn, offset, 0, false);
      case FCOMP -> fcom(insn, offset, 1, false);
      case FCOMPP -> registers(insn, offset, 1, 2, false, false);
      case FUCOM -> fcom(insn, offset, 0, true);
      case FUCOMP -> fcom(insn, offset, 1, true);
      case FUCOMPP -> registers(insn, offset, 1, 2, true, false);
      case FCOMI -> registers(insn, offset, insn.rm & 7, 0, false, true);
      case FCOMIP -> registers(insn, offset, insn.rm & 7, 1, false, true);
      case FUCOMI -> registers(insn, offset, insn.rm & 7, 0, true, true);
      case FUCOMIP -> registers(insn, offset, insn.rm & 7, 1, true, true);
      case FICOM -> memory(insn, offset, 0, true);
      case FICOMP -> memory(insn, offset, 1, true);
      case FTST -> ftst(insn, offset);
      case FXAM -> X87Ops.bind(insn, offset, (c, u) -> fxam(c, u));
      default -> null;
    };
  }

  private static Op fcom(Insn insn, int offset, int pops, boolean quiet) {
    return insn.isMemory()
        ? memory(insn, offset, pops, false)
        : registers(insn, offset, insn.rm & 7, pops, quiet, false);
  }

  private static Op memory(Insn insn, int offset, int pops, boolean integer) {
    int size = insn.size(0);
    return X87Ops.bindLoad(
        insn,
        offset,
        size,
        (c, u, value) -> {
          if (X87.isEmpty(c, 0)) {
            underflow(c, pops, false);
            return;
          }
          X87.a(c, u, 0);
          if (integer) {
            u.bInteger(size == 2 ? (short) value : (int) value);
          } else if (size == 4) {
            u.b32((int) value);
          } else {
            u.b64(value);
          }
          compare(c, u, pops, false, false);
        });
  }

  private static Op registers(
      Insn insn, int offset, int i, int pops, boolean quiet, boolean toFlags) {
    return X87Ops.bind(
        insn,
        offset,
        (c, u) -> {
          if (X87.isEmpty(c, 0) || X87.isEmpty(c, i)) {
            underflow(c, pops, toFlags);
            return;
          }
          X87.a(c, u, 0);
          X87.b(c, u, i);
          compare(c, u, pops, quiet, toFlags);
        });
  }

  private static Op ftst(Insn insn, int offset) {
    return X87Ops.bind(
        insn,
        offset,
        (c, u) -> {
          if (X87.isEmpty(c, 0)) {
            underflow(c, 0, false);
            return;
          }
          X87.a(c, u, 0);
          u.bInteger(0);
          compare(c, u, 0, false, false);
        });
  }

  private static void underflow(Cpu c, int pops, boolean toFlags) {
    if (X87.stackFault(c, false)) {
      deliver(c, X87.C3 | X87.C2 | X87.C0, pops, toFlags);
    }
  }

  private static void compare(Cpu c, FloatUnit u, int pops, boolean quiet, boolean toFlags) {
    int codes;
    if (u.aClass >= FloatUnit.QNAN || u.bClass >= FloatUnit.QNAN) {
      boolean signals = !quiet || u.aClass >= FloatUnit.SNAN || u.bClass >= FloatUnit.SNAN;
      u.flags |= signals ? X87.IE : 0;
      codes = X87.C3 | X87.C2 | X87.C0;
    } else {
      if (u.aClass == FloatUnit.DENORMAL || u.bClass == FloatUnit.DENORMAL) {
        u.flags |= X87.DE;
      }
      int order = u.compare();
      codes = order > 0 ? 0 : order < 0 ? X87.C0 : X87.C3;
    }
    if (X87.commit(c, u)) {
      deliver(c, codes, pops, toFlags);
    }
  }

  private static void deliver(Cpu c, int codes, int pops, boolean toFlags) {
    if (toFlags) {
      int flags = (codes & X87.C3) != 0 ? Rflags.ZF : 0;
      flags |= (codes & X87.C2) != 0 ? Rflags.PF : 0;
      flags |= (codes & X87.C0) != 0 ? Rflags.CF : 0;
      Flags.set(c, flags);
    } else {
      X87.fsw(c, X87.fsw(c) & ~(X87.C0 | X87.C2 | X87.C3) | codes);
    }
    for (int i = 0; i < pops; i++) {
      X87.pop(c);
    }
  }

  private static void fxam(Cpu c, FloatUnit u) {
    int sign = (X87Ops.signExponent(c, 0) & 0x8000) != 0 ? X87.C1 : 0;
    if (X87.isEmpty(c, 0)) {
      X87.condition(c, sign | X87.C3 | X87.C0);
      return;
    }
    X87.b(c, u, 0);
    int codes =
        switch (u.bClass) {
          case FloatUnit.ZERO -> X87.C3;
          case FloatUnit.NORMAL -> X87.C2;
          case FloatUnit.DENORMAL -> X87.C3 | X87.C2;
          case FloatUnit.INFINITE -> X87.C2 | X87.C0;
          case FloatUnit.UNSUPPORTED -> 0;
          default -> X87.C0;
        };
    X87.condition(c, sign | codes);
  }
}
