package parhelion.pc.net;

import java.util.ArrayDeque;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import parhelion.media.net.NetworkPort;
import parhelion.media.net.Offloads;
import parhelion.media.net.Packet;
import parhelion.pc.Board;

/**
 * A network card's end of its cable: packets that wait for the guest to have room for them, bounded
 * in number and bytes. The network gives them by any thread; the card takes them on the machine's.
 */
public final class Inbox implements NetworkPort.Receiver {
  private static final int MAX_BYTES = 1 << 20;
  private static final int MAX_PACKETS = 1024;

  private final Board board;
  private final NetworkPort network;
  private final Runnable onPackets;
  private final Runnable onRoom;
  private final AtomicBoolean posted = new AtomicBoolean();
  private final ArrayDeque<Packet> queue = new ArrayDeque<>();
  private int bytes;
  private boolean refused;
  private volatile Offloads offloads = Offloads.NONE;
  private volatile boolean open;

  /**
   * Plugs a card in.
   *
   * @param onPackets called on the machine's thread when there are packets
   * @param onRoom called on the machine's thread when the network takes packets again
   */
  public Inbox(Board board, NetworkPort network, Runnable onPackets, Runnable onRoom) {
    this.board = board;
    this.network = network;
    this.onPackets = onPackets;
    this.onRoom = onRoom;
    network.connect(this);
  }

  /** What the card's driver takes now. */
  public void setOffloads(Offloads taken) {
    offloads = taken;
  }

  /** Whether packets are taken at all; a card that is off drops them, and what waits. */
  public void setOpen(boolean isOpen) {
    synchronized (queue) {
      open = isOpen;
      if (!isOpen) {
        queue.clear();
        bytes = 0;
      }
    }
    tellOfRoom();
  }

  @Override
  public boolean receive(Packet packet) {
    synchronized (queue) {
      if (!open) {
        return true;
      }
      if (bytes >= MAX_BYTES || queue.size() >= MAX_PACKETS) {
        refused = true;
        return false;
      }
      queue.add(packet);
      bytes += packet.bytes().length;
    }
    wake();
    return true;
  }

  private void wake() {
    if (posted.compareAndSet(false, true)) {
      board.post(
          () -> {
            posted.set(false);
            onPackets.run();
          });
    }
  }

  @Override
  public void roomToSend() {
    board.post(onRoom);
  }

  @Override
  public Offloads offloads() {
    return offloads;
  }

  /** The next packet, if there is one; the card has room for it. */
  public @Nullable Packet poll() {
    Packet packet;
    synchronized (queue) {
      packet = queue.poll();
      if (packet != null) {
        bytes -= packet.bytes().length;
      }
    }
    tellOfRoom();
    return packet;
  }

  private void tellOfRoom() {
    boolean room;
    synchronized (queue) {
      room = refused && bytes <= MAX_BYTES / 2 && queue.size() <= MAX_PACKETS / 2;
      refused &= !room;
    }
    if (room) {
      network.roomToReceive();
    }
  }
}
