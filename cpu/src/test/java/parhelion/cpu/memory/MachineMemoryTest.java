package parhelion.cpu.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Clearing, by filling and by giving pages back to the host. */
final class MachineMemoryTest {
  private static final long FRAMES = 1024;
  private static final long BYTES = FRAMES << 12;

  private final MachineMemory memory = new MachineMemory(FRAMES);

  @AfterEach
  void close() {
    memory.close();
  }

  private void clearAndCompare(long from, long length) {
    memory.fill(0, BYTES, (byte) 0x5a);
    memory.clear(from, length);
    for (long pa = 0; pa < BYTES; pa++) {
      int expected = pa >= from && pa < from + length ? 0 : 0x5a;
      if (memory.getByte(pa) != expected) {
        assertEquals(expected, memory.getByte(pa), "byte " + pa + " of " + from + " + " + length);
      }
    }
  }

  @Test
  void whatIsClearedReadsZeroAndItsNeighboursStay() {
    clearAndCompare(0, BYTES);
    clearAndCompare(4096, 4096);
    clearAndCompare(17 << 12, 500 << 12);
    clearAndCompare(BYTES - (64 << 12), 64 << 12);
    clearAndCompare(4095, (300 << 12) + 2);
    clearAndCompare(1, 0);
    clearAndCompare(8191, 1 << 20);
  }

  @Test
  void whatWasClearedCanBeWrittenAgain() {
    memory.fill(0, BYTES, (byte) 1);
    memory.clear(0, BYTES);
    memory.putLong(BYTES / 2, -2);
    assertEquals(-2, memory.getLong(BYTES / 2));
    assertEquals(0, memory.getLong(BYTES / 2 + 8));
  }

  @Test
  void clearingCodeIsToldHoweverLongTheRunIs() {
    List<String> told = new ArrayList<>();
    memory.setWriteListener((pa, length) -> told.add(pa + "+" + length));
    memory.markCodeFrame(200, true);
    memory.clear(0, 200 << 12);
    memory.clear(201 << 12, 200 << 12);
    assertEquals(List.of(), told);
    memory.clear(100 << 12, 200 << 12);
    memory.clear(200 << 12, 4096);
    assertEquals(List.of((100 << 12) + "+" + (200 << 12), (200 << 12) + "+4096"), told);
  }

  @Test
  void nothingBeyondTheEndIsCleared() {
    assertThrows(IndexOutOfBoundsException.class, () -> memory.clear(4096, BYTES));
    assertThrows(IndexOutOfBoundsException.class, () -> memory.clear(-4096, 1 << 20));
  }
}
