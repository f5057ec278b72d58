package parhelion.app;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import parhelion.toolstack.Screen;
import parhelion.toolstack.UserError;
import parhelion.toolstack.control.ControlledGuest;
import parhelion.toolstack.control.GuestInfo;
import parhelion.toolstack.device.DeviceConfig;
import parhelion.toolstack.guest.Guest;
import parhelion.toolstack.guest.Outcome;
import parhelion.toolstack.steward.CommandSpec;
import parhelion.toolstack.steward.GuestShell;
import parhelion.toolstack.steward.RunningCommand;
import parhelion.toolstack.steward.Steward;

/**
 * The guest of a {@code run} as others reach it by its name. It lasts as long as the command, over
 * all boots of the guest; devices that are plugged in meanwhile end with it. Any thread.
 */
final class SessionControl implements ControlledGuest, AutoCloseable {
  private final String name;
  private final GuestOptions options;
  private final Steward steward;
  private final Map<String, DeviceKind> kinds;
  private final boolean stopsByCommand;
  private final AtomicReference<@Nullable Guest> running = new AtomicReference<>();
  private final List<DeviceConfig> attached = new ArrayList<>();
  private volatile String kernel = "";
  private volatile long bootedNanos;

  /**
   * A guest that is not there yet.
   *
   * @param kinds how devices are made of what the user says, by the names of options
   * @param stopsByCommand whether it is a PC, whose power button the kernel alone does not heed
   */
  SessionControl(
      String name,
      GuestOptions options,
      Steward steward,
      Map<String, DeviceKind> kinds,
      boolean stopsByCommand) {
    this.stopsByCommand = stopsByCommand;
    this.name = name;
    this.options = options;
    this.steward = steward;
    this.kinds = kinds;
  }

  /** A guest has been built and will run. */
  void began(Guest guest, String ofKernel) {
    kernel = ofKernel;
    bootedNanos = System.nanoTime();
    running.set(guest);
  }

  /** It has ended, and must not be asked anything any more. */
  synchronized void ended() {
    running.set(null);
  }

  private Guest guest() {
    Guest guest = running.get();
    if (guest == null) {
      throw new UserError("the guest is not running: wait until it is");
    }
    return guest;
  }

  @Override
  public synchronized GuestInfo info() {
    Guest guest = running.get();
    List<String> devices = guest == null ? List.of() : guest.deviceNames();
    return new GuestInfo(
        name,
        kernel,
        ProcessHandle.current().pid(),
        guest == null ? 0 : (System.nanoTime() - bootedNanos) / 1e9,
        options.machine.memoryMib,
        guest == null ? options.machine.memoryMib : guest.heldMib(),
        options.machine.vcpus,
        steward.isReady(),
        devices.stream().filter(each -> !each.isEmpty()).toList());
  }

  @Override
  public synchronized void stop(boolean force) {
    if (force) {
      guest().stop(Outcome.Kind.LEFT);
    } else {
      guest().requestShutdown();
      if (stopsByCommand && steward.isReady()) {
        Thread.ofVirtual().start(this::powerOff);
      }
    }
  }

  private void powerOff() {
    try {
      inGuest(List.of("poweroff"), name + " does not power off");
    } catch (UserError e) {
      // It has, as a rule: the command's end does not come any more.
    }
  }

  @Override
  public Screen screen() {
    return guest().screen();
  }

  @Override
  public void type(String text) {
    guest().type(text);
  }

  @Override
  public Attached attach(String kind, String device) {
    DeviceConfig made = plug(kind, device);
    List<String> command = made.placing();
    if (!command.isEmpty()) {
      boolean done = false;
      try {
        inGuest(command, made.name() + " cannot be put to use");
        done = true;
      } finally {
        if (!done) {
          withdraw(made.name());
        }
      }
    }
    return new Attached(made.name(), made.whereabouts());
  }

  /**
   * Runs what the guest has to do for a device; not under this object's lock, as that may take it
   * long.
   */
  private void inGuest(List<String> command, String problem) {
    if (!steward.isReady()) {
      throw new UserError(problem + ": the guest runs no commands: see parhelion info " + name);
    }
    try {
      CommandSpec spec = CommandSpec.of(command.toArray(String[]::new));
      FirstBytes errors = new FirstBytes();
      RunningCommand.Exit exit =
          new GuestShell(steward)
              .exec(spec, InputStream.nullInputStream(), OutputStream.nullOutputStream(), errors);
      if (exit.status() != 0) {
        throw new UserError(problem + ": " + errors);
      }
    } catch (IOException e) {
      throw new UserError(problem + ": " + e.getMessage(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new UserError(problem + ": interrupted", e);
    }
  }

  /** As much of what a guest says as a message can hold. */
  private static final class FirstBytes extends OutputStream {
    private static final int MOST = 500;
    private final StringBuilder text = new StringBuilder();

    @Override
    public void write(int b) {
      if (text.length() < MOST) {
        text.append(b >= ' ' && b <= '~' ? (char) b : ' ');
      }
    }

    @Override
    public String toString() {
      return text.toString().strip();
    }
  }

  /** Takes back what the guest cannot use. */
  private synchronized void withdraw(String device) {
    Guest guest = running.get();
    if (guest != null && guest.deviceNames().contains(device)) {
      guest.takeOut(device, true);
    }
  }

  private synchronized DeviceConfig plug(String kind, String device) {
    DeviceKind make = kinds.get(kind);
    if (make == null) {
      throw new UserError(
          "there is no kind of device called '"
              + kind
              + "': "
              + String.join(", ", new TreeSet<>(kinds.keySet())));
    }
    Guest guest = guest();
    DeviceConfig made;
    try {
      made = make.open(device, guest.deviceNames());
    } catch (IOException e) {
      throw new UserError(device + ": " + e.getMessage(), e);
    }
    boolean done = false;
    try {
      guest.plugIn(made);
      attached.add(made);
      done = true;
      return made;
    } finally {
      if (!done) {
        made.close();
      }
    }
  }

  @Override
  public void detach(String device, boolean force) {
    if (!force) {
      List<String> command = displacing(device);
      if (!command.isEmpty()) {
        inGuest(command, device + " is in use in the guest: end what uses it, or give --force");
      }
    }
    synchronized (this) {
      guest().takeOut(device, force);
    }
  }

  private synchronized List<String> displacing(String device) {
    return guest().device(device).displacing();
  }

  @Override
  public synchronized void resize(String device, long bytes) {
    guest().resize(device, bytes);
  }

  @Override
  public synchronized void memory(int mib) {
    if (mib < 1 || mib > options.machine.memoryMib) {
      throw new UserError(
          "the guest was given "
              + options.machine.memoryMib
              + " MiB: name no more, and at least 1 MiB");
    }
    guest().memoryTarget(mib);
  }

  @Override
  public Steward steward() {
    return steward;
  }

  @Override
  public synchronized void close() {
    attached.forEach(DeviceConfig::close);
  }
}
