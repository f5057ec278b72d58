package parhelion.bench;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import parhelion.toolstack.debian.PackageCache;
import parhelion.toolstack.image.DefaultInitramfs;
import parhelion.toolstack.image.GuestCommand;
import parhelion.toolstack.image.Initramfs;
import parhelion.toolstack.image.KernelModules;
import parhelion.toolstack.image.ModuleSet;
import parhelion.toolstack.image.Progress;

/**
 * What a device does in Parhelion and in QEMU under TCG, in turn, with one kernel, initramfs and
 * program. The program prints "begin", and then a line for each kind of work when that has ended:
 * {@code NAME RATE RATE-UNIT AMOUNT UNIT}. The processor time that the hypervisor's process has
 * used between two lines is what that work cost.
 *
 * @param kernelPackage Debian's package of the kernel
 * @param program its file on the host, and in the guest below bin
 * @param arguments of the program, as the guest's shell sees them
 * @param rows how many lines it prints
 * @param drivers of both sides: that of the other finds nothing
 * @param options of {@code parhelion run}
 * @param qemuOptions of QEMU
 * @param words for the kernel's command line
 */
record DeviceComparison(
    String kernelPackage,
    Path program,
    String arguments,
    int rows,
    List<String> drivers,
    List<String> options,
    List<String> qemuOptions,
    String words) {
  /** Has drivers for Xen's devices and virtio. */
  static final String CLOUD = "linux-image-cloud-amd64";

  /** Has drivers for hardware, too. */
  static final String GENERIC = "linux-image-amd64";

  private static final long LIMIT_SECONDS = 600;
  private static final String BEGIN = "begin";
  private static final Pattern ROW =
      Pattern.compile("([a-z]+(?:-[a-z]+)*) ([0-9.]+) (\\S+) ([0-9.]+) (\\S+)\\s*");

  /** One kind of work on one side: rates, and microseconds of processor time for each unit. */
  private record Values(List<Double> rates, List<Double> costs) {
    Values() {
      this(new ArrayList<>(), new ArrayList<>());
    }
  }

  /** One kind of work. */
  private record Work(String rateUnit, String unit, Values ours, Values qemu) {}

  /** Something to do before each run. */
  interface Preparation {
    void prepare() throws IOException;
  }

  /** Runs both sides so many times in turn and prints a table of medians. */
  void run(Path launcher, int runs, Preparation before) throws IOException, InterruptedException {
    PackageCache packages = PackageCache.ofUser(Progress.NONE);
    PackageCache.Kernel kernel =
        packages.kernelWithModules(kernelPackage, kernelPackage.equals(GENERIC));
    ModuleSet modules =
        KernelModules.open(Objects.requireNonNull(kernel.modules()))
            .select(new ModuleSet.Request(drivers, List.of()));
    GuestCommand command =
        GuestCommand.of(program.getFileName() + " " + arguments + " 2>&1 | tr -d '\\r'");
    Path initrd = Files.createTempFile("parhelion-bench", ".cpio");
    try {
      Files.write(initrd, initramfs(packages, modules, command));
      String all = "quiet " + words + ' ' + command.kernelArguments();
      BootCommands commands = new BootCommands(launcher, options, kernel.image(), initrd);
      List<String> qemu = new ArrayList<>(commands.qemu(all));
      qemu.addAll(qemuOptions);
      Map<String, Work> works = new LinkedHashMap<>();
      for (int run = 0; run < runs; run++) {
        before.prepare();
        measure(commands.parhelion(all), works, Side.PARHELION);
        before.prepare();
        measure(qemu, works, Side.QEMU);
      }
      System.out.println("kernel " + kernel.version() + ", " + runs + " alternating runs");
      print(works);
    } finally {
      Files.delete(initrd);
    }
  }

  private byte[] initramfs(PackageCache packages, ModuleSet modules, GuestCommand command)
      throws IOException {
    ByteArrayOutputStream both = new ByteArrayOutputStream();
    both.writeBytes(DefaultInitramfs.build(packages.busybox(), command, modules));
    both.writeBytes(
        new Initramfs()
            .file("bin/" + program.getFileName(), 0755, Files.readAllBytes(program))
            .toBytes());
    return both.toByteArray();
  }

  private void measure(List<String> command, Map<String, Work> works, Side side)
      throws IOException, InterruptedException {
    List<String> lines = new ArrayList<>();
    List<Double> used = new ArrayList<>();
    TimedProcess process =
        TimedProcess.run(
            command,
            LIMIT_SECONDS,
            (line, running) -> {
              if (line.strip().equals(BEGIN) || ROW.matcher(line).matches()) {
                lines.add(line);
                used.add(processorMicros(running));
              }
            });
    if (lines.size() != rows + 1) {
      throw new IOException("a run printed " + lines.size() + " rows: " + process.lines());
    }
    for (int i = 1; i < lines.size(); i++) {
      Matcher row = ROW.matcher(lines.get(i));
      if (!row.matches()) {
        throw new IOException("a row is out of place: " + process.lines());
      }
      Work work =
          works.computeIfAbsent(
              row.group(1),
              name -> new Work(row.group(3), row.group(5), new Values(), new Values()));
      Values values = side == Side.PARHELION ? work.ours : work.qemu;
      values.rates.add(Double.valueOf(row.group(2)));
      values.costs.add((used.get(i) - used.get(i - 1)) / Double.parseDouble(row.group(4)));
    }
  }

  private static double processorMicros(ProcessHandle process) {
    return process.info().totalCpuDuration().orElse(Duration.ZERO).toNanos() / 1e3;
  }

  private static void print(Map<String, Work> works) {
    System.out.printf(
        "%-18s %-6s %11s %11s %7s   %-11s %11s %11s %7s%n",
        "median", "", "Parhelion", "QEMU", "ratio", "CPU", "Parhelion", "QEMU", "ratio");
    works.forEach(
        (name, work) -> {
          double ours = Median.of(work.ours.rates);
          double qemu = Median.of(work.qemu.rates);
          double ourCost = Median.of(work.ours.costs);
          double qemuCost = Median.of(work.qemu.costs);
          System.out.printf(
              "%-18s %-6s %11.1f %11.1f %7.2f   %-11s %11.1f %11.1f %7.2f%n",
              name,
              work.rateUnit,
              ours,
              qemu,
              ours / qemu,
              "us/" + work.unit,
              ourCost,
              qemuCost,
              ourCost / qemuCost);
        });
  }
}
