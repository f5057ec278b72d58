package parhelion.process;

import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import parhelion.cpu.CpuModel;
import parhelion.cpu.Engine;
import parhelion.process.file.OpenFile;

/**
 * What a world of guests is given.
 *
 * @param memoryBytes frames of all processes together
 * @param root host directory that is their root, or null for an empty one
 * @param writable whether they may change what is below it
 * @param binds host paths that appear at guest paths
 * @param program host file that appears as the program, or null where it is looked up in the tree
 * @param directory working directory to begin with
 * @param standardFiles what descriptors 0, 1 and 2 are
 * @param strace where to print system calls, or null
 * @param report where to print crash reports
 * @param timeoutNanos time limit, 0 for none
 * @param cpu which processor they see
 * @param engine what executes their code
 */
public record Options(
    long memoryBytes,
    @Nullable String root,
    boolean writable,
    List<Bind> binds,
    @Nullable String program,
    String directory,
    List<OpenFile> standardFiles,
    @Nullable Consumer<String> strace,
    Consumer<String> report,
    long timeoutNanos,
    CpuModel cpu,
    Engine engine) {
  /** Default size of {@link #memoryBytes}. */
  public static final long DEFAULT_MEMORY_BYTES = 1L << 30;

  /** With the default processor, on the engine that is preferred. */
  public Options(
      long memoryBytes,
      @Nullable String root,
      boolean writable,
      List<Bind> binds,
      @Nullable String program,
      String directory,
      List<OpenFile> standardFiles,
      @Nullable Consumer<String> strace,
      Consumer<String> report,
      long timeoutNanos) {
    this(
        memoryBytes,
        root,
        writable,
        binds,
        program,
        directory,
        standardFiles,
        strace,
        report,
        timeoutNanos,
        CpuModel.DEFAULT,
        Engine.preferred());
  }

  /** A host path at a guest path. */
  public record Bind(String hostPath, String guestPath, boolean writable) {}
}
