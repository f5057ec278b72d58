package parhelion.bench;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;
import parhelion.cpu.CpuModel;
import parhelion.cpu.rewrite.Templates;
import parhelion.toolstack.CpuChoice;
import parhelion.toolstack.guest.GuestConfig;
import parhelion.toolstack.guest.GuestOutput;
import parhelion.toolstack.guest.Outcome;
import parhelion.toolstack.guest.PvGuest;
import parhelion.toolstack.guest.Tour;
import parhelion.toolstack.image.ElfCache;
import parhelion.toolstack.image.ElfImage;
import parhelion.toolstack.image.KernelImage;
import parhelion.toolstack.image.Progress;

/**
 * Boots two guests of the same kernel in one JVM, one after the other, and prints for each {@code
 * guest N USERLAND END}: seconds from the request to the first process's line and to the power-off.
 * Each does all that {@code parhelion run} does for a guest, from opening the kernel's file on.
 * What the second has of the first is what the JVM and the toolstack keep by themselves, and the
 * generated code, as the process shares it.
 */
public final class SecondGuest {
  private static final int GUESTS = 2;
  private static final int MEMORY_MIB = 256;
  private static final Duration DRAIN = Duration.ofSeconds(5);

  private SecondGuest() {}

  /**
   * Arguments: an engine or ""; then kernel, initramfs and words for the kernel's command line.
   * Without these it runs the built-in guest, which makes a short run to make an AOT cache from.
   */
  public static void main(String[] args) throws IOException, InterruptedException {
    Templates.share();
    for (int i = 1; i <= GUESTS; i++) {
      long start = System.nanoTime();
      Userland userland = new Userland(start);
      GuestOutput console = new GuestOutput(userland);
      try (PvGuest guest = new PvGuest(config(args), console)) {
        Outcome outcome = guest.run();
        double end = seconds(start);
        console.drain(DRAIN);
        boolean spoke = !Double.isNaN(userland.seconds) || args.length == 1;
        if (outcome.kind() != Outcome.Kind.POWEROFF || !spoke) {
          System.err.println("guest " + i + " ended by " + outcome.kind() + ": " + userland.text);
          System.err.println(outcome.detail());
          System.exit(1);
        }
        System.out.printf("guest %d %.6f %.6f%n", i, userland.seconds, end);
      } finally {
        console.close();
      }
    }
  }

  private static GuestConfig config(String[] args) throws IOException {
    CpuChoice cpu =
        args[0].isEmpty()
            ? CpuChoice.preferred()
            : Objects.requireNonNull(CpuChoice.of(CpuModel.DEFAULT.label, args[0]));
    if (args.length == 1) {
      return new GuestConfig("tour", Tour.kernel(), () -> null, null, "batch", MEMORY_MIB, 1, cpu);
    }
    ElfImage kernel =
        ElfImage.of(
            KernelImage.open(
                Path.of(args[1]),
                ElfCache.ofUser(),
                KernelImage.DEFAULT_LIMIT_BYTES,
                Progress.NONE));
    ByteBuffer initrd = ByteBuffer.wrap(Files.readAllBytes(Path.of(args[2])));
    String words = "console=hvc0 " + args[3];
    return new GuestConfig("bench", kernel, () -> null, initrd, words, MEMORY_MIB, 1, cpu);
  }

  private static double seconds(long start) {
    return (System.nanoTime() - start) / 1e9;
  }

  /** Takes the console's output, by one thread, and the time when the first process spoke. */
  private static final class Userland extends OutputStream {
    private final long start;
    final StringBuffer text = new StringBuffer();
    volatile double seconds = Double.NaN;

    Userland(long start) {
      this.start = start;
    }

    @Override
    public void write(int b) {
      write(new byte[] {(byte) b}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) {
      text.append(new String(bytes, offset, length, StandardCharsets.ISO_8859_1));
      if (Double.isNaN(seconds) && text.indexOf(TimedProcess.USERLAND) >= 0) {
        seconds = SecondGuest.seconds(start);
      }
    }
  }
}
