package parhelion.toolstack.control;

import parhelion.toolstack.steward.Steward;

/** A guest as the control socket sees it. Any thread; a UserError says what cannot be done. */
public interface ControlledGuest {
  GuestInfo info();

  /** Ends it: at once, or by asking its kernel. */
  void stop(boolean force);

  /** Plugs in a device that is described as by an option of {@code run}; its name. */
  String attach(String kind, String device);

  void detach(String device, boolean force);

  void resize(String device, long bytes);

  /** The line to the program that runs commands in it. */
  Steward steward();
}
