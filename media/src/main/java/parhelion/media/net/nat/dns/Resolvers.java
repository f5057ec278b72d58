package parhelion.media.net.nat.dns;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/** The host's resolvers: those that the user gave, or those of a file that is read now and then. */
final class Resolvers {
  private static final int PORT = 53;
  private static final int MAX = 3;
  private static final long MAX_AGE_NANOS = TimeUnit.SECONDS.toNanos(10);

  private final List<InetSocketAddress> given;
  private final Path file;
  private final LongSupplier clock;
  private List<InetSocketAddress> read = List.of();
  private long readAt;
  private boolean known;

  Resolvers(List<InetSocketAddress> given, Path file, LongSupplier clock) {
    this.given = given;
    this.file = file;
    this.clock = clock;
  }

  List<InetSocketAddress> all() {
    if (!given.isEmpty()) {
      return given;
    }
    long now = clock.getAsLong();
    if (!known || now - readAt > MAX_AGE_NANOS) {
      known = true;
      readAt = now;
      read = read();
    }
    return read;
  }

  private List<InetSocketAddress> read() {
    List<InetSocketAddress> found = new ArrayList<>();
    try {
      for (String line : Files.readAllLines(file)) {
        String[] words = line.strip().split("\\s+");
        if (words.length >= 2 && words[0].equals("nameserver") && found.size() < MAX) {
          // The host's own file: its scopes (fe80::1%eth0) are right here.
          found.add(new InetSocketAddress(InetAddress.ofLiteral(words[1]), PORT));
        }
      }
    } catch (IOException | IllegalArgumentException unreadable) {
      // What was read before the bad line counts.
    }
    return found;
  }
}
