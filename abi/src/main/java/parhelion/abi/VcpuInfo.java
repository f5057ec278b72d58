package parhelion.abi;

import parhelion.abi.Field.Part;
import parhelion.abi.Field.U64;
import parhelion.abi.Field.U8;

/** {@code struct vcpu_info} ({@code xen.h}): events and time of one vcpu, live. */
public final class VcpuInfo {
  private VcpuInfo() {}

  public static final Struct STRUCT = Struct.of("vcpu_info", "xen.h", 64);

  /** Set by Xen, cleared by the guest. */
  public static final U8 EVTCHN_UPCALL_PENDING = STRUCT.u8("evtchn_upcall_pending", 0);

  /** The virtual interrupt flag, inverted. */
  public static final U8 EVTCHN_UPCALL_MASK = STRUCT.u8("evtchn_upcall_mask", 1);

  public static final U64 EVTCHN_PENDING_SEL = STRUCT.u64("evtchn_pending_sel", 8);
  public static final Part ARCH = STRUCT.part("arch", 16, ArchVcpuInfo.STRUCT);
  public static final Part TIME = STRUCT.part("time", 32, VcpuTimeInfo.STRUCT);
}
