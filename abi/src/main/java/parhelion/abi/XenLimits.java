package parhelion.abi;

/**
 * Xen's limits and odd constants that belong to no family; here the names are the full names in C.
 */
@XenNames(
    header = {
      "xen.h",
      "event_channel.h",
      "version.h",
      "memory.h",
      "sched.h",
      "features.h",
      "io/ring.h",
      "io/xs_wire.h",
      "xen-compat.h",
      "arch-x86/xen.h",
      "platform.h"
    },
    prefix = "")
public final class XenLimits {
  private XenLimits() {}

  /** The largest event channel that the two-level form has room for, plus 1. */
  public static final int EVTCHN_2L_NR_CHANNELS = 4096;

  public static final int BIND_PIRQ__WILL_SHARE = 1;
  public static final int NR_VIRQS = 24;

  /** Bytes of {@link StartInfo#CMD_LINE}, the NUL included. */
  public static final int MAX_GUEST_CMDLINE = 1024;

  /** How many vcpus have their {@link VcpuInfo} in {@link SharedInfo}. */
  public static final int XEN_LEGACY_MAX_VCPUS = 32;

  public static final int XENFEAT_NR_SUBMAPS = 1;
  public static final int SHUTDOWN_MAX = 5;

  /** Bytes that {@link XenVersionOp#EXTRAVERSION} fills. */
  public static final int XEN_EXTRAVERSION_LEN = 16;

  /** Bytes that {@link XenVersionOp#CAPABILITIES} fills. */
  public static final int XEN_CAPABILITIES_INFO_LEN = 1024;

  /** Bytes that {@link XenVersionOp#CHANGESET} fills. */
  public static final int XEN_CHANGESET_INFO_LEN = 64;

  /** Added to the index in {@link Xenmapspace#GRANT_TABLE} for a status frame. */
  public static final long XENMAPIDX_GRANT_TABLE_STATUS = 0x8000_0000L;

  public static final int XENPF_INTERFACE_VERSION = 0x0300_0001;
  public static final int XEN_PAGE_SHIFT = 12;

  /** Never a message type. */
  public static final int XS_INVALID = 0xffff;
}
