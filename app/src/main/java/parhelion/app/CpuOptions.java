package parhelion.app;

import java.util.Objects;
import parhelion.toolstack.CpuChoice;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** Options of every command that executes guest code: which processor, and by what. */
final class CpuOptions {
  @Option(
      names = "--cpu",
      paramLabel = "v2|v3|max|host",
      converter = Model.class,
      defaultValue = "v2",
      description =
          "The processor that guest code sees: x86-64-v2, x86-64-v3 (AVX2, BMI, FMA), all that"
              + " there is, AES and SHA too, or as much of it as the host has itself (default:"
              + " ${DEFAULT-VALUE}).")
  String model = "v2";

  @Option(
      names = "--engine",
      paramLabel = "auto|rewriter|interpreter",
      converter = EngineName.class,
      defaultValue = "${sys:parhelion.engine:-auto}",
      description =
          "What executes guest code: the rewriter turns it into code of the host, which has to be"
              + " x86-64 Linux; the interpreter runs anywhere; auto is the rewriter where it can be"
              + " (default: ${DEFAULT-VALUE}).")
  String engine = "auto";

  @Option(
      names = "--perf-map",
      description =
          "Write /tmp/perf-PID.map, so that Linux's perf report names the guest's functions.")
  boolean perfMap;

  CpuChoice choice() {
    return Objects.requireNonNull(CpuChoice.of(model, engine));
  }

  /** A model of the processor. */
  static final class Model implements ITypeConverter<String> {
    @Override
    public String convert(String text) {
      if (!CpuChoice.isModel(text)) {
        throw new TypeConversionException("'" + text + "' is not v2, v3, max or host");
      }
      return text;
    }
  }

  /** An engine. */
  static final class EngineName implements ITypeConverter<String> {
    @Override
    public String convert(String text) {
      if (!CpuChoice.isEngine(text)) {
        throw new TypeConversionException("'" + text + "' is not auto, rewriter or interpreter");
      }
      return text;
    }
  }
}
