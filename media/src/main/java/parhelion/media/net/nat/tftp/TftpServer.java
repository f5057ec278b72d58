package parhelion.media.net.nat.tftp;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import parhelion.media.net.nat.config.NatConfig;
import parhelion.media.net.nat.ip.Datagram;
import parhelion.media.net.nat.ip.FlowKey;
import parhelion.media.net.nat.loop.Count;
import parhelion.media.net.nat.loop.Counts;
import parhelion.media.net.nat.loop.EventLoop;
import parhelion.media.net.nat.udp.UdpOutput;
import parhelion.media.net.nat.wire.Wire;
import parhelion.media.share.FileError;

/**
 * A server of TFTP (RFC 1350, with the options of RFC 2347 to 2349) at the gateway's port 69: files
 * of one directory, to be read. Each transfer has a port of its own. On the NAT's thread, which
 * reads the files, too: a block at a time, and no more than a guest acknowledges.
 */
public final class TftpServer {
  public static final int PORT = 69;

  /** The transfers' ports: none that {@code UdpFlows} gives to a forward's clients. */
  private static final int FIRST_PORT = 61000;

  private static final int PORTS = 4000;
  private static final int MAX_TRANSFERS = 32;

  private static final int IP_AND_UDP_BYTES = 28;

  /** Of a client that asks for nothing. */
  static final int DEFAULT_BLOCK_BYTES = 512;

  static final int READ = 1;
  static final int WRITE = 2;
  static final int DATA = 3;
  static final int ACK = 4;
  static final int ERROR = 5;
  static final int OPTIONS = 6;
  static final int HEADER_BYTES = 4;

  static final int UNDEFINED = 0;
  static final int NOT_FOUND = 1;
  private static final int ACCESS = 2;
  private static final int ILLEGAL = 4;
  private static final int UNKNOWN_TRANSFER = 5;

  private final TftpFiles files;
  private final int maxBlockBytes;
  private final UdpOutput output;
  private final Counts counts;
  private final EventLoop loop;
  private final Map<FlowKey, TftpTransfer> transfers = new LinkedHashMap<>();
  private int nextPort;

  /** What is read, on its way into a frame. */
  private final ByteBuffer buffer;

  /** Serves a directory. */
  public TftpServer(
      Path directory, NatConfig config, UdpOutput output, Counts counts, EventLoop loop) {
    this.files = new TftpFiles(directory);
    this.maxBlockBytes = config.mtu() - IP_AND_UDP_BYTES - HEADER_BYTES;
    this.buffer = ByteBuffer.allocateDirect(Math.max(maxBlockBytes, DEFAULT_BLOCK_BYTES));
    this.output = output;
    this.counts = counts;
    this.loop = loop;
  }

  /** Whether a port of the gateway is the server's. */
  public boolean isAt(int port) {
    return port == PORT || port >= FIRST_PORT && port < FIRST_PORT + PORTS;
  }

  /** Takes a datagram of IPv4 to one of its ports, whose UDP header was checked. */
  public void receive(Datagram datagram, int at, int length) {
    byte[] bytes = datagram.bytes();
    int fromPort = Wire.u16(bytes, datagram.at());
    int toPort = Wire.u16(bytes, datagram.at() + 2);
    FlowKey key = new FlowKey(datagram.from(), fromPort, datagram.to(), toPort);
    if (length < HEADER_BYTES) {
      counts.add(Count.DROP_MALFORMED);
      return;
    }
    int operation = Wire.u16(bytes, at);
    if (toPort == PORT) {
      switch (operation) {
        case READ -> read(key, TftpRequest.parse(bytes, at + 2, length - 2));
        case WRITE -> error(key, ACCESS, "files can only be read");
        default -> counts.add(Count.DROP_MALFORMED);
      }
      return;
    }
    TftpTransfer transfer = transfers.get(key);
    if (transfer == null) {
      if (operation != ERROR) {
        error(key, UNKNOWN_TRANSFER, "no such transfer");
      }
      return;
    }
    switch (operation) {
      case ACK -> transfer.acknowledged(Wire.u16(bytes, at + 2));
      case ERROR -> end(key);
      default -> {
        error(key, ILLEGAL, "neither an acknowledgement nor an error");
        end(key);
      }
    }
  }

  private void read(FlowKey asked, @Nullable TftpRequest request) {
    if (request == null) {
      error(asked, ILLEGAL, "malformed");
      return;
    }
    if (!request.mode().equals("octet")) {
      error(asked, ILLEGAL, "files come as octets");
      return;
    }
    // A request that comes again, as its answer was slow, begins anew.
    List.copyOf(transfers.keySet()).stream()
        .filter(key -> key.guest().equals(asked.guest()) && key.guestPort() == asked.guestPort())
        .forEach(this::end);
    if (transfers.size() >= MAX_TRANSFERS) {
      end(transfers.keySet().iterator().next());
    }
    TftpFiles.Found found;
    try {
      found = files.open(request.fileName());
    } catch (FileError | IOException e) {
      error(asked, NOT_FOUND, "there is no such file");
      return;
    }
    FlowKey key;
    do {
      key = new FlowKey(asked.guest(), asked.guestPort(), asked.peer(), FIRST_PORT + nextPort);
      nextPort = (nextPort + 1) % PORTS;
    } while (transfers.containsKey(key)); // There are far fewer transfers than ports.
    counts.add(Count.TFTP_FILES);
    TftpTransfer transfer = new TftpTransfer(this, key, found, request, maxBlockBytes, loop);
    transfers.put(key, transfer);
    transfer.begin();
  }

  void error(FlowKey key, int code, String text) {
    byte[] message = text.getBytes(StandardCharsets.US_ASCII);
    byte[] frame = frame(HEADER_BYTES + message.length + 1);
    int at = UdpOutput.payloadAt(false);
    Wire.put16(frame, at, ERROR);
    Wire.put16(frame, at + 2, code);
    System.arraycopy(message, 0, frame, at + HEADER_BYTES, message.length);
    send(key, frame);
  }

  /** Room for a block; anybody else's next. */
  ByteBuffer buffer(int bytes) {
    return buffer.clear().limit(bytes);
  }

  byte[] frame(int payloadBytes) {
    return output.frame(false, payloadBytes);
  }

  void send(FlowKey key, byte[] frame) {
    output.send(frame, key.peer(), key.peerPort(), key.guest(), key.guestPort());
  }

  /** Ends a transfer, whatever has come of it. */
  void end(FlowKey key) {
    TftpTransfer transfer = transfers.remove(key);
    if (transfer != null) {
      transfer.close();
    }
  }

  /** Forgets all transfers: the device is another, or the network is closed. */
  public void reset() {
    List.copyOf(transfers.keySet()).forEach(this::end);
  }
}
