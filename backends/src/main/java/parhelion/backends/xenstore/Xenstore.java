package parhelion.backends.xenstore;

import java.nio.charset.StandardCharsets;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The store as Java code sees it: by {@link XenstoreClient} directly, or inside one of its
 * transactions. Paths are absolute, or relative to /local/domain/0. All methods throw {@link
 * XsException}.
 */
public interface Xenstore {
  /** The value of a node (ENOENT if there is none). */
  byte[] readBytes(String path);

  /** Writes a node, made with empty nodes above it if need be. */
  void writeBytes(String path, byte[] value);

  /** Makes an empty node if there is none. */
  void mkdir(String path);

  /** Removes a node with all below it; nothing happens if there is none. */
  void rm(String path);

  /** The names of a node's children, oldest first (ENOENT if there is no such node). */
  List<String> list(String path);

  Perms perms(String path);

  void setPerms(String path, Perms perms);

  /** Whether there is such a node. */
  default boolean exists(String path) {
    return readOrNull(path) != null;
  }

  /** The value as text, one char per byte. */
  default String read(String path) {
    return new String(readBytes(path), StandardCharsets.ISO_8859_1);
  }

  /** The value as text, or null if there is no such node. */
  default @Nullable String readOrNull(String path) {
    try {
      return read(path);
    } catch (XsException e) {
      if (e.errno() == XsErrno.ENOENT) {
        return null;
      }
      throw e;
    }
  }

  /** Writes text; a char beyond ISO 8859-1 becomes {@code ?}. */
  default void write(String path, String value) {
    writeBytes(path, value.getBytes(StandardCharsets.ISO_8859_1));
  }

  /** Writes a node and then sets its permissions. */
  default void write(String path, String value, Perms perms) {
    write(path, value);
    setPerms(path, perms);
  }

  /** Makes an empty node if there is none, and then sets its permissions. */
  default void mkdir(String path, Perms perms) {
    mkdir(path);
    setPerms(path, perms);
  }
}
