package parhelion.bench;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import parhelion.toolstack.debian.PackageCache;
import parhelion.toolstack.image.DefaultInitramfs;
import parhelion.toolstack.image.GuestCommand;
import parhelion.toolstack.image.ImageException;
import parhelion.toolstack.image.Initramfs;
import parhelion.toolstack.image.Progress;

/**
 * Everything that is compared, in one table: Parhelion, QEMU's TCG and the host take their turns,
 * with one kernel and one initramfs, which holds the suite. Run by {@code bench/table}.
 */
public final class Table {
  private static final String KERNEL_PACKAGE = "linux-image-cloud-amd64";
  private static final int EXIT_FAILED = 1;
  private static final int EXIT_USAGE = 2;
  private static final int EXIT_UNAVAILABLE = 69;

  private Table() {}

  /** Measures and prints; exits with the statuses that {@code bench/table --help} lists. */
  public static void main(String[] args) throws IOException, InterruptedException {
    TableOptions options = TableOptions.of(args);
    List<Row> all = new ArrayList<>(Row.FIXED);
    for (String line : TimedProcess.run(List.of(options.suite() + "", "--list"), 60).lines()) {
      all.add(Row.ofProgram(line));
    }
    List<Row> rows;
    try {
      rows = Row.chosen(all, options.rows());
    } catch (IllegalArgumentException e) {
      List<String> names = all.stream().map(Row::fullName).toList();
      System.err.println(
          "bench/table: --rows: there is no row or group '"
              + e.getMessage()
              + "', only "
              + String.join(", ", names));
      System.exit(EXIT_USAGE);
      return;
    }
    Path initrd = Files.createTempFile("parhelion-bench", ".cpio");
    try {
      PackageCache packages = PackageCache.ofUser(Progress.NONE);
      PackageCache.Kernel kernel = packages.kernel(KERNEL_PACKAGE);
      Files.write(initrd, initramfs(packages, options.suite()));
      Map<String, String> head = new LinkedHashMap<>(options.head());
      head.put("machine", Host.description());
      head.put("guest", kernel.version() + ", 256 MiB, 1 CPU, one initramfs for both");
      head.put("load", Host.load() + " as it began");
      Samples samples = new TableRuns(options, rows, all, kernel.image(), initrd).measure();
      System.out.print(
          options.json()
              ? TableOutput.json(head, options, rows, samples)
              : TableOutput.text(head, rows, samples));
      System.exit(samples.anyFailed() ? EXIT_FAILED : 0);
    } catch (ImageException e) {
      System.err.println("bench/table: " + e.getMessage());
      System.exit(EXIT_UNAVAILABLE);
    } finally {
      Files.deleteIfExists(initrd);
    }
  }

  /** The usual one and the suite, as two archives in a row, which Linux takes for one. */
  private static byte[] initramfs(PackageCache packages, Path suite) throws IOException {
    ByteArrayOutputStream both = new ByteArrayOutputStream();
    both.writeBytes(DefaultInitramfs.build(packages.busybox(), GuestCommand.of("true")));
    both.writeBytes(new Initramfs().file("bin/suite", 0755, Files.readAllBytes(suite)).toBytes());
    return both.toByteArray();
  }
}
