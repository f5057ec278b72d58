package parhelion.abi;

/** Limits, ring state and feature bits of the xenstore protocol ({@code xs_wire.h}). */
@XenNames(header = "io/xs_wire.h", prefix = "XENSTORE_")
public final class XenstoreWire {
  private XenstoreWire() {}

  public static final int CONNECTED = 0x0;
  public static final int ERROR_NONE = 0x0;
  public static final int ERROR_COMM = 0x1;
  public static final int RECONNECT = 0x1;
  public static final int SERVER_FEATURE_RECONNECTION = 0x1;
  public static final int ERROR_RINGIDX = 0x2;
  public static final int SERVER_FEATURE_ERROR = 0x2;
  public static final int ERROR_PROTO = 0x3;
  public static final int SERVER_FEATURE_WATCHDEPTH = 0x4;
  public static final int SERVER_FEATURE_DOMID_ANY = 0x8;
  public static final int RING_SIZE = 0x400;
  public static final int REL_PATH_MAX = 0x800;
  public static final int ABS_PATH_MAX = 0xc00;
  public static final int PAYLOAD_MAX = 0x1000;
}
