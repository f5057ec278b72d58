package parhelion.backends.console;

import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import parhelion.backends.Frontend;
import parhelion.backends.GrantedPage;
import parhelion.backends.Port;
import parhelion.backends.RingMemory;
import parhelion.backends.xenbus.XenbusDevice;
import parhelion.backends.xenbus.XenbusDriver;

/**
 * The second and later consoles of a guest, which come by xenbus ({@code device/console/N}) while
 * the first is in start_info. The ring is the same; the frontend publishes its page as {@code
 * ring-ref}, a grant, and its event channel as {@code port}.
 *
 * <p>Runs on the scheduler's thread; pages are given back there, too, whoever disconnects.
 */
public final class ConsoleDriver implements XenbusDriver {
  private final Frontend guest;
  private final ConsoleEnd end;
  private @Nullable ConsoleRing ring;

  public ConsoleDriver(Frontend guest, ConsoleEnd end) {
    this.guest = guest;
    this.end = end;
  }

  @Override
  public void offer(XenbusDevice device) {
    // All that the frontend needs to know is in its own directory from the beginning.
  }

  @Override
  public void connect(XenbusDevice device) throws RefusedException {
    long ref = number(device, "ring-ref");
    long number = number(device, "port");
    GrantedPage page = guest.map(ref, true);
    Turns turns = new Turns(guest);
    Port port;
    try {
      port = guest.bind(number, turns::signal);
    } catch (RefusedException e) {
      page.close();
      throw e;
    }
    ConsoleRing opened = new ConsoleRing(new Lent(page, guest), port, new Kept(end.sink()));
    turns.attach(opened);
    ring = opened;
    end.connected(opened);
  }

  private static long number(XenbusDevice device, String name) throws RefusedException {
    String text = device.fromFrontend(name);
    if (text == null || !text.matches("[0-9]{1,10}")) {
      throw new RefusedException(device + " has no " + name + " that is a number");
    }
    return Long.parseLong(text);
  }

  @Override
  public void disconnect(XenbusDevice device) {
    ConsoleRing closing = ring;
    if (closing != null) {
      ring = null;
      closing.close();
      end.disconnected();
    }
  }

  /** Runs a ring's agent between slices when it has work. */
  private static final class Turns {
    private final Frontend guest;
    private final AtomicBoolean posted = new AtomicBoolean();
    private volatile @Nullable ConsoleRing ring;

    Turns(Frontend guest) {
      this.guest = guest;
    }

    void attach(ConsoleRing served) {
      ring = served;
      served.wakeWith(this::wake);
      wake();
    }

    /** The guest has raised its event. */
    void signal() {
      ConsoleRing served = ring;
      if (served != null) {
        served.signal();
      }
    }

    private void wake() {
      if (posted.compareAndSet(false, true)) {
        guest.post(this::turn);
      }
    }

    private void turn() {
      posted.set(false);
      ConsoleRing served = ring;
      if (served != null && served.runPending()) {
        wake();
      }
    }
  }

  /** The sink of one connection, whose end does not end the sink. */
  private record Kept(ConsoleSink sink) implements ConsoleSink {
    @Override
    public int accept(byte[] bytes, int offset, int length) {
      return sink.accept(bytes, offset, length);
    }

    @Override
    public void whenRoom(Runnable signal) {
      sink.whenRoom(signal);
    }
  }

  /** A granted page that is given back on the thread that may do so. */
  private record Lent(GrantedPage page, Frontend guest) implements RingMemory {
    @Override
    public int loadAcquire(int offset) {
      return page.loadAcquire(offset);
    }

    @Override
    public void storeRelease(int offset, int value) {
      page.storeRelease(offset, value);
    }

    @Override
    public void read(int offset, byte[] target, int targetOffset, int length) {
      page.read(offset, target, targetOffset, length);
    }

    @Override
    public void write(int offset, byte[] source, int sourceOffset, int length) {
      page.write(offset, source, sourceOffset, length);
    }

    @Override
    public void close() {
      guest.post(page::close);
    }
  }
}
