package parhelion.media.disk;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * The formats of disk images. A file's format is what its user says it is, or else what its first
 * sector says ({@link #probe}).
 *
 * <p>To look is not without danger: the guest of a raw image writes its first sector, and could
 * make it the header of a qcow2 image whose backing file is any file of the host; whoever opened
 * the image next would give that file to the guest to read. So a disk that was only found to be raw
 * refuses to have such a sector written ({@link RawDisk}). One that its user called raw takes
 * anything, and must be called raw ever after.
 */
public enum ImageFormat {
  /** The bytes of the disk, one after the other. */
  RAW,
  /** QEMU's copy-on-write format, versions 2 and 3. */
  QCOW2;

  /** What the first sector must hold to be looked at: {@link #probe} takes as much. */
  public static final int PROBE_BYTES = 512;

  private static final int QCOW_VERSION_AT = 4;

  /** A format that is known by sight and not served. */
  private record Foreign(String name, int offset, byte[] magic) {
    static Foreign of(String name, int offset, String magic) {
      return new Foreign(name, offset, magic.getBytes(StandardCharsets.ISO_8859_1));
    }
  }

  private static final byte[] QCOW_MAGIC = {'Q', 'F', 'I', (byte) 0xfb};

  private static final List<Foreign> FOREIGN =
      List.of(
          Foreign.of("VMDK", 0, "KDMV"),
          Foreign.of("VMDK", 0, "# Disk DescriptorFile"),
          Foreign.of("VHDX", 0, "vhdxfile"),
          Foreign.of("VHD", 0, "conectix"),
          Foreign.of("VDI", 0x40, "\u007f\u0010\u00da\u00be"),
          Foreign.of("QED", 0, "QED\0"),
          Foreign.of("Parallels", 0, "WithoutFreeSpace"),
          Foreign.of("Parallels", 0, "WithouFreSpacExt"),
          Foreign.of("LUKS", 0, "LUKS\u00ba\u00be"));

  /** The word by which commands and image headers name it. */
  public String word() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** The format that a word names, or null. */
  public static @Nullable ImageFormat of(String word) {
    for (ImageFormat each : values()) {
      if (each.word().equals(word)) {
        return each;
      }
    }
    return null;
  }

  /**
   * What a file with this first sector is.
   *
   * @param name of the file, for the error
   * @param sector its first {@link #PROBE_BYTES}, filled up with zeroes if there are fewer
   * @throws DiskException if it is an image of a format that is not served
   */
  static ImageFormat probe(String name, byte[] sector) throws DiskException {
    if (hasMagic(sector, 0, QCOW_MAGIC)) {
      if (sector[QCOW_VERSION_AT + 3] == 1) {
        throw foreign(name, "QCOW version 1");
      }
      return QCOW2;
    }
    for (Foreign each : FOREIGN) {
      if (hasMagic(sector, each.offset, each.magic)) {
        throw foreign(name, each.name);
      }
    }
    return RAW;
  }

  /** Whether a first sector is that of some format but raw. */
  static boolean looksFormatted(byte[] sector) {
    try {
      return probe("", sector) != RAW;
    } catch (DiskException e) {
      return true;
    }
  }

  private static DiskException foreign(String name, String format) {
    return new DiskException(
        name
            + ": is an image of format "
            + format
            + ": convert it first, as with qemu-img convert -O qcow2, or say that its format is raw");
  }

  private static boolean hasMagic(byte[] sector, int offset, byte[] magic) {
    return Arrays.equals(sector, offset, offset + magic.length, magic, 0, magic.length);
  }
}
