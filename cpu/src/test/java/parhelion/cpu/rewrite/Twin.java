package parhelion.cpu.rewrite;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static parhelion.cpu.CpuState.*;

import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import parhelion.cpu.Cpu;
import parhelion.cpu.Engine;
import parhelion.cpu.Exceptions;
import parhelion.cpu.GuestFault;
import parhelion.cpu.decode.Decoder;
import parhelion.cpu.decode.Disassembler;
import parhelion.cpu.decode.Insn;

/**
 * A random program on both engines, with everything that may come in between: page faults,
 * interrupts, single steps, breakpoints, changes of code and of page tables. What the rewriter's
 * guest does not decide by itself (where it takes notice of a request) the interpreter's repeats at
 * the same instruction; what is done there follows from the seed and from how much has happened.
 */
final class Twin implements AutoCloseable {
  private static final int CODE = 0x2_0000;
  private static final int CODE_PAGES = 8;
  private static final int DATA = 0x4_0000;
  private static final int STACK = 0x6_0000;
  private static final int TIMER = 0x40;

  /**
   * @param walks whether generated code walks the page tables
   * @param exact whether the code counts as one that may modify itself; then all flags are compared
   * @param modifies whether it does
   * @param highAddresses whether it lies beyond what 32 bits reach
   */
  record Variant(boolean walks, boolean exact, boolean modifies, boolean highAddresses) {}

  /** What happened at which instruction, and the state there. */
  private record Event(String what, long retired, long rip, long flags, List<Long> gprs) {}

  private final long seed;
  private final Variant variant;
  final RandomProgram.Places places;
  final RandomProgram program;
  final Side rewriter;
  final Side interpreter;
  private final Random r;

  Twin(long seed, Variant variant) {
    this.seed = seed;
    this.variant = variant;
    r = new Random(seed);
    long base = variant.highAddresses ? 0x7f65_4321_0000L : 0x41_0000L;
    long codeVa = base;
    // Who may not write his code by its own address has another one for it.
    long alias = variant.exact ? codeVa : base + 0x4_0000;
    long dataVa = base + (r.nextBoolean() ? 0x2_0000 : 0x8_0000);
    long stackTop = base + 0x10_4000;
    places = new RandomProgram.Places(codeVa + r.nextInt(4096), 0, dataVa, stackTop);
    long offset = places.code() - codeVa;
    RandomProgram.Places all =
        new RandomProgram.Places(places.code(), alias + offset, dataVa, stackTop);
    RandomProgram made;
    do {
      made = new RandomProgram(r, all, variant.modifies, variant.exact);
    } while (made.code().length + offset > CODE_PAGES * 4096);
    program = made;
    rewriter = new Side(Engine.REWRITER, codeVa, alias);
    interpreter = new Side(Engine.INTERPRETER, codeVa, alias);
  }

  /** Runs for about so many instructions and compares. */
  void run(int instructions) {
    int chunks = 0;
    while (rewriter.cpu.retired < instructions) {
      rewriter.cpu.run(1 + r.nextInt(1 << r.nextInt(12)));
      followUp();
      compare();
      if (chunks++ % 8 == 0) {
        between();
        compareMemory();
      }
    }
    compareMemory();
  }

  /** Leaves the rewriter room for so many bytes of code. */
  void limitCode(int bytes) {
    RegionCache regions = rewriter.code.regions();
    assertNotNull(regions);
    regions.limit(bytes);
  }

  /** Runs once for about so many instructions and compares. */
  void runOnce(int instructions) {
    rewriter.cpu.run(instructions);
    followUp();
    compare();
    compareMemory();
  }

  /** Has the interpreter's side come to where the rewriter's is. */
  private void followUp() {
    Side to = rewriter;
    Side side = interpreter;
    int idle = 0;
    while (side.cpu.retired < to.cpu.retired || side.log.size() < to.log.size()) {
      if (side.cpu.retired > to.cpu.retired) {
        throw failure("the interpreter has gone too far");
      }
      Event next = side.log.size() < to.log.size() ? to.log.get(side.log.size()) : null;
      if (next != null && next.what.equals("attend") && next.retired == side.cpu.retired) {
        side.attend(side.cpu);
      } else {
        long before = side.cpu.retired + side.log.size();
        side.cpu.interpreter().runOne();
        idle = side.cpu.retired + side.log.size() == before ? idle + 1 : 0;
      }
      int last = side.log.size() - 1;
      if (last >= 0) {
        if (last >= to.log.size()) {
          throw failure("only the interpreter: " + side.log.get(last));
        }
        if (!side.log.get(last).equals(to.log.get(last))) {
          throw failure(
              "event " + last + ": " + to.log.get(last) + "\ninterpreter: " + side.log.get(last));
        }
      }
      if (idle > 10_000) {
        throw failure("the interpreter does not get on");
      }
    }
  }

  private void compare() {
    Cpu a = rewriter.cpu;
    Cpu b = interpreter.cpu;
    if (a.rip() != b.rip()) {
      throw failure(String.format("rip %x, interpreter %x", a.rip(), b.rip()));
    }
    assertEquals(b.retired, a.retired, () -> failure("retired").getMessage());
    for (int at = 0; at < SIZE; at += 8) {
      boolean x87State = at >= FSW && at <= FDS;
      if (a.get64(at) != b.get64(at)
          && at != RIP_BASE
          && at != RETIRED
          && at != RFLAGS
          && !x87State) {
        throw failure(
            String.format("state at %x: %x, interpreter %x", at, a.get64(at), b.get64(at)));
      }
    }
    if (((a.get64(FSW) ^ b.get64(FSW)) & ~0x4700) != 0) {
      throw failure(String.format("FSW %x, interpreter %x", a.get64(FSW), b.get64(FSW)));
    }
    if (emptyTags(a) != emptyTags(b)) {
      throw failure(String.format("FTW %x, interpreter %x", a.get64(FTW), b.get64(FTW)));
    }
    long mask = variant.exact ? ~program.undefinedAt(a.rip() - places.code()) : ~0x8d5L;
    if (((a.rflags() ^ b.rflags()) & mask) != 0) {
      throw failure(String.format("rflags %x, interpreter %x", a.rflags(), b.rflags()));
    }
  }

  /** A bit for each empty register. */
  private static int emptyTags(Cpu c) {
    int tags = c.get16(FTW);
    return tags & tags >> 1 & 0x5555;
  }

  private void compareMemory() {
    long size = Guest.FRAMES * 4096L;
    long at = 0;
    while (at < size) {
      long mismatch =
          rewriter
              .memory
              .segment()
              .asSlice(at, size - at)
              .mismatch(interpreter.memory.segment().asSlice(at, size - at));
      if (mismatch < 0) {
        return;
      }
      at += mismatch;
      // Frames of interrupts hold flags that have no defined value.
      if (at < Guest.KERNEL_STACK || at >= Guest.KERNEL_STACK + 4096) {
        long word = at & -8;
        throw failure(
            String.format(
                "memory at %x: %x, interpreter %x",
                word, rewriter.memory.getLong(word), interpreter.memory.getLong(word)));
      }
      at = (at | 4095) + 1;
    }
  }

  private AssertionError failure(String what) {
    StringBuilder text = new StringBuilder();
    text.append("seed ").append(seed).append(' ').append(variant).append(": ").append(what);
    text.append("\nlast events");
    for (Event e :
        rewriter.log.subList(Math.max(0, rewriter.log.size() - 4), rewriter.log.size())) {
      text.append('\n').append(e);
    }
    listing(text, rewriter.cpu.rip());
    listing(text, interpreter.cpu.rip());
    return new AssertionError(text.toString());
  }

  private void listing(StringBuilder text, long rip) {
    text.append(
        String.format(
            "%naround %x (retired %d, %d):", rip, rewriter.cpu.retired, interpreter.cpu.retired));
    Decoder decoder = Decoder.ofEverything();
    Insn insn = new Insn();
    byte[] code = program.code();
    for (int at = 0; at < code.length; at++) {
      if (program.isInstruction(at)
          && Math.abs(places.code() + at - rip) < 100
          && decoder.decode(code, at, code.length - at, 64, insn) == Decoder.OK) {
        text.append(
            String.format(
                "%n%x: %-24s %s",
                places.code() + at,
                HexFormat.of().formatHex(code, at, at + insn.length),
                Disassembler.disassemble(insn, places.code() + at, null)));
      }
    }
  }

  // --- between runs ---

  /** The same to both while neither runs. */
  private void between() {
    long h = r.nextLong();
    rewriter.change(h);
    interpreter.change(h);
  }

  @Override
  public void close() {
    rewriter.close();
    interpreter.close();
  }

  /** One of the two guests, which is its own monitor. */
  final class Side extends Guest {
    final List<Event> log = new ArrayList<>();
    private final long codeVa;
    private final Cpu other;

    /** A request has been made from inside, which has not been taken notice of. */
    private final boolean asks;

    Side(Engine engine, long codeVa, long alias) {
      super(engine);
      this.codeVa = codeVa;
      asks = engine == Engine.REWRITER;
      walks = variant.walks;
      Random fill = new Random(seed);
      for (int i = 0; i < CODE_PAGES; i++) {
        map(codeVa + i * 4096, CODE + i * 4096, variant.exact ? USER : USER & ~W);
        if (alias != codeVa) {
          map(alias + i * 4096, CODE + i * 4096, USER | NX);
        }
      }
      for (int i = 0; i < RandomProgram.DATA_PAGES; i++) {
        map(places.data() + i * 4096, DATA + i * 4096, (i & 1) == 0 ? USER : USER & ~A & ~D);
      }
      for (int i = 1; i <= 4; i++) {
        map(places.stack() - i * 4096, STACK + 0x4000 - i * 4096, USER | NX);
      }
      byte[] bytes = new byte[RandomProgram.DATA_BYTES];
      fill.nextBytes(bytes);
      write(DATA, bytes);
      write(CODE + places.code() - codeVa, program.code());
      kernelCode();
      for (int i = 0; i < 16; i++) {
        set(GPR + i * 8, fill.nextLong() >> fill.nextInt(64));
        set(XMM + i * XMM_STRIDE, fill.nextLong());
        set(XMM + i * XMM_STRIDE + 8, fill.nextLong());
      }
      set(FS_BASE, places.data());
      set(GS_BASE, places.data());
      cpu.rip(places.code());
      other = newCpu();
      start(other, cpu.get64(CR3));
    }

    /** What an interrupt runs: it counts, in its own page and in the user's data. */
    private void kernelCode() {
      gate(TIMER, 0);
      StringBuilder hex = new StringBuilder("50 48b8");
      long va = places.data() + 8;
      hex.append(HexFormat.of().toHexDigits(Long.reverseBytes(va)));
      hex.append("f0 48ff00 48ff05 00010000 58 48cf");
      write(KERNEL_CODE, hex.toString());
    }

    private void log(String what) {
      List<Long> gprs = new ArrayList<>();
      for (int i = 0; i < 16; i++) {
        gprs.add(get(GPR + i * 8));
      }
      long flags = cpu.rflags() & ~0x8d5;
      if (variant.exact) {
        flags = cpu.rflags() & ~program.undefinedAt(cpu.rip() - places.code());
      }
      // Inside of a block the instructions before are not counted yet.
      boolean counted = what.equals("attend") || what.startsWith("exception");
      log.add(new Event(what, counted ? cpu.retired : -1, cpu.rip(), flags, gprs));
    }

    /** Random bits that are the same for both sides. */
    private long hash() {
      long h = (seed * 31 + log.size()) * 0x9e3779b97f4a7c15L;
      h = (h ^ h >>> 32) * 0xd6e8feb86659fd93L;
      return h ^ h >>> 32;
    }

    private boolean oneIn(long h, int shift, int n) {
      return (h >>> shift) % n == 0 && h >>> shift >= 0
          || Long.remainderUnsigned(h >>> shift, n) == 0;
    }

    @Override
    public boolean mayModifyItself(Cpu c, long va) {
      return variant.exact;
    }

    @Override
    public long translate(Cpu c, long va, int access) {
      // A mean time to ask: in the middle of an instruction.
      if (asks && oneIn(hash() * 31 + c.retired, 7, 40)) {
        c.requestAttention();
      }
      return super.translate(c, va, access);
    }

    @Override
    public void attend(Cpu c) {
      if (c == other) {
        return;
      }
      log("attend");
      long h = hash();
      switch ((int) (h >>> 3 & 15)) {
        case 0, 1, 2, 3, 4 -> Exceptions.interrupt(c, TIMER);
        case 5 -> {
          if (c.cpl() == 3) {
            c.rflags(c.rflags() | 0x100);
          }
        }
        case 6 -> breakpoint(c, h);
        case 7, 8 -> damage(h);
        case 9, 10 -> modifyCode(h);
        case 11 -> c.flushTlbs();
        case 12 -> c.put64(GPR + (int) (h >>> 20 & 3) * 8, h);
        default -> {}
      }
    }

    /** A write to code or data as by a device. */
    private void modifyCode(long h) {
      if (!program.immediates.isEmpty()) {
        int n = Math.floorMod((int) (h >>> 24), program.immediates.size());
        long pa = CODE + places.code() - codeVa + program.immediates.get(n);
        memory.putByte(pa, (byte) (h >>> 56));
      } else {
        // The same bytes again.
        memory.putByte(CODE + 0x1000, memory.getByte(CODE + 0x1000));
      }
    }

    private void breakpoint(Cpu c, long h) {
      if ((h & 4) != 0) {
        int at = (int) (h >>> 30 & 0x3ff);
        while (!program.isInstruction(at)) {
          at--;
        }
        c.put64(DR, places.code() + at);
        c.put64(DR7, 0x401);
      } else {
        c.put64(DR, places.data() + (h >>> 30 & 15) * 8);
        c.put64(DR7, (h & 8) != 0 ? 0x9_0401L : 0xb_0401L);
      }
      c.flushTlbs();
      c.updateSlow();
    }

    /** Takes rights from a page of data, or gives them all back. */
    private void damage(long h) {
      int page = (int) (h >>> 40 & RandomProgram.DATA_PAGES - 1);
      long va = places.data() + page * 4096L;
      long bits =
          switch ((int) (h >>> 50 & 7)) {
            case 0, 1 -> 0;
            case 2, 3 -> USER & ~W;
            case 4 -> USER & ~Guest.U;
            case 5 -> USER & ~A & ~D;
            case 6 -> USER & ~D;
            default -> USER;
          };
      map(va, DATA + page * 4096L, bits);
      for (Cpu c : code.cpus()) {
        c.flushPage(va);
      }
    }

    @Override
    public void exception(Cpu c, int vector, int errorCode, long cr2) {
      if (c == other) {
        c.stop();
        return;
      }
      String at = vector == GuestFault.PF ? " at " + Long.toHexString(cr2) : "";
      log("exception " + vector + " " + errorCode + at);
      long h = hash();
      if (asks && oneIn(h, 11, 8)) {
        c.requestAttention();
      }
      long page = cr2 - places.data();
      if (vector == GuestFault.DB) {
        debug(c, h);
      } else if (vector == GuestFault.PF && page >= 0 && page < RandomProgram.DATA_BYTES) {
        map(cr2 & -4096L, DATA + (page & -4096L), USER);
        c.flushPage(cr2);
        if (oneIn(h, 17, 3)) {
          damage(h);
        }
        if (oneIn(h, 23, 8) && c.cpl() == 3) {
          skip(c);
        }
      } else {
        skip(c);
      }
    }

    private void debug(Cpu c, long h) {
      if (oneIn(h, 5, 6)) {
        c.rflags(c.rflags() & ~0x100L);
      }
      if (oneIn(h, 9, 4)) {
        c.put64(DR7, 0x400);
        c.flushTlbs();
        c.updateSlow();
      } else if ((c.get64(DR7) & 1) != 0) {
        c.rflags(c.rflags() | 0x1_0000);
      }
    }

    /**
     * Goes on behind the instruction, or at the program's start where that is not known. Flags that
     * it would have written were dead before it.
     */
    private void skip(Cpu c) {
      if (!variant.exact) {
        c.rflags(c.rflags() & ~0x8d5 | hash() & 0x8d5);
      }
      long offset = c.rip() - places.code();
      c.rip(places.code() + (program.isInstruction(offset) ? program.next(offset) : 0));
    }

    private void restart(Cpu c, String what) {
      log(what);
      c.rip(places.code());
    }

    @Override
    public boolean undefined(Cpu c) {
      if (c != other) {
        return false;
      }
      c.stop();
      return true;
    }

    @Override
    public void syscall(Cpu c) {
      restart(c, "syscall");
    }

    @Override
    public void sysenter(Cpu c) {
      restart(c, "sysenter");
    }

    @Override
    public void softwareInterrupt(Cpu c, int vector, int insnLength) {
      restart(c, "int");
    }

    /** Something from outside while the CPU does not run. */
    private void change(long h) {
      switch ((int) (h >>> 3 & 7)) {
        case 0 -> modifyCode(h);
        case 1 -> damage(h);
        case 2 -> code.dropFrame((CODE >>> 12) + (h >>> 40 & 3));
        case 3 -> {
          if (asks) {
            cpu.requestAttention();
          }
        }
        case 4, 5 -> otherCpu(h);
        case 6 -> {
          byte[] same = new byte[64];
          long pa = CODE + (h >>> 40 & 0x3fc0);
          memory.read(pa, same, 0, 64);
          write(pa, same);
        }
        default -> cpu.flushTlbs();
      }
    }

    /** Another CPU stores to the code, or to the data. */
    private void otherCpu(long h) {
      int n = program.immediates.size();
      boolean toCode = variant.exact && n > 0;
      other.rip(KERNEL + KERNEL_CODE + 0x800);
      write(KERNEL_CODE + 0x800, "8807 0f0b"); // mov [rdi], al; ud2
      long target =
          toCode
              ? places.code() + program.immediates.get(Math.floorMod((int) (h >>> 24), n))
              : places.data() + (h >>> 24 & 0x3fff);
      other.put64(RDI, target);
      other.put64(RAX, h >>> 56);
      other.put64(CPL, 0);
      other.put64(SEG_ATTR + CS * 8, 0xa09b);
      other.updateMode();
      if (asks) {
        other.run(2);
      } else {
        other.interpreter().runOne();
        other.interpreter().runOne();
      }
    }
  }
}
