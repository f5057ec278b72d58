package parhelion.toolstack.image;

import java.nio.charset.StandardCharsets;
import parhelion.media.codec.Bytes;

/**
 * The setup header of an x86 bzImage (Linux's Documentation/x86/boot.rst), as far as a loader needs
 * it that takes the ELF file out of the image instead of running the decompressor in it.
 *
 * @param version the boot protocol, 0x20f for 2.15
 * @param payloadAt where the packed ELF file begins, in bytes from the start of the image
 * @param payloadBytes its length, with the four bytes of unpacked size at its end
 * @param kernelVersion the kernel's own version line, or "" if the image does not say
 */
record BootHeader(int version, int payloadAt, int payloadBytes, String kernelVersion) {
  private static final int SECTOR_BYTES = 512;
  private static final int SETUP_SECTS = 0x1f1;
  private static final int BOOT_FLAG = 0x1fe;
  private static final int HEADER_MAGIC = 0x202;
  private static final int VERSION = 0x206;
  private static final int KERNEL_VERSION = 0x20e;
  private static final int PAYLOAD_OFFSET = 0x248;
  private static final int PAYLOAD_LENGTH = 0x24c;
  private static final int HEADER_END = 0x250;
  private static final int HDRS = 0x53726448;
  private static final int FIRST_WITH_PAYLOAD = 0x208;
  private static final int MAX_VERSION_CHARS = 200;

  /** Whether the bytes carry the header's magic numbers. */
  static boolean matches(byte[] image) {
    return image.length >= HEADER_END
        && Bytes.le16(image, BOOT_FLAG) == 0xaa55
        && Bytes.le32(image, HEADER_MAGIC) == HDRS;
  }

  /** Parses and checks the header of an image that {@linkplain #matches matches}. */
  static BootHeader parse(byte[] image, String name) {
    int version = Bytes.le16(image, VERSION);
    if (version < FIRST_WITH_PAYLOAD) {
      throw ImageException.of(
          name,
          String.format("boot protocol %d.%02d is older than 2.08", version >> 8, version & 0xff),
          "give a kernel newer than Linux 2.6.26, or its vmlinux");
    }
    int setupSectors = image[SETUP_SECTS] & 0xff;
    long base = (setupSectors == 0 ? 5L : setupSectors + 1L) * SECTOR_BYTES;
    long at = base + (Bytes.le32(image, PAYLOAD_OFFSET) & 0xffff_ffffL);
    long length = Bytes.le32(image, PAYLOAD_LENGTH) & 0xffff_ffffL;
    if (length < 16 || at + length > image.length) {
      throw ImageException.of(
          name,
          "its header promises a payload of "
              + length
              + " bytes at "
              + at
              + " in a file of "
              + image.length,
          "the file is cut off or corrupt: fetch it again");
    }
    return new BootHeader(version, (int) at, (int) length, versionLine(image));
  }

  private static String versionLine(byte[] image) {
    int pointer = Bytes.le16(image, KERNEL_VERSION);
    int at = pointer + SECTOR_BYTES;
    if (pointer == 0 || at >= image.length) {
      return "";
    }
    int end = at;
    int most = Math.min(image.length, at + MAX_VERSION_CHARS);
    while (end < most && image[end] >= ' ' && image[end] < 0x7f) {
      end++;
    }
    return new String(image, at, end - at, StandardCharsets.US_ASCII);
  }

  /** Where the payload ends, in bytes from the start of the image. */
  int payloadEnd() {
    return payloadAt + payloadBytes;
  }
}
