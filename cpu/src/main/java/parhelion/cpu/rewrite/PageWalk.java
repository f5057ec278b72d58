package parhelion.cpu.rewrite;

import static parhelion.cpu.rewrite.Assembler.*;
import static parhelion.cpu.rewrite.Routines.SCRATCH0;
import static parhelion.cpu.rewrite.Routines.SCRATCH1;

import java.util.ArrayList;
import java.util.List;
import parhelion.cpu.ControlRegisters;
import parhelion.cpu.Cpu;
import parhelion.cpu.CpuState;
import parhelion.cpu.Rflags;
import parhelion.cpu.Tlb;
import parhelion.cpu.memory.MachineMemory;

/**
 * Host code that walks the guest's page tables as they stand (SDM volume 3, 4.5), for TLB misses
 * that are nothing special: see {@link Routines#walkRead}.
 */
final class PageWalk {
  private static final int PRESENT_ACCESSED = 0x21;
  private static final int USER = 4;
  private static final int WRITABLE = 2;
  private static final int DIRTY = 0x40;
  private static final int LARGE = 0x80;
  private static final int GLOBAL = 0x100;
  private static final long ADDRESS = 0x000f_ffff_ffff_f000L;

  /** Saved and free for the walk. */
  private static final int[] SAVED = {RAX, RCX, RDX, RBX};

  private final Assembler a;

  /** Jump for addresses in the window. */
  private int window;

  private final List<Integer> failures = new ArrayList<>();

  /** Jumps with a large page's frame in RAX. */
  private final List<Integer> leaves = new ArrayList<>();

  private PageWalk(Assembler a) {
    this.a = a;
  }

  /** What {@link NativeState#WALK_REQUIRED} is to be for user mode, or a supervisor. */
  static int required(boolean user) {
    return user ? PRESENT_ACCESSED | USER : PRESENT_ACCESSED;
  }

  /** What {@link NativeState#WALK_SMAP} is to be. */
  static int smap(Cpu c) {
    return (c.get64(CpuState.CR4) & ControlRegisters.CR4_SMAP) != 0 ? USER : 0;
  }

  /** What {@link NativeState#WALK_GLOBAL} is to be. */
  static int global(Cpu c) {
    return c.keepsGlobalPages() ? GLOBAL : 0;
  }

  /** Fills an entry of a TLB for a read, or a write. */
  static void data(Assembler a, int tlbIndex, boolean write) {
    new PageWalk(a).data(NativeState.tlb(tlbIndex), write);
  }

  /** Compares where code is mapped with where it is expected. */
  static void code(Assembler a, int tlbIndex) {
    new PageWalk(a).code(NativeState.tlb(tlbIndex));
  }

  private void data(int tlb, boolean write) {
    begin();
    // There already: then it is not the translation that is missing.
    index();
    a.mov(RCX, SCRATCH0);
    a.aluImm(AND, RCX, -4096);
    a.aluStateIndexed(CMP, RCX, SCRATCH1, tlb + (write ? Tlb.WRITE_TAG : Tlb.READ_TAG));
    fail(a.jcc(E));
    walk(false);
    int found = a.jmp();
    a.here(window);
    if (write) {
      fail(a.jmp());
    } else {
      window();
    }
    a.here(found);
    // RAX: the frame; SCRATCH1: what all levels allow, with the leaf's dirty and global bits.
    userPage(tlb);
    a.mov32(RCX, SCRATCH1);
    a.aluState(AND, RCX, NativeState.WALK_GLOBAL);
    a.storeState(NativeState.WALK_FOUND_GLOBAL, RCX);
    a.mov(RCX, RAX);
    a.b(0x48, 0xc1, 0xe9); // shr rcx, 12
    a.b(12);
    a.aluState(ADD, RCX, NativeState.CODE_FRAMES);
    a.b(0xf6, 0x01, MachineMemory.MARK_SPECIAL); // test byte [rcx], special
    fail(a.jcc(NE));
    a.mov(RBX, SCRATCH0); // the write tag
    a.aluImm(AND, RBX, -4096);
    a.aluImm32(AND, SCRATCH1, WRITABLE | DIRTY);
    a.aluImm32(CMP, SCRATCH1, WRITABLE | DIRTY);
    int readOnly = a.jcc(NE);
    a.b(0x80, 0x39, 0); // cmp byte [rcx], 0
    int writable = a.jcc(E);
    a.here(readOnly);
    if (write) {
      fail(a.jmp());
    }
    a.aluImm(XOR, RBX, 4096); // a tag that this entry is never asked for
    a.here(writable);
    a.alu(ADD, RAX, RDX);
    a.mov(RCX, SCRATCH0);
    a.aluImm(AND, RCX, -4096);
    index();
    a.storeStateIndexed(SCRATCH1, tlb + Tlb.READ_TAG, RCX);
    a.storeStateIndexed(SCRATCH1, tlb + Tlb.WRITE_TAG, RBX);
    a.storeStateIndexed(SCRATCH1, tlb + Tlb.HOST_PAGE, RAX);
    a.alu(SUB, RAX, RCX);
    a.storeStateIndexed(SCRATCH1, tlb + Tlb.ADDEND, RAX);
    a.cmpStateByteZero(NativeState.WALK_FOUND_GLOBAL + 1);
    int global = a.jcc(NE);
    note(tlb + Tlb.FILLED);
    a.here(global);
    a.alu(CMP, RAX, RAX); // ZF
    end();
  }

  /** Adds the offset in SCRATCH1 to a TLB's list of what goes with a flush; RCX changes. */
  private void note(int list) {
    a.loadState32(RCX, list);
    a.aluImm(CMP, RCX, Tlb.MAX_FILLED);
    int full = a.jcc(AE);
    a.b(0x65, 0x44, 0x89); // mov gs:[rcx * 4 + list], r15d
    a.b(0x3c, 0x8d);
    a.d(list + 4);
    a.aluImm(ADD, RCX, 1);
    a.storeState32(list, RCX);
    a.here(full);
  }

  /**
   * A supervisor's access to a user page under SMAP: RFLAGS.AC has to be set, and the entry is
   * noted, so that it goes when AC does.
   */
  private void userPage(int tlb) {
    a.loadState32(RCX, NativeState.WALK_REQUIRED);
    a.aluImm32(XOR, RCX, USER); // the user bit, for a supervisor
    a.alu32(AND, RCX, SCRATCH1);
    a.aluState(AND, RCX, NativeState.WALK_SMAP);
    int other = a.jcc(E);
    a.loadState32(RCX, CpuState.RFLAGS);
    a.aluImm32(AND, RCX, Rflags.AC);
    fail(a.jcc(E));
    a.loadState32(RCX, tlb + Tlb.OPENED);
    a.aluImm(CMP, RCX, Tlb.MAX_OPENED);
    fail(a.jcc(AE)); // Java makes room
    a.mov32(RBX, SCRATCH0);
    a.shift(SHR, RBX, 7);
    a.aluImm32(AND, RBX, Tlb.ENTRIES - 1 << 5);
    a.b(0x65, 0x89); // mov gs:[rcx * 4 + list], ebx
    a.b(0x1c, 0x8d);
    a.d(tlb + Tlb.OPENED + 4);
    a.aluImm(ADD, RCX, 1);
    a.storeState32(tlb + Tlb.OPENED, RCX);
    a.here(other);
  }

  private void code(int tlb) {
    a.storeState(NativeState.WALK_EXPECTED, SCRATCH1);
    begin();
    walk(true);
    fail(window);
    // A supervisor does not run user pages here: that SMEP may forbid.
    a.loadState32(RCX, NativeState.WALK_REQUIRED);
    a.aluImm32(XOR, RCX, USER);
    a.alu32(AND, RCX, SCRATCH1);
    a.aluImm32(AND, RCX, USER);
    fail(a.jcc(NE));
    a.aluState(CMP, RAX, NativeState.WALK_EXPECTED);
    fail(a.jcc(NE));
    // That it was found is what the caller notes at its place.
    a.aluState(AND, SCRATCH1, NativeState.WALK_GLOBAL);
    int global = a.jcc(NE);
    a.mov32(SCRATCH1, SCRATCH0);
    a.shift(SHR, SCRATCH1, 10);
    a.aluImm32(AND, SCRATCH1, Tlb.ENTRIES - 1 << 2);
    note(tlb + Tlb.CODE_FILLED);
    a.here(global);
    a.alu(CMP, RAX, RAX); // ZF
    end();
  }

  private void begin() {
    for (int i = 0; i < SAVED.length; i++) {
      a.storeState(NativeState.WALK_SAVED + i * 8, SAVED[i]);
    }
    a.storeState(NativeState.MISS_VA, SCRATCH0);
    a.incState(NativeState.WALKS);
  }

  private void end() {
    int done = a.jmp();
    for (int position : failures) {
      a.here(position);
    }
    a.aluImm(OR, RAX, 1); // not ZF
    a.here(done);
    for (int i = 0; i < SAVED.length; i++) {
      a.loadState(SAVED[i], NativeState.WALK_SAVED + i * 8);
    }
    a.b(0xc3);
  }

  private void fail(int position) {
    failures.add(position);
  }

  /** The walk itself: from the address in SCRATCH0 to the frame in RAX; memory's base in RDX. */
  private void walk(boolean execute) {
    a.loadState(RAX, NativeState.WALK_ROOT);
    a.b(0x48, 0x85, 0xc0); // test rax, rax
    fail(a.jcc(S));
    a.mov(RCX, SCRATCH0);
    a.b(0x48, 0xc1, 0xf9); // sar rcx, 47
    a.b(47);
    a.aluImm(ADD, RCX, 1);
    a.aluImm(CMP, RCX, 1);
    fail(a.jcc(A)); // not canonical
    a.mov(RCX, SCRATCH0);
    a.b(0x48, 0xc1, 0xe9); // shr rcx, 43
    a.b(43);
    a.aluState(CMP, RCX, NativeState.WINDOW_TOP);
    window = a.jcc(E);
    a.loadState(RDX, NativeState.MEMORY_BASE);
    a.movImm(RBX, ADDRESS);
    a.aluImm(OR, SCRATCH1, -1);
    for (int level = 4; level > 0; level--) {
      level(level, execute);
    }
    for (int position : leaves) {
      a.here(position);
    }
    a.aluState(CMP, RAX, NativeState.MEMORY_BYTES);
    fail(a.jcc(AE));
  }

  /** The frame of an address in the window into RAX; it may be read. */
  private void window() {
    a.loadState(RDX, NativeState.MEMORY_BASE);
    a.mov(RAX, SCRATCH0);
    a.b(0x48, 0xc1, 0xe0); // shl rax, 21; shr rax, 21: from the window's start
    a.b(21);
    a.b(0x48, 0xc1, 0xe8);
    a.b(21);
    a.aluState(CMP, RAX, NativeState.WINDOW_BYTES);
    fail(a.jcc(AE));
    a.aluImm(AND, RAX, -4096);
    a.aluState(ADD, RAX, NativeState.WINDOW_PA);
    a.alu32(XOR, SCRATCH1, SCRATCH1);
  }

  private void level(int level, boolean execute) {
    a.aluState(CMP, RAX, NativeState.MEMORY_BYTES);
    fail(a.jcc(AE));
    a.mov(RCX, SCRATCH0);
    a.b(0x48, 0xc1, 0xe9); // shr rcx, 12 + 9 * (level - 1)
    a.b(12 + 9 * (level - 1));
    a.aluImm32(AND, RCX, 511);
    a.alu(ADD, RAX, RDX);
    a.b(0x48, 0x8b, 0x04); // mov rax, [rax + rcx * 8]
    a.b(0xc8);
    a.loadState(RCX, NativeState.WALK_REQUIRED);
    a.alu(AND, RCX, RAX);
    a.aluState(CMP, RCX, NativeState.WALK_REQUIRED);
    fail(a.jcc(NE));
    if (execute) {
      a.b(0x48, 0x85, 0xc0); // test rax, rax: no-execute is bit 63
      fail(a.jcc(S));
    }
    if (level > 1) {
      a.b(0xa8, LARGE); // test al, large
      int large = a.jcc(NE);
      if (level == 4) {
        fail(large);
      } else {
        int small = a.jmp();
        a.here(large);
        large(12 + 9 * (level - 1));
        a.here(small);
      }
    }
    a.mov32(RCX, RAX);
    if (level > 1) {
      a.aluImm32(OR, RCX, DIRTY | GLOBAL); // only the leaf's count
    }
    a.alu32(AND, SCRATCH1, RCX);
    a.alu(AND, RAX, RBX);
  }

  /** The 4 KiB frame of a page of 2^shift bytes, whose bounds are noted for INVLPG. */
  private void large(int shift) {
    int within = (1 << shift) - 1;
    a.b(0xa9); // test eax, reserved bits
    a.d(within & ~0x1fff);
    fail(a.jcc(NE));
    a.alu32(AND, SCRATCH1, RAX);
    a.alu(AND, RAX, RBX);
    a.mov(RCX, SCRATCH0);
    a.aluImm(OR, RCX, within);
    a.aluState(CMP, RCX, CpuState.HIGHEST_LARGE);
    int noHigher = a.jcc(BE);
    a.storeState(CpuState.HIGHEST_LARGE, RCX);
    a.here(noHigher);
    a.aluImm(SUB, RCX, within);
    a.aluState(CMP, RCX, CpuState.LOWEST_LARGE);
    int noLower = a.jcc(AE);
    a.storeState(CpuState.LOWEST_LARGE, RCX);
    a.here(noLower);
    a.aluImm(OR, RAX, within); // with the bit for memory types
    a.aluImm(SUB, RAX, within);
    a.mov(RCX, SCRATCH0);
    a.aluImm(AND, RCX, within & -4096);
    a.alu(OR, RAX, RCX);
    leaves.add(a.jmp());
  }

  /** Offset of the TLB entry into SCRATCH1. */
  private void index() {
    a.mov32(SCRATCH1, SCRATCH0);
    a.b(0x41, 0xc1, 0xef); // shr r15d, 7
    a.b(7);
    a.aluImm32(AND, SCRATCH1, Tlb.ENTRIES - 1 << 5);
  }
}
