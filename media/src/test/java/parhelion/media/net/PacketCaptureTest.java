package parhelion.media.net;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import parhelion.media.net.Packet.Checksum;
import parhelion.media.net.Packet.Gso;
import parhelion.media.net.VirtualSwitch.PortOptions;

/** Captures, read back by the rules of pcapng, and by tshark where the host has it. */
final class PacketCaptureTest {
  private final Random random = new Random(7);

  /** One block of a pcapng file: its type and its body. */
  record Block(int type, ByteBuffer body) {}

  static List<Block> read(Path file) throws IOException {
    ByteBuffer b = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
    List<Block> blocks = new ArrayList<>();
    while (b.hasRemaining()) {
      int at = b.position();
      int type = b.getInt();
      int length = b.getInt();
      assertEquals(0, length % 4);
      assertEquals(length, b.getInt(at + length - 4), "the length stands at both ends");
      blocks.add(new Block(type, b.slice(at + 8, length - 12).order(ByteOrder.LITTLE_ENDIAN)));
      b.position(at + length);
    }
    return blocks;
  }

  private static final class Sink implements NetworkPort.Receiver {
    boolean room = true;

    @Override
    public boolean receive(Packet packet) {
      return room;
    }

    @Override
    public Offloads offloads() {
      return Offloads.ALL;
    }

    @Override
    public void roomToSend() {}
  }

  @Test
  void whatPassesIsInTheFileOnceWithItsDirectionAndWholeLength(@TempDir Path dir)
      throws IOException {
    VirtualSwitch lan = new VirtualSwitch("lan");
    Path file = dir.resolve("net.pcapng");
    byte[] large = Frames.tcp(random, false, false, false, 60_001);
    byte[] small = Frames.tcp(random, true, false, false, 0);
    Sink a = new Sink();
    Sink b = new Sink();
    try (PacketCapture capture = PacketCapture.to(file)) {
      NetworkPort first = capture.tap("vif 0", lan.plug(PortOptions.PLAIN));
      first.connect(a);
      NetworkPort second = capture.tap("vif \u00e9", lan.plug(PortOptions.PLAIN));
      second.connect(b);
      assertTrue(first.send(new Packet(large, Checksum.BLANK, Gso.TCPV4, 1448)));
      System.arraycopy(large, 0, small, 6, 6);
      System.arraycopy(large, 6, small, 0, 6);
      a.room = false;
      assertFalse(second.send(Packet.of(small)), "what is refused has not passed");
      a.room = true;
      assertTrue(second.send(Packet.of(small)));
      assertNull(capture.failure());
    }
    List<Block> blocks = read(file);
    assertEquals(0x0a0d0d0a, blocks.get(0).type);
    assertEquals(0x1a2b3c4d, blocks.get(0).body.getInt(0));
    assertInterface("vif 0", blocks.get(1));
    assertInterface("vif \u00e9", blocks.get(2));
    List<Block> packets = blocks.stream().filter(each -> each.type == 6).toList();
    // Each is in there twice: as it left one device, and as it reached the other.
    assertEquals(4, packets.size());
    assertPacket(0, 2, large, packets.get(0));
    assertPacket(1, 1, large, packets.get(1));
    assertPacket(1, 2, small, packets.get(2));
    assertPacket(0, 1, small, packets.get(3));
    List<Block> statistics = blocks.stream().filter(each -> each.type == 5).toList();
    assertEquals(2, statistics.size());
    assertEquals(0, statistics.get(0).body.getLong(16), "nothing was missed");
    assertEquals(1 + 2 + 4 + 2, blocks.size());
    tsharkAgrees(file);
  }

  private static void assertInterface(String name, Block block) {
    assertEquals(1, block.type);
    assertEquals(1, block.body.getShort(0), "Ethernet");
    assertEquals(0, block.body.getInt(4), "no limit of length");
    byte[] utf8 = name.getBytes(StandardCharsets.UTF_8);
    assertEquals(utf8.length, block.body.getShort(10));
    byte[] found = new byte[utf8.length];
    block.body.get(12, found);
    assertArrayEquals(utf8, found);
  }

  private static void assertPacket(int device, int direction, byte[] frame, Block block) {
    assertEquals(device, block.body.getInt(0));
    long nanos = (long) block.body.getInt(4) << 32 | block.body.getInt(8) & 0xffff_ffffL;
    long age = System.currentTimeMillis() - nanos / 1_000_000;
    assertTrue(age >= -1000 && age < 3_600_000, "age " + age);
    assertEquals(frame.length, block.body.getInt(12));
    assertEquals(frame.length, block.body.getInt(16));
    byte[] found = new byte[frame.length];
    block.body.get(20, found);
    assertArrayEquals(frame, found);
    int options = 20 + (frame.length + 3 & ~3);
    assertEquals(2, block.body.getShort(options));
    assertEquals(direction, block.body.getInt(options + 4));
  }

  private static void tsharkAgrees(Path file) throws IOException {
    Process tshark;
    try {
      tshark =
          new ProcessBuilder("tshark", "-r", file.toString(), "-T", "fields", "-e", "frame.len")
              .redirectError(ProcessBuilder.Redirect.DISCARD)
              .start();
    } catch (IOException e) {
      Assumptions.abort("the host has no tshark to ask: " + e.getMessage());
      return;
    }
    String lengths = new String(tshark.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals("60067\n60067\n86\n86\n", lengths);
  }

  @Test
  void aFileThatCannotBeWrittenIsAnErrorAtOnceAndLaterStopsTheCaptureAlone(@TempDir Path dir)
      throws IOException {
    assertThrows(IOException.class, () -> PacketCapture.to(dir.resolve("no/such/dir")));
    Path full = Path.of("/dev/full");
    Assumptions.assumeTrue(Files.exists(full), "the host has no /dev/full");
    assertThrows(IOException.class, () -> PacketCapture.to(full));
  }

  private static void drain(RandomAccessFile reader) {
    byte[] buffer = new byte[1 << 16];
    try {
      while (reader.read(buffer) > 0) {
        Thread.onSpinWait();
      }
    } catch (IOException e) {
      // Closed by the test.
    }
  }

  @Test
  void aSlowFileCostsPacketsInTheFileAndNoneInTheNetwork(@TempDir Path dir) throws Exception {
    Path pipe = dir.resolve("pipe");
    Process mkfifo;
    try {
      mkfifo = new ProcessBuilder("mkfifo", pipe.toString()).start();
    } catch (IOException e) {
      Assumptions.abort("the host has no mkfifo: " + e.getMessage());
      return;
    }
    assertEquals(0, mkfifo.waitFor());
    // Open for reading and writing, so that nobody waits for the other end; nobody reads at first.
    try (var reader = new RandomAccessFile(pipe.toFile(), "rw")) {
      PacketCapture capture = PacketCapture.to(pipe);
      VirtualSwitch lan = new VirtualSwitch("lan");
      NetworkPort port = capture.tap("vif", lan.plug(PortOptions.PLAIN));
      byte[] frame = Frames.tcp(random, false, false, false, 60_000);
      for (int i = 0; i < 1000; i++) {
        assertTrue(port.send(Packet.of(frame)));
      }
      assertTrue(capture.missed() > 500, "missed " + capture.missed());
      Thread.ofPlatform().daemon().start(() -> drain(reader));
      capture.close();
      assertNull(capture.failure());
    }
  }
}
