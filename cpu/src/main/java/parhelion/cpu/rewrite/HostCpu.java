package parhelion.cpu.rewrite;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import parhelion.cpu.CpuModel;
import parhelion.cpu.decode.Feature;

/** What the host's processor can do, as Linux says in /proc/cpuinfo. */
public final class HostCpu {
  private static final long AT_HWCAP2 = 26;
  private static final long HWCAP2_FSGSBASE = 2;

  private static final Set<String> FLAGS = flags();

  /** Linux's names for the features that not every x86-64 processor has. */
  private static final Map<Feature, String> NAMES = names();

  private HostCpu() {}

  private static Map<Feature, String> names() {
    Map<Feature, String> names = new EnumMap<>(Feature.class);
    names.put(Feature.SSE3, "pni");
    names.put(Feature.SSSE3, "ssse3");
    names.put(Feature.SSE41, "sse4_1");
    names.put(Feature.SSE42, "sse4_2");
    names.put(Feature.POPCNT, "popcnt");
    names.put(Feature.CX16, "cx16");
    names.put(Feature.LAHF, "lahf_lm");
    names.put(Feature.ABM, "abm");
    names.put(Feature.BMI1, "bmi1");
    names.put(Feature.BMI2, "bmi2");
    names.put(Feature.MOVBE, "movbe");
    names.put(Feature.AVX, "avx");
    names.put(Feature.AVX2, "avx2");
    names.put(Feature.FMA, "fma");
    names.put(Feature.F16C, "f16c");
    names.put(Feature.AES, "aes");
    names.put(Feature.PCLMULQDQ, "pclmulqdq");
    names.put(Feature.SHA, "sha_ni");
    names.put(Feature.ADX, "adx");
    return names;
  }

  private static Set<String> flags() {
    try {
      for (String line : Files.readAllLines(Path.of("/proc/cpuinfo"))) {
        if (line.startsWith("flags")) {
          return new HashSet<>(
              Arrays.asList(line.substring(line.indexOf(':') + 1).trim().split(" ")));
        }
      }
    } catch (IOException e) {
      // Then it has nothing that we know of.
    }
    return Collections.emptySet();
  }

  /** All that generated code may depend on, as a text. */
  static String description() {
    return String.join(" ", new TreeSet<>(FLAGS));
  }

  /** Whether the host executes instructions of {@code feature}. */
  static boolean has(Feature feature) {
    String name = NAMES.get(feature);
    return name == null || FLAGS.contains(name);
  }

  /**
   * The largest model of whose instructions the host has all, so that none is interpreted for want
   * of it; the smallest where that cannot be known.
   */
  public static CpuModel model() {
    CpuModel best = CpuModel.V2;
    for (CpuModel model : CpuModel.values()) {
      if (model.features().stream().allMatch(HostCpu::has)) {
        best = model;
      }
    }
    return best;
  }

  static boolean hasBmi2() {
    return has(Feature.BMI2);
  }

  static boolean hasAvx() {
    return has(Feature.AVX);
  }

  private static byte[] auxiliaryVector() {
    try {
      return Files.readAllBytes(Path.of("/proc/self/auxv"));
    } catch (IOException e) {
      return new byte[0];
    }
  }

  /**
   * Whether the kernel lets programs use WRGSBASE: the processor's flag alone does not say so,
   * kernels before 5.9 show it and leave CR4.FSGSBASE clear. They tell by bit 1 of AT_HWCAP2 in the
   * auxiliary vector, pairs of longs.
   */
  static boolean mayWriteGsBase(byte[] auxiliaryVector) {
    ByteBuffer pairs = ByteBuffer.wrap(auxiliaryVector).order(ByteOrder.LITTLE_ENDIAN);
    while (pairs.remaining() >= 16) {
      long type = pairs.getLong();
      long value = pairs.getLong();
      if (type == AT_HWCAP2) {
        return (value & HWCAP2_FSGSBASE) != 0;
      }
    }
    return false;
  }

  /** Why this host cannot run generated code, or null. */
  static @Nullable String obstacle() {
    String arch = System.getProperty("os.arch", "");
    if (!arch.equals("amd64") && !arch.equals("x86_64")) {
      return "the host's processor is " + arch + ", not x86-64";
    }
    if (!System.getProperty("os.name", "").equals("Linux")) {
      return "the host is not Linux";
    }
    if (!FLAGS.contains("fsgsbase") || !mayWriteGsBase(auxiliaryVector())) {
      return "the host does not let programs set the GS base (no fsgsbase)";
    }
    if (!FLAGS.contains("lahf_lm")) {
      return "the host's processor has no LAHF in 64-bit mode";
    }
    return null;
  }
}
