package parhelion.pc.virtio;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import parhelion.pc.FakeBoard;
import parhelion.pc.pci.PciBus;
import parhelion.pc.pci.PciSoftware;
import parhelion.pc.pci.PirqRouter;

/**
 * The driver's side of virtio over PCI, as the specification tells it: finds the structures by
 * capabilities, agrees on features, sets queues up in the board's RAM. Registers and rings can be
 * touched directly, too, to break the rules.
 */
final class VirtioDriver {
  static final int NEXT = 1;
  static final int WRITE = 2;
  static final int INDIRECT = 4;
  private static final int SLOT = 3;
  private static final long BAR = 0xf000_0000L;
  private static final long MSIX = 0xf010_0000L;

  /** A part of a chain. */
  record Part(long address, int length, int flags) {}

  final FakeBoard board;
  final PciSoftware pci;
  final PciBus bus;
  private final int size;
  long common;
  long isr;
  long config;
  long bells;
  private int bellStride;
  private boolean eventIndex;
  private final int[] available = new int[4];
  private final int[] seen = new int[4];
  private final int[] free = new int[4];

  VirtioDriver(FakeBoard board, VirtioPci device, int size) {
    this.board = board;
    this.size = size;
    bus = new PciBus(board, new PirqRouter(board), () -> {});
    bus.plug(SLOT, 0, device.function());
    pci = new PciSoftware(board);
    pci.write(SLOT, 0, 0x14, 4, (int) MSIX);
    pci.write(SLOT, 0, 0x20, 4, (int) BAR);
    pci.enable(SLOT, 0);
    for (int at = pci.capability(SLOT, 0, 9, 0); at != 0; at = pci.capability(SLOT, 0, 9, at)) {
      long address = BAR + pci.read(SLOT, 0, at + 8, 4);
      switch (pci.read(SLOT, 0, at + 3, 1)) {
        case 1 -> common = address;
        case 2 -> {
          bells = address;
          bellStride = pci.read(SLOT, 0, at + 16, 4);
        }
        case 3 -> isr = address;
        case 4 -> config = address;
        default -> {}
      }
    }
  }

  int status() {
    return (int) board.load(common + 20, 1);
  }

  void setStatus(int value) {
    board.store(common + 20, 1, value);
  }

  long offered() {
    board.store(common, 4, 0);
    long low = board.load(common + 4, 4);
    board.store(common, 4, 1);
    return low | board.load(common + 4, 4) << 32;
  }

  /** Resets, and agrees on features; returns whether the device took them. */
  boolean negotiate(long features) {
    setStatus(0);
    setStatus(3);
    board.store(common + 8, 4, 0);
    board.store(common + 12, 4, features & 0xffff_ffffL);
    board.store(common + 8, 4, 1);
    board.store(common + 12, 4, features >>> 32);
    setStatus(11);
    eventIndex = (features & VirtioPci.RING_EVENT_INDEX) != 0;
    return (status() & 8) != 0;
  }

  long table(int queue) {
    return 0x10000 + queue * 0x8000L;
  }

  long availableRing(int queue) {
    return table(queue) + 0x4000;
  }

  long usedRing(int queue) {
    return table(queue) + 0x6000;
  }

  void selectQueue(int queue) {
    board.store(common + 22, 2, queue);
  }

  void setUp(int queue) {
    selectQueue(queue);
    board.memory().fill(table(queue), 0x8000, 0);
    board.store(common + 24, 2, size);
    board.store(common + 32, 8, table(queue));
    board.store(common + 40, 8, availableRing(queue));
    board.store(common + 48, 8, usedRing(queue));
    board.store(common + 28, 2, 1);
    available[queue] = 0;
    seen[queue] = 0;
    free[queue] = 0;
  }

  /** Everything, with these features of the device's own. */
  void start(long features, int queues) {
    assertEquals(true, negotiate(features | VirtioPci.VERSION_1));
    for (int i = 0; i < queues; i++) {
      setUp(i);
    }
    setStatus(15);
    assertEquals(15, status());
  }

  void describe(long at, int index, long address, int length, int flags, int next) {
    long d = at + 16L * index;
    board.memory().put64(d, address);
    board.memory().put32(d + 8, length);
    board.memory().put16(d + 12, flags);
    board.memory().put16(d + 14, next);
  }

  /** Makes a chain available; returns its head. Rings no bell. */
  int add(int queue, Part... parts) {
    int head = free[queue];
    for (int i = 0; i < parts.length; i++) {
      boolean last = i == parts.length - 1;
      int index = (head + i) % size;
      int flags = parts[i].flags | (last ? 0 : NEXT);
      describe(table(queue), index, parts[i].address, parts[i].length, flags, (index + 1) % size);
    }
    free[queue] = (head + parts.length) % size;
    makeAvailable(queue, head);
    return head;
  }

  void makeAvailable(int queue, int head) {
    board.memory().put16(availableRing(queue) + 4 + 2L * (available[queue] % size), head);
    available[queue]++;
    board.memory().put16(availableRing(queue) + 2, available[queue]);
  }

  void ring(int queue) {
    board.store(bells + (long) bellStride * queue, 2, queue);
  }

  /** What the device has given back since this was last asked: heads and lengths. */
  List<int[]> used(int queue) {
    List<int[]> all = new ArrayList<>();
    int end = board.memory().get16(usedRing(queue) + 2);
    while (seen[queue] != end) {
      long at = usedRing(queue) + 4 + 8L * (seen[queue] % size);
      all.add(new int[] {board.memory().get32(at), board.memory().get32(at + 4)});
      seen[queue] = seen[queue] + 1 & 0xffff;
    }
    if (eventIndex) {
      board.memory().put16(availableRing(queue) + 4 + 2L * size, seen[queue]);
    }
    return all;
  }

  boolean needsReset() {
    return (status() & 64) != 0;
  }

  /** Sets MSI-X up: vector i sends data i. */
  void useMsix(int queues) {
    int at = pci.capability(SLOT, 0, 0x11, 0);
    pci.write(SLOT, 0, at + 2, 2, 0x8000);
    for (int i = 0; i <= queues; i++) {
      board.store(MSIX + 16L * i, 4, 0xfee0_0000L);
      board.store(MSIX + 16L * i + 8, 4, i);
      board.store(MSIX + 16L * i + 12, 4, 0);
    }
    board.store(common + 16, 2, queues);
    for (int i = 0; i < queues; i++) {
      selectQueue(i);
      board.store(common + 26, 2, i);
    }
  }

  int pin() {
    return 16 + PirqRouter.wireOf(SLOT, 1);
  }

  int slot() {
    return SLOT;
  }
}
