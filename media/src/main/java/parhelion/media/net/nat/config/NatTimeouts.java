package parhelion.media.net.nat.config;

import java.time.Duration;

/**
 * How long a NAT waits for what.
 *
 * @param connect for a host's socket to connect, and for a guest to answer a SYN or SYN-ACK
 * @param keepalive how long a connection is silent before the guest is asked whether it is there
 * @param keepaliveInterval between such questions; the tenth without an answer ends the connection
 * @param timeWait how long a closed connection answers late segments
 * @param udp how long a flow of UDP is kept in silence
 * @param dns for a resolver's answer, before the next is asked
 * @param lease of DHCP
 */
public record NatTimeouts(
    Duration connect,
    Duration keepalive,
    Duration keepaliveInterval,
    Duration timeWait,
    Duration udp,
    Duration dns,
    Duration lease) {
  public static final NatTimeouts DEFAULT =
      new NatTimeouts(
          Duration.ofSeconds(75),
          Duration.ofHours(2),
          Duration.ofSeconds(75),
          Duration.ofSeconds(15),
          Duration.ofSeconds(120),
          Duration.ofSeconds(3),
          Duration.ofHours(24));
}
