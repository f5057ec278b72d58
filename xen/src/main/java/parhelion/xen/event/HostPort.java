package parhelion.xen.event;

/**
 * The far end of a guest's event channel in Java: a backend's. {@code onNotify} runs on the
 * scheduler's thread, inside the guest's send; the methods here are for that thread too.
 */
public final class HostPort {
  private final EventChannels channels;
  private final Port port;
  private final Runnable onNotify;
  private boolean open = true;

  HostPort(EventChannels channels, Port port, Runnable onNotify) {
    this.channels = channels;
    this.port = port;
    this.onNotify = onNotify;
  }

  /** The guest's port number. */
  public int port() {
    return port.number;
  }

  /** False once the guest has closed its end, or {@link #close} was called. */
  public boolean isOpen() {
    return open;
  }

  /** Marks the guest's port pending; without effect when closed. */
  public void notifyGuest() {
    if (open) {
      channels.setPending(port);
    }
  }

  /** Closes this end: the guest's port becomes unbound, open to be bound again. */
  public void close() {
    if (open) {
      open = false;
      channels.hostClosed(port);
    }
  }

  void notifyHost() {
    onNotify.run();
  }

  void guestClosed() {
    open = false;
  }
}
