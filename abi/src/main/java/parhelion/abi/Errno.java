package parhelion.abi;

import org.jspecify.annotations.Nullable;

/**
 * Xen's error numbers ({@code errno.h}), which are Linux's. A hypercall fails with {@link #result}
 * in {@code rax}; xenstore's {@code XS_ERROR} carries the name.
 */
@XenNames(header = "errno.h", prefix = "XEN_")
public enum Errno implements Numbered {
  EPERM(1, "operation not permitted"),
  ENOENT(2, "no such entry"),
  ESRCH(3, "no such domain or process"),
  EIO(5, "input/output error"),
  ENXIO(6, "no such device or address"),
  E2BIG(7, "argument list too long"),
  ENOEXEC(8, "exec format error"),
  EBADF(9, "bad file number"),
  ECHILD(10, "no child processes"),
  EAGAIN(11, "try again"),
  ENOMEM(12, "out of memory"),
  EACCES(13, "permission denied"),
  EFAULT(14, "bad address"),
  EBUSY(16, "device or resource busy"),
  EEXIST(17, "already exists"),
  EXDEV(18, "cross-device link"),
  ENODEV(19, "no such device"),
  ENOTDIR(20, "not a directory"),
  EISDIR(21, "is a directory"),
  EINVAL(22, "invalid argument"),
  ENFILE(23, "too many open files in the system"),
  EMFILE(24, "too many open files"),
  ENOSPC(28, "no space left"),
  EROFS(30, "read-only"),
  EMLINK(31, "too many links"),
  EDOM(33, "argument out of domain"),
  ERANGE(34, "result out of range"),
  EDEADLK(35, "would deadlock"),
  ENAMETOOLONG(36, "name too long"),
  ENOLCK(37, "no locks available"),
  ENOSYS(38, "not implemented"),
  ENOTEMPTY(39, "not empty"),
  ENODATA(61, "no data available"),
  ETIME(62, "timer expired"),
  EBADMSG(74, "not a data message"),
  EOVERFLOW(75, "value too large"),
  EILSEQ(84, "illegal byte sequence"),
  ENOTSOCK(88, "not a socket"),
  EMSGSIZE(90, "message too long"),
  EOPNOTSUPP(95, "operation not supported"),
  EADDRINUSE(98, "address in use"),
  EADDRNOTAVAIL(99, "address not available"),
  ENOBUFS(105, "no buffer space available"),
  EISCONN(106, "already connected"),
  ENOTCONN(107, "not connected"),
  ETIMEDOUT(110, "timed out"),
  ECONNREFUSED(111, "connection refused");

  private static final @Nullable Errno[] BY_NR = ByNumber.table(values());

  private final int nr;
  private final String text;

  Errno(int nr, String text) {
    this.nr = nr;
    this.text = text;
  }

  /** The row with that (positive) number, or null if there is none. */
  public static @Nullable Errno of(long nr) {
    return nr >= 0 && nr < BY_NR.length ? BY_NR[(int) nr] : null;
  }

  /**
   * For messages: {@code ENOENT (no such entry)} for 2 and for -2 alike, {@code errno 4711} for
   * what Xen has no name for.
   */
  public static String describe(long nrOrResult) {
    Errno row = of(nrOrResult < 0 ? -nrOrResult : nrOrResult);
    return row == null ? "errno " + nrOrResult : row.name() + " (" + row.text + ")";
  }

  @Override
  public int nr() {
    return nr;
  }

  @Override
  public String cName() {
    return "XEN_" + name();
  }

  /** What the guest finds in {@code rax}: the number, negated. */
  public long result() {
    return -(long) nr;
  }

  /** What it means, in a few lower-case words. */
  public String text() {
    return text;
  }
}
