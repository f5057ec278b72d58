package parhelion.process;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import parhelion.process.file.OpenFile;

/** A process's file descriptors. Shared by its threads; copied by fork. */
final class FileTable {
  static final int MAX = 1024;

  private final @Nullable OpenFile[] files = new OpenFile[MAX];
  private final boolean[] closeOnExec = new boolean[MAX];
  private int users = 1;

  OpenFile get(int fd) {
    OpenFile file = fd >= 0 && fd < MAX ? files[fd] : null;
    if (file == null) {
      throw new LinuxError(Errno.EBADF);
    }
    return file;
  }

  @Nullable OpenFile find(int fd) {
    return fd >= 0 && fd < MAX ? files[fd] : null;
  }

  /** Takes the caller's reference and puts the file at the lowest free number from {@code from}. */
  int add(OpenFile file, int from, boolean cloexec) {
    for (int fd = from; fd < MAX; fd++) {
      if (files[fd] == null) {
        files[fd] = file;
        closeOnExec[fd] = cloexec;
        return fd;
      }
    }
    file.release();
    throw new LinuxError(Errno.EMFILE);
  }

  /** Puts a file, whose reference the caller gives, at a number; closes what was there. */
  void set(int fd, OpenFile file, boolean cloexec) {
    if (fd < 0 || fd >= MAX) {
      file.release();
      throw new LinuxError(Errno.EBADF);
    }
    OpenFile old = files[fd];
    files[fd] = file;
    closeOnExec[fd] = cloexec;
    if (old != null) {
      old.release();
    }
  }

  void close(int fd) {
    OpenFile file = get(fd);
    files[fd] = null;
    file.release();
  }

  boolean isCloseOnExec(int fd) {
    return closeOnExec[fd];
  }

  void setCloseOnExec(int fd, boolean value) {
    closeOnExec[fd] = value;
  }

  FileTable share() {
    users++;
    return this;
  }

  FileTable copy() {
    FileTable copy = new FileTable();
    for (int fd = 0; fd < MAX; fd++) {
      OpenFile file = files[fd];
      if (file != null) {
        copy.files[fd] = file.retain();
        copy.closeOnExec[fd] = closeOnExec[fd];
      }
    }
    return copy;
  }

  /** The table that a process has after exec: its own, without what closes on exec. */
  FileTable forExec() {
    FileTable own = users > 1 ? copy() : this;
    if (own != this) {
      users--;
    }
    for (int fd = 0; fd < MAX; fd++) {
      if (own.files[fd] != null && own.closeOnExec[fd]) {
        own.close(fd);
      }
    }
    return own;
  }

  void release() {
    if (--users == 0) {
      for (int fd = 0; fd < MAX; fd++) {
        if (files[fd] != null) {
          close(fd);
        }
      }
    }
  }

  /** Numbers in use. */
  List<Integer> numbers() {
    List<Integer> numbers = new ArrayList<>();
    for (int fd = 0; fd < MAX; fd++) {
      if (files[fd] != null) {
        numbers.add(fd);
      }
    }
    return numbers;
  }
}
