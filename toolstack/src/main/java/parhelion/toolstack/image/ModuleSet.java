package parhelion.toolstack.image;

import java.util.List;
import java.util.Map;

/**
 * Modules for one guest's initramfs.
 *
 * @param load the names of those that its first process loads at once, what others need first
 * @param files what the archive holds, below {@code lib/modules}: the modules, not packed, and
 *     lists of them for modprobe, by path
 */
public record ModuleSet(List<String> load, Map<String, byte[]> files) {
  /** For a kernel that needs none. */
  public static final ModuleSet NONE = new ModuleSet(List.of(), Map.of());

  /**
   * What devices ask for.
   *
   * @param load modules to load at boot; all must exist, built in or not
   * @param atHand modules that the guest may come to need: there if the kernel has them
   */
  public record Request(List<String> load, List<String> atHand) {
    public static final Request NONE = new Request(List.of(), List.of());

    public boolean isEmpty() {
      return load.isEmpty() && atHand.isEmpty();
    }

    /** Both. */
    public Request and(Request other) {
      return new Request(join(load, other.load), join(atHand, other.atHand));
    }

    private static List<String> join(List<String> a, List<String> b) {
      return java.util.stream.Stream.concat(a.stream(), b.stream()).distinct().toList();
    }
  }
}
