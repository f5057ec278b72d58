package parhelion.cpu;

import static parhelion.cpu.CpuState.*;

import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.Set;
import parhelion.cpu.decode.Feature;
import parhelion.cpu.fpu.StateArea;

/**
 * What this processor says of itself: the one table from which CPUID's leaves, the decoder's gate,
 * and the bits that CR4 accepts are taken. It says exactly what is implemented, as far as the CPU's
 * {@link CpuModel} goes.
 *
 * <p>Vendor and model are a choice with consequences. Linux treats AuthenticAMD parts with
 * model-specific registers (LFENCE configuration, errata by family) and with bugs that we do not
 * have (null segments keep their base, SYSRET's SS), GenuineIntel with little that goes beyond
 * CPUID. And family 6, model 0x36 is an in-order core that Linux knows not to speculate: no
 * page-table isolation, no retpolines (which cost an interpreter dearly), no microcode checks.
 * Features are taken from the bits, not the model.
 */
public final class Cpuid {
  public static final int PHYSICAL_BITS = 46;
  public static final int LINEAR_BITS = 48;

  /**
   * CR4 bits that may be set: TSD, DE, PSE, PAE, PGE, PCE, OSFXSR, OSXMMEXCPT, FSGSBASE, OSXSAVE,
   * SMEP, SMAP; MCE has no effect. Where the model has INVPCID, PCIDE, too.
   */
  public static final long CR4_BITS =
      1 << 2 | 1 << 3 | 1 << 4 | 1 << 5 | 1 << 6 | 1 << 7 | 1 << 8 | 1 << 9 | 1 << 10 | 1 << 16
          | 1 << 18 | 1 << 20 | 1 << 21;

  /** Family 6, model 0x36, stepping 1. */
  public static final int SIGNATURE = 0x0003_0661;

  private static final int BASIC_MAX = 0xd;
  private static final int EXTENDED_MAX = 0x8000_0008;
  private static final String VENDOR = "GenuineIntel";
  private static final String BRAND = "Parhelion virtual CPU";

  /** Subleaf 1 of leaf 0xd, as the table has it: all other rows are of subleaf 0. */
  private static final int XSAVE_1 = 0xd_0001;

  /**
   * Bit {@code bit} of register {@code register} (EAX..EDX as 0..3) of a leaf, the instructions
   * that it gates, and the first model (its ordinal, as the models are made from this table) that
   * has it.
   */
  private record Bit(int model, int leaf, int register, int bit, Feature... features) {
    Bit(int leaf, int register, int bit, Feature... features) {
      this(V2, leaf, register, bit, features);
    }
  }

  private static final int V2 = 0;
  private static final int V3 = 1;
  private static final int MAX = 2;

  private static final int EAX = 0;
  private static final int EBX = 1;
  private static final int ECX = 2;
  private static final int EDX = 3;
  private static final int EXT1 = 0x8000_0001;

  private static final Bit[] BITS = {
    new Bit(1, ECX, 0, Feature.SSE3),
    new Bit(1, ECX, 9, Feature.SSSE3),
    new Bit(1, ECX, 13, Feature.CX16),
    new Bit(1, ECX, 19, Feature.SSE41),
    new Bit(1, ECX, 20, Feature.SSE42),
    new Bit(1, ECX, 23, Feature.POPCNT),
    new Bit(1, ECX, 26, Feature.XSAVE),
    new Bit(1, ECX, 30, Feature.RDRAND),
    new Bit(1, EDX, 0, Feature.X87),
    new Bit(1, EDX, 2), // DE
    new Bit(1, EDX, 3), // PSE
    new Bit(1, EDX, 4), // TSC
    new Bit(1, EDX, 5), // MSR
    new Bit(1, EDX, 6), // PAE
    new Bit(1, EDX, 8), // CX8
    new Bit(1, EDX, 11, Feature.SYSENTER),
    new Bit(1, EDX, 13), // PGE
    new Bit(1, EDX, 15), // CMOV
    new Bit(1, EDX, 16), // PAT
    new Bit(1, EDX, 17), // PSE-36
    new Bit(1, EDX, 19, Feature.CLFLUSH),
    new Bit(1, EDX, 23, Feature.MMX),
    new Bit(1, EDX, 24, Feature.FXSR),
    new Bit(1, EDX, 25, Feature.SSE),
    new Bit(1, EDX, 26, Feature.SSE2),
    new Bit(7, EBX, 0, Feature.FSGSBASE),
    new Bit(7, EBX, 7), // SMEP
    new Bit(7, EBX, 9), // fast REP MOVSB/STOSB: whole pages at once here
    new Bit(7, EBX, 18, Feature.RDSEED),
    new Bit(7, EBX, 20, Feature.SMAP),
    new Bit(7, EBX, 23, Feature.CLFLUSHOPT),
    new Bit(7, EBX, 24, Feature.CLWB),
    new Bit(7, EDX, 4), // fast short REP MOVSB
    new Bit(EXT1, ECX, 0, Feature.LAHF),
    new Bit(EXT1, ECX, 8, Feature.PREFETCHW),
    new Bit(EXT1, EDX, 11, Feature.SYSCALL),
    new Bit(EXT1, EDX, 20), // NX
    new Bit(EXT1, EDX, 26), // 1 GiB pages
    new Bit(EXT1, EDX, 27, Feature.RDTSCP),
    new Bit(EXT1, EDX, 29), // long mode
    new Bit(0x8000_0007, EDX, 8), // the TSC runs at one rate
    new Bit(XSAVE_1, EAX, 0, Feature.XSAVEOPT),
    new Bit(V3, XSAVE_1, EAX, 1, Feature.XSAVEC),
    new Bit(V3, XSAVE_1, EAX, 2), // XGETBV of what is in use
    new Bit(V3, 1, ECX, 12, Feature.FMA),
    new Bit(V3, 1, ECX, 17), // PCID
    new Bit(V3, 1, ECX, 22, Feature.MOVBE),
    new Bit(V3, 1, ECX, 28, Feature.AVX),
    new Bit(V3, 1, ECX, 29, Feature.F16C),
    new Bit(V3, 7, EBX, 3, Feature.BMI1),
    new Bit(V3, 7, EBX, 5, Feature.AVX2),
    new Bit(V3, 7, EBX, 8, Feature.BMI2),
    new Bit(V3, 7, EBX, 10, Feature.INVPCID),
    new Bit(V3, EXT1, ECX, 5, Feature.ABM),
    new Bit(MAX, 1, ECX, 1, Feature.PCLMULQDQ),
    new Bit(MAX, 1, ECX, 25, Feature.AES),
    new Bit(MAX, 7, EBX, 19, Feature.ADX),
    new Bit(MAX, 7, EBX, 29, Feature.SHA),
  };

  private Cpuid() {}

  /** Adds the extensions that the model of this ordinal offers. */
  static void addFeatures(Set<Feature> to, int model) {
    for (Bit bit : BITS) {
      if (bit.model <= model) {
        Collections.addAll(to, bit.features);
      }
    }
  }

  /** EAX, EBX, ECX, EDX of a leaf; OSXSAVE and the XSAVE size follow the CPU's CR4 and XCR0. */
  public static int[] query(Cpu c, int leaf, int subleaf) {
    int[] r = new int[4];
    int number = leaf;
    if (leaf < 0 && Integer.compareUnsigned(leaf, EXTENDED_MAX) > 0
        || leaf >= 0 && leaf > BASIC_MAX) {
      return r;
    }
    if (number != 7 || subleaf == 0) {
      int row = number == 0xd && subleaf == 1 ? XSAVE_1 : number;
      for (Bit bit : BITS) {
        if (bit.leaf == row && bit.model <= c.model.ordinal()) {
          r[bit.register] |= 1 << bit.bit;
        }
      }
    }
    switch (number) {
      case 0 -> vendor(r, BASIC_MAX);
      case 1 -> {
        r[0] = SIGNATURE;
        r[1] = 8 << 8 | 1 << 16; // CLFLUSH line of 8 quadwords, one logical processor
        if ((c.get64(CR4) & (1 << 18)) != 0) {
          r[2] |= 1 << 27;
        }
      }
      case 2 -> r[0] = 0xff01; // ask leaf 4 for the caches
      case 4 -> cache(r, subleaf);
      case 0xb -> topology(r, subleaf);
      case 0xd -> xsave(c, r, subleaf);
      case 0x8000_0000 -> r[0] = EXTENDED_MAX;
      case 0x8000_0002, 0x8000_0003, 0x8000_0004 -> brand(r, number - 0x8000_0002);
      case 0x8000_0006 -> r[2] = 1024 << 16 | 6 << 12 | 64; // L2: 1 MiB, 8-way, 64-byte lines
      case 0x8000_0008 -> r[0] = PHYSICAL_BITS | LINEAR_BITS << 8;
      default -> {}
    }
    return r;
  }

  private static void vendor(int[] r, int max) {
    byte[] name = VENDOR.getBytes(StandardCharsets.US_ASCII);
    r[0] = max;
    r[1] = word(name, 0);
    r[3] = word(name, 4);
    r[2] = word(name, 8);
  }

  private static void brand(int[] r, int part) {
    byte[] name = BRAND.getBytes(StandardCharsets.US_ASCII);
    for (int i = 0; i < 4; i++) {
      r[i] = word(name, part * 16 + i * 4);
    }
  }

  private static int word(byte[] text, int at) {
    int word = 0;
    for (int i = 0; i < 4; i++) {
      word |= (at + i < text.length ? text[at + i] & 0xff : 0) << (8 * i);
    }
    return word;
  }

  /** L1 data and code 32 KiB 8-way, L2 1 MiB 8-way; lines of 64 bytes. */
  private static void cache(int[] r, int subleaf) {
    if (subleaf > 2 || subleaf < 0) {
      return;
    }
    int type = subleaf == 0 ? 1 : subleaf == 1 ? 2 : 3;
    int level = subleaf == 2 ? 2 : 1;
    r[0] = type | level << 5 | 1 << 8;
    r[1] = 63 | 7 << 22;
    r[2] = subleaf == 2 ? 2047 : 63;
  }

  private static void topology(int[] r, int subleaf) {
    r[2] = subleaf & 0xff;
    if (subleaf == 0 || subleaf == 1) {
      r[1] = 1;
      r[2] |= (subleaf + 1) << 8;
    }
  }

  /** Sizes follow XCR0; a component beyond the legacy area has a subleaf of its number. */
  private static void xsave(Cpu c, int[] r, int subleaf) {
    CpuModel model = c.model;
    if (subleaf == 0) {
      r[0] = (int) model.xcr0Bits;
      r[1] = StateArea.standardBytes(c.get64(XCR0));
      r[2] = model.xsaveBytes();
    } else if (subleaf == 1) {
      r[1] = model.has(Feature.XSAVEC) ? StateArea.compactBytes(c.get64(XCR0)) : 0;
    } else if (subleaf > 0 && subleaf < 63 && (model.xcr0Bits >> subleaf & 1) != 0) {
      r[0] = StateArea.componentBytes(subleaf);
      r[1] = StateArea.componentOffset(subleaf);
    }
  }
}
