package parhelion.xen;

import java.util.Random;
import parhelion.abi.Domid;
import parhelion.abi.Struct;
import parhelion.xen.memory.Pte;

/**
 * Arguments for {@link HypercallFuzzer}: some make sense, some nearly, some none. Everything is
 * written as the guest's kernel would write it, through its page tables, so that the fuzzer itself
 * breaks no rule.
 */
final class FuzzValues {
  /** Pages for arguments, for play (tables, holes, grants), and for what is mapped of others. */
  static final int ARGS = 4;

  static final int PLAY = 12;
  static final int MAPS = 40;
  static final int END = 56;

  private static final long[] EDGES = {
    0,
    1,
    -1,
    -4096,
    7,
    4095,
    4096,
    0x7fff,
    0xffff,
    0x7fff_ffffL,
    0x8000_0000L,
    0xffff_ffffL,
    0x1_0000_0000L,
    1L << 40,
    (1L << 47) - 1,
    1L << 47,
    1L << 62,
    Long.MAX_VALUE,
    Long.MIN_VALUE,
    0xffff_8000_0000_0000L,
    0xffff_8800_0000_0000L,
    0xffff_8000_0010_0000L
  };

  private final Random random;
  private final MicroMachine machine;

  /** Guests do not reach for the frames of their grant tables. */
  private final boolean honest;

  private MicroMachine.Guest guest;
  private int cursor;

  FuzzValues(MicroMachine machine, MicroMachine.Guest guest, Random random, boolean honest) {
    this.honest = honest;
    this.machine = machine;
    this.guest = guest;
    this.random = random;
  }

  void of(MicroMachine.Guest g) {
    guest = g;
  }

  boolean oneIn(int n) {
    return random.nextInt(n) == 0;
  }

  int below(int n) {
    return random.nextInt(n);
  }

  long edge() {
    return EDGES[random.nextInt(EDGES.length)];
  }

  /** Mostly a small number. */
  long small() {
    return switch (random.nextInt(12)) {
      case 0 -> edge();
      case 1 -> random.nextInt(5000);
      default -> random.nextInt(24);
    };
  }

  /** Anything. */
  long any() {
    return switch (random.nextInt(10)) {
      case 0 -> edge();
      case 1 -> random.nextLong();
      case 2 -> va();
      case 3 -> frame();
      case 4 -> frame() << 12 | random.nextInt(512) * 8L;
      case 5 -> entry();
      case 6 -> pointer(64);
      default -> small();
    };
  }

  int page() {
    return oneIn(20) ? random.nextInt(guest.pages()) : PLAY + random.nextInt(END - PLAY);
  }

  /** A virtual address of the guest's, mostly the start of a page. */
  long va() {
    if (oneIn(16)) {
      return edge();
    }
    long va = guest.va(page());
    return oneIn(8) ? va + random.nextInt(4096) : va;
  }

  /** A machine frame, mostly the guest's own. */
  long frame() {
    return switch (honest ? 4 + random.nextInt(20) : random.nextInt(24)) {
      case 0 -> edge();
      case 1 -> random.nextInt(machine.hypervisor.frames().size());
      case 2 -> guest.domain.sharedInfoMfn();
      case 3 -> grantFrame();
      case 4 -> guest.mfn(guest.pages() - 1 - random.nextInt(4));
      // What it had at first, mapped or not.
      case 5, 6, 7, 8, 9 -> guest.mfn(page());
      default -> Pte.mfn(guest.pte(page()));
    };
  }

  /** Bits that limit where memory is to come from, mostly none. */
  int memFlags() {
    return switch (random.nextInt(12)) {
      case 0 -> (int) any();
      case 1, 2 -> 12 + random.nextInt(16);
      default -> 0;
    };
  }

  private long grantFrame() {
    int n = guest.domain.grants().frameCount();
    return n == 0 ? 0 : guest.domain.grants().sharedMfn(random.nextInt(n));
  }

  /** A page-table entry. */
  long entry() {
    long flags =
        switch (random.nextInt(8)) {
          case 0 -> 0;
          case 1 -> random.nextLong() & ~Pte.FRAME;
          case 2, 3 -> Pte.PRESENT | Pte.USER | Pte.ACCESSED;
          default -> Pte.PRESENT | Pte.USER | Pte.ACCESSED | Pte.RW;
        };
    return Pte.of(frame() & 0xff_ffff_ffffL, 0) | flags;
  }

  int domid() {
    return switch (random.nextInt(10)) {
      case 0 -> (int) (edge() & 0xffff);
      case 1 -> Domid.IO;
      case 2 -> 0;
      case 3, 4 -> 1 + random.nextInt(3);
      default -> Domid.SELF;
    };
  }

  /** The number of a domain that there is, mostly. */
  int peer() {
    return oneIn(10) ? domid() : 1 + random.nextInt(3);
  }

  // --- memory ---

  /** Room for {@code size} bytes, in mapped memory but for one in twenty. */
  long pointer(int size) {
    switch (random.nextInt(60)) {
      case 0:
        return edge();
      case 1:
        return guest.va(guest.pages()) - random.nextInt(16);
      case 2:
        return va();
      default:
        break;
    }
    int bytes = (PLAY - ARGS) * 4096;
    size = Math.min(size, bytes / 2);
    if (cursor + size > bytes) {
      cursor = 0;
    }
    long va = guest.va(ARGS) + cursor;
    cursor += (size + 7) & -8;
    return oneIn(40) ? va + 1 + random.nextInt(7) : va;
  }

  /** A structure of random fields. */
  long garbage(Struct struct) {
    long at = pointer(struct.size());
    for (int i = 0; i + 4 <= struct.size(); i += 4) {
      if (i % 8 == 0 && i + 8 <= struct.size() && oneIn(2)) {
        put64(at + i, any());
        i += 4;
      } else {
        put32(at + i, (int) small());
      }
    }
    return at;
  }

  /** Writes what {@code write} does into the guest's memory; nothing where that is not mapped. */
  void write(Runnable write) {
    try {
      write.run();
    } catch (XenError e) {
      // The hypercall will find it unreadable, too.
    }
  }

  void put64(long va, long value) {
    write(() -> guest.bytes().putLong(va, value));
  }

  void put32(long va, int value) {
    write(() -> guest.bytes().putInt(va, value));
  }

  void put16(long va, int value) {
    write(() -> guest.bytes().putShort(va, (short) value));
  }

  /** What the guest reads there, 0 where nothing is mapped. */
  long get32(long va) {
    try {
      return guest.bytes().getInt(va) & 0xffff_ffffL;
    } catch (XenError e) {
      return 0;
    }
  }
}
