package parhelion.toolstack.guest;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import parhelion.cpu.Mark;
import parhelion.toolstack.Screen;
import parhelion.toolstack.UserError;
import parhelion.toolstack.device.DeviceConfig;

/**
 * One guest, by whichever technique. {@link #run} runs it on the calling thread until it ends; what
 * says so may be called from any other thread meanwhile.
 */
public interface Guest extends AutoCloseable {
  /** Runs the guest until it ends or is stopped. */
  Outcome run();

  /** Makes {@link #run} return soon. Any thread. */
  void stop(Outcome.Kind why);

  /** Gives the guest console input; waits while it takes none. Any thread. */
  void input(byte[] bytes, int offset, int length) throws InterruptedException;

  /** Tells the guest the terminal's size, where it can be told. Any thread. */
  void consoleSize(int columns, int rows);

  /** Asks the guest's kernel to power off, as a power button would. Any thread. */
  void requestShutdown();

  /** What executes its code: rewriter or interpreter. */
  String engine();

  /** Says why the interpreter runs the guest although nobody asked for it; null if all is well. */
  @Nullable String engineNote();

  /** Writes a map for Linux's perf from now on; before {@link #run}. */
  void mapForPerf();

  /** Ends the map for perf, if there is one; a line on what kept it from being whole, or null. */
  @Nullable String finishPerfMap();

  /** Writes a line for all that the guest asks for to a file from now on; before {@link #run}. */
  void traceTo(Path file);

  /** Ends the trace, if there is one; what kept it from being whole, or null. */
  @Nullable IOException finishTrace();

  /** Samples where the guest spends its time from now on. */
  void profile();

  /** What {@link #profile} found, as a table of so many functions; after {@link #run}. */
  String profileTable(int rows);

  /** Leaves host times out of {@link #stats}, which then cost nothing. Before {@link #run}. */
  void withoutTimes();

  /** What the guest has asked of its host so far; after {@link #run}. */
  Stats stats();

  /** The names of the devices that are plugged in. Any thread. */
  List<String> deviceNames();

  /**
   * What a device was made of. Any thread.
   *
   * @throws UserError if there is none of that name
   */
  DeviceConfig device(String name);

  /**
   * Plugs a device in, which the guest may notice whenever it likes. Any thread.
   *
   * @throws UserError if it cannot be
   */
  void plugIn(DeviceConfig config);

  /**
   * Takes a device from the guest, and closes what is behind it once it is gone. Any thread.
   *
   * @param force without waiting for the guest to let go of it
   * @throws UserError if there is none of that name, or it cannot be
   */
  void takeOut(String name, boolean force);

  /**
   * Changes a disk's size, which the guest hears of at once. Any thread but that of {@link #run}.
   *
   * @throws UserError if there is none of that name, or it cannot be
   */
  void resize(String name, long sizeBytes);

  /**
   * Asks it to make do with so many MiB, or to take more again, up to what it was given. Any
   * thread.
   *
   * @throws UserError if it cannot be asked
   */
  void memoryTarget(int mib);

  /** How much memory it has not given up. Any thread. */
  int heldMib();

  /**
   * What is on its display. Any thread.
   *
   * @throws UserError if it has none, or does not run
   */
  default Screen screen() {
    throw new UserError("a paravirtual guest has no display: it is a PC's, of run --mode full");
  }

  /**
   * Types on its keyboard what {@link parhelion.pc.input.Typist#keys} takes. Any thread.
   *
   * @throws UserError if it has none, or there is no such key
   */
  default void type(String text) {
    throw new UserError("a paravirtual guest has no keyboard: it is a PC's, of run --mode full");
  }

  /**
   * What the guest has cost so far: on the thread of {@link #run} between two of the guest's
   * instructions, as in a {@link Mark.Listener}, or when nothing runs.
   */
  GuestCounts counts();

  /** Tells {@code listener} of every measurement mark of the guest's. Before {@link #run}. */
  void onMark(Mark.Listener listener);

  /**
   * Gives the guest the random numbers of a seed: under a virtual clock, and without devices whose
   * work other threads do, a run then repeats exactly. Before {@link #run}.
   */
  void repeatRandom(long seed);

  /** Gives everything back to the host; nothing happens the second time. */
  @Override
  void close();

  /** What a guest asked of its host. */
  interface Stats {
    /** Instructions retired, over all vcpus. */
    long instructions();

    /** Time in which vcpus waited, over all of them. */
    double blockedSeconds();

    /** For JSON. */
    java.util.Map<String, Object> asMap();

    /** For people. */
    String asTable();
  }
}
