package parhelion.toolstack.steward;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * The frames between host and steward, as {@code guests/steward/steward.h} has them: a header of
 * eight bytes, little-endian, and a payload. A zero byte where a header should begin is padding.
 *
 * <pre>
 *   0  type, one of the constants below
 *   1  channel: 0 to 2 as the command's descriptors, 3 the reason why it could not be started
 *   2  u16, the payload's bytes, at most {@link #MAX_PAYLOAD}
 *   4  u32, the stream: a running command; 0 for none
 * </pre>
 *
 * <p>A client of the control socket speaks them, too, with one stream to a connection.
 */
public final class Wire {
  public static final int HEADER_BYTES = 8;
  public static final int MAX_PAYLOAD = 4096;

  /** How much of a channel may be on its way before the other side has said that it has room. */
  public static final int WINDOW = 65536;

  /** Commands at one time. */
  public static final int MAX_STREAMS = 64;

  /** A request's bytes: arguments, environment and all. */
  public static final int MAX_REQUEST = 131072;

  public static final int NONCE_BYTES = 16;
  static final int VERSION = 1;
  static final String MAGIC = "parhelion";

  public static final byte DATA = 'D';
  public static final byte END = 'E';
  public static final byte CREDIT = 'C';
  public static final byte SIGNAL = 'K';
  public static final byte SIZE = 'Z';
  public static final byte DONE = 'Q';
  static final byte WELCOME = 'W';
  static final byte PART = 'P';
  static final byte START = 'S';
  public static final byte CANCEL = 'X';
  static final byte AGAIN = 'B';
  static final byte HELLO = 'H';

  public static final int STDIN = 0;
  public static final int STDOUT = 1;
  public static final int STDERR = 2;
  public static final int FAILURE = 3;
  static final int CHANNELS = 4;

  private Wire() {}

  /** A whole frame. */
  public static byte[] frame(
      byte type, int channel, int stream, byte[] payload, int offset, int length) {
    ByteBuffer frame = ByteBuffer.allocate(HEADER_BYTES + length).order(ByteOrder.LITTLE_ENDIAN);
    frame.put(type).put((byte) channel).putShort((short) length).putInt(stream);
    return frame.put(payload, offset, length).array();
  }

  /** A frame without payload. */
  public static byte[] frame(byte type, int channel, int stream) {
    return frame(type, channel, stream, new byte[0], 0, 0);
  }

  /** A frame whose payload is a number. */
  public static byte[] frame(byte type, int channel, int stream, int number) {
    byte[] payload = ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(number).array();
    return frame(type, channel, stream, payload, 0, payload.length);
  }

  /** The number that a payload is; 0 for one that is none. */
  public static int number(byte[] payload, int length) {
    return length < 4 ? 0 : ByteBuffer.wrap(payload).order(ByteOrder.LITTLE_ENDIAN).getInt();
  }

  /** A wait status of Linux as a shell has it: 128 + n for signal n. */
  public static int exitStatus(int waitStatus) {
    int signal = waitStatus & 0x7f;
    return signal == 0 ? waitStatus >>> 8 & 0xff : 128 + signal;
  }
}
