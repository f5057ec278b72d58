package parhelion.toolstack.image;

import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.OptionalInt;

/**
 * Stands between a guest's console and the user: takes out the line {@code parhelion-exit-status:
 * TOKEN N} with the line break before it, and drops everything after, which is only the kernel
 * powering off. Everything else passes unchanged, at once; only bytes that may be the beginning of
 * that line are held back until the next ones come. For one thread.
 */
public final class ExitStatusFilter extends FilterOutputStream {
  private static final int MAX_DIGITS = 3;

  private final byte[] marker;
  private final boolean plainNewlines;
  private int matched;
  private boolean heldReturn;
  private int digits;
  private int value;
  private boolean done;

  /**
   * Filters for a token.
   *
   * @param plainNewlines whether a terminal's CR LF is to become LF, as a pipe wants it
   */
  public ExitStatusFilter(OutputStream out, String token, boolean plainNewlines) {
    super(out);
    this.marker = ("\nparhelion-exit-status: " + token + " ").getBytes(StandardCharsets.US_ASCII);
    this.plainNewlines = plainNewlines;
  }

  /** The guest's word on how the command ended; empty until it has said so. */
  public OptionalInt status() {
    return done ? OptionalInt.of(value) : OptionalInt.empty();
  }

  @Override
  public void write(int b) throws IOException {
    if (!done) {
      step((byte) b);
    }
  }

  @Override
  public void write(byte[] bytes, int offset, int length) throws IOException {
    for (int i = 0; i < length && !done; i++) {
      step(bytes[offset + i]);
    }
  }

  private void step(byte b) throws IOException {
    if (matched == marker.length) {
      if (b >= '0' && b <= '9' && digits < MAX_DIGITS) {
        value = 10 * value + (b - '0');
        digits++;
        return;
      }
      if (digits > 0 && (b == '\r' || b == '\n') && value < 256) {
        done = true;
        return;
      }
      release();
    }
    if (b == '\r' && matched == 0) { // may be the CR LF before the marker
      flushReturn();
      heldReturn = true;
      return;
    }
    if (b == marker[matched]) {
      matched++;
      return;
    }
    release();
    if (b == '\r') {
      heldReturn = true;
    } else if (b == marker[0]) {
      matched = 1;
    } else {
      out.write(b);
    }
  }

  private void flushReturn() throws IOException {
    if (heldReturn) {
      out.write('\r');
      heldReturn = false;
    }
  }

  /** Lets through what had looked like the marker. */
  private void release() throws IOException {
    if (matched > 0 && plainNewlines) {
      heldReturn = false;
    }
    flushReturn();
    out.write(marker, 0, matched);
    if (matched == marker.length && digits > 0) {
      String text = String.valueOf(value);
      out.write(("0".repeat(digits - text.length()) + text).getBytes(StandardCharsets.US_ASCII));
    }
    matched = 0;
    digits = 0;
    value = 0;
  }

  /** Passes on what is held back, as at the end of the guest. */
  public void finish() throws IOException {
    if (!done) {
      release();
    }
    out.flush();
  }

  /** Finishes; the stream below stays open. */
  @Override
  public void close() throws IOException {
    finish();
  }
}
