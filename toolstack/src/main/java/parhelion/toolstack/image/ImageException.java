package parhelion.toolstack.image;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import parhelion.toolstack.UserError;

/**
 * A file that a guest was to be made of cannot be used. The message is one line for the user: the
 * file, what is wrong with it and what to do about it. It is never our own bug.
 */
public final class ImageException extends UserError {
  private static final long serialVersionUID = 1L;
  private static final int MAX_LINE_CHARS = 600;

  /** A complete line; control characters in it (it may quote the file) are replaced. */
  public ImageException(String line) {
    super(oneLine(line));
  }

  /** As {@link #ImageException(String)}, keeping the cause for {@code --log debug}. */
  public ImageException(String line, Throwable cause) {
    super(oneLine(line), cause);
  }

  /** {@code NAME: WHAT IS WRONG; REMEDY}. */
  static ImageException of(String name, String wrong, String remedy) {
    return new ImageException(name + ": " + wrong + "; " + remedy);
  }

  static ImageException of(String name, String wrong, String remedy, Throwable cause) {
    return new ImageException(name + ": " + wrong + "; " + remedy, cause);
  }

  /** For a file that is there and cannot be read, or a directory in which one cannot be. */
  static ImageException unreadable(String name, String remedy, IOException e) {
    if (!(e instanceof AccessDeniedException denied)) {
      return of(name, "cannot be read (" + e.getMessage() + ")", remedy, e);
    }
    String file = denied.getFile();
    String where = name.equals(file) ? "" : "cannot be read (" + file + "): ";
    return of(name, where + "permission denied", "make it readable", e);
  }

  private static String oneLine(String text) {
    StringBuilder line = new StringBuilder(text.length());
    for (int i = 0; i < text.length() && line.length() < MAX_LINE_CHARS; i++) {
      char c = text.charAt(i);
      line.append(Character.isISOControl(c) ? ' ' : c);
    }
    return line.toString();
  }
}
