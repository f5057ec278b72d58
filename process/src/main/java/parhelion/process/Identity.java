package parhelion.process;

import parhelion.host.Libc;

/** Who the guest is: the host's user, as it is with his rights that files are opened. */
final class Identity {
  private static final int UID = (int) Libc.call(Libc.Call.GETUID, 0);
  private static final int GID = (int) Libc.call(Libc.Call.GETGID, 0);

  private Identity() {}

  static int uid() {
    return UID;
  }

  static int gid() {
    return GID;
  }
}
