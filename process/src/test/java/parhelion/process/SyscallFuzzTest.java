package parhelion.process;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import parhelion.cpu.CpuState;
import parhelion.process.memory.AddressSpace;

/**
 * Random and boundary arguments to every system call: no exception of the host's, no hang, no file
 * outside the root touched, and all memory given back at the end.
 */
@EnabledOnOs(OS.LINUX)
final class SyscallFuzzTest {
  private static final int CALLS = Integer.getInteger("parhelion.fuzz.calls", 100_000);
  private static final long SEED = Long.getLong("parhelion.seed", 20_260_101L);
  private static final long DATA = 0x10_0000L;
  private static final long LENGTH = 0x10_000L;

  /** They end or clone the caller, whose thread is the test's; other tests run them. */
  private static final Set<Syscall> LEFT_OUT =
      EnumSet.of(
          Syscall.EXIT,
          Syscall.EXIT_GROUP,
          Syscall.CLONE,
          Syscall.CLONE3,
          Syscall.FORK,
          Syscall.VFORK);

  private static final int[] REGISTERS = {
    CpuState.RDI, CpuState.RSI, CpuState.RDX, CpuState.R10, CpuState.R8, CpuState.R9
  };

  private final Random random = new Random(SEED);
  private final Set<Syscall> succeeded = EnumSet.noneOf(Syscall.class);

  @Test
  @Timeout(value = 300, unit = TimeUnit.SECONDS)
  void noArgumentsOfAnyCallHurtTheHost(@TempDir Path directory) throws IOException {
    Path root = Files.createDirectory(directory.resolve("root"));
    Files.writeString(root.resolve("file"), "content of a file\n");
    Files.createSymbolicLink(root.resolve("out"), Path.of(".."));
    Files.createDirectory(root.resolve("sub"));
    Path outside = Files.writeString(directory.resolve("outside"), "untouched");
    World world = new World();
    world.root = root;
    world.writable = true;
    world.timeoutNanos = 0;
    try (Kernel kernel = new Kernel(world.options(null))) {
      long before = kernel.pool.available();
      kernel.lock.lock();
      Task task = victim(kernel);
      List<Syscall> calls = new ArrayList<>(List.of(Syscall.values()));
      calls.removeAll(LEFT_OUT);
      for (int i = 0; i < CALLS; i++) {
        long number =
            random.nextInt(50) == 0
                ? random.nextInt(-5, 600)
                : calls.get(random.nextInt(calls.size())).number;
        if (Syscall.of(number) != null && LEFT_OUT.contains(Syscall.of(number))) {
          continue;
        }
        one(task, number, i);
        if (i % 500 == 0) {
          refill(task);
        }
      }
      task.process.exiting = true;
      kernel.ended(task);
      task.cpu.close();
      kernel.lock.unlock();
      kernel.dropPrograms();
      assertEquals(before, kernel.pool.available(), "frames given back; seed " + SEED);
    }
    assertTrue(succeeded.size() > 100, "calls that succeeded at times: " + succeeded);
    assertEquals("untouched", Files.readString(outside));
    try (var names = Files.list(directory)) {
      assertEquals(2, names.count(), "nothing appeared outside the root");
    }
  }

  private Task victim(Kernel kernel) {
    AddressSpace space = new AddressSpace(kernel.pool, Programs.MAP_TOP);
    Process process =
        new Process(kernel, kernel.newPid(), space, new FileTable(), new Process.Directory());
    kernel.options.standardFiles().forEach(file -> process.files.add(file.retain(), 0, false));
    kernel.processes.put(process.pid, process);
    Task task = new Task(kernel, process, process.pid);
    task.resetRegisters();
    process.tasks.add(task);
    kernel.tasks.put(task.tid, task);
    task.exiting = true; // whatever would wait ends at once
    refill(task);
    return task;
  }

  /** Data with strings and numbers that make sense to some call. */
  private void refill(Task task) {
    AddressSpace space = task.process.space;
    space.map(DATA, LENGTH, 3, null, 0, false);
    byte[] bytes = new byte[(int) LENGTH];
    random.nextBytes(bytes);
    for (int at = 0; at < 0x4000; at += 8) {
      Bytes.put64(bytes, at, random.nextBoolean() ? random.nextInt(16) : interesting());
    }
    String[] names = {
      "file",
      "/out/outside",
      "../../../outside",
      "sub/../../x",
      "/proc/self/fd/1",
      "/proc/self/exe",
      "",
      "new",
      "sub/new",
      "/dev/zero",
      "/",
      ".",
      "a/b/c",
      "/proc/self/maps"
    };
    for (int i = 0; i < names.length; i++) {
      byte[] text = (names[i] + "\0").getBytes(java.nio.charset.StandardCharsets.ISO_8859_1);
      System.arraycopy(text, 0, bytes, 0x8000 + i * 64, text.length);
    }
    task.memory().bytes(DATA, bytes);
  }

  private long interesting() {
    return switch (random.nextInt(14)) {
      case 0 -> 0;
      case 1 -> random.nextInt(8);
      case 2 -> -random.nextInt(5);
      case 3 -> random.nextLong();
      case 4 -> Long.MIN_VALUE;
      case 5 -> Long.MAX_VALUE;
      case 6 -> random.nextInt();
      case 7 -> DATA + LENGTH - random.nextInt(20);
      case 8 -> DATA + random.nextInt(0x4000);
      case 9, 10 -> DATA + 0x8000 + random.nextInt(14) * 64;
      case 11 -> 1L << random.nextInt(64);
      case 12 -> AddressSpace.TOP - random.nextInt(3) * 8;
      default -> random.nextInt(300) * 4096L;
    };
  }

  private void one(Task task, long number, int i) {
    long[] arguments = new long[6];
    for (int a = 0; a < 6; a++) {
      arguments[a] = interesting();
      task.cpu.put64(REGISTERS[a], arguments[a]);
    }
    task.cpu.put64(CpuState.RAX, number);
    task.process.exiting = false;
    task.hasSavedMask = false;
    task.restart = 0;
    try {
      Dispatcher.call(task, number);
    } catch (TaskExit e) {
      // It would have waited.
    } catch (RuntimeException | Error e) {
      throw new AssertionError(
          "call %d of seed %d: %s%s"
              .formatted(i, SEED, Syscall.nameOf(number), java.util.Arrays.toString(arguments)),
          e);
    }
    if (task.restart == 0 && Syscall.of(number) != Syscall.RT_SIGRETURN) {
      long result = task.cpu.get64(CpuState.RAX);
      Syscall call = Syscall.of(number);
      if (call != null && result >= 0) {
        succeeded.add(call);
      }
      assertTrue(result >= 0 || result >= -4095 || result == number, "a result, not " + result);
    }
  }
}
