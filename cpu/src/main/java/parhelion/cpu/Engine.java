package parhelion.cpu;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** What executes guest code. */
public enum Engine {
  /** The rewriter where the host allows it, else the interpreter. */
  AUTO,
  REWRITER,
  INTERPRETER;

  /** System property that names the engine where nobody chose one. */
  public static final String PROPERTY = "parhelion.engine";

  /** Its name on the command line. */
  public final String label = name().toLowerCase(Locale.ROOT);

  /** The engine of that name, or null. */
  public static @Nullable Engine of(String label) {
    for (Engine engine : values()) {
      if (engine.label.equals(label)) {
        return engine;
      }
    }
    return null;
  }

  /** The engine of {@link #PROPERTY}, or AUTO. */
  public static Engine preferred() {
    String name = System.getProperty(PROPERTY, AUTO.label);
    Engine engine = of(name);
    if (engine == null) {
      throw new IllegalArgumentException(
          PROPERTY + "=" + name + ": give auto, rewriter or interpreter");
    }
    return engine;
  }
}
