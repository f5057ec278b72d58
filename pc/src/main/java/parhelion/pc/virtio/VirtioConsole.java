package parhelion.pc.virtio;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;
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

  /** Takes what the guest writes. On the machine's thread; must not block. */
  public interface Output {
    /** Takes bytes; says how many, from the front. The others are offered again. */
    int accept(byte[] bytes, int offset, int length);
  }

  private final VirtioPci transport;
  private final Output output;
  private final IntConsumer taken;
  private final ArrayDeque<byte[]> input = new ArrayDeque<>();
  private int inputBytes;
  private int columns;
  private int rows;
  private boolean started;

  /** What the output has not taken all of, and how much it has. */
  private @Nullable Chain sending;

  private long sent;

  private VirtioConsole(VirtioPci transport, Output output, IntConsumer taken) {
    this.transport = transport;
    this.output = output;
    this.taken = taken;
  }

  /** A console with its transport. */
  public record Device(VirtioPci transport, VirtioConsole console) {}

  /**
   * A device.
   *
   * @param taken is told, on the machine's thread, how many bytes of input the guest has taken
   */
  public static Device device(Board board, String name, Output output, IntConsumer taken) {
    VirtioConsole[] made = new VirtioConsole[1];
    VirtioPci transport =
        new VirtioPci(
            board,
            name,
            itsTransport -> {
              made[0] = new VirtioConsole(itsTransport, output, taken);
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

  /** The output that refused bytes has room again. On the machine's thread. */
  public void outputHasRoom() {
    if (started) {
      transport.run(this::transmit);
    }
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
    sending = null;
    sent = 0;
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
    if (!queue.isEnabled()) {
      return;
    }
    for (Chain chain = next(queue); chain != null && send(chain); chain = next(queue)) {
      queue.give(chain, 0);
      sending = null;
      sent = 0;
    }
    transport.interrupt(TX);
  }

  private @Nullable Chain next(Virtqueue queue) throws BrokenQueueException {
    if (sending == null) {
      sending = queue.take();
    }
    return sending;
  }

  /** Whether the output has taken all of it. */
  private boolean send(Chain chain) throws BrokenQueueException {
    while (sent < chain.readableBytes()) {
      byte[] piece = new byte[(int) Math.min(PIECE_BYTES, chain.readableBytes() - sent)];
      int unused = chain.read(sent, piece, 0, piece.length);
      int accepted = Math.clamp(output.accept(piece, 0, piece.length), 0, piece.length);
      sent += accepted;
      if (accepted < piece.length) {
        return false;
      }
    }
    return true;
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
      taken.accept(given);
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
