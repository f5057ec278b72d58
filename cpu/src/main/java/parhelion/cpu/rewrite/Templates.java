package parhelion.cpu.rewrite;

import java.util.Arrays;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import parhelion.cpu.memory.MachineMemory;

/**
 * Code that was written once in this process, for other guests, or other frames, with the same
 * bytes at the same address in the same mode: the second guest of a kernel gets copies instead of
 * having everything written again. Off unless {@link #share} was called, as the copies take memory
 * that a single guest has no use for.
 *
 * <p>A template is taken only if all guest bytes that it depends on are equal. Any thread.
 */
public final class Templates {
  private static final long MAX_BYTES = 64L << 20;

  /** Templates of one address and mode: a page may be mapped there with this content or that. */
  private static final int MAX_VARIANTS = 4;

  private static volatile @Nullable Templates shared;

  /** What a place in the code depends on; see {@link Template#relocations}. */
  static final int ROUTINE = 0;

  static final int SITE = 1;
  static final int CODE_PAGE = 2;
  static final int FRAME = 3;

  private record Key(long va, int mode) {
    @Override
    public int hashCode() { // one of a record's own making costs more than all else here
      return (int) ((va ^ (long) mode << 20) * 0x9e3779b97f4a7c15L >>> 32);
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof Key key && key.va == va && key.mode == mode;
    }
  }

  /**
   * One region's code.
   *
   * @param granules which 64-byte granules of the page it depends on
   * @param guest their content, eight longs each
   * @param code host code as it was written, at its place
   * @param relocations places that depend on where the code lies: kind, offset of the four or eight
   *     bytes, and for a routine its distance from the arena's start, for a site its number
   */
  record Template(
      long granules, long[] guest, byte[] code, int[] relocations, Region.Shape shape) {}

  private final ConcurrentHashMap<Key, Template[]> templates = new ConcurrentHashMap<>();
  private final AtomicLong bytes = new AtomicLong();

  private Templates() {}

  /** From now on, guests of this process share what is written for them. */
  public static synchronized void share() {
    if (shared == null) {
      shared = new Templates();
    }
  }

  static @Nullable Templates shared() {
    return shared;
  }

  /** A template that fits the guest's memory as it is, or null. */
  @Nullable Template find(MachineMemory memory, long pa, long va, int key) {
    Template[] variants = templates.get(new Key(va, key));
    if (variants != null) {
      for (Template template : variants) {
        if (matches(memory, pa, template)) {
          return template;
        }
      }
    }
    return null;
  }

  /** What was just written for {@code region}, to be kept. */
  static Template of(MachineMemory memory, Region region, byte[] code, int[] relocations) {
    return new Template(
        region.granules,
        guest(memory, region.pa, region.granules),
        Arrays.copyOf(code, region.hostBytes),
        relocations,
        region.shape());
  }

  /** Adds a template for an address and mode. */
  void add(long va, int mode, Template template) {
    if (bytes.addAndGet(template.code.length + 8L * template.guest.length) > MAX_BYTES) {
      return;
    }
    templates.merge(
        new Key(va, mode),
        new Template[] {template},
        (old, added) -> {
          if (old.length >= MAX_VARIANTS) {
            return old;
          }
          Template[] more = Arrays.copyOf(old, old.length + 1);
          more[old.length] = added[0];
          return more;
        });
  }

  private static boolean matches(MachineMemory memory, long pa, Template template) {
    int at = 0;
    for (long left = template.granules; left != 0; left &= left - 1) {
      long from = (pa & -4096L) + Long.numberOfTrailingZeros(left) * 64L;
      for (int i = 0; i < 8; i++) {
        if (memory.getLong(from + i * 8L) != template.guest[at++]) {
          return false;
        }
      }
    }
    return true;
  }

  private static long[] guest(MachineMemory memory, long pa, long granules) {
    int count = Long.bitCount(granules) * 8;
    long[] content = new long[count];
    int at = 0;
    for (long left = granules; left != 0; left &= left - 1) {
      long from = (pa & -4096L) + Long.numberOfTrailingZeros(left) * 64L;
      for (int i = 0; i < 8; i++) {
        content[at++] = memory.getLong(from + i * 8L);
      }
    }
    return content;
  }
}
