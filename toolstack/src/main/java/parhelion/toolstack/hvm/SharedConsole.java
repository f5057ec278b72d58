package parhelion.toolstack.hvm;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import parhelion.backends.console.ConsoleSink;

/** One sink for several consoles of a guest: its serial line and Xen's. Any thread. */
public final class SharedConsole {
  private final ConsoleSink sink;
  private final List<Runnable> signals = new CopyOnWriteArrayList<>();

  public SharedConsole(ConsoleSink sink) {
    this.sink = sink;
    sink.whenRoom(() -> signals.forEach(Runnable::run));
  }

  /** What one of the consoles writes to. */
  public ConsoleSink part() {
    return new ConsoleSink() {
      @Override
      public int accept(byte[] bytes, int offset, int length) {
        return sink.accept(bytes, offset, length);
      }

      @Override
      public void whenRoom(Runnable signal) {
        signals.add(signal);
      }
    };
  }
}
