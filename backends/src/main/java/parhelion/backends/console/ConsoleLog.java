package parhelion.backends.console;

import java.util.Arrays;

/**
 * A sink that keeps the last bytes of output and drops older ones: for crash reports and for
 * attaching to a console later. Any thread may read it.
 */
public final class ConsoleLog implements ConsoleSink {
  private final byte[] ring;
  private long written;

  /**
   * @param capacityBytes how much is kept, at least 1
   */
  public ConsoleLog(int capacityBytes) {
    if (capacityBytes < 1) {
      throw new IllegalArgumentException("capacity " + capacityBytes);
    }
    ring = new byte[capacityBytes];
  }

  @Override
  public synchronized int accept(byte[] bytes, int offset, int length) {
    int skipped = Math.max(0, length - ring.length);
    for (int done = skipped; done < length; ) {
      int at = (int) ((written + done) % ring.length);
      int count = Math.min(length - done, ring.length - at);
      System.arraycopy(bytes, offset + done, ring, at, count);
      done += count;
    }
    written += length;
    return length;
  }

  /** The number of bytes ever written. */
  public synchronized long writtenBytes() {
    return written;
  }

  /** What is kept, oldest byte first. */
  public synchronized byte[] tail() {
    if (written <= ring.length) {
      return Arrays.copyOf(ring, (int) written);
    }
    int start = (int) (written % ring.length);
    byte[] tail = new byte[ring.length];
    System.arraycopy(ring, start, tail, 0, ring.length - start);
    System.arraycopy(ring, 0, tail, ring.length - start, start);
    return tail;
  }
}
