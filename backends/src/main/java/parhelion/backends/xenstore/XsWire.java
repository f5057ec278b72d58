package parhelion.backends.xenstore;

/** The numbers of {@code public/io/xs_wire.h}: message header, ring page, limits. */
final class XsWire {
  private XsWire() {}

  /** {@code struct xsd_sockmsg}: type, req_id, tx_id, len; four little-endian words. */
  static final int HEADER_BYTES = 16;

  /** {@code XENSTORE_PAYLOAD_MAX}, for both directions. */
  static final int PAYLOAD_MAX = 4096;

  /** {@code XENSTORE_ABS_PATH_MAX}. */
  static final int ABS_PATH_MAX = 3072;

  /** {@code XENSTORE_REL_PATH_MAX}. */
  static final int REL_PATH_MAX = 2048;

  /** {@code XENSTORE_RING_SIZE}, of each of the two byte queues. */
  static final int RING_BYTES = 1024;

  // struct xenstore_domain_interface
  static final int REQ = 0;
  static final int RSP = 1024;
  static final int REQ_CONS = 2048;
  static final int REQ_PROD = 2052;
  static final int RSP_CONS = 2056;
  static final int RSP_PROD = 2060;
  static final int SERVER_FEATURES = 2064;
  static final int CONNECTION = 2068;
  static final int ERROR = 2072;

  /** {@code XENSTORE_CONNECTED} and {@code XENSTORE_RECONNECT}: values of {@link #CONNECTION}. */
  static final int CONNECTED = 0;

  static final int RECONNECT = 1;

  // XENSTORE_ERROR_*: values of ERROR
  static final int ERROR_NONE = 0;
  static final int ERROR_COMM = 1;
  static final int ERROR_RINGIDX = 2;
  static final int ERROR_PROTO = 3;

  // XENSTORE_SERVER_FEATURE_*: bits of SERVER_FEATURES
  static final int FEATURE_RECONNECTION = 1;
  static final int FEATURE_ERROR = 2;
  static final int FEATURE_WATCHDEPTH = 4;
  static final int FEATURE_DOMID_ANY = 8;
  static final int ALL_FEATURES =
      FEATURE_RECONNECTION | FEATURE_ERROR | FEATURE_WATCHDEPTH | FEATURE_DOMID_ANY;

  /** {@code DOMID_ANY}: every domain, in a permission. */
  static final int DOMID_ANY = 0x7ff5;

  /** {@code DOMID_SELF}. */
  static final int DOMID_SELF = 0x7ff0;

  static final int DOMID_MAX = 0xffff;
}
