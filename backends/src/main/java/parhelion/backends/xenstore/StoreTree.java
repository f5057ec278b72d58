package parhelion.backends.xenstore;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * One version of the whole store that can still be changed, with what each domain owns in it. The
 * daemon has one, every open transaction another; a {@link #fork} is cheap.
 *
 * <p>The special nodes ({@code @introduceDomain} ...) stand beside {@code /} under an unnamed top.
 * Guarded by the daemon's lock.
 */
final class StoreTree {
  /** What a domain pays for: nodes that it owns and their bytes, names included. */
  record Usage(int nodes, long bytes) {
    private static final Usage NONE = new Usage(0, 0);

    private Usage plus(int moreNodes, long moreBytes) {
      return new Usage(nodes + moreNodes, bytes + moreBytes);
    }
  }

  private StoreNode top;
  private final Map<Integer, Usage> usage;
  private final Generations generations;

  /** The source of generations: one for all versions of a store, so that none is used twice. */
  static final class Generations {
    private long last;

    long next() {
      return ++last;
    }

    long last() {
      return last;
    }

    void restore(long value) {
      last = value;
    }
  }

  private StoreTree(StoreNode top, Map<Integer, Usage> usage, Generations generations) {
    this.top = top;
    this.usage = usage;
    this.generations = generations;
  }

  /** A store that has nothing but an unreadable root. */
  static StoreTree empty(Generations generations) {
    StoreNode top = StoreNode.empty(Perms.of(Perm.none(0)), generations.next());
    StoreTree tree = new StoreTree(top, new HashMap<>(), generations);
    tree.plant(StorePath.ROOT, Perms.of(Perm.none(0)));
    return tree;
  }

  /** Adds a node directly under the unnamed top: the root or a special one. */
  void plant(String name, Perms perms) {
    StoreNode node = StoreNode.empty(perms, generations.next());
    top = top.withChild(name, node);
    account(name, node, 1);
  }

  /** An independent version with the same content. */
  StoreTree fork() {
    return new StoreTree(top, new HashMap<>(usage), generations);
  }

  /** Takes over the content of another version of the same store. */
  void become(StoreTree other) {
    top = other.top;
    usage.clear();
    usage.putAll(other.usage);
  }

  boolean sameContentAs(StoreTree other) {
    return top == other.top;
  }

  Usage usage(int domid) {
    return usage.getOrDefault(domid, Usage.NONE);
  }

  @Nullable StoreNode get(String path) {
    StoreNode node = top;
    for (String segment : segments(path)) {
      node = node.child(segment);
      if (node == null) {
        return null;
      }
    }
    return node;
  }

  private StoreNode existing(String path) {
    StoreNode node = get(path);
    if (node == null) {
      throw new IllegalStateException("no node " + path);
    }
    return node;
  }

  /** Gives an existing node a value and permissions; its children stay. */
  void set(String path, byte[] value, Perms perms) {
    edit(path, node -> node.withContent(value, perms, generations.next()));
  }

  /** The nearest existing node at or above a path. */
  String nearest(String path) {
    String[] segments = segments(path);
    StoreNode node = top;
    int found = 0;
    while (found < segments.length) {
      StoreNode child = node.child(segments[found]);
      if (child == null) {
        break;
      }
      node = child;
      found++;
    }
    String nearest = path;
    for (int i = found; i < segments.length; i++) {
      nearest = StorePath.parent(nearest);
    }
    return nearest;
  }

  /**
   * Adds nodes without siblings, one below the other, below an existing node, which thereby changes
   * too: in one go, since a guest can ask for a thousand of them.
   *
   * @param paths the new nodes, the lowest first
   * @param value what the lowest gets; the others are empty
   */
  void add(List<String> paths, byte[] value, Perms perms) {
    long generation = generations.next();
    StoreNode node = StoreNode.leaf(value, perms, generation);
    account(paths.getFirst(), node, 1);
    for (int i = 1; i < paths.size(); i++) {
      StoreNode above = StoreNode.empty(perms, generation);
      node = above.withChild(StorePath.name(paths.get(i - 1)), node);
      account(paths.get(i), node, 1);
    }
    StoreNode chain = node;
    String highest = paths.getLast();
    edit(
        StorePath.parent(highest),
        parent ->
            parent
                .withContent(parent.value(), parent.perms(), generations.next())
                .withChild(StorePath.name(highest), chain));
  }

  /** Removes an existing node and all below it; its parent thereby changes too. */
  void remove(String path) {
    walk(path, existing(path), null, (name, node, parent) -> account(name, node, -1));
    edit(
        StorePath.parent(path),
        parent ->
            parent
                .withContent(parent.value(), parent.perms(), generations.next())
                .withoutChild(StorePath.name(path)));
  }

  private void edit(String path, UnaryOperator<StoreNode> change) {
    top =
        top.edited(
            segments(path),
            0,
            before -> {
              StoreNode after = change.apply(before);
              account(path, before, -1);
              account(path, after, 1);
              return after;
            });
  }

  private void account(String path, StoreNode node, int sign) {
    int nodes = sign;
    long bytes = sign * (long) (node.sizeBytes() + path.length());
    usage.merge(
        node.perms().owner(),
        new Usage(nodes, bytes),
        (before, more) -> {
          Usage sum = before.plus(more.nodes(), more.bytes());
          return sum.nodes() == 0 && sum.bytes() == 0 ? null : sum;
        });
  }

  /** What {@link #walk} calls; {@code parent} is null for the node where the walk began. */
  interface Visitor {
    void visit(String path, StoreNode node, @Nullable StoreNode parent);
  }

  /** Visits a node and all below it, children before their parents, oldest first. */
  void walk(String path, StoreNode node, @Nullable StoreNode parent, Visitor visitor) {
    for (String name : node.listing()) {
      StoreNode child = node.child(name);
      if (child != null) {
        walk(StorePath.child(path, name), child, node, visitor);
      }
    }
    visitor.visit(path, node, parent);
  }

  /** Everything, parents before children: what is saved. */
  List<XenstoreState.Node> save() {
    List<XenstoreState.Node> saved = new ArrayList<>();
    for (String name : top.listing()) {
      StoreNode node = top.child(name);
      if (node != null) {
        walk(
            name,
            node,
            null,
            (path, each, parent) ->
                saved.add(
                    new XenstoreState.Node(
                        path,
                        each.value().clone(),
                        each.perms(),
                        each.generation(),
                        each.birth())));
      }
    }
    return saved.reversed();
  }

  /** The store that {@link #save} saw. */
  static StoreTree restore(List<XenstoreState.Node> saved, Generations generations) {
    StoreTree tree =
        new StoreTree(StoreNode.empty(Perms.of(Perm.none(0)), 0), new HashMap<>(), generations);
    for (XenstoreState.Node each : saved) {
      StoreNode node =
          StoreNode.leaf(each.value().clone(), each.perms(), each.generation())
              .withBirth(each.birth());
      String[] segments = segments(each.path());
      if (segments.length == 1) {
        tree.top = tree.top.withChild(each.path(), node);
        tree.account(each.path(), node, 1);
      } else {
        tree.edit(
            StorePath.parent(each.path()),
            parent -> parent.withChild(StorePath.name(each.path()), node));
        tree.account(each.path(), node, 1);
      }
    }
    return tree;
  }

  /** Recounts what every domain owns and compares: a bug in the accounting is loud. */
  void audit() {
    StoreTree recount = new StoreTree(top, new HashMap<>(), generations);
    for (String name : top.listing()) {
      StoreNode node = top.child(name);
      if (node != null) {
        recount.walk(name, node, null, (path, each, parent) -> recount.account(path, each, 1));
      }
    }
    if (!recount.usage.equals(usage)) {
      throw new IllegalStateException("usage " + usage + ", but counted " + recount.usage);
    }
  }

  private static String[] segments(String path) {
    if (path.equals(StorePath.ROOT)) {
      return new String[] {StorePath.ROOT};
    }
    String[] split = path.split("/", -1);
    if (split[0].isEmpty()) {
      split[0] = StorePath.ROOT;
    }
    return split;
  }
}
