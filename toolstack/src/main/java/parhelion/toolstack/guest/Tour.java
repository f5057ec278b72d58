package parhelion.toolstack.guest;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import parhelion.toolstack.image.ElfImage;

/**
 * The built-in guest: guests/tour in the source tree, whose binary is a resource of this module.
 */
public final class Tour {
  private static final String RESOURCE = "/parhelion/toolstack/tour.elf";

  private Tour() {}

  /** Its kernel. */
  public static ElfImage kernel() throws IOException {
    try (InputStream in = Tour.class.getResourceAsStream(RESOURCE)) {
      if (in == null) {
        throw new IllegalStateException(RESOURCE + " is missing");
      }
      return ElfImage.parse(ByteBuffer.wrap(in.readAllBytes()), "the tour guest");
    }
  }
}
