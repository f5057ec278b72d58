package parhelion.app;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import parhelion.toolstack.UserError;
import parhelion.toolstack.control.Action;
import parhelion.toolstack.control.ControlClient;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The commands for a PC's display and keyboard. */
final class ScreenCommands {
  private ScreenCommands() {}

  /** {@code parhelion screen}. */
  @Command(
      name = "screen",
      mixinStandardHelpOptions = true,
      description = {
        "Shows what is on the display of a running PC (run --mode full): as text in a text mode, or"
            + " as a picture.",
      },
      footerHeading = "%nExamples:%n",
      footer = {"  parhelion screen pc", "  parhelion screen pc --png screen.png"})
  static final class Screen extends RunningGuestCommands.Asking {
    @Option(names = "--png", paramLabel = "FILE", description = "Write a picture to a file.")
    @Nullable Path png;

    @Option(names = "--json", description = "Print a JSON object: text, width, height.")
    boolean json;

    @Override
    void ask(ControlClient client) throws IOException {
      Path file = png;
      JsonNode answer = client.ask(new Action.Screen(file != null));
      if (file != null) {
        try {
          Files.write(file, answer.path("png").binaryValue());
        } catch (IOException e) {
          throw new UserError(
              "--png: cannot write to " + file + ": give a file that can be written", e);
        }
      }
      if (json) {
        ObjectNode shown = new ObjectMapper().createObjectNode();
        for (String member : List.of("text", "width", "height")) {
          shown.set(member, answer.get(member));
        }
        System.out.println(shown);
      } else if (file == null) {
        String text = answer.path("text").asText();
        if (text.isEmpty()) {
          throw new UserError(
              "%s shows a picture of %d by %d: give --png FILE"
                  .formatted(name, answer.path("width").asInt(), answer.path("height").asInt()));
        }
        System.out.print(text);
      }
    }
  }

  /** {@code parhelion keys}. */
  @Command(
      name = "keys",
      mixinStandardHelpOptions = true,
      description = {
        "Types on the keyboard of a running PC (run --mode full), a US one.",
        "Names of keys are put in angle brackets: <enter>, <escape>, <f1>, <up>, <page_down>,"
            + " <control-c>; <lt> types <."
      },
      footerHeading = "%nExamples:%n",
      footer = {"  parhelion keys pc 'root<enter>'", "  parhelion keys pc '<control-alt-delete>'"})
  static final class Keys extends RunningGuestCommands.Asking {
    @Parameters(index = "1", paramLabel = "TEXT", description = "What to type.")
    String text = "";

    @Override
    void ask(ControlClient client) throws IOException {
      JsonNode unused = client.ask(new Action.Keys(text));
    }
  }
}
