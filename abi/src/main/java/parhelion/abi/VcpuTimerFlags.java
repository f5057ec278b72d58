package parhelion.abi;

/** Flags of {@code VCPUOP_set_singleshot_timer} ({@code vcpu.h}). */
@XenNames(header = "vcpu.h", prefix = "VCPU_SSHOTTMR_")
public final class VcpuTimerFlags {
  private VcpuTimerFlags() {}

  public static final int FUTURE = 0x1;
}
