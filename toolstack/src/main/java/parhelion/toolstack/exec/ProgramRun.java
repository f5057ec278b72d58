package parhelion.toolstack.exec;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import parhelion.cpu.EngineStats;
import parhelion.cpu.EngineUnavailableException;
import parhelion.cpu.Mark;
import parhelion.host.Libc;
import parhelion.process.Errno;
import parhelion.process.Kernel;
import parhelion.process.LinuxError;
import parhelion.process.Options;
import parhelion.process.Stats;
import parhelion.process.file.HostStream;
import parhelion.process.file.OpenFile;
import parhelion.toolstack.CpuChoice;
import parhelion.toolstack.EngineNotes;
import parhelion.toolstack.PerfMap;
import parhelion.toolstack.UserError;
import parhelion.toolstack.guest.GuestCounts;

/** One run of a program with this process's own standard streams, from options to exit status. */
public final class ProgramRun {
  /**
   * What the user asks for.
   *
   * @param program a path below the root, or a file of the host
   * @param arguments what follows its name
   * @param environment as KEY=VALUE
   * @param root directory that is the program's root, or null for an empty one
   * @param binds as HOST:GUEST, HOST:GUEST:rw
   * @param cpu which processor it sees, and what executes its code
   * @param perfMap whether to write a map for perf
   * @param messages takes crash reports, traces and notes
   */
  public record Config(
      String program,
      List<String> arguments,
      List<String> environment,
      @Nullable Path root,
      boolean writable,
      List<String> binds,
      long memoryBytes,
      long timeoutNanos,
      CpuChoice cpu,
      boolean perfMap,
      boolean strace,
      Consumer<String> messages) {}

  /** One kind of system call. */
  public record Calls(String name, long count, long errors, long nanos) {}

  /**
   * How it went.
   *
   * @param status the program's, or 128 and the signal that ended it
   * @param engine what executed guest code
   * @param rewriter what the rewriter did; null where that is the interpreter
   */
  public record Outcome(
      int status,
      boolean timedOut,
      long instructions,
      double mips,
      long elapsedNanos,
      long guestNanos,
      long callNanos,
      long processes,
      long threads,
      List<Calls> calls,
      String engine,
      @Nullable EngineStats rewriter) {
    /** What the rewriter did, as lines of a table; empty where there is none. */
    public String engineTable() {
      return rewriter == null ? "" : EngineNotes.table(rewriter);
    }
  }

  private static final long MIN_MEMORY = 1L << 20;

  private final Config config;
  private volatile @Nullable Kernel kernel;
  private Mark.@Nullable Listener markListener;

  public ProgramRun(Config config) {
    this.config = config;
  }

  /** Tells {@code listener} of every measurement mark of the program's. Before {@link #run}. */
  public void onMark(Mark.Listener listener) {
    markListener = listener;
  }

  /** What the program has cost so far: in a {@link Mark.Listener}. */
  public GuestCounts counts() {
    Kernel k = kernel;
    if (k == null) {
      throw new IllegalStateException("the program does not run");
    }
    return GuestCounts.of(k.stats(), k.code());
  }

  /** Runs it. What the user can put right is a {@link UserError}. */
  public Outcome run() {
    if (!Libc.isAvailable()) {
      throw new UserError("exec needs a 64-bit Linux host; a guest kernel runs anywhere: try run");
    }
    if (config.memoryBytes() < MIN_MEMORY) {
      throw new UserError("--memory: a program needs 1M at least");
    }
    try (Kernel k = open()) {
      kernel = k;
      k.setMarkListener(markListener);
      List<String> arguments = new ArrayList<>();
      arguments.add(bytes(config.program()));
      config.arguments().forEach(each -> arguments.add(bytes(each)));
      List<String> environment = config.environment().stream().map(ProgramRun::bytes).toList();
      String path = programPath(k);
      String note = EngineNotes.ofFallback(k.code());
      if (note != null) {
        config.messages().accept(note);
      }
      PerfMap map = config.perfMap() ? PerfMap.begin(k.code(), ProgramRun::addressName) : null;
      try {
        return outcome(k, k.run(path, arguments, environment));
      } catch (LinuxError e) {
        throw cannotRun(e);
      } finally {
        finish(map);
      }
    } finally {
      kernel = null;
    }
  }

  private static String addressName(long va) {
    return "0x" + Long.toHexString(va);
  }

  private void finish(@Nullable PerfMap map) {
    String problem = map == null ? null : map.finish();
    if (problem != null) {
      config.messages().accept(problem);
    }
  }

  private static Outcome outcome(Kernel k, int status) {
    Stats s = k.stats();
    List<Calls> calls =
        s.calls().stream()
            .map(each -> new Calls(each.name(), each.count(), each.errors(), each.nanos()))
            .toList();
    return new Outcome(
        status,
        k.isTimedOut(),
        s.instructions(),
        s.mips(),
        s.elapsedNanos(),
        s.guestNanos(),
        s.callNanos(),
        s.processes(),
        s.threads(),
        calls,
        s.engine(),
        s.rewriter());
  }

  /** Passes a signal of the host on. Any thread. */
  public void interrupt(int signal) {
    Kernel k = kernel;
    if (k != null) {
      k.interrupt(signal);
    }
  }

  /** The guests' strings hold bytes, one a character. */
  private static String bytes(String text) {
    return new String(text.getBytes(StandardCharsets.UTF_8), StandardCharsets.ISO_8859_1);
  }

  private static String hostPath(Path path) {
    return bytes(path.toAbsolutePath().normalize().toString());
  }

  private Kernel open() {
    Path root = config.root();
    if (root != null && !Files.isDirectory(root)) {
      throw new UserError(
          root
              + (Files.exists(root) ? ": is not a directory" : ": no such directory")
              + "; give"
              + " --root the directory that the program is to see");
    }
    List<Options.Bind> binds = new ArrayList<>();
    config.binds().forEach(text -> binds.add(bind(text)));
    Path program = hostProgram();
    List<OpenFile> streams =
        List.of(
            HostStream.of(0, OpenFile.O_RDWR),
            HostStream.of(1, OpenFile.O_RDWR),
            HostStream.of(2, OpenFile.O_RDWR));
    try {
      return new Kernel(
          new Options(
              config.memoryBytes(),
              root == null ? null : hostPath(root),
              config.writable(),
              binds,
              program == null ? null : hostPath(program),
              "/",
              streams,
              config.strace() ? config.messages() : null,
              config.messages(),
              config.timeoutNanos(),
              config.cpu().model(),
              config.cpu().engine()));
    } catch (EngineUnavailableException e) {
      throw EngineNotes.unavailable(e);
    } catch (LinuxError e) {
      throw new UserError(
          "the root or a bind cannot be opened: " + e.getMessage() + "; check --root and --bind",
          e);
    } catch (OutOfMemoryError e) {
      throw new UserError("--memory: " + e.getMessage() + "; give less", e);
    }
  }

  private static Options.Bind bind(String text) {
    String[] parts = text.split(":", -1);
    boolean writable = parts.length == 3 && parts[2].equals("rw");
    boolean formed =
        parts.length == 2 || (parts.length == 3 && (writable || parts[2].equals("ro")));
    if (!formed || !parts[1].startsWith("/") || parts[0].isEmpty()) {
      throw new UserError("--bind " + text + ": is not HOST:/GUEST or HOST:/GUEST:rw");
    }
    Path host = Path.of(parts[0]);
    if (!Files.exists(host)) {
      throw new UserError("--bind " + text + ": there is no " + host);
    }
    String guest = bytes(Path.of(parts[1]).normalize().toString());
    if (guest.equals("/")) {
      throw new UserError("--bind " + text + ": for / there is --root");
    }
    return new Options.Bind(hostPath(host), guest, writable);
  }

  private @Nullable Path hostProgram() {
    try {
      Path path = Path.of(config.program());
      return Files.isRegularFile(path) ? path : null;
    } catch (InvalidPathException e) {
      return null;
    }
  }

  /** Below a root that the user gave, a program of that name there comes first. */
  private String programPath(Kernel k) {
    String name = bytes(config.program());
    boolean named = config.root() != null || !config.binds().isEmpty();
    if (named && k.exists(name)) {
      return name;
    }
    Path host = hostProgram();
    if (host == null) {
      throw new UserError(
          config.program()
              + ": no such program"
              + (config.root() == null ? "" : " below " + config.root() + " or on this machine"));
    }
    return Kernel.programPath(hostPath(host));
  }

  private UserError cannotRun(LinuxError e) {
    String why =
        switch (e.errno) {
          case Errno.ENOEXEC -> "is not a 64-bit x86 Linux program (ELF64, x86-64)";
          case Errno.EACCES -> "may not be executed; chmod +x it";
          case Errno.ENOENT -> "or the interpreter that it names was not found below the root";
          case Errno.ENOMEM -> "does not fit into memory; give more with --memory";
          case Errno.E2BIG -> "is given more arguments than Linux allows (2 MiB)";
          default -> "cannot be executed: " + e.getMessage();
        };
    return new UserError(config.program() + " " + why, e);
  }
}
