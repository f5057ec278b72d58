package parhelion.abi;

import org.jspecify.annotations.Nullable;
import parhelion.abi.VcpuArgs.VcpuGetPhysid;
import parhelion.abi.VcpuArgs.VcpuRegisterRunstateMemoryArea;
import parhelion.abi.VcpuArgs.VcpuRegisterTimeMemoryArea;
import parhelion.abi.VcpuArgs.VcpuRegisterVcpuInfo;
import parhelion.abi.VcpuArgs.VcpuSetPeriodicTimer;
import parhelion.abi.VcpuArgs.VcpuSetSingleshotTimer;

/** Sub-ops of {@code vcpu_op} ({@code vcpu.h}). */
@XenNames(header = "vcpu.h", prefix = "VCPUOP_")
public enum VcpuOp implements SubOp {
  INITIALISE(0, "VCPUOP_initialise", VcpuGuestContext.STRUCT),
  UP(1, "VCPUOP_up", null),
  DOWN(2, "VCPUOP_down", null),
  IS_UP(3, "VCPUOP_is_up", null),
  GET_RUNSTATE_INFO(4, "VCPUOP_get_runstate_info", VcpuRunstateInfo.STRUCT),
  REGISTER_RUNSTATE_MEMORY_AREA(
      5, "VCPUOP_register_runstate_memory_area", VcpuRegisterRunstateMemoryArea.STRUCT),
  SET_PERIODIC_TIMER(6, "VCPUOP_set_periodic_timer", VcpuSetPeriodicTimer.STRUCT),
  STOP_PERIODIC_TIMER(7, "VCPUOP_stop_periodic_timer", null),
  SET_SINGLESHOT_TIMER(8, "VCPUOP_set_singleshot_timer", VcpuSetSingleshotTimer.STRUCT),
  STOP_SINGLESHOT_TIMER(9, "VCPUOP_stop_singleshot_timer", null),
  REGISTER_VCPU_INFO(10, "VCPUOP_register_vcpu_info", VcpuRegisterVcpuInfo.STRUCT),
  SEND_NMI(11, "VCPUOP_send_nmi", null),
  GET_PHYSID(12, "VCPUOP_get_physid", VcpuGetPhysid.STRUCT),
  REGISTER_VCPU_TIME_MEMORY_AREA(
      13, "VCPUOP_register_vcpu_time_memory_area", VcpuRegisterTimeMemoryArea.STRUCT),
  REGISTER_RUNSTATE_PHYS_AREA(
      14, "VCPUOP_register_runstate_phys_area", VcpuRegisterRunstateMemoryArea.STRUCT),
  REGISTER_VCPU_TIME_PHYS_AREA(
      15, "VCPUOP_register_vcpu_time_phys_area", VcpuRegisterTimeMemoryArea.STRUCT);

  private static final @Nullable VcpuOp[] BY_NR = ByNumber.table(values());

  private final int nr;
  private final String cName;

  @SuppressWarnings("ImmutableEnumChecker") // a record of a name, a name and a number
  private final @Nullable Struct argument;

  VcpuOp(int nr, String cName, @Nullable Struct argument) {
    this.nr = nr;
    this.cName = cName;
    this.argument = argument;
  }

  /** The row with that number, or null if there is none. */
  public static @Nullable VcpuOp of(long nr) {
    return nr >= 0 && nr < BY_NR.length ? BY_NR[(int) nr] : null;
  }

  @Override
  public int nr() {
    return nr;
  }

  @Override
  public String cName() {
    return cName;
  }

  @Override
  public @Nullable Struct argument() {
    return argument;
  }
}
