package parhelion.xen.memory;

import java.util.Arrays;

/**
 * What paging keeps for one domain beside the frame table: work that was put off, and how far its
 * end has come.
 */
public final class DomainMemory {
  /** Tables whose last reference went, whose entries still have to be given back. */
  private int[] dying = new int[16];

  private int dyingCount;

  /** Free frames that are set aside for it. */
  long claimed;

  /** What {@code XENMEM_memory_map} answers: entries of 20 bytes, none for no answer. */
  byte[] e820 = {};

  /** What the domain is to be told of its memory: entries of {@link parhelion.abi.E820Entry}. */
  public void e820(byte[] entries) {
    e820 = entries.clone();
  }

  /** Stage of {@link Relinquish}, and the next frame that it looks at. */
  int stage;

  int cursor;

  void pushDying(int mfn) {
    if (dyingCount == dying.length) {
      dying = Arrays.copyOf(dying, dyingCount * 2);
    }
    dying[dyingCount++] = mfn;
  }

  int popDying() {
    return dying[--dyingCount];
  }

  boolean hasDying() {
    return dyingCount != 0;
  }
}
