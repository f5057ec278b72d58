package parhelion.backends.block;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import parhelion.abi.Vdisk;
import parhelion.backends.Frontend;
import parhelion.backends.block.BlockRequest.Rules;
import parhelion.backends.xenbus.XenbusDevice;
import parhelion.backends.xenbus.XenbusDriver;
import parhelion.media.disk.Disk;
import parhelion.media.disk.DiskWorkers;

/**
 * A block device's backend: offers what it can do, and serves the rings that the frontend sets up.
 * The disk belongs to whoever made the driver and outlives it.
 *
 * <p>Scheduler's thread, except {@link #resize} and {@link #counts}.
 */
public final class BlockDriver implements XenbusDriver {
  /** Rings of up to 4 pages: 128 requests. */
  private static final int MAX_RING_PAGE_ORDER = 2;

  private static final int MAX_QUEUES = 8;
  private static final int DISCARD_GRANULARITY_BYTES = 4096;

  private final Frontend guest;
  private final Disk disk;
  private final BlockOptions options;
  private final DiskWorkers workers;
  private final BlockCounts counts = new BlockCounts();
  private final List<BlockQueue> queues = new ArrayList<>();
  private volatile long sizeBytes;

  public BlockDriver(Frontend guest, Disk disk, BlockOptions options) {
    this.guest = guest;
    this.disk = disk;
    this.options = options;
    workers = new DiskWorkers(disk);
    sizeBytes = disk.sizeBytes();
  }

  private boolean isReadOnly() {
    return options.readOnly() || disk.isReadOnly();
  }

  /** Whole sectors of the guest's, in units of 512 bytes. */
  private long sectors() {
    int perSector = options.sectorBytes() / Disk.SECTOR_BYTES;
    return sizeBytes / options.sectorBytes() * perSector;
  }

  @Override
  public void offer(XenbusDevice device) {
    int info = (isReadOnly() ? Vdisk.READONLY : 0) | (options.cdrom() ? Vdisk.CDROM : 0);
    String changes = isReadOnly() ? "0" : "1";
    Map<String, String> nodes =
        Map.ofEntries(
            Map.entry("mode", isReadOnly() ? "r" : "w"),
            Map.entry("device-type", options.cdrom() ? "cdrom" : "disk"),
            Map.entry("info", Integer.toString(info)),
            Map.entry("sectors", Long.toString(sectors())),
            Map.entry("sector-size", Integer.toString(options.sectorBytes())),
            Map.entry("physical-sector-size", Integer.toString(options.physicalSectorBytes())),
            Map.entry("feature-flush-cache", changes),
            Map.entry("feature-barrier", changes),
            Map.entry("feature-discard", changes),
            Map.entry("discard-granularity", Integer.toString(DISCARD_GRANULARITY_BYTES)),
            Map.entry("discard-alignment", "0"),
            Map.entry("discard-secure", "0"),
            Map.entry("feature-persistent", options.persistentGrants() ? "1" : "0"),
            Map.entry(
                "feature-max-indirect-segments",
                Integer.toString(BlockRequest.MAX_INDIRECT_SEGMENTS)),
            Map.entry("max-ring-page-order", Integer.toString(MAX_RING_PAGE_ORDER)),
            Map.entry("multi-queue-max-queues", Integer.toString(MAX_QUEUES)));
    nodes.forEach(device::toFrontend);
  }

  @Override
  public void connect(XenbusDevice device) throws RefusedException {
    String protocol = device.fromFrontend("protocol");
    boolean narrow = "x86_32-abi".equals(protocol);
    if (protocol != null && !narrow && !protocol.equals("x86_64-abi")) {
      throw new RefusedException(device + " speaks no protocol called " + printable(protocol));
    }
    int order = (int) number(device, "ring-page-order", 0, 0, MAX_RING_PAGE_ORDER);
    int count = (int) number(device, "multi-queue-num-queues", 1, 1, MAX_QUEUES);
    boolean persistent =
        options.persistentGrants() && number(device, "feature-persistent", 0, 0, 1) == 1;
    boolean done = false;
    try {
      for (int i = 0; i < count; i++) {
        String prefix = count == 1 ? "" : "queue-" + i + '/';
        open(device, prefix, order, narrow, persistent);
      }
      done = true;
    } finally {
      if (!done) {
        closeQueues();
      }
    }
    // It may have changed since they were offered.
    device.toFrontend("sectors", Long.toString(sectors()));
  }

  private void open(
      XenbusDevice device, String prefix, int order, boolean narrow, boolean persistent)
      throws RefusedException {
    List<Long> refs = new ArrayList<>();
    for (int i = 0; i < 1 << order; i++) {
      String name =
          order == 0 && device.fromFrontend(prefix + "ring-ref0") == null
              ? "ring-ref"
              : "ring-ref" + i;
      refs.add(number(device, prefix + name, -1, 0, 0xffff_ffffL));
    }
    long port = number(device, prefix + "event-channel", -1, 1, 0xffff_ffffL);
    BlockRing ring = BlockRing.map(guest, refs, narrow);
    BlockQueue queue =
        new BlockQueue(
            guest,
            ring,
            new GrantPool(guest, persistent),
            workers,
            counts,
            () -> new Rules(sectors(), options.sectorBytes(), isReadOnly()),
            reason -> device.fail(device + ": " + reason));
    queues.add(queue);
    queue.open(port);
  }

  /**
   * A number that the frontend wrote.
   *
   * @param otherwise what a missing one means; -1 if it may not be missing
   */
  private static long number(
      XenbusDevice device, String name, long otherwise, long least, long most)
      throws RefusedException {
    String text = device.fromFrontend(name);
    if (text == null) {
      if (otherwise < 0) {
        throw new RefusedException(device + " has no " + name);
      }
      return otherwise;
    }
    long value = text.matches("[0-9]{1,18}") ? Long.parseLong(text) : -1;
    if (value < least || value > most) {
      throw new RefusedException(
          device + ": its " + name + " is " + printable(text) + ", not " + least + " to " + most);
    }
    return value;
  }

  private static String printable(@Nullable String text) {
    String shown = String.valueOf(text).replaceAll("[^ -~]", "?");
    return shown.length() > 40 ? shown.substring(0, 40) + "..." : shown;
  }

  @Override
  public void disconnect(XenbusDevice device) {
    closeQueues();
  }

  private void closeQueues() {
    queues.forEach(BlockQueue::close);
    queues.clear();
  }

  /**
   * Changes the disk's size and tells the guest, which may look at once. Any thread but the
   * scheduler's, since the host's file system may take its time.
   */
  public void resize(XenbusDevice device, long newSizeBytes) throws IOException {
    disk.resize(newSizeBytes);
    sizeBytes = disk.sizeBytes();
    device.toFrontend("sectors", Long.toString(sectors()));
    device.announce();
  }

  @Override
  public Map<String, Long> counts() {
    return counts.asMap();
  }
}
