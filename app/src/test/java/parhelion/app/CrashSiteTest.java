package parhelion.app;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** A JVM is killed by a signal in the middle of generated code; its report and map tell where. */
@EnabledOnOs(value = OS.LINUX, architectures = "amd64")
@Timeout(value = 3, unit = TimeUnit.MINUTES)
final class CrashSiteTest {
  private static final long ENTRY = 0x40_0078;
  private static final long TGKILL = 234;
  private static final int SIGSEGV = 11;

  @TempDir Path directory;
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  private int crashSite(String... arguments) {
    CommandLine command =
        Main.commandLine().setOut(new PrintWriter(out)).setErr(new PrintWriter(err));
    String[] all = new String[arguments.length + 1];
    all[0] = "crash-site";
    System.arraycopy(arguments, 0, all, 1, arguments.length);
    return command.execute(all);
  }

  @Test
  void theReportOfAJvmThatCrashedInGeneratedCodeLeadsToTheGuestsAddress() throws Throwable {
    EngineOptionsTest.needsRewriter();
    Path program = spinning();
    Path report = directory.resolve("hs_err.log");
    ProcessBuilder builder =
        BadSurroundingsTest.parhelion("exec", "--engine", "rewriter", "--perf-map", "" + program);
    builder.command().addAll(1, List.of("-XX:ErrorFile=" + report, "-XX:-CreateCoredumpOnCrash"));
    Process process =
        builder.redirectErrorStream(true).redirectOutput(directory.resolve("out").toFile()).start();
    Path map = Path.of("/tmp/perf-" + process.pid() + ".map");
    try {
      String loop = " 0x" + Long.toHexString(ENTRY) + "\n";
      while (process.isAlive() && !(Files.exists(map) && Files.readString(map).contains(loop))) {
        Thread.sleep(10);
      }
      assertTrue(process.isAlive(), () -> "it ended with " + process.exitValue());
      signal(process.pid(), busiestThread(process.pid()));
      assertTrue(process.waitFor(60, TimeUnit.SECONDS), "it lives on");
      assertEquals(ExitStatus.OK, crashSite(report.toString()), err::toString);
      assertTrue(
          out.toString().matches("(?s)pc +\\p{XDigit}+: code of 0x400078, byte \\d+ of \\d+\n.*"),
          out.toString() + Files.readString(report).lines().limit(30).toList());
      Path moved = Files.move(map, directory.resolve("moved.map"));
      assertEquals(ExitStatus.FAILED, crashSite(report.toString()));
      assertTrue(err.toString().contains("--perf-map"), err.toString());
      assertEquals(
          ExitStatus.OK, crashSite(report.toString(), "--json", "--map", moved.toString()));
      assertTrue(out.toString().contains("\"code\":\"0x400078\""), out.toString());
    } finally {
      process.destroyForcibly();
      Files.deleteIfExists(map);
    }
  }

  @Test
  void whatIsNoReportIsSaidToBeNone() throws IOException {
    Path file = Files.writeString(directory.resolve("text"), "all is well");
    assertEquals(ExitStatus.FAILED, crashSite(file.toString()));
    assertTrue(err.toString().contains("is no crash report of a JVM"), err.toString());
  }

  @Test
  void aCrashElsewhereIsNotBlamedOnGuests() throws IOException {
    Path report =
        Files.writeString(
            directory.resolve("report"),
            "#  SIGSEGV (0xb) at pc=0x00007f0000001000, pid=1, tid=2\nRAX=0x0000000000002000\n");
    Path map = Files.writeString(directory.resolve("map"), "1000 1000 f\n3000 10 g\ncut of");
    String[] arguments = {report.toString(), "--map", map.toString()};
    assertEquals(ExitStatus.FAILED, crashSite(arguments));
    assertTrue(err.toString().contains("did not crash in"), err.toString());
    Files.writeString(map, "\n2000 8 h+0x10", java.nio.file.StandardOpenOption.APPEND);
    assertEquals(ExitStatus.OK, crashSite(arguments));
    assertEquals("RAX  2000: code of h+0x10, byte 0 of 8\n", out.toString());
  }

  /** A static program of one instruction, a jump to itself. */
  private Path spinning() throws IOException {
    ByteBuffer elf = ByteBuffer.allocate(0x7a).order(ByteOrder.LITTLE_ENDIAN);
    elf.putInt(0x464c457f).putInt(0x00010102); // 64-bit, little-endian
    elf.position(16);
    elf.putShort((short) 2).putShort((short) 62).putInt(1).putLong(ENTRY).putLong(64).putLong(0);
    elf.putInt(0).putShort((short) 64).putShort((short) 56).putShort((short) 1);
    elf.position(64);
    elf.putInt(1).putInt(5).putLong(0).putLong(0x40_0000).putLong(0x40_0000);
    elf.putLong(elf.capacity()).putLong(elf.capacity()).putLong(0x1000);
    elf.put((byte) 0xeb).put((byte) 0xfe);
    Path file = Files.write(directory.resolve("spin"), elf.array());
    assumeTrue(file.toFile().setExecutable(true));
    return file;
  }

  /** The thread that has used most processor time, once that is the clear majority of a second. */
  private static long busiestThread(long pid) throws IOException, InterruptedException {
    while (true) {
      long thread = 0;
      long most = 0;
      try (DirectoryStream<Path> tasks =
          Files.newDirectoryStream(Path.of("/proc/" + pid + "/task"))) {
        for (Path task : tasks) {
          String stat = Files.readString(task.resolve("stat"));
          String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
          long ticks = Long.parseLong(fields[11]) + Long.parseLong(fields[12]);
          if (ticks > most) {
            most = ticks;
            thread = Long.parseLong(task.getFileName().toString());
          }
        }
      }
      if (most > 300) {
        return thread;
      }
      Thread.sleep(50);
    }
  }

  private static void signal(long pid, long thread) throws Throwable {
    Linker linker = Linker.nativeLinker();
    FunctionDescriptor descriptor =
        FunctionDescriptor.of(
            ValueLayout.JAVA_LONG,
            ValueLayout.JAVA_LONG,
            ValueLayout.JAVA_LONG,
            ValueLayout.JAVA_LONG,
            ValueLayout.JAVA_LONG);
    long result =
        (long)
            linker
                .downcallHandle(linker.defaultLookup().find("syscall").orElseThrow(), descriptor)
                .invokeExact(TGKILL, pid, thread, (long) SIGSEGV);
    assertEquals(0, result);
  }
}
