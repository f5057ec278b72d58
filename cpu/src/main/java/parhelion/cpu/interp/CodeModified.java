package parhelion.cpu.interp;

/**
 * The running block is about to overwrite itself: its current instruction is to be executed again,
 * alone.
 */
final class CodeModified extends RuntimeException {
  private static final long serialVersionUID = 1L;
  static final CodeModified INSTANCE = new CodeModified();

  private CodeModified() {
    super(null, null, false, false);
  }
}
