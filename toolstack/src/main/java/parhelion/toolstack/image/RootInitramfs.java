package parhelion.toolstack.image;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.Set;
import parhelion.media.rootfs.CowTree;
import parhelion.media.rootfs.RootListing;
import parhelion.media.share.Attributes;
import parhelion.media.share.FileMode;

/**
 * Writes a root file system as a part of an initramfs, for guests that are to have it without any
 * device. Owners, modes, times, device nodes and hard links stay; extended attributes do not, as
 * the format has no place for them. Unlike {@link Initramfs} it need not fit into the host's
 * memory.
 */
public final class RootInitramfs {
  /** Where the guest finds it, without a slash. */
  public static final String PLACE = "newroot";

  private static final int MOST_PATH_BYTES = Initramfs.MAX_PATH_BYTES - PLACE.length() - 2;

  private RootInitramfs() {}

  /** How many bytes {@link #write} writes. */
  public static long bytes(CowTree tree) throws IOException {
    long[] sum = {CpioHeader.trailer().length};
    list(tree, (header, contentBytes, file) -> sum[0] += header.length + padded(contentBytes));
    return sum[0];
  }

  /** Writes the archive, all of it below {@link #PLACE}; a multiple of four bytes. */
  public static void write(CowTree tree, WritableByteChannel out) throws IOException {
    list(
        tree,
        (header, contentBytes, file) -> {
          write(out, header);
          if (contentBytes == 0) {
            return;
          }
          if (FileMode.isSymlink(file.attributes().mode())) {
            write(out, file.target().getBytes(StandardCharsets.ISO_8859_1));
          } else {
            file.copyTo(out);
          }
          write(out, new byte[(int) (padded(contentBytes) - contentBytes)]);
        });
    write(out, CpioHeader.trailer());
  }

  private interface Output {
    void put(byte[] header, long contentBytes, RootListing.File file) throws IOException;
  }

  private static void list(CowTree tree, Output output) throws IOException {
    Set<Long> written = new HashSet<>(); // files with several names: the first has the content
    RootListing.visit(
        tree,
        MOST_PATH_BYTES,
        file -> {
          Attributes attributes = file.attributes();
          boolean regular = FileMode.isRegular(attributes.mode());
          boolean again = regular && attributes.links() > 1 && !written.add(attributes.inode());
          boolean hasContent = regular && !again || FileMode.isSymlink(attributes.mode());
          long contentBytes = hasContent ? attributes.sizeBytes() : 0;
          if (contentBytes > Integer.MAX_VALUE) {
            throw new IOException("/" + file.path() + " is too large for an initramfs");
          }
          output.put(header(file, (int) contentBytes), contentBytes, file);
        });
  }

  private static byte[] header(RootListing.File file, int contentBytes) {
    Attributes attributes = file.attributes();
    boolean device = FileMode.isDevice(attributes.mode());
    String path = file.path().isEmpty() ? PLACE : PLACE + '/' + file.path();
    return new CpioHeader(
            (int) attributes.inode(),
            attributes.mode(),
            attributes.uid(),
            attributes.gid(),
            (int) attributes.links(),
            (int) Math.clamp(attributes.modified().seconds(), 0, 0xffff_ffffL),
            contentBytes,
            device ? Attributes.major(attributes.device()) : 0,
            device ? Attributes.minor(attributes.device()) : 0)
        .named(path.getBytes(StandardCharsets.ISO_8859_1));
  }

  private static long padded(long bytes) {
    return bytes + 3 & ~3L;
  }

  private static void write(WritableByteChannel out, byte[] bytes) throws IOException {
    ByteBuffer buffer = ByteBuffer.wrap(bytes);
    while (buffer.hasRemaining()) {
      int unused = out.write(buffer);
    }
  }
}
