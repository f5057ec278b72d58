package parhelion.bench;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
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
  private static final String USERLAND = "parhelion: userland";
  private static final long LIMIT_SECONDS = 300;

  private record Run(double userlandSeconds, double endSeconds, double peakMib) {}

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
      String words = "quiet parhelion.bench " + command.kernelArguments();
      List<String> ours =
          List.of(
              launcher.toString(),
              "run",
              "--kernel",
              kernel.image().toString(),
              "--initrd",
              initrd.toString(),
              "--memory",
              "256M",
              "--append",
              words);
      List<String> qemu =
          List.of(
              "qemu-system-x86_64",
              "-accel",
              "tcg",
              "-m",
              "256",
              "-smp",
              "1",
              "-display",
              "none",
              "-monitor",
              "none",
              "-serial",
              "stdio",
              "-no-reboot",
              "-kernel",
              kernel.image().toString(),
              "-initrd",
              initrd.toString(),
              "-append",
              "console=ttyS0 " + words);
      System.out.println(
          "kernel "
              + kernel.version()
              + ", "
              + runs
              + " alternating runs, after one of each that is not counted");
      run(ours);
      run(qemu);
      List<Run> a = new ArrayList<>();
      List<Run> b = new ArrayList<>();
      for (int i = 0; i < runs; i++) {
        a.add(run(ours));
        b.add(run(qemu));
        System.out.printf("  run %d: %s | %s%n", i + 1, a.getLast(), b.getLast());
      }
      System.out.printf("%-34s %12s %12s %8s%n", "median", "Parhelion", "QEMU TCG", "ratio");
      row("start to first userland line, s", a, b, Run::userlandSeconds);
      row("start to end of process, s", a, b, Run::endSeconds);
      row("peak resident memory, MiB", a, b, Run::peakMib);
      alone("launcher alone (--version), s", List.of(launcher.toString(), "--version"), runs);
      alone(
          "built-in guest (demo --batch), s",
          List.of(launcher.toString(), "demo", "--batch"),
          runs);
    } finally {
      Files.delete(initrd);
    }
  }

  private static void row(String what, List<Run> a, List<Run> b, ToDoubleFunction<Run> figure) {
    double x = median(a, figure);
    double y = median(b, figure);
    System.out.printf("%-34s %12.2f %12.2f %8.2f%n", what, x, y, x / y);
  }

  private static void alone(String what, List<String> command, int runs)
      throws IOException, InterruptedException {
    run(command);
    List<Run> taken = new ArrayList<>();
    for (int i = 0; i < runs; i++) {
      taken.add(run(command));
    }
    System.out.printf("%-34s %12.2f%n", what, median(taken, Run::endSeconds));
  }

  private static double median(List<Run> runs, ToDoubleFunction<Run> figure) {
    double[] values = runs.stream().mapToDouble(figure).sorted().toArray();
    return (values[(values.length - 1) / 2] + values[values.length / 2]) / 2;
  }

  private static Run run(List<String> command) throws IOException, InterruptedException {
    long start = System.nanoTime();
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
            .start();
    double[] userland = {Double.NaN};
    Thread reader =
        Thread.ofPlatform()
            .start(
                () -> {
                  try (BufferedReader lines =
                      new BufferedReader(
                          new InputStreamReader(
                              process.getInputStream(), StandardCharsets.ISO_8859_1))) {
                    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                      if (line.contains(USERLAND) && Double.isNaN(userland[0])) {
                        userland[0] = (System.nanoTime() - start) / 1e9;
                      }
                    }
                  } catch (IOException e) {
                    // The process is gone.
                  }
                });
    double peak = 0;
    while (!process.waitFor(5, TimeUnit.MILLISECONDS)) {
      peak = Math.max(peak, residentMib(process.pid()));
      if (System.nanoTime() - start > LIMIT_SECONDS * 1_000_000_000L) {
        process.destroyForcibly();
        throw new IOException("no end after " + LIMIT_SECONDS + " s: " + String.join(" ", command));
      }
    }
    double end = (System.nanoTime() - start) / 1e9;
    reader.join();
    return new Run(userland[0], end, peak);
  }

  private static double residentMib(long pid) {
    try {
      return Arrays.stream(Files.readString(Path.of("/proc/" + pid + "/status")).split("\n"))
          .filter(line -> line.startsWith("VmHWM:"))
          .mapToDouble(line -> Double.parseDouble(line.replaceAll("[^0-9]", "")) / 1024)
          .findFirst()
          .orElse(0);
    } catch (IOException e) {
      return 0;
    }
  }
}
