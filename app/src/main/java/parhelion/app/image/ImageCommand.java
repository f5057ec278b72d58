package parhelion.app.image;

import java.util.Objects;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code parhelion image}: its sub-commands make, examine and change disk images. */
@Command(
    name = "image",
    mixinStandardHelpOptions = true,
    subcommands = {
      CreateCommand.class,
      DebianCommand.class,
      InfoCommand.class,
      CheckCommand.class,
      ConvertCommand.class,
      OverlayCommand.class,
      CommitCommand.class,
      ResizeCommand.class
    },
    synopsisSubcommandLabel = "COMMAND",
    description = {
      "Makes, examines and changes disk images: raw files, and QEMU's qcow2 of versions 2 and 3.",
      "",
      "An image that a guest or another command is using is locked; info looks at it all the same."
    },
    exitCodeListHeading = "%nExit status:%n",
    exitCodeList = {
      "0:done",
      "1:it could not be done; one line says why",
      "2:the command line is wrong",
      "4:check found damage",
      "5:check found leaks and no damage"
    },
    footerHeading = "%nExample:%n",
    footer = "  parhelion image create data.qcow2 20G")
public final class ImageCommand implements Runnable {
  @Spec private @Nullable CommandSpec spec;

  /** For picocli. */
  public ImageCommand() {}

  @Override
  public void run() {
    throw new ParameterException(
        Objects.requireNonNull(spec).commandLine(), "a command is missing");
  }
}
