package parhelion.xen.event;

import parhelion.xen.Domain;

/** The event channels of one domain. */
public final class EventChannels {
  private final Domain domain;

  public EventChannels(Domain domain) {
    this.domain = domain;
  }

  public Domain domain() {
    return domain;
  }

  /**
   * A new port of this domain whose other end is Java code: {@code onNotify} runs on the
   * scheduler's thread when the guest sends to it. Returns the port; {@link #notifyGuest} signals
   * the guest.
   */
  public int bindToHost(Runnable onNotify) {
    throw new IllegalStateException("not yet");
  }

  /**
   * Marks a port pending; scheduler's thread (others go by {@link parhelion.xen.Hypervisor#post}).
   */
  public void notifyGuest(int port) {
    throw new IllegalStateException("not yet");
  }
}
