package parhelion.cpu.rewrite;

import org.jspecify.annotations.Nullable;
import parhelion.cpu.interp.Block;
import parhelion.cpu.interp.CodeCache;
import parhelion.cpu.interp.Interpreter;

/**
 * Generated code of one run of guest instructions. It has two entries: {@link #checked} expects
 * that the page where it runs is known to be mapped as it was, and flags in the host's; {@link
 * #unchecked} verifies the mapping first and expects the flags in {@link NativeState#FLAGS}.
 *
 * <p>{@link #sites} says what the places mean by which the code leaves, four ints each.
 */
final class Region implements CodeCache.Translation {
  /** Kinds of sites. */
  static final int CHAIN = 0;

  static final int MISS = 1;
  static final int INTERPRET = 2;
  static final int ENTRY = 3;
  static final int BUDGET = 4;
  static final int LOAD_X87 = 5;
  static final int UNMASKED = 6;

  /** The check for several accesses did not pass. */
  static final int GROUP = 7;

  /** So often a check for several accesses may fail before its code leads elsewhere for good. */
  private static final int GROUP_FAILURES = 1000;

  /** What statistics call the kinds. */
  static final String[] KIND_NAMES = {
    "chain", "TLB miss", "interpret", "entry", "budget", "load x87", "unmasked", "group"
  };

  /** Bits beside the kind in a site's first int. */
  static final int KIND = 7;

  static final int WRITE = 8;
  static final int FLAGS_STORED = 16;
  static final int SSE_KNOWN = 32;
  static final int X87_KNOWN = 64;

  /**
   * A page fault of the access is the instruction's, with the address and size that the site tells
   * of.
   */
  static final int FAULTS = 128;

  static final int SIZE_SHIFT = 8;

  /** Ints of a site: kind and bits, place, host offset to go on at or to patch, and behind it. */
  static final int SITE_INTS = 4;

  final long pa;
  final long secondPa;
  final long va;
  final int key;
  final long granules;

  /** Host address of the code. */
  final long host;

  final int unchecked = 0;
  int checked;

  /** Host offsets of the stubs that the entries lead to once the region is gone. */
  int deadUnchecked;

  int deadChecked;

  /** Flags that the code wants from before it. */
  int live;

  int lengthBytes;
  int hostBytes;
  int instructions;

  /** Number of the first site; they are numbered in a row. */
  int firstSite;

  /** Shared with the template, and so with other guests: not changed. */
  int[] sites = new int[0];

  /** By site, as far as there were any. */
  private int @Nullable [] groupFailures;

  /** Numbers by which the mapping of its page, and of the second, are checked. */
  int codePage;

  int secondCodePage;

  /** The interpreter's forms of single instructions, by site, as far as they were wanted. */
  private @Nullable Block @Nullable [] singles;

  boolean valid = true;

  private final RegionCache owner;

  @Nullable Region hashNext;

  Region(RegionCache owner, long pa, long secondPa, long va, int key, long granules, long host) {
    this.owner = owner;
    this.pa = pa;
    this.secondPa = secondPa;
    this.va = va;
    this.key = key;
    this.granules = granules;
    this.host = host;
  }

  /** All that does not depend on where the code lies; the fields of the same names. */
  record Shape(
      int checked,
      int deadUnchecked,
      int deadChecked,
      int live,
      int lengthBytes,
      int hostBytes,
      int instructions,
      int[] sites) {}

  Shape shape() {
    return new Shape(
        checked, deadUnchecked, deadChecked, live, lengthBytes, hostBytes, instructions, sites);
  }

  void take(Shape shape) {
    checked = shape.checked;
    deadUnchecked = shape.deadUnchecked;
    deadChecked = shape.deadChecked;
    live = shape.live;
    lengthBytes = shape.lengthBytes;
    hostBytes = shape.hostBytes;
    instructions = shape.instructions;
    sites = shape.sites;
  }

  /** The check for several accesses at a site has failed: true if it did so often enough. */
  boolean failsOften(int site) {
    if (groupFailures == null) {
      groupFailures = new int[sites.length / SITE_INTS];
    }
    return ++groupFailures[site] >= GROUP_FAILURES;
  }

  /** What the interpreter does for the instruction of a site; RIP is at it. */
  Block single(int site, Interpreter interpreter) {
    if (singles == null) {
      singles = new Block[sites.length / SITE_INTS];
    }
    Block single = singles[site];
    if (single == null) {
      single = interpreter.decodeSingle();
      singles[site] = single;
    }
    return single;
  }

  @Override
  public long granules(long mfn) {
    return mfn == secondPa >>> 12 && secondPa >= 0 ? 1 : granules;
  }

  @Override
  public void drop() {
    if (valid) {
      owner.drop(this);
    }
  }
}
