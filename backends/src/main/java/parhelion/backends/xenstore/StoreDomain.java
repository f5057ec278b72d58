package parhelion.backends.xenstore;

import org.jspecify.annotations.Nullable;
import parhelion.abi.XenstoreWire;

/** What the daemon knows of a domain. Guarded by the daemon's lock. */
final class StoreDomain {
  static final int ALL_FEATURES =
      XenstoreWire.SERVER_FEATURE_RECONNECTION
          | XenstoreWire.SERVER_FEATURE_ERROR
          | XenstoreWire.SERVER_FEATURE_WATCHDEPTH
          | XenstoreWire.SERVER_FEATURE_DOMID_ANY;

  private final int domid;
  private Quota.Limits limits;
  private int features = ALL_FEATURES;
  private boolean shutdown;
  private @Nullable XenstoreRing ring;

  StoreDomain(int domid, Quota.Limits limits) {
    this.domid = domid;
    this.limits = limits;
  }

  int domid() {
    return domid;
  }

  Quota.Limits limits() {
    return limits;
  }

  void setLimits(Quota.Limits saved) {
    limits = saved;
  }

  /** The feature bits that the domain is offered. */
  int features() {
    return features;
  }

  void setFeatures(int bits) {
    features = bits;
  }

  boolean offers(int feature) {
    return (features & feature) != 0;
  }

  /** Whether its shutdown has been reported to watchers of {@code @releaseDomain}. */
  boolean shutdown() {
    return shutdown;
  }

  void setShutdown(boolean reported) {
    shutdown = reported;
  }

  /** Its connection; null before INTRODUCE. */
  @Nullable XenstoreRing ring() {
    return ring;
  }

  void setRing(XenstoreRing connection) {
    ring = connection;
  }
}
