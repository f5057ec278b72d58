package parhelion.process;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Pending signals: one of each standard signal, real-time ones in order. */
final class SignalQueue {
  private static final int MAX_QUEUED = 256;
  private static final int FIRST_REALTIME = 32;
  private final List<SignalInfo> queue = new ArrayList<>(2);
  private long set;

  long set() {
    return set;
  }

  /** False when there is no room left. */
  boolean add(SignalInfo info) {
    long bit = Signals.bit(info.signal());
    if ((set & bit) != 0 && (info.signal() < FIRST_REALTIME || queue.size() >= MAX_QUEUED)) {
      return info.signal() < FIRST_REALTIME;
    }
    set |= bit;
    queue.add(info);
    return true;
  }

  /** Takes the first of the given number, or null. */
  @Nullable SignalInfo take(int signal) {
    SignalInfo found = null;
    boolean more = false;
    for (Iterator<SignalInfo> it = queue.iterator(); it.hasNext(); ) {
      SignalInfo info = it.next();
      if (info.signal() == signal) {
        if (found != null) {
          more = true;
          break;
        }
        found = info;
        it.remove();
      }
    }
    if (!more) {
      set &= ~Signals.bit(signal);
    }
    return found;
  }

  void discard(int signal) {
    queue.removeIf(info -> info.signal() == signal);
    set &= ~Signals.bit(signal);
  }
}
