package parhelion.process.file;

import java.util.List;
import org.jspecify.annotations.Nullable;
import parhelion.process.Errno;
import parhelion.process.LinuxError;

/**
 * A file that a path has led to: a handle to the thing itself, which no rename can turn into
 * another. Short-lived; whoever got it closes it. The defaults are those of something that can only
 * be looked at.
 */
public abstract class Node implements AutoCloseable {
  /** An entry of a directory; {@code type} is a DT_ value. */
  public record Entry(String name, long inode, int type) {}

  public abstract FileStat stat();

  /** The file of this name in this directory, or null. Does not follow links. */
  public @Nullable Node child(String name) {
    throw new LinuxError(Errno.ENOTDIR);
  }

  /** All entries of this directory but "." and "..". */
  public List<Entry> list() {
    throw new LinuxError(Errno.ENOTDIR);
  }

  /** What a symbolic link says. */
  public String link() {
    throw new LinuxError(Errno.EINVAL);
  }

  /** Of links that lead to a thing rather than to a name (/proc/self/exe): the thing. */
  public @Nullable Node linkTarget() {
    return null;
  }

  /** Opens it; {@code flags} are the guest's. */
  public abstract OpenFile open(int flags);

  /** Creates and opens a file in this directory. */
  public OpenFile create(String name, int flags, int mode) {
    throw new LinuxError(Errno.EROFS);
  }

  public void makeDirectory(String name, int mode) {
    throw new LinuxError(Errno.EROFS);
  }

  public void makeLink(String name, String content) {
    throw new LinuxError(Errno.EROFS);
  }

  /** Removes a name from this directory. */
  public void remove(String name, boolean directory) {
    throw new LinuxError(Errno.EROFS);
  }

  /** Renames {@code name} in this directory to {@code newName} in another of the same kind. */
  public void rename(String name, Node newDirectory, String newName, int flags) {
    throw new LinuxError(newDirectory.getClass() == getClass() ? Errno.EROFS : Errno.EXDEV);
  }

  /** Gives the file {@code name} in this directory a second name. */
  public void linkTo(String name, Node newDirectory, String newName) {
    throw new LinuxError(newDirectory.getClass() == getClass() ? Errno.EROFS : Errno.EXDEV);
  }

  public void changeMode(int mode) {
    throw new LinuxError(Errno.EROFS);
  }

  public void changeOwner(int uid, int gid) {
    throw new LinuxError(Errno.EROFS);
  }

  /** Sets both times, in nanoseconds, or {@link #OMIT} or {@link #NOW}. */
  public void changeTimes(long accessNanos, long modifyNanos) {
    throw new LinuxError(Errno.EROFS);
  }

  public static final long OMIT = Long.MIN_VALUE;
  public static final long NOW = Long.MIN_VALUE + 1;

  /** Whether the caller may; {@code mode} as of access(2). */
  public void checkAccess(int mode) {
    int bits = stat().mode();
    if ((mode & 2) != 0 && (bits & 0222) == 0) {
      throw new LinuxError(Errno.EROFS);
    }
    if ((mode & 1) != 0 && (bits & 0111) == 0) {
      throw new LinuxError(Errno.EACCES);
    }
  }

  public boolean isDirectory() {
    return stat().isDirectory();
  }

  public boolean isSymlink() {
    return stat().isSymlink();
  }

  @Override
  public void close() {}
}
