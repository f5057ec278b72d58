package parhelion.toolstack.image;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The modules of one kernel, a directory {@code lib/modules/RELEASE} with the lists that depmod
 * makes of them: {@code modules.dep}, {@code modules.alias}, {@code modules.softdep}. Packages do
 * not hold those, so {@link #index} writes them.
 */
public final class KernelModules {
  private static final int MAX_MODULE_BYTES = 256 << 20;
  private static final String REMEDY = "fetch the kernel's package again, or give another kernel";
  private static final List<String> PACKED = List.of(".xz", ".gz", ".zst");

  private final Path directory;

  /** Paths by the kernel's names. */
  private final Map<String, String> paths = new TreeMap<>();

  /** By name: what must be loaded before, in that order. */
  private final Map<String, List<String>> depends = new TreeMap<>();

  private final Map<String, List<String>> softPre = new TreeMap<>();
  private final Map<String, Set<String>> aliases = new TreeMap<>();
  private final Set<String> builtin = new HashSet<>();

  private KernelModules(Path directory) {
    this.directory = directory;
  }

  /**
   * Reads the lists of a directory.
   *
   * @param directory {@code lib/modules/RELEASE}
   * @throws ImageException if they are not there or make no sense
   */
  public static KernelModules open(Path directory) {
    KernelModules modules = new KernelModules(directory);
    try {
      for (String line : Files.readAllLines(directory.resolve("modules.dep"))) {
        modules.addDependencies(line);
      }
      for (String line : readIfThere(directory.resolve("modules.alias"))) {
        String[] words = line.split(" ", -1);
        if (words.length == 3 && words[0].equals("alias")) {
          modules.aliases.computeIfAbsent(words[1], a -> new LinkedHashSet<>()).add(words[2]);
        }
      }
      for (String line : readIfThere(directory.resolve("modules.softdep"))) {
        modules.addSoft(line);
      }
      for (String line : readIfThere(directory.resolve("modules.builtin"))) {
        modules.builtin.add(nameOf(line));
      }
    } catch (NoSuchFileException e) {
      throw ImageException.of(directory.toString(), "has no modules.dep", "run depmod on it", e);
    } catch (IOException e) {
      throw ImageException.unreadable(directory.toString(), REMEDY, e);
    }
    return modules;
  }

  private static List<String> readIfThere(Path file) throws IOException {
    return Files.exists(file) ? Files.readAllLines(file) : List.of();
  }

  /** One line of modules.dep: a path, a colon, and paths of which the last comes first. */
  private void addDependencies(String line) {
    int colon = line.indexOf(':');
    if (colon < 0) {
      return;
    }
    String path = line.substring(0, colon);
    List<String> before = new ArrayList<>();
    for (String dependency : line.substring(colon + 1).strip().split(" ", -1)) {
      if (!dependency.isEmpty()) {
        before.add(nameOf(dependency));
      }
    }
    Collections.reverse(before);
    paths.put(nameOf(path), path);
    depends.put(nameOf(path), before);
  }

  private void addSoft(String line) {
    String[] words = line.split(" ", -1);
    if (words.length > 2 && words[0].equals("softdep") && words[2].equals("pre:")) {
      List<String> before = new ArrayList<>();
      for (int i = 3; i < words.length && !words[i].equals("post:"); i++) {
        before.add(words[i]);
      }
      softPre.put(words[1], before);
    }
  }

  /** {@code kernel/fs/isofs/isofs.ko.xz} is isofs. */
  private static String nameOf(String path) {
    String file = path.substring(path.lastIndexOf('/') + 1);
    int suffix = file.indexOf(".ko");
    return ModuleInfo.canonical(suffix < 0 ? file : file.substring(0, suffix));
  }

  /** The kernel's release, as uname -r has it. */
  public String release() {
    return directory.getFileName().toString();
  }

  /**
   * Chooses modules with all that they need.
   *
   * @throws ImageException if one that must be loaded does not exist
   */
  public ModuleSet select(ModuleSet.Request request) {
    Set<String> load = new LinkedHashSet<>();
    for (String name : request.load()) {
      if (!add(name, load, new HashSet<>())) {
        throw ImageException.of(
            "kernel " + release(), "it has no module " + name, "use --package linux-image-amd64");
      }
    }
    Set<String> all = new LinkedHashSet<>(load);
    for (String name : request.atHand()) {
      boolean unused = add(name, all, new HashSet<>());
    }
    if (all.isEmpty()) {
      return ModuleSet.NONE;
    }
    return new ModuleSet(List.copyOf(load), files(all));
  }

  /** Adds what a name or an alias stands for, behind what it needs; whether there is any. */
  private boolean add(String name, Set<String> chosen, Set<String> entered) {
    String module = ModuleInfo.canonical(name);
    if (!paths.containsKey(module)) {
      Set<String> providers = aliases.getOrDefault(name, Set.of());
      for (String provider : providers) {
        boolean unused = add(provider, chosen, entered);
      }
      return !providers.isEmpty() || builtin.contains(module);
    }
    if (entered.add(module)) {
      List<String> needed = depends.getOrDefault(module, List.of());
      for (String before : softPre.getOrDefault(module, List.of())) {
        boolean unused = add(before, chosen, entered);
      }
      needed.forEach(before -> add(before, chosen, entered));
      chosen.add(module);
    }
    return true;
  }

  private Map<String, byte[]> files(Set<String> chosen) {
    Map<String, byte[]> files = new LinkedHashMap<>();
    StringBuilder dependencies = new StringBuilder();
    for (String name : chosen) {
      String path = paths.getOrDefault(name, "");
      files.put(release() + '/' + unpackedPath(path), read(directory.resolve(path)));
      dependencies.append(unpackedPath(path)).append(':');
      for (String before : depends.getOrDefault(name, List.of()).reversed()) {
        dependencies.append(' ').append(unpackedPath(paths.getOrDefault(before, before)));
      }
      dependencies.append('\n');
    }
    StringBuilder names = new StringBuilder();
    aliases.forEach(
        (alias, providers) ->
            providers.stream()
                .filter(chosen::contains)
                .forEach(p -> names.append("alias " + alias + ' ' + p + '\n')));
    files.put(release() + "/modules.dep", utf8(dependencies));
    files.put(release() + "/modules.alias", utf8(names));
    return files;
  }

  private static byte[] utf8(StringBuilder text) {
    return text.toString().getBytes(StandardCharsets.UTF_8);
  }

  private static String unpackedPath(String path) {
    for (String suffix : PACKED) {
      if (path.endsWith(suffix)) {
        return path.substring(0, path.length() - suffix.length());
      }
    }
    return path;
  }

  /** A module's bytes, not packed. */
  private static byte[] read(Path file) {
    try {
      byte[] bytes = Files.readAllBytes(file);
      Compression kind = Compression.of(bytes, 0);
      return kind == Compression.NONE
          ? bytes
          : kind.unpack(bytes, 0, bytes.length, -1, MAX_MODULE_BYTES, "module", Progress.NONE);
    } catch (NoSuchFileException e) {
      throw ImageException.of(file.toString(), "there is no such file", REMEDY, e);
    } catch (IOException e) {
      throw ImageException.of(file.toString(), String.valueOf(e.getMessage()), REMEDY, e);
    }
  }

  /**
   * Writes the lists of a directory whose modules were just unpacked, from what the modules say.
   *
   * @return the names of the files written
   */
  public static List<String> index(Path directory) throws IOException {
    SortedMap<String, String> files = new TreeMap<>();
    SortedMap<String, ModuleInfo> infos = new TreeMap<>();
    List<Path> found;
    try (Stream<Path> walk = Files.walk(directory)) {
      found = walk.filter(f -> isModule(f.getFileName().toString())).sorted().toList();
    }
    for (Path file : found) {
      String path = directory.relativize(file).toString();
      files.put(nameOf(path), path);
      infos.put(nameOf(path), ModuleInfo.of(read(file), file.toString()));
    }
    StringBuilder dep = new StringBuilder();
    StringBuilder alias = new StringBuilder("# aliases\n");
    StringBuilder soft = new StringBuilder("# soft dependencies\n");
    for (String name : infos.keySet()) {
      List<String> order = inOrder(name, infos);
      dep.append(files.get(name)).append(':');
      order.reversed().stream().skip(1).forEach(n -> dep.append(' ').append(files.get(n)));
      dep.append('\n');
      ModuleInfo info = infoOf(name, infos);
      info.aliases().forEach(a -> alias.append("alias " + a + ' ' + name + '\n'));
      if (!info.softPre().isEmpty()) {
        soft.append("softdep " + name + " pre: " + String.join(" ", info.softPre()) + '\n');
      }
    }
    Files.write(directory.resolve("modules.dep"), utf8(dep));
    Files.write(directory.resolve("modules.alias"), utf8(alias));
    Files.write(directory.resolve("modules.softdep"), utf8(soft));
    return List.of("modules.dep", "modules.alias", "modules.softdep");
  }

  private static ModuleInfo infoOf(String name, Map<String, ModuleInfo> infos) {
    @Nullable ModuleInfo info = infos.get(name);
    return info == null ? new ModuleInfo(List.of(), List.of(), List.of()) : info;
  }

  /** Itself behind all that it needs; what is not in the directory is left out. */
  private static List<String> inOrder(String name, Map<String, ModuleInfo> infos) {
    Set<String> order = new LinkedHashSet<>();
    Set<String> opened = new HashSet<>();
    List<String> stack = new ArrayList<>(List.of(name));
    while (!stack.isEmpty()) {
      String top = stack.getLast();
      if (opened.add(top)) {
        for (String dependency : infoOf(top, infos).depends()) {
          String canonical = ModuleInfo.canonical(dependency);
          if (infos.containsKey(canonical) && !opened.contains(canonical)) {
            stack.add(canonical);
          }
        }
      } else {
        stack.removeLast();
        order.add(top);
      }
    }
    return List.copyOf(order);
  }

  private static boolean isModule(String file) {
    return unpackedPath(file).endsWith(".ko");
  }
}
