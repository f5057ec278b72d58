package parhelion.media.share;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;
import parhelion.host.Libc;

/**
 * Whose a shared directory's files are. Who runs Parhelion can rarely give files away on the host,
 * while a guest's root expects to; docs/decisions/0012-owners-of-shared-files.md has the reasons.
 */
public enum Ownership {
  /**
   * The user who runs Parhelion is root in the guest, and root in the guest is that user: what
   * others own on the host, others own in the guest. Files cannot be given away.
   */
  USER_IS_ROOT {
    @Override
    Attributes seen(HostNode node, Attributes host) {
      return owned(host, host.mode(), rootFor(host.uid(), EUID), rootFor(host.gid(), EGID));
    }

    @Override
    void setOwner(HostNode node, @Nullable Integer uid, @Nullable Integer gid) {
      node.changeHostOwner(userFor(uid, EUID), userFor(gid, EGID));
    }
  },

  /** Numbers are the same on both sides; what the host does not allow fails. */
  PASSTHROUGH {
    @Override
    Attributes seen(HostNode node, Attributes host) {
      return host;
    }

    @Override
    void setOwner(HostNode node, @Nullable Integer uid, @Nullable Integer gid) {
      node.changeHostOwner(uid == null ? -1 : uid, gid == null ? -1 : gid);
    }
  },

  /**
   * Owner, mode and device number that the guest sees are in extended attributes of the host's
   * file, by the names and in the form of QEMU's mapped-xattr; the host's file belongs to the user.
   * Devices, FIFOs and sockets are empty files there.
   */
  MAPPED {
    @Override
    Attributes seen(HostNode node, Attributes host) {
      if (FileMode.isSymlink(host.mode())) {
        return owned(host, host.mode(), 0, 0); // has no attributes of the user's
      }
      int mode = (int) number(node, MODE, host.mode());
      // The kind of a directory is the host's: a guest that forged it would confuse only itself.
      boolean same = FileMode.isDirectory(mode) == FileMode.isDirectory(host.mode());
      mode = same && (mode & FileMode.TYPE) != 0 ? mode : host.mode();
      Attributes mapped =
          owned(
              host,
              mode,
              (int) number(node, UID, rootFor(host.uid(), EUID)),
              (int) number(node, GID, rootFor(host.gid(), EGID)));
      return FileMode.isDevice(mode) ? withDevice(mapped, number(node, DEVICE, 0)) : mapped;
    }

    @Override
    void setOwner(HostNode node, @Nullable Integer uid, @Nullable Integer gid) {
      if (FileMode.isSymlink(node.hostAttributes().mode())) {
        return;
      }
      if (uid != null) {
        put(node, UID, uid, Integer.BYTES);
      }
      if (gid != null) {
        put(node, GID, gid, Integer.BYTES);
      }
    }

    @Override
    void setMode(HostNode node, int permissions) {
      int type = seen(node, node.hostAttributes()).mode() & FileMode.TYPE;
      put(node, MODE, type | permissions, Integer.BYTES);
      int host = node.hostAttributes().mode();
      node.changeHostMode(hostMode(permissions, FileMode.isDirectory(host)));
    }

    @Override
    int hostMode(int mode, boolean directory) {
      return mode & 0777 | (directory ? 0700 : 0600);
    }

    @Override
    int hostNodeType(int mode) {
      return FileMode.REGULAR;
    }

    @Override
    void created(HostNode node, int mode, Creation what) {
      if (FileMode.isSymlink(mode)) {
        return;
      }
      put(node, UID, what.uid(), Integer.BYTES);
      put(node, GID, what.gid(), Integer.BYTES);
      put(node, MODE, mode, Integer.BYTES);
    }

    @Override
    void setDevice(HostNode node, long device) {
      put(node, DEVICE, device, Long.BYTES);
    }

    @Override
    boolean hidesTypes() {
      return true;
    }

    @Override
    boolean showsAttribute(String name) {
      return super.showsAttribute(name) && !name.startsWith(PREFIX);
    }

    @Override
    void probe(HostNode root) {
      put(root, PREFIX + "probe", 0, Integer.BYTES);
      root.removeHostAttribute(PREFIX + "probe");
    }
  };

  private static final String PREFIX = "user.virtfs.";
  private static final String UID = PREFIX + "uid";
  private static final String GID = PREFIX + "gid";
  private static final String MODE = PREFIX + "mode";
  private static final String DEVICE = PREFIX + "rdev";

  private static final int EUID =
      Libc.isAvailable() ? (int) Libc.call(Libc.Call.GETEUID, 0, 0, 0, 0, 0) : 0;
  private static final int EGID =
      Libc.isAvailable() ? (int) Libc.call(Libc.Call.GETEGID, 0, 0, 0, 0, 0) : 0;

  /** The attributes that the guest sees. */
  abstract Attributes seen(HostNode node, Attributes host);

  /** Gives a file to others; null leaves it. */
  abstract void setOwner(HostNode node, @Nullable Integer uid, @Nullable Integer gid);

  /** Sets permission bits. */
  void setMode(HostNode node, int permissions) {
    node.changeHostMode(hostMode(permissions, FileMode.isDirectory(node.hostAttributes().mode())));
  }

  /**
   * The permission bits that the host's file gets: no guest makes programs that run as somebody
   * else on the host.
   */
  int hostMode(int mode, boolean directory) {
    int kept = directory ? FileMode.PERMISSIONS : 0777 | 01000;
    return mode & kept;
  }

  /**
   * What a device node, FIFO or socket is on the host: devices are none of the guest's business.
   */
  int hostNodeType(int mode) {
    if (FileMode.isDevice(mode)) {
      throw FileError.of(LinuxErrno.EPERM);
    }
    return mode & FileMode.TYPE;
  }

  /** A file was made: sets what the host did not, such as bits of its umask. */
  void created(HostNode node, int mode, Creation what) {
    if (!FileMode.isSymlink(mode)) {
      node.changeHostMode(hostMode(mode & FileMode.PERMISSIONS, FileMode.isDirectory(mode)));
    }
  }

  void setDevice(HostNode node, long device) {}

  /** Whether a regular file of the host may be something else to the guest. */
  boolean hidesTypes() {
    return false;
  }

  /** Whether the guest sees an extended attribute: the user's only. */
  boolean showsAttribute(String name) {
    return name.startsWith("user.");
  }

  /** Refuses what the guest does not see. */
  final void mayUseAttribute(String name) {
    if (!showsAttribute(name)) {
      throw FileError.of(LinuxErrno.EOPNOTSUPP);
    }
  }

  /** Fails if a directory cannot be shared so. */
  void probe(HostNode root) {}

  private static int rootFor(int id, int ours) {
    if (id == ours) {
      return 0;
    }
    return id == 0 ? OVERFLOW_ID : id;
  }

  /** Nobody: whom the host's root is to a guest whose root is somebody else. */
  private static final int OVERFLOW_ID = 65534;

  private static int userFor(@Nullable Integer id, int ours) {
    if (id == null) {
      return -1;
    }
    return id == 0 ? ours : id;
  }

  private static long number(HostNode node, String name, long otherwise) {
    byte[] value;
    try {
      value = node.hostAttribute(name);
    } catch (FileError e) {
      return otherwise; // none, or one that cannot be read
    }
    ByteBuffer bytes = ByteBuffer.wrap(value).order(ByteOrder.LITTLE_ENDIAN);
    return switch (value.length) {
      case Integer.BYTES -> Integer.toUnsignedLong(bytes.getInt());
      case Long.BYTES -> bytes.getLong();
      default -> otherwise;
    };
  }

  private static void put(HostNode node, String name, long value, int bytes) {
    byte[] packed =
        ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN).putLong(value).array();
    node.setHostAttribute(name, java.util.Arrays.copyOf(packed, bytes), 0);
  }

  private static Attributes owned(Attributes a, int mode, int uid, int gid) {
    return new Attributes(
        a.inode(),
        mode,
        uid,
        gid,
        a.links(),
        a.device(),
        a.sizeBytes(),
        a.blockBytes(),
        a.blocks(),
        a.accessed(),
        a.modified(),
        a.changed());
  }

  private static Attributes withDevice(Attributes a, long device) {
    return new Attributes(
        a.inode(),
        a.mode(),
        a.uid(),
        a.gid(),
        a.links(),
        device,
        a.sizeBytes(),
        a.blockBytes(),
        a.blocks(),
        a.accessed(),
        a.modified(),
        a.changed());
  }
}
