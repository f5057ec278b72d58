package parhelion.xen.memory;

import static parhelion.xen.memory.FrameTable.L1;
import static parhelion.xen.memory.FrameTable.L4;
import static parhelion.xen.memory.FrameTable.WRITABLE;

/**
 * How {@link PageTypes} keeps what it knows of each frame: a word of type, state and count, and two
 * numbers for page tables.
 */
class TypeWords {
  static final int COUNT = (1 << 25) - 1;
  static final int PARTIAL = 1 << 25;
  static final int VALIDATED = 1 << 26;
  static final int PINNED = 1 << 27;
  static final int TYPE_SHIFT = 28;
  static final int TYPE = 7 << TYPE_SHIFT;
  static final int DYING = 1 << 31;

  final int[] types;

  /** Entries of a PARTIAL or DYING table that hold references. */
  final short[] validated;

  /**
   * Tables that map tables of their own level read-only ("linear" page tables): above 0, such
   * entries in this table; below 0, such entries that refer to it. Never both, so that there are no
   * circles.
   */
  final short[] linear;

  int countLimit = COUNT;

  TypeWords(int size) {
    types = new int[size];
    validated = new short[size];
    linear = new short[size];
  }

  void limitCounts(int limit) {
    countLimit = limit;
  }

  int type(int mfn) {
    return (types[mfn] & TYPE) >>> TYPE_SHIFT;
  }

  int count(int mfn) {
    return types[mfn] & COUNT;
  }

  boolean isPinned(int mfn) {
    return (types[mfn] & PINNED) != 0;
  }

  boolean isPartial(int mfn) {
    return (types[mfn] & PARTIAL) != 0;
  }

  boolean isDying(int mfn) {
    return (types[mfn] & DYING) != 0;
  }

  boolean isValidated(int mfn) {
    return (types[mfn] & VALIDATED) != 0;
  }

  int validatedEntries(int mfn) {
    return validated[mfn];
  }

  int linearCount(int mfn) {
    return linear[mfn];
  }

  /** True for a table in use whose entries hold their references. */
  boolean isLiveTable(int mfn) {
    int t = types[mfn];
    return (t & VALIDATED) != 0 && (t & COUNT) != 0 && isTable(t);
  }

  static boolean isTable(int t) {
    int type = (t & TYPE) >>> TYPE_SHIFT;
    return type >= L1 && type <= L4;
  }

  static int of(int type) {
    return type << TYPE_SHIFT;
  }

  /** Writable for as long as Xen shares it: it can never be a table. */
  void shareWritable(int mfn) {
    types[mfn] = of(WRITABLE) | VALIDATED | 1;
  }

  /** The frame is free. */
  void forget(int mfn) {
    types[mfn] = 0;
    linear[mfn] = 0;
  }

  int[] histogram() {
    int[] n = new int[8];
    for (int t : types) {
      n[(t & COUNT) == 0 ? 0 : (t & TYPE) >>> TYPE_SHIFT]++;
    }
    return n;
  }
}
