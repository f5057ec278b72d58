package parhelion.bench;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * What the devices of an emulated PC do, in Parhelion and in QEMU under TCG: the same models on
 * both sides, the same kernel with Linux's own drivers. Run by {@code bench/pc}.
 */
public final class PcComparison {
  private final Path launcher;
  private final int runs;
  private final String seconds;

  private PcComparison(Path launcher, int runs, String seconds) {
    this.launcher = launcher;
    this.runs = runs;
    this.seconds = seconds;
  }

  /** Arguments: the launcher, the programs for disks and networks, runs, seconds for each row. */
  public static void main(String[] args) throws IOException, InterruptedException {
    PcComparison comparison =
        new PcComparison(Path.of(args[0]), Integer.parseInt(args[3]), args[4]);
    Path disk = Path.of(args[1]);
    Path net = Path.of(args[2]);
    DiskComparison.withImage(
        (image, file) -> {
          comparison.disk(disk, image, file, "virtio", "virtio-blk-pci,drive=d", "virtio_blk");
          comparison.disk(disk, image, file, "ahci", "ich9-ahci,id=a", "ahci");
          comparison.disk(disk, image, file, "ide", "ide-hd,drive=d,bus=ide.0", "ata_piix");
        });
    comparison.net(net, "virtio", "virtio-net-pci", "virtio_net");
    comparison.net(net, "e1000", "e1000", "e1000");
  }

  private void disk(
      Path program, Path image, FileChannel file, String bus, String device, String driver)
      throws IOException, InterruptedException {
    System.out.println("disk by " + bus);
    List<String> drive =
        List.of("-drive", "file=" + image + ",format=raw,if=none,id=d,cache=writeback", "-device");
    List<String> qemu =
        bus.equals("ahci")
            ? with(drive, device, "-device", "ide-hd,drive=d,bus=a.0")
            : with(drive, device);
    new DeviceComparison(
            DeviceComparison.GENERIC,
            program,
            (bus.equals("virtio") ? "/dev/vda " : "/dev/sda ") + seconds,
            5,
            List.of("virtio_pci", driver, "sd_mod"),
            List.of("--mode", "full", "--disk", image + ",format=raw,bus=" + bus),
            qemu,
            "")
        // What a run has left to be written is not to slow down the next one.
        .run(launcher, runs, () -> file.force(true));
  }

  private void net(Path program, String model, String device, String driver)
      throws IOException, InterruptedException {
    System.out.println("network card " + model);
    try (NetServer server = new NetServer()) {
      String port = Integer.toString(server.port());
      new DeviceComparison(
              DeviceComparison.GENERIC,
              program,
              "10.0.2.2 " + port + ' ' + seconds,
              4,
              List.of("virtio_pci", driver, "af_packet"),
              List.of("--mode", "full", "--net", "nat,model=" + model, "--allow-host", port),
              List.of("-netdev", "user,id=n", "-device", device + ",netdev=n"),
              "parhelion.net=eth0:dhcp:1500")
          .run(launcher, runs, () -> {});
    }
  }

  private static List<String> with(List<String> first, String... more) {
    List<String> all = new ArrayList<>(first);
    all.addAll(List.of(more));
    return all;
  }
}
