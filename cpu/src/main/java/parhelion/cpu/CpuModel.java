package parhelion.cpu;

import java.util.Collections;
import java.util.EnumSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import parhelion.cpu.decode.Feature;
import parhelion.cpu.fpu.StateArea;

/**
 * Which processor a guest sees: a set of features. Each model has all that those before it have.
 * The rows of {@link Cpuid} say from which model on they hold; decoder, CPUID and XCR0 follow.
 */
public enum CpuModel {
  /** The x86-64-v2 level: SSE4.2, POPCNT, CX16. */
  V2("v2", 3),

  /** The x86-64-v3 level: AVX2, BMI, FMA, F16C, LZCNT, MOVBE, and XSAVE with YMM and compaction. */
  V3("v3", 7),

  /** All that is implemented: also AES, PCLMULQDQ, SHA, ADX. */
  MAX("max", 7);

  /** What a CPU is unless someone asks for another. */
  public static final CpuModel DEFAULT = V2;

  /** Its name on the command line. */
  public final String label;

  /** XCR0 bits that may be set: x87, SSE, from V3 on AVX. */
  public final long xcr0Bits;

  private final Set<Feature> features;

  CpuModel(String label, long xcr0Bits) {
    this.label = label;
    this.xcr0Bits = xcr0Bits;
    EnumSet<Feature> set = EnumSet.of(Feature.BASE);
    Cpuid.addFeatures(set, ordinal());
    features = Collections.unmodifiableSet(set);
  }

  /** The instruction-set extensions that are offered: the decoder's gate. */
  public Set<Feature> features() {
    return features;
  }

  public boolean has(Feature feature) {
    return features.contains(feature);
  }

  /** Bytes of a standard XSAVE area with all of its components. */
  public int xsaveBytes() {
    return StateArea.standardBytes(xcr0Bits);
  }

  /** The model of that name, or null. */
  public static @Nullable CpuModel of(String label) {
    for (CpuModel model : values()) {
      if (model.label.equals(label)) {
        return model;
      }
    }
    return null;
  }
}
