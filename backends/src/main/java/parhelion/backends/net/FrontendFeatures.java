package parhelion.backends.net;

import org.jspecify.annotations.Nullable;
import parhelion.backends.xenbus.XenbusDevice;
import parhelion.backends.xenbus.XenbusDriver.RefusedException;
import parhelion.media.net.Offloads;

/**
 * What a frontend has said of itself in its directory, all of it checked.
 *
 * @param scatterGather it takes packets that do not fit into a page
 * @param offloads what it takes without completion
 * @param multicastControl it names the groups that it wants to hear
 */
record FrontendFeatures(boolean scatterGather, Offloads offloads, boolean multicastControl) {
  /**
   * Reads them.
   *
   * @throws RefusedException if it does not want packets copied into pages that it lends
   */
  static FrontendFeatures of(XenbusDevice device) throws RefusedException {
    if (!flag(device, "request-rx-copy")) {
      throw new RefusedException(device + ": the frontend does not ask for request-rx-copy");
    }
    boolean sg = flag(device, "feature-sg");
    boolean v4 = !flag(device, "feature-no-csum-offload");
    boolean v6 = flag(device, "feature-ipv6-csum-offload");
    Offloads offloads =
        new Offloads(
            v4 && v6,
            v4 && sg && flag(device, "feature-gso-tcpv4"),
            v6 && sg && flag(device, "feature-gso-tcpv6"));
    return new FrontendFeatures(sg, offloads, flag(device, "request-multicast-control"));
  }

  private static boolean flag(XenbusDevice device, String name) {
    String value = device.fromFrontend(name);
    return value != null && !value.equals("0") && !value.isEmpty();
  }

  /**
   * A number that the frontend must have given.
   *
   * @throws RefusedException if it is no number from 0 to 2^32 - 1
   */
  static long number(XenbusDevice device, String name) throws RefusedException {
    @Nullable String text = device.fromFrontend(name);
    if (text == null) {
      throw new RefusedException(device + ": the frontend has no " + name);
    }
    try {
      long number = Long.parseLong(text);
      if (number >= 0 && number <= 0xffff_ffffL) {
        return number;
      }
    } catch (NumberFormatException e) {
      // Said below.
    }
    String shown = text.length() > 20 ? text.substring(0, 20) + "..." : text;
    throw new RefusedException(device + ": the frontend's " + name + " is '" + shown + "'");
  }
}
