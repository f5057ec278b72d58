package parhelion.pc.disk;

import java.nio.ByteBuffer;
import java.util.List;
import org.jspecify.annotations.Nullable;
import parhelion.pc.InterruptLine;
import parhelion.pc.disk.Action.Background;
import parhelion.pc.disk.Action.DataIn;
import parhelion.pc.disk.Action.DataOut;
import parhelion.pc.disk.Action.DiskIn;
import parhelion.pc.disk.Action.DiskOut;
import parhelion.pc.disk.Action.Done;
import parhelion.pc.disk.Action.PacketWanted;

/**
 * A cable with two drives: the command block (8 ports), the control block (1 port), and the one
 * command that is under way, by the data register or by the bus master ({@link IdeBusMaster}).
 *
 * <p>Both drives take what is written to the command block; the one that the device register
 * selects answers.
 */
final class IdeChannel {
  private static final int ERROR = 1;
  private static final int STATUS_COMMAND = 7;
  private static final int SELECT = 0x10;
  private static final int CONTROL_NO_INTERRUPT = 0x02;
  private static final int CONTROL_RESET = 0x04;
  private static final int CONTROL_PREVIOUS = 0x80;
  private static final int COMMAND_DEVICE_RESET = 0x08;
  private static final int COMMAND_DIAGNOSE = 0x90;
  private static final int PACKET_BYTES = 12;

  /** How much of a disk is read or written at a time for the data register. */
  private static final int CHUNK_BYTES = 64 << 10;

  /** What a packet device's count register says of its command's phase. */
  private static final int REASON_COMMAND = 1;

  private static final int REASON_IN = 2;
  private static final int REASON_DONE = 3;

  private final InterruptLine line;
  private final IdeBusMaster master;
  private final @Nullable IdeUnit[] units = new IdeUnit[2];
  private int selected;
  private int control;
  private boolean interrupt;

  /** The command that is under way, if there is one, and the drive that has it. */
  private @Nullable Taskfile task;

  private @Nullable IdeUnit busy;
  private @Nullable PioTransfer pio;

  /** A transfer that waits for the bus master to be started. */
  private @Nullable Action dma;

  /** The disk that threads may be at. */
  private @Nullable DiskIo io;

  /** Counts resets: what was begun before one is not finished after it. */
  private int epoch;

  IdeChannel(InterruptLine line, IdeBusMaster master) {
    this.line = line;
    this.master = master;
    master.connect(this);
  }

  /** Takes a drive away, whatever the channel is at. */
  void unplug(int index) {
    reset();
    units[index] = null;
  }

  void plug(int index, Drive drive) {
    units[index] = new IdeUnit(drive);
  }

  boolean has(int index) {
    return units[index] != null;
  }

  /** The status, whose reading here acknowledges nothing. */
  int status() {
    IdeUnit unit = units[selected];
    return unit == null ? 0 : unit.status;
  }

  /** Reads a register of the command block other than the data register. */
  int readRegister(int index) {
    IdeUnit unit = units[selected];
    if (unit == null) {
      return 0;
    }
    return switch (index) {
      case STATUS_COMMAND -> {
        setInterrupt(false);
        yield unit.status;
      }
      case ERROR -> unit.error;
      case IdeUnit.DEVICE -> unit.now[IdeUnit.DEVICE] | 0xa0;
      default -> ((control & CONTROL_PREVIOUS) != 0 ? unit.before : unit.now)[index];
    };
  }

  void writeRegister(int index, int value) {
    control &= ~CONTROL_PREVIOUS;
    if (index == STATUS_COMMAND) {
      command(value);
      return;
    }
    if (task != null) {
      return;
    }
    if (index == IdeUnit.DEVICE) {
      selected = (value & SELECT) != 0 ? 1 : 0;
    }
    for (IdeUnit unit : units) {
      if (unit != null) {
        unit.write(index, value);
      }
    }
  }

  void writeControl(int value) {
    boolean begins = (value & CONTROL_RESET) != 0 && (control & CONTROL_RESET) == 0;
    boolean ends = (value & CONTROL_RESET) == 0 && (control & CONTROL_RESET) != 0;
    control = value;
    if (begins) {
      abandon();
      for (IdeUnit unit : units) {
        if (unit != null) {
          unit.drive.reset();
          unit.status = Taskfile.STATUS_BUSY;
        }
      }
    }
    if (ends) {
      sign();
    }
    updateLine();
  }

  private void sign() {
    selected = 0;
    for (IdeUnit unit : units) {
      if (unit != null) {
        unit.sign();
      }
    }
  }

  /** As the machine is switched on, or reset. */
  void reset() {
    abandon();
    control = 0;
    for (IdeUnit unit : units) {
      if (unit != null) {
        unit.drive.reset();
      }
    }
    sign();
    setInterrupt(false);
  }

  /** Forgets the command that is under way, once no thread is at it any more. */
  private void abandon() {
    epoch++;
    DiskIo used = io;
    if (used != null) {
      used.drain();
    }
    task = null;
    busy = null;
    pio = null;
    dma = null;
    io = null;
    setInterrupt(false);
  }

  private void setInterrupt(boolean raised) {
    interrupt = raised;
    if (raised) {
      master.interrupted();
    }
    updateLine();
  }

  private void updateLine() {
    line.set(interrupt && (control & CONTROL_NO_INTERRUPT) == 0);
  }

  // -- Commands.

  private void command(int code) {
    IdeUnit unit = units[selected];
    if (unit == null || (control & CONTROL_RESET) != 0) {
      return;
    }
    if (code == COMMAND_DEVICE_RESET && unit.drive.isPacketDevice()) {
      abandon();
      unit.drive.reset();
      unit.sign();
      return;
    }
    if (task != null) {
      return;
    }
    setInterrupt(false);
    if (code == COMMAND_DIAGNOSE) {
      sign();
      setInterrupt(true);
      return;
    }
    Taskfile begun = unit.task(code);
    task = begun;
    busy = unit;
    unit.status = Taskfile.STATUS_BUSY;
    begin(unit, begun, unit.drive.command(begun));
  }

  private void begin(IdeUnit unit, Taskfile begun, Action action) {
    switch (action) {
      case Done done -> end(true);
      case PacketWanted wanted -> {
        byte[] packet = new byte[PACKET_BYTES];
        unit.now[IdeUnit.COUNT] = REASON_COMMAND;
        offer(
            unit,
            new PioTransfer(
                false,
                packet,
                PACKET_BYTES,
                PACKET_BYTES,
                () -> begin(unit, begun, unit.drive.packet(packet, begun))),
            false);
      }
      case DataIn data when !data.dma() -> {
        byte[] bytes = data.bytes();
        int block = begun.blockBytes(bytes.length);
        sendBlocks(
            unit, bytes, bytes.length, block, () -> finish(unit, begun, true, begun.isPacket()));
      }
      case DiskIn in when !in.dma() -> {
        io = unit.drive.io();
        load(unit, begun, in);
      }
      case DiskOut out when !out.dma() -> {
        io = unit.drive.io();
        gather(unit, begun, out, false);
      }
      case DataOut out when !out.dma() -> {
        begun.aborted();
        end(true);
      }
      case Background background -> {
        DiskIo used = unit.drive.io();
        io = used;
        int began = epoch;
        used.submit(background.job(), 0, true, ok -> ended(began, unit, begun, ok));
      }
      default -> {
        dma = action;
        unit.status = Taskfile.STATUS_GOOD | Taskfile.STATUS_DATA;
        master.wanted();
      }
    }
  }

  private void ended(int began, IdeUnit unit, Taskfile begun, boolean ok) {
    if (began == epoch) {
      finish(unit, begun, ok, true);
    }
  }

  /** Has the drive set the outcome, and ends. */
  private void finish(IdeUnit unit, Taskfile begun, boolean ok, boolean interrupts) {
    unit.drive.finished(begun, ok);
    end(interrupts);
  }

  private void end(boolean interrupts) {
    IdeUnit unit = busy;
    Taskfile begun = task;
    task = null;
    busy = null;
    io = null;
    if (unit == null || begun == null) {
      return;
    }
    if (begun.isPacket()) {
      unit.now[IdeUnit.COUNT] = REASON_DONE;
      unit.status = begun.status;
      unit.error = begun.error;
    } else {
      unit.take(begun);
    }
    if (interrupts) {
      setInterrupt(true);
    }
  }

  // -- By the data register.

  private void offer(IdeUnit unit, PioTransfer transfer, boolean interrupts) {
    pio = transfer;
    int length = transfer.nextBlock();
    if (unit.drive.isPacketDevice() && transfer.in) {
      unit.now[IdeUnit.COUNT] = REASON_IN;
      unit.now[IdeUnit.LBA_MID] = length & 0xff;
      unit.now[IdeUnit.LBA_HIGH] = length >>> 8;
    }
    unit.status = Taskfile.STATUS_GOOD | Taskfile.STATUS_DATA;
    if (interrupts) {
      setInterrupt(true);
    }
  }

  private void sendBlocks(IdeUnit unit, byte[] bytes, int length, int block, Runnable then) {
    offer(unit, new PioTransfer(true, bytes, length, block, then), true);
  }

  /** Reads a part of the disk that the guest then takes, and so on. */
  private void load(IdeUnit unit, Taskfile begun, DiskIn in) {
    int block = begun.blockBytes(in.blockBytes());
    int chunk = (int) Math.min(in.lengthBytes(), Math.max(block, CHUNK_BYTES / block * block));
    byte[] bytes = new byte[chunk];
    int began = epoch;
    DiskIo used = io;
    if (used == null) {
      return;
    }
    unit.status = Taskfile.STATUS_BUSY;
    used.submit(
        DiskIo.transfer(in.offset(), List.of(ByteBuffer.wrap(bytes)), false),
        chunk,
        false,
        ok -> {
          if (began != epoch) {
            return;
          }
          if (!ok) {
            finish(unit, begun, false, true);
            return;
          }
          long left = in.lengthBytes() - chunk;
          Runnable then =
              left == 0
                  ? () -> finish(unit, begun, true, begun.isPacket())
                  : () ->
                      load(
                          unit,
                          begun,
                          new DiskIn(in.offset() + chunk, left, in.blockBytes(), false));
          sendBlocks(unit, bytes, chunk, block, then);
        });
  }

  /** Takes from the guest what is then written to a part of the disk, and so on. */
  private void gather(IdeUnit unit, Taskfile begun, DiskOut out, boolean interrupts) {
    int block = out.blockBytes();
    int chunk = (int) Math.min(out.lengthBytes(), CHUNK_BYTES / block * block);
    byte[] bytes = new byte[chunk];
    offer(
        unit,
        new PioTransfer(false, bytes, chunk, block, () -> store(unit, begun, out, bytes)),
        interrupts);
  }

  private void store(IdeUnit unit, Taskfile begun, DiskOut out, byte[] bytes) {
    int began = epoch;
    DiskIo used = io;
    if (used == null) {
      return;
    }
    used.submit(
        DiskIo.transfer(out.offset(), List.of(ByteBuffer.wrap(bytes)), true),
        bytes.length,
        false,
        ok -> {
          if (began != epoch) {
            return;
          }
          long left = out.lengthBytes() - bytes.length;
          if (!ok || left == 0) {
            finish(unit, begun, ok, true);
          } else {
            long offset = out.offset() + bytes.length;
            gather(unit, begun, new DiskOut(offset, left, out.blockBytes(), false), true);
          }
        });
  }

  /** Reads the data register. */
  int readData(int size) {
    PioTransfer transfer = pio;
    if (transfer == null || !transfer.in || busy != units[selected]) {
      return 0;
    }
    int value = transfer.read(size);
    moved(transfer);
    return value;
  }

  void writeData(int size, int value) {
    PioTransfer transfer = pio;
    if (transfer != null && !transfer.in && busy == units[selected]) {
      transfer.write(size, value);
      moved(transfer);
    }
  }

  private void moved(PioTransfer transfer) {
    IdeUnit unit = busy;
    if (!transfer.isBlockDone() || unit == null) {
      return;
    }
    if (transfer.isDone()) {
      pio = null;
      unit.status = Taskfile.STATUS_BUSY;
      transfer.then.run();
    } else {
      offer(unit, transfer, true);
    }
  }

  // -- By the bus master.

  /** The bus master is started: does the transfer that waits, if one does. */
  void startDma() {
    Action action = dma;
    IdeUnit unit = busy;
    Taskfile begun = task;
    if (action == null || unit == null || begun == null) {
      return;
    }
    dma = null;
    unit.status = Taskfile.STATUS_BUSY;
    switch (action) {
      case DataIn data -> {
        ScatterList memory = master.table(data.bytes().length, true);
        int moved = memory == null ? 0 : memory.put(data.bytes());
        dmaEnded(unit, begun, memory != null && moved == data.bytes().length);
      }
      case DataOut out -> {
        ScatterList memory = master.table(out.lengthBytes(), false);
        if (memory == null) {
          dmaEnded(unit, begun, false);
        } else {
          master.ended(true);
          begin(unit, begun, out.then().apply(memory.take(out.lengthBytes())));
        }
      }
      case DiskIn in -> move(unit, begun, in.offset(), in.lengthBytes(), false);
      case DiskOut out -> move(unit, begun, out.offset(), out.lengthBytes(), true);
      default -> throw new IllegalStateException(action.toString());
    }
  }

  private void move(IdeUnit unit, Taskfile begun, long offset, long length, boolean toDisk) {
    ScatterList memory = master.table(length, !toDisk);
    if (memory == null) {
      dmaEnded(unit, begun, false);
      return;
    }
    DiskIo used = unit.drive.io();
    io = used;
    int began = epoch;
    used.submit(
        DiskIo.transfer(offset, memory.buffers(length), toDisk),
        length,
        false,
        ok -> {
          if (began == epoch) {
            if (!toDisk) {
              memory.written(length);
            }
            dmaEnded(unit, begun, ok);
          }
        });
  }

  private void dmaEnded(IdeUnit unit, Taskfile begun, boolean ok) {
    master.ended(ok);
    finish(unit, begun, ok, true);
  }

  /** The guest has stopped the bus master in the middle of a transfer. */
  void stopDma() {
    DiskIo used = io;
    if (used != null && task != null) {
      used.drain();
    }
  }
}
