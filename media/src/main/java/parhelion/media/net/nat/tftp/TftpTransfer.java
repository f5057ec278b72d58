package parhelion.media.net.nat.tftp;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import parhelion.media.net.nat.ip.FlowKey;
import parhelion.media.net.nat.loop.EventLoop;
import parhelion.media.net.nat.loop.Timer;
import parhelion.media.net.nat.udp.UdpOutput;
import parhelion.media.net.nat.wire.Wire;
import parhelion.media.share.FileError;

/**
 * One file on its way: a block is sent, and again while nobody acknowledges it, then the next. An
 * acknowledgement of an earlier block is ignored, so that none is ever sent twice for it.
 */
final class TftpTransfer {
  private static final int DEFAULT_TIMEOUT_SECONDS = 1;
  private static final int MAX_TRIES = 8;

  private final TftpServer server;
  private final FlowKey key;
  private final TftpFiles.Found found;
  private final TftpRequest request;
  private final int blockBytes;
  private final Timer timer;
  private final long timeoutNanos;

  /** The block that is not acknowledged yet; 0 is the answer to the options. */
  private long block;

  private boolean last;
  private int tries;

  /** A transfer of which nothing is sent yet; the file is its own to close. */
  TftpTransfer(
      TftpServer server,
      FlowKey key,
      TftpFiles.Found found,
      TftpRequest request,
      int maxBlockBytes,
      EventLoop loop) {
    this.server = server;
    this.key = key;
    this.found = found;
    this.request = request;
    blockBytes =
        request.blockBytes() == 0
            ? TftpServer.DEFAULT_BLOCK_BYTES
            : Math.min(request.blockBytes(), maxBlockBytes);
    timer = loop.timer(this::again);
    int seconds = request.timeoutSeconds();
    timeoutNanos = TimeUnit.SECONDS.toNanos(seconds == 0 ? DEFAULT_TIMEOUT_SECONDS : seconds);
  }

  void begin() {
    boolean options =
        request.blockBytes() != 0 || request.timeoutSeconds() != 0 || request.wantsSize();
    block = options ? 0 : 1;
    sendBlock();
  }

  /** The client has a block, as it says by the low 16 bits of its number. */
  void acknowledged(int number) {
    if (number != (block & 0xffff)) {
      return;
    }
    if (last) {
      server.end(key);
      return;
    }
    block++;
    tries = 0;
    sendBlock();
  }

  private void again() {
    if (++tries == MAX_TRIES) {
      server.end(key);
    } else {
      sendBlock();
    }
  }

  private void sendBlock() {
    timer.setIn(timeoutNanos);
    if (block == 0) {
      sendOptions();
      return;
    }
    ByteBuffer content = server.buffer(blockBytes);
    try {
      found.file().read((block - 1) * blockBytes, content);
    } catch (FileError e) {
      server.error(key, TftpServer.UNDEFINED, "the file cannot be read");
      server.end(key);
      return;
    }
    content.flip();
    last = content.remaining() < blockBytes;
    byte[] frame = server.frame(TftpServer.HEADER_BYTES + content.remaining());
    int at = UdpOutput.payloadAt(false);
    Wire.put16(frame, at, TftpServer.DATA);
    Wire.put16(frame, at + 2, (int) (block & 0xffff));
    content.get(frame, at + TftpServer.HEADER_BYTES, content.remaining());
    server.send(key, frame);
  }

  private void sendOptions() {
    ByteArrayOutputStream options = new ByteArrayOutputStream();
    if (request.blockBytes() != 0) {
      option(options, "blksize", blockBytes);
    }
    if (request.timeoutSeconds() != 0) {
      option(options, "timeout", request.timeoutSeconds());
    }
    if (request.wantsSize()) {
      option(options, "tsize", found.bytes());
    }
    byte[] frame = server.frame(2 + options.size());
    int at = UdpOutput.payloadAt(false);
    Wire.put16(frame, at, TftpServer.OPTIONS);
    System.arraycopy(options.toByteArray(), 0, frame, at + 2, options.size());
    server.send(key, frame);
  }

  private static void option(ByteArrayOutputStream options, String name, long value) {
    options.writeBytes((name + '\0' + value + '\0').getBytes(StandardCharsets.US_ASCII));
  }

  void close() {
    timer.cancel();
    found.file().close();
  }
}
