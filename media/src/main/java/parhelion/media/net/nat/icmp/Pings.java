package parhelion.media.net.nat.icmp;

import java.io.IOException;
import java.util.function.Consumer;
import parhelion.media.net.nat.loop.EventLoop;
import parhelion.media.net.nat.wire.IpAddress;

/**
 * Asks whether others are there, by what the host lets an ordinary user do: {@link
 * java.net.InetAddress#isReachable} sends an echo request where the process may, and else tries
 * TCP's echo port, where a refusal is an answer, too. That blocks, so virtual threads do it.
 */
public final class Pings {
  private static final int TIMEOUT_MILLIS = 3000;

  private final EventLoop loop;
  private final int max;
  private int running;

  public Pings(EventLoop loop, int max) {
    this.loop = loop;
    this.max = max;
  }

  /** Asks; the answer comes in a later turn. False if too many are being asked for. */
  boolean ask(IpAddress whom, Consumer<Boolean> answer) {
    if (running >= max) {
      return false;
    }
    running++;
    Thread.ofVirtual()
        .name("ping " + whom)
        .start(
            () -> {
              boolean reached = isReachable(whom);
              loop.post(
                  () -> {
                    running--;
                    answer.accept(reached);
                  });
            });
    return true;
  }

  private static boolean isReachable(IpAddress whom) {
    try {
      return whom.toInet().isReachable(TIMEOUT_MILLIS);
    } catch (IOException unreachable) {
      return false;
    }
  }
}
