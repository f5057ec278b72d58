package parhelion.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToDoubleFunction;
import parhelion.toolstack.debian.PackageCache;
import parhelion.toolstack.image.DefaultInitramfs;
import parhelion.toolstack.image.GuestCommand;
import parhelion.toolstack.image.Progress;

/**
 * Boots the same kernel and initramfs with Parhelion and with QEMU's TCG, in turn, as whole
 * processes: time from the start of the process to the first line from user mode and to the end,
 * and peak memory. Run by {@code bench/boot}.
 */
public final class BootComparison {
  private static final long LIMIT_SECONDS = 300;

  private BootComparison() {}

  /** Arguments: the launcher, the number of runs, the kernel's package. */
  public static void main(String[] args) throws IOException, InterruptedException {
    Path launcher = Path.of(args[0]);
    int runs = Integer.parseInt(args[1]);
    PackageCache packages = PackageCache.ofUser(Progress.NONE);
    PackageCache.Kernel kernel = packages.kernel(args[2]);
    GuestCommand command = GuestCommand.of("true");
    Path initrd = Files.createTempFile("parhelion-bench", ".cpio");
    try {
      Files.write(initrd, DefaultInitramfs.build(packages.busybox(), command));
      String words = "quiet " + TimedProcess.WORD + " " + command.kernelArguments();
      BootCommands commands = new BootCommands(launcher, List.of(), kernel.image(), initrd);
      List<String> ours = commands.parhelion(words);
      List<String> qemu = commands.qemu(words);
      System.out.println(
          "kernel "
              + kernel.version()
              + ", "
              + runs
              + " alternating runs, after one of each that is not counted");
      run(ours);
      run(qemu);
      List<TimedProcess> a = new ArrayList<>();
      List<TimedProcess> b = new ArrayList<>();
      for (int i = 0; i < runs; i++) {
        a.add(run(ours));
        b.add(run(qemu));
        System.out.printf("  run %d: %s | %s%n", i + 1, text(a.getLast()), text(b.getLast()));
      }
      System.out.printf("%-34s %12s %12s %8s%n", "median", "Parhelion", "QEMU TCG", "ratio");
      row("start to first userland line, s", a, b, TimedProcess::userlandSeconds);
      row("start to end of process, s", a, b, TimedProcess::endSeconds);
      row("peak resident memory, MiB", a, b, TimedProcess::peakMib);
      alone("launcher alone (--version), s", List.of(launcher.toString(), "--version"), runs);
      alone(
          "built-in guest (demo --batch), s",
          List.of(launcher.toString(), "demo", "--batch"),
          runs);
    } finally {
      Files.delete(initrd);
    }
  }

  private static String text(TimedProcess run) {
    return "userland %.2f s, end %.2f s, peak %.0f MiB"
        .formatted(run.userlandSeconds(), run.endSeconds(), run.peakMib());
  }

  private static void row(
      String what,
      List<TimedProcess> a,
      List<TimedProcess> b,
      ToDoubleFunction<TimedProcess> figure) {
    double x = median(a, figure);
    double y = median(b, figure);
    System.out.printf("%-34s %12.2f %12.2f %8.2f%n", what, x, y, x / y);
  }

  private static void alone(String what, List<String> command, int runs)
      throws IOException, InterruptedException {
    run(command);
    List<TimedProcess> taken = new ArrayList<>();
    for (int i = 0; i < runs; i++) {
      taken.add(run(command));
    }
    System.out.printf("%-34s %12.2f%n", what, median(taken, TimedProcess::endSeconds));
  }

  private static double median(List<TimedProcess> runs, ToDoubleFunction<TimedProcess> figure) {
    return Median.of(runs.stream().mapToDouble(figure).boxed().toList());
  }

  private static TimedProcess run(List<String> command) throws IOException, InterruptedException {
    TimedProcess process = TimedProcess.run(command, LIMIT_SECONDS);
    if (process.status() != 0) {
      String last = process.lines().isEmpty() ? "" : process.lines().getLast();
      throw new IOException(
          "status " + process.status() + " of " + String.join(" ", command) + ": " + last);
    }
    return process;
  }
}
