package parhelion.backends.xenstore;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * A node of the store with all that is below it: immutable, so a transaction's copy of the whole
 * store is one reference. Changing a node rebuilds the nodes from it up to the root and shares the
 * rest.
 *
 * <p>The generation is the node's own: it moves when the value, the permissions or the set of
 * children's names change, not when something changes further down. Conflict detection and
 * DIRECTORY_PART rest on that.
 */
final class StoreNode {
  private static final byte[] NO_VALUE = {};
  private static final String[] NO_NAMES = {};
  private static final StoreNode[] NO_CHILDREN = {};

  private final byte[] value;
  private final Perms perms;
  private final long generation;
  private final long birth;
  private final String[] names;
  private final StoreNode[] children;
  private final int nameBytes;

  private StoreNode(
      byte[] value,
      Perms perms,
      long generation,
      long birth,
      String[] names,
      StoreNode[] children,
      int nameBytes) {
    this.value = value;
    this.perms = perms;
    this.generation = generation;
    this.birth = birth;
    this.names = names;
    this.children = children;
    this.nameBytes = nameBytes;
  }

  /** A node without children. The value is not copied and must not be changed any more. */
  static StoreNode leaf(byte[] value, Perms perms, long generation) {
    return new StoreNode(value, perms, generation, generation, NO_NAMES, NO_CHILDREN, 0);
  }

  static StoreNode empty(Perms perms, long generation) {
    return leaf(NO_VALUE, perms, generation);
  }

  byte[] value() {
    return value;
  }

  Perms perms() {
    return perms;
  }

  long generation() {
    return generation;
  }

  /**
   * When the node came to be, on the generations' scale: the order in which children are listed.
   */
  long birth() {
    return birth;
  }

  @Nullable StoreNode child(String name) {
    int i = Arrays.binarySearch(names, name);
    return i < 0 ? null : children[i];
  }

  /** The children's names, oldest child first. */
  List<String> listing() {
    Integer[] order = new Integer[names.length];
    Arrays.setAll(order, i -> i);
    Arrays.sort(order, Comparator.comparingLong(i -> children[i].birth));
    List<String> listing = new ArrayList<>(order.length);
    for (int i : order) {
      listing.add(names[i]);
    }
    return listing;
  }

  /** What the node-size and memory quotas count, as Xen's daemon lays a node out, in bytes. */
  int sizeBytes() {
    return 16 + 8 * perms.size() + value.length + nameBytes;
  }

  StoreNode withContent(byte[] newValue, Perms newPerms, long newGeneration) {
    return new StoreNode(newValue, newPerms, newGeneration, birth, names, children, nameBytes);
  }

  StoreNode withBirth(long when) {
    return new StoreNode(value, perms, generation, when, names, children, nameBytes);
  }

  private StoreNode withChildren(String[] newNames, StoreNode[] newChildren, int newNameBytes) {
    return new StoreNode(value, perms, generation, birth, newNames, newChildren, newNameBytes);
  }

  /** Adds or replaces a child; the generation stays. */
  StoreNode withChild(String name, StoreNode child) {
    int found = Arrays.binarySearch(names, name);
    if (found >= 0) {
      StoreNode[] replaced = children.clone();
      replaced[found] = child;
      return withChildren(names, replaced, nameBytes);
    }
    int at = -found - 1;
    String[] newNames = Arrays.copyOf(names, names.length + 1);
    StoreNode[] newChildren = Arrays.copyOf(children, children.length + 1);
    System.arraycopy(names, at, newNames, at + 1, names.length - at);
    System.arraycopy(children, at, newChildren, at + 1, children.length - at);
    newNames[at] = name;
    newChildren[at] = child;
    return withChildren(newNames, newChildren, nameBytes + name.length() + 1);
  }

  /** Removes a child that is there; the generation stays. */
  StoreNode withoutChild(String name) {
    int at = Arrays.binarySearch(names, name);
    String[] newNames = Arrays.copyOf(names, names.length - 1);
    StoreNode[] newChildren = Arrays.copyOf(children, children.length - 1);
    System.arraycopy(names, at + 1, newNames, at, newNames.length - at);
    System.arraycopy(children, at + 1, newChildren, at, newNames.length - at);
    return withChildren(newNames, newChildren, nameBytes - name.length() - 1);
  }

  /**
   * A copy in which the existing node at {@code segments[from...]} has become {@code edit} of it.
   */
  StoreNode edited(String[] segments, int from, UnaryOperator<StoreNode> edit) {
    if (from == segments.length) {
      return edit.apply(this);
    }
    StoreNode child = child(segments[from]);
    if (child == null) {
      throw new IllegalStateException("no node " + String.join("/", segments));
    }
    return withChild(segments[from], child.edited(segments, from + 1, edit));
  }
}
