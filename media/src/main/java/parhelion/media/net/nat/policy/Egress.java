package parhelion.media.net.nat.policy;

import java.net.InetSocketAddress;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import parhelion.media.net.nat.config.EgressRule;
import parhelion.media.net.nat.config.HostService;
import parhelion.media.net.nat.config.NatConfig;
import parhelion.media.net.nat.config.Transport;
import parhelion.media.net.nat.wire.IpAddress;

/**
 * Where guests may go: outside, unless there is a list; not to the host itself, but for services
 * that the user named. docs/network.md states the rules for users.
 */
public final class Egress {
  /** Names' addresses stay allowed a little longer than their TTL: a client connects after it. */
  private static final long GRACE_SECONDS = 10;

  private static final long MAX_TTL_SECONDS = TimeUnit.DAYS.toSeconds(1);
  private static final int MAX_LEARNED = 4096;

  private final NatConfig config;
  private final LongSupplier clock;
  private final HostAddresses host;

  /** Addresses of allowed names, and until when they are. */
  private final Map<IpAddress, Long> learned =
      new LinkedHashMap<>() {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<IpAddress, Long> eldest) {
          return size() > MAX_LEARNED;
        }
      };

  /** The clock gives nanoseconds. */
  public Egress(NatConfig config, LongSupplier clock) {
    this.config = config;
    this.clock = clock;
    this.host = new HostAddresses(clock);
  }

  /** The socket of the host's side for a guest's flow; null if it may not be. */
  public @Nullable InetSocketAddress target(Transport transport, IpAddress to, int port) {
    if (config.subnet().isGateway(to)) {
      for (HostService service : config.services()) {
        if (service.transport() == transport && service.gatewayPort() == port) {
          return new InetSocketAddress(service.hostAddress().toInet(), service.hostPort());
        }
      }
      return null;
    }
    return allows(to) && port != 0 ? new InetSocketAddress(to.toInet(), port) : null;
  }

  /** Whether an address beyond the gateway may be reached. */
  public boolean allows(IpAddress to) {
    IpAddress address = to.unmapped();
    if (config.subnet().contains(address) || isNoHost(address) || host.isOwn(address)) {
      return false;
    }
    boolean listed = isListed(address);
    // Link-local addresses are the host's neighbourhood: metadata of clouds, for one.
    return address.isLinkLocal() || config.restricted() ? listed : true;
  }

  /** Whether the DNS forwarder may ask for a name. */
  public boolean allowsName(String name) {
    return !config.restricted() || matchesName(name);
  }

  /**
   * The DNS forwarder answered an address for a name: it is allowed for as long, if the name is.
   */
  public void learn(String name, IpAddress address, long ttlSeconds) {
    if (config.restricted() && matchesName(name)) {
      long seconds = Math.clamp(ttlSeconds, 0, MAX_TTL_SECONDS) + GRACE_SECONDS;
      long until = clock.getAsLong() + TimeUnit.SECONDS.toNanos(seconds);
      Long known = learned.remove(address);
      learned.put(address, known != null && known - until > 0 ? known : until);
    }
  }

  private boolean matchesName(String name) {
    for (EgressRule rule : config.allow()) {
      if (rule instanceof EgressRule.Name allowed && allowed.matches(name)) {
        return true;
      }
    }
    return false;
  }

  private boolean isListed(IpAddress address) {
    for (EgressRule rule : config.allow()) {
      if (rule instanceof EgressRule.Range range && range.cidr().contains(address)) {
        return true;
      }
    }
    Long until = learned.get(address);
    if (until == null) {
      return false;
    }
    if (until - clock.getAsLong() < 0) {
      learned.remove(address);
      return false;
    }
    // An allowed name that answers with a link-local address does not open that.
    return !address.isLinkLocal();
  }

  private static boolean isNoHost(IpAddress address) {
    return address.isMulticast() || !address.v6() && address.low() >>> 28 == 0xf;
  }
}
