package parhelion.backends.ninep;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import parhelion.backends.Frontend;
import parhelion.backends.xenbus.XenbusDevice;
import parhelion.backends.xenbus.XenbusDriver;
import parhelion.media.share.FileTree;
import parhelion.media.share.NinePServer;

/**
 * The backend of one 9pfs device: agrees with the frontend on rings, and moves messages between
 * them and a {@link NinePServer}. All rings of a device are one conversation.
 *
 * <p>Everything runs on the scheduler's thread, but for answers, which are only noted by the
 * server's threads.
 */
public final class NinePDriver implements XenbusDriver {
  /** Linux asks for two rings; more would only take more of the guest's memory. */
  static final int MAX_RINGS = 4;

  /** Linux's order: 2 MiB a ring, half of it each way, messages of up to 512 KiB. */
  static final int MAX_RING_ORDER = 9;

  private static final String VERSION = "1";

  private final Frontend guest;
  private final FileTree tree;
  private final List<NinePRing> rings = new ArrayList<>();
  private final AtomicBoolean turnAsked = new AtomicBoolean();
  private final NinePCounts counts = new NinePCounts();
  private @Nullable XenbusDevice device;
  private @Nullable NinePServer server;

  /**
   * A driver for one device.
   *
   * @param tree what it serves; stays open
   */
  public NinePDriver(Frontend guest, FileTree tree) {
    this.guest = guest;
    this.tree = tree;
  }

  @Override
  public void offer(XenbusDevice device) {
    device.toFrontend("versions", VERSION);
    device.toFrontend("max-rings", Integer.toString(MAX_RINGS));
    device.toFrontend("max-ring-page-order", Integer.toString(MAX_RING_ORDER));
  }

  @Override
  public void connect(XenbusDevice device) throws RefusedException {
    String version = device.fromFrontend("version");
    if (!VERSION.equals(version)) {
      throw new RefusedException(device + ": version " + version + " is not " + VERSION);
    }
    long count = number(device, "num-rings");
    if (count < 1 || count > MAX_RINGS) {
      throw new RefusedException(device + ": " + count + " rings, where 1 to 4 are possible");
    }
    boolean whole = false;
    NinePServer opened = new NinePServer(tree, "9p");
    try {
      for (int i = 0; i < count; i++) {
        rings.add(
            NinePRing.open(
                guest,
                number(device, "ring-ref" + i),
                number(device, "event-channel-" + i),
                opened,
                counts,
                this::askForTurn));
      }
      whole = true;
    } finally {
      if (!whole) {
        closeRings();
        opened.close();
      }
    }
    this.device = device;
    server = opened;
    askForTurn(); // requests may have come before
  }

  private static long number(XenbusDevice device, String name) throws RefusedException {
    String text = device.fromFrontend(name);
    try {
      if (text != null && text.length() <= 10) {
        return Long.parseUnsignedLong(text);
      }
    } catch (NumberFormatException e) {
      // Said below.
    }
    throw new RefusedException(device + ": " + name + " is no number: " + text);
  }

  /** Any thread. */
  private void askForTurn() {
    if (turnAsked.compareAndSet(false, true)) {
      guest.post(this::turn);
    }
  }

  private void turn() {
    turnAsked.set(false);
    XenbusDevice serving = device;
    if (serving == null) {
      return;
    }
    try {
      boolean more = false;
      for (NinePRing ring : rings) {
        ring.giveAnswers(); // of all rings: that makes room for requests of any
      }
      for (NinePRing ring : rings) {
        more |= ring.takeRequests();
      }
      if (more) {
        askForTurn();
      }
    } catch (RefusedException e) {
      serving.fail(serving + ": " + e.reason());
    }
  }

  @Override
  public void disconnect(XenbusDevice device) {
    this.device = null;
    closeRings();
    NinePServer opened = server;
    server = null;
    if (opened != null) {
      opened.close();
    }
  }

  private void closeRings() {
    rings.forEach(NinePRing::close);
    rings.clear();
  }

  @Override
  public Map<String, Long> counts() {
    Map<String, Long> named = new LinkedHashMap<>();
    named.put("requests", counts.requests);
    named.put("bytes from the guest", counts.requestBytes);
    named.put("bytes to the guest", counts.answerBytes);
    named.put("events to the guest", counts.events);
    return named;
  }
}
