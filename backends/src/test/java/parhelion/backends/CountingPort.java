package parhelion.backends;

import java.util.concurrent.atomic.AtomicInteger;

/** An event channel that counts. */
public final class CountingPort implements Port {
  private final AtomicInteger notifications = new AtomicInteger();
  private volatile boolean closed;

  @Override
  public void notifyGuest() {
    notifications.incrementAndGet();
  }

  @Override
  public void close() {
    closed = true;
  }

  public int notifications() {
    return notifications.get();
  }

  public boolean closed() {
    return closed;
  }
}
