package parhelion.media.net.nat.config;

/**
 * How much a guest can make a NAT hold.
 *
 * @param inboundPackets packets from the device that wait for the NAT
 * @param inboundBytes the same in bytes
 * @param outboundPackets packets that wait for room in the device
 * @param tcpConnections connections, those that linger after their end included
 * @param halfOpen connections that are being opened
 * @param receiveBufferBytes of a connection, from the guest to the host: the largest window
 * @param sendBufferBytes of a connection, from the host to the guest: the most in flight
 * @param bufferBytes of all connections together, each way
 * @param outOfOrderSegments of a connection
 * @param udpFlows flows of UDP
 * @param dnsQueries queries that wait for an answer
 * @param dnsStreams connections to the forwarder
 * @param fragmentBytes of incomplete datagrams
 * @param pings echo requests that wait for an answer
 * @param guests guests whose addresses are known
 */
public record NatLimits(
    int inboundPackets,
    int inboundBytes,
    int outboundPackets,
    int tcpConnections,
    int halfOpen,
    int receiveBufferBytes,
    int sendBufferBytes,
    long bufferBytes,
    int outOfOrderSegments,
    int udpFlows,
    int dnsQueries,
    int dnsStreams,
    int fragmentBytes,
    int pings,
    int guests) {
  public static final NatLimits DEFAULT =
      new NatLimits(
          1024, 16 << 20, 1024, 4096, 256, 1 << 20, 1 << 20, 64L << 20, 512, 512, 256, 32, 1 << 20,
          32, 64);
}
