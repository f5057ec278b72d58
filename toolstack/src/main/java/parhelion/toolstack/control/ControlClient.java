package parhelion.toolstack.control;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.channels.SocketChannel;
import parhelion.toolstack.UserError;
import parhelion.toolstack.steward.CommandSpec;
import parhelion.toolstack.steward.RemoteCommand;
import parhelion.toolstack.steward.RunningCommand;

/** A connection to a running guest's socket. For one thread. */
public final class ControlClient implements AutoCloseable {
  private final String name;
  private final SocketChannel channel;

  private ControlClient(String name, SocketChannel channel) {
    this.name = name;
    this.channel = channel;
  }

  /**
   * Connects.
   *
   * @throws UserError if no guest of that name is running
   */
  public static ControlClient connect(GuestNames names, String name) throws IOException {
    return new ControlClient(name, names.connect(name));
  }

  /**
   * Asks something.
   *
   * @return the answer's members
   * @throws UserError with the guest's process's words if it cannot be done
   */
  public JsonNode ask(Action action) throws IOException {
    ObjectNode request = Lines.JSON.valueToTree(action);
    Lines.write(channel, request);
    String line = Lines.read(channel);
    if (line == null) {
      throw new UserError(name + " has ended before it answered: see parhelion list");
    }
    JsonNode answer = Lines.JSON.readTree(line);
    if (!answer.path("ok").asBoolean()) {
      throw new UserError(name + ": " + answer.path("error").asText());
    }
    return answer;
  }

  /**
   * Runs a command in the guest; the connection is the command's from now on.
   *
   * @throws UserError if the guest cannot run one
   */
  public RunningCommand start(CommandSpec spec, CommandSpec.What what) throws IOException {
    JsonNode unused =
        ask(
            new Action.Exec(
                what,
                spec.arguments(),
                spec.environment(),
                spec.directory(),
                spec.user(),
                spec.terminal()));
    return RemoteCommand.over(channel);
  }

  /** What the guest tells of itself. */
  public GuestInfo info() throws IOException {
    return Lines.JSON.treeToValue(ask(new Action.Info()).path("guest"), GuestInfo.class);
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
