package parhelion.app;

import parhelion.lab.run.LabProgress;

/**
 * Shows how far a comparison is on standard error: one line rewritten on a terminal, a line for
 * each run elsewhere.
 */
final class CompareProgress implements LabProgress {
  private static final int WIDTH = 78;

  private final boolean terminal = System.console() != null && System.console().isTerminal();
  private final long startNanos = System.nanoTime();
  private String what = "";
  private boolean shown;

  @Override
  public synchronized void begins(int run, int runs, String what) {
    long seconds = (System.nanoTime() - startNanos) / 1_000_000_000L;
    String left =
        run < 3 ? "" : ", about %d s left".formatted(seconds * (runs - run + 1) / (run - 1));
    this.what = "%d of %d: %s%s".formatted(run, runs, what, left);
    if (terminal) {
      show(this.what);
    } else {
      System.err.println("parhelion: " + this.what);
    }
  }

  @Override
  public synchronized void measuring(String title) {
    if (terminal) {
      show(what + ": " + title);
    }
  }

  @Override
  public synchronized void note(String line) {
    end();
    System.err.println(line);
  }

  private void show(String line) {
    System.err.print("\r" + line.substring(0, Math.min(WIDTH, line.length())) + "\u001b[K");
    System.err.flush();
    shown = true;
  }

  /** Takes the line away. */
  synchronized void end() {
    if (shown) {
      System.err.print("\r\u001b[K");
      System.err.flush();
      shown = false;
    }
  }
}
