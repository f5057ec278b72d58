package parhelion.lab.run;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import parhelion.toolstack.UserError;
import parhelion.toolstack.debian.PackageCache;
import parhelion.toolstack.device.EmbeddedRoot;
import parhelion.toolstack.image.DefaultInitramfs;
import parhelion.toolstack.image.GuestCommand;
import parhelion.toolstack.image.GuestSetup;
import parhelion.toolstack.image.Initramfs;
import parhelion.toolstack.image.ModuleSet;
import parhelion.toolstack.image.RootInitramfs;

/**
 * What guests find beside the kernel, the same for all of a comparison: the built-in initramfs; the
 * user's own; or the built-in one with the user's root file system in it, where the rows are done
 * then. It is an initramfs in any case, as a root on a device would be measured with the device.
 */
abstract sealed class Userland implements AutoCloseable {
  /** Of a guest's memory that an initramfs may take: it is there twice while it is unpacked. */
  private static final int MEMORY_SHARE = 4;

  /** Behind the command's exit status on the console, which nobody reads here. */
  private static final String TOKEN = "1ab";

  private static final int MIB = 1 << 20;

  /** What the configuration names. */
  static Userland open(LabConfig config, PackageCache packages, Scratch scratch)
      throws IOException {
    Path initrd = config.initrd();
    if (initrd != null) {
      return new Own(Initramfs.load(initrd, (long) config.memoryMib() * MIB / MEMORY_SHARE));
    }
    Path root = config.rootfs();
    return root == null
        ? new BuiltIn(packages.busybox())
        : Root.open(root, packages.busybox(), config.memoryMib(), scratch);
  }

  /**
   * An initramfs that does rows.
   *
   * @param modules what devices need of the kernel
   * @param millis of measuring each
   */
  abstract ByteBuffer initramfs(List<String> rows, String shellText, ModuleSet modules, int millis)
      throws IOException;

  /**
   * Words of the kernel's command line for it.
   *
   * @param deviceWords those that bring devices up
   */
  abstract String kernelWords(String deviceWords, int millis);

  /** Whether there is an init that brings devices up. */
  boolean bringsDevicesUp() {
    return true;
  }

  /** Whether {@code /bin/sh} is there, as far as that is known. */
  boolean hasShell() {
    return true;
  }

  @Override
  public void close() {}

  private static GuestCommand command(int millis) {
    return new GuestCommand(String.join(" ", argv(millis)), TOKEN);
  }

  private static List<String> argv(int millis) {
    return List.of(LabProgram.PATH, LabProgram.ROWS, Integer.toString(millis));
  }

  private static ByteBuffer join(byte[] first, byte[] second) {
    ByteBuffer both = ByteBuffer.allocate((first.length + 3 & ~3) + second.length);
    both.put(first).position(first.length + 3 & ~3);
    return both.put(second).flip();
  }

  /** The built-in initramfs, whose init runs the program. */
  private static final class BuiltIn extends Userland {
    private final Path busybox;

    BuiltIn(Path busybox) {
      this.busybox = busybox;
    }

    @Override
    ByteBuffer initramfs(List<String> rows, String shellText, ModuleSet modules, int millis) {
      byte[] base =
          DefaultInitramfs.of(busybox, new GuestSetup(command(millis), modules, Map.of()));
      return join(base, LabProgram.overlay("", rows, shellText).toBytes());
    }

    @Override
    String kernelWords(String deviceWords, int millis) {
      return command(millis).kernelArguments() + " " + deviceWords;
    }
  }

  /** The user's initramfs, of which nothing is run: the program is the only process. */
  private static final class Own extends Userland {
    private final byte[] initrd;

    Own(byte[] initrd) {
      this.initrd = initrd;
    }

    @Override
    ByteBuffer initramfs(List<String> rows, String shellText, ModuleSet modules, int millis) {
      return join(initrd, LabProgram.overlay("", rows, shellText).toBytes());
    }

    @Override
    String kernelWords(String deviceWords, int millis) {
      return "PARHELION_LAB=own";
    }

    @Override
    boolean bringsDevicesUp() {
      return false;
    }
  }

  /** The built-in initramfs with a root in it, in which its init runs the program. */
  private static final class Root extends Userland {
    private final EmbeddedRoot root;
    private final Path busybox;
    private final Path file;
    private final long rootBytes;

    private Root(EmbeddedRoot root, Path busybox, Path file, long rootBytes) {
      this.root = root;
      this.busybox = busybox;
      this.file = file;
      this.rootBytes = rootBytes;
    }

    static Root open(Path source, Path busybox, int memoryMib, Scratch scratch) throws IOException {
      EmbeddedRoot root = EmbeddedRoot.open(source);
      boolean done = false;
      try {
        long bytes = root.archiveBytes();
        if (bytes > (long) memoryMib * MIB / MEMORY_SHARE || bytes > Integer.MAX_VALUE / 2) {
          throw tooLarge(source, bytes, memoryMib);
        }
        Path file = scratch.file("initramfs");
        try (FileChannel out =
            FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
          root.writeArchive(out);
        }
        done = true;
        return new Root(root, busybox, file, bytes);
      } finally {
        if (!done) {
          root.close();
        }
      }
    }

    private static UserError tooLarge(Path source, long bytes, int memoryMib) {
      long mib = (bytes + MIB - 1) / MIB;
      return new UserError(
          "--rootfs %s: it has %d MiB, and a guest with %d MiB of memory takes %d: %s"
              .formatted(
                  source,
                  mib,
                  memoryMib,
                  memoryMib / MEMORY_SHARE,
                  bytes > Integer.MAX_VALUE / 2
                      ? "leave something out"
                      : "give --memory " + (mib * MEMORY_SHARE + 127) / 128 * 128 + "M"));
    }

    @Override
    ByteBuffer initramfs(List<String> rows, String shellText, ModuleSet modules, int millis)
        throws IOException {
      GuestSetup setup = new GuestSetup(command(millis), modules, root.texts(argv(millis)));
      String place = RootInitramfs.PLACE + "/";
      ByteBuffer rest =
          join(
              DefaultInitramfs.of(busybox, setup),
              LabProgram.overlay(place, rows, shellText)
                  .directory(place + "tmp", 01777)
                  .file(LabProgram.PATH.substring(1), 0755, LabProgram.bytes())
                  .toBytes());
      // Behind the root, which the guest before has read: there is none at this moment.
      try (FileChannel channel =
          FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
        long bytes = rootBytes + rest.remaining();
        channel.truncate(rootBytes).position(rootBytes);
        while (rest.hasRemaining()) {
          int unused = channel.write(rest);
        }
        return channel.map(FileChannel.MapMode.READ_ONLY, 0, bytes);
      }
    }

    @Override
    String kernelWords(String deviceWords, int millis) {
      return command(millis).kernelArguments() + " " + deviceWords;
    }

    @Override
    boolean hasShell() {
      return root.hasProgram("/bin/sh");
    }

    @Override
    public void close() {
      root.close();
    }
  }
}
