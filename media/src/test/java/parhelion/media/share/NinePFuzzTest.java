package parhelion.media.share;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Messages of any kind: each gets an answer, none an effect outside of the directory. */
class NinePFuzzTest {
  private static final byte[][] WORDS = {
    "..".getBytes(),
    ".".getBytes(),
    "a".getBytes(),
    "link".getBytes(),
    "d".getBytes(),
    "../../outside".getBytes(),
    "user.x".getBytes(),
    new byte[0],
    "f".getBytes()
  };

  @TempDir Path host;

  private static ByteBuffer random(Random random) {
    NinePType[] types = NinePType.values();
    ByteBuffer m = ByteBuffer.allocateDirect(8192).order(ByteOrder.LITTLE_ENDIAN);
    int type =
        random.nextInt(20) == 0
            ? random.nextInt(256)
            : types[random.nextInt(types.length)].number();
    if (type == 100 && random.nextInt(50) != 0) {
      type = 110;
    }
    m.putInt(0).put((byte) type).putShort((short) random.nextInt(8));
    int parts = random.nextInt(12);
    for (int i = 0; i < parts; i++) {
      switch (random.nextInt(6)) {
        case 0, 1 -> m.putInt(random.nextInt(6));
        case 2 -> m.putShort((short) random.nextInt(4));
        case 3 -> m.putInt(random.nextInt());
        case 4 -> m.putLong(random.nextInt(100));
        default -> {
          byte[] word = WORDS[random.nextInt(WORDS.length)];
          m.putShort((short) word.length).put(word);
        }
      }
    }
    m.flip();
    m.putInt(0, m.limit());
    return m;
  }

  @Test
  void everyMessageIsAnsweredAndNothingOutsideIsTouched() throws IOException {
    assumeTrue(HostTree.isAvailable());
    Path shared = Files.createDirectory(host.resolve("shared"));
    Path outside = Files.createDirectory(host.resolve("outside"));
    Files.writeString(outside.resolve("f"), "outside");
    Random random = new Random(Long.getLong("parhelion.seed", 1));
    ByteBuffer answer = ByteBuffer.allocateDirect(1 << 20).order(ByteOrder.LITTLE_ENDIAN);
    for (Ownership ownership : new Ownership[] {Ownership.USER_IS_ROOT, Ownership.PASSTHROUGH}) {
      try (HostTree tree = HostTree.open(shared, ownership, false);
          NinePClient client = NinePClient.attached(tree, 0)) {
        client.walk(0, 1);
        for (int i = 0; i < 20_000; i++) {
          ByteBuffer message = random(random);
          int tag = message.getShort(5);
          client.session().serve(message, answer);
          assertEquals(answer.limit(), answer.getInt(0));
          assertTrue(answer.limit() >= 7 && answer.limit() <= 65536);
          assertEquals(tag, answer.getShort(5));
          if (i % 500 == 0) {
            recover(client);
          }
        }
      }
      assertEquals(0, Descriptors.used(), "no descriptor is left over");
    }
    assertEquals("outside", Files.readString(outside.resolve("f")));
    try (var list = Files.list(outside)) {
      assertEquals(1, list.count());
    }
  }

  /** So that there is something to work on again. */
  private static void recover(NinePClient client) {
    for (int fid = 0; fid < 6; fid++) {
      try {
        client.clunk(fid);
      } catch (NinePClient.Refused e) {
        // There was none.
      }
    }
    try {
      client.attach(0, 0);
      client.walk(0, 1);
      client.symlink(1, "link", "../outside");
    } catch (NinePClient.Refused e) {
      // A smaller message size was agreed on, or the link is there.
    }
  }

  @Test
  void aServerAnswersManyRequestsAtOnceFlushesAndNewVersionsAmongThem() throws Exception {
    assumeTrue(HostTree.isAvailable());
    Random random = new Random(Long.getLong("parhelion.seed", 1));
    LinkedBlockingQueue<NinePServer.Answer> answers = new LinkedBlockingQueue<>();
    try (HostTree tree = HostTree.open(host, Ownership.USER_IS_ROOT, false);
        NinePServer server = new NinePServer(tree, "test")) {
      int sent = 0;
      int received = 0;
      while (sent < 5000 || received < sent) {
        if (sent < 5000 && server.hasRoom()) {
          ByteBuffer message = server.buffer(8192);
          message.put(random(random)).flip();
          server.submit(message, answers::add);
          sent++;
        } else {
          NinePServer.Answer answer = answers.poll(60, TimeUnit.SECONDS);
          assertTrue(answer != null, "all are answered: " + received + " of " + sent);
          assertEquals(answer.message().limit(), answer.message().getInt(0));
          answer.done();
          received++;
        }
      }
      assertTrue(server.hasRoom(), "the room is given back");
    }
  }
}
