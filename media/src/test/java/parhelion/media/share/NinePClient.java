package parhelion.media.share;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** A client of a session: writes requests byte by byte, independently of the server's classes. */
final class NinePClient implements AutoCloseable {
  static final int ROOT = 0;
  private static final int NO_FID = -1;

  private final NinePSession session;
  private final ByteBuffer message = ByteBuffer.allocateDirect(1 << 20);
  private final ByteBuffer answer = ByteBuffer.allocateDirect(1 << 20);

  /** A file as the answer to Tgetattr tells of it. */
  record Stat(
      int qidType, long inode, int mode, int uid, int gid, long links, long device, long size) {}

  /** An entry of a directory. */
  record Entry(String name, long inode, long cookie, int type) {}

  /** What the server answered instead. */
  static final class Refused extends RuntimeException {
    private static final long serialVersionUID = 1;
    final int errno;

    Refused(int errno) {
      super("errno " + errno);
      this.errno = errno;
    }
  }

  /** Agrees on a version; nothing is attached. */
  NinePClient(FileTree tree, int messageBytes) {
    session = new NinePSession(tree);
    answer.order(ByteOrder.LITTLE_ENDIAN);
    message.order(ByteOrder.LITTLE_ENDIAN);
    ByteBuffer a = call(begin(100).putInt(messageBytes), "9P2000.L");
    a.getInt();
    assertEquals("9P2000.L", string(a));
  }

  /** Also attaches fid 0 as a user. */
  static NinePClient attached(FileTree tree, int uid) {
    NinePClient client = new NinePClient(tree, 65536);
    client.attach(ROOT, uid);
    return client;
  }

  NinePSession session() {
    return session;
  }

  ByteBuffer begin(int type) {
    message.clear();
    message.putInt(0).put((byte) type).putShort((short) 1);
    return message;
  }

  private static void put(ByteBuffer to, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.ISO_8859_1);
    to.putShort((short) bytes.length).put(bytes);
  }

  static String string(ByteBuffer from) {
    byte[] bytes = new byte[from.getShort() & 0xffff];
    from.get(bytes);
    return new String(bytes, StandardCharsets.ISO_8859_1);
  }

  private ByteBuffer call(ByteBuffer request, String last) {
    put(request, last);
    return call(request);
  }

  /** Sends what {@link #begin} began. */
  ByteBuffer call(ByteBuffer request) {
    request.flip();
    request.putInt(0, request.limit());
    int type = request.get(4) & 0xff;
    session.serve(request, answer);
    assertEquals(answer.limit(), answer.getInt(0), "the answer's size");
    assertEquals(1, answer.getShort(5), "the answer's tag");
    answer.position(7);
    int got = answer.get(4) & 0xff;
    if (got == 7) {
      throw new Refused(answer.getInt());
    }
    assertEquals(type + 1, got, "the answer's type");
    return answer;
  }

  void attach(int fid, int uid) {
    ByteBuffer m = begin(104).putInt(fid).putInt(NO_FID);
    put(m, "user");
    put(m, "");
    call(m.putInt(uid));
  }

  /** Walks and returns how many names were there. */
  int walk(int fid, int newFid, String... names) {
    ByteBuffer m = begin(110).putInt(fid).putInt(newFid).putShort((short) names.length);
    for (String name : names) {
      put(m, name);
    }
    return call(m).getShort();
  }

  Stat stat(int fid) {
    ByteBuffer a = call(begin(24).putInt(fid).putLong(0x7ff));
    a.getLong();
    int type = a.get() & 0xff;
    a.getInt();
    long inode = a.getLong();
    return new Stat(
        type, inode, a.getInt(), a.getInt(), a.getInt(), a.getLong(), a.getLong(), a.getLong());
  }

  void open(int fid, int flags) {
    call(begin(12).putInt(fid).putInt(flags));
  }

  void create(int fid, String name, int flags, int mode, int gid) {
    ByteBuffer m = begin(14).putInt(fid);
    put(m, name);
    call(m.putInt(flags).putInt(mode).putInt(gid));
  }

  byte[] read(int fid, long offset, int count) {
    ByteBuffer a = call(begin(116).putInt(fid).putLong(offset).putInt(count));
    byte[] data = new byte[a.getInt()];
    a.get(data);
    return data;
  }

  int write(int fid, long offset, byte[] data) {
    return call(begin(118).putInt(fid).putLong(offset).putInt(data.length).put(data)).getInt();
  }

  List<Entry> list(int fid, int count) {
    List<Entry> entries = new ArrayList<>();
    long cookie = 0;
    while (true) {
      ByteBuffer a = call(begin(40).putInt(fid).putLong(cookie).putInt(count));
      int bytes = a.getInt();
      if (bytes == 0) {
        return entries;
      }
      int end = a.position() + bytes;
      while (a.position() < end) {
        a.get();
        a.getInt();
        long inode = a.getLong();
        cookie = a.getLong();
        int type = a.get();
        entries.add(new Entry(string(a), inode, cookie, type));
      }
    }
  }

  void mkdir(int fid, String name, int mode, int gid) {
    ByteBuffer m = begin(72).putInt(fid);
    put(m, name);
    call(m.putInt(mode).putInt(gid));
  }

  void mknod(int fid, String name, int mode, int major, int minor, int gid) {
    ByteBuffer m = begin(18).putInt(fid);
    put(m, name);
    call(m.putInt(mode).putInt(major).putInt(minor).putInt(gid));
  }

  void symlink(int fid, String name, String target) {
    ByteBuffer m = begin(16).putInt(fid);
    put(m, name);
    put(m, target);
    call(m.putInt(0));
  }

  String readlink(int fid) {
    return string(call(begin(22).putInt(fid)));
  }

  void link(int directory, int fid, String name) {
    call(begin(70).putInt(directory).putInt(fid), name);
  }

  void rename(int fid, int directory, String name) {
    call(begin(20).putInt(fid).putInt(directory), name);
  }

  void renameat(int from, String oldName, int to, String newName) {
    ByteBuffer m = begin(74).putInt(from);
    put(m, oldName);
    call(m.putInt(to), newName);
  }

  void unlinkat(int directory, String name, int flags) {
    ByteBuffer m = begin(76).putInt(directory);
    put(m, name);
    call(m.putInt(flags));
  }

  void remove(int fid) {
    call(begin(122).putInt(fid));
  }

  void clunk(int fid) {
    call(begin(120).putInt(fid));
  }

  void setattr(int fid, int valid, int mode, int uid, int gid, long size) {
    setattr(fid, valid, mode, uid, gid, size, 0, 0);
  }

  void setattr(
      int fid, int valid, int mode, int uid, int gid, long size, long seconds, long nanos) {
    ByteBuffer m = begin(26).putInt(fid).putInt(valid).putInt(mode).putInt(uid).putInt(gid);
    call(m.putLong(size).putLong(seconds).putLong(nanos).putLong(seconds).putLong(nanos));
  }

  byte[] attribute(int fid, int newFid, String name) {
    ByteBuffer m = begin(30).putInt(fid).putInt(newFid);
    long size = call(m, name).getLong();
    byte[] value = size == 0 ? new byte[0] : read(newFid, 0, (int) size);
    clunk(newFid);
    return value;
  }

  void setAttribute(int fid, int newFid, String name, byte[] value, int flags) {
    walk(fid, newFid);
    ByteBuffer m = begin(32).putInt(newFid);
    put(m, name);
    call(m.putLong(value.length).putInt(flags));
    if (value.length > 0) {
      write(newFid, 0, value);
    }
    clunk(newFid);
  }

  void fsync(int fid) {
    call(begin(50).putInt(fid).putInt(0));
  }

  /** The errno of a call that must fail. */
  static int errno(Runnable call) {
    try {
      call.run();
    } catch (Refused e) {
      return e.errno;
    }
    throw new AssertionError("it was granted");
  }

  @Override
  public void close() {
    session.close();
  }
}
