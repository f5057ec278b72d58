package parhelion.pc.virtio;

import parhelion.pc.Board;
import parhelion.pc.GuestMemory;
import parhelion.pc.pci.MsixCapability;
import parhelion.pc.pci.PciFunction;
import parhelion.pc.pci.PciIdentity;

/**
 * Virtio over PCI (section 4.1): a function whose capabilities point at four structures of
 * registers, which lie in one range of memory here, a page each ({@link VirtioRegisters}). A vector
 * of MSI-X for each queue and one for the configuration; without MSI-X, the pin and the ISR byte.
 */
public final class VirtioPci {
  static final long RING_INDIRECT = 1L << 28;
  static final long RING_EVENT_INDEX = 1L << 29;
  static final long VERSION_1 = 1L << 32;

  static final int STATUS_FEATURES_OK = 8;
  static final int STATUS_DRIVER_OK = 4;
  static final int STATUS_NEEDS_RESET = 64;

  private static final System.Logger LOG = System.getLogger(VirtioPci.class.getName());
  private static final int VENDOR = 0x1af4;
  private static final int FIRST_DEVICE = 0x1040;
  private static final int MSIX_BAR = 1;
  private static final int ISR_QUEUE = 1;
  private static final int ISR_CONFIG = 2;

  private final Board board;
  private final PciFunction function;
  private final MsixCapability msix;
  private final Virtqueue[] queues;
  private final VirtioDevice device;
  private int isr;
  private int configVector = Virtqueue.NO_VECTOR;
  private int generation;
  private int status;
  private long driverFeatures;

  /** Counts resets: what was begun before one is not finished after it. */
  private int epoch;

  /** What is done to queues; a broken one breaks the device. */
  @FunctionalInterface
  interface Turn {
    void run() throws BrokenQueueException;
  }

  /** Makes a device for its transport, which is not ready yet. */
  @FunctionalInterface
  interface Maker {
    VirtioDevice make(VirtioPci transport);
  }

  VirtioPci(Board board, String name, Maker maker) {
    this.board = board;
    device = maker.make(this);
    VirtioKind kind = device.kind();
    int id = FIRST_DEVICE + kind.id;
    function =
        new PciFunction(board, name, new PciIdentity(VENDOR, id, 1, kind.pciClass, VENDOR, id));
    int[] sizes = device.queueSizes();
    queues = new Virtqueue[sizes.length];
    for (int i = 0; i < sizes.length; i++) {
      queues[i] = new Virtqueue(function.dma(), sizes[i]);
    }
    function.interruptPin(1);
    msix = function.msix(MSIX_BAR, sizes.length + 1);
    new VirtioRegisters(this, device).describe(function, name);
    function.onReset(this::reset);
  }

  /** What is plugged into the bus. */
  public PciFunction function() {
    return function;
  }

  // -- For the device.

  GuestMemory memory() {
    return function.dma();
  }

  Virtqueue queue(int index) {
    return queues[index];
  }

  boolean isRunning() {
    return (status & STATUS_DRIVER_OK) != 0
        && (status & STATUS_NEEDS_RESET) == 0
        && function.isBusMaster();
  }

  /** Which life of the device this is; changes with each reset. */
  int epoch() {
    return epoch;
  }

  /** Runs {@code turn} if the device runs, and breaks the device if a queue is broken. */
  void run(Turn turn) {
    if (!isRunning()) {
      return;
    }
    try {
      turn.run();
    } catch (BrokenQueueException e) {
      LOG.log(System.Logger.Level.DEBUG, () -> function.name() + ": " + e.getMessage());
      needReset();
    }
  }

  /** Posts a turn for this life of the device; may be called by any thread. */
  void post(int ofEpoch, Turn turn) {
    board.post(() -> resume(ofEpoch, turn));
  }

  /** Runs a turn if the device is still in the life in which it was begun. */
  void resume(int ofEpoch, Turn turn) {
    if (ofEpoch == epoch) {
      run(turn);
    }
  }

  /** Interrupts the guest for a queue, if the driver wants that. */
  void interrupt(int index) {
    Virtqueue queue = queues[index];
    if (!queue.isEnabled() || !queue.wantsInterrupt()) {
      return;
    }
    if (msix.isEnabled()) {
      msix.send(queue.vector);
    } else {
      isr |= ISR_QUEUE;
      function.intx(true);
    }
  }

  /** Tells the driver that the configuration has changed. */
  public void configChanged() {
    generation = generation + 1 & 0xff;
    if ((status & STATUS_DRIVER_OK) != 0) {
      interruptConfig();
    }
  }

  private void interruptConfig() {
    if (msix.isEnabled()) {
      msix.send(configVector);
    } else {
      isr |= ISR_CONFIG;
      function.intx(true);
    }
  }

  private void needReset() {
    boolean wasDriven = (status & STATUS_DRIVER_OK) != 0;
    status |= STATUS_NEEDS_RESET;
    if (wasDriven) {
      interruptConfig();
    }
  }

  // -- For the registers.

  long offeredFeatures() {
    return device.features() | RING_INDIRECT | RING_EVENT_INDEX | VERSION_1;
  }

  long driverFeatures() {
    return driverFeatures;
  }

  /** Features may be chosen until they are settled. */
  void setDriverFeatures(long features) {
    if ((status & STATUS_FEATURES_OK) == 0) {
      driverFeatures = features;
    }
  }

  int queueCount() {
    return queues.length;
  }

  int configVector() {
    return configVector;
  }

  void setConfigVector(int vector) {
    configVector = checkedVector(vector);
  }

  /** A vector as the device has it: none, where there is no such. */
  int checkedVector(int vector) {
    return vector < msix.vectors() ? vector : Virtqueue.NO_VECTOR;
  }

  int generation() {
    return generation;
  }

  int status() {
    return status;
  }

  void setStatus(int value) {
    if (value == 0) {
      reset();
      return;
    }
    int added = value & ~status;
    int settled = status | value;
    if ((added & STATUS_FEATURES_OK) != 0 && !featuresAreGood()) {
      settled &= ~STATUS_FEATURES_OK;
    }
    status = settled & 0xff;
    if ((added & STATUS_DRIVER_OK) != 0) {
      device.start(driverFeatures);
    }
  }

  private boolean featuresAreGood() {
    boolean onlyOffered = (driverFeatures & ~offeredFeatures()) == 0;
    return onlyOffered && (driverFeatures & VERSION_1) != 0;
  }

  /** The driver enables a queue that it has set up. */
  void enable(Virtqueue queue) {
    if (queue.isEnabled()) {
      return;
    }
    try {
      queue.enable((driverFeatures & RING_EVENT_INDEX) != 0);
    } catch (BrokenQueueException e) {
      LOG.log(System.Logger.Level.DEBUG, () -> function.name() + ": " + e.getMessage());
      needReset();
    }
  }

  void notified(int index) {
    if (index < queues.length && queues[index].isEnabled()) {
      run(() -> device.notified(index));
    }
  }

  /** The ISR byte; reading clears it and lowers the pin. */
  int takeIsr() {
    int value = isr;
    isr = 0;
    function.intx(false);
    return value;
  }

  private void reset() {
    epoch++;
    device.stop();
    for (Virtqueue queue : queues) {
      queue.reset();
    }
    status = 0;
    driverFeatures = 0;
    configVector = Virtqueue.NO_VECTOR;
    int unused = takeIsr();
  }
}
