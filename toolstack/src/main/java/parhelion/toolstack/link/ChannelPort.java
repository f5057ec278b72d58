package parhelion.toolstack.link;

import parhelion.abi.Errno;
import parhelion.backends.Port;
import parhelion.xen.Domain;
import parhelion.xen.Hypervisor;
import parhelion.xen.XenError;
import parhelion.xen.event.HostPort;

/**
 * A backend's end of an event channel. {@link #notifyGuest} and {@link #close} may be called by any
 * thread: they take effect between slices.
 */
public final class ChannelPort implements Port {
  private static final long NEW = -1;

  private final Hypervisor hypervisor;
  private final HostPort channel;
  private volatile Runnable onEvent = () -> {};

  private ChannelPort(Domain d, long remote) {
    hypervisor = d.hypervisor();
    Runnable relay = () -> onEvent.run();
    channel = remote == NEW ? d.events().bindToHost(relay) : d.events().bindHost(remote, relay);
  }

  /** A new port of {@code d}, bound to the host. */
  public static ChannelPort allocate(Domain d) {
    return new ChannelPort(d, NEW);
  }

  /**
   * Binds to a port that the guest has opened for dom0 and told a backend of.
   *
   * @throws parhelion.xen.XenError EINVAL if it is no such port
   */
  public static ChannelPort bind(Domain d, long remotePort) {
    if (remotePort < 0) {
      throw new XenError(Errno.EINVAL);
    }
    return new ChannelPort(d, remotePort);
  }

  /** The guest's number of the port. */
  public int number() {
    return channel.port();
  }

  /** Names what is to be called, on the scheduler's thread, when the guest raises the event. */
  public void onEvent(Runnable action) {
    onEvent = action;
  }

  @Override
  public void notifyGuest() {
    hypervisor.post(channel::notifyGuest);
  }

  @Override
  public void close() {
    onEvent = () -> {};
    hypervisor.post(channel::close);
  }
}
