package parhelion.app;

import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import parhelion.toolstack.UserError;

/**
 * Where a guest's console output goes: the user's terminal or pipe, and a log file if one was asked
 * for. Neither breaks the other. A broken pipe or a full disk is noted and told once, so writing
 * never throws. Written to by one thread; the notes may be read by any.
 */
final class ConsoleOutput extends OutputStream {
  private final OutputStream user;
  private final @Nullable OutputStream log;
  private final Runnable whenUserIsGone;
  private volatile @Nullable IOException userFailure;
  private volatile @Nullable IOException logFailure;

  /**
   * Writes to both.
   *
   * @param whenUserIsGone called once, when the user's side takes no more
   */
  ConsoleOutput(OutputStream user, @Nullable OutputStream log, Runnable whenUserIsGone) {
    this.user = user;
    this.log = log;
    this.whenUserIsGone = whenUserIsGone;
  }

  /** Opens a log file; an error names the option. */
  static OutputStream openLog(Path file) {
    try {
      return new FileOutputStream(file.toFile());
    } catch (IOException e) {
      throw new UserError(
          "--log: cannot write to " + e.getMessage() + ": give a file that can be written", e);
    }
  }

  @Override
  public void write(int b) {
    write(new byte[] {(byte) b}, 0, 1);
  }

  @Override
  public void write(byte[] bytes, int offset, int length) {
    OutputStream file = log;
    if (file != null && logFailure == null) {
      try {
        file.write(bytes, offset, length);
      } catch (IOException e) {
        logFailure = e;
      }
    }
    if (userFailure == null) {
      try {
        user.write(bytes, offset, length);
      } catch (IOException e) {
        fail(e);
      }
    }
  }

  @Override
  public void flush() {
    if (userFailure == null) {
      try {
        user.flush();
      } catch (IOException e) {
        fail(e);
      }
    }
  }

  private void fail(IOException e) {
    userFailure = e;
    whenUserIsGone.run();
  }

  /** What broke the user's side, or null. */
  @Nullable IOException userFailure() {
    return userFailure;
  }

  /** What broke the log, or null. */
  @Nullable IOException logFailure() {
    return logFailure;
  }
}
