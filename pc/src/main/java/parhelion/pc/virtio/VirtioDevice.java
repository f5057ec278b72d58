package parhelion.pc.virtio;

/** What a device adds to its transport. On the machine's thread. */
interface VirtioDevice {
  VirtioKind kind();

  /** Features of its own, below bit 24; the transport adds those of queues. */
  long features();

  /** The largest size of each queue, powers of two. */
  int[] queueSizes();

  /** Bytes of the device's configuration as they are now. */
  byte[] config();

  /** The driver has written a byte of the configuration. */
  default void configWritten(int offset, int value) {}

  /** The driver is ready; {@code features} are those of its own that it has taken. */
  void start(long features);

  /** The driver has rung the bell of a queue that is enabled, after {@link #start}. */
  void notified(int queue) throws BrokenQueueException;

  /** The driver has reset the device: it forgets its chains, and touches no memory any more. */
  void stop();
}
