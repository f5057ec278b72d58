package parhelion.media.net.nat.tcp;

import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * What a guest's connection is relayed to: a socket of the host, or a service in the NAT itself.
 * None of the methods blocks. An {@link IOException} says that the connection is broken.
 */
public interface FarSide {
  /** The connection, told when its far side is ready for what it was interested in. */
  interface Listener {
    void farReadable();

    void farWritable();
  }

  /** Once, before anything else. */
  void attach(Listener listener);

  /** Takes bytes out of a buffer, as many as there is room for. */
  void write(ByteBuffer bytes) throws IOException;

  /** Puts bytes into a buffer; their number, 0 if there are none now, -1 at the end. */
  int read(ByteBuffer into) throws IOException;

  /** Nothing will be written any more. */
  void shutdownOutput() throws IOException;

  /** Which readiness the listener wants to hear of. */
  void interest(boolean readable, boolean writable);

  /** Ends the connection; what was written still arrives. */
  void close();

  /** Ends the connection in a way that the other side sees as a reset. */
  void reset();
}
