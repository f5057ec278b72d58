package parhelion.app;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import parhelion.toolstack.UserError;
import picocli.CommandLine.Option;

/** Options for what guests boot. */
final class KernelOptions {
  @Option(
      names = "--kernel",
      paramLabel = "FILE",
      description =
          "Kernel: a bzImage or an ELF file with Xen notes; for run --mode full also one with a"
              + " multiboot header.")
  @Nullable Path kernel;

  @Option(
      names = "--package",
      paramLabel = "NAME",
      description =
          "Debian package to take the kernel from (default: linux-image-cloud-amd64, or"
              + " linux-image-amd64 where a device needs a driver that only that has).")
  @Nullable String packageName;

  @Option(
      names = "--initrd",
      paramLabel = "FILE|DIR",
      description =
          "Initial RAM disk, or a directory to make one of (default: busybox). For a multiboot"
              + " kernel its modules: 'FILE WORDS,FILE WORDS'. compare adds its program to it.")
  @Nullable Path initrd;

  @Option(
      names = "--append",
      paramLabel = "TEXT",
      description = "More words for the kernel's command line.")
  String append = "";

  /** {@link UserError} for options that contradict each other. */
  void check() {
    if (kernel != null && packageName != null) {
      throw new UserError("--kernel and --package exclude each other: give one of them");
    }
  }
}
