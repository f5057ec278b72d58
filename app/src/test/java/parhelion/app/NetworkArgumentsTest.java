package parhelion.app;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import parhelion.toolstack.UserError;
import parhelion.toolstack.device.DeviceConfig;
import parhelion.toolstack.device.NetworkDevice;
import picocli.CommandLine;

/** Networks on the command line: what they come to, and what is said of nonsense. */
final class NetworkArgumentsTest {
  private static NetworkArguments parsed(String... args) {
    RunCommand run = new RunCommand();
    new CommandLine(run).parseArgs(args);
    return run.networks;
  }

  private static void refused(String words, String... args) {
    UserError error =
        assertThrows(
            UserError.class,
            () -> {
              try (OpenNetworks opened = parsed(args).open()) {
                opened.devices().forEach(DeviceConfig::close);
              }
            },
            () -> String.join(" ", args));
    assertTrue(String.valueOf(error.getMessage()).contains(words), error::getMessage);
  }

  @Test
  void nonsenseIsRefusedWithARemedy(@TempDir Path directory) throws Exception {
    refused("give nat, switch:NAME or none", "--net", "lan");
    refused("'x=1' is none of mac=", "--net", "nat,x=1");
    refused("no address of a device", "--net", "nat,mac=00:16:3e");
    refused("no address of a device", "--net", "nat,mac=01:16:3e:00:00:01");
    refused("is no MTU: give 68 to 65535", "--net", "switch:a,mtu=20");
    refused("1280 to", "--net", "nat,mtu=500");
    refused("only a switch", "--net", "nat,isolated");
    refused("is no name of a switch", "--net", "switch:../a");
    refused("can be given once", "--net", "nat", "--net", "nat");
    refused("--net none excludes", "--net", "none", "--net", "nat");
    refused("--net none excludes", "--net", "none", "-p", "1:2");
    refused("need it: give --net nat", "--net", "switch:a", "-p", "1:2");
    refused("--publish x:y", "-p", "x:y");
    refused("--dns name", "--dns", "name.example");
    refused("--dns-name x", "--dns-name", "x");
    refused("--allow ..", "--allow", "..");
    refused("no network to capture", "--pcap", "x");
    String nowhere = directory.resolve("no/such/file").toString();
    refused("cannot write to", "--net", "nat", "--pcap", nowhere);
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      refused("" + taken.getLocalPort(), "-p", taken.getLocalPort() + ":80");
    }
  }

  @Test
  void devicesAreNumberedAndTheGuestIsToldHowToBringThemUp(@TempDir Path directory)
      throws Exception {
    Path captured = directory.resolve("net.pcapng");
    NetworkArguments network =
        parsed("-p", "0:80", "--allow", "*.example.org", "--pcap", captured.toString());
    assertEquals("parhelion.net=eth0:dhcp:1500", network.kernelWords());
    try (OpenNetworks opened = network.open()) {
      NetworkDevice device = (NetworkDevice) opened.devices().getFirst();
      assertEquals("eth0", device.name());
      assertEquals("00:16:3e:00:01:00", device.mac().toString());
      device.close();
    }
    assertTrue(Files.size(captured) > 28);
    assertEquals(
        "parhelion.net=eth0:up:9000 parhelion.net=eth1:dhcp:1400",
        parsed("--net", "switch:lan,mtu=9000,guard", "--net", "nat,mtu=1400").kernelWords());
    assertEquals("", parsed().kernelWords());
    try (OpenNetworks none = parsed("--net", "none").open()) {
      assertEquals(List.of(), none.devices());
    }
  }
}
