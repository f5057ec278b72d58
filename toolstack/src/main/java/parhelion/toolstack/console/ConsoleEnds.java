package parhelion.toolstack.console;

import java.nio.file.Path;
import parhelion.backends.console.ConsoleEnd;
import parhelion.toolstack.UserError;

/** What users can connect a guest's further consoles to. */
public final class ConsoleEnds {
  private ConsoleEnds() {}

  /**
   * Opens what a user asks for: {@code unix:PATH} or {@code file:PATH}.
   *
   * @throws UserError if it is neither, or cannot be opened
   */
  public static ConsoleEnd open(String text) {
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
        default -> {}
      }
    }
    throw new UserError("--console " + text + ": is neither unix:PATH nor file:PATH");
  }
}
