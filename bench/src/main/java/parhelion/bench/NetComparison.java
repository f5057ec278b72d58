package parhelion.bench;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
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
 * What a network does: Parhelion's paravirtual device at its NAT and QEMU's virtio-net at its user
 * networking, in turn, with one kernel, initramfs and program, against one server. Run by {@code
 * bench/net}.
 */
public final class NetComparison {
  private static final String KERNEL_PACKAGE = "linux-image-cloud-amd64";
  private static final long LIMIT_SECONDS = 600;
  private static final int ROWS = 4;
  private static final Pattern ROW = Pattern.compile("([a-z]+(?:-[a-z]+)*) ([0-9.]+) (\\S+)\\s*");

  /** The drivers of both sides: that of the other finds nothing. */
  private static final ModuleSet.Request DRIVERS =
      new ModuleSet.Request(List.of("xen-netfront", "virtio_pci", "virtio_net"), List.of());

  private NetComparison() {}

  /** Arguments: the launcher, the program, runs, seconds for each row. */
  public static void main(String[] args) throws IOException, InterruptedException {
    Path launcher = Path.of(args[0]);
    int runs = Integer.parseInt(args[2]);
    PackageCache packages = PackageCache.ofUser(Progress.NONE);
    PackageCache.Kernel kernel = packages.kernelWithModules(KERNEL_PACKAGE);
    ModuleSet modules =
        KernelModules.open(Objects.requireNonNull(kernel.modules())).select(DRIVERS);
    Path initrd = Files.createTempFile("parhelion-bench", ".cpio");
    try (NetServer server = new NetServer()) {
      String port = Integer.toString(server.port());
      GuestCommand command =
          GuestCommand.of("net 10.0.2.2 " + port + ' ' + args[3] + " 2>&1 | tr -d '\\r'");
      Files.write(initrd, initramfs(packages, modules, command, Path.of(args[1])));
      String words = "quiet parhelion.net=eth0:dhcp:1500 " + command.kernelArguments();
      BootCommands ours =
          new BootCommands(
              launcher, List.of("--net", "nat", "--allow-host", port), kernel.image(), initrd);
      List<String> qemu = new ArrayList<>(ours.qemu(words));
      qemu.addAll(List.of("-netdev", "user,id=n", "-device", "virtio-net-pci,netdev=n"));
      Map<String, List<List<Double>>> rows = new LinkedHashMap<>();
      Map<String, String> units = new LinkedHashMap<>();
      for (int run = 0; run < runs; run++) {
        add(rows, units, 0, TimedProcess.run(ours.parhelion(words), LIMIT_SECONDS));
        add(rows, units, 1, TimedProcess.run(qemu, LIMIT_SECONDS));
      }
      System.out.println("kernel " + kernel.version() + ", " + runs + " alternating runs");
      System.out.printf("%-20s %-6s %12s %12s %8s%n", "median", "", "Parhelion", "QEMU", "ratio");
      rows.forEach(
          (name, values) -> {
            double a = Median.of(values.get(0));
            double b = Median.of(values.get(1));
            System.out.printf(
                "%-20s %-6s %12.1f %12.1f %8.2f%n", name, units.get(name), a, b, a / b);
          });
    } finally {
      Files.delete(initrd);
    }
  }

  private static void add(
      Map<String, List<List<Double>>> rows,
      Map<String, String> units,
      int side,
      TimedProcess process)
      throws IOException {
    int found = 0;
    for (String line : process.lines()) {
      Matcher row = ROW.matcher(line);
      if (row.matches()) {
        found++;
        units.put(row.group(1), row.group(3));
        rows.computeIfAbsent(row.group(1), name -> List.of(new ArrayList<>(), new ArrayList<>()))
            .get(side)
            .add(Double.valueOf(row.group(2)));
      }
    }
    if (found != ROWS) {
      throw new IOException("a run printed " + found + " rows: " + process.lines());
    }
  }

  private static byte[] initramfs(
      PackageCache packages, ModuleSet modules, GuestCommand command, Path program)
      throws IOException {
    ByteArrayOutputStream both = new ByteArrayOutputStream();
    both.writeBytes(DefaultInitramfs.build(packages.busybox(), command, modules));
    both.writeBytes(new Initramfs().file("bin/net", 0755, Files.readAllBytes(program)).toBytes());
    return both.toByteArray();
  }
}
