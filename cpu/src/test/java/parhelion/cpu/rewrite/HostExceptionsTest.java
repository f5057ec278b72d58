package parhelion.cpu.rewrite;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static parhelion.cpu.CpuState.*;

import java.util.Random;
import java.util.function.Consumer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import parhelion.cpu.Cpu;
import parhelion.cpu.Engine;
import parhelion.cpu.decode.Decoder;
import parhelion.cpu.decode.Insn;

/**
 * Whatever the guest divides, unmasks or misaligns is the guest's exception, as on the interpreter,
 * and never a signal on the host, which would end the JVM.
 */
class HostExceptionsTest {
  private static final long SEED = Long.getLong("parhelion.seed", 1);
  private static final boolean FAST = Boolean.getBoolean("parhelion.fast");
  private static final long CODE = 0x40_0000L;
  private static final int CODE_PA = Guest.FREE;
  private static final long DATA = 0x50_0000L;
  private static final int DATA_PA = Guest.FREE + 0x1_0000;

  /** Where a program's control words, images and operands are. */
  private static final int MXCSRS = 0;

  private static final int FCWS = 0x20;
  private static final int OPERANDS = 0x30;
  private static final int SAVED = 0x800;
  private static final int IMAGES = 0x1000;

  @BeforeEach
  void hostRunsGeneratedCode() {
    assumeTrue(HostCpu.obstacle() == null);
  }

  /** Notes exceptions and goes on behind the instruction. */
  private static final class Skipping extends Guest {
    private final Decoder decoder = Decoder.ofEverything();
    private final Insn insn = new Insn();
    private final byte[] bytes = new byte[15];

    Skipping(Engine engine) {
      super(engine);
      for (int i = 0; i < 4; i++) {
        map(CODE + i * 4096, CODE_PA + i * 4096, USER & ~W);
        map(DATA + i * 4096, DATA_PA + i * 4096, USER);
      }
      set(RBX, DATA);
      set(RSP, DATA + 0x4000);
    }

    @Override
    public void exception(Cpu c, int vector, int errorCode, long cr2) {
      events.add(Long.toHexString(c.rip() - CODE) + ":" + vector + "/" + errorCode);
      memory.read(CODE_PA + c.rip() - CODE, bytes, 0, 15);
      if (decoder.decode(bytes, 0, 15, 64, insn) != Decoder.OK) {
        c.stop();
        return;
      }
      c.rip(c.rip() + insn.length);
    }
  }

  private static String outcome(Engine engine, Consumer<Guest> scenario) {
    try (Guest g = new Skipping(engine)) {
      scenario.accept(g);
      StringBuilder text = new StringBuilder(g.events.toString()).append('\n');
      for (int i = 0; i < 16; i++) {
        text.append(Long.toHexString(g.get(GPR + i * 8))).append(' ');
        text.append(Long.toHexString(g.get(XMM + i * XMM_STRIDE))).append(' ');
        text.append(Long.toHexString(g.get(XMM + i * XMM_STRIDE + 8))).append('\n');
      }
      for (int i = 0; i < 8; i++) {
        text.append(Long.toHexString(g.get(X87 + i * 16))).append(' ');
        text.append(Long.toHexString(g.get(X87 + i * 16 + 8) & 0xffff)).append('\n');
      }
      int tags = (int) g.get(FTW);
      text.append(
          String.format(
              "mxcsr %x fcw %x fsw %x empty %x%n",
              g.get(MXCSR), g.get(FCW), g.get(FSW) & ~0x4700, tags & tags >> 1 & 0x5555));
      long hash = 0;
      for (int i = 0; i < SAVED; i += 8) {
        hash = hash * 31 + g.memory.getLong(DATA_PA + i);
      }
      return text.append(hash).toString();
    }
  }

  private static String agree(String what, Consumer<Guest> scenario) {
    String expected = outcome(Engine.INTERPRETER, scenario);
    assertEquals(expected, outcome(Engine.REWRITER, scenario), what);
    return expected;
  }

  private static String agree(String hex, Random r, int instructions) {
    byte[] data = new byte[0x2000];
    r.nextBytes(data);
    // Control words: masked, unmasked, and with reserved bits.
    int[] mxcsrs = {0x1f80, 0x1f80, 0, 0x1d80, 0x9fc0, 0x1f3f, 0x1_1f80, 0xffff};
    int[] fcws = {0x37f, 0x37f, 0, 0x37b, 0xc7f, 0x340, 0x32e, 0xffff};
    for (int i = 0; i < 8; i++) {
      for (int b = 0; b < 4; b++) {
        data[MXCSRS + i * 4 + b] = (byte) (mxcsrs[i] >> 8 * b);
      }
      data[FCWS + i * 2] = (byte) fcws[i];
      data[FCWS + i * 2 + 1] = (byte) (fcws[i] >> 8);
    }
    long[] operands = {
      0,
      1L << 63,
      0x3ff0_0000_0000_0000L,
      0x7ff0_0000_0000_0000L,
      0x7ff8_0000_0000_0000L,
      0x7ff0_0000_0000_0001L,
      1,
      0x7fef_ffff_ffff_ffffL,
      0x7f80_0000_3f80_0000L,
      0x7f80_0001_0000_0001L
    };
    for (int i = 0; i < operands.length; i++) {
      for (int b = 0; b < 8; b++) {
        data[OPERANDS + i * 8 + b] = (byte) (operands[i] >> 8 * b);
      }
    }
    for (int i = 0; i < 4; i++) {
      int at = IMAGES + i * 512 + 24;
      data[at + 2] = (byte) (i == 3 ? 1 : 0);
      data[at + 3] = 0;
    }
    return agree(
        hex,
        g -> {
          g.write(DATA_PA, data);
          g.write(CODE_PA, hex);
          g.run(CODE, instructions);
        });
  }

  private static String disp(int opcodeMiddle, int at) {
    return String.format("%02x%02x%02x%02x%02x", 0x83 | opcodeMiddle << 3, at & 255, at >> 8, 0, 0);
  }

  /** One instruction that raises something, or changes what is raised. */
  private static String floating(Random r) {
    int operand = OPERANDS + 8 * r.nextInt(10);
    String[] registers = {
      "0f5ec1",
      "f20f51c1",
      "660f59c2",
      "f20f2cc1",
      "660f2ec1",
      "0f5ac1",
      "f30f5ec8",
      "0f5fc1",
      "f2480f2ac0",
      "0f58d0",
      "660f5ed1",
      "660fefc0",
      "0fc6c1b1"
    };
    String[] x87 = {
      "d8f1", "def9", "d9fa", "d9e8", "d9ee", "d9e0", "ddd8", "dbe2", "dbe3", "9b", "d8c1", "dec9",
      "d9fc", "d9f4", "d9c9", "0f77", "0ffec1", "dbf1"
    };
    return switch (r.nextInt(14)) {
      case 0 -> "0fae" + disp(2, MXCSRS + 4 * r.nextInt(8));
      case 1 -> "d9" + disp(5, FCWS + 2 * r.nextInt(8));
      case 2 -> "0fae" + disp(1, IMAGES + 512 * r.nextInt(4));
      case 3 -> "0f10" + disp(r.nextInt(4), operand);
      case 4 -> "f20f5e" + disp(r.nextInt(4), operand);
      case 5 -> "dd" + disp(0, operand);
      case 6 -> "dc" + disp(r.nextInt(8), operand);
      case 7 -> "db" + disp(3, OPERANDS + 0x60 + 8 * r.nextInt(4));
      case 8 -> "d9" + disp(3, OPERANDS + 0x60 + 8 * r.nextInt(4));
      case 9 -> "0f6f" + disp(r.nextInt(2), operand);
      case 10 -> r.nextInt(4) == 0 ? "0fae" + disp(0, SAVED) : "48ffc0";
      case 11, 12 -> registers[r.nextInt(registers.length)];
      default -> x87[r.nextInt(x87.length)];
    };
  }

  @Test
  void sequencesOfFloatingPointWithUnmaskedExceptions() {
    int raised = 0;
    for (int i = 0; i < (FAST ? 200 : 1500); i++) {
      Random r = new Random(SEED * 10_007 + i);
      StringBuilder hex = new StringBuilder("41bd03000000");
      int length = 0;
      for (int n = 3 + r.nextInt(18); n > 0; n--) {
        String insn = floating(r);
        hex.append(insn);
        length += insn.length() / 2;
      }
      int back = -(length + 9);
      hex.append("49ffcd0f85");
      for (int b = 0; b < 4; b++) {
        hex.append(String.format("%02x", back >> 8 * b & 255));
      }
      hex.append("0f0b");
      String outcome = agree(hex.toString(), r, 400);
      raised += outcome.contains(":19/") || outcome.contains(":16/") ? 1 : 0;
    }
    assertTrue(raised > (FAST ? 20 : 150), "programs that raised #XM or #MF: " + raised);
  }

  @Test
  void unmaskedDivisionByZeroIsTheGuests() {
    // Three times: movupd xmm0, [1.0]; divpd xmm0, xmm1, with other masks before.
    String divide = "660f10" + disp(0, OPERANDS + 16) + "660f5ec1";
    String load = "0fae" + disp(2, MXCSRS);
    String loadUnmasked = "0fae" + disp(2, MXCSRS + 12);
    String hex = "0f57c9" + divide + loadUnmasked + divide + load + divide + "0f0b";
    String outcome = agree(hex, new Random(1), 100);
    assertTrue(outcome.contains(":19/0"), outcome);
    // fld1; fldz; fdivp; fldcw unmasked: now it is pending; fld1 raises; fnclex; fld1 goes through
    hex = "dbe2 d9e8 d9ee def9 d9" + disp(5, FCWS + 4) + "d9e8 dbe2 d9e8 0f0b";
    outcome = agree(hex, new Random(1), 100);
    assertTrue(outcome.contains(":16/0"), outcome);
  }

  @Test
  void divisionsAtAllBoundariesFaultOrNot() {
    long[] values = {
      0,
      1,
      2,
      -1,
      -2,
      0x7f,
      0x80,
      0xff,
      -128,
      -129,
      0x7fff,
      0x8000,
      0xffff,
      -0x8000,
      0x7fff_ffffL,
      0x8000_0000L,
      0xffff_ffffL,
      -0x8000_0000L,
      Long.MAX_VALUE,
      Long.MIN_VALUE,
      0x4000_0000_0000_0000L
    };
    String[] forms = {
      "f6f1", "f6f9", "66f7f1", "66f7f9", "f7f1", "f7f9", "48f7f1", "48f7f9",
      "f633", "f63b", "66f733", "66f73b", "f733", "f73b", "48f733", "48f73b"
    };
    for (String form : forms) {
      int length = form.length() / 2;
      // Load all from a table, divide, add up the results, next row; the count is in r13.
      StringBuilder hex = new StringBuilder();
      // mov rax,[rsi]; mov rdx,[rsi+8]; mov rcx,[rsi+16]; mov [rbx],rcx
      hex.append("488b06 488b5608 488b4e10 48890b").append(form);
      // add r14,rax; rol r14,7; add r14,rdx; add rsi,24; dec r13; jnz
      hex.append("4901c6 49c1c607 4901d6 4883c618 49ffcd 75");
      hex.append(String.format("%02x", -(14 + length + 3 + 4 + 3 + 4 + 3 + 2) & 255))
          .append("0f0b");
      int rows = values.length * values.length;
      for (int high = 0; high < 6; high++) {
        int h = high;
        agree(
            form,
            g -> {
              long at = DATA_PA + 0x1000;
              for (long a : values) {
                for (long b : values) {
                  g.memory.putLong(at, a);
                  g.memory.putLong(
                      at + 8,
                      h == 0 ? 0 : h == 1 ? a >> 63 : h == 2 ? b - 1 : h == 3 ? b : values[h + 10]);
                  g.memory.putLong(at + 16, b);
                  at += 24;
                }
              }
              g.set(RSI, DATA + 0x1000);
              g.set(R8 + 40, rows);
              g.write(CODE_PA, hex.toString());
              g.run(CODE, 20 * rows);
            });
      }
    }
  }

  @Test
  void misalignedOperandsFaultWhereTheGuestsWould() {
    String[] forms = {
      "0f2806",
      "0f2906",
      "660f6f06",
      "660f7f06",
      "660fd406",
      "0f5806",
      "480fc70e",
      "f0480fc70e",
      "0f1006",
      "0f1106",
      "f00fc70e",
      "660fe706",
      "0f2b06",
      "f30f6f06",
      "f20f1006"
    };
    for (String form : forms) {
      int length = form.length() / 2;
      // Forty addresses, one byte apart: some cross into the next page.
      String hex =
          "41bd28000000"
              + form
              + "48ffc6 49ffcd 75"
              + String.format("%02x", -(length + 8) & 255)
              + "0f0b";
      for (int page = 0; page < 2; page++) {
        int p = page;
        String outcome =
            agree(
                form,
                g -> {
                  byte[] bytes = new byte[0x2000];
                  new Random(SEED).nextBytes(bytes);
                  // Small, so that sums of floats are numbers.
                  for (int i = 3; i < bytes.length; i += 4) {
                    bytes[i] &= 0x3f;
                  }
                  g.write(DATA_PA, bytes);
                  g.set(RSI, DATA + (p == 0 ? 0x100 : 0xff0));
                  g.write(CODE_PA, hex);
                  g.run(CODE, 400);
                });
        assertTrue(outcome.contains("end"), outcome);
      }
    }
  }

  @Test
  void reservedBitsOfMxcsrNeverReachTheHost() {
    for (int bit = 16; bit < 32; bit++) {
      int value = 0x1f80 | 1 << bit;
      String outcome =
          agree(
              "bit " + bit,
              g -> {
                g.memory.putInt(DATA_PA, value);
                // addps; ldmxcsr [rbx]; addps; fxrstor of an image with that; addps
                g.memory.putInt(DATA_PA + IMAGES + 24, value);
                g.write(CODE_PA, "0f58c1 0fae13 0f58c1 0fae" + disp(1, IMAGES) + "0f58c1 0f0b");
                g.run(CODE, 100);
              });
      assertTrue(outcome.startsWith("[3:13/0, 9:13/0, end]"), outcome);
    }
  }
}
