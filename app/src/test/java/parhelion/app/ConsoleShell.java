package parhelion.app;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** A shell in a PC's system, at its first virtio console, which is behind a socket. */
final class ConsoleShell implements AutoCloseable {
  /** What the guest is to run for it. */
  static final String COMMANDS =
      "sh -c 'stty raw -echo; echo ready; while read -r line; do eval \"$line\"; done'"
          + " </dev/hvc0 >/dev/hvc0 2>&1";

  private final SocketChannel channel;
  private final StringBuilder said = new StringBuilder();
  private int asked;

  ConsoleShell(Path socket) throws IOException {
    channel = SocketChannel.open(UnixDomainSocketAddress.of(socket));
    readTo("ready\n");
  }

  /** Runs a line; what it prints. */
  String ask(String line) throws IOException {
    String end = "end" + asked++ + "\n";
    String typed = line + "; echo " + end;
    channel.write(ByteBuffer.wrap(typed.getBytes(StandardCharsets.US_ASCII)));
    return readTo(end);
  }

  private String readTo(String end) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(4096);
    while (!said.toString().endsWith(end)) {
      assertTrue(channel.read(bytes.clear()) >= 0, () -> "it ended: " + said);
      said.append(new String(bytes.array(), 0, bytes.position(), StandardCharsets.US_ASCII));
    }
    String answer = said.substring(0, said.length() - end.length());
    said.setLength(0);
    return answer;
  }

  /** Runs the last line. */
  void leave() throws IOException {
    channel.write(ByteBuffer.wrap("exit 7\n".getBytes(StandardCharsets.US_ASCII)));
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
