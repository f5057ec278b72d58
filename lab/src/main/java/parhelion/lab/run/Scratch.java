package parhelion.lab.run;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import org.jspecify.annotations.Nullable;

/**
 * A directory for what a comparison needs of the host's disk: the image behind guests' disks, the
 * root of a program without a kernel. It goes with the comparison, or with the process if that ends
 * first.
 */
final class Scratch implements AutoCloseable {
  private static final int DISK_BYTES = 64 << 20;
  private static final int CHUNK = 1 << 20;

  private final Path directory;
  private final Thread hook;

  private Scratch(Path directory) {
    this.directory = directory;
    hook = new Thread(() -> delete(directory), "lab scratch");
    Runtime.getRuntime().addShutdownHook(hook);
  }

  static Scratch make() throws IOException {
    return new Scratch(Files.createTempDirectory("parhelion-lab-"));
  }

  /** An image of 64 MiB with something in every block, as a read of a hole is no read. */
  Path disk() throws IOException {
    Path image = directory.resolve("disk.img");
    if (!Files.exists(image)) {
      byte[] chunk = new byte[CHUNK];
      for (int i = 0; i < CHUNK; i++) {
        chunk[i] = (byte) (i * 31 + (i >> 9));
      }
      try (OutputStream out = Files.newOutputStream(image)) {
        for (int done = 0; done < DISK_BYTES; done += CHUNK) {
          out.write(chunk);
        }
      }
    }
    return image;
  }

  /** Where a file of that name goes. */
  Path file(String name) {
    return directory.resolve(name);
  }

  /** An empty directory. */
  Path directory(String name) throws IOException {
    Path made = directory.resolve(name);
    delete(made);
    return Files.createDirectories(made);
  }

  private static void delete(Path tree) {
    try {
      if (!Files.exists(tree)) {
        return;
      }
      Files.walkFileTree(
          tree,
          new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
                throws IOException {
              Files.delete(file);
              return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path emptied, @Nullable IOException failure)
                throws IOException {
              Files.delete(emptied);
              return FileVisitResult.CONTINUE;
            }
          });
    } catch (IOException e) {
      // What is left is in the directory for temporary files.
    }
  }

  @Override
  public void close() {
    delete(directory);
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      // The process is ending, and the hook runs.
    }
  }
}
