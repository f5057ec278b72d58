package parhelion.toolstack.device;

import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;
import parhelion.backends.console.ConsoleEnd;
import parhelion.media.disk.Disk;
import parhelion.media.net.MacAddress;
import parhelion.media.net.NetworkPort;
import parhelion.media.share.FileTree;
import parhelion.pc.Board;
import parhelion.pc.acpi.HotPlug;
import parhelion.pc.disk.AhciController;
import parhelion.pc.disk.AtaDisk;
import parhelion.pc.disk.AtapiCdrom;
import parhelion.pc.disk.DiskIo;
import parhelion.pc.disk.IdeController;
import parhelion.pc.display.Screenshot;
import parhelion.pc.display.Vga;
import parhelion.pc.input.Key;
import parhelion.pc.input.Ps2Controller;
import parhelion.pc.input.Typist;
import parhelion.pc.net.E1000;
import parhelion.pc.pci.Bridges;
import parhelion.pc.pci.OptionRom;
import parhelion.pc.pci.PciBus;
import parhelion.pc.pci.PciFunction;
import parhelion.pc.pci.PirqRouter;
import parhelion.pc.virtio.VirtioBalloon;
import parhelion.pc.virtio.VirtioBlock;
import parhelion.pc.virtio.VirtioNet;
import parhelion.pc.virtio.VirtioNineP;
import parhelion.pc.virtio.VirtioPci;
import parhelion.pc.virtio.VirtioRng;
import parhelion.toolstack.UserError;

/**
 * The devices of an emulated PC: a PCI bus with its bridges and an IDE controller, and what the
 * user has plugged into them. What is behind a device stays its {@link DeviceConfig}'s; the threads
 * that work for it are closed here. Before the machine runs, or on its thread. Cards come to and go
 * from a running machine by ACPI ({@link HotPlug}).
 */
public final class PcDevices implements AutoCloseable {
  private static final int ISA_SLOT = 1;
  private static final int VIDEO_SLOT = 2;
  private static final int IDE_PLACES = 4;
  private static final int PAGES_PER_MIB = 256;
  private static final int FIRST_CDROM_PLACE = 2;
  private static final AutoCloseable NOTHING = () -> {};

  /**
   * What the user has plugged in.
   *
   * @param card null if it is on a cable, from which nothing can be taken
   * @param behind what works for the card
   * @param resized says that its disk has another size; null if software cannot be told
   */
  private record Plugged(
      DeviceConfig device,
      @Nullable PciFunction card,
      int slot,
      AutoCloseable behind,
      @Nullable Runnable resized) {}

  private final Board board;
  private final PcInterface offered;
  private final PciBus bus;
  private final PciFunction isa;
  private final IdeController ide;
  private final Vga display;
  private final Ps2Controller keyboard;
  private final Typist typist;
  private @Nullable AhciController ahci;
  private final List<DiskIo> disks = new CopyOnWriteArrayList<>();
  private final OptionRoms roms;

  /** What {@link #unplugDisks} and {@link #unplugCards} are about. */
  private final List<Integer> ideDisks = new ArrayList<>();

  private final List<PciFunction> diskCards = new ArrayList<>();
  private final List<PciFunction> networkCards = new ArrayList<>();
  private boolean ahciHasCdrom;
  private int cards;
  private final List<PcConsole> consoles = new CopyOnWriteArrayList<>();
  private final Map<String, Plugged> plugged = new ConcurrentHashMap<>();
  private @Nullable HotPlug hotPlug;

  /** The machine runs: what comes, software has to be told of. */
  private boolean running;

  /** The card of the device that is being plugged in, what goes with it, and its slot. */
  private @Nullable PciFunction card;

  private int slot;

  private AutoCloseable behind = NOTHING;
  private @Nullable Runnable resized;
  private @Nullable VirtioBalloon balloon;

  /**
   * A board's devices, of which none is the user's yet.
   *
   * @param reset called on the machine's thread when software resets the machine through PCI
   */
  public PcDevices(Board board, Runnable reset) {
    this(board, PcInterface.NONE, reset, OptionRoms.NONE);
  }

  /** The same on a PC that offers an interface, with ROMs for firmware to find. */
  public PcDevices(Board board, PcInterface offered, Runnable reset, OptionRoms roms) {
    this.board = board;
    this.offered = offered;
    this.roms = roms;
    PirqRouter router = new PirqRouter(board);
    bus = new PciBus(board, router, reset);
    bus.plug(0, 0, Bridges.host(board, register -> {}));
    isa = Bridges.isa(board, router);
    bus.plug(ISA_SLOT, 0, isa);
    ide = new IdeController(board);
    display = new Vga(board, roms.video());
    bus.plug(VIDEO_SLOT, 0, display.function());
    keyboard = new Ps2Controller(board, reset);
    typist = new Typist(keyboard, board.timers());
  }

  /** What is on the display; on the machine's thread. */
  public Screenshot screenshot() {
    return display.screenshot();
  }

  /** Types on the keyboard; false if too much waits already. On the machine's thread. */
  public boolean type(List<List<Key>> chords) {
    return typist.type(chords);
  }

  /** The bus, for what else is plugged into it. */
  public PciBus bus() {
    return bus;
  }

  /** The interface that the PC offers. */
  PcInterface offered() {
    return offered;
  }

  /**
   * Takes the disks away, as software asks for that has other ways to them; CD-ROMs stay. On the
   * machine's thread.
   *
   * @param butFirst leaves the first place of the first IDE cable
   */
  public void unplugDisks(boolean butFirst) {
    ideDisks.removeIf(
        place -> {
          boolean goes = !butFirst || place != 0;
          if (goes) {
            ide.unplug(place);
          }
          return goes;
        });
    unplug(diskCards);
    AhciController controller = ahci;
    if (controller != null && !ahciHasCdrom) {
      boolean unused = bus.remove(controller.function());
    }
  }

  /** Takes the network cards away likewise. */
  public void unplugCards() {
    unplug(networkCards);
  }

  private void unplug(List<PciFunction> cards) {
    plugged.values().removeIf(each -> each.card != null && cards.contains(each.card));
    cards.forEach(bus::remove);
    cards.clear();
  }

  /** Has software be told of what comes and goes while the machine runs. */
  public void tellBy(HotPlug registers) {
    hotPlug = registers;
  }

  /**
   * Plugs a device in; on the machine's thread once that runs.
   *
   * @throws UserError if there is no place for it
   */
  public void plug(DeviceConfig device) {
    card = null;
    behind = NOTHING;
    resized = null;
    device.plug(this);
    if (!device.name().isEmpty()) {
      plugged.put(device.name(), new Plugged(device, card, slot, behind, resized));
    }
    if (running && card != null && hotPlug != null) {
      hotPlug.changed(slot);
    }
  }

  /** The devices that the user has plugged in. Any thread. */
  public List<DeviceConfig> plugged() {
    return plugged.values().stream().map(Plugged::device).toList();
  }

  /**
   * Asks software to let go of a device, which goes when it has. On the machine's thread.
   *
   * @throws UserError if it cannot go
   */
  public void letGo(String name) {
    int at = takable(name).slot;
    if (hotPlug != null) {
      hotPlug.letGo(at);
    }
  }

  /**
   * What tells software that a disk has another size: to be run on the machine's thread. Any
   * thread.
   *
   * @throws UserError if it is none, or cannot tell
   */
  public Runnable resizing(String name) {
    Plugged found = plugged.get(name);
    if (found == null) {
      throw new UserError("there is no disk " + name + ": " + String.join(", ", plugged.keySet()));
    }
    if (found.resized == null) {
      throw new UserError(name + ": on a PC only disks by virtio can change their size");
    }
    return found.resized;
  }

  /** Takes a device, whatever software does with it; nothing if it is gone. */
  public void tear(String name) {
    if (plugged.containsKey(name)) {
      int at = takable(name).slot;
      ejected(at);
      if (hotPlug != null) {
        hotPlug.changed(at);
      }
    }
  }

  private Plugged takable(String name) {
    Plugged found = plugged.get(name);
    if (found == null) {
      throw new UserError(
          "there is no device " + name + ": " + String.join(", ", plugged.keySet()));
    }
    if (found.card == null || found.card == ahciCard()) {
      throw new UserError(name + " is on a cable of the PC's: only virtio and e1000 can be taken");
    }
    return found;
  }

  private @Nullable PciFunction ahciCard() {
    AhciController controller = ahci;
    return controller == null ? null : controller.function();
  }

  /** Software has let go of what is in a slot. On the machine's thread. */
  public void ejected(int from) {
    for (Plugged gone : List.copyOf(plugged.values())) {
      if (gone.card != null && gone.slot == from && bus.remove(gone.card)) {
        plugged.remove(gone.device.name());
        diskCards.remove(gone.card);
        networkCards.remove(gone.card);
        // May wait for what is under way on the host.
        Thread.ofVirtual().start(() -> closed(gone));
      }
    }
  }

  private static void closed(Plugged gone) {
    try {
      gone.behind.close();
      gone.device.close();
    } catch (Exception e) {
      System.err.printf("parhelion: %s: %s%n", gone.device.name(), e.getMessage());
    }
  }

  private void place(PciFunction function) {
    card = function;
    slot = bus.plug(function);
  }

  private void mustNotRun(String name) {
    if (running) {
      throw new UserError(
          name + ": a running PC takes disks by virtio only: leave bus= out, or say bus=virtio");
    }
  }

  /** Plugs a disk or a CD-ROM in. */
  void disk(String name, Disk disk, boolean cdrom, DiskBus how) {
    if (how != DiskBus.VIRTIO) {
      mustNotRun(name);
    }
    DiskIo io = new DiskIo(disk, board);
    disks.add(io);
    switch (how) {
      case XEN -> throw new IllegalArgumentException(name + " is no device of a PC's");
      case VIRTIO -> {
        VirtioPci transport = VirtioBlock.device(board, "virtio-blk " + name, io, name);
        PciFunction function = transport.function();
        resized = transport::configChanged;
        diskCards.add(function);
        behind =
            () -> {
              io.close();
              disks.remove(io);
            };
        place(function);
      }
      case IDE -> {
        int place = freeIdePlace(name, cdrom);
        if (cdrom) {
          ide.plug(place, new AtapiCdrom(io));
        } else {
          ide.plug(place, new AtaDisk(io, name, false));
          ideDisks.add(place);
        }
      }
      case AHCI -> {
        AhciController controller = ahci;
        if (controller == null) {
          controller = new AhciController(board);
          ahci = controller;
          int unused = bus.plug(controller.function());
        }
        int port = 0;
        while (controller.has(port)) {
          if (++port == AhciController.PORTS) {
            throw new UserError(
                name + ": all ports of the AHCI controller are taken: give another bus=");
          }
        }
        if (cdrom) {
          controller.plug(port, new AtapiCdrom(io));
          ahciHasCdrom = true;
        } else {
          controller.plug(port, new AtaDisk(io, name, true));
        }
      }
    }
  }

  /** Disks come first on the first cable, CD-ROMs on the second, while there is room. */
  private int freeIdePlace(String name, boolean cdrom) {
    for (int i = 0; i < IDE_PLACES; i++) {
      int place = (i + (cdrom ? FIRST_CDROM_PLACE : 0)) % IDE_PLACES;
      if (!ide.has(place)) {
        return place;
      }
    }
    throw new UserError(name + ": both IDE cables are full: give another bus=");
  }

  /** Plugs a network card in. */
  void card(CardModel model, NetworkPort network, MacAddress mac, int mtu) {
    String name = model == CardModel.E1000 ? "e1000" : "virtio-net";
    String numbered = cards == 0 ? name : name + " " + cards;
    cards++;
    PciFunction function =
        model == CardModel.E1000
            ? new E1000(board, numbered, network, mac).function()
            : VirtioNet.device(board, numbered, network, mac, mtu).function();
    byte[] rom = roms.cards().get(model);
    if (rom != null) {
      function.rom(OptionRom.madeFor(function, rom));
    }
    networkCards.add(function);
    place(function);
  }

  /** Plugs a directory in, by 9P. */
  void share(String tag, FileTree tree) {
    place(VirtioNineP.device(board, "virtio-9p " + tag, tree, tag).function());
  }

  /** Plugs in a console, by virtio. */
  void console(ConsoleEnd end) {
    String name = consoles.isEmpty() ? "virtio-console" : "virtio-console " + consoles.size();
    PcConsole console = new PcConsole(board, name, end);
    consoles.add(console);
    behind =
        () -> {
          console.close();
          consoles.remove(console);
        };
    place(console.function());
  }

  /** Plugs in a source of random numbers, the host's. */
  void rng() {
    place(VirtioRng.device(board, "virtio-rng", new SecureRandom()::nextBytes).function());
  }

  /** Plugs in a balloon by which the guest gives up so many MiB. */
  void balloon(int mib) {
    VirtioBalloon.Device made = VirtioBalloon.device(board, "virtio-balloon");
    made.balloon().setTarget(mib * PAGES_PER_MIB);
    balloon = made.balloon();
    place(made.transport().function());
  }

  /**
   * Asks the guest to give up so much memory in all, by a balloon; false if it has none. On the
   * machine's thread.
   */
  public boolean giveUp(int mib) {
    VirtioBalloon plugged = balloon;
    if (plugged == null) {
      return false;
    }
    plugged.setTarget(mib * PAGES_PER_MIB);
    return true;
  }

  /** How much memory the guest has given up, in MiB. Any thread. */
  public int givenUpMib() {
    VirtioBalloon plugged = balloon;
    return plugged == null ? 0 : plugged.pages() / PAGES_PER_MIB;
  }

  /** Ends the plugging: from now on, software finds the devices. */
  public void ready() {
    bus.plug(ISA_SLOT, 1, ide.function());
    bus.plug(ISA_SLOT, 3, Bridges.power(board));
    running = true;
  }

  /** Does what firmware does, for a machine that starts without: places and interrupt routes. */
  public void assignAddresses(int[] interruptLines) {
    bus.assignAddresses(interruptLines);
    Bridges.route(isa, interruptLines);
  }

  /**
   * Ends the threads that work for disks, once they have done what they are at, and disconnects
   * consoles.
   */
  @Override
  public void close() {
    disks.forEach(DiskIo::close);
    consoles.forEach(PcConsole::close);
  }
}
