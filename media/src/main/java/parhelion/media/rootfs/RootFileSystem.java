package parhelion.media.rootfs;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A root file system to be run: a directory, a tar ball (plain or packed by gzip, xz, zstd or
 * bzip2), or an image, in an archive or as OCI's layout in a directory. What it is, its content
 * says, not its name.
 *
 * @param tree its files; what is changed in it is gone when it is closed
 * @param config how to run it
 */
public record RootFileSystem(CowTree tree, ImageConfig config) implements AutoCloseable {
  /**
   * Opens it.
   *
   * @throws IOException with a phrase for the user
   */
  public static RootFileSystem open(Path source, LayerCache cache) throws IOException {
    if (!Files.exists(source)) {
      throw new RootFsException("there is no such file or directory");
    }
    boolean directory = Files.isDirectory(source);
    if (directory && !ImageArchive.isLayout(source)) {
      return new RootFileSystem(HostFiller.fill(source, cache.scratch()), ImageConfig.NONE);
    }
    if (!directory && !Files.isRegularFile(source)) {
      throw new RootFsException("it is neither a file nor a directory");
    }
    List<FileChannel> opened = new ArrayList<>();
    boolean done = false;
    try {
      RootFileSystem root =
          directory
              ? fill(null, ImageArchive.ofLayout(source, opened), source, cache, opened)
              : open(source, cache, opened);
      done = true;
      return root;
    } finally {
      if (!done) {
        close(opened);
      }
    }
  }

  private static RootFileSystem open(Path source, LayerCache cache, List<FileChannel> opened)
      throws IOException {
    FileChannel file = FileChannel.open(source);
    opened.add(file);
    ByteRange whole = new ByteRange(file, 0, file.size());
    ByteRange archive = cache.unpacked(whole, key(source), null, opened);
    if (!TarMembers.matches(archive)) {
      throw new RootFsException("it is neither a tar archive nor an image archive");
    }
    return fill(archive, ImageArchive.of(archive), source, cache, opened);
  }

  /** A tree of an image's layers, or of an archive that is none. */
  private static RootFileSystem fill(
      @Nullable ByteRange archive,
      @Nullable ImageArchive image,
      Path source,
      LayerCache cache,
      List<FileChannel> opened)
      throws IOException {
    CowTree tree = new CowTree(cache.scratch(), CowTree.Limits.DEFAULT, () -> close(opened));
    boolean done = false;
    try {
      LayerFiller filler = new LayerFiller(tree);
      if (image == null) {
        filler.add(Objects.requireNonNull(archive));
      } else {
        for (ImageArchive.Layer layer : image.layers()) {
          String digest = layer.digest();
          String key = digest != null ? digest : key(source) + "-" + layer.bytes().offset();
          filler.add(cache.unpacked(layer.bytes(), key, digest, opened));
        }
      }
      done = true;
      return new RootFileSystem(tree, image == null ? ImageConfig.NONE : image.config());
    } finally {
      if (!done) {
        tree.close();
      }
    }
  }

  /**
   * Which file, in which state: reading all of a large one to know would take as long as using it.
   */
  private static String key(Path source) throws IOException {
    String state =
        source.toRealPath()
            + "\0"
            + Files.size(source)
            + "\0"
            + Files.getLastModifiedTime(source).toInstant()
            + "\0"
            + Files.readAttributes(source, "unix:ino").get("ino");
    byte[] bytes = state.getBytes(StandardCharsets.UTF_8);
    return "file-" + HexFormat.of().formatHex(LayerCache.sha256().digest(bytes));
  }

  private static void close(List<FileChannel> files) {
    for (FileChannel file : files) {
      try {
        file.close();
      } catch (IOException e) {
        // It was only read.
      }
    }
  }

  @Override
  public void close() {
    tree.close();
  }
}
