package parhelion.toolstack.steward;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Finds a hello in a stream of bytes that makes no sense otherwise. For one thread. */
final class HelloFinder {
  private static final byte[] BEGINNING = beginning();

  private final byte[] nonce = new byte[Wire.NONCE_BYTES];
  private int matched;

  private static byte[] beginning() {
    byte[] magic = Wire.MAGIC.getBytes(StandardCharsets.US_ASCII);
    byte[] payload = Arrays.copyOf(magic, magic.length + Wire.NONCE_BYTES);
    byte[] frame = Wire.frame(Wire.HELLO, Wire.VERSION, 0, payload, 0, payload.length);
    return Arrays.copyOf(frame, Wire.HEADER_BYTES + magic.length);
  }

  /** Looks at bytes until a hello is complete; where it stopped. */
  int find(byte[] bytes, int offset, int end) {
    int at = offset;
    while (at < end && !complete()) {
      byte b = bytes[at++];
      if (matched >= BEGINNING.length) {
        nonce[matched++ - BEGINNING.length] = b;
      } else if (b == BEGINNING[matched]) {
        matched++;
      } else {
        matched = b == BEGINNING[0] ? 1 : 0; // its first byte comes once only
      }
    }
    return at;
  }

  boolean complete() {
    return matched == BEGINNING.length + nonce.length;
  }

  byte[] nonce() {
    return nonce.clone();
  }

  void reset() {
    matched = 0;
  }
}
