package parhelion.process.file;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import parhelion.process.Errno;
import parhelion.process.LinuxError;

/**
 * The tree of names that guests see: a root, and mounts on it. Paths are resolved here, component
 * by component, from the root: ".." goes back along the way that was come, and stops at the root,
 * so nothing outside has a name. A path is a string with a byte a character; canonical ones begin
 * with a slash and have no ".", ".." or doubled slashes.
 */
public final class Tree {
  private static final int MAX_LINKS = 40;
  private static final int MAX_NAME = 255;
  private static final int MAX_DEPTH = 2048;

  /** Gives the node of a mount: one that may be closed each time. */
  public interface Mount {
    Node node();
  }

  private final Mount root;
  private final TreeMap<String, Mount> mounts = new TreeMap<>();

  /** Mounts that directories do not list of themselves. */
  private final Set<String> hidden = new HashSet<>();

  public Tree(Mount root) {
    this.root = root;
  }

  public void mount(String canonicalPath, Mount mount) {
    mounts.put(canonicalPath, mount);
  }

  /** Keeps a mount out of listings of the directory that it is in. */
  public void hide(String canonicalPath) {
    hidden.add(canonicalPath);
  }

  /** Where a path led: close it when done. */
  public static final class Place implements AutoCloseable {
    private final List<Node> nodes = new ArrayList<>();
    private final List<String> names = new ArrayList<>();
    private final List<Node> left = new ArrayList<>();

    /** The name in {@link #directory}, whether it exists or not; empty for the root. */
    String name = "";

    private @Nullable Node node;
    private boolean slashed;

    /** The file, or ENOENT. */
    public Node node() {
      Node found = node;
      if (found == null) {
        throw new LinuxError(Errno.ENOENT);
      }
      return found;
    }

    public boolean exists() {
      return node != null;
    }

    public String name() {
      return name;
    }

    /** The path ended in a slash or a dot: it can only mean a directory. */
    public boolean isSlashed() {
      return slashed;
    }

    /** The directory that holds the name. */
    public Node directory() {
      return nodes.getLast();
    }

    /** The canonical path. */
    public String path() {
      StringBuilder path = new StringBuilder();
      for (String each : names) {
        path.append('/').append(each);
      }
      if (!name.isEmpty()) {
        path.append('/').append(name);
      }
      return path.isEmpty() ? "/" : path.toString();
    }

    private void push(String component, Node next) {
      names.add(component);
      nodes.add(next);
    }

    private void pop() {
      if (!names.isEmpty()) {
        names.removeLast();
        left.add(nodes.removeLast());
      }
    }

    private void clear() {
      while (!names.isEmpty()) {
        pop();
      }
    }

    @Override
    public void close() {
      for (Node each : left) {
        each.close();
      }
      for (Node each : nodes) {
        each.close();
      }
      Node last = node;
      if (last != null && !nodes.contains(last)) {
        last.close();
      }
    }
  }

  /**
   * Resolves a path.
   *
   * @param base canonical path that a relative one begins at
   * @param follow whether a link at the end is followed
   */
  public Place resolve(String base, String path, boolean follow) {
    if (path.isEmpty()) {
      throw new LinuxError(Errno.ENOENT);
    }
    Place place = new Place();
    place.nodes.add(root.node());
    boolean done = false;
    try {
      walk(place, path.startsWith("/") ? path : base + "/" + path, follow);
      done = true;
      return place;
    } finally {
      if (!done) {
        place.close();
      }
    }
  }

  private void walk(Place place, String path, boolean follow) {
    ArrayDeque<String> todo = new ArrayDeque<>();
    push(todo, path);
    place.slashed = endsInDirectory(path);
    int links = 0;
    Node at = place.nodes.getFirst();
    while (!todo.isEmpty()) {
      String component = todo.removeFirst();
      if (component.equals("..")) {
        place.pop();
        at = place.directory();
        continue;
      }
      if (component.length() > MAX_NAME) {
        throw new LinuxError(Errno.ENAMETOOLONG);
      }
      boolean last = todo.isEmpty();
      Node child = lookup(place, at, component);
      if (child == null) {
        if (!last) {
          throw new LinuxError(Errno.ENOENT);
        }
        place.name = component;
        return;
      }
      if (child.isSymlink() && (!last || follow || place.slashed)) {
        if (++links > MAX_LINKS) {
          child.close();
          throw new LinuxError(Errno.ELOOP);
        }
        place.left.add(child);
        Node target = child.linkTarget();
        if (target == null) {
          String text = child.link();
          if (text.startsWith("/")) {
            place.clear();
          }
          if (last && endsInDirectory(text)) {
            place.slashed = true;
          }
          push(todo, text);
          at = place.directory();
          continue;
        }
        child = target;
      }
      if (last) {
        place.name = component;
        place.node = child;
        if (place.slashed && !child.isDirectory()) {
          throw new LinuxError(Errno.ENOTDIR);
        }
        return;
      }
      if (!child.isDirectory()) {
        place.left.add(child);
        throw new LinuxError(Errno.ENOTDIR);
      }
      if (place.nodes.size() > MAX_DEPTH) {
        place.left.add(child);
        throw new LinuxError(Errno.ENAMETOOLONG);
      }
      place.push(component, child);
      at = child;
    }
    // The path ended in the root, or in "..": the directory itself is what it means.
    place.slashed = true;
    place.node = at;
    if (!place.names.isEmpty()) {
      place.name = place.names.removeLast();
      place.nodes.removeLast();
    }
  }

  /** Puts the components of a path before what is still to be walked. */
  private static void push(ArrayDeque<String> todo, String path) {
    String[] parts = path.split("/");
    for (int i = parts.length - 1; i >= 0; i--) {
      if (!parts[i].isEmpty() && !parts[i].equals(".")) {
        todo.addFirst(parts[i]);
      }
    }
  }

  private static boolean endsInDirectory(String path) {
    return path.endsWith("/") || path.endsWith("/.") || path.equals(".");
  }

  private @Nullable Node lookup(Place place, Node directory, String name) {
    if (mounts.isEmpty()) {
      return directory.child(name);
    }
    String path = place.path();
    String full = path.equals("/") ? "/" + name : path + "/" + name;
    Mount mount = mounts.get(full);
    if (mount != null) {
      return mount.node();
    }
    Node child = directory.child(name);
    if (child == null) {
      String below = mounts.ceilingKey(full + "/");
      if (below != null && below.startsWith(full + "/")) {
        return Synthetic.directory(2, Map::of);
      }
    }
    return child;
  }

  /** Names in a directory that are there only because something is mounted on or below them. */
  public Collection<String> mountedIn(String directoryPath) {
    String prefix = directoryPath.equals("/") ? "/" : directoryPath + "/";
    TreeSet<String> names = new TreeSet<>();
    for (String path : mounts.tailMap(prefix).keySet()) {
      if (!path.startsWith(prefix)) {
        break;
      }
      int end = path.indexOf('/', prefix.length());
      String name = path.substring(prefix.length(), end < 0 ? path.length() : end);
      if (!hidden.contains(prefix + name)) {
        names.add(name);
      }
    }
    return names;
  }

  /** Whether something is mounted on this very path. */
  public boolean isMount(String path) {
    return path.equals("/") || mounts.containsKey(path);
  }
}
