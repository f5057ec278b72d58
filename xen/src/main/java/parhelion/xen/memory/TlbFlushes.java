package parhelion.xen.memory;

import java.util.List;
import parhelion.cpu.Cpu;
import parhelion.cpu.Tlb;
import parhelion.cpu.interp.CodeCache;

/**
 * Which TLBs may still hold a translation that no page table holds any more. A guest flushes when
 * it needs to; Xen must not trust it where a frame becomes a page table, or becomes another
 * domain's. As in Xen, a frame is stamped with the time at which its last mapping of a kind went,
 * and a TLB that was flushed later cannot know the frame.
 */
final class TlbFlushes {
  private final List<Cpu> cpus;
  private final long[] stamps;

  TlbFlushes(CodeCache code, int frames) {
    cpus = code.cpus();
    stamps = new long[frames];
  }

  /** A mapping of the frame may have gone just now. */
  void left(int mfn) {
    stamps[mfn] = Tlb.now();
  }

  /**
   * No TLB may be used to write to the frame any more: it becomes a page table or a descriptor
   * page.
   */
  void dropWritable(int mfn) {
    long stamp = stamps[mfn];
    for (int i = 0; i < cpus.size(); i++) {
      Cpu cpu = cpus.get(i);
      if (cpu.tlb(0).flushedAt() <= stamp || cpu.tlb(1).flushedAt() <= stamp) {
        cpu.protectFrame(mfn);
      }
    }
  }

  /** No TLB may know the frame any more: it is freed, or gets a new owner. */
  void dropAll(int mfn) {
    long stamp = stamps[mfn];
    stamps[mfn] = 0;
    for (int i = 0; i < cpus.size(); i++) {
      Cpu cpu = cpus.get(i);
      for (int mode = 0; mode < 2; mode++) {
        if (cpu.tlb(mode).flushedAt() <= stamp) {
          cpu.tlb(mode).flush();
        }
      }
    }
  }
}
