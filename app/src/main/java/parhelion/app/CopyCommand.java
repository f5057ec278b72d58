package parhelion.app;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import parhelion.toolstack.UserError;
import parhelion.toolstack.control.ControlClient;
import parhelion.toolstack.control.GuestNames;
import parhelion.toolstack.steward.GuestCopies;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code parhelion copy}: files and directories into a running guest, or out of it. */
@Command(
    name = "copy",
    mixinStandardHelpOptions = true,
    description = {
      "Copies files and directories into a running guest, or out of it. NAME:PATH is a path in the"
          + " guest called NAME; a file of this machine with such a name is ./NAME:PATH.",
      "What is copied into a guest is root's there, what is copied out of one is yours. Permissions,"
          + " times and links are kept; nothing outside of the target is written, whatever the guest"
          + " says."
    },
    footerHeading = "%nExamples:%n",
    footer = {"  parhelion copy ./site web:/srv", "  parhelion copy web:/var/log ."})
final class CopyCommand implements Callable<Integer> {
  private static final Pattern IN_GUEST =
      Pattern.compile("([A-Za-z0-9][A-Za-z0-9_.-]*):(.*)", Pattern.DOTALL);

  @Parameters(arity = "2..*", paramLabel = "PATH", description = "Sources, and the target last.")
  List<String> paths = new ArrayList<>();

  /** A path of this machine, or of a guest. */
  private record Place(@Nullable String guest, String path) {
    static Place of(String text) {
      Matcher m = IN_GUEST.matcher(text);
      return m.matches() ? new Place(m.group(1), m.group(2)) : new Place(null, text);
    }
  }

  @Override
  public Integer call() throws IOException, InterruptedException {
    Place target = Place.of(paths.getLast());
    List<Place> sources = paths.subList(0, paths.size() - 1).stream().map(Place::of).toList();
    GuestNames names = GuestNames.ofUser();
    for (Place source : sources) {
      if ((source.guest == null) == (target.guest == null)) {
        throw new UserError(
            "copy "
                + source.path
                + " "
                + target.path
                + ": one of them is in a guest, the other is not: write NAME:PATH for one");
      }
      boolean many = sources.size() > 1;
      if (target.guest != null) {
        Path from = Path.of(source.path);
        GuestCopies.in(starter(names, target.guest), from, orRoot(target.path), many);
      } else {
        Path to = Path.of(target.path);
        if ((many || target.path.endsWith("/")) && !Files.isDirectory(to)) {
          throw new UserError(to + ": is not a directory: name one");
        }
        String guest = source.guest == null ? "" : source.guest;
        GuestCopies.out(starter(names, guest), orRoot(source.path), to);
      }
    }
    return ExitStatus.OK;
  }

  private static String orRoot(String path) {
    return path.isEmpty() ? "/" : path;
  }

  /** A connection to each command. */
  private static GuestCopies.Starter starter(GuestNames names, String guest) {
    return (spec, what) -> ControlClient.connect(names, guest).start(spec, what);
  }
}
