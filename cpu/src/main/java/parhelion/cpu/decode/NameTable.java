package parhelion.cpu.decode;

import org.jspecify.annotations.Nullable;

/**
 * Finds enum constants by name. {@link Enum#valueOf} would do, but it goes through reflection when
 * first used, which for the opcode map's three enums costs 4 ms of every start; this costs a
 * fraction of one.
 */
final class NameTable<E extends Enum<E>> {
  private final @Nullable Enum<?>[] slots;

  NameTable(E[] values) {
    slots = new Enum<?>[Integer.highestOneBit(values.length) * 4];
    for (E value : values) {
      int i = slot(value.name());
      while (slots[i] != null) {
        i = i + 1 & slots.length - 1;
      }
      slots[i] = value;
    }
  }

  private int slot(String name) {
    int length = name.length();
    int hash = length * 7;
    hash = hash * 31 + name.charAt(0);
    hash = hash * 31 + name.charAt(length >> 1);
    hash = hash * 31 + name.charAt(length - 1);
    hash = hash * 31 + name.charAt(length - 1 >> 1);
    hash *= 0x9e3779b9;
    return hash >>> 16 & slots.length - 1;
  }

  @SuppressWarnings("unchecked") // only E's were put in
  E get(String name) {
    int i = slot(name);
    for (Enum<?> found = slots[i]; found != null; found = slots[i]) {
      if (found.name().equals(name)) {
        return (E) found;
      }
      i = i + 1 & slots.length - 1;
    }
    throw new IllegalStateException("opcode map: unknown word " + name);
  }
}
