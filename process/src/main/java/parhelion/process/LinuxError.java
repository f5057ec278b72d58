package parhelion.process;

/** A system call's failure: {@code -errno} in RAX. Stackless; caught in the one dispatcher. */
public final class LinuxError extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public final int errno;

  public LinuxError(int errno) {
    super(null, null, false, false);
    this.errno = errno;
  }

  @Override
  public String getMessage() {
    return Errno.name(errno);
  }
}
