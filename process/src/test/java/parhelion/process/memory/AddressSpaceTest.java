package parhelion.process.memory;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import parhelion.cpu.Access;
import parhelion.cpu.interp.CodeCache;
import parhelion.cpu.memory.MachineMemory;
import parhelion.process.Errno;
import parhelion.process.LinuxError;

final class AddressSpaceTest {
  private static final long VA = 0x10_0000L;
  private static final long PAGE = 4096;
  private final MachineMemory machine = new MachineMemory(4096);
  private final FramePool pool = new FramePool(machine, new CodeCache(machine));
  private final long allFrames = pool.available();
  private final AddressSpace space = new AddressSpace(pool, 0x7fff_f7ff_f000L);
  private final UserMemory memory = new UserMemory(space);

  @AfterEach
  void everyFrameIsGivenBack() {
    space.release();
    assertEquals(allFrames, pool.available());
    machine.close();
  }

  private void map(long va, int pages, int rights) {
    space.map(va, pages * PAGE, rights, null, 0, false);
  }

  @Test
  void aFreshPageReadsAsZeroesAndCostsNothingUntilWritten() {
    map(VA, 100, 3);
    assertEquals(0, memory.get64(VA + 50 * PAGE));
    assertEquals(allFrames, pool.available());
    memory.put64(VA + 50 * PAGE, 7);
    assertEquals(7, memory.get64(VA + 50 * PAGE));
    assertEquals(allFrames - 1, pool.available());
  }

  @Test
  void whatIsNotMappedFaults() {
    map(VA, 1, 3);
    assertEquals(AddressSpace.UNMAPPED, space.translate(VA - 1, Access.READ));
    assertEquals(AddressSpace.UNMAPPED, space.translate(VA + PAGE, Access.READ));
    assertEquals(AddressSpace.UNMAPPED, space.translate(-8, Access.READ));
    assertEquals(AddressSpace.UNMAPPED, space.translate(AddressSpace.TOP, Access.READ));
    assertThrows(LinuxError.class, () -> memory.get64(VA + PAGE - 4));
  }

  @Test
  void rightsAreKept() {
    map(VA, 1, 1);
    assertEquals(AddressSpace.FORBIDDEN, space.translate(VA, Access.WRITE));
    assertEquals(AddressSpace.FORBIDDEN, space.translate(VA, Access.EXECUTE));
    assertTrue(space.translate(VA, Access.READ) >= 0);
    map(VA, 1, 0);
    assertEquals(AddressSpace.FORBIDDEN, space.translate(VA, Access.READ));
  }

  @Test
  void takingARightAwayTakesItFromTouchedPages() {
    map(VA, 3, 3);
    memory.put64(VA + PAGE, 5);
    space.protect(VA + PAGE, PAGE, 1);
    assertEquals(AddressSpace.FORBIDDEN, space.translate(VA + PAGE, Access.WRITE));
    assertEquals(5, memory.get64(VA + PAGE));
    memory.put64(VA, 1);
    memory.put64(VA + 2 * PAGE, 1);
    space.protect(VA + PAGE, PAGE, 3);
    memory.put64(VA + PAGE, 6);
  }

  @Test
  void aForkedSpaceSeesWhatWasAndNotWhatComes() {
    map(VA, 2, 3);
    memory.put64(VA, 1);
    AddressSpace child = space.fork();
    UserMemory theirs = new UserMemory(child);
    memory.put64(VA, 2);
    theirs.put64(VA + PAGE, 3);
    assertEquals(1, theirs.get64(VA));
    assertEquals(0, memory.get64(VA + PAGE));
    theirs.put64(VA, 4);
    assertEquals(2, memory.get64(VA));
    child.release();
    memory.put64(VA, 5);
  }

  @Test
  void sharedPagesStaySharedAfterFork() {
    space.map(VA, 2 * PAGE, 3, new SharedPages(null, true), 0, false);
    AddressSpace child = space.fork();
    UserMemory theirs = new UserMemory(child);
    theirs.put64(VA + PAGE, 3);
    assertEquals(3, memory.get64(VA + PAGE));
    memory.put64(VA, 9);
    assertEquals(9, theirs.get64(VA));
    child.release();
  }

  @Test
  void unmappingTheMiddleLeavesBothEnds() {
    map(VA, 5, 3);
    for (int i = 0; i < 5; i++) {
      memory.put64(VA + i * PAGE, i + 1);
    }
    space.unmap(VA + 2 * PAGE, PAGE);
    assertEquals(2, memory.get64(VA + PAGE));
    assertEquals(4, memory.get64(VA + 3 * PAGE));
    assertEquals(AddressSpace.UNMAPPED, space.translate(VA + 2 * PAGE, Access.READ));
    map(VA + 2 * PAGE, 1, 3);
    assertEquals(0, memory.get64(VA + 2 * PAGE));
  }

  @Test
  void remappingMovesTheContent() {
    map(VA, 2, 3);
    map(VA + 2 * PAGE, 1, 1);
    memory.put64(VA + PAGE, 77);
    assertEquals(
        Errno.ENOMEM,
        assertThrows(LinuxError.class, () -> space.remap(VA, 2 * PAGE, 4 * PAGE, false, -1)).errno);
    long to = space.remap(VA, 2 * PAGE, 4 * PAGE, true, -1);
    assertNotEquals(VA, to);
    assertEquals(77, memory.get64(to + PAGE));
    assertEquals(0, memory.get64(to + 3 * PAGE));
    assertEquals(AddressSpace.UNMAPPED, space.translate(VA, Access.READ));
  }

  @Test
  void theHeapGrowsAndShrinks() {
    space.brkStart = VA;
    space.brk = VA;
    assertEquals(VA + 10_000, space.setBrk(VA + 10_000));
    memory.put64(VA + 9_000, 1);
    assertEquals(VA + 100, space.setBrk(VA + 100));
    assertEquals(AddressSpace.UNMAPPED, space.translate(VA + 9_000, Access.READ));
    assertEquals(VA + 100, space.setBrk(VA - 1), "below its start: unchanged");
    map(VA + 4 * PAGE, 1, 3);
    assertEquals(VA + 100, space.setBrk(VA + 10 * PAGE), "into another mapping: unchanged");
  }

  @Test
  void theStackGrowsDownToItsGuard() {
    long top = 0x7fff_0000_0000L;
    space.map(top - PAGE, PAGE, 3, null, 0, true);
    memory.put64(top - (4L << 20), 1);
    assertEquals(AddressSpace.UNMAPPED, space.translate(top - (8L << 20) - PAGE, Access.WRITE));
    map(top - (6L << 20), 1, 3);
    assertEquals(AddressSpace.UNMAPPED, space.translate(top - (6L << 20) + 4 * PAGE, Access.WRITE));
  }

  @Test
  void moreThanTheMachineHasIsENOMEM() {
    assertEquals(Errno.ENOMEM, assertThrows(LinuxError.class, () -> map(VA, 5000, 3)).errno);
  }

  @Test
  void pageTablesOfUntouchedWastesAreLimited() {
    map(VA, 1 << 30, 1);
    LinuxError error =
        assertThrows(
            LinuxError.class,
            () -> {
              for (long i = 0; i < 1 << 20; i++) {
                long ignored = space.translate(VA + (i << 21), Access.READ);
              }
            });
    assertEquals(Errno.ENOMEM, error.errno);
  }

  @Test
  void holesPunchedIntoAMappingAreLimited() {
    map(VA, 1 << 20, 1);
    LinuxError error =
        assertThrows(
            LinuxError.class,
            () -> {
              for (long i = 1; i < 1 << 19; i++) {
                space.unmap(VA + i * 2 * PAGE, PAGE);
              }
            });
    assertEquals(Errno.ENOMEM, error.errno);
  }

  @Test
  void randomOperationsAgreeWithAModelOfBytes() {
    Random random = new Random(5);
    TreeMap<Long, Integer> model = new TreeMap<>();
    for (int i = 0; i < 20_000; i++) {
      long va = VA + random.nextInt(64) * PAGE;
      int pages = random.nextInt(1, 6);
      switch (random.nextInt(6)) {
        case 0 -> {
          map(va, pages, 3);
          for (int p = 0; p < pages; p++) {
            model.put(va + p * PAGE, 0);
          }
        }
        case 1 -> {
          space.unmap(va, pages * PAGE);
          for (int p = 0; p < pages; p++) {
            model.remove(va + p * PAGE);
          }
        }
        case 2 -> {
          if (model.containsKey(va)) {
            memory.put32(va + 8, i);
            model.put(va, i);
          }
        }
        case 3 -> {
          AddressSpace child = space.fork();
          new UserMemory(child).accessible(va, PAGE, Access.WRITE);
          child.release();
        }
        default -> {
          Integer expected = model.get(va);
          if (expected == null) {
            assertEquals(AddressSpace.UNMAPPED, space.translate(va, Access.READ));
          } else {
            assertEquals(expected, memory.get32(va + 8));
          }
        }
      }
    }
    byte[] page = new byte[4096];
    for (long va : model.keySet()) {
      memory.read(va, page, 0, 4096);
      assertArrayEquals(memory.bytes(va, 4096), page);
    }
  }
}
