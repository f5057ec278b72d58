package parhelion.bench;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * How each hypervisor is started on the same kernel and initramfs, with 256 MiB and one CPU.
 *
 * @param launcher Parhelion's
 * @param options more of {@code parhelion run}
 */
record BootCommands(Path launcher, List<String> options, Path kernel, Path initrd) {
  private static final String MEMORY_MIB = "256";

  /** Parhelion's command, for a kernel with these words on its command line. */
  List<String> parhelion(String words) {
    List<String> command = new ArrayList<>(List.of(launcher.toString(), "run"));
    command.addAll(options);
    command.addAll(List.of("--kernel", kernel.toString(), "--initrd", initrd.toString()));
    command.addAll(List.of("--memory", MEMORY_MIB + "M", "--append", words));
    return command;
  }

  /** QEMU's. */
  List<String> qemu(String words) {
    List<String> command = new ArrayList<>(List.of("qemu-system-x86_64", "-accel", "tcg"));
    command.addAll(List.of("-m", MEMORY_MIB, "-smp", "1", "-display", "none", "-monitor", "none"));
    command.addAll(List.of("-serial", "stdio", "-no-reboot"));
    command.addAll(List.of("-kernel", kernel.toString(), "-initrd", initrd.toString()));
    command.addAll(List.of("-append", "console=ttyS0 " + words));
    return command;
  }
}
