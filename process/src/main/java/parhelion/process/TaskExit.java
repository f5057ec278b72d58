package parhelion.process;

/** The calling thread is to end: unwinds a system call that waits. */
final class TaskExit extends RuntimeException {
  private static final long serialVersionUID = 1L;
  static final TaskExit INSTANCE = new TaskExit();

  private TaskExit() {
    super(null, null, false, false);
  }
}
