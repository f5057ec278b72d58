package parhelion.lab.run;

/** Told how far a comparison has come. On the thread that runs it, but for {@link #measuring}. */
public interface LabProgress {
  /** Nobody wants to know. */
  LabProgress NONE = (round, rounds, technique) -> {};

  /** A guest, or a program, is about to run: the {@code run}-th of {@code runs} in all. */
  void begins(int run, int runs, String what);

  /** It measures that now. Any thread. */
  default void measuring(String title) {}

  /** Something that people should know, and that does not end the comparison. */
  default void note(String line) {}
}
