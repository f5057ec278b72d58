package parhelion.cpu.decode;

import java.util.EnumSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Turns instruction bytes into an {@link Insn}, for 64-, 32- and 16-bit code (SDM volume 2, chapter
 * 2). Where processors differ, Intel's are followed: near branches in 64-bit mode ignore 66. Any
 * bytes give a result, never an exception. An instance belongs to one thread.
 */
public final class Decoder {
  /** The instruction is complete. */
  public static final int OK = 0;

  /** More bytes are needed than were available: the fetch goes on with the next page. */
  public static final int TRUNCATED = 1;

  /**
   * Undefined, not offered, or LOCK where it is not allowed: #UD. The length is set as far as it is
   * known.
   */
  public static final int INVALID = 2;

  /** More than 15 bytes: #GP(0). */
  public static final int TOO_LONG = 3;

  public static final int MAX_LENGTH = 15;

  /** 1 + the position in the list below for prefix bytes, 0 for all other bytes. */
  private static final byte[] PREFIX = new byte[256];

  static {
    int[] bytes = {0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3};
    for (int i = 0; i < bytes.length; i++) {
      PREFIX[bytes[i]] = (byte) (i + 1);
    }
  }

  private final OpcodeMap map = OpcodeMap.instance();
  private final OpcodeMap.Row[] @Nullable [] slots = map.slots;
  private final long features;

  private byte[] code = new byte[0];
  private int start;
  private int at;
  private int limit;

  /**
   * A decoder that offers these features; encodings of others are INVALID (or what they were
   * before).
   */
  public Decoder(Set<Feature> offered) {
    long bits = 1L << Feature.BASE.ordinal();
    for (Feature feature : offered) {
      bits |= 1L << feature.ordinal();
    }
    features = bits;
  }

  /** A decoder for all that the map knows. */
  public static Decoder ofEverything() {
    return new Decoder(EnumSet.allOf(Feature.class));
  }

  /**
   * Decodes the instruction at {@code bytes[offset]}.
   *
   * @param available bytes that may be read from offset on
   * @param codeBits 16, 32 or 64: the default sizes of the code segment
   * @return OK, TRUNCATED, INVALID or TOO_LONG
   */
  public int decode(byte[] bytes, int offset, int available, int codeBits, Insn into) {
    code = bytes;
    start = offset;
    at = offset;
    limit = offset + Math.min(Math.min(available, bytes.length - offset), MAX_LENGTH);
    into.reset(codeBits);
    int result = instruction(into);
    into.length = at - offset;
    if (result != OK) {
      into.opcode = Opcode.INVALID;
    }
    return result;
  }

  private int shortage() {
    return limit - start >= MAX_LENGTH ? TOO_LONG : TRUNCATED;
  }

  private int instruction(Insn insn) {
    int b = prefixes(insn);
    if (b < 0) {
      return shortage();
    }
    int mandatory =
        insn.repne
            ? OpcodeMap.SEL_F2
            : insn.rep ? OpcodeMap.SEL_F3 : insn.opSizePrefix ? OpcodeMap.SEL_66 : 0;
    int map = 0;
    if (b == 0x0f) {
      if (at >= limit) {
        return shortage();
      }
      b = code[at++] & 0xff;
      map = 256;
      if (b == 0x38 || b == 0x3a) {
        if (at >= limit) {
          return shortage();
        }
        map = b == 0x38 ? 512 : 768;
        b = code[at++] & 0xff;
      }
    } else if (b == 0xc4 || b == 0xc5 || b == 0x62) {
      if (at >= limit) {
        return shortage();
      }
      if (insn.codeBits == 64 || (code[at] & 0xc0) == 0xc0) {
        return b == 0x62 ? INVALID : vex(insn, b);
      }
    }
    return match(insn, map | b, mandatory);
  }

  /** Takes all prefixes; gives the first opcode byte, or -1 if the bytes end before it. */
  private int prefixes(Insn insn) {
    while (at < limit) {
      int b = code[at++] & 0xff;
      int prefix = PREFIX[b];
      if (prefix == 0) {
        if ((b & 0xf0) != 0x40 || insn.codeBits != 64) {
          return b;
        }
        insn.rex = b;
        continue;
      }
      insn.rex = 0;
      insn.prefixes = insn.prefixes << 8 | b;
      switch (prefix) {
        case 1, 2, 3, 4 -> {
          // ES, CS, SS and DS overrides are ignored in 64-bit mode, without undoing an earlier FS
          // or GS.
          if (insn.codeBits != 64) {
            insn.segmentOverride = prefix - 1;
          }
        }
        case 5, 6 -> insn.segmentOverride = prefix - 1;
        case 7 -> insn.opSizePrefix = true;
        case 8 -> insn.addrSizePrefix = true;
        case 9 -> insn.lock = true;
        case 10 -> {
          insn.repne = true;
          insn.rep = false;
        }
        default -> {
          insn.rep = true;
          insn.repne = false;
        }
      }
    }
    return -1;
  }

  private int vex(Insn insn, int first) {
    int bytes = first == 0xc4 ? 3 : 2;
    if (at + bytes > limit) {
      at = limit;
      return shortage();
    }
    if (insn.rex != 0 || insn.opSizePrefix || insn.rep || insn.repne || insn.lock) {
      return INVALID;
    }
    int p1 = code[at++] & 0xff;
    int map = 1;
    int rex = ~p1 >> 5 & 4;
    int p2 = p1;
    if (bytes == 3) {
      map = p1 & 0x1f;
      p2 = code[at++] & 0xff;
      rex |= (~p1 >> 5 & 3) | (p2 >> 4 & 8);
    }
    if (map < 1 || map > 3) {
      return INVALID;
    }
    insn.vvvv = ~p2 >> 3 & 15;
    if (insn.codeBits != 64) {
      rex &= 8;
      insn.vvvv &= 7;
    }
    insn.vectorLength = (p2 & 4) != 0 ? 32 : 16;
    int b = code[at++] & 0xff;
    if (insn.codeBits != 64 && movesGeneralRegister(map, b)) {
      rex = 0;
    }
    insn.rex = rex;
    int mandatory =
        switch (p2 & 3) {
          case 1 -> OpcodeMap.SEL_66;
          case 2 -> OpcodeMap.SEL_F3;
          case 3 -> OpcodeMap.SEL_F2;
          default -> 0;
        };
    return match(insn, 1024 | map << 8 | b, mandatory | ((p2 & 4) != 0 ? OpcodeMap.SEL_L : 0));
  }

  /** VMOVD, VPEXTRD and VPINSRD, which ignore VEX.W outside 64-bit mode. */
  private static boolean movesGeneralRegister(int map, int code) {
    return map == 1 && (code == 0x6e || code == 0x7e) || map == 3 && (code == 0x16 || code == 0x22);
  }

  private int match(Insn insn, int slot, int prefixAndL) {
    OpcodeMap.Row[] rows = slots[slot];
    if (rows == null) {
      rows = map.load(slot);
    }
    if (rows.length == 0) {
      return INVALID;
    }
    int selector =
        prefixAndL
            | (insn.rex & 8) // SEL_W
            | (insn.rex & 1) << 4 // SEL_B
            | (insn.codeBits == 64 ? OpcodeMap.SEL_64 : 0);
    int modrm = 0;
    boolean hasModrm = rows[0].modrm; // all rows of an opcode byte agree on it
    if (hasModrm) {
      if (at >= limit) {
        return shortage();
      }
      modrm = code[at] & 0xff;
      selector |=
          (modrm >= 0xc0 || slot >= 0x120 && slot <= 0x123 ? OpcodeMap.SEL_MOD3 : 0)
              | (modrm & 0x38) << (OpcodeMap.SEL_REG_SHIFT - 3)
              | (modrm & 7) << OpcodeMap.SEL_RM_SHIFT;
    }
    OpcodeMap.Row row = rows[0];
    for (int i = 1; (selector & row.mask) != row.value || (features & row.featureBit) == 0; i++) {
      if (i == rows.length) {
        at += hasModrm ? 1 : 0;
        return INVALID;
      }
      row = rows[i];
    }
    insn.opcode = row.opcode;
    insn.opcodeReg = slot & 7 | (insn.rex & 1) << 3;
    sizes(insn, row);
    if (row.modrm) {
      at++;
      int result = modrm(insn, row, modrm, selector);
      if (result != OK) {
        return result;
      }
    }
    if (row.immediate != OpcodeMap.IMM_NONE && !immediate(insn, row)) {
      at = limit;
      return shortage();
    }
    return checks(insn, row);
  }

  private static void sizes(Insn insn, OpcodeMap.Row row) {
    int prefix = row.opcode.prefix();
    boolean size = insn.opSizePrefix && prefix != 0x66;
    if (insn.codeBits == 64) {
      insn.addressSize = insn.addrSizePrefix ? 4 : 8;
      if ((insn.rex & 8) != 0 || (row.attributes & Opcode.F64) != 0) {
        insn.operandSize = 8;
      } else if (size) {
        insn.operandSize = 2;
      } else {
        insn.operandSize = (row.attributes & Opcode.D64) != 0 ? 8 : 4;
      }
    } else {
      boolean small = insn.codeBits == 16;
      insn.addressSize = small != insn.addrSizePrefix ? 2 : 4;
      insn.operandSize = small != size ? 2 : 4;
    }
    if (prefix == 0xf3) {
      insn.rep = false;
    } else if (prefix == 0xf2) {
      insn.repne = false;
    }
  }

  private int modrm(Insn insn, OpcodeMap.Row row, int modrm, int selector) {
    int rex = insn.rex;
    int rm = modrm & 7;
    insn.modrm = modrm;
    insn.reg = modrm >> 3 & 7 | (rex & 4) << 1;
    insn.rm = rm | (rex & 1) << 3;
    if ((selector & OpcodeMap.SEL_MOD3) != 0) {
      insn.mod = 3;
      return OK;
    }
    int mod = modrm >> 6;
    insn.mod = mod;
    if (insn.addressSize == 2) {
      return memory16(insn, row, mod, rm);
    }
    int dispBytes = mod == 1 ? 1 : mod == 2 ? 4 : 0;
    if (rm == 4) {
      if (at >= limit) {
        return shortage();
      }
      int sib = code[at++] & 0xff;
      int index = sib >> 3 & 7 | (rex & 2) << 2;
      insn.scale = sib >> 6;
      insn.index = index == 4 && (row.attributes & Opcode.VSIB) == 0 ? Insn.NONE : index;
      if (mod == 0 && (sib & 7) == 5) {
        dispBytes = 4;
      } else {
        insn.base = sib & 7 | (rex & 1) << 3;
      }
    } else if (mod == 0 && rm == 5) {
      insn.ripRelative = insn.codeBits == 64;
      dispBytes = 4;
    } else {
      insn.base = insn.rm;
    }
    if ((row.attributes & Opcode.VSIB) != 0 && rm != 4) {
      return INVALID;
    }
    return displacement(insn, dispBytes);
  }

  private int memory16(Insn insn, OpcodeMap.Row row, int mod, int rm) {
    if ((row.attributes & Opcode.VSIB) != 0) {
      return INVALID;
    }
    if (mod == 0 && rm == 6) {
      return displacement(insn, 2);
    }
    // BX+SI, BX+DI, BP+SI, BP+DI, SI, DI, BP, BX
    switch (rm) {
      case 0, 1, 7 -> insn.base = 3;
      case 2, 3, 6 -> insn.base = 5;
      case 4 -> insn.base = 6;
      default -> insn.base = 7;
    }
    if (rm < 4) {
      insn.index = 6 + (rm & 1);
    }
    return displacement(insn, mod);
  }

  private int displacement(Insn insn, int bytes) {
    if (at + bytes > limit) {
      at = limit;
      return shortage();
    }
    if (bytes != 0) {
      insn.disp = signed(bytes);
    }
    return OK;
  }

  private boolean immediate(Insn insn, OpcodeMap.Row row) {
    int size = insn.operandSize;
    int bytes =
        switch (row.immediate) {
          case OpcodeMap.IMM_BYTE, OpcodeMap.IMM_BYTE_SIGNED -> 1;
          case OpcodeMap.IMM_WORD -> 2;
          case OpcodeMap.IMM_Z -> Math.min(size, 4);
          case OpcodeMap.IMM_V -> size;
          case OpcodeMap.IMM_ENTER -> 3;
          case OpcodeMap.IMM_FAR -> size + 2;
          default -> insn.addressSize;
        };
    if (at + bytes > limit) {
      return false;
    }
    switch (row.immediate) {
      case OpcodeMap.IMM_BYTE -> insn.imm = code[at++] & 0xff;
      case OpcodeMap.IMM_WORD -> insn.imm = signed(2) & 0xffff;
      case OpcodeMap.IMM_ENTER -> {
        insn.imm = signed(2) & 0xffff;
        insn.imm2 = code[at++] & 0xff;
      }
      case OpcodeMap.IMM_FAR -> {
        insn.imm = size == 2 ? signed(2) & 0xffff : signed(4) & 0xffff_ffffL;
        insn.imm2 = signed(2) & 0xffff;
      }
      case OpcodeMap.IMM_MOFFS -> {
        long offset = signed(bytes);
        insn.disp = bytes == 8 ? offset : offset & (1L << bytes * 8) - 1;
      }
      default -> insn.imm = signed(bytes);
    }
    return true;
  }

  /** Reads a little-endian number that is known to be available, and sign-extends it. */
  private long signed(int bytes) {
    int i = at;
    at = i + bytes;
    return switch (bytes) {
      case 1 -> code[i];
      case 2 -> (short) (code[i] & 0xff | code[i + 1] << 8);
      case 4 -> int32(i);
      default -> int32(i) & 0xffff_ffffL | (long) int32(i + 4) << 32;
    };
  }

  private int int32(int i) {
    return code[i] & 0xff
        | (code[i + 1] & 0xff) << 8
        | (code[i + 2] & 0xff) << 16
        | code[i + 3] << 24;
  }

  private static int checks(Insn insn, OpcodeMap.Row row) {
    if (insn.lock && ((row.attributes & Opcode.LOCK) == 0 || !insn.isMemory())) {
      return INVALID;
    }
    if (insn.vvvv != Insn.NONE && !row.usesVvvv) {
      if (insn.vvvv != 0) {
        return INVALID;
      }
      insn.vvvv = Insn.NONE;
    }
    if ((row.attributes & Opcode.VSIB) != 0 && gatherOverlaps(insn)) {
      return INVALID;
    }
    return row.special == null || registers(insn, row.special) ? OK : INVALID;
  }

  private static boolean gatherOverlaps(Insn insn) {
    return insn.reg == insn.index || insn.reg == insn.vvvv || insn.index == insn.vvvv;
  }

  /** False for segment, control and debug registers that do not exist, and for MOV to CS. */
  private static boolean registers(Insn insn, Operand special) {
    switch (special) {
      case Sw -> {
        insn.reg &= 7;
        return insn.reg < 6 && (insn.opcode.code() != 0x8e || insn.reg != 1);
      }
      case Cd -> {
        int reg = insn.reg;
        return reg == 0 || reg >= 2 && reg <= 4 || reg == 8;
      }
      default -> {
        return insn.reg < 8;
      }
    }
  }
}
