package parhelion.backends.xenstore;

import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import parhelion.abi.XenbusState;

/**
 * The nodes that a paravirtualised guest finds when it boots, with the permissions that Xen's
 * toolstack (libxl) gives them: {@code /local/domain/N}, {@code /vm/UUID}, {@code /libxl/N} and the
 * console's backend directory.
 *
 * <p>Order of a domain's life: {@link #create}; {@link #connect} once the ring pages and event
 * channels exist; {@link XenstoreDaemon#introduce}; and at its end {@link XenstoreDaemon#release}
 * and {@link #remove}.
 */
public final class DomainDirectory {
  /** How much console output Xen's consoled would keep, in bytes; guests do not care. */
  private static final int CONSOLE_LIMIT = 1_048_576;

  private final XenstoreClient store;
  private final int domid;
  private final UUID uuid;
  private final String path;
  private final Perms readable;
  private final Perms owned;

  /**
   * What is written of a domain.
   *
   * @param vcpus how many virtual CPUs the domain has
   * @param onlineVcpus how many of them are to be brought up at boot
   * @param memoryKib what the domain should use (the balloon driver's target)
   * @param maxMemoryKib what it may grow to
   * @param kernel for people: where the kernel came from
   * @param ramdisk likewise, or null
   * @param commandLine likewise
   */
  public record Config(
      String name,
      UUID uuid,
      int vcpus,
      int onlineVcpus,
      long memoryKib,
      long maxMemoryKib,
      String kernel,
      @Nullable String ramdisk,
      String commandLine) {}

  /**
   * Where the domain's store and console rings are.
   *
   * @param storeMfn machine frame of the store's ring page, as in start_info
   * @param storePort the domain's end of the store's event channel
   * @param consoleMfn machine frame of the console's ring page
   * @param consolePort the domain's end of the console's event channel
   */
  public record Rings(long storeMfn, int storePort, long consoleMfn, int consolePort) {}

  private DomainDirectory(XenstoreClient store, int domid, UUID uuid) {
    this.store = store;
    this.domid = domid;
    this.uuid = uuid;
    path = StorePath.ofDomain(domid);
    readable = Perms.of(Perm.none(0), Perm.read(domid));
    owned = Perms.of(Perm.none(domid));
  }

  /** Writes dom0's own nodes, once per store. */
  public static void describeDom0(XenstoreClient store) {
    store.write("/local/domain/0/domid", "0");
    store.write("/local/domain/0/name", "Domain-0");
  }

  /** Writes all that is known before the domain's memory is built; replaces what was there. */
  public static DomainDirectory create(XenstoreClient store, int domid, Config config) {
    if (domid <= 0 || domid > Args.DOMID_MAX) {
      throw new IllegalArgumentException("domain " + domid);
    }
    DomainDirectory directory = new DomainDirectory(store, domid, config.uuid());
    store.transaction(
        tx -> {
          directory.writeAll(tx, config);
          return true;
        });
    return directory;
  }

  private void writeAll(Xenstore tx, Config config) {
    removeAll(tx);
    tx.mkdir(path, readable);
    tx.mkdir(vmPath(), readable);
    tx.mkdir("/libxl/" + domid, Perms.of(Perm.none(0)));
    tx.mkdir("/libxl/" + domid + "/device");
    tx.write("/libxl/" + domid + "/type", "pv");
    tx.write(path + "/vm", vmPath());
    tx.write(path + "/name", config.name());
    tx.write(path + "/domid", Integer.toString(domid));
    for (String each : List.of("cpu", "memory", "device", "control")) {
      tx.mkdir(path + '/' + each, readable);
    }
    for (String each :
        List.of(
            "device/suspend/event-channel",
            "control/shutdown",
            "control/feature-poweroff",
            "control/feature-reboot",
            "control/feature-suspend",
            "control/sysrq",
            "data",
            "drivers",
            "feature",
            "attr",
            "error")) {
      tx.mkdir(path + '/' + each, owned);
    }
    tx.write(path + "/control/platform-feature-multiprocessor-suspend", "1");
    tx.write(path + "/control/platform-feature-xs_reset_watches", "1");
    tx.write(path + "/memory/static-max", Long.toString(config.maxMemoryKib()));
    tx.write(path + "/memory/target", Long.toString(config.memoryKib()));
    tx.write(path + "/memory/videoram", "0");
    for (int vcpu = 0; vcpu < config.vcpus(); vcpu++) {
      tx.write(availability(vcpu), vcpu < config.onlineVcpus() ? "online" : "offline");
    }
    tx.write(vmPath() + "/uuid", uuid.toString());
    tx.write(vmPath() + "/name", config.name());
    tx.write(vmPath() + "/image/ostype", "linux");
    tx.write(vmPath() + "/image/kernel", config.kernel());
    String ramdisk = config.ramdisk();
    if (ramdisk != null) {
      tx.write(vmPath() + "/image/ramdisk", ramdisk);
    }
    tx.write(vmPath() + "/image/cmdline", config.commandLine());
  }

  /** Writes where the rings are, which completes what the guest needs. */
  public void connect(Rings rings) {
    store.transaction(
        tx -> {
          tx.write(path + "/store/port", Integer.toString(rings.storePort()));
          tx.write(path + "/store/ring-ref", Long.toString(rings.storeMfn()));
          writeConsole(tx, rings);
          return true;
        });
  }

  private void writeConsole(Xenstore tx, Rings rings) {
    String front = consolePath();
    String back = "/local/domain/0/backend/console/" + domid + "/0";
    tx.mkdir(front, readable);
    tx.write(front + "/backend", back);
    tx.write(front + "/backend-id", "0", Perms.of(Perm.none(domid), Perm.read(0)));
    tx.write(front + "/limit", Integer.toString(CONSOLE_LIMIT));
    tx.write(front + "/type", "xenconsoled");
    tx.write(front + "/output", "pty");
    tx.write(front + "/tty", "");
    tx.write(front + "/port", Integer.toString(rings.consolePort()));
    tx.write(front + "/ring-ref", Long.toString(rings.consoleMfn()));
    tx.mkdir(back, readable);
    tx.write(back + "/frontend", front);
    tx.write(back + "/frontend-id", Integer.toString(domid));
    tx.write(back + "/online", "1");
    tx.write(back + "/state", Integer.toString(XenbusState.INITIALISING.nr()));
    tx.write(back + "/protocol", "vt100");
  }

  /** Asks the guest's balloon driver to use that much memory. */
  public void memoryTarget(long memoryKib) {
    store.write(path + "/memory/target", Long.toString(memoryKib));
  }

  /** Asks the guest to bring a virtual CPU up or down. */
  public void vcpuOnline(int vcpu, boolean online) {
    store.write(availability(vcpu), online ? "online" : "offline");
  }

  /**
   * Says how large the window on the console is. The console's ring has no way of saying so: a
   * guest that wants to know reads or watches {@code console/size}, "columns rows". This node is
   * ours; Xen has none.
   */
  public void consoleSize(int columns, int rows) {
    store.write(consolePath() + "/size", columns + " " + rows);
  }

  /** Says where people find the console, as {@code xl console} expects it. */
  public void consoleTty(String tty) {
    store.write(consolePath() + "/tty", tty);
  }

  /** {@code /local/domain/N}. */
  public String path() {
    return path;
  }

  public int domid() {
    return domid;
  }

  private String consolePath() {
    return path + "/console";
  }

  private String vmPath() {
    return "/vm/" + uuid;
  }

  private String availability(int vcpu) {
    return path + "/cpu/" + vcpu + "/availability";
  }

  /** Removes everything, with the backend directories of the domain's devices. */
  public void remove() {
    store.transaction(
        tx -> {
          removeAll(tx);
          return true;
        });
  }

  private void removeAll(Xenstore tx) {
    String backends = "/local/domain/0/backend";
    if (tx.exists(backends)) {
      for (String kind : tx.list(backends)) {
        tx.rm(backends + '/' + kind + '/' + domid);
      }
    }
    tx.rm(path);
    tx.rm(vmPath());
    tx.rm("/libxl/" + domid);
  }
}
