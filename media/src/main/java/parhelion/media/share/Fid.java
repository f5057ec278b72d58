package parhelion.media.share;

import org.jspecify.annotations.Nullable;

/**
 * What a client's number for a file stands for. It is released when it is out of the table and the
 * last request that uses it is done. Any thread.
 */
final class Fid {
  private final Node node;
  private final int uid;
  private @Nullable OpenFile file;
  private @Nullable XattrTransfer transfer;
  private int uses = 1;

  /** Takes over a reference; {@code uid} is who attached. */
  Fid(Node node, int uid) {
    this.node = node;
    this.uid = uid;
  }

  Fid(Node node, int uid, OpenFile file) {
    this(node, uid);
    this.file = file;
  }

  Fid(Node node, int uid, XattrTransfer transfer) {
    this(node, uid);
    this.transfer = transfer;
  }

  Node node() {
    return node;
  }

  int uid() {
    return uid;
  }

  /** Begins a use; false if the fid is gone. */
  synchronized boolean hold() {
    if (uses == 0) {
      return false;
    }
    uses++;
    return true;
  }

  /** Ends a use, or the fid's stay in the table. */
  void release() {
    OpenFile opened;
    synchronized (this) {
      if (--uses > 0) {
        return;
      }
      opened = file;
    }
    if (opened != null) {
      opened.close();
    }
    node.close();
  }

  /** The open file. */
  synchronized OpenFile file() {
    OpenFile opened = file;
    if (opened == null) {
      throw FileError.of(LinuxErrno.EBADF);
    }
    return opened;
  }

  synchronized boolean isPlain() {
    return file == null && transfer == null;
  }

  synchronized @Nullable XattrTransfer transfer() {
    return transfer;
  }

  /** Opens the file; only once. */
  void open(int flags) {
    OpenFile opened = node.open(flags);
    synchronized (this) {
      if (isPlain()) {
        file = opened;
        return;
      }
    }
    opened.close();
    throw FileError.of(LinuxErrno.EBADF);
  }

  /** Makes the fid one that takes an attribute's value. */
  synchronized void begin(XattrTransfer value) {
    if (!isPlain()) {
      throw FileError.of(LinuxErrno.EBADF);
    }
    transfer = value;
  }
}
