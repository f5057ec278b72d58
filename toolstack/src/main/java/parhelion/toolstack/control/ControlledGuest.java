package parhelion.toolstack.control;

import parhelion.toolstack.Screen;
import parhelion.toolstack.steward.Steward;

/** A guest as the control socket sees it. Any thread; a UserError says what cannot be done. */
public interface ControlledGuest {
  GuestInfo info();

  /** Ends it: at once, or by asking its kernel. */
  void stop(boolean force);

  /**
   * A device that was plugged in.
   *
   * @param where on the host it can be reached, if only the host knows; else empty
   */
  record Attached(String name, String where) {}

  /** Plugs in a device that is described as by an option of {@code run}. */
  Attached attach(String kind, String device);

  void detach(String device, boolean force);

  void resize(String device, long bytes);

  /** Asks it to make do with so many MiB of its memory, or to take them again. */
  void memory(int mib);

  /** What is on its display. */
  Screen screen();

  /** Types on its keyboard. */
  void type(String text);

  /** The line to the program that runs commands in it. */
  Steward steward();
}
