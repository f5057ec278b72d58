package parhelion.process;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import parhelion.process.file.Devices;
import parhelion.process.file.HostNode;
import parhelion.process.file.Node;
import parhelion.process.file.OpenFile;
import parhelion.process.file.Synthetic;
import parhelion.process.file.Tree;

/**
 * The guests' tree of names: the user's root and binds, and over them /dev and /proc of our own,
 * with what ordinary programs look at.
 */
final class Namespace {
  private final Kernel kernel;

  private Namespace(Kernel kernel) {
    this.kernel = kernel;
  }

  static Tree of(Kernel kernel) {
    return new Namespace(kernel).build();
  }

  private Tree build() {
    Options options = kernel.options;
    String root = options.root();
    Tree tree =
        new Tree(
            root == null
                ? () -> Synthetic.directory(1, Map::of)
                : Kernel.hostMount(root, options.writable()));
    for (Options.Bind bind : options.binds()) {
      tree.mount(bind.guestPath(), Kernel.hostMount(bind.hostPath(), bind.writable()));
    }
    Map<String, Node> devices = devices();
    if (root != null) {
      // They are there for who asks, but show only where the user's own directory has them.
      tree.hide("/dev");
      tree.hide("/proc");
      tree.hide(PROGRAM_DIRECTORY);
    }
    tree.mount("/dev", () -> Synthetic.directory(6, () -> devices));
    tree.mount("/proc", () -> Synthetic.directory(7, this::processes));
    String program = options.program();
    if (program != null) {
      tree.mount(PROGRAM_DIRECTORY, () -> Synthetic.directory(8, Map::of));
      tree.mount(programPath(program), Kernel.hostMount(program, false));
    }
    return tree;
  }

  private static final String PROGRAM_DIRECTORY = "/.program";

  /** Where a program that is a file of the host appears. */
  static String programPath(String hostPath) {
    return PROGRAM_DIRECTORY + "/" + hostPath.substring(hostPath.lastIndexOf('/') + 1);
  }

  // --- /dev ---

  private Map<String, Node> devices() {
    Map<String, Node> nodes = new TreeMap<>();
    for (String name : new String[] {"null", "zero", "full", "random", "urandom"}) {
      nodes.put(name, Devices.node(name));
    }
    nodes.put("tty", terminal());
    nodes.put("stdin", Synthetic.link(21, () -> "/proc/self/fd/0", null));
    nodes.put("stdout", Synthetic.link(22, () -> "/proc/self/fd/1", null));
    nodes.put("stderr", Synthetic.link(23, () -> "/proc/self/fd/2", null));
    nodes.put("fd", Synthetic.link(24, () -> "/proc/self/fd", null));
    return nodes;
  }

  /** The terminal that a standard stream is, under the same identity as the stream. */
  private Node terminal() {
    for (OpenFile file : kernel.options.standardFiles()) {
      if (file.isTerminal()) {
        return Synthetic.ofOpen(file);
      }
    }
    return Synthetic.device(
        20,
        5,
        0,
        flags -> {
          throw new LinuxError(Errno.ENXIO);
        });
  }

  // --- /proc ---

  private Process current() {
    Task task = kernel.calling;
    if (task == null) {
      throw new LinuxError(Errno.ENOENT);
    }
    return task.process;
  }

  private Map<String, Node> processes() {
    Map<String, Node> nodes = new LinkedHashMap<>();
    nodes.put("self", Synthetic.link(100, () -> Integer.toString(current().pid), null));
    file(nodes, "meminfo", 101, this::memoryInfo);
    file(nodes, "uptime", 102, () -> "%.2f 0.00%n".formatted(uptimeSeconds()));
    file(nodes, "version", 103, () -> "Linux version " + Identification.RELEASE + " (parhelion)\n");
    file(nodes, "cpuinfo", 104, () -> "processor\t: 0\nmodel name\t: Parhelion virtual CPU\n\n");
    file(
        nodes,
        "mounts",
        105,
        () -> "root / rootfs " + (kernel.options.writable() ? "rw" : "ro") + " 0 0\n");
    file(
        nodes,
        "loadavg",
        106,
        () -> "0.00 0.00 0.00 1/%d %d%n".formatted(kernel.tasks.size(), current().pid));
    file(
        nodes,
        "stat",
        107,
        () ->
            "cpu  %d 0 0 0 0 0 0 0 0 0%nbtime %d%nprocesses %d%n"
                .formatted(
                    kernel.stats.guestNanos / 10_000_000, bootSeconds(), kernel.stats.processes));
    file(nodes, "filesystems", 108, () -> "nodev\tproc\n\text4\n");
    for (Process process : kernel.processes.values()) {
      nodes.put(
          Integer.toString(process.pid),
          Synthetic.directory(1000L + process.pid * 100L, () -> entries(process)));
    }
    return nodes;
  }

  private static void file(
      Map<String, Node> nodes, String name, long inode, Supplier<String> content) {
    nodes.put(name, Synthetic.text(inode, content));
  }

  private double uptimeSeconds() {
    return (System.nanoTime() - kernel.bootNanos) / 1e9;
  }

  private long bootSeconds() {
    return System.currentTimeMillis() / 1000 - (long) uptimeSeconds();
  }

  private String memoryInfo() {
    long total = kernel.pool.total() * 4;
    long free = kernel.pool.available() * 4;
    return "MemTotal: %d kB%nMemFree: %d kB%nMemAvailable: %d kB%nBuffers: 0 kB%nCached: 0 kB%nShmem: 0 kB%nSwapTotal: 0 kB%nSwapFree: 0 kB%nSReclaimable: 0 kB%n"
        .formatted(total, free, free);
  }

  private Map<String, Node> entries(Process p) {
    long base = 1000L + p.pid * 100L;
    Map<String, Node> nodes = new LinkedHashMap<>();
    nodes.put("exe", Synthetic.link(base + 1, () -> p.executablePath, () -> executable(p)));
    nodes.put("cwd", Synthetic.link(base + 2, () -> p.directory.path, null));
    nodes.put("root", Synthetic.link(base + 3, () -> "/", null));
    nodes.put("fd", Synthetic.directory(base + 4, () -> descriptors(p, base)));
    file(
        nodes,
        "cmdline",
        base + 5,
        () -> p.arguments.isEmpty() ? "" : String.join("\0", p.arguments) + "\0");
    file(nodes, "comm", base + 6, () -> name(p) + "\n");
    file(nodes, "maps", base + 7, () -> p.zombie ? "" : p.space.describe());
    file(nodes, "stat", base + 8, () -> stat(p));
    file(nodes, "status", base + 9, () -> status(p));
    file(nodes, "statm", base + 10, () -> "%d %d 0 0 0 0 0%n".formatted(pages(p), pages(p)));
    file(nodes, "mounts", base + 11, () -> "root / rootfs ro 0 0\n");
    return nodes;
  }

  private static String name(Process p) {
    return p.name.length() > 15 ? p.name.substring(0, 15) : p.name;
  }

  private static long pages(Process p) {
    return p.zombie ? 0 : p.space.mappedBytes() >>> 12;
  }

  private static @Nullable Node executable(Process p) {
    OpenFile file = p.executable;
    if (file == null) {
      throw new LinuxError(Errno.ENOENT);
    }
    Node node = file.node();
    if (node instanceof HostNode host) {
      return host.borrowed();
    }
    return Synthetic.ofOpen(file);
  }

  private static Map<String, Node> descriptors(Process p, long base) {
    Map<String, Node> nodes = new LinkedHashMap<>();
    if (!p.zombie) {
      for (int fd : p.files.numbers()) {
        OpenFile file = p.files.get(fd);
        nodes.put(
            Integer.toString(fd),
            Synthetic.link(base + 20 + fd, file::path, () -> Synthetic.ofOpen(file)));
      }
    }
    return nodes;
  }

  private static String stat(Process p) {
    long ticks = p.userNanos / 10_000_000;
    return "%d (%s) %s %d %d %d 0 %d 0 0 0 0 0 %d 0 0 0 20 0 %d 0 %d %d %d 18446744073709551615 0 0 0 0 0 0 0 0 0 0 0 0 17 0 0 0 0 0 0%n"
        .formatted(
            p.pid,
            name(p),
            p.zombie ? "Z" : "R",
            p.parentPid(),
            p.group,
            p.session,
            p.kernel.terminal.foreground,
            ticks,
            Math.max(1, p.tasks.size()),
            (p.startNanos - p.kernel.bootNanos) / 10_000_000,
            pages(p) << 12,
            pages(p));
  }

  private static String status(Process p) {
    Function<Integer, String> four = id -> id + "\t" + id + "\t" + id + "\t" + id;
    return "Name:\t%s%nState:\t%s%nTgid:\t%d%nPid:\t%d%nPPid:\t%d%nUid:\t%s%nGid:\t%s%nVmSize:\t%8d kB%nVmRSS:\t%8d kB%nThreads:\t%d%n"
        .formatted(
            name(p),
            p.zombie ? "Z (zombie)" : "R (running)",
            p.pid,
            p.pid,
            p.parentPid(),
            four.apply(Identity.uid()),
            four.apply(Identity.gid()),
            pages(p) * 4,
            pages(p) * 4,
            Math.max(1, p.tasks.size()));
  }
}
