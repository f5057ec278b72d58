package parhelion.process.file;

import java.util.ArrayList;
import java.util.List;

/** Who is to be woken when something changes. Used under the kernel's lock. */
public final class WaitQueue {
  private final List<Runnable> waiters = new ArrayList<>(2);

  public void add(Runnable wake) {
    waiters.add(wake);
  }

  public void remove(Runnable wake) {
    waiters.remove(wake);
  }

  public void wakeAll() {
    for (int i = 0; i < waiters.size(); i++) {
      waiters.get(i).run();
    }
  }
}
