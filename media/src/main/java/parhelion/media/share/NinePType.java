package parhelion.media.share;

import org.jspecify.annotations.Nullable;

/**
 * The requests of 9P2000.L (Linux's {@code include/net/9p/9p.h}) and what answers them. An answer's
 * number is the request's and 1.
 */
enum NinePType {
  STATFS(8, FileMessages::statfs),
  LOPEN(12, FileMessages::lopen),
  LCREATE(14, FileMessages::lcreate),
  SYMLINK(16, NameMessages::symlink),
  MKNOD(18, NameMessages::mknod),
  RENAME(20, NameMessages::rename),
  READLINK(22, FileMessages::readlink),
  GETATTR(24, FileMessages::getattr),
  SETATTR(26, FileMessages::setattr),
  XATTRWALK(30, XattrMessages::xattrwalk),
  XATTRCREATE(32, XattrMessages::xattrcreate),
  READDIR(40, FileMessages::readdir),
  FSYNC(50, FileMessages::fsync),
  LOCK(52, FileMessages::lock),
  GETLOCK(54, FileMessages::getlock),
  LINK(70, NameMessages::link),
  MKDIR(72, NameMessages::mkdir),
  RENAMEAT(74, NameMessages::renameat),
  UNLINKAT(76, NameMessages::unlinkat),
  VERSION(100, NinePSession::version),
  AUTH(102, NinePSession::auth),
  ATTACH(104, NinePSession::attach),
  FLUSH(108, NinePSession::flush),
  WALK(110, NinePSession::walk),
  READ(116, FileMessages::read),
  WRITE(118, FileMessages::write),
  CLUNK(120, NinePSession::clunk),
  REMOVE(122, NameMessages::remove);

  /** The answer that carries an errno. */
  static final int RLERROR = 7;

  private static final @Nullable NinePType[] BY_NUMBER = new NinePType[256];

  static {
    for (NinePType type : values()) {
      BY_NUMBER[type.number] = type;
    }
  }

  /** Reads the request's fields and writes the answer's. */
  interface Handler {
    void handle(NinePSession session, NinePInput in, NinePOutput out);
  }

  private final int number;
  final Handler handler;

  NinePType(int number, Handler handler) {
    this.number = number;
    this.handler = handler;
  }

  /** Whether a request reaches a file's content, where the host may keep it waiting. */
  boolean touchesData() {
    return switch (this) {
      case LOPEN, LCREATE, SETATTR, READ, WRITE, FSYNC, VERSION -> true;
      default -> false;
    };
  }

  int number() {
    return number;
  }

  /** The request with that number, or null. */
  static @Nullable NinePType of(int number) {
    return BY_NUMBER[number & 0xff];
  }
}
