package parhelion.media.share;

import java.nio.BufferOverflowException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * A 9P2000.L conversation with one client about one tree: from its Tversion to the next, or to the
 * end. Serves one request after the other or many at once, by any threads.
 *
 * <p>Whatever a client sends is answered: what is wrong with it is an errno.
 */
public final class NinePSession implements AutoCloseable {
  /** No message is longer: Linux's Xen transport has rings for that much. */
  public static final int MAX_MESSAGE_BYTES = 512 << 10;

  /** A client that takes less cannot be served. */
  static final int MIN_MESSAGE_BYTES = 4096;

  /** The longest request that comes before a size was agreed on. */
  private static final int FIRST_MESSAGE_BYTES = 8192;

  /** How many files a client can hold. */
  static final int MAX_FIDS = 1 << 18;

  /** How many of them can be on the way with an attribute's value, of 64 KiB at most. */
  static final int MAX_TRANSFERS = 256;

  private static final int MAX_WALK_NAMES = 16;
  private static final String VERSION = "9P2000.L";
  private static final System.Logger LOG = System.getLogger(NinePSession.class.getName());

  private final FileTree tree;
  private final Map<Integer, Fid> fids = new ConcurrentHashMap<>();
  private final AtomicInteger fidCount = new AtomicInteger();
  private final AtomicInteger transferCount = new AtomicInteger();
  private volatile int messageBytes = FIRST_MESSAGE_BYTES;
  private volatile boolean agreed;
  private volatile boolean closed;

  /** A conversation that begins; the tree stays open when it ends. */
  public NinePSession(FileTree tree) {
    this.tree = tree;
  }

  /** The longest message either side may send. */
  public int messageBytes() {
    return messageBytes;
  }

  /**
   * How large a buffer the answer to a request needs.
   *
   * @param request a message from its size field on
   */
  public int answerBytes(ByteBuffer request) {
    NinePType type = NinePType.of(request.get(4));
    if (type == NinePType.READ || type == NinePType.READDIR) {
      int countAt = NinePOutput.HEADER_BYTES + 4 + 8;
      if (request.limit() >= countAt + 4) {
        long count = Integer.toUnsignedLong(request.getInt(countAt));
        return (int) Math.clamp(count + 64, FIRST_MESSAGE_BYTES, messageBytes);
      }
    }
    return FIRST_MESSAGE_BYTES;
  }

  /**
   * Serves a request.
   *
   * @param request a message from its size field, at position 0, to the buffer's limit; at least a
   *     header
   * @param answer of {@link #answerBytes} or more; holds the answer afterwards
   */
  public void serve(ByteBuffer request, ByteBuffer answer) {
    NinePInput in = new NinePInput(request);
    int unused = in.u32();
    int number = in.u8();
    int tag = in.u16();
    NinePType type = NinePType.of(number);
    NinePOutput out = new NinePOutput(answer, messageBytes);
    try {
      if (type == null) {
        throw FileError.of(LinuxErrno.EOPNOTSUPP);
      }
      if (!agreed && type != NinePType.VERSION) {
        throw FileError.of(LinuxErrno.EPROTO);
      }
      type.handler.handle(this, in, out);
      out.finish(type.number() + 1, tag);
    } catch (FileError e) {
      out.fail(e.errno(), tag);
    } catch (BufferOverflowException e) {
      out.fail(LinuxErrno.ERANGE, tag); // a client that takes only small messages
    } catch (RuntimeException bug) {
      LOG.log(System.Logger.Level.ERROR, "9p: " + type + " failed", bug);
      out.fail(LinuxErrno.EIO, tag);
    }
  }

  /** msize[4] version[s]; msize[4] version[s]. */
  static void version(NinePSession session, NinePInput in, NinePOutput out) {
    long asked = Integer.toUnsignedLong(in.u32());
    String version = in.text();
    if (asked < MIN_MESSAGE_BYTES) {
      throw FileError.of(LinuxErrno.EINVAL);
    }
    int bytes = (int) Math.min(asked, MAX_MESSAGE_BYTES);
    if (version.equals(VERSION)) {
      session.messageBytes = bytes;
      session.agreed = true;
      out.u32(bytes).string(VERSION);
    } else {
      out.u32(bytes).string("unknown");
    }
  }

  /** There is nothing to prove: a guest is who it is. */
  static void auth(NinePSession session, NinePInput in, NinePOutput out) {
    throw FileError.of(LinuxErrno.EOPNOTSUPP);
  }

  /** fid[4] afid[4] uname[s] aname[s] n_uname[4]; qid[13]. */
  static void attach(NinePSession session, NinePInput in, NinePOutput out) {
    int id = in.u32();
    int unused = in.u32();
    String user = in.text();
    String name = in.text();
    int uid = in.remaining() >= 4 ? in.u32() : 0;
    Node root = session.tree.root();
    session.add(id, new Fid(root, uid == -1 ? 0 : uid));
    out.qid(root.attributes());
  }

  /** oldtag[2]; nothing. Who runs the requests has seen to it that the old one is done. */
  static void flush(NinePSession session, NinePInput in, NinePOutput out) {}

  /** fid[4] newfid[4] nwname[2] and names; nwqid[2] and qids, fewer if the way is not there. */
  static void walk(NinePSession session, NinePInput in, NinePOutput out) {
    int id = in.u32();
    int newId = in.u32();
    int count = in.u16();
    if (count > MAX_WALK_NAMES) {
      throw FileError.of(LinuxErrno.EINVAL);
    }
    List<String> names = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      names.add(in.component());
    }
    Fid fid = session.hold(id);
    try {
      if (id == newId && !fid.isPlain()) {
        throw FileError.of(LinuxErrno.EINVAL);
      }
      List<Attributes> seen = new ArrayList<>(count);
      Node end = walk(fid.node(), names, seen);
      if (end != null) {
        Fid walked = new Fid(end, fid.uid());
        if (id == newId) {
          session.replace(id, fid, walked);
        } else {
          session.add(newId, walked);
        }
      }
      out.u16(seen.size());
      seen.forEach(out::qid);
    } finally {
      fid.release();
    }
  }

  private static @Nullable Node walk(Node from, List<String> names, List<Attributes> seen) {
    Node at = from.again();
    for (String name : names) {
      Node next;
      try {
        next = name.equals(".") ? at.again() : name.equals("..") ? at.parent() : at.walk(name);
      } catch (FileError e) {
        at.close();
        if (seen.isEmpty()) {
          throw e;
        }
        return null;
      }
      at.close();
      at = next;
      try {
        seen.add(at.attributes());
      } catch (FileError e) {
        at.close();
        throw e;
      }
    }
    return at;
  }

  /** fid[4]; nothing. */
  static void clunk(NinePSession session, NinePInput in, NinePOutput out) {
    int id = in.u32();
    Fid fid = session.hold(id);
    try {
      session.drop(id);
      XattrTransfer transfer = fid.transfer();
      if (transfer != null) {
        transfer.finish(fid.node());
      }
    } finally {
      fid.release();
    }
  }

  /** Finds a fid and begins a use of it, which the caller ends. */
  Fid hold(int id) {
    Fid fid = fids.get(id);
    if (fid == null || !fid.hold()) {
      throw FileError.of(LinuxErrno.EBADF);
    }
    return fid;
  }

  /** Puts a fid into the table, which owns it then; if it cannot be, it is released. */
  void add(int id, Fid fid) {
    if (fidCount.incrementAndGet() > MAX_FIDS) {
      fidCount.decrementAndGet();
      fid.release();
      throw FileError.of(LinuxErrno.EMFILE);
    }
    if (fids.putIfAbsent(id, fid) != null) {
      fidCount.decrementAndGet();
      fid.release();
      throw FileError.of(LinuxErrno.EBADF);
    }
    if (closed) {
      drop(id);
    }
  }

  /** Puts a fid into another's place. */
  void replace(int id, Fid old, Fid fid) {
    if (!fids.replace(id, old, fid)) {
      fid.release();
      throw FileError.of(LinuxErrno.EBADF);
    }
    old.release();
    if (closed) {
      drop(id);
    }
  }

  /** Counts a transfer that begins; {@link #drop} of its fid ends it. */
  void beginTransfer() {
    if (transferCount.incrementAndGet() > MAX_TRANSFERS) {
      transferCount.decrementAndGet();
      throw FileError.of(LinuxErrno.ENOMEM);
    }
  }

  void endTransfer() {
    transferCount.decrementAndGet();
  }

  /** Takes a fid out of the table. */
  void drop(int id) {
    Fid fid = fids.remove(id);
    if (fid == null) {
      if (closed) {
        return;
      }
      throw FileError.of(LinuxErrno.EBADF);
    }
    fidCount.decrementAndGet();
    if (fid.transfer() != null) {
      endTransfer();
    }
    fid.release();
  }

  /** How many files the client holds. */
  int fidCount() {
    return fidCount.get();
  }

  /** Lets go of all files, as soon as the requests that use them are done. */
  @Override
  public void close() {
    closed = true;
    fids.keySet().forEach(this::drop);
  }
}
