package parhelion.media.net.nat.loop;

import java.util.concurrent.atomic.AtomicLongArray;

/** The counters of a NAT: written by its thread only, read by any. */
public final class Counts {
  private final AtomicLongArray values = new AtomicLongArray(Count.values().length);

  public void add(Count count) {
    add(count, 1);
  }

  public void add(Count count, long many) {
    int index = count.ordinal();
    values.setOpaque(index, values.getPlain(index) + many);
  }

  public long get(Count count) {
    return values.getOpaque(count.ordinal());
  }
}
