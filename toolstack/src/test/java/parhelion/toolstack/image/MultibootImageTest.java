package parhelion.toolstack.image;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Headers of the Multiboot Specification, good and bad. */
final class MultibootImageTest {
  private static final int MAGIC = 0x1bad_b002;
  private static final int ADDRESSES = 1 << 16;

  /** A file of 8 KiB with a header at an offset, and what follows it. */
  private static byte[] file(int at, int flags, int... words) {
    ByteBuffer file = ByteBuffer.allocate(8192).order(ByteOrder.LITTLE_ENDIAN);
    file.putInt(at, MAGIC).putInt(at + 4, flags).putInt(at + 8, -(MAGIC + flags));
    for (int i = 0; i < words.length; i++) {
      file.putInt(at + 12 + 4 * i, words[i]);
    }
    return file.array();
  }

  private static MultibootImage parse(byte[] file) {
    return Objects.requireNonNull(MultibootImage.parse(file, "kernel"));
  }

  private static String refused(byte[] file) {
    ImageException e =
        assertThrows(ImageException.class, () -> MultibootImage.parse(file, "kernel"));
    String line = String.valueOf(e.getMessage());
    assertTrue(line.startsWith("kernel: ") && !line.contains("\n"), line);
    return line;
  }

  @Test
  void aHeaderWithAddressesSaysWhatGoesWhere() {
    byte[] file = file(64, ADDRESSES | 3, 0x10_0040, 0x10_0000, 0x10_1000, 0x10_3000, 0x10_0100);
    MultibootImage image = parse(file);
    assertEquals(0x10_0100, image.entry());
    assertEquals(1, image.parts().size());
    MultibootImage.Part part = image.parts().getFirst();
    assertEquals(0x10_0000, part.pa());
    assertEquals(0x1000, part.bytes().remaining());
    assertEquals(0x3000, part.memBytes());
    assertEquals(MAGIC, part.bytes().order(ByteOrder.LITTLE_ENDIAN).getInt(64));
  }

  @Test
  void withoutAnEndTheWholeFileIsLoaded() {
    MultibootImage image = parse(file(0, ADDRESSES, 0x10_0000, 0x10_0000, 0, 0, 0x10_0020));
    assertEquals(8192, image.parts().getFirst().bytes().remaining());
  }

  @Test
  void anElfFileSaysItByItsProgramHeaders() {
    byte[] file = file(0x200, 0);
    ByteBuffer elf = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
    elf.putInt(0, 0x464c457f).put(4, (byte) 1).put(5, (byte) 1);
    elf.putInt(24, 0x20_0010).putInt(28, 52).putShort(42, (short) 32).putShort(44, (short) 1);
    elf.putInt(52, 1).putInt(56, 0x100).putInt(60, 0xc020_0000).putInt(64, 0x20_0000);
    elf.putInt(68, 0x300).putInt(72, 0x500);
    MultibootImage image = parse(file);
    assertEquals(0x20_0010, image.entry());
    assertEquals(0x20_0000, image.parts().getFirst().pa());
    assertEquals(0x500, image.parts().getFirst().memBytes());
    elf.putInt(56, 8000);
    assertTrue(refused(file).contains("outside the file"));
  }

  @Test
  void whatHasNoHeaderIsSomethingElse() {
    assertNull(MultibootImage.parse(new byte[0], "kernel"));
    assertNull(MultibootImage.parse(new byte[20_000], "kernel"));
    byte[] wrongSum = file(0, ADDRESSES);
    wrongSum[8]++;
    assertNull(MultibootImage.parse(wrongSum, "kernel"));
  }

  @Test
  void badHeadersAreRefusedInOneLine() {
    assertTrue(refused(file(0, 8)).contains("flags 0x8"));
    assertTrue(refused(file(0, 0)).contains("no ELF file"));
    refused(file(8180, ADDRESSES));
    refused(file(0, ADDRESSES, 0x10_0000, 0x20_0000, 0, 0, 0x10_0000));
    refused(file(0, ADDRESSES, 0x10_0000, 0x10_0000, 0x90_0000, 0, 0x10_0000));
    refused(file(0, ADDRESSES, 0x10_0000, 0x10_0000, 0x10_1000, 0, 0x20_0000));
    refused(file(0, ADDRESSES, 0, -0x1000, 0, 0, 0));
  }

  @Test
  void noHeaderLeadsToAnythingButAnImageOrALine() {
    Random random = new Random(Long.getLong("parhelion.seed", 1));
    for (int i = 0; i < 20_000; i++) {
      byte[] file = file(64, random.nextBoolean() ? ADDRESSES : 0);
      ByteBuffer bytes = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
      bytes.putInt(0, 0x464c457f).put(4, (byte) (1 + random.nextInt(2))).put(5, (byte) 1);
      for (int at = 16; at < 64; at += 2) {
        bytes.putShort(at, (short) (random.nextInt(4) == 0 ? random.nextInt() : 40));
      }
      for (int at = 76; at < 200; at += 4) {
        bytes.putInt(at, random.nextInt() >> random.nextInt(32));
      }
      try {
        for (MultibootImage.Part part : parse(file).parts()) {
          assertTrue(part.memBytes() >= part.bytes().remaining());
        }
      } catch (ImageException e) {
        assertTrue(String.valueOf(e.getMessage()).startsWith("kernel: "));
      }
    }
  }
}
