package parhelion.app.image;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import parhelion.app.ExitStatus;
import parhelion.media.disk.DiskImages;
import parhelion.media.disk.qcow2.Qcow2Info;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code parhelion image info}: what an image is. */
@Command(
    name = "info",
    mixinStandardHelpOptions = true,
    description = "Says what an image is; also while a guest is using it.",
    sortOptions = false,
    exitCodeListHeading = "%nExit status:%n",
    exitCodeList = {"0:done", "1:it is no image; one line says why", "2:wrong command line"},
    footerHeading = "%nExample:%n",
    footer = "  parhelion image info --json data.qcow2")
final class InfoCommand implements Callable<Integer> {
  @Mixin FormatOption opened = new FormatOption();

  @Option(names = "--json", description = "Print it as JSON on standard output.")
  boolean json;

  @Parameters(index = "0", paramLabel = "FILE", description = "The image.")
  Path file = Path.of("");

  @Override
  public Integer call() throws IOException {
    DiskImages.Info info = DiskImages.info(file, opened.format);
    if (json) {
      System.out.println(new ObjectMapper().writeValueAsString(fields(info)));
    } else {
      print(info, System.out);
    }
    return ExitStatus.OK;
  }

  private static Map<String, Object> fields(DiskImages.Info info) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("file", info.path().toString());
    fields.put("format", info.format().word());
    fields.put("sizeBytes", info.sizeBytes());
    fields.put("fileBytes", info.fileBytes());
    fields.put("hostBytes", info.hostBytes());
    Qcow2Info qcow2 = info.qcow2();
    if (qcow2 != null) {
      fields.put("version", qcow2.version());
      fields.put("clusterBytes", qcow2.clusterBytes());
      fields.put("refcountBits", qcow2.refcountBits());
      fields.put("compression", qcow2.compression());
      fields.put("lazyRefcounts", qcow2.lazyRefcounts());
      fields.put("dirty", qcow2.dirty());
      fields.put("corrupt", qcow2.corrupt());
      if (qcow2.backingName() != null) {
        fields.put("backingName", qcow2.backingName());
        fields.put("backingFile", Objects.toString(info.backing()));
        fields.put("backingFormat", Objects.requireNonNullElse(qcow2.backingFormat(), ""));
      }
      fields.put("snapshots", qcow2.snapshots());
    }
    return fields;
  }

  private static void print(DiskImages.Info info, PrintStream out) {
    row(out, "file", info.path());
    Qcow2Info qcow2 = info.qcow2();
    String version = qcow2 == null ? "" : " (version " + qcow2.version() + ")";
    row(out, "format", info.format().word() + version);
    row(
        out,
        "disk size",
        "%s (%d bytes)".formatted(Sizes.show(info.sizeBytes()), info.sizeBytes()));
    row(out, "space taken", Sizes.show(info.hostBytes()));
    if (qcow2 == null) {
      return;
    }
    row(out, "cluster size", Sizes.show(qcow2.clusterBytes()));
    if (qcow2.backingName() != null) {
      String format = qcow2.backingFormat();
      row(out, "backing file", qcow2.backingName() + (format == null ? "" : " (" + format + ")"));
      row(out, "which is", info.backing());
    }
    row(out, "compression", qcow2.compression());
    row(out, "refcounts", qcow2.refcountBits() + " bits" + (qcow2.lazyRefcounts() ? ", lazy" : ""));
    if (qcow2.dirty()) {
      row(out, "state", "not closed in order: repaired when it is opened to be written");
    }
    if (qcow2.corrupt()) {
      row(out, "state", "damaged: see parhelion image check");
    }
    for (Qcow2Info.Snapshot each : qcow2.snapshots()) {
      row(
          out,
          "snapshot",
          "%s %s, of %s".formatted(each.id(), each.name(), Instant.ofEpochSecond(each.seconds())));
    }
  }

  private static void row(PrintStream out, String what, @Nullable Object value) {
    out.printf("%-14s %s%n", what, value);
  }
}
