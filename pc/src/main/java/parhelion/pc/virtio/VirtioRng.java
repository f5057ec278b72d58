package parhelion.pc.virtio;

import java.util.function.Consumer;
import parhelion.pc.Board;

/** A source of entropy (section 5.4). */
public final class VirtioRng implements VirtioDevice {
  private static final int QUEUE_SIZE = 64;

  /** More than a driver asks for at once; it takes what it is given. */
  private static final int MAX_BYTES = 4096;

  private final VirtioPci transport;
  private final Consumer<byte[]> source;

  private VirtioRng(VirtioPci transport, Consumer<byte[]> source) {
    this.transport = transport;
    this.source = source;
  }

  /** A device; {@code source} fills arrays with random bytes. */
  public static VirtioPci device(Board board, String name, Consumer<byte[]> source) {
    return new VirtioPci(board, name, transport -> new VirtioRng(transport, source));
  }

  @Override
  public VirtioKind kind() {
    return VirtioKind.RNG;
  }

  @Override
  public long features() {
    return 0;
  }

  @Override
  public int[] queueSizes() {
    return new int[] {QUEUE_SIZE};
  }

  @Override
  public byte[] config() {
    return new byte[0];
  }

  @Override
  public void start(long features) {}

  @Override
  public void stop() {}

  @Override
  public void notified(int index) throws BrokenQueueException {
    Virtqueue queue = transport.queue(0);
    for (Chain chain = queue.take(); chain != null; chain = queue.take()) {
      byte[] random = new byte[(int) Math.min(MAX_BYTES, chain.writableBytes())];
      source.accept(random);
      queue.give(chain, chain.write(0, random, 0, random.length));
    }
    transport.interrupt(0);
  }
}
