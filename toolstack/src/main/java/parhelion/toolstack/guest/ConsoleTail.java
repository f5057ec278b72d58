package parhelion.toolstack.guest;

import java.nio.charset.StandardCharsets;
import java.util.List;
import parhelion.backends.console.ConsoleSink;

/**
 * Keeps the end of what a guest's console prints, for who wants to know what became of it. Takes
 * everything at once, so that a guest never waits for it. Any thread.
 */
public final class ConsoleTail implements ConsoleSink {
  private static final int BYTES = 8192;

  private final byte[] ring = new byte[BYTES];
  private long written;

  @Override
  public synchronized int accept(byte[] bytes, int offset, int length) {
    for (int i = 0; i < length; i++) {
      ring[(int) (written++ % BYTES)] = bytes[offset + i];
    }
    return length;
  }

  /** The last lines that are not empty, so many at most, without what is not printable. */
  public synchronized List<String> lines(int most) {
    int length = (int) Math.min(written, BYTES);
    byte[] bytes = new byte[length];
    for (int i = 0; i < length; i++) {
      bytes[i] = ring[(int) ((written - length + i) % BYTES)];
    }
    List<String> lines =
        new String(bytes, StandardCharsets.UTF_8)
            .lines()
            .map(line -> line.replaceAll("\\p{Cntrl}", "").strip())
            .filter(line -> !line.isEmpty())
            .toList();
    return lines.subList(Math.max(0, lines.size() - most), lines.size());
  }
}
