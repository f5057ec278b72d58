package parhelion.toolstack.console;

import org.jspecify.annotations.Nullable;
import parhelion.backends.console.ConsoleInput;

/** Input for a guest's console, which may be connected or not. Any thread. */
final class GuestInput {
  private volatile @Nullable ConsoleInput ring;

  void connected(ConsoleInput opened) {
    ring = opened;
  }

  void disconnected() {
    ring = null;
  }

  /** Gives the guest bytes, and waits while it takes none; drops them while it is not there. */
  void feed(byte[] bytes, int length) throws InterruptedException {
    ConsoleInput open = ring;
    if (open != null) {
      open.feed(bytes, 0, length);
    }
  }
}
