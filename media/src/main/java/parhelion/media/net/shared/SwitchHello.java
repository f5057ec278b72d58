package parhelion.media.net.shared;

import java.io.IOException;
import java.net.ProtocolException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import parhelion.media.net.MacAddress;
import parhelion.media.net.VirtualSwitch.PortOptions;

/**
 * The first thing that a process says to a switch: 16 bytes that tell a friend from a stray, and
 * how it wants to be plugged in.
 */
final class SwitchHello {
  private static final long MAGIC = 0x7068_7377_6974_6301L;
  private static final int BYTES = 16;
  private static final int ISOLATED = 1;
  private static final int GUARDED = 2;

  private SwitchHello() {}

  static void write(SocketChannel channel, PortOptions options) throws IOException {
    MacAddress only = options.onlyMac();
    int flags = (options.isolated() ? ISOLATED : 0) | (only == null ? 0 : GUARDED);
    ByteBuffer hello = ByteBuffer.allocate(BYTES).putLong(MAGIC);
    hello.putLong((long) flags << 48 | (only == null ? 0 : only.bits())).flip();
    while (hello.hasRemaining()) {
      int unused = channel.write(hello);
    }
  }

  /** The answer: whether it was plugged in. */
  static void answer(SocketChannel channel, boolean pluggedIn) throws IOException {
    int unused = channel.write(ByteBuffer.wrap(new byte[] {(byte) (pluggedIn ? 1 : 0)}));
  }

  /**
   * Waits for the answer.
   *
   * @throws IOException if it was not plugged in
   */
  static void awaitAnswer(SocketChannel channel) throws IOException {
    ByteBuffer answer = ByteBuffer.allocate(1);
    SwitchLink.readFully(channel, answer);
    if (answer.get(0) != 1) {
      throw new IOException("it has too many devices, or one with that address");
    }
  }

  static PortOptions read(SocketChannel channel) throws IOException {
    ByteBuffer hello = ByteBuffer.allocate(BYTES);
    SwitchLink.readFully(channel, hello);
    hello.flip();
    if (hello.getLong() != MAGIC) {
      throw new ProtocolException("not a process that speaks to switches");
    }
    long rest = hello.getLong();
    int flags = (int) (rest >>> 48);
    if ((flags & ~(ISOLATED | GUARDED)) != 0) {
      throw new ProtocolException("unknown options " + flags);
    }
    MacAddress only =
        (flags & GUARDED) == 0 ? null : new MacAddress(rest & MacAddress.BROADCAST.bits());
    return new PortOptions((flags & ISOLATED) != 0, only);
  }
}
