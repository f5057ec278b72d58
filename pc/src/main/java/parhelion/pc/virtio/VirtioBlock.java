package parhelion.pc.virtio;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import parhelion.media.disk.Disk;
import parhelion.pc.Board;
import parhelion.pc.disk.DiskIo;

/** A disk (section 5.2): one queue, flush, discard, write zeroes. */
public final class VirtioBlock implements VirtioDevice {
  private static final int QUEUE_SIZE = 256;
  private static final int SECTOR = Disk.SECTOR_BYTES;
  private static final int HEADER_BYTES = 16;
  private static final int RANGE_BYTES = 16;
  private static final int SERIAL_BYTES = 20;
  private static final int MAX_RANGE_SECTORS = 1 << 22;

  private static final long SEG_MAX = 1L << 2;
  private static final long READ_ONLY = 1L << 5;
  private static final long BLK_SIZE = 1L << 6;
  private static final long FLUSH = 1L << 9;
  private static final long DISCARD = 1L << 13;
  private static final long WRITE_ZEROES = 1L << 14;

  private static final int OP_IN = 0;
  private static final int OP_OUT = 1;
  private static final int OP_FLUSH = 4;
  private static final int OP_GET_ID = 8;
  private static final int OP_DISCARD = 11;
  private static final int OP_WRITE_ZEROES = 13;

  private static final int OK = 0;
  private static final int IO_ERROR = 1;
  private static final int UNSUPPORTED = 2;

  private final VirtioPci transport;
  private final DiskIo io;
  private final byte[] serial;
  private final boolean writable;

  /** Whether the queue is being served: what ends at once is told of together. */
  private boolean serving;

  private VirtioBlock(VirtioPci transport, DiskIo io, String serial) {
    this.transport = transport;
    this.io = io;
    this.serial = Arrays.copyOf(serial.getBytes(StandardCharsets.US_ASCII), SERIAL_BYTES);
    writable = !io.disk().isReadOnly();
  }

  /** A device for a disk, whose threads {@code io} are the caller's to close. */
  public static VirtioPci device(Board board, String name, DiskIo io, String serial) {
    return new VirtioPci(board, name, transport -> new VirtioBlock(transport, io, serial));
  }

  @Override
  public VirtioKind kind() {
    return VirtioKind.BLOCK;
  }

  @Override
  public long features() {
    long changes = writable ? DISCARD | WRITE_ZEROES : READ_ONLY;
    return SEG_MAX | BLK_SIZE | FLUSH | changes;
  }

  @Override
  public int[] queueSizes() {
    return new int[] {QUEUE_SIZE};
  }

  @Override
  public byte[] config() {
    ByteBuffer config = ByteBuffer.allocate(60).order(ByteOrder.LITTLE_ENDIAN);
    config.putLong(0, io.disk().sizeBytes() / SECTOR);
    config.putInt(12, QUEUE_SIZE - 2);
    config.putInt(20, SECTOR);
    config.putShort(34, (short) 1);
    config.putInt(36, MAX_RANGE_SECTORS);
    config.putInt(40, 1);
    config.putInt(44, 1);
    config.putInt(48, MAX_RANGE_SECTORS);
    config.putInt(52, 1);
    config.put(56, (byte) 1);
    return config.array();
  }

  @Override
  public void start(long features) {}

  @Override
  public void stop() {
    io.drain();
  }

  @Override
  public void notified(int index) throws BrokenQueueException {
    Virtqueue queue = transport.queue(index);
    serving = true;
    try {
      for (Chain chain = queue.take(); chain != null; chain = queue.take()) {
        serve(chain);
      }
    } finally {
      serving = false;
    }
    transport.interrupt(0);
  }

  private void serve(Chain chain) throws BrokenQueueException {
    if (chain.writableBytes() < 1) {
      throw new BrokenQueueException("a request without room for its status");
    }
    byte[] header = new byte[HEADER_BYTES];
    if (chain.read(0, header, 0, HEADER_BYTES) < HEADER_BYTES) {
      throw new BrokenQueueException("a request without a header");
    }
    ByteBuffer fields = ByteBuffer.wrap(header).order(ByteOrder.LITTLE_ENDIAN);
    long sector = fields.getLong(8);
    switch (fields.getInt(0)) {
      case OP_IN -> transfer(chain, sector, false);
      case OP_OUT -> transfer(chain, sector, true);
      case OP_FLUSH -> submit(chain, Disk::flush, 0, true, 0);
      case OP_GET_ID -> {
        int room = (int) Math.min(SERIAL_BYTES, chain.writableBytes() - 1);
        end(chain, OK, chain.write(0, serial, 0, room));
      }
      case OP_DISCARD -> changeRange(chain, true);
      case OP_WRITE_ZEROES -> changeRange(chain, false);
      default -> end(chain, UNSUPPORTED, 0);
    }
  }

  private void transfer(Chain chain, long sector, boolean toDisk) {
    long length = toDisk ? chain.readableBytes() - HEADER_BYTES : chain.writableBytes() - 1;
    boolean sane = sector >= 0 && sector <= Long.MAX_VALUE / SECTOR && length % SECTOR == 0;
    if (!sane || !io.holds(sector * SECTOR, length) || toDisk && !writable) {
      end(chain, IO_ERROR, 0);
      return;
    }
    List<ByteBuffer> buffers =
        toDisk ? chain.readable(HEADER_BYTES, length) : chain.writable(0, length);
    submit(
        chain,
        DiskIo.transfer(sector * SECTOR, buffers, toDisk),
        length,
        false,
        toDisk ? 0 : length);
  }

  private void changeRange(Chain chain, boolean discard) {
    byte[] bytes = new byte[RANGE_BYTES];
    if (chain.readableBytes() != HEADER_BYTES + RANGE_BYTES || !writable) {
      end(chain, IO_ERROR, 0);
      return;
    }
    int unused = chain.read(HEADER_BYTES, bytes, 0, RANGE_BYTES);
    ByteBuffer range = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    long sector = range.getLong(0);
    long length = Integer.toUnsignedLong(range.getInt(8)) * SECTOR;
    int flags = range.getInt(12);
    boolean sane = sector >= 0 && sector <= Long.MAX_VALUE / SECTOR;
    if (!sane || length > (long) MAX_RANGE_SECTORS * SECTOR || !io.holds(sector * SECTOR, length)) {
      end(chain, IO_ERROR, 0);
    } else if ((flags & (discard ? ~0 : ~1)) != 0) {
      end(chain, UNSUPPORTED, 0);
    } else {
      DiskIo.Job job = disk -> change(disk, sector * SECTOR, length, discard);
      submit(chain, job, 0, true, 0);
    }
  }

  private static void change(Disk disk, long offset, long length, boolean discard)
      throws IOException {
    if (discard) {
      disk.discard(offset, length);
    } else {
      disk.writeZeroes(offset, length);
    }
  }

  private void submit(Chain chain, DiskIo.Job job, long bytes, boolean slow, long written) {
    int epoch = transport.epoch();
    io.submit(
        job,
        bytes,
        slow,
        ok -> transport.resume(epoch, () -> end(chain, ok ? OK : IO_ERROR, ok ? written : 0)));
  }

  /** Gives a request back; its status is the last byte that the device writes. */
  private void end(Chain chain, int status, long written) {
    long last = chain.writableBytes() - 1;
    int unused = chain.write(last, new byte[] {(byte) status}, 0, 1);
    if (written < last) {
      chain.writtenAll(transport.memory());
    }
    transport.queue(0).give(chain, written + 1);
    if (!serving) {
      transport.interrupt(0);
    }
  }
}
