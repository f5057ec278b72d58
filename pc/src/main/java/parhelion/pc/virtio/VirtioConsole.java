package parhelion.pc.virtio;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import java.util.function.Consumer;
import parhelion.pc.Board;

/** A console (section 5.3): one port, whose size in characters the guest may know. */
public final class VirtioConsole implements VirtioDevice {
  private static final int RX = 0;
  private static final int TX = 1;
  private static final int QUEUE_SIZE = 64;
  private static final long SIZE = 1L;
  private static final int MAX_INPUT_BYTES = 64 << 10;

  /** A larger buffer is handed on in pieces. */
  private static final int PIECE_BYTES = 4096;

  private final VirtioPci transport;
  private final Consumer<byte[]> output;
  private final ArrayDeque<byte[]> input = new ArrayDeque<>();
  private int inputBytes;
  private int columns;
  private int rows;
  private boolean started;

  private VirtioConsole(VirtioPci transport, Consumer<byte[]> output) {
    this.transport = transport;
    this.output = output;
  }

  /** A console with its transport. */
  public record Device(VirtioPci transport, VirtioConsole console) {}

  /** A device; {@code output} is called on the machine's thread and must not block. */
  public static Device device(Board board, String name, Consumer<byte[]> output) {
    VirtioConsole[] made = new VirtioConsole[1];
    VirtioPci transport =
        new VirtioPci(
            board,
            name,
            itsTransport -> {
              made[0] = new VirtioConsole(itsTransport, output);
              return made[0];
            });
    return new Device(transport, made[0]);
  }

  /**
   * Bytes for the guest. On the machine's thread.
   *
   * @return false if so much waits already that these were not taken
   */
  public boolean input(byte[] bytes) {
    if (inputBytes + bytes.length > MAX_INPUT_BYTES) {
      return false;
    }
    if (bytes.length > 0) {
      input.add(bytes.clone());
      inputBytes += bytes.length;
    }
    if (started) {
      transport.run(this::deliver);
    }
    return true;
  }

  /** The terminal has another size. On the machine's thread. */
  public void resize(int newColumns, int newRows) {
    columns = newColumns;
    rows = newRows;
    transport.configChanged();
  }

  @Override
  public VirtioKind kind() {
    return VirtioKind.CONSOLE;
  }

  @Override
  public long features() {
    return SIZE;
  }

  @Override
  public int[] queueSizes() {
    return new int[] {QUEUE_SIZE, QUEUE_SIZE};
  }

  @Override
  public byte[] config() {
    ByteBuffer config = ByteBuffer.allocate(12).order(ByteOrder.LITTLE_ENDIAN);
    config.putShort(0, (short) columns).putShort(2, (short) rows).putInt(4, 1);
    return config.array();
  }

  @Override
  public void start(long features) {
    started = true;
  }

  @Override
  public void stop() {
    started = false;
  }

  @Override
  public void notified(int index) throws BrokenQueueException {
    if (index == RX) {
      deliver();
    } else {
      transmit();
    }
  }

  private void transmit() throws BrokenQueueException {
    Virtqueue queue = transport.queue(TX);
    for (Chain chain = queue.take(); chain != null; chain = queue.take()) {
      for (long from = 0; from < chain.readableBytes(); from += PIECE_BYTES) {
        byte[] piece = new byte[(int) Math.min(PIECE_BYTES, chain.readableBytes() - from)];
        int unused = chain.read(from, piece, 0, piece.length);
        output.accept(piece);
      }
      queue.give(chain, 0);
    }
    transport.interrupt(TX);
  }

  private void deliver() throws BrokenQueueException {
    Virtqueue queue = transport.queue(RX);
    while (queue.isEnabled() && !input.isEmpty()) {
      Chain chain = queue.take();
      if (chain == null) {
        break;
      }
      byte[] bytes = input.remove();
      int given = chain.write(0, bytes, 0, bytes.length);
      inputBytes -= given;
      if (given < bytes.length) {
        input.addFirst(java.util.Arrays.copyOfRange(bytes, given, bytes.length));
      }
      queue.give(chain, given);
    }
    if (queue.isEnabled()) {
      transport.interrupt(RX);
    }
  }
}
