package parhelion.xen.grant;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import parhelion.abi.Domid;
import parhelion.abi.Errno;
import parhelion.abi.Gntcopy;
import parhelion.abi.Gntmap;
import parhelion.abi.Gntst;
import parhelion.abi.GnttabArgs.GnttabCacheFlush;
import parhelion.abi.GnttabCache;
import parhelion.abi.GnttabOp;
import parhelion.abi.Gtf;

/** Copies by grant, and the flushing of caches. */
final class GrantCopyTest {
  private static final int REF = 20;
  private static final int PAGE = 10;
  private static final int BOTH = Gntcopy.SOURCE_GREF | Gntcopy.DEST_GREF;

  private final GrantLab lab = new GrantLab();
  private final GrantLab.Peer a = lab.a;
  private final GrantLab.Peer b = lab.b;

  @AfterEach
  void auditAndClose() {
    lab.close();
  }

  private void fromGrant(long ref, int offset) {
    b.copyEnd(true, a.id(), ref, offset);
  }

  private void toOwn(int page, int offset) {
    b.copyEnd(false, Domid.SELF, b.guest.mfn(page), offset);
  }

  @Test
  void bytesAreCopiedFromAGrantToAFrameOfOnesOwn() {
    a.grant(REF, b.id(), a.guest.mfn(PAGE), Gtf.PERMIT_ACCESS | Gtf.READONLY);
    a.guest.poke(PAGE, 8, 0x1122_3344_5566_7788L);
    fromGrant(REF, 8);
    toOwn(7, 4088);
    assertEquals(Gntst.OKAY, b.copy(Gntcopy.SOURCE_GREF, 8));
    assertEquals(0x1122_3344_5566_7788L, b.guest.peek(7, 4088));
    assertEquals(Gtf.PERMIT_ACCESS | Gtf.READONLY, a.entryFlags(REF));
  }

  @Test
  void bytesAreCopiedToAGrantThatMayBeWritten() {
    a.grant(REF, b.id(), a.guest.mfn(PAGE), Gtf.PERMIT_ACCESS);
    b.guest.poke(7, 16, 99);
    b.copyEnd(true, Domid.SELF, b.guest.mfn(7), 16);
    b.copyEnd(false, a.id(), REF, 0);
    assertEquals(Gntst.OKAY, b.copy(Gntcopy.DEST_GREF, 8));
    assertEquals(99, a.guest.peek(PAGE, 0));
    assertEquals(Gtf.PERMIT_ACCESS, a.entryFlags(REF));
    a.grant(REF, b.id(), a.guest.mfn(PAGE), Gtf.PERMIT_ACCESS | Gtf.READONLY);
    assertEquals(Gntst.GENERAL_ERROR, b.copy(Gntcopy.DEST_GREF, 8));
    a.grant(REF, b.id(), a.guest.mfn(a.guest.l1Page()), Gtf.PERMIT_ACCESS);
    assertEquals(Gntst.GENERAL_ERROR, b.copy(Gntcopy.DEST_GREF, 8));
    assertEquals(Gtf.PERMIT_ACCESS, a.entryFlags(REF));
  }

  @Test
  void bothEndsMayBeGrantsAndEvenTheSameOne() {
    a.grant(REF, b.id(), a.guest.mfn(PAGE), Gtf.PERMIT_ACCESS);
    a.guest.poke(PAGE, 0, 0x1234);
    fromGrant(REF, 0);
    b.copyEnd(false, a.id(), REF, 2048);
    assertEquals(Gntst.OKAY, b.copy(BOTH, 2048));
    assertEquals(0x1234, a.guest.peek(PAGE, 2048));
    assertEquals(Gtf.PERMIT_ACCESS, a.entryFlags(REF));
  }

  @Test
  void onlyFramesOfOnesOwnAreNamedByNumber() {
    b.copyEnd(true, a.id(), a.guest.mfn(PAGE), 0);
    toOwn(7, 0);
    assertEquals(Gntst.PERMISSION_DENIED, b.copy(0, 8));
    b.copyEnd(true, Domid.SELF, a.guest.mfn(PAGE), 0);
    assertEquals(Gntst.BAD_PAGE, b.copy(0, 8));
    b.copyEnd(true, Domid.SELF, -1, 0);
    assertEquals(Gntst.BAD_PAGE, b.copy(0, 8));
    b.copyEnd(true, Domid.SELF, b.guest.mfn(6), 0);
    assertEquals(Gntst.OKAY, b.copy(0, 8));
    b.copyEnd(false, Domid.SELF, b.guest.mfn(b.guest.l1Page()), 0);
    assertEquals(Gntst.GENERAL_ERROR, b.copy(0, 8));
    b.copyEnd(true, 99, REF, 0);
    assertEquals(Gntst.BAD_DOMAIN, b.copy(Gntcopy.SOURCE_GREF, 8));
  }

  @Test
  void nothingIsCopiedBeyondAPage() {
    a.grant(REF, b.id(), a.guest.mfn(PAGE), Gtf.PERMIT_ACCESS);
    fromGrant(REF, 4090);
    toOwn(7, 0);
    assertEquals(Gntst.BAD_COPY_ARG, b.copy(Gntcopy.SOURCE_GREF, 7));
    assertEquals(Gntst.OKAY, b.copy(Gntcopy.SOURCE_GREF, 6));
    fromGrant(REF, 0);
    toOwn(7, 4096);
    assertEquals(Gntst.BAD_COPY_ARG, b.copy(Gntcopy.SOURCE_GREF, 1));
    toOwn(7, 0xffff);
    assertEquals(Gntst.BAD_COPY_ARG, b.copy(Gntcopy.SOURCE_GREF, 0xffff));
  }

  @Test
  void referencesAreChecked() {
    toOwn(7, 0);
    fromGrant(512, 0);
    assertEquals(Gntst.BAD_GNTREF, b.copy(Gntcopy.SOURCE_GREF, 8));
    fromGrant(REF, 0);
    assertEquals(Gntst.GENERAL_ERROR, b.copy(Gntcopy.SOURCE_GREF, 8));
    a.grant(REF, b.id(), b.guest.mfn(5), Gtf.PERMIT_ACCESS);
    assertEquals(Gntst.BAD_PAGE, b.copy(Gntcopy.SOURCE_GREF, 8));
    assertEquals(Gtf.PERMIT_ACCESS, a.entryFlags(REF));
    a.grant(REF, 77, a.guest.mfn(PAGE), Gtf.PERMIT_ACCESS);
    assertEquals(Gntst.GENERAL_ERROR, b.copy(Gntcopy.SOURCE_GREF, 8));
  }

  @Test
  void aPartOfAPageIsAllThatASubPageGrantGives() {
    a.setVersion(2);
    int flags = Gtf.PERMIT_ACCESS | Gtf.SUB_PAGE;
    a.grantPart(REF, b.id(), a.guest.mfn(PAGE), flags, 100, 50);
    a.guest.poke(PAGE, 104, 0x42);
    toOwn(7, 0);
    fromGrant(REF, 104);
    assertEquals(Gntst.OKAY, b.copy(Gntcopy.SOURCE_GREF, 8));
    assertEquals(0x42, b.guest.peek(7, 0));
    fromGrant(REF, 99);
    assertEquals(Gntst.GENERAL_ERROR, b.copy(Gntcopy.SOURCE_GREF, 8));
    fromGrant(REF, 144);
    assertEquals(Gntst.GENERAL_ERROR, b.copy(Gntcopy.SOURCE_GREF, 7));
    assertEquals(Gntst.OKAY, b.copy(Gntcopy.SOURCE_GREF, 6));
    a.grantPart(REF, b.id(), a.guest.mfn(PAGE), flags, 4000, 0xffff);
    fromGrant(REF, 4090);
    assertEquals(Gntst.BAD_COPY_ARG, b.copy(Gntcopy.SOURCE_GREF, 7));
    assertEquals(0, a.status(REF));
  }

  @Test
  void aTransitiveGrantLeadsToWhatItsGranterWasGiven() {
    GrantLab.Peer c = lab.another();
    c.grant(REF, a.id(), c.guest.mfn(PAGE), Gtf.PERMIT_ACCESS);
    c.guest.poke(PAGE, 0, 0xc0ffee);
    a.setVersion(2);
    a.grantPart(30, b.id(), REF, Gtf.TRANSITIVE, c.id(), 0);
    fromGrant(30, 0);
    toOwn(7, 0);
    assertEquals(Gntst.OKAY, b.copy(Gntcopy.SOURCE_GREF, 8));
    assertEquals(0xc0ffee, b.guest.peek(7, 0));
    b.copyEnd(false, a.id(), 30, 8);
    assertEquals(Gntst.OKAY, b.copy(BOTH, 8));
    assertEquals(0xc0ffee, c.guest.peek(PAGE, 8));
    assertEquals(Gtf.PERMIT_ACCESS, c.entryFlags(REF));
    assertEquals(0, a.status(30));
    c.grant(REF, a.id(), c.guest.mfn(PAGE), Gtf.PERMIT_ACCESS | Gtf.READONLY);
    assertEquals(Gntst.GENERAL_ERROR, b.copy(BOTH, 8));
    assertEquals(0, a.status(30));
    // Nor can it be mapped.
    assertEquals(Gntst.GENERAL_ERROR, b.map(a.id(), 30, b.guest.va(9), Gntmap.HOST_MAP));
  }

  @Test
  void transitiveGrantsLeadToNoOtherTransitiveOneAndNotBackToTheirGranter() {
    GrantLab.Peer c = lab.another();
    a.setVersion(2);
    c.setVersion(2);
    toOwn(7, 0);
    fromGrant(30, 0);
    a.grantPart(30, b.id(), REF, Gtf.TRANSITIVE, a.id(), 0);
    a.grant(REF, a.id(), a.guest.mfn(PAGE), Gtf.PERMIT_ACCESS);
    assertEquals(Gntst.GENERAL_ERROR, b.copy(Gntcopy.SOURCE_GREF, 8));
    a.grantPart(30, b.id(), REF, Gtf.TRANSITIVE, 99, 0);
    assertEquals(Gntst.GENERAL_ERROR, b.copy(Gntcopy.SOURCE_GREF, 8));
    c.grantPart(REF, a.id(), REF, Gtf.TRANSITIVE, b.id(), 0);
    b.grant(REF, c.id(), b.guest.mfn(PAGE), Gtf.PERMIT_ACCESS);
    a.grantPart(30, b.id(), REF, Gtf.TRANSITIVE, c.id(), 0);
    assertEquals(Gntst.GENERAL_ERROR, b.copy(Gntcopy.SOURCE_GREF, 8));
    assertEquals(0, a.status(30));
    assertEquals(0, c.status(REF));
    // But it may lead to a frame that the user itself has granted.
    b.grant(REF, a.id(), b.guest.mfn(PAGE), Gtf.PERMIT_ACCESS);
    b.guest.poke(PAGE, 0, 0xbeef);
    a.grantPart(30, b.id(), REF, Gtf.TRANSITIVE, b.id(), 0);
    assertEquals(Gntst.OKAY, b.copy(Gntcopy.SOURCE_GREF, 8));
    assertEquals(0xbeef, b.guest.peek(7, 0));
  }

  @Test
  void transitiveMeansNothingInVersion1() {
    a.grant(REF, b.id(), a.guest.mfn(PAGE), Gtf.TRANSITIVE);
    fromGrant(REF, 0);
    toOwn(7, 0);
    assertEquals(Gntst.GENERAL_ERROR, b.copy(Gntcopy.SOURCE_GREF, 8));
  }

  @Test
  void aMappedGrantIsCopiedAsItWasWhenItWasMapped() {
    a.grant(REF, b.id(), a.guest.mfn(PAGE), Gtf.PERMIT_ACCESS);
    b.map(a.id(), REF, 12);
    long handle = b.handle();
    a.guest.poke(PAGE, 0, 0x77);
    a.grant(REF, b.id(), a.guest.mfn(3), Gtf.PERMIT_ACCESS | Gtf.READING | Gtf.WRITING);
    fromGrant(REF, 0);
    toOwn(7, 0);
    assertEquals(Gntst.OKAY, b.copy(Gntcopy.SOURCE_GREF, 8));
    assertEquals(0x77, b.guest.peek(7, 0));
    assertEquals(Gtf.PERMIT_ACCESS | Gtf.READING | Gtf.WRITING, a.entryFlags(REF));
    b.unmap(12, handle);
  }

  private long flush(long address, int offset, int length, long op) {
    GnttabCacheFlush.DEV_BUS_ADDR.put(b.bytes(), b.args(), address);
    GnttabCacheFlush.OFFSET.put(b.bytes(), b.args(), offset);
    GnttabCacheFlush.LENGTH.put(b.bytes(), b.args(), length);
    GnttabCacheFlush.OP.put(b.bytes(), b.args(), op);
    return b.op(GnttabOp.CACHE_FLUSH, 1);
  }

  @Test
  void aBackendCopiesByGrantsThatNameItAndByNoOthers() {
    GrantTable table = a.guest.domain.grants();
    byte[] bytes = {1, 2, 3, 4, 5, 6, 7, 8};
    a.grant(REF, 0, a.guest.mfn(PAGE), Gtf.PERMIT_ACCESS);
    assertTrue(table.copyFromHost(REF, 4088, bytes, 0, 8));
    assertEquals(0x0807_0605_0403_0201L, a.guest.peek(PAGE, 4088));
    byte[] back = new byte[10];
    assertTrue(table.copyToHost(REF, 4089, back, 2, 7));
    assertArrayEquals(new byte[] {0, 0, 2, 3, 4, 5, 6, 7, 8, 0}, back);
    assertEquals(Gtf.PERMIT_ACCESS, a.entryFlags(REF));

    a.grant(REF, 0, a.guest.mfn(PAGE), Gtf.PERMIT_ACCESS | Gtf.READONLY);
    assertTrue(table.copyToHost(REF, 0, back, 0, 10));
    assertFalse(table.copyFromHost(REF, 0, bytes, 0, 8), "read-only");
    a.grant(REF, b.id(), a.guest.mfn(PAGE), Gtf.PERMIT_ACCESS);
    assertFalse(table.copyToHost(REF, 0, back, 0, 8), "another's");
    assertFalse(table.copyToHost(-1, 0, back, 0, 8), "negative");
    assertFalse(table.copyToHost(1L << 32, 0, back, 0, 8), "too large");
    a.grant(REF, 0, b.guest.mfn(PAGE), Gtf.PERMIT_ACCESS);
    assertFalse(table.copyFromHost(REF, 0, bytes, 0, 8), "not the granter's frame");
    assertEquals(0, b.guest.peek(PAGE, 0));
  }

  @Test
  void cachesAreFlushedOfOwnFramesAndOfMappedOnes() {
    long own = b.guest.mfn(5) << 12;
    assertEquals(0, flush(own, 0, 4096, GnttabCache.CLEAN));
    assertEquals(0, flush(own, 8, 8, GnttabCache.CLEAN | GnttabCache.INVAL));
    assertEquals(Errno.EOPNOTSUPP.result(), flush(own, 0, 8, GnttabCache.INVAL));
    assertEquals(Errno.EINVAL.result(), flush(own, 4090, 7, GnttabCache.CLEAN));
    assertEquals(Errno.EINVAL.result(), flush(own, 4096, 0, GnttabCache.CLEAN));
    assertEquals(Errno.EINVAL.result(), flush(own, 0, 8, GnttabCache.SOURCE_GREF));
    assertEquals(0, flush(own, 0, 0, GnttabCache.CLEAN));
    assertEquals(Errno.EPERM.result(), flush(0, 0, 8, GnttabCache.CLEAN));
    assertEquals(Errno.EINVAL.result(), flush(-1, 0, 8, GnttabCache.CLEAN));
    long others = a.guest.mfn(PAGE) << 12;
    assertEquals(Errno.EINVAL.result(), flush(others, 0, 8, GnttabCache.CLEAN));
    a.grant(REF, b.id(), a.guest.mfn(PAGE), Gtf.PERMIT_ACCESS);
    b.map(a.id(), REF, 12);
    assertEquals(0, flush(others, 0, 8, GnttabCache.CLEAN));
  }
}
