package parhelion.xen;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import parhelion.abi.Errno;

/** Hypercall arguments in guest memory: what can be reached, and that all else is EFAULT. */
final class GuestAccessTest {
  private final FakeGuest g = new FakeGuest();
  private final GuestAccess guest = g.vcpu().guest();

  @AfterEach
  void close() {
    g.close();
  }

  private static void assertFault(Runnable r) {
    assertEquals(Errno.EFAULT, assertThrows(XenError.class, r::run).errno());
  }

  @Test
  void copiesCrossPages() {
    byte[] bytes = new byte[10_000];
    new java.util.Random(7).nextBytes(bytes);
    long va = FakeGuest.BASE + 4000;
    guest.copyOut(va, bytes);
    assertArrayEquals(bytes, guest.copyIn(va, bytes.length));
    guest.putLong(FakeGuest.BASE + 4093, 0x1122_3344_5566_7788L);
    assertEquals(0x1122_3344_5566_7788L, guest.getLong(FakeGuest.BASE + 4093));
    assertEquals(0x7788, guest.getShort(FakeGuest.BASE + 4093) & 0xffff);
  }

  @Test
  void aCopyThatReachesAnUnmappedPageFaults() {
    assertFault(() -> guest.copyIn(FakeGuest.UNMAPPED - 4, 8));
    assertFault(() -> guest.getLong(FakeGuest.UNMAPPED - 4));
    assertFault(() -> guest.putLong(FakeGuest.UNMAPPED - 4, 1));
    assertFault(() -> guest.copyIn(0, 1));
  }

  @Test
  void readOnlyMemoryIsNotWritten() {
    assertEquals(0, guest.getLong(FakeGuest.READ_ONLY));
    assertFault(() -> guest.putLong(FakeGuest.READ_ONLY, 1));
    assertFault(() -> guest.copyOut(FakeGuest.READ_ONLY, new byte[1]));
  }

  @ParameterizedTest
  @ValueSource(
      longs = {
        0xffff_8000_0000_0000L,
        0xffff_8200_0000_0000L,
        0xffff_87ff_ffff_ffffL,
        0x0000_8000_0000_0000L,
        0x7fff_ffff_ffff_fff0L,
        0x8000_0000_0000_0000L,
        0xffff_7fff_ffff_ffffL,
        -1L,
        -4L
      })
  void xensOwnRangeAndNonCanonicalAddressesFault(long va) {
    assertFault(() -> guest.getLong(va));
    assertFault(() -> guest.putInt(va, 0));
    assertFault(() -> guest.copyIn(va, 16));
  }

  @ParameterizedTest
  @CsvSource({
    "0x100000, 0x7fffffffffffffff",
    "0x100000, -1",
    "-8, 9",
    "-0x780000000000, 0x780000000001",
    "0x7fffffffffff, 2"
  })
  void lengthsThatWrapOrLeaveTheRangeFault(String va, String length) {
    long from = Long.decode(va);
    long bytes = Long.decode(length);
    assertFault(() -> GuestAccess.checkRange(from, bytes));
  }

  @Test
  void memoryThatDoesNotExistFaults() {
    g.map(0x5000_0000L, (g.memory.frames() + 5) << 12 | 7);
    assertFault(() -> guest.getLong(0x5000_0000L));
    assertFault(() -> guest.putLong(0x5000_0000L, 1));
  }

  @Test
  void itIsTheKernelsMemoryWhateverTheMode() {
    g.vcpu().setUserCr3(0);
    g.vcpu().toggleMode();
    guest.putInt(FakeGuest.BASE, 5);
    assertEquals(5, guest.getInt(FakeGuest.BASE));
  }
}
