package parhelion.app.image;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import parhelion.app.ExitStatus;
import parhelion.app.ProgressLine;
import parhelion.media.disk.DiskImages;
import parhelion.media.disk.qcow2.CheckReport;
import parhelion.toolstack.image.Progress;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code parhelion image check}: whether a qcow2 image is in order. */
@Command(
    name = "check",
    mixinStandardHelpOptions = true,
    description = {
      "Follows all references in a qcow2 image and compares them with its refcounts.",
      "",
      "Damage is what can make data wrong. A leak is space taken for nothing, as a killed process"
          + " may leave it; it does no harm. Nothing is changed without --repair."
    },
    sortOptions = false,
    exitCodeListHeading = "%nExit status:%n",
    exitCodeList = {
      "0:the image is in order, or is so now",
      "1:it could not be checked; one line says why",
      "2:wrong command line",
      "4:there is damage that was not repaired",
      "5:there are leaks, and no damage"
    },
    footerHeading = "%nExamples:%n",
    footer = {"  parhelion image check data.qcow2", "  parhelion image check --repair data.qcow2"})
final class CheckCommand implements Callable<Integer> {
  @Option(
      names = "--repair",
      description =
          "Free leaked clusters and set refcounts right; references to nowhere stay as they are.")
  boolean repair;

  @Option(names = "--json", description = "Print the result as JSON on standard output.")
  boolean json;

  @Parameters(index = "0", paramLabel = "FILE", description = "The image.")
  Path file = Path.of("");

  @Override
  public Integer call() throws IOException {
    Progress progress = ProgressLine.forUser();
    CheckReport report =
        DiskImages.check(
            file,
            repair,
            (done, total) -> progress.update("checking " + file.getFileName(), done, total));
    if (json) {
      System.out.println(asJson(report));
    } else {
      print(report, System.out);
    }
    if (report.corruptions() > 0) {
      return ExitStatus.IMAGE_DAMAGED;
    }
    return report.leaks() > 0 ? ExitStatus.IMAGE_LEAKS : ExitStatus.OK;
  }

  private String asJson(CheckReport report) throws JsonProcessingException {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("file", file.toString());
    fields.put("corruptions", report.corruptions());
    fields.put("leaks", report.leaks());
    fields.put("repairedCorruptions", report.repairedCorruptions());
    fields.put("repairedLeaks", report.repairedLeaks());
    fields.put("allocatedClusters", report.allocatedClusters());
    fields.put("compressedClusters", report.compressedClusters());
    fields.put("totalClusters", report.totalClusters());
    fields.put("endBytes", report.endBytes());
    fields.put("findings", report.findings());
    return new ObjectMapper().writeValueAsString(fields);
  }

  private static void print(CheckReport report, PrintStream out) {
    report.findings().forEach(out::println);
    long all = report.corruptions() + report.leaks();
    all += report.repairedCorruptions() + report.repairedLeaks();
    if (all > report.findings().size()) {
      out.printf("... and %,d more%n", all - report.findings().size());
    }
    if (report.repairedCorruptions() + report.repairedLeaks() > 0) {
      out.printf(
          "%,d errors repaired, %,d leaked clusters freed%n",
          report.repairedCorruptions(), report.repairedLeaks());
    }
    out.println(
        report.isClean()
            ? "The image is in order."
            : "%,d errors, %,d leaked clusters".formatted(report.corruptions(), report.leaks()));
    out.printf(
        "%,d of %,d clusters are allocated, %,d of them compressed%n",
        report.allocatedClusters(), report.totalClusters(), report.compressedClusters());
  }
}
