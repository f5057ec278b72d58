package parhelion.abi;

import java.io.File;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * All that the module declares, found in its class files, so that nothing has to be listed for the
 * tests.
 */
final class Declarations {
  private Declarations() {}

  /** A static field of a class and its value. */
  record Static(Class<?> owner, String name, Class<?> type, Object value) {
    @Override
    public String toString() {
      return owner.getSimpleName() + "." + name;
    }
  }

  /** Every class of the module, nested ones too. */
  static List<Class<?>> classes() {
    try {
      File root =
          new File(Struct.class.getProtectionDomain().getCodeSource().getLocation().toURI());
      List<Class<?>> classes = new ArrayList<>();
      String[] files = new File(root, "parhelion/abi").list((dir, name) -> name.endsWith(".class"));
      Arrays.sort(files);
      for (String file : files) {
        if (!file.equals("package-info.class")) {
          classes.add(Class.forName("parhelion.abi." + file.replace(".class", "")));
        }
      }
      return classes;
    } catch (Exception e) {
      throw new AssertionError("cannot list the module's classes", e);
    }
  }

  /**
   * Every static field of the module whose type is {@code type} or implements it, private ones too.
   */
  static List<Static> statics(Class<?> type) {
    return classes().stream().flatMap(owner -> statics(owner, type).stream()).toList();
  }

  static List<Static> statics(Class<?> owner, Class<?> type) {
    List<Static> statics = new ArrayList<>();
    for (java.lang.reflect.Field field : owner.getDeclaredFields()) {
      if (Modifier.isStatic(field.getModifiers()) && type.isAssignableFrom(field.getType())) {
        try {
          field.setAccessible(true);
          statics.add(new Static(owner, field.getName(), field.getType(), field.get(null)));
        } catch (IllegalAccessException e) {
          throw new AssertionError(e);
        }
      }
    }
    return statics;
  }

  /** Every public number: the constants. */
  static List<Static> constants() {
    List<Static> constants = new ArrayList<>(statics(int.class));
    constants.addAll(statics(long.class));
    return constants;
  }

  /** The rosters: every enum. */
  static List<Class<?>> rosters() {
    return classes().stream().filter(Class::isEnum).<Class<?>>map(c -> c).toList();
  }

  /** Argument structures: every record with a {@code read(Bytes, long)}. */
  static List<Class<?>> argumentRecords() {
    List<Class<?>> records = new ArrayList<>();
    for (Class<?> c : classes()) {
      if (c.isRecord() && !statics(c, Struct.class).isEmpty()) {
        records.add(c);
      }
    }
    return records;
  }
}
