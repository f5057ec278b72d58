package parhelion.media.share;

import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;
import parhelion.media.share.Attributes.Time;

/** Requests about one file: its attributes and its content. */
final class FileMessages {
  private static final int V9FS_MAGIC = 0x01021997;
  private static final int MAX_NAME_BYTES = 255;

  /** What is told of a file: all but the times of birth, generation and version. */
  private static final long GETATTR_BASIC = 0x7ff;

  private static final int SET_MODE = 0x1;
  private static final int SET_UID = 0x2;
  private static final int SET_GID = 0x4;
  private static final int SET_SIZE = 0x8;
  private static final int SET_ATIME_NOW = 0x10;
  private static final int SET_MTIME_NOW = 0x20;
  private static final int SET_ATIME = 0x80;
  private static final int SET_MTIME = 0x100;

  private static final int LOCK_GRANTED = 0;
  private static final int TYPE_UNLOCK = 2;

  /** qid, offset and type, before a directory entry's name. */
  private static final int ENTRY_BYTES = 13 + 8 + 1 + 2;

  private FileMessages() {}

  /** fid[4]; type[4] bsize[4] blocks[8] bfree[8] bavail[8] files[8] ffree[8] fsid[8] namelen[4]. */
  static void statfs(NinePSession session, NinePInput in, NinePOutput out) {
    Fid fid = session.hold(in.u32());
    try {
      FileSystemStatus s = fid.node().fileSystem();
      out.u32(V9FS_MAGIC).u32(s.blockBytes());
      out.u64(s.blocks()).u64(s.free()).u64(s.available()).u64(s.files()).u64(s.freeFiles());
      out.u64(0).u32(MAX_NAME_BYTES);
    } finally {
      fid.release();
    }
  }

  /** fid[4] flags[4]; qid[13] iounit[4]. */
  static void lopen(NinePSession session, NinePInput in, NinePOutput out) {
    Fid fid = session.hold(in.u32());
    try {
      fid.open(in.u32());
      out.qid(fid.node().attributes()).u32(0);
    } finally {
      fid.release();
    }
  }

  /** fid[4] name[s] flags[4] mode[4] gid[4]; qid[13] iounit[4]. The fid becomes the new file. */
  static void lcreate(NinePSession session, NinePInput in, NinePOutput out) {
    int id = in.u32();
    Fid fid = session.hold(id);
    try {
      String name = in.entryName();
      int flags = in.u32();
      int mode = in.u32() & FileMode.PERMISSIONS;
      if (!fid.isPlain()) {
        throw FileError.of(LinuxErrno.EBADF);
      }
      Creation what = new Creation(mode, fid.uid(), in.u32());
      Node.Opened made = fid.node().create(name, flags, what);
      Fid created = new Fid(made.node(), fid.uid(), made.file());
      session.replace(id, fid, created);
      out.qid(made.node().attributes()).u32(0);
    } finally {
      fid.release();
    }
  }

  /** fid[4]; target[s]. */
  static void readlink(NinePSession session, NinePInput in, NinePOutput out) {
    Fid fid = session.hold(in.u32());
    try {
      out.string(fid.node().readLink());
    } finally {
      fid.release();
    }
  }

  /** fid[4] request_mask[8]; valid[8] qid[13] and the attributes. */
  static void getattr(NinePSession session, NinePInput in, NinePOutput out) {
    Fid fid = session.hold(in.u32());
    try {
      Attributes a = fid.node().attributes();
      out.u64(GETATTR_BASIC).qid(a).u32(a.mode()).u32(a.uid()).u32(a.gid());
      out.u64(a.links()).u64(a.device()).u64(a.sizeBytes()).u64(a.blockBytes()).u64(a.blocks());
      time(out, a.accessed());
      time(out, a.modified());
      time(out, a.changed());
      out.u64(0).u64(0).u64(0).u64(0);
    } finally {
      fid.release();
    }
  }

  private static void time(NinePOutput out, Time time) {
    out.u64(time.seconds()).u64(time.nanos());
  }

  /** fid[4] valid[4] mode[4] uid[4] gid[4] size[8] atime[16] mtime[16]; nothing. */
  static void setattr(NinePSession session, NinePInput in, NinePOutput out) {
    Fid fid = session.hold(in.u32());
    try {
      int valid = in.u32();
      int mode = in.u32();
      int uid = in.u32();
      int gid = in.u32();
      long size = in.u64();
      if ((valid & SET_SIZE) != 0 && size < 0) {
        throw FileError.of(LinuxErrno.EINVAL);
      }
      Time accessed = time(valid, SET_ATIME_NOW, SET_ATIME, in);
      Time modified = time(valid, SET_MTIME_NOW, SET_MTIME, in);
      fid.node()
          .setAttributes(
              new AttributeChange(
                  (valid & SET_MODE) != 0 ? mode : null,
                  (valid & SET_UID) != 0 ? uid : null,
                  (valid & SET_GID) != 0 ? gid : null,
                  (valid & SET_SIZE) != 0 ? size : null,
                  accessed,
                  modified));
    } finally {
      fid.release();
    }
  }

  private static @Nullable Time time(int valid, int now, int set, NinePInput in) {
    long seconds = in.u64();
    long nanos = in.u64();
    if ((valid & now) == 0) {
      return null;
    }
    if ((valid & set) == 0) {
      return Time.now();
    }
    if (nanos < 0 || nanos >= 1_000_000_000) {
      throw FileError.of(LinuxErrno.EINVAL);
    }
    return new Time(seconds, (int) nanos);
  }

  /** fid[4] offset[8] count[4]; count[4] and entries of qid[13] offset[8] type[1] name[s]. */
  static void readdir(NinePSession session, NinePInput in, NinePOutput out) {
    Fid fid = session.hold(in.u32());
    try {
      long cookie = in.u64();
      int asked = in.u32();
      int start = out.position();
      out.u32(0);
      int most = start + 4 + Math.clamp(Integer.toUnsignedLong(asked), 0, out.room());
      fid.file()
          .list(
              cookie,
              (inode, mode, next, name) -> {
                if (out.position() + ENTRY_BYTES + name.length() > most) {
                  return false;
                }
                out.qid(inode, mode).u64(next).u8(mode >> 12).string(name);
                return true;
              });
      out.patch(start, out.position() - start - 4);
    } finally {
      fid.release();
    }
  }

  /** fid[4] datasync[4]; nothing. */
  static void fsync(NinePSession session, NinePInput in, NinePOutput out) {
    Fid fid = session.hold(in.u32());
    try {
      fid.file().sync(in.remaining() >= 4 && in.u32() != 0);
    } finally {
      fid.release();
    }
  }

  /**
   * fid[4] type[1] flags[4] start[8] length[8] proc_id[4] client_id[s]; status[1]. Always granted:
   * the one kernel that is our client has asked all of its own processes before.
   */
  static void lock(NinePSession session, NinePInput in, NinePOutput out) {
    Fid fid = session.hold(in.u32());
    try {
      if (in.u8() > TYPE_UNLOCK) {
        throw FileError.of(LinuxErrno.EINVAL);
      }
      fid.file();
      out.u8(LOCK_GRANTED);
    } finally {
      fid.release();
    }
  }

  /** fid[4] type[1] start[8] length[8] proc_id[4] client_id[s]; the same: nobody else has it. */
  static void getlock(NinePSession session, NinePInput in, NinePOutput out) {
    Fid fid = session.hold(in.u32());
    try {
      int ignored = in.u8();
      long start = in.u64();
      long length = in.u64();
      int process = in.u32();
      String client = in.text();
      out.u8(TYPE_UNLOCK).u64(start).u64(length).u32(process).string(client);
    } finally {
      fid.release();
    }
  }

  /** fid[4] offset[8] count[4]; count[4] data. */
  static void read(NinePSession session, NinePInput in, NinePOutput out) {
    Fid fid = session.hold(in.u32());
    try {
      long offset = in.size();
      long asked = Integer.toUnsignedLong(in.u32());
      int at = out.position();
      out.u32(0);
      ByteBuffer into = out.data(Math.clamp(asked, 0, out.room()));
      XattrTransfer transfer = fid.transfer();
      int count = transfer != null ? transfer.read(offset, into) : fid.file().read(offset, into);
      out.skip(count);
      out.patch(at, count);
    } finally {
      fid.release();
    }
  }

  /** fid[4] offset[8] count[4] data; count[4]. */
  static void write(NinePSession session, NinePInput in, NinePOutput out) {
    Fid fid = session.hold(in.u32());
    try {
      long offset = in.size();
      ByteBuffer from = in.bytes(in.u32());
      XattrTransfer transfer = fid.transfer();
      out.u32(transfer != null ? transfer.write(offset, from) : fid.file().write(offset, from));
    } finally {
      fid.release();
    }
  }
}
