package parhelion.lab.run;

import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.lang.management.MemoryType;
import java.lang.management.MemoryUsage;
import java.util.List;

/**
 * Keeps the JVM's garbage collections out of what is measured: one takes 25 to 150 ms of a
 * processor (28 November 2026, the serial collector), as long as a whole row, and it stops guests
 * meanwhile. Nothing forbids it within a row; but one before makes it unlikely.
 */
final class HeapRoom {
  /** New objects go there, and a collection is due when it is full. */
  private static final List<MemoryPoolMXBean> YOUNG =
      ManagementFactory.getMemoryPoolMXBeans().stream()
          .filter(pool -> pool.getType() == MemoryType.HEAP && pool.getName().contains("Eden"))
          .toList();

  private HeapRoom() {}

  /** Collects garbage now if the next collection is not far. */
  static void make() {
    for (MemoryPoolMXBean pool : YOUNG) {
      MemoryUsage usage = pool.getUsage();
      if (usage != null && usage.getUsed() > usage.getCommitted() / 2) {
        System.gc();
        return;
      }
    }
  }
}
