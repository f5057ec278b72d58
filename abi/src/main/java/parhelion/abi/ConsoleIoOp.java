package parhelion.abi;

import org.jspecify.annotations.Nullable;

/** Sub-ops of {@code console_io} ({@code xen.h}). */
@XenNames(header = "xen.h", prefix = "CONSOLEIO_")
public enum ConsoleIoOp implements Numbered {
  WRITE(0, "CONSOLEIO_write"),
  READ(1, "CONSOLEIO_read");

  private static final @Nullable ConsoleIoOp[] BY_NR = ByNumber.table(values());

  private final int nr;
  private final String cName;

  ConsoleIoOp(int nr, String cName) {
    this.nr = nr;
    this.cName = cName;
  }

  /** The row with that number, or null if there is none. */
  public static @Nullable ConsoleIoOp of(long nr) {
    return nr >= 0 && nr < BY_NR.length ? BY_NR[(int) nr] : null;
  }

  @Override
  public int nr() {
    return nr;
  }

  @Override
  public String cName() {
    return cName;
  }
}
