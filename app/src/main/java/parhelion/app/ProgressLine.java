package parhelion.app;

import parhelion.toolstack.image.Progress;

/**
 * Shows progress of downloads and unpacking on standard error: one line rewritten on a terminal,
 * nothing in a pipe.
 */
public final class ProgressLine implements Progress {
  private static final long EVERY_NANOS = 100_000_000L;
  private static final int WIDTH = 78;

  private long lastNanos;
  private boolean shown;

  private ProgressLine() {}

  /** For the person at the terminal, if there is one. */
  public static Progress forUser() {
    return System.console() != null && System.console().isTerminal()
        ? new ProgressLine()
        : Progress.NONE;
  }

  @Override
  public synchronized void update(String what, long doneBytes, long totalBytes) {
    long now = System.nanoTime();
    boolean finished = totalBytes >= 0 && doneBytes >= totalBytes;
    if (!finished && shown && now - lastNanos < EVERY_NANOS) {
      return;
    }
    lastNanos = now;
    String text =
        finished
            ? ""
            : totalBytes > 0
                ? "%s: %d %%".formatted(what, doneBytes * 100 / totalBytes)
                : "%s: %d KiB".formatted(what, doneBytes >> 10);
    if (text.length() > WIDTH) {
      text = text.substring(0, WIDTH);
    }
    System.err.print("\r" + text + "\u001b[K");
    System.err.flush();
    shown = !finished;
  }
}
