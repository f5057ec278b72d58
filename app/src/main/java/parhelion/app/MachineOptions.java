package parhelion.app;

import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** Options for the machine that a guest with a kernel runs on. */
final class MachineOptions {
  @Option(
      names = "--memory",
      paramLabel = "SIZE",
      converter = Mebibytes.class,
      defaultValue = "256M",
      description = "Guest memory, as 512M or 2G (default: ${DEFAULT-VALUE}).")
  int memoryMib;

  @Option(
      names = "--vcpus",
      paramLabel = "N",
      converter = Vcpus.class,
      defaultValue = "1",
      description = "Number of virtual CPUs, 1 to 32 (default: ${DEFAULT-VALUE}).")
  int vcpus;

  @Mixin CpuOptions cpu = new CpuOptions();

  /** Sizes such as 512M. */
  static final class Mebibytes implements ITypeConverter<Integer> {
    @Override
    public Integer convert(String text) {
      String digits = text;
      long unit = 1;
      char last = text.isEmpty() ? ' ' : Character.toUpperCase(text.charAt(text.length() - 1));
      if (last == 'M' || last == 'G') {
        digits = text.substring(0, text.length() - 1);
        unit = last == 'G' ? 1024 : 1;
      }
      try {
        long mib = Math.multiplyExact(Long.parseLong(digits), unit);
        if (mib >= 1 && mib <= 1 << 20) {
          return (int) mib;
        }
      } catch (NumberFormatException | ArithmeticException e) {
        // Said below.
      }
      throw new TypeConversionException("'" + text + "' is not a size such as 512M or 2G");
    }
  }

  /** A number of virtual CPUs. */
  static final class Vcpus implements ITypeConverter<Integer> {
    private static final int MAX = 32;

    @Override
    public Integer convert(String text) {
      try {
        int vcpus = Integer.parseInt(text);
        if (vcpus >= 1 && vcpus <= MAX) {
          return vcpus;
        }
      } catch (NumberFormatException e) {
        // Said below.
      }
      throw new TypeConversionException("'" + text + "' is not a number from 1 to " + MAX);
    }
  }
}
