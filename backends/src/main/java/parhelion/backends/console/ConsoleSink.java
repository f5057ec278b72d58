package parhelion.backends.console;

/**
 * Where a guest's console output goes. Called by the thread that runs the console's agent, so it
 * must not block: what it cannot take stays in the guest's ring, and the guest waits.
 */
public interface ConsoleSink extends AutoCloseable {
  /**
   * Takes bytes.
   *
   * @return how many of {@code length} were taken, from the front
   */
  int accept(byte[] bytes, int offset, int length);

  /** Names what to call, from any thread, once a sink that refused bytes has room again. */
  default void whenRoom(Runnable signal) {}

  /** No more output will come. */
  @Override
  default void close() {}

  /** A sink that gives everything to {@code sink}, and what that takes to {@code log} too. */
  static ConsoleSink logged(ConsoleSink sink, ConsoleLog log) {
    return new ConsoleSink() {
      @Override
      public int accept(byte[] bytes, int offset, int length) {
        int taken = Math.clamp(sink.accept(bytes, offset, length), 0, length);
        log.accept(bytes, offset, taken);
        return taken;
      }

      @Override
      public void whenRoom(Runnable signal) {
        sink.whenRoom(signal);
      }

      @Override
      public void close() {
        sink.close();
      }
    };
  }
}
