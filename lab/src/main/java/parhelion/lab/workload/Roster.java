package parhelion.lab.workload;

import static parhelion.lab.workload.Figure.HOST_MILLISECONDS_PER_SECOND;
import static parhelion.lab.workload.Figure.MEGABITS_PER_SECOND;
import static parhelion.lab.workload.Figure.MEGABYTES_PER_SECOND;
import static parhelion.lab.workload.Figure.MICROSECONDS;
import static parhelion.lab.workload.Figure.MILLISECONDS;
import static parhelion.lab.workload.Figure.SECONDS;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import parhelion.toolstack.UserError;

/**
 * The workloads, in the order in which they are run and shown. Those of processes, memory, latency
 * and files are after lmbench's, of which the Xen paper of SOSP 2003 has tables 3 to 5.
 */
public final class Roster {
  /** The workload that has no row: it ends where the guest program begins. */
  public static final String BOOT = "boot";

  /** The user's own command. */
  public static final String COMMAND = "command";

  private static final int[] PROCESSES = {2, 8, 16};
  private static final int[] KIBIBYTES = {0, 16, 64};
  private static final int[] MTUS = {1500, 500};
  private static final List<Workload> ALL = all();

  private Roster() {}

  /** All but the user's own. */
  public static List<Workload> workloads() {
    return ALL;
  }

  /** A command of the user's, run once by a shell of the guest's. */
  public static Workload command(String shellText) {
    return Workload.of(COMMAND, "yours", title(shellText), "command", SECONDS, Need.COMMAND, null);
  }

  private static String title(String shellText) {
    String line = shellText.strip().replaceAll("\\s+", " ");
    return line.length() <= 60 ? line : line.substring(0, 57) + "...";
  }

  /**
   * The workloads of these names, in the roster's order. A name that ends in {@code *} is all that
   * begin so; a group's name is all of the group.
   *
   * @throws UserError for a name that is none
   */
  public static List<Workload> named(List<String> names) {
    Set<Workload> found = new LinkedHashSet<>();
    for (String name : names) {
      List<Workload> matching = ALL.stream().filter(workload -> matches(workload, name)).toList();
      if (matching.isEmpty()) {
        throw new UserError(
            "there is no workload '" + name + "': parhelion compare --list names them");
      }
      found.addAll(matching);
    }
    return ALL.stream().filter(found::contains).toList();
  }

  private static boolean matches(Workload workload, String name) {
    return name.endsWith("*")
        ? workload.id().startsWith(name.substring(0, name.length() - 1))
        : workload.id().equals(name) || workload.info().group().equals(name);
  }

  private static List<Workload> all() {
    List<Workload> all = new ArrayList<>();
    all.add(
        Workload.of(BOOT, "boot", "power-on to the first program", "", SECONDS, Need.KERNEL, null));
    processes(all);
    memory(all);
    latency(all);
    files(all);
    compute(all);
    disk(all);
    network(all);
    all.add(
        Workload.of(
            "idle",
            "processes",
            "host time of an idle second",
            "idle 500",
            HOST_MILLISECONDS_PER_SECOND,
            Need.NOTHING,
            null));
    return List.copyOf(all);
  }

  private static void processes(List<Workload> all) {
    String group = "processes";
    each(all, "null", group, "null call", "null", Need.NOTHING, "null call");
    each(all, "fork", group, "fork and exit", "fork", Need.NOTHING, "fork proc");
    each(all, "exec", group, "fork and exec", "exec", Need.NOTHING, "exec proc");
    each(all, "sh", group, "fork and sh -c", "sh", Need.SHELL, "sh proc");
    for (int processes : PROCESSES) {
      for (int kib : KIBIBYTES) {
        each(
            all,
            "switch-%d-%d".formatted(processes, kib),
            group,
            "switch among %d with %d KiB".formatted(processes, kib),
            "switch %d %d".formatted(processes, kib),
            Need.NOTHING,
            "ctxsw %dp/%dK".formatted(processes, kib));
      }
    }
  }

  private static void memory(List<Workload> all) {
    String group = "memory";
    each(all, "mmap", group, "map 4 MiB of a file", "mmap", Need.NOTHING, "mmap lat");
    each(
        all,
        "protection-fault",
        group,
        "protection fault",
        "protection-fault",
        Need.NOTHING,
        "prot fault");
    each(all, "page-fault", group, "page fault", "page-fault", Need.NOTHING, "page fault");
  }

  private static void latency(List<Workload> all) {
    String group = "latency";
    each(all, "pipe", group, "round trip by pipes", "pipe", Need.NOTHING, null);
    each(all, "unix", group, "round trip by AF_UNIX", "unix", Need.KERNEL, null);
    each(all, "udp", group, "round trip by UDP on lo", "udp", Need.KERNEL, null);
    each(all, "tcp", group, "round trip by TCP on lo", "tcp", Need.KERNEL, null);
  }

  private static void files(List<Workload> all) {
    String group = "files";
    for (int bytes : new int[] {0, 10240}) {
      int kib = bytes / 1024;
      each(
          all,
          "create-%dk".formatted(kib),
          group,
          "create a file of %d KiB".formatted(kib),
          "create " + bytes,
          Need.NOTHING,
          "%dK file create".formatted(kib));
      each(
          all,
          "delete-%dk".formatted(kib),
          group,
          "delete a file of %d KiB".formatted(kib),
          "delete " + bytes,
          Need.NOTHING,
          "%dK file delete".formatted(kib));
    }
  }

  private static void compute(List<Workload> all) {
    String group = "compute";
    each(all, "integer", group, "CRC of 64 KiB", "integer", Need.NOTHING, null);
    each(all, "floating", group, "product of 48 x 48 matrices", "floating", Need.NOTHING, null);
    all.add(
        Workload.of(
            "build",
            group,
            "a make of four sources",
            "build",
            MILLISECONDS,
            Need.NOTHING,
            "Linux build time"));
  }

  private static void disk(List<Workload> all) {
    disk(all, "disk-read", "read in sequence, 256 KiB", MEGABYTES_PER_SECOND);
    disk(all, "disk-write", "write in sequence, 256 KiB", MEGABYTES_PER_SECOND);
    disk(all, "disk-read-4k", "read 4 KiB anywhere", MICROSECONDS);
    disk(all, "disk-write-4k", "write 4 KiB anywhere", MICROSECONDS);
    disk(all, "disk-sync", "write 4 KiB and fsync", MICROSECONDS);
  }

  private static void disk(List<Workload> all, String id, String title, Figure figure) {
    all.add(Workload.of(id, "disk", title, id, figure, Need.DISK, null));
  }

  private static void network(List<Workload> all) {
    for (int mtu : MTUS) {
      flow(all, "tcp-send", "TCP send", mtu, "TCP TX MTU " + mtu);
      flow(all, "tcp-receive", "TCP receive", mtu, "TCP RX MTU " + mtu);
    }
    for (int mtu : MTUS) {
      flow(all, "udp-send", "UDP send", mtu, null);
      flow(all, "udp-receive", "UDP receive", mtu, null);
    }
    trip(all, "tcp-trip", "round trip by TCP to the host");
    trip(all, "udp-trip", "round trip by UDP to the host");
  }

  private static void flow(
      List<Workload> all, String row, String title, int mtu, @Nullable String sosp03) {
    all.add(
        Workload.of(
            "net-" + row + "-" + mtu,
            "network",
            title + ", MTU " + mtu,
            "net-" + row + " IP PORT " + mtu,
            MEGABITS_PER_SECOND,
            Need.NETWORK,
            sosp03));
  }

  private static void trip(List<Workload> all, String row, String title) {
    all.add(
        Workload.of(
            "net-" + row,
            "network",
            title,
            "net-" + row + " IP PORT 1500",
            MICROSECONDS,
            Need.NETWORK,
            null));
  }

  /** One whose value is the time of one operation. */
  private static void each(
      List<Workload> all,
      String id,
      String group,
      String title,
      String row,
      Need need,
      @Nullable String sosp03) {
    all.add(Workload.of(id, group, title, row, MICROSECONDS, need, sosp03));
  }
}
