package parhelion.media.share;

/** Requests that make, move and remove entries of directories. */
final class NameMessages {
  private static final int AT_REMOVEDIR = 0x200;

  private NameMessages() {}

  private interface Making {
    Node make(Fid directory);
  }

  private static void make(Fid directory, NinePOutput out, Making making) {
    try (Node made = making.make(directory)) {
      out.qid(made.attributes());
    } finally {
      directory.release();
    }
  }

  /** fid[4] name[s] symtgt[s] gid[4]; qid[13]. */
  static void symlink(NinePSession session, NinePInput in, NinePOutput out) {
    make(
        session.hold(in.u32()),
        out,
        directory -> {
          String name = in.entryName();
          String target = in.text();
          if (target.isEmpty()) {
            throw FileError.of(LinuxErrno.ENOENT);
          }
          Creation what = new Creation(FileMode.SYMLINK | 0777, directory.uid(), in.u32());
          return directory.node().makeSymlink(name, target, what);
        });
  }

  /** dfid[4] name[s] mode[4] major[4] minor[4] gid[4]; qid[13]. */
  static void mknod(NinePSession session, NinePInput in, NinePOutput out) {
    make(
        session.hold(in.u32()),
        out,
        directory -> {
          String name = in.entryName();
          int mode = in.u32();
          long major = Integer.toUnsignedLong(in.u32());
          long minor = Integer.toUnsignedLong(in.u32());
          switch (mode & FileMode.TYPE) {
            case FileMode.CHARACTER, FileMode.BLOCK, FileMode.FIFO, FileMode.SOCKET -> {}
            default -> throw FileError.of(LinuxErrno.EINVAL);
          }
          Creation what =
              new Creation(
                  mode & (FileMode.TYPE | FileMode.PERMISSIONS), directory.uid(), in.u32());
          long device = FileMode.isDevice(mode) ? Attributes.device(major, minor) : 0;
          return directory.node().makeNode(name, device, what);
        });
  }

  /** dfid[4] name[s] mode[4] gid[4]; qid[13]. */
  static void mkdir(NinePSession session, NinePInput in, NinePOutput out) {
    make(
        session.hold(in.u32()),
        out,
        directory -> {
          String name = in.entryName();
          int mode = in.u32() & FileMode.PERMISSIONS;
          Creation what = new Creation(FileMode.DIRECTORY | mode, directory.uid(), in.u32());
          return directory.node().makeDirectory(name, what);
        });
  }

  /** dfid[4] fid[4] name[s]; nothing. */
  static void link(NinePSession session, NinePInput in, NinePOutput out) {
    Fid directory = session.hold(in.u32());
    try {
      Fid target = session.hold(in.u32());
      try {
        directory.node().link(target.node(), in.entryName());
      } finally {
        target.release();
      }
    } finally {
      directory.release();
    }
  }

  /** fid[4] dfid[4] name[s]; nothing. */
  static void rename(NinePSession session, NinePInput in, NinePOutput out) {
    Fid fid = session.hold(in.u32());
    try {
      Fid directory = session.hold(in.u32());
      try {
        fid.node().renameSelf(directory.node(), in.entryName());
      } finally {
        directory.release();
      }
    } finally {
      fid.release();
    }
  }

  /** olddirfid[4] oldname[s] newdirfid[4] newname[s]; nothing. */
  static void renameat(NinePSession session, NinePInput in, NinePOutput out) {
    Fid from = session.hold(in.u32());
    try {
      String oldName = in.entryName();
      Fid to = session.hold(in.u32());
      try {
        from.node().rename(oldName, to.node(), in.entryName());
      } finally {
        to.release();
      }
    } finally {
      from.release();
    }
  }

  /** dirfd[4] name[s] flags[4]; nothing. */
  static void unlinkat(NinePSession session, NinePInput in, NinePOutput out) {
    Fid directory = session.hold(in.u32());
    try {
      String name = in.entryName();
      int flags = in.u32();
      if ((flags & ~AT_REMOVEDIR) != 0) {
        throw FileError.of(LinuxErrno.EINVAL);
      }
      directory.node().unlink(name, flags == AT_REMOVEDIR);
    } finally {
      directory.release();
    }
  }

  /** fid[4]; nothing. The fid is gone even if the file is not. */
  static void remove(NinePSession session, NinePInput in, NinePOutput out) {
    int id = in.u32();
    Fid fid = session.hold(id);
    try {
      session.drop(id);
      fid.node().unlinkSelf();
    } finally {
      fid.release();
    }
  }
}
