package parhelion.bench;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * What a network does: Parhelion's paravirtual device at its NAT and QEMU's virtio-net at its user
 * networking, against one server. Run by {@code bench/net}.
 */
public final class NetComparison {
  private NetComparison() {}

  /** Arguments: the launcher, the program, runs, seconds for each row. */
  public static void main(String[] args) throws IOException, InterruptedException {
    try (NetServer server = new NetServer()) {
      String port = Integer.toString(server.port());
      new DeviceComparison(
              DeviceComparison.CLOUD,
              Path.of(args[1]),
              "10.0.2.2 " + port + ' ' + args[3],
              4,
              List.of("xen-netfront", "virtio_pci", "virtio_net"),
              List.of("--net", "nat", "--allow-host", port),
              List.of("-netdev", "user,id=n", "-device", "virtio-net-pci,netdev=n"),
              "parhelion.net=eth0:dhcp:1500")
          .run(Path.of(args[0]), Integer.parseInt(args[2]), () -> {});
    }
  }
}
