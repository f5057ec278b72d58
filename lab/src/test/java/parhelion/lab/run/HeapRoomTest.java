package parhelion.lab.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.lang.management.MemoryUsage;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

/** Garbage is collected when there is much of it, and not when there is little. */
final class HeapRoomTest {
  private static final int CHUNK = 64 << 10;
  private byte[] garbage = new byte[0];

  private static MemoryUsage young() {
    for (MemoryPoolMXBean pool : ManagementFactory.getMemoryPoolMXBeans()) {
      if (pool.getName().contains("Eden")) {
        return pool.getUsage();
      }
    }
    return Assumptions.abort("a collector without generations");
  }

  private static long collections() {
    return ManagementFactory.getGarbageCollectorMXBeans().stream()
        .mapToLong(GarbageCollectorMXBean::getCollectionCount)
        .sum();
  }

  @Test
  void thereIsRoomAfterIt() {
    for (int round = 0; round < 3; round++) {
      for (int i = 0; i < 1 << 20 && young().getUsed() <= young().getCommitted() * 3 / 4; i++) {
        garbage = new byte[CHUNK];
      }
      assertTrue(young().getUsed() > young().getCommitted() / 2, () -> young().toString());
      HeapRoom.make();
      assertTrue(young().getUsed() <= young().getCommitted() / 2, () -> young().toString());
      long before = collections();
      HeapRoom.make();
      assertEquals(before, collections());
    }
    assertEquals(CHUNK, garbage.length);
  }
}
