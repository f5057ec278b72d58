package parhelion.app;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import parhelion.media.net.MacAddress;
import parhelion.media.net.NetworkPort;
import parhelion.media.net.PacketCapture;
import parhelion.media.net.VirtualSwitch.PortOptions;
import parhelion.media.net.nat.NatNetwork;
import parhelion.media.net.nat.config.EgressRule;
import parhelion.media.net.nat.config.HostService;
import parhelion.media.net.nat.config.NameOverride;
import parhelion.media.net.nat.config.NatConfig;
import parhelion.media.net.nat.config.NatException;
import parhelion.media.net.nat.config.NetworkBoot;
import parhelion.media.net.nat.config.PortForward;
import parhelion.media.net.shared.SharedSwitch;
import parhelion.toolstack.UserError;
import parhelion.toolstack.device.CardModel;
import parhelion.toolstack.device.DeviceConfig;
import parhelion.toolstack.device.NetworkDevice;
import picocli.CommandLine.Option;

/** Options for networks. */
final class NetworkArguments {
  @Option(
      names = "--net",
      paramLabel = "NETWORK[,WORD...]",
      description =
          "Give the guest a network device, eth0, eth1 and so on; may be repeated. NETWORK: nat"
              + " (out through the host, by user-mode NAT); switch:NAME (to the guests that name"
              + " it, whatever process they are in); none. Words: mac=00:16:3e:12:34:56; mtu=N; on"
              + " a PC model=virtio, e1000 or xen; for nat tftp=DIR (serves a directory, read-only)"
              + " and bootfile=NAME (what DHCP tells a boot ROM to load); for a switch also"
              + " isolated (reached only by those that are not) and guard (sends from its own"
              + " address only, which nobody else can).")
  List<String> networks = List.of();

  @Option(
      names = {"-p", "--publish"},
      paramLabel = "HOSTPORT:PORT",
      description =
          "Lead a port of the host, on 127.0.0.1, to one of the guest's; whole:"
              + " [ADDRESS:]HOSTPORT:PORT[/udp], port 0 for any that is free. Implies --net nat, as"
              + " the options below do.")
  List<String> forwards = List.of();

  @Option(
      names = "--allow",
      paramLabel = "NAME|ADDRESS[/BITS]",
      description =
          "What the guest may reach through NAT, instead of everything; also *.NAME; may be"
              + " repeated.")
  List<String> allowed = List.of();

  @Option(
      names = "--allow-host",
      paramLabel = "[AT:]PORT",
      description =
          "Let the guest reach a port of the host's 127.0.0.1, at the gateway's port of that number"
              + " or AT; whole: [AT:][ADDRESS:]PORT[/udp]. Nothing else of the host is open.")
  List<String> services = List.of();

  @Option(
      names = "--dns",
      paramLabel = "ADDRESS",
      description = "Ask this name server for the guest, instead of the host's own.")
  List<String> resolvers = List.of();

  @Option(
      names = "--dns-name",
      paramLabel = "NAME=ADDRESS",
      description = "Answer the guest's question for a name with an address.")
  List<String> names = List.of();

  @Option(
      names = "--pcap",
      paramLabel = "FILE",
      description =
          "Write the packets of all network devices to a file, for tshark or Wireshark (pcapng).")
  @Nullable Path pcap;

  private @Nullable PacketCapture capture;

  /** The device that is plugged into NAT; there is one at most. */
  private @Nullable String natDevice;

  /**
   * One {@code --net}, taken apart.
   *
   * @param lan the switch's name, or null for NAT
   */
  private record Request(
      String text,
      @Nullable String lan,
      @Nullable MacAddress mac,
      int mtu,
      boolean isolated,
      boolean guard,
      @Nullable CardModel model,
      NetworkBoot boot) {
    static final Request NAT =
        new Request(
            "nat", null, null, NetworkDevice.DEFAULT_MTU, false, false, null, NetworkBoot.NONE);
    private static final String SWITCH = "switch:";

    static @Nullable Request of(String text) {
      String[] words = text.split(",", -1);
      String lan = words[0].startsWith(SWITCH) ? words[0].substring(SWITCH.length()) : null;
      if (lan == null && !words[0].equals("nat") && !words[0].equals("none")) {
        throw new UserError("--net " + text + ": give nat, switch:NAME or none");
      }
      MacAddress mac = null;
      int mtu = NetworkDevice.DEFAULT_MTU;
      boolean isolated = false;
      boolean guard = false;
      CardModel model = null;
      String tftp = "";
      String bootFile = "";
      for (int i = 1; i < words.length; i++) {
        String value = words[i].substring(words[i].indexOf('=') + 1);
        switch (words[i].split("=", 2)[0]) {
          case "mac" -> mac = mac(text, value);
          case "mtu" -> mtu = mtu(text, value);
          case "isolated" -> isolated = true;
          case "model" -> model = model(text, value);
          case "guard" -> guard = true;
          case "tftp" -> tftp = value;
          case "bootfile" -> bootFile = value;
          default ->
              throw new UserError(
                  "--net %s: '%s' is none of mac=, mtu=, model=, tftp=, bootfile=, isolated, guard"
                      .formatted(text, words[i]));
        }
      }
      if (lan == null && (isolated || guard)) {
        throw new UserError("--net " + text + ": only a switch has isolated and guard");
      }
      if (lan != null && !(tftp.isEmpty() && bootFile.isEmpty())) {
        throw new UserError("--net " + text + ": only nat has tftp= and bootfile=");
      }
      return words[0].equals("none")
          ? null
          : new Request(text, lan, mac, mtu, isolated, guard, model, boot(text, tftp, bootFile));
    }

    private static NetworkBoot boot(String text, String tftp, String bootFile) {
      try {
        return new NetworkBoot(tftp.isEmpty() ? null : Path.of(tftp), bootFile);
      } catch (NatException | InvalidPathException e) {
        throw new UserError("--net " + text + ": " + e.getMessage(), e);
      }
    }

    private static CardModel model(String text, String value) {
      CardModel model = CardModel.of(value);
      if (model == null) {
        throw new UserError("--net " + text + ": model=" + value + " is not virtio, e1000 or xen");
      }
      return model;
    }

    private static MacAddress mac(String text, String value) {
      try {
        MacAddress mac = MacAddress.parse(value);
        if (!mac.isGroup()) {
          return mac;
        }
      } catch (IllegalArgumentException e) {
        // Said below.
      }
      throw new UserError(
          "--net "
              + text
              + ": '"
              + value
              + "' is no address of a device, such as 00:16:3e:01:02:03");
    }

    private static int mtu(String text, String value) {
      try {
        int mtu = Integer.parseInt(value);
        if (mtu >= NetworkDevice.MIN_MTU && mtu <= NetworkDevice.MAX_MTU) {
          return mtu;
        }
      } catch (NumberFormatException e) {
        // Said below.
      }
      throw new UserError(
          "--net %s: '%s' is no MTU: give %d to %d"
              .formatted(text, value, NetworkDevice.MIN_MTU, NetworkDevice.MAX_MTU));
    }
  }

  private List<Request> requests() {
    List<Request> requests = new ArrayList<>();
    boolean none = false;
    for (String text : networks) {
      Request request = Request.of(text);
      none |= request == null;
      if (request != null) {
        requests.add(request);
      }
    }
    if (none && !requests.isEmpty()) {
      throw new UserError("--net none excludes other networks: leave it or them out");
    }
    boolean wanted =
        !(forwards.isEmpty()
            && allowed.isEmpty()
            && services.isEmpty()
            && resolvers.isEmpty()
            && names.isEmpty());
    if (requests.isEmpty() && wanted) {
      if (none) {
        throw new UserError("--net none excludes -p and other options of NAT: leave one out");
      }
      requests.add(Request.NAT);
    }
    long nats = requests.stream().filter(request -> request.lan == null).count();
    if (nats > 1) {
      throw new UserError("--net nat can be given once: others may be switch:NAME");
    }
    if (nats == 0 && wanted) {
      throw new UserError("-p and other options of NAT need it: give --net nat, too");
    }
    if (requests.isEmpty() && pcap != null) {
      throw new UserError("--pcap: the guest has no network to capture: give --net nat");
    }
    return requests;
  }

  /**
   * Opens what the devices are plugged into.
   *
   * @throws UserError if a port is taken, a file cannot be written, or an option makes no sense
   */
  OpenNetworks open() {
    List<Request> requests = requests();
    List<DeviceConfig> devices = new ArrayList<>();
    capture = pcap == null ? null : capture(pcap);
    boolean done = false;
    try {
      for (Request request : requests) {
        devices.add(device(request, devices.size()));
      }
      done = true;
      return new OpenNetworks(devices, capture, pcap);
    } finally {
      if (!done) {
        devices.forEach(DeviceConfig::close);
        if (capture != null) {
          capture.close();
        }
      }
    }
  }

  private NetworkDevice device(Request request, int number) {
    MacAddress mac = request.mac == null ? chosenMac(request, number) : request.mac;
    NetworkPort network = request.lan == null ? nat(request) : lan(request, mac);
    PacketCapture captured = capture;
    if (captured != null) {
      network = captured.tap(NetworkDevice.name(number) + " of the guest", network);
    }
    if (request.lan == null) {
      natDevice = NetworkDevice.name(number);
    }
    return new NetworkDevice(number, mac, request.mtu, network, request.model);
  }

  /**
   * Opens a device for a guest that runs: the options of NAT hold for it as they would have from
   * the beginning.
   */
  DeviceConfig attach(String text, List<String> taken) {
    Request request = Request.of(text);
    if (request == null) {
      throw new UserError("--net none is no device: give nat or switch:NAME");
    }
    if (request.lan == null && natDevice != null && taken.contains(natDevice)) {
      throw new UserError("the guest's " + natDevice + " is at NAT already: detach that first");
    }
    int number = 0;
    while (taken.contains(NetworkDevice.name(number))) {
      number++;
    }
    return device(request, number);
  }

  /** On a switch there may be other guests, which are domain 1 of their processes, too. */
  private static MacAddress chosenMac(Request request, int number) {
    return request.lan == null
        ? MacAddress.ofDevice(1, number)
        : MacAddress.random(new SecureRandom());
  }

  private static NetworkPort lan(Request request, MacAddress mac) {
    try {
      return SharedSwitch.join(
          SharedSwitch.directoryOfUser(),
          String.valueOf(request.lan),
          new PortOptions(request.isolated, request.guard ? mac : null));
    } catch (IOException e) {
      throw new UserError("--net " + request.text + ": " + e.getMessage(), e);
    }
  }

  private static PacketCapture capture(Path file) {
    try {
      return PacketCapture.to(file);
    } catch (IOException e) {
      throw new UserError(
          "--pcap: cannot write to " + file + ": give a file that can be written", e);
    }
  }

  private NatNetwork nat(Request request) {
    try {
      NatConfig config =
          NatConfig.DEFAULT
              .withMtu(request.mtu)
              .withBoot(request.boot)
              .withForwards(forwards.stream().map(PortForward::parse).toList())
              .withServices(services.stream().map(HostService::parse).toList())
              .withNames(names.stream().map(NameOverride::parse).toList())
              .withResolvers(resolvers.stream().map(NetworkArguments::resolver).toList());
      if (!allowed.isEmpty()) {
        config = config.withAllow(allowed.stream().map(EgressRule::parse).toList());
      }
      NatNetwork nat = NatNetwork.open(config);
      for (PortForward forward : nat.forwards()) {
        System.err.println(
            "parhelion: %s:%d leads to the guest's port %d"
                .formatted(forward.hostAddress().inUrl(), forward.hostPort(), forward.guestPort()));
      }
      return nat;
    } catch (NatException e) {
      throw new UserError(String.valueOf(e.getMessage()), e);
    }
  }

  private static InetSocketAddress resolver(String text) {
    // Only addresses: to ask a name server for a name server's name would be odd.
    if (text.matches("[0-9.]+|[0-9a-fA-F:.]*:[0-9a-fA-F:.]*")) {
      try {
        return new InetSocketAddress(InetAddress.getByName(text), 53);
      } catch (UnknownHostException e) {
        // Said below.
      }
    }
    throw new UserError("--dns " + text + ": is no address: give one such as 192.0.2.53");
  }

  /** What our own first process is told of the devices. */
  String kernelWords() {
    StringBuilder words = new StringBuilder();
    List<Request> requests = requests();
    for (int i = 0; i < requests.size(); i++) {
      Request request = requests.get(i);
      String how = request.lan == null ? "dhcp" : "up";
      words.append(" parhelion.net=eth%d:%s:%d".formatted(i, how, request.mtu));
    }
    return words.toString().strip();
  }
}
