package parhelion.app;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** A guest with consoles at a pseudo-terminal, a socket and a file, and programs at their ends. */
@Tag("boot")
@Timeout(value = 20, unit = TimeUnit.MINUTES)
@EnabledOnOs(OS.LINUX)
final class ConsolesTest {
  /** Speaks first, answers three lines of the pseudo-terminal and one of the socket. */
  private static final String GUEST =
      """
      exec 3<>/dev/hvc2 4<>/dev/hvc3 5<>/dev/hvc4
      for n in 2 3 4; do stty -F /dev/hvc$n raw -echo; done
      echo 'said before anybody came' >&3
      read -r line <&3
      echo "1 heard $line" >&3
      read -r line <&4
      echo "socket heard $line" >&4
      echo 'into the file' >&5
      until read -t 1 -r line <&3; do
        echo 'who is there' >&3
      done
      echo "2 heard $line" >&3
      read -r line <&3
      echo "console heard $line"
      """;

  /** Reads a line, types one, and reads the answer. */
  private static final String CLIENT =
      """
      exec 3<>"$1"
      read -r line <&3; echo "$line"
      echo "$2" >&3
      read -r line <&3
      until [ "$line" != "${line#* heard}" ]; do read -r line <&3; done
      echo "$line"
      """;

  @TempDir Path directory;

  private String client(Path terminal, String words) throws IOException, InterruptedException {
    Process client =
        new ProcessBuilder("sh", "-c", CLIENT, "sh", terminal.toString(), words)
            .redirectErrorStream(true)
            .start();
    try (InputStream out = client.getInputStream()) {
      String read = new String(out.readAllBytes(), StandardCharsets.UTF_8);
      assertEquals(0, client.waitFor(), read);
      return read;
    }
  }

  @Test
  void clientsComeAndGoAtATerminalASocketAndAFile() throws Exception {
    Path terminal = directory.resolve("tty");
    Path socket = directory.resolve("socket");
    Path file = directory.resolve("file");
    List<String> arguments =
        List.of(
            "--console",
            "pty:" + terminal,
            "--console",
            "unix:" + socket,
            "--console",
            "file:" + file,
            "--cmd",
            GUEST);
    try (NamedGuest guest = new NamedGuest(directory, "lines", arguments)) {
      Path slave = guest.first(() -> Files.readSymbolicLink(terminal));
      assertTrue(slave.startsWith("/dev/pts"), slave::toString);
      assertEquals(
          "said before anybody came\n1 heard first words\n", client(terminal, "first words"));
      try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
        channel.connect(UnixDomainSocketAddress.of(socket));
        channel.write(ByteBuffer.wrap("plug\n".getBytes(StandardCharsets.UTF_8)));
        InputStream in = Channels.newInputStream(channel);
        byte[] expected = "socket heard plug\n".getBytes(StandardCharsets.UTF_8);
        assertEquals(
            "socket heard plug\n",
            new String(in.readNBytes(expected.length), StandardCharsets.UTF_8));
      }
      assertEquals("who is there\n2 heard more\n", client(terminal, "more"));
      // One who leaves at once is heard, too.
      Process last =
          new ProcessBuilder("sh", "-c", "echo bye >\"$0\"", terminal.toString()).start();
      assertEquals(0, last.waitFor());
      assertEquals(0, guest.end(), guest.text());
      assertTrue(guest.text().contains("console heard bye"), guest.text());
      assertEquals("into the file\n", Files.readString(file));
      assertFalse(Files.exists(terminal, LinkOption.NOFOLLOW_LINKS));
      assertFalse(Files.exists(socket));
    }
  }
}
