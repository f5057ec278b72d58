package parhelion.toolstack.steward;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import parhelion.toolstack.UserError;

/**
 * A command for a guest.
 *
 * @param arguments the program, looked up along PATH in the guest, and its arguments
 * @param environment its variables; PATH, HOME and TERM have values of the steward's if not given
 * @param directory where it is run; empty for the user's home
 * @param user a name or number, with {@code :GROUP-NUMBER} if that is not the user's own; empty for
 *     root
 * @param terminal the size of the terminal that it is to have, or null for pipes
 */
public record CommandSpec(
    List<String> arguments,
    Map<String, String> environment,
    String directory,
    String user,
    @Nullable Size terminal) {
  private static final String PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  private static final int MAX_WORDS = 8000;

  /** A terminal's size in characters. */
  public record Size(int rows, int columns) {
    int word() {
      return (rows & 0xffff) | (columns & 0xffff) << 16;
    }
  }

  /** What the steward is to do with the arguments. */
  public enum What {
    RUN('R'),
    SEND_TREE('G'),
    RECEIVE_TREE('U');

    final char letter;

    What(char letter) {
      this.letter = letter;
    }
  }

  /** Run as root, in root's home, with pipes. */
  public static CommandSpec of(String... arguments) {
    return new CommandSpec(List.of(arguments), Map.of(), "", "", null);
  }

  /** The request as the steward reads it. */
  byte[] request(What what) {
    Map<String, String> variables = new TreeMap<>(environment);
    if (what == What.RUN) {
      variables.putIfAbsent("PATH", PATH);
      variables.putIfAbsent("TERM", terminal == null ? "dumb" : "linux");
    }
    List<String> words = new ArrayList<>();
    words.add(user);
    words.add(directory);
    words.addAll(arguments);
    variables.forEach((name, value) -> words.add(name + '=' + value));
    if (arguments.isEmpty() || arguments.getFirst().isEmpty() || words.size() > MAX_WORDS) {
      throw new UserError(
          arguments.size() > 1
              ? "a command for a guest may have at most " + MAX_WORDS + " words: give fewer"
              : "the command for the guest is empty: name a program");
    }
    Size size = terminal == null ? new Size(0, 0) : terminal;
    ByteBuffer head = ByteBuffer.allocate(10).order(ByteOrder.LITTLE_ENDIAN);
    head.put((byte) what.letter).put((byte) (terminal == null ? 0 : 1));
    head.putShort((short) size.rows()).putShort((short) size.columns());
    head.putShort((short) arguments.size()).putShort((short) variables.size());
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    all.writeBytes(head.array());
    for (String word : words) {
      if (word.indexOf('\0') >= 0) {
        throw new UserError("a command's words cannot contain NUL: leave it out");
      }
      all.writeBytes(word.getBytes(StandardCharsets.UTF_8));
      all.write(0);
    }
    if (all.size() > Wire.MAX_REQUEST) {
      throw new UserError(
          "a command for a guest may have at most "
              + Wire.MAX_REQUEST
              + " bytes: pass data on its standard input");
    }
    return all.toByteArray();
  }
}
