package parhelion.backends.console;

/** Takes input for a guest's console, which it has connected. Any thread but the guest's. */
public interface ConsoleInput {
  /**
   * Gives bytes to the guest, and waits while it takes none. Returns early if the console is
   * closed.
   */
  void feed(byte[] bytes, int offset, int length) throws InterruptedException;
}
