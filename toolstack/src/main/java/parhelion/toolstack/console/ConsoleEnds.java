package parhelion.toolstack.console;

import java.nio.file.Path;
import parhelion.backends.console.ConsoleEnd;
import parhelion.toolstack.UserError;

/** What users can connect a guest's further consoles to. */
public final class ConsoleEnds {
  private ConsoleEnds() {}

  /**
   * Opens what a user asks for: {@code unix:PATH}, {@code file:PATH}, {@code pty} or {@code
   * pty:LINK}.
   *
   * @throws UserError if it is none of these, or cannot be opened
   */
  public static ConsoleEnd open(String text) {
    if (text.equals("pty")) {
      return new PtyEnd(null);
    }
    int colon = text.indexOf(':');
    String path = text.substring(colon + 1);
    if (colon > 0 && !path.isEmpty()) {
      switch (text.substring(0, colon)) {
        case "unix" -> {
          return new SocketEnd(Path.of(path));
        }
        case "file" -> {
          return new FileEnd(Path.of(path));
        }
        case "pty" -> {
          return new PtyEnd(Path.of(path));
        }
        default -> {}
      }
    }
    throw new UserError("--console " + text + ": is none of unix:PATH, file:PATH, pty, pty:LINK");
  }
}
