package parhelion.abi;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;

class BytesTest {
  private final byte[] array = new byte[16];
  private final Bytes bytes = Bytes.of(array);

  @Test
  void numbersAreLittleEndianAtAnyAlignment() {
    bytes.putLong(1, 0x8877665544332211L);
    assertArrayEquals(
        new byte[] {0, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, (byte) 0x88, 0, 0, 0, 0, 0, 0, 0},
        array);
    assertEquals(0x8877665544332211L, bytes.getLong(1));
    assertEquals(0x55443322, bytes.getInt(2));
    assertEquals(0x4433, bytes.getShort(3));
    assertEquals((byte) 0x88, bytes.getByte(8));
    bytes.putInt(9, 0xdeadbeef);
    bytes.putShort(13, (short) 0xcafe);
    bytes.putByte(15, (byte) 0x99);
    assertEquals(0x99cafedeadbeef88L, bytes.getLong(8));
    assertEquals(0x99cafede, bytes.getInt(12));
  }

  @Test
  void nothingOutsideTheArrayIsReached() {
    for (long offset : new long[] {-1, 16, 1L << 32, Long.MAX_VALUE, Long.MIN_VALUE}) {
      assertThrows(IndexOutOfBoundsException.class, () -> bytes.getByte(offset));
      assertThrows(IndexOutOfBoundsException.class, () -> bytes.putByte(offset, (byte) 1));
    }
    assertThrows(IndexOutOfBoundsException.class, () -> bytes.getShort(15));
    assertThrows(IndexOutOfBoundsException.class, () -> bytes.getInt(13));
    assertThrows(IndexOutOfBoundsException.class, () -> bytes.getLong(9));
    assertThrows(IndexOutOfBoundsException.class, () -> bytes.putShort(15, (short) 1));
    assertThrows(IndexOutOfBoundsException.class, () -> bytes.putInt(13, 1));
    assertThrows(IndexOutOfBoundsException.class, () -> bytes.putLong(9, 1));
    assertThrows(IndexOutOfBoundsException.class, () -> bytes.get(10, new byte[7], 0, 7));
    assertThrows(IndexOutOfBoundsException.class, () -> bytes.put(10, new byte[7], 0, 7));
    assertThrows(IndexOutOfBoundsException.class, () -> bytes.get(0, new byte[7], 0, -1));
    assertArrayEquals(new byte[16], array);
  }

  @Test
  void runsOfBytesAreCopiedBothWays() {
    bytes.put(4, new byte[] {9, 1, 2, 3, 9}, 1, 3);
    assertEquals(0x030201, bytes.getInt(4));
    byte[] target = new byte[5];
    bytes.get(3, target, 1, 4);
    assertArrayEquals(new byte[] {0, 0, 1, 2, 3}, target);
  }
}
