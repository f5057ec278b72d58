package parhelion.pc.display;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.util.Random;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import parhelion.pc.FakeBoard;
import parhelion.pc.pci.PciBus;
import parhelion.pc.pci.PciSoftware;
import parhelion.pc.pci.PirqRouter;

/** The display by register and memory, and what is seen. */
final class VgaTest {
  private static final long SEED = Long.getLong("parhelion.seed", 1);
  private static final long FRAME_BUFFER = 0xe000_0000L;
  private static final long MMIO = 0xf000_0000L;

  private final FakeBoard board = new FakeBoard(4096);
  private final Vga vga = new Vga(board, new byte[0]);
  private final PciBus bus = new PciBus(board, new PirqRouter(board), () -> {});

  @BeforeEach
  void plugIn() {
    bus.plug(2, 0, vga.function());
    PciSoftware pci = new PciSoftware(board);
    pci.write(2, 0, 0x10, 4, (int) FRAME_BUFFER);
    pci.write(2, 0, 0x18, 4, (int) MMIO);
    pci.enable(2, 0);
  }

  private void set(int port, int index, int value) {
    board.out(port, 2, index | value << 8);
  }

  private int get(int port, int index) {
    board.out(port, 1, index);
    return board.in(port + 1, 1);
  }

  private void vbe(int index, int value) {
    board.out(0x1ce, 2, index);
    board.out(0x1d0, 2, value);
  }

  private int vbe(int index) {
    board.out(0x1ce, 2, index);
    return board.in(0x1cf, 2);
  }

  private static int pixel(Screenshot shot, int x, int y) {
    ByteBuffer png = ByteBuffer.wrap(shot.png());
    assertEquals(0x8950_4e47_0d0a_1a0aL, png.getLong(0));
    assertEquals(shot.width(), png.getInt(16));
    assertEquals(shot.height(), png.getInt(20));
    int length = png.getInt(33);
    Inflater inflater = new Inflater();
    inflater.setInput(shot.png(), 41, length);
    int line = 3 * shot.width() + 1;
    byte[] lines = new byte[line * shot.height()];
    try {
      assertEquals(lines.length, inflater.inflate(lines));
    } catch (DataFormatException e) {
      throw new AssertionError(e);
    } finally {
      inflater.end();
    }
    int at = y * line + 1 + 3 * x;
    return (lines[at] & 0xff) << 16 | (lines[at + 1] & 0xff) << 8 | lines[at + 2] & 0xff;
  }

  @Test
  void textIsSeenFromTheStart() {
    String text = "Hello, VGA";
    for (int i = 0; i < text.length(); i++) {
      board.store(0xb8000 + 160 + 2 * i, 2, text.charAt(i) | 0x1f00);
    }
    board.store(0xb8000, 2, 0xc9 | 0x700);
    Screenshot shot = vga.screenshot();
    assertTrue(shot.text().startsWith("╔\nHello, VGA\n\n"));
    assertEquals(25, shot.text().lines().count());
    assertEquals(720, shot.width());
    assertEquals(400, shot.height());
    assertEquals(0x0000aa, pixel(shot, 9, 20), "the paper is blue");
    assertEquals(0x1f48, board.load(0xb8000 + 160, 2));
  }

  @Test
  void glyphsComeFromPlaneTwoAndTheStartMoves() {
    set(0x3c4, 2, 4);
    set(0x3c4, 4, 6);
    set(0x3ce, 5, 0);
    set(0x3ce, 6, 4);
    for (int i = 0; i < 16; i++) {
      board.store(0xa0000 + 'X' * 32 + i, 1, 0x81);
    }
    set(0x3c4, 2, 3);
    set(0x3c4, 4, 2);
    set(0x3ce, 5, 0x10);
    set(0x3ce, 6, 0x0e);
    board.store(0xb8000 + 2 * 80, 2, 'X' | 0x0a00);
    set(0x3d4, 13, 80);
    set(0x3d4, 10, 0x20);
    Screenshot shot = vga.screenshot();
    assertTrue(shot.text().startsWith("X\n"));
    assertEquals(0x55ff55, pixel(shot, 0, 3));
    assertEquals(0, pixel(shot, 1, 3));
    assertEquals(0x55ff55, pixel(shot, 7, 3));
  }

  @Test
  void registersReadBackAndTheCrtcCanBeProtected() {
    set(0x3ce, 8, 0x5a);
    assertEquals(0x5a, get(0x3ce, 8));
    set(0x3d4, 17, 0x8e);
    set(0x3d4, 0, 1);
    assertEquals(0x5f, get(0x3d4, 0));
    set(0x3d4, 17, 0x0e);
    set(0x3d4, 0, 1);
    assertEquals(1, get(0x3d4, 0));
    assertEquals(0xff, board.in(0x3b5, 1), "no monochrome registers");
    int unused = board.in(0x3da, 1);
    board.out(0x3c0, 1, 0x11);
    board.out(0x3c0, 1, 0x2a);
    unused = board.in(0x3da, 1);
    board.out(0x3c0, 1, 0x11);
    assertEquals(0x2a, board.in(0x3c1, 1));
    board.out(0x3c8, 1, 5);
    for (int part : new int[] {1, 2, 63}) {
      board.out(0x3c9, 1, part);
    }
    board.out(0x3c7, 1, 5);
    assertEquals(1, board.in(0x3c9, 1));
    assertEquals(2, board.in(0x3c9, 1));
    assertEquals(63, board.in(0x3c9, 1));
  }

  @Test
  void writeModesCombineWithTheLatches() {
    set(0x3c4, 4, 6);
    set(0x3ce, 6, 5);
    set(0x3ce, 5, 0);
    set(0x3c4, 2, 15);
    board.store(0xa0000, 1, 0xf0);
    set(0x3ce, 8, 0x0f);
    set(0x3ce, 3, 0x18);
    assertEquals(0xf0, board.load(0xa0000, 1));
    board.store(0xa0000, 1, 0xff);
    set(0x3ce, 8, 0xff);
    set(0x3ce, 3, 0);
    assertEquals(0xff, board.load(0xa0000, 1), "exclusive or of the lower half");
    set(0x3ce, 5, 1);
    board.store(0xa0001, 1, 0);
    set(0x3ce, 5, 0);
    assertEquals(0xff, board.load(0xa0001, 1), "a copy of the latches");
    set(0x3ce, 5, 2);
    board.store(0xa0002, 1, 5);
    set(0x3ce, 5, 8);
    set(0x3ce, 2, 5);
    assertEquals(0xff, board.load(0xa0002, 1), "the colour is found");
    set(0x3ce, 4, 1);
    set(0x3ce, 5, 0);
    assertEquals(0, board.load(0xa0002, 1));
  }

  @Test
  void theLinearFrameBufferIsShown() {
    assertEquals(0xb0c5, vbe(0));
    assertEquals(128, vbe(10));
    vbe(1, 640);
    vbe(2, 480);
    vbe(3, 32);
    vbe(4, 0x41);
    assertEquals(640, vbe(6));
    board.store(FRAME_BUFFER + 4 * (640 * 10 + 20), 4, 0x123456);
    Screenshot shot = vga.screenshot();
    assertEquals(640, shot.width());
    assertEquals(480, shot.height());
    assertEquals("", shot.text());
    assertEquals(0x123456, pixel(shot, 20, 10));
    vbe(9, 10);
    assertEquals(0x123456, pixel(vga.screenshot(), 20, 0));
    assertEquals(640, board.load(MMIO + 0x502, 2));
    vbe(5, 1);
    board.store(0xa0000, 1, 0x77);
    assertEquals(0x77, board.load(FRAME_BUFFER + 0x1_0000, 1));
    vbe(4, 0);
    assertEquals(25, vga.screenshot().text().lines().count());
  }

  @Test
  void theMode13PictureHas256Colours() {
    set(0x3c4, 4, 14);
    set(0x3c4, 2, 15);
    set(0x3ce, 5, 0x40);
    set(0x3ce, 6, 5);
    set(0x3d4, 17, 0);
    set(0x3d4, 9, 0x41);
    board.store(0xa0000 + 320 * 7 + 5, 1, 0x21);
    board.out(0x3c8, 1, 0x21);
    for (int part : new int[] {63, 0, 32}) {
      board.out(0x3c9, 1, part);
    }
    Screenshot shot = vga.screenshot();
    assertEquals(320, shot.width());
    assertEquals(200, shot.height());
    assertEquals(0xff0082, pixel(shot, 5, 7));
  }

  @Test
  void anyRegistersMakeSomePicture() {
    Random random = new Random(SEED);
    int[] ports = {
      0x3c0, 0x3c2, 0x3c4, 0x3c5, 0x3ce, 0x3cf, 0x3d4, 0x3d5, 0x3d4, 0x3d5, 0x1ce, 0x1cf
    };
    for (int i = 0; i < 60_000; i++) {
      switch (random.nextInt(6)) {
        case 0 -> board.store(0xa0000 + random.nextInt(0x2_0000), 1 << random.nextInt(4), i);
        case 1 -> {
          long unused = board.load(0xa0000 + random.nextInt(0x2_0000), 1 << random.nextInt(4));
        }
        case 2 -> {
          int unused = board.in(0x3b0 + random.nextInt(0x30), 1 << random.nextInt(3));
        }
        case 3 ->
            board.store(MMIO + random.nextInt(4096), 1 << random.nextInt(4), random.nextInt());
        default ->
            board.out(
                ports[random.nextInt(ports.length)],
                1 << random.nextInt(2),
                random.nextInt(1 << 16));
      }
      if (i % 2000 == 0) {
        assertTrue(vga.screenshot().width() > 0, "seed " + SEED);
      }
    }
    bus.reset();
    assertEquals(25, vga.screenshot().text().lines().count());
  }
}
