package parhelion.toolstack.steward;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Finds the frames in a stream of bytes that comes in pieces. Keeps one frame at most. For one
 * thread.
 */
public final class FrameReader {
  private final byte[] header = new byte[Wire.HEADER_BYTES];
  private final byte[] payload = new byte[Wire.MAX_PAYLOAD];
  private int have;
  private int length;

  /** What becomes of a frame. */
  public interface Handler {
    /**
     * Takes one.
     *
     * @param payload its first {@code length} bytes are the frame's; they are used again
     */
    void frame(byte type, int channel, int stream, byte[] payload, int length)
        throws BrokenException;
  }

  /** The other side does not keep to the protocol. */
  public static final class BrokenException extends Exception {
    private static final long serialVersionUID = 1;

    public BrokenException(String message) {
      super(message, null, /* enableSuppression= */ false, /* writableStackTrace= */ false);
    }
  }

  /** Takes bytes, and hands on each frame that they complete. */
  public void accept(byte[] bytes, int offset, int count, Handler handler) throws BrokenException {
    int end = offset + count;
    for (int at = offset; at < end; ) {
      if (have == 0 && bytes[at] == 0) {
        at++; // padding
      } else if (have < header.length) {
        int n = Math.min(header.length - have, end - at);
        System.arraycopy(bytes, at, header, have, n);
        have += n;
        at += n;
        if (have == header.length) {
          length = (header[2] & 0xff) | (header[3] & 0xff) << 8;
          if (length > Wire.MAX_PAYLOAD) {
            throw new BrokenException("a frame of " + length + " bytes");
          }
          finish(handler);
        }
      } else {
        int n = Math.min(header.length + length - have, end - at);
        System.arraycopy(bytes, at, payload, have - header.length, n);
        have += n;
        at += n;
        finish(handler);
      }
    }
  }

  private void finish(Handler handler) throws BrokenException {
    if (have == header.length + length) {
      have = 0;
      int stream = ByteBuffer.wrap(header).order(ByteOrder.LITTLE_ENDIAN).getInt(4);
      handler.frame(header[0], header[1] & 0xff, stream, payload, length);
    }
  }

  /** Forgets a frame that was not whole. */
  public void reset() {
    have = 0;
  }
}
