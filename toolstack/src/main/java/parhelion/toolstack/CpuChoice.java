package parhelion.toolstack;

import java.util.Locale;
import org.jspecify.annotations.Nullable;
import parhelion.cpu.CpuModel;
import parhelion.cpu.Engine;
import parhelion.cpu.rewrite.HostCpu;

/**
 * The processor that a guest sees and what executes its code, as people name them.
 *
 * @param model which processor that is
 * @param engine what executes its code
 */
public record CpuChoice(CpuModel model, Engine engine) {
  /** A model on the engine that is preferred. */
  public CpuChoice(CpuModel model) {
    this(model, Engine.preferred());
  }

  /** What guests get unless someone asks for something else. */
  public static CpuChoice preferred() {
    return new CpuChoice(CpuModel.DEFAULT);
  }

  private static @Nullable CpuModel model(String name) {
    String lower = name.toLowerCase(Locale.ROOT);
    return lower.equals("host") ? HostCpu.model() : CpuModel.of(lower);
  }

  /** The choice of these names; null if one of them names nothing. */
  public static @Nullable CpuChoice of(String model, String engine) {
    CpuModel cpu = model(model);
    Engine runs = Engine.of(engine.toLowerCase(Locale.ROOT));
    return cpu == null || runs == null ? null : new CpuChoice(cpu, runs);
  }

  /** Whether a model has that name: v2, v3, max, host. */
  public static boolean isModel(String name) {
    return model(name) != null;
  }

  /** Whether an engine has that name: auto, rewriter, interpreter. */
  public static boolean isEngine(String name) {
    return Engine.of(name.toLowerCase(Locale.ROOT)) != null;
  }
}
