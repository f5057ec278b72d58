package parhelion.lab.run;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.FileStore;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import org.jspecify.annotations.Nullable;

/**
 * Directories for what a comparison needs of the host: the image behind guests' disks, the root of
 * a program without a kernel, and its files in memory. They go with the comparison, or with the
 * process if that ends first.
 */
final class Scratch implements AutoCloseable {
  private static final int DISK_BYTES = 64 << 20;
  private static final int CHUNK = 1 << 20;

  /** Where Linux hosts have files that are memory. */
  private static final Path MEMORY = Path.of("/dev/shm");

  /** So much is to be free there: 2000 files of 10 KiB, rounded to pages, and as much again. */
  private static final long MEMORY_BYTES = 48 << 20;

  private static final String PREFIX = "parhelion-lab-";

  private final Path directory;
  private final @Nullable Path inMemory;
  private final Thread hook;

  private Scratch(Path directory, @Nullable Path inMemory) {
    this.directory = directory;
    this.inMemory = inMemory;
    hook = new Thread(this::delete, "lab scratch");
    Runtime.getRuntime().addShutdownHook(hook);
  }

  static Scratch make() throws IOException {
    return new Scratch(Files.createTempDirectory(PREFIX), directoryInMemory(MEMORY));
  }

  /** A new directory in a file system, if that is memory and may be used; else null. */
  static @Nullable Path directoryInMemory(Path fileSystem) {
    try {
      FileStore store = Files.getFileStore(fileSystem);
      return store.type().equals("tmpfs") && store.getUsableSpace() >= MEMORY_BYTES
          ? Files.createTempDirectory(fileSystem, PREFIX)
          : null;
    } catch (IOException e) {
      return null; // another host has none, or not for us
    }
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

  /** The same, of memory as a guest's /tmp is; null where the host has none. */
  @Nullable Path directoryInMemory(String name) throws IOException {
    Path parent = inMemory;
    if (parent == null) {
      return null;
    }
    Path made = parent.resolve(name);
    delete(made);
    return Files.createDirectory(made);
  }

  private void delete() {
    delete(directory);
    Path memory = inMemory;
    if (memory != null) {
      delete(memory);
    }
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
    delete();
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      // The process is ending, and the hook runs.
    }
  }
}
