package parhelion.cpu.rewrite;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static parhelion.cpu.CpuState.*;

import java.io.ByteArrayOutputStream;
import java.util.HexFormat;
import java.util.Random;
import java.util.zip.CRC32;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import parhelion.cpu.Cpu;
import parhelion.cpu.Engine;
import parhelion.cpu.decode.Decoder;
import parhelion.cpu.decode.Insn;

/**
 * Loops that walk through memory, which the rewriter unrolls and checks once for several rounds,
 * and of which it copies the end for each way of an if: random bodies, steps and places, over pages
 * that are there, are missing, may only be read, or were never accessed. Every fault has to come at
 * its instruction, with all before it done and counted, and nothing after.
 */
class WalksTest {
  private static final int CASES = Boolean.getBoolean("parhelion.fast") ? 300 : 3000;
  private static final long SEED = Long.getLong("parhelion.seed", 1);
  private static final long CODE = 0x40_0000L;
  private static final int CODE_PA = Guest.FREE;
  private static final long DATA = 0x50_0000L;
  private static final int DATA_PA = Guest.FREE + 0x1_0000;
  private static final int PAGES = 6;

  /** Instructions after which a program has to be at its end. */
  private static final long MOST = 2_000_000;

  /**
   * With a ModRM byte for a register and memory: loads, stores, both; moves that want alignment.
   */
  private static final String[] OPERATIONS = {
    "488b", "4889", "4803", "4801", "483b", "480faf", "4885", "8b", "89", "8a", "88", "03", "01",
    "4887", "0fb6", "0f10", "0f11", "0f28", "0f29", "0f58", "f20f10", "f20f11", "f20f58", "660fef"
  };

  private static final int[] BASES = {3, 5, 6, 7};

  @BeforeEach
  void hostRunsGeneratedCode() {
    assumeTrue(HostCpu.obstacle() == null);
  }

  /** What a case is made of; the same for both engines. */
  private static final class Program {
    final ByteArrayOutputStream code = new ByteArrayOutputStream();
    final long entry;
    final long end;
    private final Random r;

    Program(Random r) {
      this.r = r;
      entry = CODE + r.nextInt(4096);
      hex("41be");
      imm32(1 + r.nextInt(r.nextBoolean() ? 8 : 200)); // mov r14d, rounds
      int head = code.size();
      for (int i = 1 + r.nextInt(5); i > 0; i--) {
        access();
      }
      int leaves = r.nextInt(4) == 0 ? code.size() : -1;
      if (leaves >= 0) {
        hex("a87f 740f"); // test al, 127; jz out
      }
      if (r.nextInt(3) == 0) {
        choice();
      }
      for (int i = 1 + r.nextInt(2); i > 0; i--) {
        step();
      }
      for (int i = r.nextInt(3); i > 0; i--) {
        access();
      }
      hex("49ffce 0f85"); // dec r14; jnz head
      imm32(head - (code.size() + 4));
      if (leaves >= 0) {
        byte[] bytes = code.toByteArray();
        bytes[leaves + 3] = (byte) (bytes.length - leaves - 4);
        code.reset();
        code.writeBytes(bytes);
      }
      hex("49ffcf 0f85"); // dec r15; jnz begin
      imm32(-(code.size() + 4));
      end = entry + code.size();
      hex("ebfe");
    }

    private void hex(String text) {
      code.writeBytes(HexFormat.of().parseHex(text.replace(" ", "")));
    }

    private void imm32(int value) {
      for (int i = 0; i < 4; i++) {
        code.write(value >> 8 * i);
      }
    }

    /** A register of the operation: RAX, RDX or a vector register of the same number. */
    private int register() {
      return r.nextBoolean() ? 0 : 2;
    }

    private void access() {
      hex(OPERATIONS[r.nextInt(OPERATIONS.length)]);
      int reg = register() << 3;
      int base = BASES[r.nextInt(BASES.length)];
      int disp = r.nextInt(4) == 0 ? r.nextInt(256) - 128 : 8 * r.nextInt(4);
      switch (r.nextInt(5)) {
        case 0, 1 -> {
          code.write(0x40 | reg | base);
          code.write(disp);
        }
        case 2, 3 -> {
          code.write(0x40 | reg | 4);
          code.write(r.nextInt(4) << 6 | 1 << 3 | base);
          code.write(disp);
        }
        default -> {
          code.write(reg | 4);
          code.write(r.nextInt(4) << 6 | 1 << 3 | 5);
          imm32((int) DATA + 0x2000 + disp);
        }
      }
    }

    /** One access or another, and in both cases what comes behind. */
    private void choice() {
      hex("f6c2 00 7400"); // test dl, a bit; jz to the other
      int test = code.size();
      access();
      hex("eb00"); // jmp to what comes behind
      int other = code.size();
      access();
      byte[] bytes = code.toByteArray();
      bytes[test - 3] = (byte) (1 << r.nextInt(8));
      bytes[test - 1] = (byte) (other - test);
      bytes[other - 1] = (byte) (bytes.length - other);
      code.reset();
      code.writeBytes(bytes);
    }

    private void step() {
      int by =
          new int[] {1, 4, 8, 8, 16, 16, 24, 64, 100}[r.nextInt(9)] * (r.nextInt(4) == 0 ? -1 : 1);
      int register = r.nextBoolean() ? 1 : BASES[r.nextInt(BASES.length)];
      switch (r.nextInt(5)) {
        case 0 -> hex("48ff" + HexFormat.of().toHexDigits((byte) (0xc0 | register))); // inc
        case 1 -> { // lea
          hex("488d");
          code.write(0x40 | register << 3 | register);
          code.write(by);
        }
        case 2 -> { // sub
          hex("4883");
          code.write(0xe8 | register);
          code.write(-by);
        }
        default -> { // add
          hex("4883");
          code.write(0xc0 | register);
          code.write(by);
        }
      }
    }
  }

  /** Notes exceptions and goes on behind the instruction. */
  private static final class Walker extends Guest {
    private final Decoder decoder = Decoder.ofEverything();
    private final Insn insn = new Insn();
    private final byte[] bytes = new byte[15];
    private final CRC32 exceptions = new CRC32();
    private final Random slices;

    Walker(Engine engine, Program p, Random r) {
      super(engine);
      slices = new Random(r.nextLong());
      walks = r.nextInt(4) != 0;
      map(CODE, CODE_PA, USER & ~W);
      map(CODE + 0x1000, CODE_PA + 0x1000, USER & ~W);
      for (int i = 0; i < PAGES; i++) {
        long flags =
            switch (r.nextInt(8)) {
              case 0 -> 0;
              case 1 -> USER & ~W;
              case 2 -> USER & ~A & ~D;
              case 3 -> USER & ~D;
              default -> USER;
            };
        map(DATA + i * 4096, DATA_PA + i * 4096, flags);
      }
      byte[] data = new byte[PAGES * 4096];
      r.nextBytes(data);
      write(DATA_PA, data);
      write(CODE_PA + p.entry - CODE, p.code.toByteArray());
      for (int register : BASES) {
        set(GPR + register * 8, DATA + (1 + r.nextInt(4)) * 4096 - 8L * r.nextInt(80));
      }
      set(RCX, 8L * r.nextInt(100));
      set(RAX, r.nextLong());
      set(RDX, r.nextLong());
      set(GPR + 15 * 8, 3);
      for (int i = 0; i < 4; i++) {
        set(XMM + i * XMM_STRIDE, r.nextLong());
      }
      cpu.rip(p.entry);
    }

    @Override
    public void exception(Cpu c, int vector, int errorCode, long cr2) {
      for (long part :
          new long[] {
            c.retired,
            c.rip(),
            vector,
            errorCode,
            cr2,
            get(RAX),
            get(RDX),
            get(RCX),
            get(GPR + 14 * 8)
          }) {
        add(exceptions, part);
      }
      memory.read(CODE_PA + c.rip() - CODE, bytes, 0, 15);
      assertEquals(Decoder.OK, decoder.decode(bytes, 0, 15, 64, insn));
      c.rip(c.rip() + insn.length);
    }

    private static void add(CRC32 sum, long value) {
      for (int i = 0; i < 8; i++) {
        sum.update((int) (value >>> 8 * i));
      }
    }

    String outcome(Program p) {
      while (cpu.rip() != p.end && cpu.retired < MOST) {
        cpu.run(1 + slices.nextInt(slices.nextInt(4) == 0 ? 20 : 2000));
      }
      StringBuilder text = new StringBuilder("at " + Long.toHexString(cpu.rip()));
      for (int i = 0; i < 16; i++) {
        text.append(String.format("%n%x %x", get(GPR + i * 8), get(XMM + i * XMM_STRIDE)));
      }
      byte[] data = new byte[PAGES * 4096];
      memory.read(DATA_PA, data, 0, data.length);
      CRC32 sum = new CRC32();
      sum.update(data);
      return text.append(
              String.format("%nmemory %x exceptions %x", sum.getValue(), exceptions.getValue()))
          .toString();
    }
  }

  @Test
  void comeToTheSameOnBothEngines() {
    int unrolled = 0;
    for (int i = 0; i < CASES; i++) {
      long seed = SEED * 1_000_003 + i;
      Program p = new Program(new Random(seed));
      String wanted;
      try (Walker w = new Walker(Engine.INTERPRETER, p, new Random(seed + 1))) {
        wanted = w.outcome(p);
        assertTrue(wanted.startsWith("at " + Long.toHexString(p.end)), wanted);
      }
      try (Walker w = new Walker(Engine.REWRITER, p, new Random(seed + 1))) {
        String code = HexFormat.of().formatHex(p.code.toByteArray());
        assertEquals(wanted, w.outcome(p), () -> "seed " + SEED + ", case " + code);
        unrolled += groupExits(w) > 0 ? 1 : 0;
      }
    }
    assertTrue(unrolled > CASES / 20, unrolled + " cases had checks that did not pass as one");
  }

  private static long groupExits(Walker w) {
    return w.code.engineStats().exits().stream()
        .filter(count -> count.name().equals("group"))
        .mapToLong(count -> count.count())
        .sum();
  }
}
