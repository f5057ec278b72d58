package parhelion.pc.disk;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;
import parhelion.media.disk.Disk;
import parhelion.pc.disk.Action.Background;
import parhelion.pc.disk.Action.DataIn;
import parhelion.pc.disk.Action.DataOut;
import parhelion.pc.disk.Action.DiskIn;
import parhelion.pc.disk.Action.DiskOut;

/** A disk with the commands of ATA/ATAPI-7, and queued ones on a serial cable. */
public final class AtaDisk implements Drive {
  private static final int SECTOR = Disk.SECTOR_BYTES;
  private static final int MAX_MULTIPLE = 16;
  private static final int QUEUE_DEPTH = 32;
  private static final int HEADS = 16;
  private static final int TRACK_SECTORS = 63;
  private static final int MAX_CYLINDERS = 16383;
  private static final long LBA28_SECTORS = 1L << 28;

  private static final int SET_TRANSFER_MODE = 0x03;
  private static final int ENABLE_CACHE = 0x02;
  private static final int DISABLE_CACHE = 0x82;
  private static final int ACTIVE = 0xff;

  private final DiskIo io;
  private final String serial;
  private final boolean serialCable;
  private int multiple = MAX_MULTIPLE;
  private int multiwordMode = 2;
  private int ultraMode = -1;
  private boolean cache = true;
  private int heads = HEADS;
  private int trackSectors = TRACK_SECTORS;
  private @Nullable AtaCommand running;

  /**
   * A disk.
   *
   * @param serial its serial number, up to 20 characters
   * @param serialCable whether it is plugged into a SATA controller
   */
  public AtaDisk(DiskIo io, String serial, boolean serialCable) {
    this.io = io;
    this.serial = serial;
    this.serialCable = serialCable;
  }

  private long sectors() {
    return io.disk().sizeBytes() / SECTOR;
  }

  @Override
  public boolean isPacketDevice() {
    return false;
  }

  @Override
  public DiskIo io() {
    return io;
  }

  @Override
  public void reset() {
    heads = HEADS;
    trackSectors = TRACK_SECTORS;
    multiple = MAX_MULTIPLE;
    running = null;
  }

  @Override
  public Action packet(byte[] packet, Taskfile task) {
    task.aborted();
    return Action.DONE;
  }

  @Override
  public Action command(Taskfile task) {
    AtaCommand command = AtaCommand.of(task.command);
    running = command;
    task.good();
    if (command == null || command.kind.isQueued() && !serialCable) {
      return abort(task);
    }
    return switch (command.kind) {
      case NOTHING -> Action.DONE;
      case FLUSH -> new Background(Disk::flush);
      case OTHER -> other(command, task);
      default -> transfer(command, task);
    };
  }

  private static Action abort(Taskfile task) {
    task.aborted();
    return Action.DONE;
  }

  private Action transfer(AtaCommand command, Taskfile task) {
    int count = command.kind.isQueued() ? task.feature : task.count;
    int most = command.wide ? 0x10000 : 0x100;
    count &= most - 1;
    long length = count == 0 ? most : count;
    long first = address(command, task);
    if (first < 0 || first > sectors() - length) {
      task.failed(Taskfile.ERROR_NO_ID);
      return Action.DONE;
    }
    if (command.kind == AtaCommand.Kind.VERIFY) {
      return Action.DONE;
    }
    if (command.kind.isWrite() && io.disk().isReadOnly()
        || command.kind.isMultiple() && multiple == 0) {
      return abort(task);
    }
    int block = command.kind.isMultiple() ? multiple * SECTOR : SECTOR;
    boolean dma = command.kind.isDma();
    return command.kind.isWrite()
        ? new DiskOut(first * SECTOR, length * SECTOR, block, dma)
        : new DiskIn(first * SECTOR, length * SECTOR, block, dma);
  }

  /** The first sector of a command; negative if it names none. */
  private long address(AtaCommand command, Taskfile task) {
    if (command.wide) {
      return task.lba;
    }
    long low = task.lba & 0xff_ffff;
    int high = task.device & 0x0f;
    if ((task.device & Taskfile.DEVICE_LBA) != 0) {
      return low | (long) high << 24;
    }
    long cylinder = low >>> 8;
    int sector = (int) low & 0xff;
    boolean sane = sector > 0 && sector <= trackSectors && high < heads;
    return sane ? (cylinder * heads + high) * trackSectors + sector - 1 : -1;
  }

  private Action other(AtaCommand command, Taskfile task) {
    switch (command) {
      case IDENTIFY -> {
        return new DataIn(identify(), false);
      }
      case DATA_SET_MANAGEMENT -> {
        return trim(task);
      }
      case SET_FEATURES -> setFeatures(task);
      case SET_MULTIPLE -> {
        int sectors = task.count & 0xff;
        if (sectors > MAX_MULTIPLE || Integer.bitCount(sectors) > 1) {
          return abort(task);
        }
        multiple = sectors;
      }
      case INITIALIZE_PARAMETERS -> {
        int wanted = task.count & 0xff;
        if (wanted == 0) {
          return abort(task);
        }
        trackSectors = wanted;
        heads = (task.device & 0x0f) + 1;
      }
      case CHECK_POWER -> task.count = ACTIVE;
      case READ_NATIVE_MAX -> {
        long last = Math.min(sectors(), LBA28_SECTORS) - 1;
        task.lba = last & 0xff_ffff;
        task.device = task.device & 0xf0 | (int) (last >>> 24);
      }
      case READ_NATIVE_MAX_EXT -> task.lba = sectors() - 1;
      default -> throw new IllegalStateException(command.name());
    }
    return Action.DONE;
  }

  private void setFeatures(Taskfile task) {
    switch (task.feature & 0xff) {
      case SET_TRANSFER_MODE -> {
        int mode = task.count & 7;
        switch (task.count >>> 3 & 0x1f) {
          case 0, 1 -> {}
          case 4 -> {
            multiwordMode = mode;
            ultraMode = -1;
          }
          case 8 -> {
            ultraMode = mode;
            multiwordMode = -1;
          }
          default -> task.aborted();
        }
      }
      case ENABLE_CACHE -> cache = true;
      case DISABLE_CACHE -> cache = false;
      default -> task.aborted();
    }
  }

  /** Ranges of 48-bit addresses and 16-bit counts, 64 to a block of 512 bytes. */
  private Action trim(Taskfile task) {
    int blocks = task.count & 0xffff;
    if ((task.feature & 0xff) != 1 || blocks == 0 || blocks > 8 || io.disk().isReadOnly()) {
      return abort(task);
    }
    return new DataOut(blocks * SECTOR, true, bytes -> trim(bytes, task));
  }

  private Action trim(byte[] bytes, Taskfile task) {
    ByteBuffer ranges = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    for (int at = 0; at < bytes.length; at += 8) {
      long first = ranges.getLong(at) & (1L << 48) - 1;
      long count = ranges.getLong(at) >>> 48;
      if (count > 0 && first > sectors() - count) {
        task.failed(Taskfile.ERROR_NO_ID);
        return Action.DONE;
      }
    }
    return new Background(
        disk -> {
          for (int at = 0; at < bytes.length; at += 8) {
            long first = ranges.getLong(at) & (1L << 48) - 1;
            long count = ranges.getLong(at) >>> 48;
            if (count > 0) {
              disk.discard(first * SECTOR, count * SECTOR);
            }
          }
        });
  }

  @Override
  public void finished(Taskfile task, boolean ok) {
    AtaCommand command = running;
    if (ok) {
      task.good();
    } else {
      boolean reads = command != null && !command.kind.isWrite();
      task.failed(reads ? Taskfile.ERROR_UNCORRECTABLE : Taskfile.ERROR_ABORTED);
    }
  }

  private byte[] identify() {
    long sectors = sectors();
    long cylinders = Math.min(MAX_CYLINDERS, sectors / (HEADS * TRACK_SECTORS));
    long chs = cylinders * HEADS * TRACK_SECTORS;
    Identity id = new Identity();
    id.word(0, 0x0040).word(1, (int) cylinders).word(3, HEADS).word(6, TRACK_SECTORS);
    id.text(10, 10, serial).text(23, 4, "1.0").text(27, 20, "PARHELION DISK");
    id.word(47, 0x8000 | MAX_MULTIPLE).word(49, 0x0b00).word(50, 0x4000).word(51, 0x0200);
    id.word(53, 7).word(54, (int) cylinders).word(55, heads).word(56, trackSectors);
    id.words(57, 2, chs).word(59, multiple == 0 ? 0 : 0x100 | multiple);
    id.words(60, 2, Math.min(sectors, LBA28_SECTORS - 1));
    id.word(63, 7 | (multiwordMode >= 0 ? 0x100 << multiwordMode : 0));
    id.word(64, 3).words(65, 4, 0x0078_0078_0078_0078L);
    id.word(80, 0x00f0).word(82, 0x4020).word(83, 0x7400).word(84, 0x4000);
    id.word(85, cache ? 0x4020 : 0x4000).word(86, 0x3400).word(87, 0x4000);
    id.word(88, 0x3f | (ultraMode >= 0 ? 0x100 << ultraMode : 0)).word(93, 0x6001);
    id.words(100, 4, sectors).word(106, 0x4000).word(217, 1);
    if (!io.disk().isReadOnly()) {
      id.word(105, 8).word(169, 1);
    }
    if (serialCable) {
      id.word(75, QUEUE_DEPTH - 1).word(76, 0x0106).word(78, 0).word(93, 0);
    }
    return id.bytes();
  }
}
