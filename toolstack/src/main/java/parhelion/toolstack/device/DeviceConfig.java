package parhelion.toolstack.device;

import java.util.List;
import parhelion.backends.Frontend;
import parhelion.backends.xenbus.XenbusDevice;
import parhelion.backends.xenstore.XenstoreClient;
import parhelion.toolstack.UserError;
import parhelion.toolstack.image.ModuleSet;

/**
 * A device as the user asked for it, with what is behind it opened already: it only has to be
 * plugged in. It can be plugged in again, after it has been unplugged or into the next guest, until
 * it is closed.
 */
public interface DeviceConfig extends AutoCloseable {
  /**
   * Writes the device's directories and starts its backend.
   *
   * @param store dom0's view of the store
   * @param guest whose device it will be
   */
  XenbusDevice plug(XenstoreClient store, Frontend guest);

  /**
   * Plugs it into a PC that is not switched on yet.
   *
   * @throws UserError if a PC has no place for it
   */
  default void plug(PcDevices pc) {
    throw new UserError(
        (name().isEmpty() ? "this device" : name())
            + " is one of Xen's, for which a PC has no place: add --interface xen, or leave it"
            + " out");
  }

  /**
   * Whether, on a PC that offers such an interface, it is not one of the PC's devices but served by
   * a split driver.
   *
   * @throws UserError if it asks for what the interface does not have
   */
  default boolean isSplit(PcInterface offered) {
    return false;
  }

  /** The kernel modules that a guest on a PC with such an interface needs to use it. */
  default ModuleSet.Request pcModules(PcInterface offered) {
    return isSplit(offered) ? modules() : ModuleSet.Request.NONE;
  }

  /** What the user calls it, such as {@code xvda}; empty if nothing. */
  default String name() {
    return "";
  }

  /** Where the host's side of it is, if only the host knows; else empty. For people. */
  default String whereabouts() {
    return "";
  }

  /** What to run in a guest that has it plugged in while it runs, so that it is in its place. */
  default List<String> placing() {
    return List.of();
  }

  /** What to run in a guest before it is asked to let go of it. */
  default List<String> displacing() {
    return List.of();
  }

  /** The kernel modules that a guest needs to use the device. */
  default ModuleSet.Request modules() {
    return ModuleSet.Request.NONE;
  }

  /**
   * Changes its size while it is plugged in, if it is a disk. Not on the scheduler's thread.
   *
   * @throws parhelion.toolstack.UserError if it cannot be
   */
  default void resize(long sizeBytes) {
    throw new UserError(name() + " has no size to change: name a disk");
  }

  /** Lets go of what is behind it. It must not be plugged in. */
  @Override
  default void close() {}
}
