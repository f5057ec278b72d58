package parhelion.toolstack.builder;

import java.util.OptionalLong;
import parhelion.toolstack.UserError;
import parhelion.toolstack.image.XenNotes;

/**
 * Where everything of a new PV domain lies, in pseudo-physical frames (pfn) and, as the initial
 * mapping is one offset from {@code virtBase}, in virtual memory: kernel, initrd, p2m list, the
 * three special pages, page tables, boot stack, and at least 512 KiB of room, its end aligned to 4
 * MiB (xen.h, "start-of-day memory layout"). An initrd or p2m list that the kernel's notes allow to
 * stay unmapped follows the mapped part.
 *
 * @param virtBase virtual address of pfn 0
 * @param initrdPfn first frame of the initrd, or 0 without one
 * @param initrdMapped whether the initrd lies in the initial mapping
 * @param p2mVa virtual address of the p2m list
 * @param p2mPfn its first frame
 * @param p2mFrames frames of the list, and of its page tables where it is mapped apart
 * @param p2mListFrames frames of the list alone
 * @param startInfoPfn start_info; the store and console rings follow it
 * @param tablesPfn first of {@code tables} page-table frames, the L4 first
 * @param stackPfn boot stack
 * @param mappedEndPfn end of the initial mapping, exclusive
 * @param usedEndPfn end of all that was placed, exclusive
 */
record BootLayout(
    long pages,
    long virtBase,
    long initrdPfn,
    boolean initrdMapped,
    long p2mVa,
    long p2mPfn,
    long p2mFrames,
    long p2mListFrames,
    long startInfoPfn,
    long tablesPfn,
    long tables,
    long stackPfn,
    long mappedEndPfn,
    long usedEndPfn) {
  private static final long ROOM_FRAMES = (512 << 10) >> 12;
  private static final long ALIGN_BYTES = 4L << 20;

  long va(long pfn) {
    return virtBase + (pfn << 12);
  }

  long storePfn() {
    return startInfoPfn + 1;
  }

  long consolePfn() {
    return startInfoPfn + 2;
  }

  boolean p2mApart() {
    return p2mVa != va(p2mPfn);
  }

  static BootLayout of(XenNotes notes, long pages, long initrdBytes) {
    long virtBase = notes.virtBase();
    long kernelEnd = framesUp(notes.kernelEndVa() - virtBase);
    long initrdFrames = framesUp(initrdBytes);
    long listFrames = framesUp(pages * 8);
    OptionalLong p2mBase = notes.initP2mVa();
    boolean p2mApart = p2mBase.isPresent() && (p2mBase.getAsLong() & 4095) == 0;
    boolean initrdMapped = initrdBytes > 0 && !notes.unmappedInitrd();
    long at = kernelEnd;
    long initrdPfn = 0;
    if (initrdMapped) {
      initrdPfn = at;
      at += initrdFrames;
    }
    long p2mPfn = at;
    if (!p2mApart) {
      at += listFrames;
    }
    final long startInfoPfn = at;
    at += 3;
    final long tablesPfn = at;
    long tables = 4;
    long end;
    while (true) {
      long needed = at + tables + 1 + ROOM_FRAMES;
      end = ((virtBase + (needed << 12) + ALIGN_BYTES - 1) & -ALIGN_BYTES) - virtBase >> 12;
      long count = tablesFor(virtBase, virtBase + (end << 12)) + 1;
      if (count <= tables) {
        break;
      }
      tables = count;
    }
    final long stackPfn = tablesPfn + tables;
    at = stackPfn + 1;
    // The room after the stack is mapped and free; what stays unmapped is placed behind it.
    long placed = Math.max(at, Math.min(end, pages));
    if (initrdBytes > 0 && !initrdMapped) {
      initrdPfn = placed;
      placed += initrdFrames;
    }
    long p2mFrames = listFrames;
    long p2mVa = virtBase + (p2mPfn << 12);
    if (p2mApart) {
      p2mVa = p2mBase.getAsLong();
      p2mPfn = placed;
      p2mFrames += tablesFor(p2mVa, p2mVa + (listFrames << 12));
      placed += p2mFrames;
    }
    if (placed > pages || end > pages) {
      throw new UserError(
          "memory of "
              + (pages >> 8)
              + " MiB is too small for this kernel and initrd: give --memory "
              + ((Math.max(placed, end) >> 8) + 16)
              + "M or more");
    }
    return new BootLayout(
        pages,
        virtBase,
        initrdPfn,
        initrdMapped,
        p2mVa,
        p2mPfn,
        p2mFrames,
        listFrames,
        startInfoPfn,
        tablesPfn,
        tables,
        stackPfn,
        end,
        placed);
  }

  private static long framesUp(long bytes) {
    return (bytes + 4095) >>> 12;
  }

  /** Page tables of levels 1 to 3 that map {@code [from, to)}. */
  static long tablesFor(long from, long to) {
    long count = 0;
    for (int shift = 21; shift <= 39; shift += 9) {
      count += ((to - 1) >>> shift) - (from >>> shift) + 1;
    }
    return count;
  }
}
