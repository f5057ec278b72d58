package parhelion.lab.result;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import org.jspecify.annotations.Nullable;

/** A way to run a guest, from the most that is emulated to the least. */
public enum Technique {
  FULL("full", "Full virtualisation", "an unmodified system on an emulated PC with its devices"),
  FULL_XEN(
      "full+xen",
      "Full, Xen drivers",
      "the same PC, whose disk and network are Xen's split drivers (PVHVM)"),
  FULL_VIRTIO(
      "full+virtio",
      "Full, virtio drivers",
      "the same PC, whose disk and network are virtio devices, with KVM's paravirtual clock"),
  PVH(
      "pvh",
      "PVH",
      "a processor as on hardware, Xen's entry and drivers, and no emulated device at all"),
  PARA(
      "para",
      "Paravirtualisation",
      "a Xen PV domain: hypercalls, direct paging, event channels and split drivers"),
  PARTIAL(
      "partial",
      "Partial virtualisation",
      "an address space and system calls for one program, with no kernel of its own");

  /** Its name on the command line and in files. */
  @JsonValue public final String id;

  /** What tables call it. */
  public final String title;

  /** What it is, in a phrase without a full stop. */
  public final String sentence;

  Technique(String id, String title, String sentence) {
    this.id = id;
    this.title = title;
    this.sentence = sentence;
  }

  /** The technique of that name, or null. */
  public static @Nullable Technique of(String id) {
    for (Technique technique : values()) {
      if (technique.id.equals(id)) {
        return technique;
      }
    }
    return null;
  }

  /** For Jackson: {@link IllegalArgumentException} for an unknown name. */
  @JsonCreator
  static Technique parse(String id) {
    Technique technique = of(id);
    if (technique == null) {
      throw new IllegalArgumentException("no technique is called '" + id + "'");
    }
    return technique;
  }
}
