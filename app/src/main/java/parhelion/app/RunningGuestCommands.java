package parhelion.app;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.util.concurrent.Callable;
import parhelion.toolstack.control.Action;
import parhelion.toolstack.control.ControlClient;
import parhelion.toolstack.control.GuestInfo;
import parhelion.toolstack.control.GuestNames;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The commands that ask one thing of one running guest. */
final class RunningGuestCommands {
  private RunningGuestCommands() {}

  /** What they have in common: the guest's name. */
  abstract static class Asking implements Callable<Integer> {
    @Parameters(index = "0", paramLabel = "NAME", description = "The guest: see parhelion list.")
    String name = "";

    abstract void ask(ControlClient client) throws IOException;

    @Override
    public final Integer call() throws IOException {
      try (ControlClient client = ControlClient.connect(GuestNames.ofUser(), name)) {
        ask(client);
      }
      return ExitStatus.OK;
    }
  }

  /** {@code parhelion stop}. */
  @Command(
      name = "stop",
      mixinStandardHelpOptions = true,
      description = "Asks a running guest's kernel to power off, as a power button would.",
      footerHeading = "%nExample:%n",
      footer = "  parhelion stop web")
  static final class Stop extends Asking {
    @Option(names = "--force", description = "End it at once; nothing is written back.")
    boolean force;

    @Override
    void ask(ControlClient client) throws IOException {
      client.ask(new Action.Stop(force));
    }
  }

  /** {@code parhelion info}. */
  @Command(
      name = "info",
      mixinStandardHelpOptions = true,
      description = "Prints what a running guest is and has.",
      footerHeading = "%nExample:%n",
      footer = "  parhelion info web --json")
  static final class Info extends Asking {
    @Option(names = "--json", description = "Print a JSON object.")
    boolean json;

    @Override
    void ask(ControlClient client) throws IOException {
      GuestInfo g = client.info();
      if (json) {
        System.out.println(new ObjectMapper().writeValueAsString(g));
        return;
      }
      System.out.printf("name      %s%n", g.name());
      System.out.printf("kernel    %s%n", g.kernel());
      System.out.printf("process   %d%n", g.pid());
      System.out.printf("up        %.1f s%n", g.seconds());
      String held = g.heldMib() == g.memoryMib() ? "" : ", holds " + g.heldMib() + " MiB of it";
      System.out.printf("memory    %d MiB%s%n", g.memoryMib(), held);
      System.out.printf("vcpus     %d%n", g.vcpus());
      System.out.printf("commands  %s%n", g.commands() ? "yes" : "no: its steward does not answer");
      System.out.printf("devices   %s%n", String.join(" ", g.devices()));
    }
  }

  /** {@code parhelion attach}. */
  @Command(
      name = "attach",
      mixinStandardHelpOptions = true,
      description = "Plugs a device into a running guest, and prints its name.",
      footerHeading = "%nExamples:%n",
      footer = {
        "  parhelion attach web disk /srv/data.img,ro",
        "  parhelion attach web share .:/src",
        "  parhelion attach web net switch:lan",
        "  parhelion attach web console unix:/tmp/console"
      })
  static final class Attach extends Asking {
    @Parameters(
        index = "1",
        paramLabel = "KIND",
        description =
            "What it is: as an option of run without its dashes, disk, net, share or console.")
    String kind = "";

    @Parameters(
        index = "2",
        paramLabel = "DEVICE",
        description =
            "As the value of that option; paths are those of the directory that run was started"
                + " in.")
    String device = "";

    @Override
    void ask(ControlClient client) throws IOException {
      JsonNode answer = client.ask(new Action.Attach(kind, device));
      System.out.println(answer.path("device").asText());
      if (answer.has("where")) {
        System.err.printf(
            "parhelion: %s is at %s%n",
            answer.path("device").asText(), answer.path("where").asText());
      }
    }
  }

  /** {@code parhelion detach}. */
  @Command(
      name = "detach",
      mixinStandardHelpOptions = true,
      description = "Asks a running guest to let go of a device, which goes when it has.",
      footerHeading = "%nExample:%n",
      footer = "  parhelion detach web xvdb")
  static final class Detach extends Asking {
    @Parameters(index = "1", paramLabel = "DEVICE", description = "As info and attach name it.")
    String device = "";

    @Option(
        names = "--force",
        description = "Take it after five seconds, even if the guest has not let go of it.")
    boolean force;

    @Override
    void ask(ControlClient client) throws IOException {
      client.ask(new Action.Detach(device, force));
    }
  }

  /** {@code parhelion memory}. */
  @Command(
      name = "memory",
      mixinStandardHelpOptions = true,
      description = {
        "Asks a running guest to make do with so much of the memory that it was given, or to take"
            + " it again. The host has the rest meanwhile; info says how far the guest has come.",
        "A PC (run --mode full) needs --virtio-balloon or --interface xen for that."
      },
      footerHeading = "%nExample:%n",
      footer = "  parhelion memory web 128M")
  static final class Memory extends Asking {
    @Parameters(
        index = "1",
        paramLabel = "SIZE",
        converter = MachineOptions.Mebibytes.class,
        description = "What it is to have, as 128M or 1G.")
    int mib;

    @Override
    void ask(ControlClient client) throws IOException {
      client.ask(new Action.Memory(mib));
    }
  }

  /** {@code parhelion resize}. */
  @Command(
      name = "resize",
      mixinStandardHelpOptions = true,
      description = "Changes the size of a running guest's disk, which the guest hears of at once.",
      footerHeading = "%nExample:%n",
      footer = "  parhelion resize web xvdb 20G")
  static final class Resize extends Asking {
    @Parameters(index = "1", paramLabel = "DISK", description = "As info names it, such as xvdb.")
    String device = "";

    @Parameters(
        index = "2",
        paramLabel = "SIZE",
        converter = ExecCommand.Bytes.class,
        description = "The new size, as 512M or 20G.")
    long bytes;

    @Override
    void ask(ControlClient client) throws IOException {
      client.ask(new Action.Resize(device, bytes));
    }
  }
}
