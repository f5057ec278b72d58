package parhelion.abi;

import parhelion.abi.Field.Part;
import parhelion.abi.Field.S32;
import parhelion.abi.Field.U64;

/** {@code struct vcpu_runstate_info} ({@code vcpu.h}): where a vcpu's time went, in nanoseconds. */
public final class VcpuRunstateInfo {
  private VcpuRunstateInfo() {}

  public static final Struct STRUCT = Struct.of("vcpu_runstate_info", "vcpu.h", 48);

  /** A {@link Runstate}. */
  public static final S32 STATE = STRUCT.s32("state", 0);

  /**
   * Bit 63 ({@link RunstateFlags#UPDATE}) is set during an update if the guest asked for it by
   * {@link VmAssist#RUNSTATE_UPDATE_FLAG}.
   */
  public static final U64 STATE_ENTRY_TIME = STRUCT.u64("state_entry_time", 8);

  /** Nanoseconds in each {@link Runstate}. */
  public static final Part TIME = STRUCT.array("time", 16, 4, 8);
}
