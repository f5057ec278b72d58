package parhelion.backends.xenstore;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The store as simply as it can be said, for dom0 and without permissions: a map from path to
 * value.
 */
final class StoreModel {
  private final TreeMap<String, String> nodes = new TreeMap<>();

  StoreModel() {
    nodes.put("/", "");
  }

  StoreModel(StoreModel other) {
    nodes.putAll(other.nodes);
  }

  String read(String path) {
    String value = nodes.get(path);
    return value == null ? "ENOENT" : "=" + value;
  }

  void write(String path, String value) {
    mkdir(path);
    nodes.put(path, value);
  }

  void mkdir(String path) {
    for (String at = path; !nodes.containsKey(at); at = StorePath.parent(at)) {
      nodes.put(at, "");
    }
  }

  String rm(String path) {
    if (!nodes.containsKey(path)) {
      return nodes.containsKey(StorePath.parent(path)) ? "OK" : "ENOENT";
    }
    if (path.equals("/")) {
      return "EINVAL";
    }
    nodes.keySet().removeIf(each -> StorePath.depthBelow(each, path) >= 0);
    return "OK";
  }

  String list(String path) {
    if (!nodes.containsKey(path)) {
      return "ENOENT";
    }
    List<String> names = new ArrayList<>();
    for (String each : nodes.keySet()) {
      if (!each.equals("/") && StorePath.parent(each).equals(path)) {
        names.add(StorePath.name(each));
      }
    }
    return String.join(",", names);
  }

  Map<String, String> nodes() {
    return nodes;
  }
}
