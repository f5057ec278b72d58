package parhelion.toolstack.steward;

import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermission;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.Set;

/**
 * Receives a file or directory of a guest's in the format of {@link TreeFormat}, which a hostile
 * guest may have made. Nothing is written but below the target: each name must lie directly in the
 * directory that was entered last and not left, no part of a name is {@code ..}, and no link is
 * followed, whether the stream brought it or it was there. Links are made as they are told,
 * wherever they point; set-user and set-group bits are dropped. For one thread.
 */
final class TreeReader {
  private static final int PERMISSIONS = 0777;

  /** Some 30,000 years: more than any file system takes. */
  private static final long MAX_SECONDS = 1L << 40;

  private final DataInputStream in;
  private final Path top;
  private final byte[] chunk = new byte[TreeFormat.MAX_CHUNK];

  /** The names of the directories that are entered, the innermost first. */
  private final ArrayDeque<String> entered = new ArrayDeque<>();

  private boolean begun;

  /**
   * Reads from a stream.
   *
   * @param top what the tree's top becomes
   */
  TreeReader(InputStream in, Path top) {
    this.in = new DataInputStream(in);
    this.top = top;
  }

  /** Receives all of it; false when there was nothing but the end. */
  boolean read() throws IOException {
    byte[] header = new byte[TreeFormat.ENTRY_BYTES];
    try {
      while (true) {
        in.readFully(header);
        TreeFormat.Entry entry = TreeFormat.Entry.of(header);
        if (entry.nameBytes() > TreeFormat.MAX_NAME_BYTES) {
          throw new IOException("the guest has sent a name that is too long");
        }
        byte[] name = new byte[entry.nameBytes()];
        in.readFully(name);
        if (entry.kind() == TreeFormat.LAST) {
          return begun;
        }
        receive(entry, text(name));
        begun = true;
      }
    } catch (EOFException e) {
      throw new IOException("the guest has ended the copy before its end", e);
    }
  }

  private static String text(byte[] name) throws IOException {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(name)).toString();
    } catch (CharacterCodingException e) {
      throw new IOException("the guest has sent a name that is no UTF-8", e);
    }
  }

  private void receive(TreeFormat.Entry entry, String name) throws IOException {
    if (entry.kind() == TreeFormat.LEAVE) {
      if (entered.isEmpty() || !entered.peek().equals(name)) {
        throw refused(name);
      }
      entered.pop();
      finish(place(name), entry);
      return;
    }
    check(name);
    Path path = place(name);
    switch (entry.kind()) {
      case TreeFormat.DIRECTORY -> {
        makeDirectory(path);
        entered.push(name);
      }
      case TreeFormat.FILE -> {
        file(path);
        finish(path, entry);
      }
      case TreeFormat.LINK -> link(path);
      default -> throw new IOException("the guest has sent an entry of no known kind");
    }
  }

  private Path place(String name) {
    return name.isEmpty() ? top : top.resolve(name);
  }

  /** A name is one step below the directory that was entered last; the top's has none. */
  private void check(String name) throws IOException {
    if (!begun) {
      if (!name.isEmpty()) {
        throw refused(name);
      }
      return;
    }
    String parent = entered.peek();
    String step =
        parent == null || !name.startsWith(parent.isEmpty() ? "" : parent + '/')
            ? ""
            : name.substring(parent.isEmpty() ? 0 : parent.length() + 1);
    boolean plain = !step.isEmpty() && !step.equals(".") && !step.equals("..");
    if (!plain || step.indexOf('/') >= 0 || step.indexOf('\0') >= 0) {
      throw refused(name);
    }
  }

  private static IOException refused(String name) {
    return new IOException("the guest has sent a name that leads elsewhere: '" + name + "'");
  }

  private static void makeDirectory(Path path) throws IOException {
    try {
      Files.createDirectory(path);
    } catch (FileAlreadyExistsException e) {
      if (!Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS)) {
        throw new IOException(path + ": is no directory, so none can be copied there", e);
      }
    }
  }

  private void file(Path path) throws IOException {
    if (Files.exists(path, LinkOption.NOFOLLOW_LINKS)
        && !Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS)) {
      throw new IOException(path + ": is no regular file, so none can be copied there");
    }
    try (OutputStream out =
        Files.newOutputStream(
            path,
            StandardOpenOption.CREATE,
            StandardOpenOption.WRITE,
            StandardOpenOption.TRUNCATE_EXISTING,
            LinkOption.NOFOLLOW_LINKS)) {
      for (int n = chunk(); n > 0; n = chunk()) {
        out.write(chunk, 0, n);
      }
    }
  }

  private void link(Path path) throws IOException {
    int length = chunk();
    byte[] target = Arrays.copyOf(chunk, length);
    if (length == 0 || length > TreeFormat.MAX_NAME_BYTES || chunk() != 0) {
      throw new IOException("the guest has sent a link of " + length + " bytes");
    }
    if (Files.isSymbolicLink(path)) {
      Files.delete(path);
    }
    try {
      Files.createSymbolicLink(path, Path.of(text(target)));
    } catch (InvalidPathException e) {
      throw new IOException("the guest has sent a link to what can be no path", e);
    }
  }

  private int chunk() throws IOException {
    int length = Integer.reverseBytes(in.readInt());
    if (length < 0 || length > chunk.length) {
      throw new IOException("the guest has sent a chunk of " + length + " bytes");
    }
    in.readFully(chunk, 0, length);
    return length;
  }

  private static void finish(Path path, TreeFormat.Entry entry) throws IOException {
    Set<PosixFilePermission> permissions = EnumSet.noneOf(PosixFilePermission.class);
    int mode = entry.mode() & PERMISSIONS;
    PosixFilePermission[] all =
        PosixFilePermission.values(); // owner read first, others execute last
    for (int i = 0; i < all.length; i++) {
      if ((mode & 0400 >>> i) != 0) {
        permissions.add(all[i]);
      }
    }
    Files.setPosixFilePermissions(path, permissions);
    long seconds = Math.clamp(entry.seconds(), -MAX_SECONDS, MAX_SECONDS);
    Files.setLastModifiedTime(path, FileTime.from(Instant.ofEpochSecond(seconds)));
  }
}
