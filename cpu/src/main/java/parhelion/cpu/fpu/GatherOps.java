package parhelion.cpu.fpu;

import static parhelion.cpu.fpu.Operands.xmm;
import static parhelion.cpu.memory.Host.U;

import org.jspecify.annotations.Nullable;
import parhelion.cpu.Cpu;
import parhelion.cpu.decode.Insn;
import parhelion.cpu.interp.Ea;
import parhelion.cpu.interp.Op;

/**
 * AVX2's gathers. An element that has been loaded clears its mask, so that a fault in between
 * leaves an instruction that goes on where it was when it is executed again: the one vector
 * instruction that faults having done a part (SDM volume 2, VPGATHERDD).
 */
final class GatherOps {
  private GatherOps() {}

  static @Nullable Op translate(Insn insn, int offset) {
    return switch (insn.mnemonic()) {
      case VPGATHERDD, VGATHERDPS -> gather(insn, offset, 4, 4);
      case VPGATHERDQ, VGATHERDPD -> gather(insn, offset, 4, 8);
      case VPGATHERQD, VGATHERQPS -> gather(insn, offset, 8, 4);
      case VPGATHERQQ, VGATHERQPD -> gather(insn, offset, 8, 8);
      default -> null;
    };
  }

  /** Indexes of {@code from} bytes, elements of {@code size}. */
  private static Op gather(Insn insn, int offset, int from, int size) {
    int d = xmm(insn.reg);
    int mask = xmm(insn.vvvv);
    int index = xmm(insn.index);
    int scale = insn.scale;
    int count = insn.vectorLength / Math.max(from, size);
    int register = insn.index;
    insn.index = Insn.NONE;
    Ea ea = Ea.of(insn, offset, size, false);
    insn.index = register;
    return c -> {
      extendMask(c, mask, count * size, size);
      for (int i = 0; i < count; i++) {
        int at = i * size;
        if (U.getByte(c.state + mask + at) != 0) {
          long n = from == 4 ? c.get32(index + 4 * i) : c.get64(index + 8 * i);
          put(c, d + at, size, c.load(ea.at(c, n << scale), size));
          put(c, mask + at, size, 0);
        }
      }
      clear(c, d, count * size);
      clear(c, mask, 0);
    };
  }

  /** Makes each element of the mask its sign. */
  private static void extendMask(Cpu c, int mask, int bytes, int size) {
    for (int i = 0; i < bytes; i += size) {
      put(c, mask + i, size, U.getByte(c.state + mask + i + size - 1) >> 7);
    }
  }

  private static void put(Cpu c, int at, int size, long value) {
    if (size == 4) {
      U.putInt(c.state + at, (int) value);
    } else {
      c.put64(at, value);
    }
  }

  /** Clears the register from byte {@code from} on. */
  private static void clear(Cpu c, int register, int from) {
    for (int i = from; i < 32; i += 8) {
      c.put64(register + i, 0);
    }
  }
}
