package parhelion.app;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import parhelion.toolstack.CrashSite;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code parhelion crash-site}: which guest code a crashed JVM was in. */
@Command(
    name = "crash-site",
    mixinStandardHelpOptions = true,
    description = {
      "Names the guest code that a JVM was running when it crashed, from the JVM's crash report and"
          + " the map that --perf-map of run, demo and exec writes.",
      "A crash in generated code is a fault of Parhelion: please report it with both files."
    },
    exitCodeListHeading = "%nExit status:%n",
    exitCodeList = {
      "0:a place in generated code was found",
      "1:nothing was found, or a file cannot be read; one line says so"
    },
    footerHeading = "%nExample:%n",
    footer = "  parhelion crash-site hs_err_pid4711.log")
final class CrashSiteCommand implements Callable<Integer> {
  @Parameters(paramLabel = "FILE", description = "The JVM's crash report.")
  @SuppressWarnings("NullAway.Init")
  Path report;

  @Option(
      names = "--map",
      paramLabel = "FILE",
      description = "The map, if it is not at /tmp/perf-PID.map any more.")
  @Nullable Path map;

  @Option(names = "--json", description = "Print an array of JSON objects.")
  boolean json;

  @Spec
  @SuppressWarnings("NullAway.Init")
  CommandSpec spec;

  @Override
  public Integer call() throws IOException {
    Path from = map != null ? map : CrashSite.mapOf(CrashSite.pid(report));
    List<CrashSite.Place> places = CrashSite.find(report, from);
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      out.println(new ObjectMapper().writeValueAsString(places));
    } else {
      for (CrashSite.Place p : places) {
        out.printf(
            "%-4s %x: code of %s, byte %d of %d%n",
            p.what(), p.host(), p.code(), p.offset(), p.bytes());
      }
    }
    out.flush();
    if (places.isEmpty()) {
      spec.commandLine()
          .getErr()
          .println("parhelion: " + report + ": the JVM did not crash in or beside generated code");
      return ExitStatus.FAILED;
    }
    return ExitStatus.OK;
  }
}
