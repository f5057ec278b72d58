package parhelion.cpu.rewrite;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static parhelion.cpu.CpuState.*;

import java.io.ByteArrayOutputStream;
import java.util.EnumMap;
import java.util.HexFormat;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import parhelion.cpu.ControlRegisters;
import parhelion.cpu.Cpu;
import parhelion.cpu.Engine;
import parhelion.cpu.Exceptions;
import parhelion.cpu.Rflags;
import parhelion.cpu.SystemCalls;
import parhelion.cpu.rewrite.Gates.Gate;

/**
 * System calls, returns and page faults in generated code do what they do by the interpreter: a
 * user program and a kernel on both engines, with everything random that the ways between them
 * depend on: descriptors, tables and their limits, stacks, flags, MSRs, what waits for IF.
 */
class SystemGatesTest {
  private static final int CASES = Boolean.getBoolean("parhelion.fast") ? 400 : 4000;
  private static final long SEED = Long.getLong("parhelion.seed", 1);

  /** Rounds of the user program. */
  private static final int ROUNDS = 12;

  private static final long USER_CODE = 0x40_0000L;
  private static final int USER_PA = Guest.FREE;
  private static final long USER_STACK = 0x60_0000L;
  private static final int STACK_PA = Guest.FREE + 0x2000;

  /** Two pages, of which the first is whatever a case makes of it. */
  private static final long DATA = 0x50_0000L;

  private static final int DATA_PA = Guest.FREE + 0x4000;
  private static final int LAST_PA = DATA_PA + 0x2000;

  /** Where things are in the kernel's page of code. */
  private static final int SYSTEM_CALL = 0x100;

  private static final int PAGE_FAULT = 0x800;
  private static final int INTERRUPT = 0xa00;
  private static final int END = 0xc00;
  private static final int TIMER = 0x40;

  private static final long CODE_VA = Guest.KERNEL + Guest.KERNEL_CODE;
  private static final long STACK_VA = Guest.KERNEL + Guest.KERNEL_STACK;

  @BeforeEach
  void hostRunsGeneratedCode() {
    assumeTrue(HostCpu.obstacle() == null);
  }

  // --- the program ---

  /** Machine code, as long as it is short. */
  private static final class Bytes {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    Bytes hex(String text) {
      out.writeBytes(HexFormat.of().parseHex(text.replace(" ", "")));
      return this;
    }

    Bytes imm32(long value) {
      for (int i = 0; i < 4; i++) {
        out.write((int) (value >>> 8 * i));
      }
      return this;
    }

    Bytes imm64(long value) {
      return imm32(value).imm32(value >>> 32);
    }

    int size() {
      return out.size();
    }

    byte[] toBytes() {
      return out.toByteArray();
    }
  }

  /** One side: an engine, and the situation that a seed makes. */
  private static final class Side extends Guest {
    final Map<Gate, Long> taken = new EnumMap<>(Gate.class);

    /** Whether everything is as it is every day. */
    private final boolean plain;

    private final Random r;
    private boolean waits;
    long systemCalls;
    long pageFaults;

    Side(Engine engine, long seed, boolean plain) {
      super(engine);
      this.plain = plain;
      r = new Random(seed);
      tables();
      cpu.put64(CR4, cpu.get64(CR4) | (odd(2) ? ControlRegisters.CR4_SMAP : 0));
      cpu.put64(CR4, cpu.get64(CR4) | (odd(4) ? 0 : ControlRegisters.CR4_FSGSBASE));
      cpu.put64(STAR, 0x0010_0008L << 32 | (odd(10) ? (r.nextLong() & 0xfff8_fff8L) << 32 : 0));
      cpu.put64(LSTAR, CODE_VA + SYSTEM_CALL);
      cpu.put64(FMASK, odd(4) ? r.nextInt() & 0x3f7fd5 : 0x257fd5);
      cpu.put64(EFER, cpu.get64(EFER) & ~(odd(20) ? 1L : 0) & ~(odd(20) ? 1L << 11 : 0));
      user();
      systemCall();
      pageFault();
      write(KERNEL_CODE + INTERRUPT, "49ffc1 48cf"); // inc r9; iretq
      write(KERNEL_CODE + END, "0f0b");
      begin();
    }

    /** One in so many, and never where all is plain. */
    private boolean odd(int in) {
      return r.nextInt(in) == 0 && !plain;
    }

    private long marked(long bits) {
      return bits | (odd(6) ? 0 : A) | (odd(6) ? 0 : D);
    }

    private void tables() {
      for (int pa : new int[] {0, 0x1000, KERNEL_STACK, KERNEL_CODE}) {
        map(KERNEL + pa, pa, marked(P | W | (odd(8) ? Guest.U : 0)));
      }
      map(USER_CODE, USER_PA, USER & ~W);
      map(USER_STACK - 0x1000, STACK_PA, USER);
      map(USER_STACK, STACK_PA + 0x1000, USER);
      map(DATA, DATA_PA, dataBits());
      map(DATA + 0x1000, DATA_PA + 0x1000, dataBits());
      // Accessed, as processors leave them; now and then not, or something else.
      for (int selector : new int[] {0x08, 0x10, 0x18, 0x20}) {
        if (odd(12)) {
          memory.putLong(selector, memory.getLong(selector) ^ 1L << r.nextInt(64));
        }
      }
      if (odd(16)) {
        cpu.put64(GDTR + 8, r.nextInt(0x38));
      }
      for (int vector = 0; vector < 32; vector++) {
        gate(vector, END);
      }
      gate(14, PAGE_FAULT);
      gate(TIMER, INTERRUPT);
      if (odd(8)) {
        long at = 0x1000 + 14 * 16 + r.nextInt(2) * 8;
        memory.putLong(at, memory.getLong(at) ^ 1L << r.nextInt(64));
      } else if (odd(8)) { // a trap gate
        memory.putLong(0x1000 + 14 * 16, memory.getLong(0x1000 + 14 * 16) | 1L << 40);
      }
      if (odd(16)) {
        cpu.put64(IDTR + 8, r.nextInt(0x1000));
      }
      if (odd(16)) {
        cpu.put64(TR + 16, r.nextInt(0x68));
      }
      long top = KERNEL + KERNEL_STACK + 0x1000;
      memory.putLong(0x804, odd(6) ? top + r.nextInt(256) - 192 : top);
      if (odd(30)) {
        memory.putLong(0x804, r.nextLong());
      }
    }

    private long dataBits() {
      return switch (r.nextInt(6)) {
        case 0 -> 0;
        case 1 -> USER & ~W;
        case 2 -> P | W | A | D;
        case 3 -> USER & ~D;
        case 4 -> USER & ~A & ~W | NX;
        default -> USER;
      };
    }

    /** System calls and accesses of the pages of data, which are instructions of four bytes. */
    private void user() {
      Bytes b = new Bytes();
      int parts = 1 + r.nextInt(3);
      for (int i = 0; i < parts; i++) {
        switch (r.nextInt(5)) {
          case 0 -> b.hex("488b43").hex(disp()); // mov rax, [rbx + disp]
          case 1 -> b.hex("488943").hex(disp()); // mov [rbx + disp], rax
          case 2 -> b.hex("480143").hex(disp()); // add [rbx + disp], rax
          case 3 -> b.hex("48ff73").hex(disp()); // push [rbx + disp]
          default -> b.hex("0f1043").hex(disp()); // movups xmm0, [rbx + disp]
        }
      }
      b.hex("0f05"); // syscall
      b.hex("ffcd 0f85").imm32(-(b.size() + 4)); // dec ebp; jnz
      b.hex("0f0b");
      write(USER_PA, b.toBytes());
    }

    /**
     * Of a page of data: on behind the instruction, with address and error code added up in RDX.
     */
    private void pageFault() {
      Bytes b = new Bytes();
      b.hex("50 0f20d0 4801c2 48c1e80d"); // push rax; mov rax, cr2; add rdx, rax; shr rax, 13
      b.hex("483d").imm32(DATA >>> 13).hex("58"); // cmp rax, imm; pop rax
      b.hex("0f85").imm32(END - (PAGE_FAULT + b.size() + 4)); // jne end
      // add rdx, [rsp]; add rsp, 8; add qword [rsp], 4; iretq
      b.hex("48031424 4883c408 4883042404 48cf");
      write(KERNEL_CODE + PAGE_FAULT, b.toBytes());
    }

    private String disp() {
      return HexFormat.of().toHexDigits((byte) (8 * r.nextInt(8)));
    }

    /**
     * The kernel's part: something, and then a return to user mode, or to itself and then there.
     */
    private void systemCall() {
      Bytes b = new Bytes();
      // What is to be found on the user's stack pointer must be the kernel's own.
      b.hex("4989e7 48bc").imm64(top()); // mov r15, rsp; mov rsp, imm64
      if (odd(3)) {
        if (r.nextBoolean()) {
          // In each other round: stac.
          b.hex("f7c501000000").hex(r.nextBoolean() ? "7403" : "7503").hex("0f01cb");
        }
        if (r.nextInt(3) != 0) {
          b.hex("488b43").hex(disp()); // mov rax, [rbx + disp]
        }
        b.hex(r.nextInt(3) == 0 ? "0f01ca" : ""); // clac
      }
      if (odd(12)) { // pushf; or [rsp], nt; popf
        b.hex("9c 48810c24").imm32(Rflags.NT).hex("9d");
      }
      if (r.nextInt(3) == 0) {
        registers(b);
      }
      int way = r.nextInt(3);
      if (way == 0 || r.nextInt(4) == 0) {
        frame(b, false);
      }
      if (way == 1) {
        frame(b, true);
      } else {
        if (odd(8)) {
          b.hex("4981f3").imm32(r.nextInt()); // xor r11, imm
        }
        if (odd(30)) {
          b.hex("480fbaf930"); // btc rcx, 48
        }
        b.hex("4c89fc"); // mov rsp, r15
        b.hex(odd(20) ? "0f07" : "480f07"); // sysret
      }
      write(KERNEL_CODE + SYSTEM_CALL, b.toBytes());
    }

    /** Moves from control registers, and to and from the bases of FS and GS. */
    private void registers(Bytes b) {
      String[] some = {
        "0f20d0",
        "410f20d6",
        "0f20da",
        "0f20c7",
        "410f20e1", // mov from cr2, cr2, cr3, cr0, cr4
        "f3480faec2",
        "f3410faec0",
        "f3490faece", // rdfsbase rdx, r8d; rdgsbase r14
        "f3490faed5",
        "f30faede",
        "f3480faed8" // wrfsbase r13; wrgsbase esi, rax
      };
      for (int i = 1 + r.nextInt(3); i > 0; i--) {
        b.hex(odd(4) ? "490fcd" : "4d63ed"); // bswap r13; movsxd r13, r13d
        b.hex(some[r.nextInt(some.length - (odd(4) ? 0 : 1))]);
      }
    }

    private long top() {
      long top = KERNEL_STACK_TOP;
      return odd(8) ? top - r.nextInt(64) : odd(30) ? r.nextLong() : top;
    }

    private static final long KERNEL_STACK_TOP = STACK_VA + 0xf00;

    /** Pushes a frame and returns by it: to user mode, or to what follows. */
    private void frame(Bytes b, boolean user) {
      int ss = user ? 0x1b : r.nextBoolean() ? 0 : 0x10;
      int cs = user ? 0x23 : 0x08;
      if (odd(8)) {
        ss = r.nextInt(0x40);
      }
      if (odd(8)) {
        cs = r.nextInt(0x40);
      }
      b.hex("68").imm32(ss); // push ss
      b.hex(user ? "4157" : "54"); // push r15, or rsp
      if (user) {
        b.hex("4153"); // push r11
      } else {
        b.hex("9c"); // pushf
      }
      if (r.nextInt(3) == 0) {
        int flip = r.nextInt() & 0x3f7fd5 & ~(odd(4) ? 0 : Rflags.TF);
        b.hex("48813424").imm32(plain ? flip & (int) Rflags.ARITHMETIC : flip); // xor [rsp], imm
      }
      if (odd(6)) {
        b.hex("810c24").imm32(Rflags.RF); // or dword [rsp], rf
      }
      b.hex("68").imm32(cs);
      if (user) {
        b.hex("51"); // push rcx
      } else {
        int over = odd(20) ? 0x4000_0000 : 0;
        b.hex("488d05").imm32(over + 3).hex("50"); // lea rax, [rip + over what follows]; push rax
      }
      b.hex("48cf"); // iretq
    }

    private void begin() {
      for (int register = 0; register < 16; register++) {
        set(GPR + register * 8, r.nextLong());
      }
      set(RBX, DATA + (odd(4) ? 0x1000 - r.nextInt(80) : 8 * r.nextInt(400)));
      set(RBP, ROUNDS);
      set(RSP, USER_STACK - 8 * r.nextInt(64));
      set(RFLAGS, Rflags.FIXED | Rflags.IF);
      cpu.rip(USER_CODE);
      for (int s : new int[] {DS, ES, FS, GS}) {
        int selector = new int[] {0, 0, 0x1b, 0x10}[odd(2) ? r.nextInt(4) : 0];
        set(SEG_SELECTOR + s * 8, selector);
        set(SEG_ATTR + s * 8, selector == 0 ? 0 : selector == 0x1b ? 0xc0f3 : 0xc093);
      }
      cpu.stateChanged();
      long flags = Rflags.FIXED | Rflags.IF | r.nextInt() & Rflags.ARITHMETIC;
      if (odd(3)) {
        flags |= r.nextInt() & (Rflags.DF | Rflags.AC | Rflags.ID | Rflags.NT | Rflags.IOPL);
      }
      waits = odd(5);
      cpu.rflags(waits ? flags & ~Rflags.IF : flags);
      cpu.put64(INTERRUPT_WAITS, waits ? 1 : 0);
      cpu.nmiBlocked = odd(10);
      cpu.clearAttention();
    }

    String outcome() {
      for (int i = 0; i < 200 && events.isEmpty() && cpu.retired < 20_000; i++) {
        cpu.run(1000);
      }
      StringBuilder text = new StringBuilder(events.toString());
      text.append(
          String.format(
              "%nrip %x flags %x cpl %d retired %d nmi %b waits %b",
              cpu.rip(), cpu.rflags(), cpu.cpl(), cpu.retired, cpu.nmiBlocked, waits));
      for (int i = 0; i < 16; i++) {
        text.append(String.format("%n%x %x", get(GPR + i * 8), get(XMM + i * XMM_STRIDE)));
      }
      for (int s = 0; s < 6; s++) {
        text.append(
            String.format(
                "%nsegment %d: %x %x %x %x",
                s,
                get(SEG_SELECTOR + s * 8),
                get(SEG_BASE + s * 8),
                get(SEG_LIMIT + s * 8),
                get(SEG_ATTR + s * 8)));
      }
      text.append(String.format("%ncr2 %x efer %x star %x", get(CR2), get(EFER), get(STAR)));
      text.append(String.format("%ncalls %d faults %d", calls(), faults()));
      long hash = 0;
      for (long pa = 0; pa < LAST_PA; pa += 8) {
        hash = hash * 31 + memory.getLong(pa);
      }
      return text.append(String.format("%nmemory %x", hash)).toString();
    }

    long calls() {
      return systemCalls + taken.getOrDefault(Gate.SYSCALL, 0L);
    }

    long faults() {
      return pageFaults;
    }

    // --- the monitor: the CPU is the guest's own ---

    /** Asked for before there is a side. */
    @Override
    public Gates gates() {
      return new SystemGates() {
        @Override
        protected boolean mayOpen() {
          return true;
        }

        @Override
        protected void taken(Gate gate, long count) {
          taken.merge(gate, count, Long::sum);
        }
      };
    }

    @Override
    public boolean showsInterrupts() {
      return true;
    }

    @Override
    public long walkRoot(Cpu c) {
      return (c.get64(EFER) & ControlRegisters.EFER_NXE) == 0 ? -1 : c.get64(CR3);
    }

    /** Flags that nobody wants are compared, too. */
    @Override
    public boolean mayModifyItself(Cpu c, long va) {
      return true;
    }

    @Override
    public void attend(Cpu c) {
      if (waits && (c.get64(RFLAGS) & Rflags.IF) != 0) {
        waits = false;
        c.put64(INTERRUPT_WAITS, 0);
        Exceptions.interrupt(c, TIMER);
      }
    }

    @Override
    public void exception(Cpu c, int vector, int errorCode, long cr2) {
      if (vector == 14) {
        pageFaults++;
      }
      Exceptions.deliver(c, vector, errorCode, cr2);
    }

    @Override
    public void syscall(Cpu c) {
      systemCalls++;
      SystemCalls.syscall(c);
    }

    @Override
    public void shutdown(Cpu c) {
      events.add("shutdown");
      c.stop();
    }
  }

  @Test
  void bothEnginesComeToTheSameByAllWays() {
    Map<Gate, Long> taken = new EnumMap<>(Gate.class);
    for (int i = 0; i < CASES; i++) {
      long seed = SEED * 1_000_003 + i;
      String wanted;
      try (Side side = new Side(Engine.INTERPRETER, seed, false)) {
        wanted = side.outcome();
      }
      try (Side side = new Side(Engine.REWRITER, seed, false)) {
        assertEquals(wanted, side.outcome(), "seed " + SEED + ", case " + i);
        side.taken.forEach((gate, count) -> taken.merge(gate, count, Long::sum));
      }
    }
    for (Gate gate : new Gate[] {Gate.SYSCALL, Gate.SYSRET, Gate.IRET}) {
      assertTrue(taken.getOrDefault(gate, 0L) > CASES, gate + ": " + taken);
    }
  }

  @Test
  void theEverydayWayIsNotJavas() {
    for (int i = 0; i < 20; i++) {
      String wanted;
      try (Side side = new Side(Engine.INTERPRETER, i, true)) {
        wanted = side.outcome();
        assertEquals(ROUNDS, side.calls(), wanted);
      }
      try (Side side = new Side(Engine.REWRITER, i, true)) {
        assertEquals(wanted, side.outcome(), "case " + i);
        assertEquals(0, side.systemCalls, "system calls by Java in case " + i);
        long returns =
            side.taken.getOrDefault(Gate.SYSRET, 0L) + side.taken.getOrDefault(Gate.IRET, 0L);
        assertTrue(returns >= ROUNDS, returns + " returns in case " + i);
      }
    }
  }
}
