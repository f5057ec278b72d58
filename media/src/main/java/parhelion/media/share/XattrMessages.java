package parhelion.media.share;

/** Requests about extended attributes. */
final class XattrMessages {
  private XattrMessages() {}

  /** fid[4] newfid[4] name[s]; size[8]. Without a name: the list of names. */
  static void xattrwalk(NinePSession session, NinePInput in, NinePOutput out) {
    Fid fid = session.hold(in.u32());
    try {
      int newId = in.u32();
      String name = in.attributeName();
      byte[] value = name.isEmpty() ? fid.node().attributeNames() : fid.node().attribute(name);
      session.beginTransfer();
      try {
        session.add(newId, new Fid(fid.node().again(), fid.uid(), XattrTransfer.outgoing(value)));
      } catch (FileError e) {
        session.endTransfer();
        throw e;
      }
      out.u64(value.length);
    } finally {
      fid.release();
    }
  }

  /** fid[4] name[s] size[8] flags[4]; nothing. */
  static void xattrcreate(NinePSession session, NinePInput in, NinePOutput out) {
    Fid fid = session.hold(in.u32());
    try {
      String name = in.attributeName();
      long size = in.size();
      int flags = in.u32();
      if (size > XattrTransfer.MAX_BYTES) {
        throw FileError.of(LinuxErrno.ENOSPC);
      }
      session.beginTransfer();
      try {
        fid.begin(XattrTransfer.incoming(name, (int) size, flags));
      } catch (FileError e) {
        session.endTransfer();
        throw e;
      }
    } finally {
      fid.release();
    }
  }
}
