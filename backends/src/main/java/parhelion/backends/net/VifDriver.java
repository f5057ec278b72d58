package parhelion.backends.net;

import java.util.Map;
import org.jspecify.annotations.Nullable;
import parhelion.backends.Frontend;
import parhelion.backends.xenbus.XenbusDevice;
import parhelion.backends.xenbus.XenbusDriver;
import parhelion.media.net.NetworkPort;
import parhelion.media.net.Offloads;
import parhelion.media.net.Packet;

/**
 * The backend of a network device: what it can do is offered in the store; while a frontend is
 * connected a {@link Vif} serves it, and otherwise packets for it are dropped, as on a cable that
 * nobody has plugged in.
 */
public final class VifDriver implements XenbusDriver {
  /** Pairs of rings that a guest may use; it takes one for each vcpu, up to these. */
  public static final int MAX_QUEUES = 8;

  private final Frontend guest;
  private final NetworkPort network;
  private final VifCounts counts = new VifCounts();
  private volatile @Nullable Vif vif;

  /**
   * A device that is plugged into {@code network}, in place of what was before; the network is the
   * caller's to close.
   *
   * @param guest whose device it is
   */
  public VifDriver(Frontend guest, NetworkPort network) {
    this.guest = guest;
    this.network = network;
    network.connect(
        new NetworkPort.Receiver() {
          @Override
          public boolean receive(Packet packet) {
            Vif connected = vif;
            if (connected == null) {
              counts.missed++;
              return true;
            }
            return connected.receive(packet);
          }

          /** What the guest does not take is done here. */
          @Override
          public Offloads offloads() {
            return Offloads.ALL;
          }

          @Override
          public void roomToSend() {
            Vif connected = vif;
            if (connected != null) {
              connected.wake();
            }
          }
        });
  }

  @Override
  public void offer(XenbusDevice device) {
    device.toFrontend("feature-sg", "1");
    device.toFrontend("feature-gso-tcpv4", "1");
    device.toFrontend("feature-gso-tcpv6", "1");
    device.toFrontend("feature-ipv6-csum-offload", "1");
    device.toFrontend("feature-rx-copy", "1");
    device.toFrontend("feature-rx-flip", "0");
    device.toFrontend("feature-multicast-control", "1");
    device.toFrontend("feature-split-event-channels", "1");
    device.toFrontend("multi-queue-max-queues", Integer.toString(MAX_QUEUES));
    device.toFrontend("hotplug-status", "connected");
  }

  @Override
  public void connect(XenbusDevice device) throws RefusedException {
    vif =
        Vif.connect(
            device,
            guest,
            network,
            MAX_QUEUES,
            reason -> device.fail(device + " was turned off: " + reason),
            counts);
  }

  @Override
  public void disconnect(XenbusDevice device) {
    Vif connected = vif;
    vif = null;
    if (connected != null) {
      connected.disconnect();
      // Whoever waits for room: from now on everything is taken, and dropped.
      network.roomToReceive();
    }
  }

  @Override
  public Map<String, Long> counts() {
    Map<String, Long> all = counts.asMap();
    all.putAll(network.counts());
    return all;
  }
}
