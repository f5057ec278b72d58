package parhelion.process;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** One rule of the system-call interface per program of a few instructions. */
@EnabledOnOs(OS.LINUX)
@Timeout(value = 120, unit = TimeUnit.SECONDS)
final class ProgramTest {
  @TempDir Path directory;
  private final World world = new World();
  private final TinyProgram program = new TinyProgram();

  @BeforeEach
  void setUp() {
    assertEquals("", world.output());
  }

  @AfterEach
  void everyFrameIsGivenBack() {
    assertEquals(0, world.leakedFrames);
  }

  private int run() throws IOException {
    return world.run(program.write(directory), "one", "two");
  }

  @Test
  void theExitStatusIsTheProgramsLowByte() throws IOException {
    program.exit(0x1_07);
    assertEquals(7, run());
  }

  @Test
  void whatIsWrittenArrives() throws IOException {
    long text = program.string("hello\n");
    program.call(Syscall.WRITE, 1, text, 6).exit(0);
    assertEquals(0, run());
    assertEquals("hello\n", world.output());
  }

  @Test
  void argumentsAreOnTheStack() throws IOException {
    program.raw(0x48, 0x8b, 0x04, 0x24).exitWithResult(); // mov rax, [rsp]
    assertEquals(3, run());
  }

  @Test
  void anUnknownCallIsENOSYSAndIsTraced() throws IOException {
    program.call(450, 1, 2).exitWithErrno();
    assertEquals(Errno.ENOSYS, run());
    assertTrue(
        world.trace.stream().anyMatch(l -> l.contains("syscall_450") && l.contains("ENOSYS")),
        world.trace.toString());
  }

  @Test
  void aTraceShowsDecodedArgumentsAndResults() throws IOException {
    long path = program.string("/dev/null");
    program.call(Syscall.OPENAT, -100, path, OpenFlags.WRONLY_CLOEXEC, 0).exitWithResult();
    assertEquals(3, run());
    assertTrue(
        world.trace.get(0).endsWith("openat(AT_FDCWD, \"/dev/null\", O_WRONLY|O_CLOEXEC, 00) = 3"),
        world.trace.get(0));
  }

  private static final class OpenFlags {
    static final long WRONLY_CLOEXEC = 0x80001;
  }

  @Test
  void aWildPointerIsEFAULT() throws IOException {
    program.call(Syscall.WRITE, 1, 0xdead_0000L, 4).exitWithErrno();
    assertEquals(Errno.EFAULT, run());
  }

  @Test
  void aNullPointerWriteIsReportedWithRegistersAndDisassembly() throws IOException {
    long at = program.raw(0x31, 0xdb).here(); // xor ebx, ebx
    program.raw(0x88, 0x43, 0x08); // mov [rbx+8], al
    assertEquals(128 + Signals.SIGSEGV, run());
    String said = world.said();
    assertTrue(said.contains("SIGSEGV, nothing is mapped at 8"), said);
    assertTrue(said.contains("rip " + Long.toHexString(at)), said);
    assertTrue(said.contains("mov BYTE PTR [rbx+0x8],al"), said);
    assertTrue(said.contains("rbx 0000000000000000"), said);
  }

  @Test
  void codeCannotBeWritten() throws IOException {
    program.raw(0x88, 0x05, 0, 0, 0, 0); // mov [rip], al
    assertEquals(128 + Signals.SIGSEGV, run());
    assertTrue(world.said().contains("access not allowed"), world.said());
  }

  @Test
  void dataCannotBeExecuted() throws IOException {
    program.string("\u00c3");
    program.raw(0xb8, 0, 0, 0x50, 0, 0xff, 0xe0); // mov eax, DATA; jmp rax
    assertEquals(128 + Signals.SIGSEGV, run());
  }

  @Test
  void divisionByZeroIsSIGFPE() throws IOException {
    program.raw(0x31, 0xc9, 0xf7, 0xf1); // xor ecx, ecx; div ecx
    assertEquals(128 + Signals.SIGFPE, run());
  }

  @Test
  void anUndefinedInstructionIsSIGILL() throws IOException {
    program.raw(0x0f, 0x0b);
    assertEquals(128 + Signals.SIGILL, run());
  }

  @Test
  void aBreakpointIsSIGTRAP() throws IOException {
    program.raw(0xcc);
    assertEquals(128 + Signals.SIGTRAP, run());
  }

  @Test
  void aPrivilegedInstructionIsSIGSEGV() throws IOException {
    program.raw(0xf4);
    assertEquals(128 + Signals.SIGSEGV, run());
  }

  @Test
  void aJumpToANonCanonicalAddressIsSIGSEGV() throws IOException {
    program.raw(0x48, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0x80, 0xff, 0xe0);
    assertEquals(128 + Signals.SIGSEGV, run());
  }

  @Test
  void theStackGrowsAndHasALimit() throws IOException {
    // push in a loop: jmp to the push
    program.raw(0x50, 0xeb, 0xfd);
    assertEquals(128 + Signals.SIGSEGV, run());
    assertTrue(world.stats.instructions() > 1_900_000, "eight megabytes of pushes");
  }

  @Test
  void memoryBeyondTheLimitIsENOMEM() throws IOException {
    program.call(Syscall.MMAP, 0, 1L << 30, 3, 0x22, -1, 0).exitWithErrno();
    assertEquals(Errno.ENOMEM, run());
  }

  @Test
  void aProcessThatEatsAllFramesIsEnded() throws IOException {
    world.memoryBytes = 4 << 20;
    // Shared anonymous memory is not counted when it is mapped, only when it is touched.
    program.call(Syscall.MMAP, 0, 64 << 20, 3, 0x21, -1, 0);
    program.raw(0xc6, 0x00, 1); // mov byte [rax], 1
    program.raw(0x48, 0x05, 0, 0x10, 0, 0); // add rax, 4096
    program.raw(0xeb, 0xf5); // jmp to the mov
    assertEquals(128 + Signals.SIGKILL, run());
    assertTrue(world.said().contains("out of memory"), world.said());
  }

  @Test
  void anEndlessLoopEndsAtTheTimeout() throws IOException {
    world.timeoutNanos = 300_000_000;
    program.raw(0xeb, 0xfe);
    assertEquals(128 + Signals.SIGKILL, run());
    assertTrue(world.timedOut);
  }

  @Test
  void aSleeperEndsAtTheTimeout() throws IOException {
    world.timeoutNanos = 300_000_000;
    program.call(Syscall.PAUSE).exit(0);
    assertEquals(128 + Signals.SIGKILL, run());
    assertTrue(world.timedOut);
  }

  @Test
  void aForkBombIsLimitedAndEnds() throws IOException {
    world.timeoutNanos = 5_000_000_000L;
    program.call(Syscall.FORK).raw(0xeb, 0xf7); // for ever
    assertEquals(128 + Signals.SIGKILL, run());
    assertTrue(world.timedOut);
    assertTrue(world.stats.processes() <= 512, world.stats.processes() + " processes");
  }

  @Test
  void fork_wait_and_exit_pass_the_status_on() throws IOException {
    long status = program.room(8);
    program.call(Syscall.FORK);
    program.raw(0x85, 0xc0, 0x75, 0x11); // test eax, eax; jne over the child
    program.raw(0xbf, 5, 0, 0, 0, 0xb8, 231, 0, 0, 0, 0x0f, 0x05, 0x90, 0x90, 0x90, 0x90, 0x90);
    program.call(Syscall.WAIT4, -1, status, 0, 0);
    program.raw(0x8b, 0x04, 0x25, 0, 0, 0x50, 0); // mov eax, [DATA]
    program.raw(0xc1, 0xe8, 8).exitWithResult(); // shr eax, 8
    assertEquals(5, run());
  }

  @Test
  void aPipeThatNobodyReadsGivesSIGPIPE() throws IOException {
    long fds = program.room(8);
    program.call(Syscall.PIPE, fds).call(Syscall.CLOSE, 3).call(Syscall.WRITE, 4, fds, 1).exit(0);
    assertEquals(128 + Signals.SIGPIPE, run());
  }

  @Test
  void anEmptyPipeWithoutWritersIsAtItsEnd() throws IOException {
    long fds = program.room(8);
    program.call(Syscall.PIPE, fds).call(Syscall.CLOSE, 4).call(Syscall.READ, 3, fds, 1);
    assertEquals(0, world.leakedFrames);
    program.exitWithResult();
    assertEquals(0, run());
  }

  @Test
  void onlySoManyDescriptorsCanBeHad() throws IOException {
    program.call(Syscall.DUP, 0);
    program.raw(0x85, 0xc0, 0x79, (0x100 - 4 - 17) & 0xff); // test eax, eax; jns to the dup
    program.exitWithErrno();
    assertEquals(Errno.EMFILE, run());
  }

  @Test
  void theRootIsReadOnlyUnlessAskedOtherwise() throws IOException {
    world.root = Files.createDirectory(directory.resolve("root"));
    long path = program.string("/new");
    program.call(Syscall.OPEN, path, 0x41, 0644).exitWithErrno();
    assertEquals(Errno.EROFS, run());
    assertTrue(Files.notExists(directory.resolve("root/new")));
    world.writable = true;
    assertEquals(256 - 3, run());
    assertTrue(Files.exists(directory.resolve("root/new")));
  }

  @Test
  void withoutARootThereIsNothing() throws IOException {
    long path = program.string("/etc/passwd");
    program.call(Syscall.OPEN, path, 0, 0).exitWithErrno();
    assertEquals(Errno.ENOENT, run());
  }

  @Test
  void aFileThatIsNoProgramIsENOEXEC() throws IOException {
    Path file = program.exit(0).write(directory);
    byte[] elf = program.elf();
    elf[18] = 3; // another machine's
    Files.write(file, elf);
    LinuxError error = assertThrows(LinuxError.class, () -> world.run(file));
    assertEquals(Errno.ENOEXEC, error.errno);
  }

  @Test
  void everyDamagedHeaderIsAnErrnoOrRuns() throws IOException {
    Path file = program.exit(0).write(directory);
    byte[] good = program.elf();
    java.util.Random random = new java.util.Random(7);
    for (int i = 0; i < 300; i++) {
      byte[] bad = good.clone();
      for (int n = random.nextInt(1, 4); n > 0; n--) {
        bad[random.nextInt(4, 232)] = (byte) random.nextInt();
      }
      Files.write(
          file, random.nextInt(8) == 0 ? java.util.Arrays.copyOf(bad, random.nextInt(300)) : bad);
      world.timeoutNanos = 200_000_000;
      try {
        int ignored = world.run(file);
      } catch (LinuxError e) {
        assertTrue(e.errno > 0 && e.errno < 134, e.getMessage());
      }
      assertEquals(0, world.leakedFrames, "round " + i);
    }
  }
}
