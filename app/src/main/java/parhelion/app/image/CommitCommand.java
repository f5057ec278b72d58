package parhelion.app.image;

import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import parhelion.app.ExitStatus;
import parhelion.app.ProgressLine;
import parhelion.media.disk.DiskCopy;
import parhelion.toolstack.image.Progress;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code parhelion image commit}: what an overlay has goes into the image below it. */
@Command(
    name = "commit",
    mixinStandardHelpOptions = true,
    description = {
      "Writes what an overlay has into its backing file, and then empties the overlay.",
      "",
      "Other overlays of the same backing file are damaged by that. If it is interrupted, do it again."
    },
    exitCodeListHeading = "%nExit status:%n",
    exitCodeList = {"0:done", "1:it could not be done; one line says why", "2:wrong command line"},
    footerHeading = "%nExample:%n",
    footer = "  parhelion image commit test1.qcow2")
final class CommitCommand implements Callable<Integer> {
  @Parameters(index = "0", paramLabel = "OVERLAY", description = "A qcow2 image over another one.")
  Path overlay = Path.of("");

  @Override
  public Integer call() throws IOException {
    Progress progress = ProgressLine.forUser();
    Path backing =
        DiskCopy.commit(
            overlay,
            (done, total) -> progress.update("committing " + overlay.getFileName(), done, total));
    System.out.println("committed to " + backing);
    return ExitStatus.OK;
  }
}
