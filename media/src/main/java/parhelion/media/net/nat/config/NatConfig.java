package parhelion.media.net.nat.config;

import java.net.InetSocketAddress;
import java.util.List;
import java.util.function.Consumer;

/**
 * All that a user may say of a NAT.
 *
 * @param hostname the first guest's name
 * @param domain what guests' names and the gateway's are in
 * @param mtu of the guests' link, in bytes of IP
 * @param restricted whether only {@code allow} may be reached
 * @param services what of the host itself may be reached
 * @param resolvers what DNS queries are forwarded to; none: those of /etc/resolv.conf
 * @param boot what a machine without a disk starts
 */
public record NatConfig(
    Subnet subnet,
    String hostname,
    String domain,
    int mtu,
    boolean restricted,
    List<EgressRule> allow,
    List<HostService> services,
    List<PortForward> forwards,
    List<NameOverride> names,
    List<InetSocketAddress> resolvers,
    NetworkBoot boot,
    NatLimits limits,
    NatTimeouts timeouts) {
  /** IPv6 asks for so much. */
  public static final int MIN_MTU = 1280;

  public static final int MAX_MTU = 65521;

  public static final NatConfig DEFAULT =
      new NatConfig(
          Subnet.DEFAULT,
          "guest",
          "parhelion.internal",
          1500,
          false,
          List.of(),
          List.of(),
          List.of(),
          List.of(),
          List.of(),
          NetworkBoot.NONE,
          NatLimits.DEFAULT,
          NatTimeouts.DEFAULT);

  public NatConfig {
    if (mtu < MIN_MTU || mtu > MAX_MTU) {
      throw new NatException("MTU " + mtu + ": " + MIN_MTU + " to " + MAX_MTU + " are possible");
    }
    if (!HostNames.isName(hostname) || !HostNames.isName(domain)) {
      throw new NatException("host name " + hostname + "." + domain + ": no name of DNS");
    }
    allow = List.copyOf(allow);
    services = List.copyOf(services);
    forwards = List.copyOf(forwards);
    names = List.copyOf(names);
    resolvers = List.copyOf(resolvers);
  }

  public NatConfig withSubnet(Subnet changed) {
    return with(fields -> fields.subnet = changed);
  }

  public NatConfig withHostname(String changed) {
    return with(fields -> fields.hostname = changed);
  }

  public NatConfig withMtu(int changed) {
    return with(fields -> fields.mtu = changed);
  }

  /** Closes everything but these; an empty list closes everything. */
  public NatConfig withAllow(List<EgressRule> rules) {
    return with(
        fields -> {
          fields.restricted = true;
          fields.allow = rules;
        });
  }

  public NatConfig withServices(List<HostService> changed) {
    return with(fields -> fields.services = changed);
  }

  public NatConfig withForwards(List<PortForward> changed) {
    return with(fields -> fields.forwards = changed);
  }

  public NatConfig withNames(List<NameOverride> changed) {
    return with(fields -> fields.names = changed);
  }

  public NatConfig withResolvers(List<InetSocketAddress> changed) {
    return with(fields -> fields.resolvers = changed);
  }

  public NatConfig withBoot(NetworkBoot changed) {
    return with(fields -> fields.boot = changed);
  }

  public NatConfig withLimits(NatLimits changed) {
    return with(fields -> fields.limits = changed);
  }

  public NatConfig withTimeouts(NatTimeouts changed) {
    return with(fields -> fields.timeouts = changed);
  }

  private NatConfig with(Consumer<Fields> change) {
    Fields fields = new Fields(this);
    change.accept(fields);
    return fields.config();
  }

  /** A configuration that is being changed. */
  private static final class Fields {
    private final String domain;
    private Subnet subnet;
    private String hostname;
    private int mtu;
    private boolean restricted;
    private List<EgressRule> allow;
    private List<HostService> services;
    private List<PortForward> forwards;
    private List<NameOverride> names;
    private List<InetSocketAddress> resolvers;
    private NetworkBoot boot;
    private NatLimits limits;
    private NatTimeouts timeouts;

    Fields(NatConfig from) {
      domain = from.domain;
      subnet = from.subnet;
      hostname = from.hostname;
      mtu = from.mtu;
      restricted = from.restricted;
      allow = from.allow;
      services = from.services;
      forwards = from.forwards;
      names = from.names;
      resolvers = from.resolvers;
      boot = from.boot;
      limits = from.limits;
      timeouts = from.timeouts;
    }

    NatConfig config() {
      return new NatConfig(
          subnet,
          hostname,
          domain,
          mtu,
          restricted,
          allow,
          services,
          forwards,
          names,
          resolvers,
          boot,
          limits,
          timeouts);
    }
  }
}
