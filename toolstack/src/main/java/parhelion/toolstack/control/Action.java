package parhelion.toolstack.control;

import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import parhelion.toolstack.steward.CommandSpec;

/**
 * What can be asked of a running guest. On the wire a request is one line of JSON whose member
 * {@code action} says which; docs/control.md describes them for other programs.
 */
@JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "action")
@JsonSubTypes({
  @JsonSubTypes.Type(value = Action.Info.class, name = "info"),
  @JsonSubTypes.Type(value = Action.Stop.class, name = "stop"),
  @JsonSubTypes.Type(value = Action.Attach.class, name = "attach"),
  @JsonSubTypes.Type(value = Action.Detach.class, name = "detach"),
  @JsonSubTypes.Type(value = Action.Resize.class, name = "resize"),
  @JsonSubTypes.Type(value = Action.Memory.class, name = "memory"),
  @JsonSubTypes.Type(value = Action.Screen.class, name = "screen"),
  @JsonSubTypes.Type(value = Action.Keys.class, name = "keys"),
  @JsonSubTypes.Type(value = Action.Exec.class, name = "exec")
})
public sealed interface Action {
  /** What the guest is and has. */
  record Info() implements Action {}

  /**
   * Ends the guest.
   *
   * @param force at once; else its kernel is asked to power off
   */
  record Stop(boolean force) implements Action {}

  /**
   * Plugs a device in.
   *
   * @param kind as the option of {@code run} without its dashes, such as {@code disk}
   * @param device as the option's value; relative paths are the guest's process's
   */
  record Attach(String kind, String device) implements Action {}

  /**
   * Takes a device away.
   *
   * @param device its name in {@link Info}'s list
   * @param force without waiting for the guest
   */
  record Detach(String device, boolean force) implements Action {}

  /** Changes a disk's size. */
  record Resize(String device, long bytes) implements Action {}

  /** Asks the guest to make do with so much memory. */
  record Memory(int mib) implements Action {}

  /**
   * What is on a PC's display.
   *
   * @param picture as PNG, too; else only as text
   */
  record Screen(boolean picture) implements Action {}

  /** Types on a PC's keyboard: characters, and names of keys in angle brackets. */
  record Keys(String text) implements Action {}

  /**
   * Runs a command in the guest; the connection carries the command's frames after the answer.
   *
   * @param what a command, or one end of a copy
   */
  record Exec(
      CommandSpec.What what,
      List<String> arguments,
      @Nullable Map<String, String> environment,
      @Nullable String directory,
      @Nullable String user,
      CommandSpec.@Nullable Size terminal)
      implements Action {
    CommandSpec spec() {
      return new CommandSpec(
          arguments == null ? List.of() : arguments,
          environment == null ? Map.of() : environment,
          directory == null ? "" : directory,
          user == null ? "" : user,
          terminal);
    }
  }
}
