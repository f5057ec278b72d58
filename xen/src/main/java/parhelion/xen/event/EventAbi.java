package parhelion.xen.event;

/** How pending and masked are represented in memory shared with the guest: two-level or FIFO. */
interface EventAbi {
  /** Ports 0 up to this number can exist. */
  int maxPorts();

  /** A port has been bound. */
  void init(Port port);

  void setPending(Port port);

  void clearPending(Port port);

  void unmask(Port port);

  boolean isPending(Port port);

  boolean isMasked(Port port);

  /** It still hangs in a queue and cannot be given out again. */
  boolean isBusy(Port port);

  /** EINVAL beyond the lowest. */
  void setPriority(Port port, long priority);

  /** Gives its frames back. */
  void destroy();
}
