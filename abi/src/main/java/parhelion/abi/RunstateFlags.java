package parhelion.abi;

/** A flag in {@link VcpuRunstateInfo#STATE_ENTRY_TIME} ({@code vcpu.h}). */
@XenNames(header = "vcpu.h", prefix = "XEN_RUNSTATE_")
public final class RunstateFlags {
  private RunstateFlags() {}

  public static final long UPDATE = 0x8000_0000_0000_0000L;
}
