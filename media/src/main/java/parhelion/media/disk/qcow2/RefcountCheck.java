package parhelion.media.disk.qcow2;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import parhelion.media.disk.DiskException;
import parhelion.media.disk.ImageFile;

/**
 * Checks an image that nobody else has open: compares what each host cluster's refcount is with how
 * often it is referred to, and repairs the one after the other.
 *
 * <p>A repair sets refcounts, and the flags in L1 and L2 entries that follow from them. It invents
 * no data: an entry that refers to what cannot be is left as it is. While a table cannot be
 * followed, nothing is freed.
 */
public final class RefcountCheck {
  private final ImageFile file;
  private final Header header;
  private final Geometry geometry;
  private final boolean repair;
  private final Findings findings = new Findings();
  private final ReferenceWalk walk;
  private long end;

  private RefcountCheck(ImageFile file, boolean repair, CheckReport.Progress progress)
      throws IOException {
    this.file = file;
    this.header = Header.read(file);
    this.geometry = header.geometry();
    this.repair = repair;
    this.walk = new ReferenceWalk(file, header, findings, progress);
    this.end = geometry.clustersFor(file.sizeBytes());
  }

  /**
   * Checks an image.
   *
   * @param repair whether to repair what can be; the file is written then
   */
  public static CheckReport run(ImageFile file, boolean repair, CheckReport.Progress progress)
      throws IOException {
    RefcountCheck check = new RefcountCheck(file, repair, progress);
    try {
      return check.run();
    } catch (CountTable.TooLarge e) {
      throw new DiskException(
          file.name()
              + ": takes more memory to check than there is: give the JVM more, as in"
              + " PARHELION_JAVA_OPTS=-Xmx8g",
          e);
    } catch (ArithmeticException e) {
      throw Tables.damaged(file, "clusters are referred to more often than can be");
    }
  }

  private CheckReport run() throws IOException {
    walk.run();
    if (repair) {
      addMissingBlocks();
    }
    for (int block = 0; block < walk.refcountTable.length; block++) {
      if (walk.refcountTable[block] != 0) {
        compare(block);
      }
    }
    uncounted();
    flags();
    if (repair) {
      file.force();
      finishRepair();
    }
    long last = 0;
    for (long c = walk.counts.next(0); c >= 0; c = walk.counts.next(c + 1)) {
      last = c;
    }
    return new CheckReport(
        findings.corruptions,
        findings.leaks,
        findings.repairedCorruptions,
        findings.repairedLeaks,
        List.copyOf(findings.lines),
        findings.allocated,
        findings.compressed,
        geometry.clustersFor(header.sizeBytes()),
        last + 1 << geometry.clusterBits());
  }

  private void compare(int number) throws IOException {
    byte[] block = new byte[geometry.clusterBytes()];
    file.read(walk.refcountTable[number], ByteBuffer.wrap(block));
    int order = geometry.refcountOrder();
    boolean changed = false;
    long first = (long) number << geometry.blockBits();
    for (int i = 0; i < 1 << geometry.blockBits(); i++) {
      long is = Refcounts.get(block, i, order);
      long shall = walk.counts.get(first + i);
      if (is != shall && judge(first + i, is, shall)) {
        Refcounts.put(block, i, order, shall);
        changed = true;
      }
    }
    if (changed) {
      file.write(walk.refcountTable[number], ByteBuffer.wrap(block));
    }
  }

  /** Notes a wrong refcount; true if it is to be set right. */
  private boolean judge(long cluster, long is, long shall) {
    String what = "cluster " + cluster + " has refcount " + is + " and " + shall + " references";
    if (is < 0 || is > shall) {
      boolean free = repair && !findings.incomplete;
      if (free) {
        findings.repairedLeak(what);
      } else {
        findings.leak(what);
      }
      return free;
    }
    if (repair && shall <= geometry.maxRefcount()) {
      findings.repairedCorruption(what);
      return true;
    }
    findings.corruption(what);
    return false;
  }

  /** Clusters that are referred to and have no block for a refcount. */
  private void uncounted() {
    long cluster = walk.counts.next(0);
    while (cluster >= 0) {
      long block = cluster >>> geometry.blockBits();
      if (block < walk.refcountTable.length && walk.refcountTable[(int) block] != 0) {
        cluster = walk.counts.next(block + 1 << geometry.blockBits());
      } else {
        findings.corruption("cluster " + cluster + " has references and no refcount");
        cluster = walk.counts.next(cluster + 1);
      }
    }
  }

  /** Makes blocks where there are references and none, as far as the table has room. */
  private void addMissingBlocks() throws IOException {
    long cluster = walk.counts.next(0);
    while (cluster >= 0) {
      long block = cluster >>> geometry.blockBits();
      if (block >= walk.refcountTable.length) {
        return;
      }
      cluster = walk.counts.next(block + 1 << geometry.blockBits());
      if (walk.refcountTable[(int) block] == 0) {
        long offset = end << geometry.clusterBits();
        Tables.writeZeroes(file, offset, geometry.clusterBytes());
        file.force();
        WriteAccess.putLong(file, header.refcountTableOffset() + 8 * block, offset);
        walk.refcountTable[(int) block] = offset;
        walk.counts.add(end, 1);
        end++;
        // The new block's own refcount may want a block in turn.
        cluster = walk.counts.next(0);
      }
    }
  }

  /** An entry is marked as the only one just if it is. */
  private void flags() throws IOException {
    if (header.l1Entries() == 0 || findings.incomplete) {
      return;
    }
    long[] l1 = Tables.read(file, header.l1Offset(), header.l1Entries());
    for (int i = 0; i < l1.length; i++) {
      if (Entry.offset(l1[i]) != 0) {
        flag("L1 entry " + i, header.l1Offset() + 8L * i, l1[i]);
        l2Flags(Entry.offset(l1[i]));
      }
    }
  }

  private void l2Flags(long table) throws IOException {
    long[] l2 = Tables.read(file, table, geometry.clusterBytes() >>> 3);
    for (int i = 0; i < l2.length; i++) {
      if (!Entry.isCompressed(l2[i]) && Entry.offset(l2[i]) != 0) {
        flag("entry " + i + " of the L2 table at " + table, table + 8L * i, l2[i]);
      }
    }
  }

  private void flag(String what, long at, long entry) throws IOException {
    boolean alone = walk.counts.get(Entry.offset(entry) >>> geometry.clusterBits()) == 1;
    if (Entry.isCopied(entry) == alone) {
      return;
    }
    String line = what + (alone ? " is not marked" : " is marked") + " as the only reference";
    if (repair) {
      WriteAccess.putLong(file, at, entry ^ Entry.COPIED);
      findings.repairedCorruption(line);
    } else {
      findings.corruption(line);
    }
  }

  /** What is right now need not be called dirty or damaged. */
  private void finishRepair() throws IOException {
    long gone = findings.corruptions == 0 ? Feature.DIRTY | Feature.CORRUPT : 0;
    if (header.has(gone)) {
      WriteAccess.putLong(file, Header.AT_INCOMPATIBLE, header.incompatible() & ~gone);
      file.force();
    }
  }
}
