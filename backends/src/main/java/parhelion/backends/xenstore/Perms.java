package parhelion.backends.xenstore;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import parhelion.abi.Domid;

/**
 * A node's permission list. The first entry names the owner, who may do everything, and what
 * everybody without an entry may do; the others name single domains.
 */
public record Perms(List<Perm> entries) {
  public Perms {
    entries = List.copyOf(entries);
    if (entries.isEmpty()) {
      throw new XsException(XsErrno.EINVAL, "empty permission list");
    }
  }

  public static Perms of(Perm... entries) {
    return new Perms(List.of(entries));
  }

  /** Reads the form that {@link #toString} writes: wire entries separated by blanks or commas. */
  public static Perms parse(String text) {
    List<Perm> entries = new ArrayList<>();
    for (String entry : text.split("[ ,]", -1)) {
      entries.add(Perm.parse(entry));
    }
    return new Perms(entries);
  }

  public int owner() {
    return entries.get(0).domid();
  }

  int size() {
    return entries.size();
  }

  /** What {@code domid} may do, and what it may do on behalf of {@code target} (-1: none). */
  int accessOf(int domid, int target) {
    if (matches(entries.get(0), domid, target)) {
      return Perm.ALL;
    }
    for (int i = 1; i < entries.size(); i++) {
      Perm entry = entries.get(i);
      if (!entry.ignored() && matches(entry, domid, target)) {
        return entry.access();
      }
    }
    return entries.get(0).access();
  }

  private static boolean matches(Perm entry, int domid, int target) {
    return entry.domid() == domid || entry.domid() == target || entry.domid() == Domid.ANY;
  }

  Perms withOwner(int domid) {
    List<Perm> changed = new ArrayList<>(entries);
    changed.set(0, new Perm(domid, entries.get(0).access(), false));
    return new Perms(changed);
  }

  boolean mentions(int domid) {
    return entries.stream().anyMatch(entry -> entry.domid() == domid);
  }

  /** Without entries for a domain that is gone; the owner is not looked at. */
  Perms without(int domid) {
    List<Perm> kept = new ArrayList<>();
    kept.add(entries.get(0));
    for (Perm entry : entries.subList(1, entries.size())) {
      if (entry.domid() != domid) {
        kept.add(entry);
      }
    }
    return kept.size() == entries.size() ? this : new Perms(kept);
  }

  @Override
  public String toString() {
    return entries.stream().map(Perm::toString).collect(Collectors.joining(" "));
  }
}
