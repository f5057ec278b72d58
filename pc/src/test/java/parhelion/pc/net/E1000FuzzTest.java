package parhelion.pc.net;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.junit.jupiter.api.Test;
import parhelion.media.net.MacAddress;
import parhelion.media.net.Offloads;
import parhelion.media.net.Packet;
import parhelion.media.net.SoftwareOffload;
import parhelion.pc.FakeBoard;
import parhelion.pc.pci.PciBus;
import parhelion.pc.pci.PciSoftware;
import parhelion.pc.pci.PirqRouter;

/** A driver of the card that does anything: nothing is thrown, and every packet sent is sound. */
final class E1000FuzzTest {
  private static final long SEED = Long.getLong("parhelion.seed", 1);
  private static final int STEPS = 60_000;
  private static final long BASE = 0xf000_0000L;
  private static final int[] REGISTERS = {
    0, 0x10, 0x14, 0x20, 0xc0, 0xc4, 0xc8, 0xd0, 0xd8, 0x100, 0x400, 0x2800, 0x2804, 0x2808, 0x2810,
    0x2818, 0x2820, 0x282c, 0x3800, 0x3804, 0x3808, 0x3810, 0x3818, 0x3820, 0x5000, 0x5200, 0x5400
  };

  private final Random random = new Random(SEED);

  private int value() {
    return switch (random.nextInt(4)) {
      case 0 -> random.nextInt();
      case 1 -> 1 << random.nextInt(32);
      default -> random.nextInt(256);
    };
  }

  @Test
  void nothingIsThrown() {
    FakeBoard board = new FakeBoard(1 << 20);
    FakeNetwork network = new FakeNetwork();
    E1000 card = new E1000(board, "e1000", network, new MacAddress(0x5254_0000_0001L));
    PciBus bus = new PciBus(board, new PirqRouter(board), () -> {});
    bus.plug(3, 0, card.function());
    PciSoftware pci = new PciSoftware(board);
    pci.write(3, 0, 0x10, 4, (int) BASE);
    pci.enable(3, 0);
    int sent = 0;
    for (int step = 0; step < STEPS; step++) {
      switch (random.nextInt(8)) {
        case 0 -> {
          int register =
              random.nextInt(4) == 0
                  ? random.nextInt(0x2_0000)
                  : REGISTERS[random.nextInt(REGISTERS.length)];
          board.store(BASE + register, 1 << random.nextInt(4), value());
        }
        case 1 -> {
          long unused = board.load(BASE + random.nextInt(0x2_0000), 1 << random.nextInt(4));
        }
        case 2 -> {
          for (int ring : new int[] {0x2800, 0x3800}) {
            board.store(BASE + ring, 8, 0x1000 + ring);
            board.store(BASE + ring + 8, 4, 16 * 16);
            board.store(BASE + ring + 0x10, 4, random.nextInt(16));
          }
          board.store(BASE + 0x400, 4, 2);
          board.store(BASE + 0x100, 4, 2 | random.nextInt());
        }
        case 3 -> {
          byte[] frame = random.nextBoolean() ? TestFrames.tcp(random.nextInt(1400)) : new byte[60];
          frame[random.nextInt(60)] = (byte) random.nextInt();
          boolean unused = network.receiver().receive(Packet.of(frame));
        }
        case 4 -> board.advance(random.nextInt(1_000_000));
        default -> {
          byte[] frame = TestFrames.tcp(random.nextInt(3000));
          frame[12 + random.nextInt(42)] = (byte) random.nextInt();
          board.memory().put(0x20000, frame);
          for (int i = 0; i < 16; i++) {
            long at = 0x4800 + 16L * i;
            boolean wild = random.nextInt(16) == 0;
            board.memory().put64(at, wild ? random.nextLong() : 0x20000 + 54 * (i % 2));
            int length = random.nextInt(16) == 0 ? random.nextInt() & 0xf_ffff : frame.length;
            int command = random.nextBoolean() ? 0x20 | random.nextInt(256) : random.nextInt(256);
            board.memory().put32(at + 8, length | random.nextInt(3) << 20 | command << 24);
            board.memory().put32(at + 12, random.nextInt());
          }
          board.store(BASE + 0x3818, 4, random.nextInt(20));
        }
      }
      board.runPosted();
      for (Packet packet : network.sent) {
        assertTrue(SoftwareOffload.isSound(packet), "seed " + SEED);
        assertTrue(packet.bytes().length <= Packet.MAX_BYTES + 4, "seed " + SEED);
        assertTrue(!SoftwareOffload.complete(packet, Offloads.NONE).isEmpty(), "seed " + SEED);
      }
      sent += network.sent.size();
      network.sent.clear();
    }
    assertTrue(sent > 100, "seed " + SEED + " sent " + sent);
  }
}
