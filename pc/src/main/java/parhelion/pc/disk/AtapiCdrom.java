package parhelion.pc.disk;

import java.nio.ByteBuffer;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import parhelion.pc.disk.Action.DataIn;
import parhelion.pc.disk.Action.DiskIn;

/**
 * A CD-ROM drive that takes packets (SFF-8020i; MMC-3), with a disc of one data track, or none. The
 * disc can be changed while the machine runs.
 */
public final class AtapiCdrom implements Drive {
  private static final int BLOCK = 2048;
  private static final int PACKET = 0xa0;
  private static final int IDENTIFY_PACKET = 0xa1;
  private static final int IDENTIFY = 0xec;
  private static final int SET_FEATURES = 0xef;
  private static final int FLUSH = 0xe7;
  private static final int CHECK_POWER = 0xe5;

  /** Sense keys with additional codes and qualifiers, as 0xKKAAQQ. */
  private static final int NO_SENSE = 0;

  private static final int NO_DISC = 0x02_3a_00;
  private static final int UNREADABLE = 0x03_11_00;
  private static final int BAD_OPERATION = 0x05_20_00;
  private static final int BAD_ADDRESS = 0x05_21_00;
  private static final int BAD_FIELD = 0x05_24_00;
  private static final int LOCKED = 0x05_53_02;
  private static final int DISC_CHANGED = 0x06_28_00;
  private static final int WAS_RESET = 0x06_29_00;

  private @Nullable DiskIo disc;
  private int sense = WAS_RESET;
  private boolean attention = true;
  private boolean locked;
  private boolean newDisc;
  private int multiwordMode = 2;
  private int ultraMode = -1;

  /** A drive with a disc, or empty. */
  public AtapiCdrom(@Nullable DiskIo disc) {
    this.disc = disc;
  }

  /** Changes the disc; on the machine's thread. The old one is the caller's to close. */
  public void change(@Nullable DiskIo newOne) {
    DiskIo old = disc;
    if (old != null) {
      old.drain();
    }
    disc = newOne;
    newDisc = true;
    sense = DISC_CHANGED;
    attention = true;
  }

  private long blocks() {
    return disc == null ? 0 : disc.disk().sizeBytes() / BLOCK;
  }

  @Override
  public boolean isPacketDevice() {
    return true;
  }

  @Override
  public DiskIo io() {
    return Objects.requireNonNull(disc);
  }

  @Override
  public void reset() {
    sense = WAS_RESET;
    attention = true;
    locked = false;
  }

  @Override
  public Action command(Taskfile task) {
    task.good();
    switch (task.command) {
      case PACKET -> {
        return new Action.PacketWanted();
      }
      case IDENTIFY_PACKET -> {
        return new DataIn(identify(), false);
      }
      case IDENTIFY -> {
        task.aborted();
        task.lba = task.lba & 0xff | 0xeb1400; // the signature says why
      }
      case SET_FEATURES -> {
        if ((task.feature & 0xff) != 3) {
          task.aborted();
        } else if ((task.count & 0xf8) == 0x20) {
          multiwordMode = task.count & 7;
          ultraMode = -1;
        } else if ((task.count & 0xf8) == 0x40) {
          ultraMode = task.count & 7;
          multiwordMode = -1;
        }
      }
      case CHECK_POWER -> task.count = 0xff;
      case FLUSH -> {}
      default -> task.aborted();
    }
    return Action.DONE;
  }

  private byte[] identify() {
    Identity id = new Identity();
    id.word(0, 0x85c0).text(10, 10, "PH-CD-1").text(23, 4, "1.0").text(27, 20, "PARHELION CD-ROM");
    id.word(49, 0x0b00).word(50, 0x4000).word(53, 7);
    id.word(63, 7 | (multiwordMode >= 0 ? 0x100 << multiwordMode : 0))
        .word(64, 3)
        .words(65, 4, 0x0078_0078_0078_0078L);
    id.word(88, 0x3f | (ultraMode >= 0 ? 0x100 << ultraMode : 0));
    id.word(80, 0x001e).word(82, 0x4010).word(83, 0x4000).word(84, 0x4000);
    return id.word(85, 0x4010).word(86, 0).word(87, 0x4000).bytes();
  }

  @Override
  public void finished(Taskfile task, boolean ok) {
    if (ok) {
      task.good();
    } else {
      Action unused = check(task, UNREADABLE);
    }
  }

  /** Ends a command with a condition that the guest asks about by REQUEST SENSE. */
  private Action check(Taskfile task, int code) {
    sense = code;
    task.failed(code >>> 16 << 4 | (code == NO_SENSE ? 0 : Taskfile.ERROR_ABORTED));
    return Action.DONE;
  }

  @Override
  public Action packet(byte[] packet, Taskfile task) {
    ByteBuffer p = ByteBuffer.wrap(packet);
    PacketCommand command = PacketCommand.of(packet[0] & 0xff);
    if (command == null) {
      return check(task, BAD_OPERATION);
    }
    if (attention && !command.evenAfterReset) {
      attention = false;
      return check(task, sense);
    }
    if (command.needsDisc && disc == null) {
      return check(task, NO_DISC);
    }
    task.good();
    boolean dma = (task.feature & 1) != 0;
    return switch (command) {
      case TEST_UNIT_READY, SET_SPEED, SEEK -> Action.DONE;
      case REQUEST_SENSE -> give(requestSense(), p.get(4) & 0xff, dma);
      case INQUIRY -> give(inquiry(), p.getShort(3) & 0xffff, dma);
      case START_STOP -> startStop(packet[4] & 3, task);
      case PREVENT_REMOVAL -> {
        locked = (packet[4] & 1) != 0;
        yield Action.DONE;
      }
      case READ_CAPACITY ->
          give(ByteBuffer.allocate(8).putInt((int) blocks() - 1).putInt(BLOCK).array(), 8, dma);
      case READ_10 -> read(p.getInt(2), p.getShort(7) & 0xffff, dma, task);
      case READ_12 -> read(p.getInt(2), p.getInt(6), dma, task);
      case READ_CD -> {
        int count = (packet[6] & 0xff) << 16 | p.getShort(7) & 0xffff;
        boolean userData = (packet[9] & 0xf8) == 0x10;
        yield userData || count == 0 ? read(p.getInt(2), count, dma, task) : check(task, BAD_FIELD);
      }
      case READ_TOC -> toc(p, dma, task);
      case READ_DISC_INFORMATION -> give(discInformation(), p.getShort(7) & 0xffff, dma);
      case GET_CONFIGURATION -> give(configuration(), p.getShort(7) & 0xffff, dma);
      case GET_EVENT -> event(p, dma, task);
      case MODE_SENSE_10 -> modeSense(packet[2] & 0x3f, p.getShort(7) & 0xffff, dma, task);
      case MECHANISM_STATUS -> give(new byte[8], p.getShort(8) & 0xffff, dma);
    };
  }

  /** At most as much as the guest has room for; nothing is no error. */
  private static Action give(byte[] data, int room, boolean dma) {
    if (room == 0) {
      return Action.DONE;
    }
    return new DataIn(data.length <= room ? data : java.util.Arrays.copyOf(data, room), dma);
  }

  private Action read(int block, int count, boolean dma, Taskfile task) {
    long first = Integer.toUnsignedLong(block);
    long length = Integer.toUnsignedLong(count);
    if (first > blocks() - length) {
      return check(task, BAD_ADDRESS);
    }
    return length == 0 ? Action.DONE : new DiskIn(first * BLOCK, length * BLOCK, BLOCK, dma);
  }

  private byte[] requestSense() {
    ByteBuffer b = ByteBuffer.allocate(18);
    b.put(0, (byte) 0x70).put(2, (byte) (sense >>> 16)).put(7, (byte) 10);
    b.put(12, (byte) (sense >>> 8)).put(13, (byte) sense);
    sense = NO_SENSE;
    attention = false;
    return b.array();
  }

  private static byte[] inquiry() {
    ByteBuffer b = ByteBuffer.allocate(36);
    b.put((byte) 5).put((byte) 0x80).put((byte) 0).put((byte) 0x21).putInt(31 << 24);
    b.put("PARHELIOCD-ROM          1.0 ".getBytes(java.nio.charset.StandardCharsets.US_ASCII));
    return b.array();
  }

  private Action startStop(int what, Taskfile task) {
    if (what == 2) { // eject
      if (locked) {
        return check(task, LOCKED);
      }
      disc = null;
    }
    return Action.DONE;
  }

  private Action toc(ByteBuffer p, boolean dma, Taskfile task) {
    boolean msf = (p.get(1) & 2) != 0;
    int format = p.get(2) & 0x0f;
    if (format == 0) {
      format = p.get(9) >>> 6 & 3;
    }
    int room = p.getShort(7) & 0xffff;
    int lead = (int) blocks();
    ByteBuffer b = ByteBuffer.allocate(20);
    switch (format) {
      case 0 -> {
        int first = p.get(6) & 0xff;
        if (first > 1 && first != 0xaa) {
          return check(task, BAD_FIELD);
        }
        b.putShort((short) (first <= 1 ? 18 : 10)).put((byte) 1).put((byte) 1);
        if (first <= 1) {
          b.put((byte) 0).put((byte) 0x14).put((byte) 1).put((byte) 0).putInt(address(0, msf));
        }
        b.put((byte) 0).put((byte) 0x16).put((byte) 0xaa).put((byte) 0).putInt(address(lead, msf));
      }
      case 1 -> {
        b.putShort((short) 10).put((byte) 1).put((byte) 1);
        b.put((byte) 0).put((byte) 0x14).put((byte) 1).put((byte) 0).putInt(address(0, msf));
      }
      default -> {
        return check(task, BAD_FIELD);
      }
    }
    return give(java.util.Arrays.copyOf(b.array(), b.position()), room, dma);
  }

  /** A block's address, or minute, second and frame: 75 frames a second, the first at 2 seconds. */
  private static int address(int block, boolean msf) {
    int frame = block + 150;
    return msf ? frame / 4500 << 16 | frame / 75 % 60 << 8 | frame % 75 : block;
  }

  private static byte[] discInformation() {
    ByteBuffer b = ByteBuffer.allocate(34);
    b.putShort((short) 32).put((byte) 0x0e); // complete
    return b.put((byte) 1).put((byte) 1).put((byte) 1).put((byte) 1).put((byte) 0x20).array();
  }

  /** The profile of a CD-ROM, current with a disc in it, and the core feature. */
  private byte[] configuration() {
    ByteBuffer b = ByteBuffer.allocate(28);
    b.putInt(24).putShort((short) 0).putShort((short) (disc == null ? 0 : 8));
    b.putShort((short) 0).put((byte) 3).put((byte) 4);
    b.putShort((short) 8).put((byte) (disc == null ? 0 : 1)).put((byte) 0);
    b.putShort((short) 1).put((byte) 3).put((byte) 8).putInt(2).putInt(0);
    return b.array();
  }

  /** Of the classes of events, media: whether there is a disc, and whether it is new. */
  private Action event(ByteBuffer p, boolean dma, Taskfile task) {
    if ((p.get(1) & 1) == 0) {
      return check(task, BAD_FIELD);
    }
    ByteBuffer b = ByteBuffer.allocate(8);
    boolean media = (p.get(4) & 0x10) != 0;
    b.putShort((short) (media ? 6 : 2)).put((byte) (media ? 4 : 0x80)).put((byte) 0x10);
    int event = newDisc && disc != null ? 2 : newDisc ? 3 : 0;
    if (media) {
      newDisc = false;
      b.put((byte) event).put((byte) (disc == null ? 0 : 2));
    }
    return give(b.array(), p.getShort(7) & 0xffff, dma);
  }

  private Action modeSense(int page, int room, boolean dma, Taskfile task) {
    ByteBuffer b = ByteBuffer.allocate(64);
    b.putShort(2, (short) (disc == null ? 0x70 : 0x01)).position(8);
    boolean all = page == 0x3f;
    if (all || page == 0x01) { // error recovery
      b.put((byte) 1).put((byte) 6).put((byte) 0).put((byte) 5).putInt(0);
    }
    if (all || page == 0x2a) { // capabilities: tray, eject, lock
      b.put((byte) 0x2a).put((byte) 0x12).put((byte) 0).put((byte) 0).put((byte) 0x71);
      b.put((byte) 0x60).put((byte) (0x29 | (locked ? 2 : 0))).put((byte) 0);
      b.putShort((short) 706).putShort((short) 2).putShort((short) 512).putShort((short) 706);
      b.putInt(0);
    }
    if (b.position() == 8) {
      return check(task, BAD_FIELD);
    }
    b.putShort(0, (short) (b.position() - 2));
    return give(java.util.Arrays.copyOf(b.array(), b.position()), room, dma);
  }
}
