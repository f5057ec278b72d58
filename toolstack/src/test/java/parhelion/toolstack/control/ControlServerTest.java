package parhelion.toolstack.control;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import parhelion.toolstack.UserError;
import parhelion.toolstack.steward.Steward;

/** Names, sockets, requests and answers, without a guest. */
@Timeout(value = 2, unit = TimeUnit.MINUTES)
final class ControlServerTest {
  @TempDir Path directory;
  private GuestNames names;
  private final Recorded guest = new Recorded();

  /** A guest that notes what is asked of it. */
  private static final class Recorded implements ControlledGuest {
    private String asked = "";

    @Override
    public GuestInfo info() {
      return new GuestInfo("web", "kernel", 1, 2.5, 256, 200, 1, false, List.of("xvda"));
    }

    @Override
    public void stop(boolean force) {
      asked = "stop " + force;
    }

    @Override
    public Attached attach(String kind, String device) {
      asked = "attach " + kind + " " + device;
      return new Attached(
          kind.equals("disk") ? "xvdb" : "console2", kind.equals("disk") ? "" : "/dev/pts/7");
    }

    @Override
    public void detach(String device, boolean force) {
      throw new UserError("there is no device " + device);
    }

    @Override
    public void resize(String device, long bytes) {
      asked = "resize " + device + " " + bytes;
    }

    @Override
    public void memory(int mib) {
      asked = "memory " + mib;
    }

    @Override
    public parhelion.toolstack.Screen screen() {
      return new parhelion.toolstack.Screen("text\n", 8, 16, new byte[] {1, 2, 3});
    }

    @Override
    public void type(String text) {
      throw new UserError("no keyboard for " + text);
    }

    @Override
    public Steward steward() {
      throw new UserError("no commands here");
    }
  }

  @BeforeEach
  void open() {
    names = new GuestNames(directory.resolve("run"));
  }

  @Test
  void requestsAreAnswered() throws IOException {
    try (ControlServer _ = ControlServer.open(names, "web", guest);
        ControlClient client = ControlClient.connect(names, "web")) {
      assertEquals(guest.info(), client.info());
      client.ask(new Action.Stop(true));
      assertEquals("stop true", guest.asked);
      assertEquals("xvdb", client.ask(new Action.Attach("disk", "a,ro")).path("device").asText());
      assertEquals("attach disk a,ro", guest.asked);
      assertEquals(
          "/dev/pts/7", client.ask(new Action.Attach("console", "pty")).path("where").asText());
      client.ask(new Action.Resize("xvda", 1L << 40));
      assertEquals("resize xvda 1099511627776", guest.asked);
      client.ask(new Action.Memory(128));
      assertEquals("memory 128", guest.asked);
      UserError e =
          assertThrows(UserError.class, () -> client.ask(new Action.Detach("xvdz", false)));
      assertEquals("web: there is no device xvdz", e.getMessage());
    }
    assertEquals(List.of(), names.running());
  }

  @Test
  void nonsenseIsAnsweredWithAnErrorAndTheConnectionGoesOn() throws IOException {
    try (ControlServer _ = ControlServer.open(names, "web", guest);
        SocketChannel channel = names.connect("web")) {
      for (String line :
          List.of("", "x", "[]", "{}", "{\"action\":\"fly\"}", "{\"action\":\"stop\"}")) {
        channel.write(ByteBuffer.wrap((line + "\n").getBytes(StandardCharsets.UTF_8)));
        String answer = Lines.read(channel);
        assertTrue(answer != null && answer.startsWith("{\"ok\":false"), line + " -> " + answer);
      }
      channel.write(ByteBuffer.wrap("{\"action\":\"info\"}\n".getBytes(StandardCharsets.UTF_8)));
      String answer = Lines.read(channel);
      assertTrue(answer != null && answer.startsWith("{\"ok\":true"), answer);
    }
  }

  @Test
  void aNameBelongsToOneRunningGuest() throws IOException {
    try (ControlServer _ = ControlServer.open(names, "web", guest)) {
      assertEquals(List.of("web"), names.running());
      UserError e = assertThrows(UserError.class, () -> ControlServer.open(names, "web", guest));
      assertTrue(String.valueOf(e.getMessage()).contains("web is running"), e.getMessage());
    }
    ControlServer.open(names, "web", guest).close();
  }

  @Test
  void aSocketThatWasLeftBehindIsRemoved() throws IOException {
    Path left = names.socket("dead");
    ServerSocketChannel killed = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    killed.bind(UnixDomainSocketAddress.of(left));
    killed.close(); // as kill -9 does: the file stays
    assertTrue(Files.exists(left));
    assertEquals(List.of(), names.running());
    assertFalse(Files.exists(left));
    assertThrows(UserError.class, () -> ControlClient.connect(names, "dead"));
  }

  @Test
  void aDirectoryThatOthersMayEnterIsRefused() throws IOException {
    Path open = Files.createDirectory(directory.resolve("open"));
    Files.setPosixFilePermissions(open, PosixFilePermissions.fromString("rwxr-xr-x"));
    assertThrows(UserError.class, () -> new GuestNames(open));
    Path link = Files.createSymbolicLink(directory.resolve("link"), directory.resolve("run"));
    assertThrows(UserError.class, () -> new GuestNames(link));
  }

  @Test
  void namesThatAreNoneAreRefused() {
    for (String name : List.of("", ".", "..", "a/b", "../a", "-x", "a b", "x".repeat(64))) {
      assertThrows(UserError.class, () -> names.socket(name), name);
    }
  }
}
