package parhelion.testkit.fpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import parhelion.testkit.NativeFrame;

/** FXSAVE, XSAVE, FNSAVE and their counterparts, byte for byte what the host stores and loads. */
class StateImageTest {
  private static final long SEED = Long.getLong("parhelion.seed", 20251121L);

  /** Instructions on [RDI], and what their memory operand must look like. */
  private enum Image {
    FXSAVE64("480fae07", 0),
    FXSAVE("0fae07", 0),
    FXRSTOR64("480fae0f", 1),
    FXRSTOR("0fae0f", 1),
    XSAVE64("480fae27", 2),
    XSAVE("0fae27", 2),
    XRSTOR64("480fae2f", 2),
    XRSTOR("0fae2f", 2),
    XSAVEC64("480fc727", 2),
    FNSTENV("d937", 0),
    FNSTENV16("66d937", 0),
    FLDENV("d927", 3),
    FLDENV16("66d927", 4),
    FNSAVE("dd37", 0),
    FNSAVE16("66dd37", 0),
    FRSTOR("dd27", 3),
    FRSTOR16("66dd27", 4),
    FLDCW("d92f", 0),
    LDMXCSR("0fae17", 5);

    final byte[] code;
    final int preparation;

    Image(String code, int preparation) {
      this.code = HexFormat.of().parseHex(code);
      this.preparation = preparation;
    }
  }

  private static void prepare(HostComparison host, Image image, Random random) {
    byte[] data = host.data();
    switch (image.preparation) {
      case 1 -> fxImage(data, random);
      case 2 -> {
        fxImage(data, random);
        FxImage.put64(data, 512, random.nextInt(4));
        for (int i = 520; i < 576; i += 8) {
          FxImage.put64(data, i, 0);
        }
        // All components: AX processors give x87 and SSE only when asked.
        host.gprs()[0] = random.nextInt(4);
        host.gprs()[2] = 0;
      }
      case 5 -> FxImage.put64(data, 0, random.nextInt(0x10000));
      default -> {}
    }
  }

  private static void fxImage(byte[] data, Random random) {
    FxImage.put64(data, 24, random.nextInt(0x10000));
    for (int i = 0; i < 8; i++) {
      FxImage.put64(data, 40 + 16 * i, FxImage.u64(data, 40 + 16 * i) & 0xffff);
    }
  }

  static List<String> compare(int cases, long seed) {
    List<String> problems = new ArrayList<>();
    try (HostComparison host = new HostComparison()) {
      for (Image image : Image.values()) {
        Random random = new Random(seed + image.ordinal());
        host.load(image.code);
        // MXCSR_MASK differs: AMD's processors have a bit more.
        boolean saves = image.name().matches("F?XSAVE.*");
        host.ignoredFrom = saves ? 28 : 0;
        host.ignoredTo = saves ? 32 : 0;
        int bad = 0;
        for (int i = 0; i < cases; i++) {
          host.randomize(random, true);
          prepare(host, image, random);
          String problem = host.run();
          if (problem != null && bad++ == 0) {
            problems.add(image + ": " + problem);
          }
        }
        if (bad > 0) {
          problems.add(image + ": " + bad + " of " + cases);
        }
      }
    }
    return problems;
  }

  @Test
  void imagesAreTheHosts() {
    assumeTrue(NativeFrame.isSupported(), "needs an x86-64 Linux host");
    assertEquals(List.of(), compare(300, SEED), "seed " + SEED);
  }

  public static void main(String[] args) {
    compare(2000, SEED).forEach(System.out::println);
  }
}
