package parhelion.app;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import parhelion.toolstack.UserError;
import parhelion.toolstack.control.ControlClient;
import parhelion.toolstack.control.GuestInfo;
import parhelion.toolstack.control.GuestNames;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code parhelion list}: the user's running guests. */
@Command(
    name = "list",
    mixinStandardHelpOptions = true,
    description = "Lists your running guests.",
    footerHeading = "%nExample:%n",
    footer = "  parhelion list --json")
final class ListCommand implements Callable<Integer> {
  @Option(names = "--json", description = "Print an array of JSON objects.")
  boolean json;

  @Override
  public Integer call() throws IOException {
    GuestNames names = GuestNames.ofUser();
    List<GuestInfo> guests = new ArrayList<>();
    for (String name : names.running()) {
      try (ControlClient client = ControlClient.connect(names, name)) {
        guests.add(client.info());
      } catch (UserError e) {
        // It has ended meanwhile.
      }
    }
    if (json) {
      System.out.println(new ObjectMapper().writeValueAsString(guests));
      return ExitStatus.OK;
    }
    System.out.printf(
        "%-20s %8s %9s %8s %5s  %s%n", "NAME", "PID", "UP", "MEMORY", "VCPUS", "KERNEL");
    for (GuestInfo g : guests) {
      System.out.printf(
          "%-20s %8d %8.0fs %7dM %5d  %s%n",
          g.name(), g.pid(), g.seconds(), g.memoryMib(), g.vcpus(), g.kernel());
    }
    return ExitStatus.OK;
  }
}
