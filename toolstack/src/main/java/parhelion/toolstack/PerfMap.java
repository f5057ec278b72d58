package parhelion.toolstack;

import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.LongFunction;
import org.jspecify.annotations.Nullable;
import parhelion.cpu.interp.CodeCache;
import parhelion.cpu.rewrite.RegionCache;

/**
 * /tmp/perf-PID.map, where Linux's perf looks for the names of generated code: a line {@code START
 * SIZE NAME} for each region, START and SIZE in hexadecimal. Lines are written by the thread that
 * runs the guest, each at once, so that they are there when the process crashes ({@link
 * CrashSite}).
 *
 * <p>If all code is dropped for want of room, what is written afterwards has the addresses of what
 * was there before.
 */
public final class PerfMap implements RegionCache.Listener, AutoCloseable {
  private static final AtomicBoolean BEGUN = new AtomicBoolean();

  private final Path file;
  private final BufferedWriter lines;
  private final LongFunction<String> names;
  private @Nullable IOException failure;
  private boolean closed;

  private PerfMap(Path file, LongFunction<String> names) throws IOException {
    this.file = file;
    this.names = names;
    OpenOption mode =
        BEGUN.getAndSet(true) ? StandardOpenOption.APPEND : StandardOpenOption.TRUNCATE_EXISTING;
    lines =
        Files.newBufferedWriter(
            file,
            StandardCharsets.ISO_8859_1,
            StandardOpenOption.CREATE,
            StandardOpenOption.WRITE,
            LinkOption.NOFOLLOW_LINKS,
            mode);
  }

  /**
   * Begins the map of this process, of the code that there is and that will be.
   *
   * @param names names guest addresses
   */
  public static PerfMap begin(CodeCache code, LongFunction<String> names) {
    RegionCache regions = code.regions();
    if (regions == null) {
      throw new UserError("--perf-map: the interpreter generates no code to map: leave it out");
    }
    Path file = CrashSite.mapOf(ProcessHandle.current().pid());
    try {
      PerfMap map = new PerfMap(file, names);
      regions.listen(map);
      return map;
    } catch (IOException e) {
      throw new UserError("--perf-map: cannot write to " + file + ": remove it", e);
    }
  }

  @Override
  public void routines(long host, long bytes) {
    line(host, bytes, "parhelion routines");
  }

  @Override
  public void region(long host, long bytes, long va) {
    line(host, bytes, names.apply(va));
  }

  private synchronized void line(long host, long bytes, String name) {
    if (closed || failure != null) {
      return;
    }
    try {
      lines.write(Long.toHexString(host) + " " + Long.toHexString(bytes) + " " + name + "\n");
      lines.flush();
    } catch (IOException e) {
      failure = e;
    }
  }

  /** Ends the map; one line on what kept it from being whole, or null. */
  public @Nullable String finish() {
    close();
    IOException e = failure;
    return e == null ? null : "parhelion: --perf-map: " + file + " is not whole: " + e.getMessage();
  }

  @Override
  public synchronized void close() {
    if (closed) {
      return;
    }
    closed = true;
    try {
      lines.close();
    } catch (IOException e) {
      failure = failure == null ? e : failure;
    }
  }
}
