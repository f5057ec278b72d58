package parhelion.toolstack.guest;

import java.util.List;
import parhelion.backends.console.ConsoleSink;
import parhelion.pc.PcMachine;
import parhelion.pc.Timers;
import parhelion.pc.acpi.HotPlug;
import parhelion.pc.input.Key;
import parhelion.pc.input.Typist;
import parhelion.pc.serial.DebugPorts;
import parhelion.pc.serial.Uart;
import parhelion.toolstack.Screen;
import parhelion.toolstack.UserError;
import parhelion.toolstack.device.DeviceConfig;
import parhelion.toolstack.device.PcDevices;

/** What is on an emulated PC's board: a serial console, and devices on a PCI bus. */
final class PcHardware implements AutoCloseable {
  private static final long PATIENCE_NANOS = 5_000_000_000L;

  private final PcMachine machine;
  private final Uart console;
  private final SerialOutput output;
  private final PcDevices devices;

  /** Plugs all of it in. */
  PcHardware(PcMachine machine, PcSetup setup, ConsoleSink serial) {
    this.machine = machine;
    output = new SerialOutput(serial, machine.timers());
    console = new Uart(machine, machine.line(Uart.COM1_LINE), output);
    console.plug(Uart.COM1);
    serial.whenRoom(() -> machine.post(console::peerHasRoom));
    DebugPorts.plug(machine, value -> true);
    devices =
        new PcDevices(
            machine,
            setup.offered(),
            () -> machine.finish(PcMachine.End.RESET),
            setup.start().roms());
    for (DeviceConfig device : setup.devices()) {
      if (!device.isSplit(setup.offered())) {
        devices.plug(device);
      }
    }
    devices.tellBy(new HotPlug(machine, machine.power(), devices::ejected));
    devices.ready();
  }

  PcDevices devices() {
    return devices;
  }

  /** Gives the console's sink what it takes now. */
  void pass() {
    output.pass();
  }

  void input(byte[] bytes, int offset, int length) throws InterruptedException {
    console.receive(bytes, offset, length);
  }

  Screen screen() {
    return Screen.of(MachineCall.of(machine, devices::screenshot));
  }

  void type(String text) {
    List<List<Key>> chords;
    try {
      chords = Typist.keys(text);
    } catch (IllegalArgumentException e) {
      throw new UserError(e.getMessage() + ": give characters of a US keyboard, <up> and such", e);
    }
    if (!MachineCall.of(machine, () -> devices.type(chords))) {
      throw new UserError("the guest has not read what was typed before: type less");
    }
  }

  /** Plugs a device into the running machine. */
  void plugIn(DeviceConfig device) {
    boolean unused =
        MachineCall.of(
            machine,
            () -> {
              devices.plug(device);
              return true;
            });
  }

  /** Has the guest let go of a device; takes it after five seconds if {@code force}. */
  void takeOut(String name, boolean force) {
    boolean unused =
        MachineCall.of(
            machine,
            () -> {
              devices.letGo(name);
              if (force) {
                Timers timers = machine.timers();
                timers.timer(() -> devices.tear(name)).set(timers.nanos() + PATIENCE_NANOS);
              }
              return true;
            });
  }

  /** Changes a disk's size, and says so to the guest. */
  void resize(DeviceConfig disk, long sizeBytes) {
    Runnable tell = devices.resizing(disk.name());
    disk.resize(sizeBytes);
    machine.post(tell);
  }

  /** Asks the guest to give up so many MiB in all; false if it has no balloon. */
  boolean giveUp(int mib) {
    return MachineCall.of(machine, () -> devices.giveUp(mib));
  }

  @Override
  public void close() {
    devices.close();
  }
}
