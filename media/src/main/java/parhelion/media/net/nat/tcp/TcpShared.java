package parhelion.media.net.nat.tcp;

import java.nio.ByteBuffer;
import java.util.LinkedHashSet;
import java.util.SequencedSet;
import parhelion.media.net.nat.config.NatConfig;
import parhelion.media.net.nat.loop.Counts;
import parhelion.media.net.nat.loop.EventLoop;

/** What all connections of a NAT share. */
final class TcpShared {
  /** What is read from, or written to, a far side at once. */
  static final int TRANSFER_BYTES = 256 << 10;

  final NatConfig config;
  final EventLoop loop;
  final Counts counts;
  final TcpOutput output;
  final Budget receiveBudget;
  final Budget sendBudget;

  /** For one transfer: native memory, so that the host's socket is read and written in place. */
  final ByteBuffer transfer = ByteBuffer.allocateDirect(TRANSFER_BYTES);

  /** Connections with something to do at the end of the turn. */
  final SequencedSet<TcpConnection> dirty = new LinkedHashSet<>();

  /** Connections that wait for room in the device. */
  final SequencedSet<TcpConnection> stalled = new LinkedHashSet<>();

  int halfOpen;

  TcpShared(NatConfig config, EventLoop loop, Counts counts, TcpOutput output) {
    this.config = config;
    this.loop = loop;
    this.counts = counts;
    this.output = output;
    this.receiveBudget = new Budget(config.limits().bufferBytes());
    this.sendBudget = new Budget(config.limits().bufferBytes());
  }
}
