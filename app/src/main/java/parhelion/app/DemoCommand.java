package parhelion.app;

import java.util.List;
import java.util.concurrent.Callable;
import parhelion.toolstack.device.PcInterface;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code parhelion demo}: the built-in guest. */
@Command(
    name = "demo",
    mixinStandardHelpOptions = true,
    description = {
      "Boots the built-in tour guest, which needs neither network nor packages: it shows"
          + " hypercalls, traps, page tables, events and time, what each costs here, and then"
          + " answers keys.",
      "With --batch, or when standard input is at its end, it powers off after the tour."
    },
    sortOptions = false,
    footerHeading = "%nExample:%n",
    footer = "  parhelion demo --batch")
final class DemoCommand implements Callable<Integer> {
  @Option(names = "--batch", description = "Power off after the tour.")
  boolean batch;

  @Mixin GuestOptions guest = new GuestOptions();

  @Override
  public Integer call() throws Exception {
    boolean alone = batch || !(System.console() != null && System.console().isTerminal());
    return new GuestSession(guest, GuestMode.PARA, PcInterface.NONE, List.of(), null)
        .run(KernelChoice.tour(alone ? "batch" : ""));
  }
}
