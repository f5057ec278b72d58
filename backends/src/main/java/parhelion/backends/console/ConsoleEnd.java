package parhelion.backends.console;

/**
 * What sits on the host behind a guest's second or later console: a pseudo-terminal, a socket, a
 * file, a channel. It outlives connections: the guest may close its half and open it again.
 */
public interface ConsoleEnd extends AutoCloseable {
  /** Takes the guest's output, of every connection; closed by {@link #close} alone. */
  ConsoleSink sink();

  /**
   * A guest's half has connected: {@code input} takes bytes for it from now on, by any thread.
   * Called by the scheduler's thread, so it must not block.
   */
  void connected(ConsoleInput input);

  /** The guest's half has gone; its input takes no more. Called as {@link #connected} is. */
  void disconnected();

  /** Where it can be reached, for people: a path, say. */
  String where();

  /** Whether {@link #where} is the host's choice, of which the user has to be told. */
  default boolean isNamedByHost() {
    return false;
  }

  /** The device is gone for good. Called as {@link #connected} is. */
  @Override
  void close();
}
