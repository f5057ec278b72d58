package parhelion.toolstack.device;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import parhelion.backends.Frontend;
import parhelion.backends.block.BlockDriver;
import parhelion.backends.block.BlockOptions;
import parhelion.backends.xenbus.XenbusAddress;
import parhelion.backends.xenbus.XenbusDevice;
import parhelion.backends.xenstore.XenstoreClient;
import parhelion.media.disk.Disk;
import parhelion.toolstack.UserError;
import parhelion.toolstack.image.ModuleSet;

/** A disk of a guest's. It owns the image behind it. Any thread. */
public final class BlockConfig implements DeviceConfig {
  /** What a guest mounts, if its kernel has it, and what those ask the kernel for. */
  private static final List<String> FILE_SYSTEMS =
      List.of(
          "ext4",
          "isofs",
          "vfat",
          "nls_cp437",
          "nls_iso8859_1",
          "nls_ascii",
          "nls_utf8",
          "squashfs",
          "overlay",
          "xfs",
          "btrfs",
          "loop");

  private final String name;
  private final int number;
  private final Disk disk;
  private final BlockOptions options;
  private final @Nullable DiskBus bus;
  private @Nullable BlockDriver driver;
  private @Nullable XenbusDevice plugged;
  private boolean closed;

  /**
   * A disk.
   *
   * @param name as the guest will call it, such as {@code xvda}
   */
  public BlockConfig(String name, Disk disk, BlockOptions options) {
    this(name, disk, options, null);
  }

  /** The same, plugged into a bus of a PC's; null for what is usual. */
  public BlockConfig(String name, Disk disk, BlockOptions options, @Nullable DiskBus bus) {
    this.name = name;
    this.bus = bus;
    this.number = DiskName.number(name);
    this.disk = disk;
    this.options = options;
  }

  /** A disk whose physical sectors have 4096 bytes, whatever its logical ones have: 512 or 4096. */
  public static BlockConfig of(
      String name, Disk disk, boolean readOnly, boolean cdrom, int sectorBytes) {
    return of(name, disk, readOnly, cdrom, sectorBytes, null);
  }

  /** The same, plugged into a bus of a PC's; null for what is usual. */
  public static BlockConfig of(
      String name,
      Disk disk,
      boolean readOnly,
      boolean cdrom,
      int sectorBytes,
      @Nullable DiskBus bus) {
    return new BlockConfig(
        name, disk, new BlockOptions(readOnly, cdrom, sectorBytes, 4096, true), bus);
  }

  private DiskBus bus(PcInterface offered) {
    if (bus != null) {
      return bus;
    }
    if (offered == PcInterface.XEN) {
      return DiskBus.XEN;
    }
    return options.cdrom() ? DiskBus.IDE : DiskBus.VIRTIO;
  }

  @Override
  public void plug(PcDevices pc) {
    pc.disk(name, disk, options.cdrom(), bus(pc.offered()));
  }

  @Override
  public boolean isSplit(PcInterface offered) {
    boolean split = bus(offered) == DiskBus.XEN;
    if (split && offered != PcInterface.XEN) {
      throw new UserError(name + ": bus=xen is there with --interface xen only");
    }
    return split;
  }

  @Override
  public ModuleSet.Request pcModules(PcInterface offered) {
    return new ModuleSet.Request(bus(offered).modules(), FILE_SYSTEMS);
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public XenbusDevice plug(XenstoreClient store, Frontend guest) {
    BlockDriver served = new BlockDriver(guest, disk, options);
    String type = options.cdrom() ? "cdrom" : "disk";
    XenbusDevice device =
        XenbusDevice.plug(
            store,
            new XenbusAddress("vbd", guest.domid(), number),
            Map.of(
                "dev",
                name,
                "type",
                "file",
                "params",
                disk.toString(),
                "bootable",
                "1",
                "removable",
                options.cdrom() ? "1" : "0",
                "hotplug-status",
                "connected"),
            Map.of("virtual-device", Integer.toString(number), "device-type", type),
            served);
    synchronized (this) {
      driver = served;
      plugged = device;
    }
    return device;
  }

  @Override
  public ModuleSet.Request modules() {
    return new ModuleSet.Request(List.of("xen-blkfront"), FILE_SYSTEMS);
  }

  @Override
  public void resize(long sizeBytes) {
    BlockDriver served;
    XenbusDevice device;
    synchronized (this) {
      served = driver;
      device = plugged;
    }
    try {
      if (served == null || device == null) {
        disk.resize(sizeBytes);
      } else {
        served.resize(device, sizeBytes);
      }
    } catch (IOException e) {
      throw new UserError(name + ": cannot be made " + sizeBytes + " bytes: " + e.getMessage(), e);
    }
  }

  @Override
  public void close() {
    synchronized (this) {
      if (closed) {
        return;
      }
      closed = true;
    }
    try {
      disk.close();
    } catch (IOException e) {
      throw new UserError(name + ": " + e.getMessage(), e);
    }
  }
}
