package parhelion.media.net.nat.udp;

import java.io.IOException;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import org.jspecify.annotations.Nullable;
import parhelion.media.net.nat.ip.FlowKey;

/**
 * One flow of UDP and its socket of the host.
 *
 * @param client the other end, if the socket is a forward's, which many share; null if the socket
 *     is this flow's own and connected
 */
record UdpFlow(FlowKey key, DatagramChannel channel, @Nullable SocketAddress client) {
  void send(ByteBuffer payload) throws IOException {
    if (client == null) {
      channel.write(payload);
    } else {
      channel.send(payload, client);
    }
  }
}
