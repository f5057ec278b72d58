package parhelion.media.net.nat.dns;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import parhelion.media.net.nat.config.NameOverride;
import parhelion.media.net.nat.config.NatConfig;
import parhelion.media.net.nat.config.Subnet;
import parhelion.media.net.nat.wire.IpAddress;

/**
 * Names that the forwarder answers by itself: those that the user gave, the gateway's, the first
 * guest's, and the reverse of the network's addresses. Nothing of that is asked outside.
 */
final class OwnNames {
  static final int TTL_SECONDS = 60;

  private final Subnet subnet;
  private final String domain;
  private final Map<String, List<IpAddress>> addresses = new HashMap<>();
  private final Map<String, String> reverse = new HashMap<>();

  OwnNames(NatConfig config) {
    this.subnet = config.subnet();
    this.domain = config.domain();
    own("gateway", subnet.gateway4(), subnet.gateway6());
    own("host", subnet.gateway4(), subnet.gateway6());
    own("dns", subnet.dns4(), subnet.dns6());
    own(config.hostname(), subnet.firstGuest(), null);
    addresses.put("gateway", addresses.getOrDefault("gateway." + domain, List.of()));
    addresses.put(config.hostname(), List.of(subnet.firstGuest()));
    reverse.put(reversed(subnet.gateway4()), "gateway." + domain);
    reverse.put(reversed(subnet.dns4()), "dns." + domain);
    reverse.put(reversed(subnet.firstGuest()), config.hostname() + "." + domain);
    Map<String, List<IpAddress>> overrides = new HashMap<>();
    for (NameOverride override : config.names()) {
      overrides
          .computeIfAbsent(override.name(), fresh -> new ArrayList<>())
          .add(override.address());
    }
    addresses.putAll(overrides);
  }

  private void own(String name, IpAddress v4, @Nullable IpAddress v6) {
    List<IpAddress> all = new ArrayList<>(List.of(v4));
    if (v6 != null && subnet.ipv6()) {
      all.add(v6);
    }
    addresses.put(name + "." + domain, all);
  }

  private static String reversed(IpAddress v4) {
    long bits = v4.low();
    return (bits & 255)
        + "."
        + (bits >>> 8 & 255)
        + "."
        + (bits >>> 16 & 255)
        + "."
        + (bits >>> 24)
        + ".in-addr.arpa";
  }

  /** The addresses of a name of ours; null if it is none. */
  @Nullable List<IpAddress> addresses(String name) {
    return addresses.get(name);
  }

  /** The answer to a question that is ours; null if it is another's. */
  byte @Nullable [] answer(byte[] query, DnsMessage.Question question) {
    if (!question.isInternet()) {
      return null;
    }
    List<IpAddress> found = addresses.get(question.name());
    if (found != null) {
      boolean v6 = question.type() == DnsMessage.AAAA;
      boolean asked = v6 || question.type() == DnsMessage.A;
      List<byte[]> records =
          found.stream()
              .filter(address -> asked && address.v6() == v6)
              .map(IpAddress::toBytes)
              .toList();
      return DnsMessage.answer(
          query, question, DnsMessage.NO_ERROR, question.type(), records, TTL_SECONDS);
    }
    String named = reverse.get(question.name());
    if (named != null && question.type() == DnsMessage.PTR) {
      List<byte[]> records = List.of(DnsMessage.name(named));
      return DnsMessage.answer(
          query, question, DnsMessage.NO_ERROR, DnsMessage.PTR, records, TTL_SECONDS);
    }
    return isOurs(question.name()) ? DnsMessage.answer(query, DnsMessage.NO_SUCH_NAME) : null;
  }

  private boolean isOurs(String name) {
    if (name.equals(domain) || name.endsWith("." + domain)) {
      return true;
    }
    if (name.endsWith(".in-addr.arpa")) {
      String[] parts = name.split("\\.");
      IpAddress address =
          parts.length == 6
              ? IpAddress.parse(parts[3] + "." + parts[2] + "." + parts[1] + "." + parts[0])
              : null;
      return address != null && subnet.v4().contains(address);
    }
    return name.endsWith(reversedPrefix());
  }

  /** The prefix of IPv6, its 16 digits from the last to the first. */
  private String reversedPrefix() {
    StringBuilder digits = new StringBuilder();
    for (int shift = 0; shift < 64; shift += 4) {
      digits.append('.').append(Long.toHexString(subnet.v6().base().high() >>> shift & 15));
    }
    return digits.append(".ip6.arpa").toString();
  }
}
