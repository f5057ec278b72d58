package parhelion.cpu.interp;

import java.util.Locale;
import org.jspecify.annotations.Nullable;
import parhelion.cpu.memory.MachineMemory;
import parhelion.cpu.rewrite.RegionCache;

/** What executes guest code. */
public enum Engine {
  /** The rewriter where the host allows it, else the interpreter. */
  AUTO,
  REWRITER,
  INTERPRETER;

  /** System property that names the engine where nobody chose one. */
  public static final String PROPERTY = "parhelion.engine";

  /** The engine of {@link #PROPERTY}, or AUTO. */
  public static Engine preferred() {
    String name = System.getProperty(PROPERTY, "auto");
    return valueOf(name.toUpperCase(Locale.ROOT));
  }

  @Nullable RegionCache regions(MachineMemory memory, CodeCache code) {
    if (this == INTERPRETER) {
      return null;
    }
    try {
      return RegionCache.create(memory, code);
    } catch (UnsupportedOperationException e) {
      if (this == REWRITER) {
        throw e;
      }
      return null;
    }
  }
}
