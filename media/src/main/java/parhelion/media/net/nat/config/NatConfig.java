package parhelion.media.net.nat.config;

import java.net.InetSocketAddress;
import java.util.List;

/**
 * All that a user may say of a NAT.
 *
 * @param hostname the first guest's name
 * @param domain what guests' names and the gateway's are in
 * @param mtu of the guests' link, in bytes of IP
 * @param restricted whether only {@code allow} may be reached
 * @param services what of the host itself may be reached
 * @param resolvers what DNS queries are forwarded to; none: those of /etc/resolv.conf
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
    return new NatConfig(
        changed,
        hostname,
        domain,
        mtu,
        restricted,
        allow,
        services,
        forwards,
        names,
        resolvers,
        limits,
        timeouts);
  }

  public NatConfig withHostname(String changed) {
    return new NatConfig(
        subnet,
        changed,
        domain,
        mtu,
        restricted,
        allow,
        services,
        forwards,
        names,
        resolvers,
        limits,
        timeouts);
  }

  public NatConfig withMtu(int changed) {
    return new NatConfig(
        subnet,
        hostname,
        domain,
        changed,
        restricted,
        allow,
        services,
        forwards,
        names,
        resolvers,
        limits,
        timeouts);
  }

  /** Closes everything but these; an empty list closes everything. */
  public NatConfig withAllow(List<EgressRule> rules) {
    return new NatConfig(
        subnet, hostname, domain, mtu, true, rules, services, forwards, names, resolvers, limits,
        timeouts);
  }

  public NatConfig withServices(List<HostService> changed) {
    return new NatConfig(
        subnet,
        hostname,
        domain,
        mtu,
        restricted,
        allow,
        changed,
        forwards,
        names,
        resolvers,
        limits,
        timeouts);
  }

  public NatConfig withForwards(List<PortForward> changed) {
    return new NatConfig(
        subnet,
        hostname,
        domain,
        mtu,
        restricted,
        allow,
        services,
        changed,
        names,
        resolvers,
        limits,
        timeouts);
  }

  public NatConfig withNames(List<NameOverride> changed) {
    return new NatConfig(
        subnet,
        hostname,
        domain,
        mtu,
        restricted,
        allow,
        services,
        forwards,
        changed,
        resolvers,
        limits,
        timeouts);
  }

  public NatConfig withResolvers(List<InetSocketAddress> changed) {
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
        changed,
        limits,
        timeouts);
  }

  public NatConfig withLimits(NatLimits changed) {
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
        changed,
        timeouts);
  }

  public NatConfig withTimeouts(NatTimeouts changed) {
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
        limits,
        changed);
  }
}
