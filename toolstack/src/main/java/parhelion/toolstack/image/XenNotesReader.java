package parhelion.toolstack.image;

import java.nio.ByteBuffer;
import java.util.Collections;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import parhelion.abi.ElfNote;
import parhelion.abi.XenFeature;

/**
 * Finds a kernel's Xen notes: in PT_NOTE segments, else in SHT_NOTE sections, else in the older
 * {@code __xen_guest} string. Reads them with Xen's rules and refuses what Xen refuses.
 */
final class XenNotesReader {
  private static final int MAX_NOTES = 65536;
  private static final int MAX_TEXT_BYTES = 4096;
  private static final String NOT_FOR_XEN = "give a kernel built with Xen PV guest support";

  private final ElfImage elf;
  private final ByteBuffer file;
  private final Map<ElfNote, Long> numbers = new EnumMap<>(ElfNote.class);
  private final Map<ElfNote, String> texts = new EnumMap<>(ElfNote.class);
  private final Set<XenFeature> required = EnumSet.noneOf(XenFeature.class);
  private int supportedMask;
  private XenNotes.@Nullable L1MfnValid l1MfnValid;
  private int seen;
  private int ours;

  private XenNotesReader(ElfImage elf) {
    this.elf = elf;
    this.file = elf.file();
  }

  static XenNotes read(ElfImage elf) {
    XenNotesReader reader = new XenNotesReader(elf);
    boolean legacy = reader.find();
    return reader.resolve(legacy);
  }

  private ImageException refuse(String what) {
    return ImageException.of(elf.name(), what, NOT_FOR_XEN);
  }

  /** Collects the notes; true if they came from the older string. */
  private boolean find() {
    for (ElfImage.Segment segment : elf.segments()) {
      if (segment.type() == ElfImage.PT_NOTE && segment.fileOffset() != 0) {
        notes(segment.fileOffset(), segment.fileOffset() + segment.fileBytes());
      }
    }
    if (ours == 0) {
      for (ElfImage.Section section : elf.sections()) {
        if (section.type() == ElfImage.SHT_NOTE) {
          notes(section.offset(), section.offset() + section.bytes());
        }
      }
    }
    if (ours > 0) {
      return false;
    }
    ElfImage.Section old = elf.section("__xen_guest");
    if (old == null) {
      throw refuse("has no Xen ELF notes, so it cannot run as a Xen PV guest");
    }
    guestString(elf.string(old.offset(), Math.min(old.bytes(), MAX_TEXT_BYTES)));
    return true;
  }

  private void notes(int at, int end) {
    while (end - at >= 12 && seen < MAX_NOTES) {
      seen++;
      long nameBytes = file.getInt(at) & 0xffff_ffffL;
      long descBytes = file.getInt(at + 4) & 0xffff_ffffL;
      int type = file.getInt(at + 8);
      long desc = at + 12 + ((nameBytes + 3) & ~3L);
      long next = desc + ((descBytes + 3) & ~3L);
      if (desc > end || desc + descBytes > end) {
        return;
      }
      if (nameBytes == 4 && file.getInt(at + 12) == 0x006e6558) { // "Xen"
        ours++;
        ElfNote note = ElfNote.of(type);
        if (note != null) {
          note(note, (int) desc, (int) descBytes);
        }
      }
      at = (int) Math.min(next, end);
    }
  }

  private void note(ElfNote note, int at, int bytes) {
    switch (note) {
      case GUEST_OS, GUEST_VERSION, XEN_VERSION, LOADER, PAE_MODE, BSD_SYMTAB ->
          texts.put(note, elf.string(at, Math.min(bytes, MAX_TEXT_BYTES)));
      case FEATURES -> features(elf.string(at, Math.min(bytes, MAX_TEXT_BYTES)));
      case SUPPORTED_FEATURES -> supportedMask |= (int) number(at, bytes);
      case L1_MFN_VALID -> {
        if (bytes >= 16) {
          l1MfnValid = new XenNotes.L1MfnValid(file.getLong(at), file.getLong(at + 8));
        }
      }
      case INFO, PHYS32_RELOC -> {}
      default -> numbers.put(note, number(at, bytes));
    }
  }

  /** Xen reads sizes 1, 2, 4 and 8; everything else counts as 0. */
  private long number(int at, int bytes) {
    return switch (bytes) {
      case 1 -> file.get(at) & 0xff;
      case 2 -> file.getShort(at) & 0xffff;
      case 4 -> file.getInt(at) & 0xffff_ffffL;
      case 8 -> file.getLong(at);
      default -> 0;
    };
  }

  /** {@code name|!name|...}: supported, and with an exclamation mark required too. */
  private void features(String list) {
    int at = 0;
    while (at < list.length()) {
      int bar = list.indexOf('|', at);
      String word = list.substring(at, bar < 0 ? list.length() : bar);
      at = bar < 0 ? list.length() : bar + 1;
      boolean must = word.startsWith("!");
      XenFeature feature = featureNamed(must ? word.substring(1) : word);
      if (feature != null) {
        supportedMask |= 1 << feature.nr();
        if (must) {
          required.add(feature);
        }
      } else if (must) {
        throw refuse("requires the Xen feature '" + word.substring(1) + "', which is unknown");
      }
    }
  }

  private static @Nullable XenFeature featureNamed(String word) {
    for (XenFeature feature : XenFeature.values()) {
      if (feature.cName().substring("XENFEAT_".length()).equals(word)) {
        return feature;
      }
    }
    return null;
  }

  /** The string of a {@code __xen_guest} section: {@code KEY=value,KEY=value}. */
  private void guestString(String text) {
    int at = 0;
    while (at < text.length()) {
      int comma = text.indexOf(',', at);
      String pair = text.substring(at, comma < 0 ? text.length() : comma);
      at = comma < 0 ? text.length() : comma + 1;
      int equals = pair.indexOf('=');
      String key = equals < 0 ? pair : pair.substring(0, equals);
      String value = equals < 0 ? "" : pair.substring(equals + 1);
      switch (key) {
        case "LOADER" -> texts.put(ElfNote.LOADER, value);
        case "GUEST_OS" -> texts.put(ElfNote.GUEST_OS, value);
        case "GUEST_VER" -> texts.put(ElfNote.GUEST_VERSION, value);
        case "XEN_VER" -> texts.put(ElfNote.XEN_VERSION, value);
        case "PAE" -> texts.put(ElfNote.PAE_MODE, value);
        case "BSD_SYMTAB" -> texts.put(ElfNote.BSD_SYMTAB, "yes");
        case "VIRT_BASE" -> numbers.put(ElfNote.VIRT_BASE, cNumber(key, value));
        case "VIRT_ENTRY" -> numbers.put(ElfNote.ENTRY, cNumber(key, value));
        case "ELF_PADDR_OFFSET" -> numbers.put(ElfNote.PADDR_OFFSET, cNumber(key, value));
        case "HYPERCALL_PAGE" -> numbers.put(ElfNote.HYPERCALL_PAGE, cNumber(key, value) << 12);
        case "FEATURES" -> features(value);
        default -> {}
      }
    }
    Long base = numbers.get(ElfNote.VIRT_BASE);
    Long page = numbers.get(ElfNote.HYPERCALL_PAGE);
    if (base != null && page != null) {
      numbers.put(ElfNote.HYPERCALL_PAGE, page + base);
    }
  }

  private long cNumber(String key, String value) {
    try {
      String lower = value.toLowerCase(Locale.ROOT);
      return lower.startsWith("0x")
          ? Long.parseUnsignedLong(lower.substring(2), 16)
          : Long.parseUnsignedLong(lower, lower.length() > 1 && lower.startsWith("0") ? 8 : 10);
    } catch (NumberFormatException e) {
      throw refuse("says " + key + "=" + value + " in __xen_guest, which is no number");
    }
  }

  private XenNotes resolve(boolean legacy) {
    String loader = text(ElfNote.LOADER);
    String guestOs = text(ElfNote.GUEST_OS);
    String xenVersion = text(ElfNote.XEN_VERSION);
    // What begins in 32-bit mode runs as PVH alone, which asks for nothing but the entry.
    boolean pvhOnly = elf.is32Bit() && numbers.containsKey(ElfNote.PHYS32_ENTRY);
    if (!pvhOnly && !loader.startsWith("generic") && !guestOs.startsWith("linux")) {
      throw refuse(
          "is for the loader '" + loader + "' and the guest OS '" + guestOs + "', not for Xen's");
    }
    if (!pvhOnly && !xenVersion.startsWith("xen-3.0")) {
      throw refuse("is built for Xen '" + xenVersion + "' instead of 'xen-3.0'");
    }
    if (numbers.containsKey(ElfNote.PADDR_OFFSET) && !numbers.containsKey(ElfNote.VIRT_BASE)) {
      throw refuse("gives PADDR_OFFSET without VIRT_BASE");
    }
    long virtBase = numbers.getOrDefault(ElfNote.VIRT_BASE, 0L);
    long paddrOffset = numbers.getOrDefault(ElfNote.PADDR_OFFSET, legacy ? virtBase : 0L);
    long start = -1;
    long end = 0;
    for (ElfImage.Segment segment : elf.loadable()) {
      start = Long.compareUnsigned(segment.pa(), start) < 0 ? segment.pa() : start;
      long segmentEnd = segment.pa() + segment.memBytes();
      end = Long.compareUnsigned(segmentEnd, end) > 0 ? segmentEnd : end;
    }
    if (Long.compareUnsigned(start, end) >= 0) {
      throw refuse("has nothing to load");
    }
    long startVa = start + virtBase - paddrOffset;
    long endVa = end + virtBase - paddrOffset;
    long entryVa = numbers.getOrDefault(ElfNote.ENTRY, elf.entryVa());
    check(virtBase, startVa, endVa, entryVa);
    return new XenNotes(
        guestOs,
        text(ElfNote.GUEST_VERSION),
        xenVersion,
        loader,
        text(ElfNote.PAE_MODE),
        entryVa,
        number(ElfNote.HYPERCALL_PAGE),
        virtBase,
        paddrOffset,
        number(ElfNote.INIT_P2M),
        number(ElfNote.HV_START_LOW),
        Collections.unmodifiableSet(required),
        Collections.unmodifiableSet(featuresOf(supportedMask)),
        supportedMask,
        Optional.ofNullable(l1MfnValid),
        numbers.getOrDefault(ElfNote.SUSPEND_CANCEL, 0L) != 0,
        numbers.getOrDefault(ElfNote.MOD_START_PFN, 0L) != 0,
        text(ElfNote.BSD_SYMTAB).equals("yes"),
        number(ElfNote.PHYS32_ENTRY),
        startVa,
        endVa);
  }

  private void check(long virtBase, long startVa, long endVa, long entryVa) {
    if (Long.compareUnsigned(startVa, endVa) > 0
        || Long.compareUnsigned(entryVa, startVa) < 0
        || Long.compareUnsigned(entryVa, endVa) > 0
        || Long.compareUnsigned(virtBase, startVa) > 0) {
      throw refuse(
          String.format("has its entry 0x%x or base 0x%x outside of it", entryVa, virtBase));
    }
    outside("INIT_P2M", numbers.get(ElfNote.INIT_P2M), startVa, endVa);
    Long page = numbers.get(ElfNote.HYPERCALL_PAGE);
    if (page != null
        && ((page & 0xfff) != 0
            || Long.compareUnsigned(page, startVa) < 0
            || Long.compareUnsigned(page + 4096, endVa + 4095 & -4096L) > 0)) {
      throw refuse(String.format("has its hypercall page at 0x%x, outside of it", page));
    }
  }

  private void outside(String what, @Nullable Long va, long startVa, long endVa) {
    if (va != null
        && Long.compareUnsigned(va, startVa) >= 0
        && Long.compareUnsigned(va, endVa) < 0) {
      throw refuse(String.format("wants %s at 0x%x, inside itself", what, va));
    }
  }

  private String text(ElfNote note) {
    return texts.getOrDefault(note, "");
  }

  private OptionalLong number(ElfNote note) {
    Long value = numbers.get(note);
    return value == null ? OptionalLong.empty() : OptionalLong.of(value);
  }

  private static Set<XenFeature> featuresOf(int mask) {
    Set<XenFeature> found = EnumSet.noneOf(XenFeature.class);
    for (XenFeature feature : XenFeature.values()) {
      if ((mask >>> feature.nr() & 1) != 0) {
        found.add(feature);
      }
    }
    return found;
  }
}
