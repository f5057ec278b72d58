package parhelion.pc.disk;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;
import parhelion.pc.GuestMemory;
import parhelion.pc.disk.Action.Background;
import parhelion.pc.disk.Action.DataIn;
import parhelion.pc.disk.Action.DataOut;
import parhelion.pc.disk.Action.DiskIn;
import parhelion.pc.disk.Action.DiskOut;
import parhelion.pc.disk.Action.Done;
import parhelion.pc.disk.Action.PacketWanted;

/**
 * A port of the SATA controller (AHCI 1.3.1, section 3.3): a list of 32 commands in memory, of
 * which queued ones are under way together and others one after the other, in the order of slots.
 *
 * <p>A command that fails stops the port until the guest has stopped and started it.
 */
final class AhciPort {
  private static final int LIST = 0x00;
  private static final int LIST_UPPER = 0x04;
  private static final int FIS = 0x08;
  private static final int FIS_UPPER = 0x0c;
  private static final int STATUS = 0x10;
  private static final int ENABLE = 0x14;
  private static final int COMMAND = 0x18;
  private static final int TASK_FILE = 0x20;
  private static final int SIGNATURE = 0x24;
  private static final int SATA_STATUS = 0x28;
  private static final int SATA_CONTROL = 0x2c;
  private static final int SATA_ERROR = 0x30;
  private static final int SATA_ACTIVE = 0x34;
  private static final int ISSUE = 0x38;

  private static final int COMMAND_START = 1;
  private static final int COMMAND_OVERRIDE = 1 << 3;
  private static final int COMMAND_RECEIVE = 1 << 4;
  private static final int COMMAND_RECEIVES = 1 << 14;
  private static final int COMMAND_RUNS = 1 << 15;
  private static final int COMMAND_ATAPI = 1 << 24;
  private static final int COMMAND_WRITABLE = 0x1700_0017;

  private static final int TOLD_REGISTERS = 1;
  private static final int TOLD_PIO = 1 << 1;
  private static final int TOLD_BITS = 1 << 3;
  private static final int TOLD_CONNECT = 1 << 6;
  private static final int TOLD_FATAL = 1 << 29;
  private static final int TOLD_TASK_ERROR = 1 << 30;
  private static final int TOLD_ALL = 0xfdc0_007f;

  private static final int EXCHANGED = 1 << 26;
  private static final int LINK_UP = 0x133;
  private static final int NOTHING_THERE = 0x7f;

  private final GuestMemory memory;
  private final Runnable changed;
  private @Nullable Drive drive;
  private long list;
  private long fis;
  private int status;
  private int enable;
  private int command;
  private int taskFile = NOTHING_THERE;
  private int sataStatus;
  private int sataControl;
  private int sataError;
  private int active;
  private int issue;

  /** Slots of which the commands are under way. */
  private int running;

  private boolean exclusive;
  private boolean stopped;
  private boolean softReset;
  private int epoch;

  /** The disk that threads may be at. */
  private @Nullable DiskIo io;

  AhciPort(GuestMemory memory, Runnable changed) {
    this.memory = memory;
    this.changed = changed;
  }

  void plug(Drive plugged) {
    drive = plugged;
    reset();
  }

  boolean has() {
    return drive != null;
  }

  /** Whether there is something to be told of that the guest wants to be told of. */
  boolean interrupts() {
    return (status & enable) != 0;
  }

  void reset() {
    stop();
    list = 0;
    fis = 0;
    status = 0;
    enable = 0;
    command = 0;
    sataControl = 0;
    sataError = 0;
    connect();
  }

  /** No thread touches the guest's memory after this, and nothing that was begun is finished. */
  private void stop() {
    epoch++;
    DiskIo used = io;
    if (used != null) {
      used.drain();
    }
    io = null;
    running = 0;
    exclusive = false;
    stopped = false;
    softReset = false;
    issue = 0;
    active = 0;
  }

  /** The link comes up and the drive sends its signature. */
  private void connect() {
    Drive there = drive;
    if (there == null) {
      sataStatus = 0;
      taskFile = NOTHING_THERE;
      return;
    }
    there.reset();
    sataStatus = LINK_UP;
    taskFile = 1 << 8 | (there.isPacketDevice() ? 0 : Taskfile.STATUS_GOOD);
  }

  private int signature() {
    Drive there = drive;
    return there == null ? -1 : there.isPacketDevice() ? 0xeb14_0101 : 0x0000_0101;
  }

  int read(int at) {
    return switch (at) {
      case LIST -> (int) list;
      case LIST_UPPER -> (int) (list >>> 32);
      case FIS -> (int) fis;
      case FIS_UPPER -> (int) (fis >>> 32);
      case STATUS -> status;
      case ENABLE -> enable;
      case COMMAND -> commandRegister();
      case TASK_FILE -> taskFile;
      case SIGNATURE -> signature();
      case SATA_STATUS -> sataStatus;
      case SATA_CONTROL -> sataControl;
      case SATA_ERROR -> sataError;
      case SATA_ACTIVE -> active;
      case ISSUE -> issue;
      default -> 0;
    };
  }

  private int commandRegister() {
    Drive there = drive;
    int value = command;
    if ((command & COMMAND_START) != 0) {
      value |= COMMAND_RUNS;
    }
    if ((command & COMMAND_RECEIVE) != 0) {
      value |= COMMAND_RECEIVES;
    }
    if (there != null && there.isPacketDevice()) {
      value |= COMMAND_ATAPI;
    }
    return value;
  }

  void write(int at, int value) {
    long unsigned = Integer.toUnsignedLong(value);
    switch (at) {
      case LIST -> list = list & ~0xffff_ffffL | unsigned & ~0x3ffL;
      case LIST_UPPER -> list = list & 0xffff_ffffL | unsigned << 32;
      case FIS -> fis = fis & ~0xffff_ffffL | unsigned & ~0xffL;
      case FIS_UPPER -> fis = fis & 0xffff_ffffL | unsigned << 32;
      case STATUS -> status &= ~value;
      case ENABLE -> {
        enable = value & TOLD_ALL;
        changed.run();
      }
      case COMMAND -> writeCommand(value);
      case SATA_CONTROL -> writeControl(value);
      case SATA_ERROR -> {
        sataError &= ~value;
        if ((sataError & EXCHANGED) == 0) {
          status &= ~TOLD_CONNECT;
        }
      }
      case SATA_ACTIVE -> active |= (command & COMMAND_START) != 0 ? value : 0;
      case ISSUE -> {
        if ((command & COMMAND_START) != 0) {
          issue |= value;
          issueNext();
        }
      }
      default -> {}
    }
  }

  private void writeCommand(int value) {
    boolean stops = (value & COMMAND_START) == 0 && (command & COMMAND_START) != 0;
    command = value & COMMAND_WRITABLE;
    if ((value & COMMAND_OVERRIDE) != 0) {
      taskFile &= ~(Taskfile.STATUS_BUSY | Taskfile.STATUS_DATA);
    }
    if (stops) {
      boolean wasInReset = softReset;
      stop();
      softReset = wasInReset;
    }
  }

  private void writeControl(int value) {
    boolean begins = (value & 15) == 1 && (sataControl & 15) != 1;
    boolean ends = (value & 15) != 1 && (sataControl & 15) == 1;
    sataControl = value & 0xfff;
    if (begins) {
      stop();
      sataStatus = 0;
      taskFile = NOTHING_THERE;
    }
    if (ends) {
      connect();
      if (drive != null) {
        sataError |= EXCHANGED;
        tell(TOLD_CONNECT);
        sendRegisters(1 << 8 | taskFile & 0xff, new Taskfile());
      }
    }
  }

  private void tell(int what) {
    status |= what;
    changed.run();
  }

  // -- Commands.

  private void issueNext() {
    while (!stopped && !exclusive) {
      int waiting = issue & ~running;
      if (waiting == 0) {
        return;
      }
      int slot = Integer.numberOfTrailingZeros(waiting);
      AhciCommand next = AhciCommand.read(memory, list, slot);
      Drive there = drive;
      if (next == null || there == null) {
        stopped = true;
        tell(TOLD_FATAL);
        return;
      }
      if (!next.isCommand()) {
        control(next, there);
        continue;
      }
      boolean queued = isQueued(next, there);
      if (!queued && running != 0) {
        return;
      }
      running |= 1 << slot;
      exclusive = !queued;
      if (queued) {
        issue &= ~(1 << slot); // accepted: what is left is in SActive
      } else {
        taskFile = taskFile & 0xff00 | Taskfile.STATUS_BUSY;
      }
      begin(next, there, there.command(next.task), queued);
    }
  }

  private static boolean isQueued(AhciCommand next, Drive there) {
    AtaCommand known = there.isPacketDevice() ? null : AtaCommand.of(next.task.command);
    return known != null && known.kind.isQueued();
  }

  /** A software reset: by two writes of the control register. */
  private void control(AhciCommand next, Drive there) {
    issue &= ~(1 << next.slot);
    if (next.resets()) {
      softReset = true;
      taskFile = Taskfile.STATUS_BUSY;
    } else if (softReset) {
      softReset = false;
      connect();
      sendRegisters(taskFile, new Taskfile());
      tell(TOLD_REGISTERS);
    }
  }

  private void begin(AhciCommand now, Drive there, Action action, boolean queued) {
    switch (action) {
      case Done done -> end(now, queued, false);
      case PacketWanted wanted -> {
        byte[] packet = now.packet();
        if (packet == null) {
          stopped = true;
          tell(TOLD_FATAL);
        } else {
          begin(now, there, there.packet(packet, now.task), queued);
        }
      }
      case DataIn data -> {
        ScatterList table = now.table(data.bytes().length);
        int moved = table == null ? 0 : table.put(data.bytes());
        now.moved(moved);
        there.finished(now.task, table != null);
        end(now, queued, !data.dma());
      }
      case DataOut out -> {
        ScatterList table = now.table(out.lengthBytes());
        if (table == null || table.bytes() < out.lengthBytes()) {
          there.finished(now.task, false);
          end(now, queued, false);
        } else {
          now.moved(out.lengthBytes());
          begin(now, there, out.then().apply(table.take(out.lengthBytes())), queued);
        }
      }
      case DiskIn in -> move(now, there, in.offset(), in.lengthBytes(), false, queued, !in.dma());
      case DiskOut out -> move(now, there, out.offset(), out.lengthBytes(), true, queued, false);
      case Background background -> {
        int began = epoch;
        io(there)
            .submit(
                background.job(),
                0,
                true,
                ok -> {
                  if (began == epoch) {
                    there.finished(now.task, ok);
                    end(now, queued, false);
                    issueNext();
                  }
                });
      }
    }
  }

  private DiskIo io(Drive there) {
    DiskIo used = there.io();
    io = used;
    return used;
  }

  private void move(
      AhciCommand now,
      Drive there,
      long offset,
      long length,
      boolean toDisk,
      boolean queued,
      boolean pioIn) {
    ScatterList table = now.table(length);
    if (table == null || table.bytes() < length) {
      there.finished(now.task, false);
      end(now, queued, false);
      return;
    }
    int began = epoch;
    boolean[] later = new boolean[1];
    io(there)
        .submit(
            DiskIo.transfer(offset, table.buffers(length), toDisk),
            length,
            false,
            ok -> {
              if (began != epoch) {
                return;
              }
              if (!toDisk) {
                table.written(length);
              }
              if (!queued) {
                now.moved(ok ? length : 0);
              }
              there.finished(now.task, ok);
              end(now, queued, pioIn);
              if (later[0]) {
                issueNext();
              }
            });
    later[0] = true;
  }

  /** A command is over: tells the guest how, by what a drive would send. */
  private void end(AhciCommand over, boolean queued, boolean pioIn) {
    int bit = 1 << over.slot;
    Taskfile task = over.task;
    boolean failed = (task.status & Taskfile.STATUS_ERROR) != 0;
    running &= ~bit;
    exclusive = false;
    stopped |= failed;
    taskFile = task.error << 8 | task.status;
    if (!failed) {
      issue &= ~bit;
      active &= queued ? ~bit : -1;
    }
    if (queued) {
      sendBits(task, failed ? 0 : bit);
      tell(failed ? TOLD_BITS | TOLD_TASK_ERROR : TOLD_BITS);
      return;
    }
    sendRegisters(taskFile, task);
    if (pioIn) {
      sendPio(task);
    }
    int how = pioIn ? TOLD_PIO | TOLD_REGISTERS : TOLD_REGISTERS;
    tell(failed ? how | TOLD_TASK_ERROR : how);
  }

  // -- What the drive sends.

  private ByteBuffer registers(int type, int errorAndStatus, Taskfile task) {
    ByteBuffer b = ByteBuffer.allocate(20).order(ByteOrder.LITTLE_ENDIAN);
    b.put((byte) type).put((byte) 0x40).put((byte) errorAndStatus);
    b.put((byte) (errorAndStatus >>> 8));
    for (int i = 0; i < 3; i++) {
      b.put((byte) (task.lba >>> 8 * i));
    }
    b.put((byte) task.device);
    for (int i = 3; i < 6; i++) {
      b.put((byte) (task.lba >>> 8 * i));
    }
    return b.put((byte) 0).putShort((short) task.count);
  }

  private void send(int offset, byte[] bytes, int length) {
    if ((command & COMMAND_RECEIVE) != 0) {
      boolean unused = memory.write(fis + offset, bytes, 0, length);
    }
  }

  private void sendRegisters(int errorAndStatus, Taskfile task) {
    send(0x40, registers(0x34, errorAndStatus, task).array(), 20);
  }

  private void sendPio(Taskfile task) {
    ByteBuffer b = registers(0x5f, task.error << 8 | task.status, task);
    b.put(1, (byte) 0x60).put(15, (byte) task.status);
    send(0x20, b.array(), 20);
  }

  private void sendBits(Taskfile task, int finished) {
    ByteBuffer b = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
    b.put((byte) 0xa1).put((byte) 0x40).put((byte) (task.status & 0x77)).put((byte) task.error);
    send(0x58, b.putInt(finished).array(), 8);
  }
}
