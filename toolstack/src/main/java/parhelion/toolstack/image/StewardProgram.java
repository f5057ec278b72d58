package parhelion.toolstack.image;

import java.io.IOException;
import java.io.InputStream;

/**
 * The program that runs commands for the host in a Linux guest ({@code guests/steward} in the
 * source tree): static, for x86-64, and without needs but /proc and /dev. An initramfs that has it
 * starts it with the console's device as its argument; it lives on when the first process changes
 * to another root, and runs commands in that root.
 */
public final class StewardProgram {
  /** Where an initramfs has it. */
  public static final String PATH = "parhelion-steward";

  private static final String RESOURCE = "/parhelion/toolstack/steward.elf";

  private StewardProgram() {}

  /** On the kernel's command line: that there is a console for it, and which hvc line it is. */
  public static String kernelArgument(int hvcLine) {
    return "parhelion.steward=hvc" + hvcLine;
  }

  /** The executable file. */
  public static byte[] bytes() {
    try (InputStream in = StewardProgram.class.getResourceAsStream(RESOURCE)) {
      if (in == null) {
        throw new IllegalStateException(RESOURCE + " is missing");
      }
      return in.readAllBytes();
    } catch (IOException e) {
      throw new IllegalStateException(RESOURCE + " cannot be read", e);
    }
  }
}
