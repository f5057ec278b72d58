package parhelion.lab.bounds;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import parhelion.lab.bounds.BoundsMachine.Rules;

/** Jobs keep to their own memory because the processor compares, and only because of that. */
final class BoundsMachineTest {
  private static final int JOB_BYTES = 1024;
  private static final long SEED = Long.getLong("parhelion.seed", 1);
  private static final String SQUARES = "1 4 9 16 25 36 49 64 81 100 ";

  private final Map<Job, StringBuilder> printed = new HashMap<>();

  private static Rules rules(boolean bounded, int moveEvery) {
    return new Rules(16384, bounded, 50, moveEvery, 100_000);
  }

  private static Job add(BoundsMachine machine, String name) throws IOException {
    return machine.add(name, Job.image(name), JOB_BYTES);
  }

  private static byte[] code(int... bytes) {
    byte[] code = new byte[bytes.length];
    for (int i = 0; i < bytes.length; i++) {
      code[i] = (byte) bytes[i];
    }
    return code;
  }

  private void run(BoundsMachine machine) {
    machine.run(
        turn ->
            printed.computeIfAbsent(turn.job(), j -> new StringBuilder()).append(turn.printed()));
  }

  private String printed(Job job) {
    return String.valueOf(printed.get(job));
  }

  @Test
  void theBoundStopsAJobAndItsNeighbourNoticesNothing() throws IOException {
    try (BoundsMachine machine = new BoundsMachine(rules(true, 0))) {
      Job intruder = add(machine, "intruder");
      Job squares = add(machine, "squares");
      run(machine);
      assertEquals(Job.State.KILLED, intruder.state());
      String offence = String.valueOf(intruder.offence());
      assertTrue(offence.startsWith("reached for 400, its bound being 400, by mov"), offence);
      assertEquals("w", printed(intruder));
      assertEquals(Job.State.ENDED, squares.state());
      assertNull(squares.offence());
      assertEquals(SQUARES, printed(squares));
    }
  }

  @Test
  void withoutTheBoundTheNeighbourIsOverwritten() throws IOException {
    try (BoundsMachine machine = new BoundsMachine(rules(false, 0))) {
      Job intruder = add(machine, "intruder");
      Job squares = add(machine, "squares");
      run(machine);
      assertEquals(Job.State.ENDED, intruder.state());
      assertTrue(printed(intruder).endsWith("!"), printed(intruder));
      assertEquals(Job.State.KILLED, squares.state());
      assertTrue(printed(squares).length() < SQUARES.length(), printed(squares));
    }
  }

  @Test
  void aJobThatIsMovedGoesOnAsIfNothingHadHappened() throws IOException {
    try (BoundsMachine machine = new BoundsMachine(rules(true, 1))) {
      Job squares = add(machine, "squares");
      Job primes = add(machine, "primes");
      int first = squares.base();
      run(machine);
      assertTrue(squares.base() != first, "it was moved");
      assertEquals(SQUARES, printed(squares));
      assertEquals("2 3 5 7 11 13 17 19 23 29 31 37 41 43 47 ", printed(primes));
    }
  }

  @Test
  void aJobThatNeverEndsIsStopped() {
    try (BoundsMachine machine = new BoundsMachine(rules(true, 2))) {
      Job job = machine.add("loop", code(0xeb, 0xfe), JOB_BYTES);
      run(machine);
      assertEquals(Job.State.STOPPED, job.state());
      assertEquals(100_000, job.instructions());
    }
  }

  @Test
  void whatOnlyASupervisorMayDoIsNotDone() {
    int[][] offences = {
      {0xf4}, // hlt
      {0xfa}, // cli
      {0xe4, 0x60}, // in
      {0x0f, 0x01, 0x15, 0, 0, 0, 0}, // lgdt
      {0x0f, 0x22, 0xd8}, // mov cr3
      {0x0f, 0x30}, // wrmsr
      {0xb8, 0x10, 0, 0, 0, 0x8e, 0xd8}, // mov ds, 10
      {0xea, 0, 0, 0, 0, 8, 0}, // jmp far
      {0xcd, 0x80}, // int 80
      {0xcc}, // int3
      {0x0f, 0x34}, // sysenter
      {0x0f, 0x05}, // syscall
      {0xd9, 0xe8}, // fld1
      {0x0f, 0x57, 0xc0}, // xorps
      {0x0f, 0x0b}, // ud2
      {0x31, 0xc9, 0xf7, 0xf1}, // div by 0
      {0x9c, 0x81, 0x0c, 0x24, 0, 1, 0, 0, 0x9d, 0x90}, // single step
      {0xe9, 0xfb, 0x0f, 0, 0}, // jump out
      {0xa1, 0xfd, 3, 0, 0}, // a word of which the last byte is beyond
      {0x83, 0xec, 0x80, 0x50}, // push above the bound
      {0xb8, 9, 0, 0, 0, 0xcd, 0x30}, // an unknown call
    };
    for (int[] offence : offences) {
      try (BoundsMachine machine = new BoundsMachine(rules(true, 0))) {
        Job job = machine.add("job", code(offence), JOB_BYTES);
        run(machine);
        assertEquals(Job.State.KILLED, job.state(), Arrays.toString(offence));
        assertNotNull(job.offence());
      }
    }
  }

  @Test
  void noRandomCodeChangesAnythingOutsideOfItsBounds() {
    Random random = new Random(SEED);
    for (int i = 0; i < 2000; i++) {
      byte[] image = new byte[JOB_BYTES];
      random.nextBytes(image);
      try (BoundsMachine machine = new BoundsMachine(new Rules(16384, true, 50, 0, 2000))) {
        Job job = machine.add("random", image, JOB_BYTES);
        int end = job.base() + job.bytes();
        run(machine);
        assertTrue(job.state() != Job.State.READY);
        String what = "seed " + SEED + ", case " + i;
        assertEquals(-1, firstNonZero(machine.memory(0, job.base())), what);
        assertEquals(-1, firstNonZero(machine.memory(end, 16384 - end)), what);
      }
    }
  }

  private static int firstNonZero(byte[] bytes) {
    for (int i = 0; i < bytes.length; i++) {
      if (bytes[i] != 0) {
        return i;
      }
    }
    return -1;
  }

  @Test
  void whatDoesNotFitIsRefused() {
    try (BoundsMachine machine = new BoundsMachine(rules(true, 0))) {
      assertThrows(IllegalArgumentException.class, () -> machine.add("large", new byte[2], 1));
      machine.add("all", new byte[0], 12288);
      assertThrows(IllegalArgumentException.class, () -> machine.add("more", new byte[0], 1));
    }
    assertThrows(IllegalArgumentException.class, () -> new Rules(4096, true, 1, 0, 1));
    assertThrows(IllegalArgumentException.class, () -> new Rules(16384, true, 0, 0, 1));
  }
}
