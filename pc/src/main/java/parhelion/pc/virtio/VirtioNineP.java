package parhelion.pc.virtio;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;
import parhelion.media.share.FileTree;
import parhelion.media.share.NinePServer;
import parhelion.pc.Board;

/**
 * A directory of the host over 9P (section 5.10 and Linux's 9p transport): each chain is a request,
 * and room for its answer.
 */
public final class VirtioNineP implements VirtioDevice {
  private static final int QUEUE_SIZE = 128;
  private static final long MOUNT_TAG = 1L;
  private static final int HEADER_BYTES = 7;
  private static final int MAX_TAG_BYTES = 255;

  private final VirtioPci transport;
  private final FileTree tree;
  private final byte[] tag;
  private @Nullable NinePServer server;

  private VirtioNineP(VirtioPci transport, FileTree tree, String tag) {
    this.transport = transport;
    this.tree = tree;
    this.tag = tag.getBytes(StandardCharsets.UTF_8);
    if (this.tag.length > MAX_TAG_BYTES) {
      throw new IllegalArgumentException("a tag of " + this.tag.length + " bytes");
    }
  }

  /**
   * A device.
   *
   * @param tag the name by which the guest mounts it
   * @param tree what it serves; stays open
   */
  public static VirtioPci device(Board board, String name, FileTree tree, String tag) {
    return new VirtioPci(board, name, transport -> new VirtioNineP(transport, tree, tag));
  }

  @Override
  public VirtioKind kind() {
    return VirtioKind.NINE_P;
  }

  @Override
  public long features() {
    return MOUNT_TAG;
  }

  @Override
  public int[] queueSizes() {
    return new int[] {QUEUE_SIZE};
  }

  @Override
  public byte[] config() {
    ByteBuffer config = ByteBuffer.allocate(2 + tag.length).order(ByteOrder.LITTLE_ENDIAN);
    return config.putShort((short) tag.length).put(tag).array();
  }

  @Override
  public void start(long features) {
    server = new NinePServer(tree, "9p");
  }

  @Override
  public void stop() {
    NinePServer running = server;
    server = null;
    if (running != null) {
      running.close();
    }
  }

  @Override
  public void notified(int index) throws BrokenQueueException {
    NinePServer running = server;
    Virtqueue queue = transport.queue(0);
    while (running != null && running.hasRoom()) {
      Chain chain = queue.take();
      if (chain == null) {
        return;
      }
      submit(running, chain);
    }
  }

  private void submit(NinePServer running, Chain chain) throws BrokenQueueException {
    byte[] header = new byte[HEADER_BYTES];
    int read = chain.read(0, header, 0, HEADER_BYTES);
    int size = ByteBuffer.wrap(header).order(ByteOrder.LITTLE_ENDIAN).getInt(0);
    boolean whole = read == HEADER_BYTES && size >= HEADER_BYTES && size <= chain.readableBytes();
    if (!whole || size > running.messageBytes()) {
      throw new BrokenQueueException("a message of " + Integer.toUnsignedString(size) + " bytes");
    }
    ByteBuffer message = running.buffer(size);
    message.limit(size);
    for (ByteBuffer part : chain.readable(0, size)) {
      message.put(part);
    }
    message.flip();
    message.putInt(0, size); // the guest's may have changed since
    int epoch = transport.epoch();
    running.submit(message, answer -> transport.post(epoch, () -> end(chain, answer)));
  }

  private void end(Chain chain, NinePServer.Answer answer) throws BrokenQueueException {
    ByteBuffer message = answer.message();
    int size = message.remaining();
    if (size > chain.writableBytes()) {
      throw new BrokenQueueException(
          "an answer of %d bytes where there is room for %d"
              .formatted(size, chain.writableBytes()));
    }
    for (ByteBuffer part : chain.writable(0, size)) {
      int length = part.remaining();
      part.put(message.slice(message.position(), length));
      message.position(message.position() + length);
    }
    answer.done();
    transport.queue(0).give(chain, size);
    transport.interrupt(0);
    notified(0);
  }
}
