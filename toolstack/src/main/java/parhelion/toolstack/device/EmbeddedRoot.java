package parhelion.toolstack.device;

import java.io.IOException;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import parhelion.media.rootfs.RootFileSystem;
import parhelion.media.rootfs.RootLookup;
import parhelion.toolstack.UserError;
import parhelion.toolstack.image.RootInitramfs;

/**
 * A root file system that guests have in their initramfs, so that it is the same to all of them
 * whatever devices they have: a directory, a tar ball or an image archive, none of which is
 * changed. What {@link RootConfig} serves by 9P, unpacked into the guest's memory instead.
 */
public final class EmbeddedRoot implements AutoCloseable {
  private final Path source;
  private final RootFileSystem root;

  private EmbeddedRoot(Path source, RootFileSystem root) {
    this.source = source;
    this.root = root;
  }

  /** Opens what the user named by {@code --rootfs}. */
  public static EmbeddedRoot open(Path source) {
    return new EmbeddedRoot(source, RootConfig.openTree(source));
  }

  /** How many bytes its part of an initramfs has. */
  public long archiveBytes() {
    try {
      return RootInitramfs.bytes(root.tree());
    } catch (IOException e) {
      throw new UserError("--rootfs " + source + ": " + e.getMessage() + ": give another", e);
    }
  }

  /** Writes its part of an initramfs; what is to replace files of it goes behind it. */
  public void writeArchive(WritableByteChannel out) throws IOException {
    RootInitramfs.write(root.tree(), out);
  }

  /** Whether it has a program by that path, as its own programs would see it. */
  public boolean hasProgram(String path) {
    return new RootLookup(root.tree()).isProgram(path);
  }

  /**
   * What the first process is told, by the names of files in the initramfs.
   *
   * @param argv a program of the root and its arguments: run as root, in the environment and
   *     directory that an image asks for
   */
  public Map<String, String> texts(List<String> argv) {
    RootProgram program = RootProgram.asRoot(root, argv);
    return Map.of("etc/rootfs", RootConfig.HERE + "\n", "etc/rootfs-run", program.script());
  }

  @Override
  public void close() {
    root.close();
  }
}
