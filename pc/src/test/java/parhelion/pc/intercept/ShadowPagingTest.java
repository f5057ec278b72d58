package parhelion.pc.intercept;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import parhelion.cpu.memory.MachineMemory;

/** What shadow page tables would take is counted: each filling, and each store to a table. */
final class ShadowPagingTest {
  private static final long ROOT = 0x1000;
  private static final long OTHER_ROOT = 0x2000;
  private static final long MIDDLE = 0x3000;
  private static final long LOW = 0x4000;
  private static final long LEAVES = 0x5000;
  private static final int TABLE = 0x27; // present, writable, user, accessed
  private static final int DIRTY = 0x40;
  private static final int LARGE = 0x80;

  private final MachineMemory memory = new MachineMemory(2048);
  private final Intercepts intercepts = new Intercepts();
  private final ShadowPaging shadows = new ShadowPaging(memory, intercepts);

  /** Two address spaces that share all but their roots. */
  private void tables() {
    memory.putLong(ROOT, MIDDLE | TABLE);
    memory.putLong(OTHER_ROOT, MIDDLE | TABLE);
    memory.putLong(MIDDLE, LOW | TABLE);
    memory.putLong(LOW, LEAVES | TABLE);
    for (int i = 0; i < 512; i++) {
      memory.putLong(LEAVES + i * 8L, 0x100000L + i * 4096L | TABLE | DIRTY);
    }
  }

  @AfterEach
  void close() {
    memory.close();
  }

  private void expect(long hidden, long updates) {
    assertEquals(hidden, intercepts.count(Cause.HIDDEN_FAULT, null));
    assertEquals(updates, intercepts.count(Cause.PAGE_TABLE_UPDATE, null));
  }

  private void store(long pa, long value) {
    shadows.storing(pa);
    memory.putLong(pa, value);
  }

  @Test
  void aPageIsMissingOnceAndStaysOverChangesOfTheRoot() {
    tables();
    assertTrue(shadows.touched(ROOT, 0x1234));
    expect(1, 0);
    assertFalse(shadows.touched(ROOT, 0x1fff));
    expect(1, 0);
    assertFalse(shadows.touched(ROOT, 0x2000)); // in the same table
    expect(2, 0);
    assertTrue(shadows.touched(OTHER_ROOT, 0x1000)); // the other root's entry alone
    expect(3, 0);
    assertFalse(shadows.touched(OTHER_ROOT, 0x2000));
    assertFalse(shadows.touched(ROOT, 0x1000));
    expect(3, 0);
  }

  @Test
  void aStoreToATableIsSeenAndEmptiesTheEntry() {
    tables();
    assertFalse(shadows.traces(LEAVES + 8));
    assertTrue(shadows.touched(ROOT, 0x1000));
    for (long table : new long[] {ROOT, MIDDLE, LOW, LEAVES}) {
      assertTrue(shadows.traces(table + 8));
    }
    assertFalse(shadows.traces(0x101000));
    long entry = memory.getLong(LEAVES + 8);
    store(LEAVES + 8, 0);
    store(LEAVES + 8, entry); // the same again, but it was away
    expect(1, 2);
    assertFalse(shadows.touched(ROOT, 0x1000));
    expect(2, 2);
    store(0x101000, 7); // no table
    expect(2, 2);
  }

  @Test
  void anInstructionThatLoadsFirstStoresOnce() {
    tables();
    assertTrue(shadows.touched(ROOT, 0x1000));
    shadows.storing(LEAVES + 8);
    store(LEAVES + 8, 0);
    expect(1, 1);
  }

  @Test
  void aCleanPageIsMissingAgainWhenItIsStoredTo() {
    tables();
    memory.putLong(LEAVES + 8, 0x101000 | TABLE);
    assertTrue(shadows.touched(ROOT, 0x1000));
    memory.putLong(LEAVES + 8, 0x101000 | TABLE | DIRTY); // by the walk, which no trace sees
    assertFalse(shadows.touched(ROOT, 0x1000));
    expect(2, 0);
    assertFalse(shadows.touched(ROOT, 0x1000));
    expect(2, 0);
  }

  @Test
  void largePagesAreShadowedByParts() {
    tables();
    memory.putLong(LOW + 8, 0x200000 | TABLE | DIRTY | LARGE);
    assertTrue(shadows.touched(ROOT, 0x200000));
    assertFalse(shadows.touched(ROOT, 0x200fff));
    expect(1, 0);
    assertFalse(shadows.touched(ROOT, 0x201000));
    expect(2, 0);
    assertFalse(shadows.traces(0x200000));
  }

  @Test
  void aTableThatIsStoredToAgainAndAgainIsMemoryAgain() {
    tables();
    assertTrue(shadows.touched(ROOT, 0x1000));
    store(LEAVES, 1);
    store(LEAVES + 8, 1);
    shadows.faulted(); // the guest is at work on its tables
    store(LEAVES + 16, 1);
    store(LEAVES + 24, 1);
    assertTrue(shadows.traces(LEAVES));
    store(LEAVES + 32, 1);
    assertFalse(shadows.traces(LEAVES));
    store(LEAVES + 40, 1);
    expect(1, 5);
  }

  @Test
  void thereAreNoMoreShadowsThanAFewOfMemory() {
    // 8 MiB are 2048 pages: 64 shadows, the least.
    memory.putLong(ROOT, MIDDLE | TABLE);
    memory.putLong(MIDDLE, LOW | TABLE);
    for (int i = 0; i < 200; i++) {
      long leaves = 0x100000L + i * 4096L;
      memory.putLong(LOW + i * 8L, leaves | TABLE);
      memory.putLong(leaves, 0x6000 | TABLE | DIRTY);
      assertTrue(shadows.touched(ROOT, (long) i << 21));
    }
    int traced = 0;
    for (long page = 0; page < 8 << 20; page += 4096) {
      traced += shadows.traces(page) ? 1 : 0;
    }
    assertEquals(64, traced);
  }

  @Test
  void tablesThatAreNoMemoryAreNotFollowed() {
    memory.putLong(ROOT, 0x7fff_ffff_f000L | TABLE);
    assertTrue(shadows.touched(ROOT, 0));
    assertFalse(shadows.traces(0x7fff_ffff_f000L));
    assertFalse(shadows.touched(-1L, -1L));
  }
}
