package parhelion.testkit.oracle;

import java.util.ArrayList;
import java.util.List;

/**
 * Programs that write to their own code: to immediates and opcodes of instructions that come next,
 * that lie in the same block, in another page or across a page's end, and that run again.
 * Processors see such stores at once in the same thread.
 */
final class SelfModifyingPrograms {
  /**
   * An instruction to be modified: where it begins, where its immediate is, and how long that is.
   */
  private record Victim(int start, int immediateAt, int immediateBytes, int registerNumber) {}

  private static final int[] REGISTERS = {0, 1, 2, 3, 6, 7};

  private final Arena arena;
  private final FastRandom r;
  private CodeWriter out = new CodeWriter();
  private List<Victim> victims = new ArrayList<>();

  /** Stores whose victim comes later: place of the displacement, bytes after it, width. */
  private List<int[]> pending = new ArrayList<>();

  SelfModifyingPrograms(Arena arena, FastRandom r) {
    this.arena = arena;
    this.r = r;
  }

  Program next() {
    out = new CodeWriter();
    victims = new ArrayList<>();
    pending = new ArrayList<>();
    return r.oneIn(2) ? straight() : called();
  }

  /** A loop of stores and victims in any order. */
  private Program straight() {
    out.emit(0x41, 0xbe).int32(r.between(1, 5)); // mov r14d, count
    int head = out.at();
    for (int i = r.between(3, 14); i > 0; i--) {
      switch (r.nextInt(5)) {
        case 0, 1 -> store();
        case 2 -> copy();
        default -> victim();
      }
    }
    victim();
    resolve();
    out.emit(0x41, 0xff, 0xce, 0x0f, 0x85).int32(0); // dec r14d; jnz
    out.relative32(out.at() - 4, head);
    return finish(ProgramGenerator.place(r, out.at() + 16));
  }

  /** A function in another page, often across its end, that is called, patched, called again. */
  private Program called() {
    int offset = r.nextInt(Arena.PAGE);
    List<Integer> calls = new ArrayList<>();
    out.emit(0x41, 0xbe).int32(r.between(1, 4));
    int head = out.at();
    for (int i = r.between(2, 8); i > 0; i--) {
      if (r.oneIn(2)) {
        out.emit(0xe8).int32(0);
        calls.add(out.at() - 4);
      } else {
        store();
      }
    }
    out.emit(0xe8).int32(0);
    calls.add(out.at() - 4);
    out.emit(0x41, 0xff, 0xce, 0x0f, 0x85).int32(0);
    out.relative32(out.at() - 4, head);
    out.emit(0xe9).int32(0);
    int over = out.at() - 4;
    int toPageEnd = Arena.PAGE - (offset + out.at()) % Arena.PAGE;
    for (int i = Math.max(0, toPageEnd - r.nextInt(60)); i > 0; i--) {
      out.emit(0xcc);
    }
    for (int call : calls) {
      out.relative32(call, out.at());
    }
    for (int i = r.between(1, 10); i > 0; i--) {
      if (r.oneIn(4)) {
        store();
      } else {
        victim();
      }
    }
    victim();
    resolve();
    out.emit(0xc3);
    out.relative32(over, out.at());
    return finish(offset);
  }

  private Program finish(int offset) {
    out.emit(0x48, 0x39, 0xc8); // cmp rax, rcx: all flags are defined
    return new Program(arena, out.toBytes(), offset, true, 0);
  }

  private void victim() {
    int start = out.at();
    int reg = REGISTERS[r.nextInt(REGISTERS.length)];
    switch (r.nextInt(6)) {
      case 0 -> {
        out.emit(0x48, 0xb8 + reg).int64(r.nextLong()); // mov reg, imm64
        victims.add(new Victim(start, start + 2, 8, -1));
      }
      case 1 -> {
        out.emit(0xb8 + reg).int32(r.nextInt()); // mov reg, imm32
        victims.add(new Victim(start, start + 1, 4, -1));
      }
      case 2 -> {
        out.emit(0x48, 0x69, 0xc0 | reg << 3 | reg).int32(r.nextInt()); // imul
        victims.add(new Victim(start, start + 3, 4, -1));
      }
      case 3 -> {
        out.emit(0x90);
        out.emit(0x80, 0xc0 | r.nextInt(8) << 3 | reg & 3, r.nextInt(256)); // add...cmp
        victims.add(new Victim(start, start + 3, 1, -1));
      }
      default -> {
        out.emit(0x48, 0x81, 0xc0 | r.nextInt(8) << 3 | reg).int32(r.nextInt()); // add...cmp
        victims.add(new Victim(start, start + 3, 4, reg));
      }
    }
  }

  /** A store to a victim, of those behind or of those to come. */
  private void store() {
    int width = 1 << r.nextInt(4);
    if (r.oneIn(8)) {
      modrm();
      return;
    }
    int reg = REGISTERS[r.nextInt(REGISTERS.length)];
    switch (width) {
      case 1 -> {
        switch (r.nextInt(4)) {
          case 0 -> target(1, 1, 0xc6, 5).emit(r.nextInt(256)); // mov byte, imm
          case 1 -> target(1, 0, 0xfe, 5); // inc byte
          case 2 -> target(1, 0, 0x00, 5 | (reg & 3) << 3); // add byte, reg
          default -> target(1, 0, 0x30, 5 | (reg & 3) << 3); // xor byte, reg
        }
      }
      case 2 -> {
        if (r.oneIn(2)) {
          target(2, 2, 0x66, 0xc7, 5).int16(r.nextInt());
        } else {
          target(2, 0, 0x66, 0x01, 5 | reg << 3);
        }
      }
      case 4 -> {
        switch (r.nextInt(5)) {
          case 0 -> target(4, 4, 0xc7, 5).int32(r.nextInt());
          case 1 -> target(4, 0, 0x89, 5 | reg << 3);
          case 2 -> target(4, 0, 0xff, 5); // inc dword
          case 3 -> target(4, 1, 0x0f, 0xba, 0x2d).emit(r.nextInt(32)); // bts
          default -> target(4, 0, 0x66, 0x0f, 0x7e, 5); // movd xmm0
        }
      }
      default -> {
        switch (r.nextInt(4)) {
          case 0 -> target(8, 0, 0x48, 0x89, 5 | reg << 3);
          case 1 -> target(8, 0, 0x48, 0xf7, 0x15); // not
          case 2 -> target(8, 0, 0x66, 0x0f, 0xd6, 5); // movq xmm0
          default -> {
            out.emit(0x50 + reg); // push
            target(8, 0, 0x8f, 5); // pop
          }
        }
      }
    }
  }

  /** Emits an instruction up to its RIP-relative displacement, which is filled in at the end. */
  private CodeWriter target(int width, int bytesAfter, int... opcode) {
    out.emit(opcode);
    pending.add(new int[] {out.at(), bytesAfter, width, 0});
    return out.int32(0);
  }

  /** Changes the operation of a victim: the ModRM byte of the group ADD to CMP. */
  private void modrm() {
    for (Victim v : victims) {
      if (v.registerNumber >= 0 && r.oneIn(2)) {
        out.emit(0xc6, 5).int32(0).emit(0xc0 | r.nextInt(8) << 3 | v.registerNumber);
        int place = out.at() - 5;
        out.relative32(place, v.start + 2 - 1);
        return;
      }
    }
    victim();
  }

  /** Copies a piece of code over another one: by a string instruction or through XMM. */
  private void copy() {
    int length = 16;
    out.emit(0xeb, length); // jmp over the source
    int source = out.at();
    for (int i = 0; i < 2; i++) {
      out.emit(0x48, 0x81, 0xc0 | r.nextInt(8) << 3 | REGISTERS[r.nextInt(6)]);
      out.int32(r.nextInt()).emit(0x90);
    }
    if (r.oneIn(2)) {
      out.emit(0x0f, 0x10, 0x0d).int32(0); // movups xmm1, [rip+...]
      out.relative32(out.at() - 4, source);
      out.emit(0x0f, 0x11, 0x0d).int32(0); // movups [rip+...], xmm1
      int place = out.at() - 4;
      int gap = r.nextInt(3);
      for (int i = 0; i < gap; i++) {
        out.emit(0x90);
      }
      out.relative32(place, out.at());
    } else {
      boolean words = r.oneIn(2);
      out.emit(0xfc, 0x48, 0x8d, 0x35).int32(0); // cld; lea rsi, [rip+...]
      out.relative32(out.at() - 4, source);
      out.emit(0x48, 0x8d, 0x3d).int32(0); // lea rdi, [rip+...]
      int place = out.at() - 4;
      out.emit(0xb9).int32(words ? length / 8 : length); // mov ecx, ...
      out.emit(0xf3, words ? 0x48 : 0x40, words ? 0xa5 : 0xa4);
      out.relative32(place, out.at());
    }
    for (int i = 0; i < 2; i++) {
      out.emit(0x48, 0x81, 0xc0 | r.nextInt(8) << 3 | REGISTERS[r.nextInt(6)]);
      out.int32(r.nextInt()).emit(0x90);
    }
  }

  /** Lets every store so far find a victim of its width. */
  private void resolve() {
    for (int[] store : pending) {
      List<Integer> places = new ArrayList<>();
      for (Victim v : victims) {
        for (int at = 0; at + store[2] <= v.immediateBytes; at++) {
          // The nearest ones behind the store are the interesting ones.
          int distance = v.start - store[0];
          int weight = distance > 0 && distance < 24 ? 8 : 1;
          for (int w = 0; w < weight; w++) {
            places.add(v.immediateAt + at);
          }
        }
      }
      int target = places.isEmpty() ? spare(store[2]) : places.get(r.nextInt(places.size()));
      out.relative32(store[0], target - store[1]);
    }
    pending = new ArrayList<>();
  }

  /** A place for a store that finds no victim: behind a jump. */
  private int spare(int width) {
    out.emit(0xeb, width);
    int at = out.at();
    for (int i = 0; i < width; i++) {
      out.emit(0xcc);
    }
    return at;
  }

  /** The state for the next run: direction up, the stack in the data. */
  static void fill(CaseInput to, FastRandom r, boolean first) {
    ProgramGenerator.fill(to, r, first);
    to.state.flags &= ~0x400L;
  }
}
