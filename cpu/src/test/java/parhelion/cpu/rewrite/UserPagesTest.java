package parhelion.cpu.rewrite;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static parhelion.cpu.CpuState.*;

import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.zip.CRC32;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import parhelion.cpu.Cpu;
import parhelion.cpu.Engine;
import parhelion.cpu.Rflags;
import parhelion.cpu.Segments;
import parhelion.cpu.decode.Decoder;
import parhelion.cpu.decode.Insn;

/**
 * SMAP: a kernel's random accesses to user pages and its own, between STAC, CLAC, POPF and IRET.
 * Which of them fault is worked out beside, and has to be so on both engines.
 */
class UserPagesTest {
  private static final int CASES = Boolean.getBoolean("parhelion.fast") ? 200 : 2000;
  private static final long SEED = Long.getLong("parhelion.seed", 1);
  private static final long CODE = Guest.KERNEL + Guest.KERNEL_CODE;
  private static final long USER_PAGES = 0x50_0000L;

  /** In the same entries of a TLB as the user's. */
  private static final long OWN_PAGES = Guest.KERNEL + USER_PAGES;

  private static final int DATA_PA = Guest.FREE;

  /** More than a TLB keeps account of. */
  private static final int PAGES = 24;

  private static final int ROUNDS = 4;
  private static final int[] BASES = {RBX, RBP, RSI, RDI};
  private static final int[] NUMBERS = {3, 5, 6, 7};

  @BeforeEach
  void hostRunsGeneratedCode() {
    assumeTrue(HostCpu.obstacle() == null);
  }

  /** What the processor is to do: the flag, where the bases point, which accesses fault. */
  private static final class Model {
    boolean open;
    final long[] bases = new long[4];
    final boolean[] readOnly = new boolean[2 * PAGES];
    final List<String> faults = new ArrayList<>();

    /** Whether it goes through. */
    boolean access(long va, boolean write) {
      boolean user = va > 0;
      int page = (int) (va - (user ? USER_PAGES : OWN_PAGES) >>> 12);
      boolean allowed = (open || !user) && !(write && readOnly[user ? page : PAGES + page]);
      if (!allowed) {
        faults.add(String.format("14 %d %x", write ? 3 : 1, va));
      }
      return allowed;
    }
  }

  private interface Step {
    void run(Model m);
  }

  /** A random program, and what it means. */
  private static final class Program {
    final ByteArrayOutputStream code = new ByteArrayOutputStream();
    final List<Step> steps = new ArrayList<>();
    private final Random r;

    Program(Random r) {
      this.r = r;
      hex("41bf");
      imm32(ROUNDS); // mov r15d, rounds
      int head = code.size();
      for (int i = 20 + r.nextInt(60); i > 0; i--) {
        add();
      }
      hex("49ffcf 0f85"); // dec r15; jnz head
      imm32(head - (code.size() + 4));
      hex("0f0b");
    }

    private void hex(String text) {
      code.writeBytes(HexFormat.of().parseHex(text.replace(" ", "")));
    }

    private void imm32(long value) {
      for (int i = 0; i < 4; i++) {
        code.write((int) (value >> 8 * i));
      }
    }

    private void add() {
      switch (r.nextInt(16)) {
        case 0, 1 -> {
          hex("0f01cb"); // stac
          steps.add(m -> m.open = true);
        }
        case 2 -> {
          hex("0f01ca"); // clac
          steps.add(m -> m.open = false);
        }
        case 3 -> {
          hex("9c 81342400000400 9d"); // pushf; xor dword [rsp], AC; popf
          steps.add(m -> m.open = !m.open);
        }
        case 4 -> interruptReturn();
        case 5, 6, 7 -> point(r.nextInt(4));
        case 8 -> fill();
        case 9 -> {
          hex(r.nextBoolean() ? "fa" : "50 59"); // cli; push rax, pop rcx
          steps.add(m -> {});
        }
        default -> access();
      }
    }

    /** To the next instruction, perhaps with the flag turned. */
    private void interruptReturn() {
      boolean turns = r.nextBoolean();
      // mov rax, rsp; push ss; push rax; pushf; [xor]; push cs; lea rcx, behind; push rcx; iretq
      hex("4889e0 6a10 50 9c" + (turns ? "81342400000400" : ""));
      hex("6a08 488d0d03000000 51 48cf");
      steps.add(m -> m.open ^= turns);
    }

    private void point(int base) {
      long page = (r.nextInt(3) == 0 ? OWN_PAGES : USER_PAGES) + r.nextInt(PAGES) * 4096L;
      long va = page + r.nextInt(400) * 8;
      code.write(0x48);
      code.write(0xb8 | NUMBERS[base]); // mov base, va
      imm32(va);
      imm32(va >> 32);
      steps.add(m -> m.bases[base] = va);
    }

    private void access() {
      int base = r.nextInt(4);
      int disp = 8 * r.nextInt(8);
      // mov rax, [m]; mov [m], rcx; add [m], rcx; cmp rcx, [m]; movzx eax, byte [m]
      int form = r.nextInt(5);
      hex(new String[] {"488b", "4889", "4801", "483b", "0fb6"}[form]);
      code.write(0x40 | (form == 0 || form == 4 ? 0 : 1) << 3 | NUMBERS[base]);
      code.write(disp);
      boolean write = form == 1 || form == 2;
      steps.add(m -> m.access(m.bases[base] + disp, write));
    }

    private void fill() {
      point(3); // so that it stays in the page
      int bytes = r.nextInt(100);
      hex("b9");
      imm32(bytes);
      hex("f3aa"); // mov ecx, bytes; rep stosb
      steps.add(
          m -> {
            if (bytes > 0 && m.access(m.bases[3], true)) {
              m.bases[3] += bytes;
            }
          });
    }
  }

  /** A kernel under SMAP that notes exceptions and goes on behind the instruction. */
  private static final class Kernel extends Guest {
    private final Decoder decoder = Decoder.ofEverything();
    private final Insn insn = new Insn();
    private final byte[] bytes = new byte[15];
    final Model model = new Model();

    Kernel(Engine engine, boolean walks, Program p, Random r) {
      super(engine);
      this.walks = walks;
      for (int i = 0; i < 2 * PAGES; i++) {
        boolean user = i < PAGES;
        long bits =
            switch (r.nextInt(6)) {
              case 0 -> USER & ~A & ~D;
              case 1 -> USER & ~D;
              case 2 -> USER & ~W;
              default -> USER;
            };
        model.readOnly[i] = (bits & W) == 0;
        long va = user ? USER_PAGES + i * 4096L : OWN_PAGES + (i - PAGES) * 4096L;
        map(va, DATA_PA + i * 4096L, user ? bits : bits & ~Guest.U);
      }
      write(KERNEL_CODE, p.code.toByteArray());
      set(CPL, 0);
      Segments.set(cpu, CS, 8, 0, 0xffff_ffffL, 0xa09b);
      Segments.set(cpu, SS, 0x10, 0, 0xffff_ffffL, 0xc093);
      set(CR4, get(CR4) | 1 << 21);
      set(RSP, KERNEL + KERNEL_STACK + 0x1000);
      for (int i = 0; i < 4; i++) {
        model.bases[i] = USER_PAGES + i * 4096L;
        set(BASES[i], model.bases[i]);
      }
      set(RFLAGS, 2);
      cpu.stateChanged();
      cpu.rip(CODE);
    }

    @Override
    public boolean showsInterrupts() {
      return true;
    }

    @Override
    public void exception(Cpu c, int vector, int errorCode, long cr2) {
      events.add(String.format("%d %d %x", vector, errorCode, cr2));
      memory.read(KERNEL_CODE + c.rip() - CODE, bytes, 0, 15);
      assertEquals(Decoder.OK, decoder.decode(bytes, 0, 15, 64, insn));
      c.rip(c.rip() + insn.length);
    }

    String outcome() {
      while (!events.contains("end")) {
        cpu.run(1000);
        assertTrue(cpu.retired < 100_000, "goes on and on");
      }
      byte[] data = new byte[2 * PAGES * 4096];
      memory.read(DATA_PA, data, 0, data.length);
      CRC32 sum = new CRC32();
      sum.update(data);
      return state() + " memory " + sum.getValue();
    }

    List<String> expected(Program p) {
      for (int i = 0; i < ROUNDS; i++) {
        p.steps.forEach(step -> step.run(model));
      }
      List<String> all = new ArrayList<>(model.faults);
      all.add("end");
      return all;
    }
  }

  @Test
  void whatAKernelMayNotTouchFaultsOnBothEngines() {
    int faults = 0;
    for (int i = 0; i < CASES; i++) {
      long seed = SEED * 1_000_003 + i;
      Program p = new Program(new Random(seed));
      String hex = HexFormat.of().formatHex(p.code.toByteArray());
      String[] outcomes = new String[3];
      for (int way = 0; way < 3; way++) {
        Engine engine = way == 0 ? Engine.INTERPRETER : Engine.REWRITER;
        try (Kernel k = new Kernel(engine, way == 2, p, new Random(seed + 1))) {
          outcomes[way] = k.outcome();
          List<String> expected = k.expected(p);
          assertEquals(expected, k.events, () -> "seed " + SEED + ", case " + hex);
          assertEquals(k.model.open, (k.cpu.rflags() & Rflags.AC) != 0);
          faults += expected.size() - 1;
        }
        assertEquals(outcomes[0], outcomes[way], () -> "seed " + SEED + ", case " + hex);
      }
    }
    assertTrue(faults > CASES, faults + " faults");
  }
}
