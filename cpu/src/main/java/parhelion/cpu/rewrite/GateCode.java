package parhelion.cpu.rewrite;

import static parhelion.cpu.rewrite.Assembler.*;
import static parhelion.cpu.rewrite.Routines.SCRATCH0;
import static parhelion.cpu.rewrite.Routines.SCRATCH1;

import java.util.ArrayList;
import java.util.List;
import parhelion.cpu.CpuState;
import parhelion.cpu.Rflags;
import parhelion.cpu.Tlb;

/**
 * Writes a gate (see {@link Gates}): code that has the guest's RAX, RCX, RDX, RBX and two more
 * registers to work with, and either commits and goes on elsewhere in the guest, or leaves with
 * nothing changed.
 *
 * <p>In between, the guest's flags and those four registers are where the methods here say, its RSP
 * is in R8, R8 to R11 are in the state block, and the others must stay as they are.
 */
public final class GateCode {
  /** The first of the monitor's own fields, relative to GS. */
  public static final int FIELDS = NativeState.MONITOR;

  /** Registers that hold nothing of the guest. */
  public static final int FREE0 = SCRATCH0;

  public static final int FREE1 = SCRATCH1;

  /** The guest's RSP. */
  public static final int GUEST_RSP = CodeWriter.GUEST_RSP;

  private static final int[] SAVED = {RAX, RCX, RDX, RBX};

  public final Assembler a;
  private final Routines routines;
  private final List<Integer> leaving = new ArrayList<>();

  GateCode(Assembler a, Routines routines) {
    this.a = a;
    this.routines = routines;
  }

  /** Begins: RAX, RCX, RDX, RBX are free from here on, their values where {@link #saved} says. */
  public void begin() {
    a.storeState(NativeState.GATE_RIP, SCRATCH0);
    a.storeState(NativeState.GATE_SITE, SCRATCH1);
    a.saveFlags(SCRATCH0);
    for (int i = 0; i < SAVED.length; i++) {
      a.storeState(NativeState.GATE_SAVED + i * 8, SAVED[i]);
    }
  }

  /**
   * Where the guest's RAX, RCX, RDX or RBX is kept, relative to GS: what it is loaded from at the
   * end.
   */
  public static int saved(int register) {
    return NativeState.GATE_SAVED + register * 8;
  }

  /** The address behind the instruction into a register. */
  public void loadNextRip(int register) {
    a.loadState(register, NativeState.GATE_RIP);
  }

  /** The port of an {@link Gates.Gate#IN} into a register. */
  public void loadPort(int register) {
    a.loadState32(register, NativeState.GATE_PORT);
  }

  /**
   * Leaves to the interpreter where the condition of the last comparison holds; before anything is
   * changed.
   */
  public void leaveIf(int condition) {
    leaving.add(a.jcc(condition));
  }

  /** Leaves where the address in a register is not canonical; {@code scratch} changes. */
  public void leaveUnlessCanonical(int register, int scratch) {
    a.mov(scratch, register);
    a.shift(SHL, scratch, 16);
    a.shift(SAR, scratch, 16);
    a.alu(CMP, scratch, register);
    leaveIf(NE);
  }

  /** The guest's RFLAGS into RAX; RCX changes. */
  public void loadRflags() {
    a.rflags(RAX, RCX);
  }

  /** The guest's RFLAGS from RAX, which changes, as does RCX; only bits that a guest can have. */
  public void storeRflags() {
    a.mov32(RCX, RAX);
    a.aluImm32(AND, RCX, (int) (Rflags.WRITABLE & ~Rflags.ARITHMETIC));
    a.aluImm32(OR, RCX, Rflags.FIXED);
    a.storeState(CpuState.RFLAGS, RCX);
    a.mov32(RCX, RAX);
    a.shift(SHR, RCX, 11);
    a.aluImm32(AND, RCX, 1);
    a.aluImm32(AND, RAX, 0xd5);
    a.shift(SHL, RAX, 8);
    a.alu(OR, RAX, RCX);
    a.storeState(NativeState.FLAGS, RAX);
  }

  /**
   * The host address of {@code bytes} bytes of guest memory at the linear address in {@code va}
   * into {@code host}, from a mode's TLB; leaves where they are not there or cross a page. {@code
   * scratch} changes.
   */
  public void hostAddress(int host, int va, int scratch, int tlbIndex, int bytes, boolean write) {
    int tlb = NativeState.tlb(tlbIndex);
    a.mov32(scratch, va);
    a.shift(SHR, scratch, 7);
    a.aluImm32(AND, scratch, Tlb.ENTRIES - 1 << 5);
    a.mov(host, va);
    a.aluStateIndexed(SUB, host, scratch, tlb + (write ? Tlb.WRITE_TAG : Tlb.READ_TAG));
    a.aluImm(CMP, host, 4096 - bytes);
    leaveIf(A);
    a.mov(host, va);
    a.aluStateIndexed(ADD, host, scratch, tlb + Tlb.ADDEND);
  }

  /**
   * The host address of {@code bytes} bytes of guest memory at the linear address in FREE0 into
   * {@code host}, as {@link #hostAddress}; where the TLB has no translation, the page tables are
   * walked with the rights that {@link #walkAs} has said last. FREE1 changes.
   */
  void reach(int host, int tlbIndex, int bytes, boolean write) {
    int retry = a.at;
    hostAddress(host, FREE0, FREE1, tlbIndex, bytes, write);
    int missed = leaving.removeLast();
    int found = a.jmp();
    a.here(missed);
    a.callTo(write ? routines.walkWrite[tlbIndex] : routines.walkRead[tlbIndex]);
    a.to(a.jcc(E), retry);
    leaving.add(a.jmp());
    a.here(found);
  }

  /** Generated code's walks are those of user mode, or a supervisor's, from here on. */
  void walkAs(boolean user) {
    a.storeState32Imm(NativeState.WALK_REQUIRED, PageWalk.required(user));
  }

  /** Fills a segment register but for its selector; RAX changes. */
  public void segment(int segment, long limit, int attributes) {
    storeConstant(CpuState.SEG_BASE + segment * 8, 0);
    storeConstant(CpuState.SEG_LIMIT + segment * 8, limit);
    storeConstant(CpuState.SEG_ATTR + segment * 8, attributes);
  }

  /** Eight bytes of the state block; RAX changes. */
  public void storeConstant(int offset, long value) {
    a.movImm(RAX, value);
    a.storeState(offset, RAX);
  }

  /** Makes the page tables at the machine address in a register those of generated code's walks. */
  public void walkFrom(int register) {
    a.storeState(NativeState.WALK_ROOT, register);
  }

  /**
   * Goes on at the guest's address in FREE0 in the mode that a TLB serves; all is committed. RAX,
   * RCX, RDX and RBX are loaded from {@link #saved}.
   */
  public void goOn(int tlbIndex) {
    a.storeState32Imm(NativeState.MODE, tlbIndex);
    a.mov32(SCRATCH1, SCRATCH0);
    a.shift(SHR, SCRATCH1, 12);
    a.alu32(XOR, SCRATCH1, SCRATCH0);
    a.aluImm32(AND, SCRATCH1, NativeState.JUMPS - 1);
    loadSaved();
    for (int way = 0; way < 2; way++) {
      if (way == 1) {
        a.aluImm32(XOR, SCRATCH1, 1);
      }
      a.cmpStateScaled(SCRATCH1, NativeState.jumpKeys(tlbIndex), SCRATCH0);
      int missed = a.jcc(NE);
      a.jumpStateScaled(SCRATCH1, NativeState.jumpTargets(tlbIndex));
      a.here(missed);
    }
    a.storeState(CpuState.RIP, SCRATCH0);
    a.movImm(SCRATCH1, NativeState.NO_SITE);
    a.jmpTo(routines.exit);
  }

  /** Ends the gate with the way back to the interpreter. */
  public void end() {
    for (int position : leaving) {
      a.here(position);
    }
    loadSaved();
    a.loadState(SCRATCH1, NativeState.GATE_SITE);
    a.jmpTo(routines.exit);
  }

  private void loadSaved() {
    for (int i = 0; i < SAVED.length; i++) {
      a.loadState(SAVED[i], NativeState.GATE_SAVED + i * 8);
    }
  }
}
