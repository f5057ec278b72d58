package parhelion.process.memory;

import org.jspecify.annotations.Nullable;

/** A mapping: pages {@code [start, end)} with the same rights and the same origin. */
final class Area {
  final long start;
  final long end;

  /** Linux's PROT_ bits, which are the CPU's access bits too. */
  int rights;

  final @Nullable Backing backing;

  /** Offset in the backing of {@link #start}. */
  final long offset;

  /** Grows downward when the page below is touched. */
  final boolean stack;

  Area(long start, long end, int rights, @Nullable Backing backing, long offset, boolean stack) {
    this.start = start;
    this.end = end;
    this.rights = rights;
    this.backing = backing;
    this.offset = offset;
    this.stack = stack;
  }

  /** A part of this mapping, with a reference of its own to the backing. */
  Area part(long from, long to) {
    if (backing != null) {
      backing.retain();
    }
    boolean grows = stack && from == start;
    return new Area(from, to, rights, backing, offset + (from - start), grows);
  }

  boolean isShared() {
    return backing != null && backing.isShared();
  }

  boolean isWritable() {
    return (rights & AddressSpace.WRITE) != 0;
  }

  long bytes() {
    return end - start;
  }
}
