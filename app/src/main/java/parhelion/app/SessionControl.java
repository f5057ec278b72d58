package parhelion.app;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import parhelion.toolstack.UserError;
import parhelion.toolstack.control.ControlledGuest;
import parhelion.toolstack.control.GuestInfo;
import parhelion.toolstack.device.DeviceConfig;
import parhelion.toolstack.guest.Guest;
import parhelion.toolstack.guest.Outcome;
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
  private final AtomicReference<@Nullable Guest> running = new AtomicReference<>();
  private final List<DeviceConfig> attached = new ArrayList<>();
  private volatile String kernel = "";
  private volatile long bootedNanos;

  /**
   * A guest that is not there yet.
   *
   * @param kinds how devices are made of what the user says, by the names of options
   */
  SessionControl(
      String name, GuestOptions options, Steward steward, Map<String, DeviceKind> kinds) {
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
        options.memoryMib,
        options.vcpus,
        steward.isReady(),
        devices.stream().filter(each -> !each.isEmpty()).toList());
  }

  @Override
  public synchronized void stop(boolean force) {
    if (force) {
      guest().stop(Outcome.Kind.LEFT);
    } else {
      guest().requestShutdown();
    }
  }

  @Override
  public synchronized String attach(String kind, String device) {
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
      return made.name();
    } finally {
      if (!done) {
        made.close();
      }
    }
  }

  @Override
  public synchronized void detach(String device, boolean force) {
    guest().takeOut(device, force);
  }

  @Override
  public synchronized void resize(String device, long bytes) {
    guest().resize(device, bytes);
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
