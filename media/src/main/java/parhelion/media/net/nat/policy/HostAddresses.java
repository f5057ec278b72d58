package parhelion.media.net.nat.policy;

import java.net.NetworkInterface;
import java.net.SocketException;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import parhelion.media.net.nat.wire.IpAddress;

/** The addresses that the host itself has, asked for anew when they are older than a second. */
public final class HostAddresses {
  private static final long MAX_AGE_NANOS = TimeUnit.SECONDS.toNanos(1);

  private final LongSupplier clock;
  private Set<IpAddress> addresses = Set.of();
  private long askedAt;
  private boolean asked;

  public HostAddresses(LongSupplier clock) {
    this.clock = clock;
  }

  /** Whether packets to this address end on this host. */
  public boolean isOwn(IpAddress address) {
    return isLoopback(address) || address.isUnspecified() || all().contains(address);
  }

  private static boolean isLoopback(IpAddress address) {
    return address.v6()
        ? address.high() == 0 && address.low() == 1
        : address.low() >>> 24 == 127 || address.low() >>> 24 == 0;
  }

  private Set<IpAddress> all() {
    long now = clock.getAsLong();
    if (!asked || now - askedAt > MAX_AGE_NANOS) {
      try {
        Set<IpAddress> found = new HashSet<>();
        NetworkInterface.networkInterfaces()
            .flatMap(NetworkInterface::inetAddresses)
            .forEach(address -> found.add(IpAddress.of(address)));
        addresses = found;
      } catch (SocketException unknown) {
        // Those that were known last time are the best there is.
      }
      askedAt = now;
      asked = true;
    }
    return addresses;
  }
}
