package parhelion.abi;

import parhelion.abi.Field.Part;
import parhelion.abi.Field.U32;

/** {@code struct shared_info} ({@code xen.h}): the page that each domain shares with Xen, live. */
public final class SharedInfo {
  private SharedInfo() {}

  public static final Struct STRUCT = Struct.of("shared_info", "xen.h", 3136);

  /** {@link VcpuInfo} of the first 32 vcpus, until each is moved elsewhere. */
  public static final Part VCPU_INFO = STRUCT.array("vcpu_info", 0, 32, 64);

  /** A bit for each port, two-level form. */
  public static final Part EVTCHN_PENDING = STRUCT.array("evtchn_pending", 2048, 64, 8);

  public static final Part EVTCHN_MASK = STRUCT.array("evtchn_mask", 2560, 64, 8);

  /** Odd while the wall clock is being changed. */
  public static final U32 WC_VERSION = STRUCT.u32("wc_version", 3072);

  public static final U32 WC_SEC = STRUCT.u32("wc_sec", 3076);
  public static final U32 WC_NSEC = STRUCT.u32("wc_nsec", 3080);
  public static final U32 WC_SEC_HI = STRUCT.u32("wc_sec_hi", 3084);
  public static final Part ARCH = STRUCT.part("arch", 3088, ArchSharedInfo.STRUCT);
}
