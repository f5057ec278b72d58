package parhelion.toolstack;

import java.util.Locale;
import org.jspecify.annotations.Nullable;
import parhelion.cpu.CpuModel;

/**
 * The processor that a guest sees, as people name it.
 *
 * @param model what that is
 */
public record CpuChoice(CpuModel model) {
  /** What guests see unless someone asks for another. */
  public static final CpuChoice DEFAULT = new CpuChoice(CpuModel.DEFAULT);

  /** The choice of that name (v2, v3, max), or null. */
  public static @Nullable CpuChoice of(String name) {
    CpuModel model = CpuModel.of(name.toLowerCase(Locale.ROOT));
    return model == null ? null : new CpuChoice(model);
  }
}
