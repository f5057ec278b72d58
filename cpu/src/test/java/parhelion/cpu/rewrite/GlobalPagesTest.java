package parhelion.cpu.rewrite;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static parhelion.cpu.CpuState.*;
import static parhelion.cpu.memory.Host.U;

import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import parhelion.cpu.Engine;
import parhelion.cpu.Segments;

/**
 * MOV to CR3 keeps the translations of global pages and no others: a kernel goes between two
 * address spaces, and reads, writes and calls pages that are each space's own or global. What it
 * has to find is worked out beside.
 */
class GlobalPagesTest {
  private static final int CASES = Boolean.getBoolean("parhelion.fast") ? 150 : 1500;
  private static final long SEED = Long.getLong("parhelion.seed", 1);
  private static final long PGE = 0x80;
  private static final long GLOBAL = 0x100;
  private static final long CODE = Guest.KERNEL + Guest.KERNEL_CODE;

  /** Pages of each space's own, and global ones that share their entries of the TLB. */
  private static final long OWN = 0x50_0000L;

  private static final long SHARED = Guest.KERNEL + OWN;

  /** More than a TLB keeps account of. */
  private static final int PAGES = 140;

  /** The first of them hold code. */
  private static final int CODE_PAGES = 6;

  /** A global page of 2 MiB. */
  private static final long BIG = Guest.KERNEL + 0x80_0000L;

  private static final int BIG_PA = 0x20_0000;
  private static final int ROUNDS = 5;

  @BeforeEach
  void hostRunsGeneratedCode() {
    assumeTrue(HostCpu.obstacle() == null);
  }

  /** A kernel of two address spaces. */
  private static final class Kernel extends Guest {
    final long[] roots = new long[2];

    Kernel(Engine engine, boolean walks) {
      super(engine, 1024);
      this.walks = walks;
      roots[0] = get(CR3);
      roots[1] = newTable();
      long frame = FREE;
      for (int i = 0; i < PAGES; i++) {
        map(SHARED + i * 4096L, frame, P | W | A | D | GLOBAL);
        code(frame, i, 2);
        frame += 4096;
      }
      memory.putLong(entry(roots[0], 2, BIG), BIG_PA | P | W | A | D | LARGE | GLOBAL);
      for (int i = 256; i < 512; i++) {
        memory.putLong(roots[1] + i * 8, memory.getLong(roots[0] + i * 8));
      }
      for (int space = 0; space < 2; space++) {
        for (int i = 0; i < PAGES; i++) {
          map(roots[space], OWN + i * 4096L, frame, P | W | A | D);
          code(frame, i, space);
          frame += 4096;
        }
      }
      cpu.put64(CR4, cpu.get64(CR4) | PGE);
      cpu.put64(CPL, 0);
      Segments.set(cpu, CS, 0x08, 0, 0xffff_ffffL, 0xa09b);
      Segments.set(cpu, SS, 0x10, 0, 0xffff_ffffL, 0xc093);
      set(RSP, KERNEL + KERNEL_STACK + 0x1000);
      set(GPR + 12 * 8, roots[0]);
      set(GPR + 13 * 8, roots[1]);
      cpu.stateChanged();
    }

    /** Behind the page's first eight bytes: add rbp, what the page is; ret. */
    private void code(long frame, int page, int space) {
      if (page < CODE_PAGES) {
        write(frame + 8, "4881c5" + String.format("%02x%02x0000", page, space + 1) + "c3");
      }
    }

    @Override
    public boolean tlbsFollowPrivilege() {
      return true;
    }
  }

  /** What the two spaces hold, and where the kernel is. */
  private static final class Model {
    final long[] own = new long[2 * PAGES];
    final long[] shared = new long[PAGES];
    final long[] big = new long[512];
    int space;
    long sum;
  }

  private interface Step {
    void run(Model m);
  }

  /** A random program, and what it means. */
  private static final class Program {
    final ByteArrayOutputStream code = new ByteArrayOutputStream();
    final List<Step> steps = new ArrayList<>();
    private final Random r;
    private final int pages;

    Program(Random r) {
      this.r = r;
      pages = r.nextBoolean() ? 12 : PAGES;
      hex("41bf");
      imm(ROUNDS, 4); // mov r15d, rounds
      int head = code.size();
      for (int i = 20 + r.nextInt(150); i > 0; i--) {
        add();
      }
      hex("49ffcf 0f85"); // dec r15; jnz head
      imm(head - (code.size() + 4), 4);
      hex("0f0b");
    }

    private void hex(String text) {
      code.writeBytes(HexFormat.of().parseHex(text.replace(" ", "")));
    }

    private void imm(long value, int bytes) {
      for (int i = 0; i < bytes; i++) {
        code.write((int) (value >>> 8 * i));
      }
    }

    private void point(long va) {
      hex("48b8"); // mov rax, va
      imm(va, 8);
    }

    private void add() {
      switch (r.nextInt(16)) {
        case 0, 1, 2, 3 -> {
          int space = r.nextInt(2);
          hex(space == 0 ? "410f22dc" : "410f22dd"); // mov cr3, r12 or r13
          steps.add(m -> m.space = space);
        }
        case 4 -> {
          point((r.nextBoolean() ? OWN : SHARED) + r.nextInt(pages) * 4096L);
          hex("0f0138"); // invlpg [rax]
        }
        case 5 -> {
          if (r.nextInt(8) == 0) {
            hex("0f20e0 3580000000 0f22e0"); // mov rax, cr4; xor eax, PGE; mov cr4, rax
          }
        }
        case 6, 7 -> call(r.nextInt(CODE_PAGES));
        case 8, 9 -> inBig(r.nextInt(512), r.nextBoolean());
        default -> access(r.nextInt(pages), r.nextBoolean());
      }
    }

    private void call(int page) {
      boolean shared = r.nextBoolean();
      point((shared ? SHARED : OWN) + page * 4096L + 8);
      hex("ffd0"); // call rax
      steps.add(m -> m.sum += page + ((shared ? 2 : m.space) + 1) * 256);
    }

    private void inBig(int page, boolean writes) {
      point(BIG + page * 4096L);
      hex(writes ? "480110" : "480328"); // add [rax], rdx; add rbp, [rax]
      steps.add(
          m -> {
            if (writes) {
              m.big[page] += 3;
            } else {
              m.sum += m.big[page];
            }
          });
    }

    private void access(int page, boolean writes) {
      boolean shared = r.nextBoolean();
      point((shared ? SHARED : OWN) + page * 4096L);
      hex(writes ? "480110" : "480328");
      steps.add(
          m -> {
            long[] memory = shared ? m.shared : m.own;
            int at = shared ? page : m.space * PAGES + page;
            if (writes) {
              memory[at] += 3;
            } else {
              m.sum += memory[at];
            }
          });
    }
  }

  @Test
  void whatIsNotGlobalGoesWithItsAddressSpace() {
    for (int i = 0; i < CASES; i++) {
      long seed = SEED + i;
      Program program = new Program(new Random(seed));
      Model m = new Model();
      for (int round = 0; round < ROUNDS; round++) {
        program.steps.forEach(step -> step.run(m));
      }
      for (int way = 0; way < 3; way++) {
        try (Kernel g = kernel(way)) {
          g.write(Guest.KERNEL_CODE, program.code.toByteArray());
          g.set(RDX, 3);
          g.run(CODE, 100_000);
          assertEquals("[end]", g.events.toString(), "seed " + seed + " way " + way);
          assertEquals(m.sum, g.get(RBP), "seed " + seed + " way " + way);
        }
      }
    }
  }

  /** The interpreter; the rewriter with the monitor's walks; with those of generated code. */
  private static Kernel kernel(int way) {
    return new Kernel(way == 0 ? Engine.INTERPRETER : Engine.REWRITER, way == 2);
  }

  /** Reads a global page, has its entry changed, executes some instructions, reads it again. */
  private static long afterChange(int way, long bits, String hex) {
    try (Kernel g = kernel(way)) {
      g.map(SHARED, Guest.FREE, Guest.P | Guest.W | Guest.A | Guest.D | bits);
      g.memory.putLong(Guest.FREE, 1);
      g.memory.putLong(Guest.FREE + 4096, 2);
      g.write(Guest.KERNEL_CODE, "48b8 0000500000 88ffff 488b28 0f0b"); // mov rbp, [rax]
      g.run(CODE, 100);
      assertEquals(1, g.get(RBP));
      g.map(SHARED, Guest.FREE + 4096, Guest.P | Guest.W | Guest.A | Guest.D | bits);
      g.write(Guest.KERNEL_CODE, hex + "48b8 0000500000 88ffff 488b28 0f0b");
      g.events.clear();
      g.run(CODE, 100);
      assertEquals("[end]", g.events.toString());
      return g.get(RBP);
    }
  }

  @Test
  void aGlobalPageIsForgottenByWhatForgetsAll() {
    for (int way = 0; way < 3; way++) {
      assertEquals(1, afterChange(way, GLOBAL, "410f22dd"), "MOV to CR3");
      assertEquals(2, afterChange(way, 0, "410f22dd"), "MOV to CR3, not global");
      // mov rbx, cr4; xor bl, 128; mov cr4, rbx
      assertEquals(2, afterChange(way, GLOBAL, "0f20e3 80f380 0f22e3"), "MOV to CR4");
      assertEquals(2, afterChange(way, GLOBAL, "48b8 0000500000 88ffff 0f0138"), "INVLPG");
    }
  }

  @Test
  void withoutPgeNothingIsGlobal() {
    try (Kernel g = kernel(2)) {
      g.set(CR4, g.get(CR4) & ~PGE);
      g.cpu.stateChanged();
      g.map(SHARED, Guest.FREE, Guest.P | Guest.W | Guest.A | Guest.D | GLOBAL);
      g.memory.putLong(Guest.FREE, 1);
      g.memory.putLong(Guest.FREE + 4096, 2);
      g.write(Guest.KERNEL_CODE, "48b8 0000500000 88ffff 488b28 410f22dd 0f0b");
      g.run(CODE, 100);
      g.map(SHARED, Guest.FREE + 4096, Guest.P | Guest.W | Guest.A | Guest.D | GLOBAL);
      g.run(CODE, 100);
      assertEquals(2, g.get(RBP));
    }
  }

  @Test
  void generatedCodeDoesNotWalkAgainForGlobalPages() {
    // mov rax, SHARED; mov ecx, 100; again: mov cr3, r12; add rbp, [rax]; dec ecx; jnz; ud2
    String hex = "48b8 0000500000 88ffff b964000000 410f22dc 480328 ffc9 75f5 0f0b";
    try (Kernel g = kernel(2)) {
      g.write(Guest.KERNEL_CODE, hex);
      long at = g.entry(g.get(CR3), 1, CODE);
      g.memory.putLong(at, g.memory.getLong(at) | GLOBAL | Guest.A | Guest.D);
      long before = U.getLong(g.cpu.state + NativeState.WALKS);
      g.run(CODE, 1000);
      assertEquals("[end]", g.events.toString());
      long walks = U.getLong(g.cpu.state + NativeState.WALKS) - before;
      assertTrue(walks < 10, () -> walks + " walks");
    }
  }
}
