package parhelion.cpu.interp;

import java.util.ArrayList;
import parhelion.cpu.Cpu;
import parhelion.cpu.CpuState;
import parhelion.cpu.GuestFault;
import parhelion.cpu.decode.Decoder;
import parhelion.cpu.decode.Insn;
import parhelion.cpu.decode.Mnemonic;
import parhelion.cpu.decode.Opcode;
import parhelion.cpu.decode.Operand;

/**
 * Turns guest bytes into {@link Block}s: fetches, decodes until the block ends, has each
 * instruction translated into an op.
 */
final class BlockDecoder {
  private static final int MAX_INSTRUCTIONS = 64;

  private final Cpu c;
  private final byte[] bytes = new byte[4096 + 16];
  private final Decoder decoder;
  private Insn insn = new Insn();
  private Insn previous = new Insn();

  BlockDecoder(Cpu cpu) {
    c = cpu;
    decoder = new Decoder(cpu.model.features());
  }

  /**
   * Linear address of the instruction at {@code rip}; in legacy modes checks it against the CS
   * limit.
   */
  private long linear(long rip) {
    if (c.codeBits == 64) {
      return rip;
    }
    if (Long.compareUnsigned(rip, c.get64(CpuState.SEG_LIMIT + CpuState.CS * 8)) > 0) {
      throw c.fault(GuestFault.GP, 0);
    }
    return (rip + c.get64(CpuState.SEG_BASE + CpuState.CS * 8)) & 0xffffffffL;
  }

  /** The block at {@code rip}, from the cache or decoded now; raises the fault of the fetch. */
  Block blockAt(long rip) {
    long va = linear(rip);
    long pa = c.fetchAddress(va);
    Block b = c.code.find(pa, c.modeKey);
    if (b != null && b.secondPa >= 0 && c.fetchAddress((va | 4095) + 1) != b.secondPa) {
      b = null;
    }
    if (b == null) {
      b = decode(rip, va, pa, MAX_INSTRUCTIONS);
      if (b.instructions > 0 && c.memory.contains(pa, 1)) {
        c.code.add(b);
      }
    }
    return b;
  }

  /** A block of exactly the instruction at {@code rip}, not cached. */
  Block single(long rip) {
    long va = linear(rip);
    return decode(rip, va, c.fetchAddress(va), 1);
  }

  private Block decode(long rip, long va, long pa, int limit) {
    int available = 4096 - (int) (pa & 4095);
    int window = limit == 1 ? Math.min(available, 16) : available;
    c.memory.read(pa, bytes, 0, window);
    if (c.codeBits != 64) {
      long room = c.get64(CpuState.SEG_LIMIT + CpuState.CS * 8) - rip + 1;
      window = (int) Math.min(window, room);
    }
    ArrayList<Op> ops = new ArrayList<>();
    short[] offsets = new short[limit];
    short[] before = new short[limit];
    int at = 0;
    int instructions = 0;
    boolean changesMode = false;
    Mnemonic last = Mnemonic.INVALID;
    while (instructions < limit) {
      int status = decoder.decode(bytes, at, window - at, c.codeBits, insn);
      if (status == Decoder.TRUNCATED) {
        if (instructions == 0) {
          return decodeCrossing(rip, va, pa, window);
        }
        break;
      }
      Op fused = instructions > 0 && status == Decoder.OK ? Fusion.fuse(previous, insn) : null;
      if (fused != null) {
        ops.set(ops.size() - 1, fused);
      } else {
        offsets[ops.size()] = (short) at;
        before[ops.size()] = (short) instructions;
        ops.add(translate(status, insn, at));
      }
      instructions++;
      last = mnemonic(status, insn);
      at += insn.length;
      if (status != Decoder.OK || endsBlock(insn)) {
        changesMode = status != Decoder.OK || changesMode(insn);
        break;
      }
      Insn swap = previous;
      previous = insn;
      insn = swap;
    }
    return new Block(
        pa,
        c.modeKey,
        ops.toArray(new Op[0]),
        offsets,
        before,
        instructions,
        at,
        -1,
        changesMode,
        last);
  }

  /** The instruction at {@code rip} reaches into the next page (or past the segment limit). */
  private Block decodeCrossing(long rip, long va, long pa, int window) {
    if (c.codeBits != 64 && rip + window > c.get64(CpuState.SEG_LIMIT + CpuState.CS * 8)) {
      throw c.fault(GuestFault.GP, 0);
    }
    long secondPa = c.fetchAddress(va + window);
    c.memory.read(secondPa, bytes, window, 16);
    int status = decoder.decode(bytes, 0, window + 16, c.codeBits, insn);
    Op op = translate(status, insn, 0);
    return new Block(
        pa,
        c.modeKey,
        new Op[] {op},
        new short[1],
        new short[1],
        1,
        insn.length,
        secondPa,
        status != Decoder.OK || (endsBlock(insn) && changesMode(insn)),
        mnemonic(status, insn));
  }

  private static Mnemonic mnemonic(int status, Insn insn) {
    return status == Decoder.OK ? insn.mnemonic() : Mnemonic.INVALID;
  }

  private Op translate(int status, Insn insn, int offset) {
    if (status == Decoder.TOO_LONG) {
      return cpu -> {
        throw cpu.fault(GuestFault.GP, 0);
      };
    }
    if (status != Decoder.OK) {
      return Translator.undefined(offset);
    }
    return Translator.translate(insn, offset, c.modeKey);
  }

  private static boolean endsBlock(Insn insn) {
    Operand[] operands = insn.opcode.operands();
    if (operands.length > 0 && operands[0].kind() == Operand.Kind.S) {
      return true; // a segment register is loaded or, harmlessly, pushed
    }
    return insn.mnemonic() == Mnemonic.LSS
        || insn.opcode.has(Opcode.ENDS_BLOCK)
        || insn.opcode.has(Opcode.PRIVILEGED)
        || insn.opcode.has(Opcode.IOPL)
        || insn.opcode.has(Opcode.STRING);
  }

  /**
   * All block ends but near branches and string instructions may change the mode or the address
   * space.
   */
  private static boolean changesMode(Insn insn) {
    return switch (insn.mnemonic()) {
      case JCC, JMP, CALL, RET, LOOP, LOOPE, LOOPNE, JRCXZ, MOVS, STOS, LODS, SCAS, CMPS -> false;
      default -> true;
    };
  }

  private final Insn probe = new Insn();

  /**
   * Whether the memory operand of the instruction at {@code rip} is a stack access, for which #GP
   * becomes #SS.
   */
  boolean isStackAccess(long rip) {
    byte[] code = new byte[15];
    int n = 0;
    try {
      long va = linear(rip);
      while (n < 15) {
        long pa = c.fetchAddress(va + n);
        int part = Math.min(15 - n, 4096 - (int) (pa & 4095));
        c.memory.read(pa, code, n, part);
        n += part;
      }
    } catch (GuestFault f) {
      // The bytes that are there suffice, or the next decode says so.
    }
    if (decoder.decode(code, 0, n, c.codeBits, probe) != Decoder.OK) {
      return false;
    }
    return StackAccess.faultsAsStack(c, probe);
  }
}
