package parhelion.abi;

import parhelion.abi.Field.U32;
import parhelion.abi.Field.U64;

/**
 * Arguments of {@link VcpuOp} ({@code vcpu.h}), copied in by value; the first is {@link
 * VcpuGuestContext}.
 */
public final class VcpuArgs {
  private VcpuArgs() {}

  /**
   * {@code struct vcpu_register_vcpu_info}: moves the vcpu's {@link VcpuInfo} to {@code offset} in
   * frame {@code mfn}.
   */
  public record VcpuRegisterVcpuInfo(long mfn, long offset) {
    public static final Struct STRUCT = Struct.of("vcpu_register_vcpu_info", "vcpu.h", 16);
    public static final U64 MFN = STRUCT.u64("mfn", 0);
    public static final U32 OFFSET = STRUCT.u32("offset", 8);

    public static VcpuRegisterVcpuInfo read(Bytes b, long at) {
      return new VcpuRegisterVcpuInfo(MFN.get(b, at), OFFSET.get(b, at));
    }
  }

  /**
   * {@code struct vcpu_register_runstate_memory_area}: where to keep a {@link VcpuRunstateInfo}.
   */
  public record VcpuRegisterRunstateMemoryArea(long addr) {
    public static final Struct STRUCT =
        Struct.of("vcpu_register_runstate_memory_area", "vcpu.h", 8);
    public static final U64 ADDR = STRUCT.u64("addr.v", 0);

    public static VcpuRegisterRunstateMemoryArea read(Bytes b, long at) {
      return new VcpuRegisterRunstateMemoryArea(ADDR.get(b, at));
    }
  }

  /** {@code struct vcpu_register_time_memory_area}: where to keep a second {@link VcpuTimeInfo}. */
  public record VcpuRegisterTimeMemoryArea(long addr) {
    public static final Struct STRUCT = Struct.of("vcpu_register_time_memory_area", "vcpu.h", 8);
    public static final U64 ADDR = STRUCT.u64("addr.v", 0);

    public static VcpuRegisterTimeMemoryArea read(Bytes b, long at) {
      return new VcpuRegisterTimeMemoryArea(ADDR.get(b, at));
    }
  }

  /** {@code struct vcpu_set_periodic_timer}: ticks every {@code periodNs} nanoseconds. */
  public record VcpuSetPeriodicTimer(long periodNs) {
    public static final Struct STRUCT = Struct.of("vcpu_set_periodic_timer", "vcpu.h", 8);
    public static final U64 PERIOD_NS = STRUCT.u64("period_ns", 0);

    public static VcpuSetPeriodicTimer read(Bytes b, long at) {
      return new VcpuSetPeriodicTimer(PERIOD_NS.get(b, at));
    }
  }

  /**
   * {@code struct vcpu_set_singleshot_timer}: one tick at an absolute system time; flags are {@link
   * VcpuTimerFlags}.
   */
  public record VcpuSetSingleshotTimer(long timeoutAbsNs, long flags) {
    public static final Struct STRUCT = Struct.of("vcpu_set_singleshot_timer", "vcpu.h", 16);
    public static final U64 TIMEOUT_ABS_NS = STRUCT.u64("timeout_abs_ns", 0);
    public static final U32 FLAGS = STRUCT.u32("flags", 8);

    public static VcpuSetSingleshotTimer read(Bytes b, long at) {
      return new VcpuSetSingleshotTimer(TIMEOUT_ABS_NS.get(b, at), FLAGS.get(b, at));
    }
  }

  /**
   * {@code struct vcpu_get_physid}: the physical cpu's APIC id (low half) and ACPI id (high half).
   * OUT.
   */
  public record VcpuGetPhysid(long physId) {
    public static final Struct STRUCT = Struct.of("vcpu_get_physid", "vcpu.h", 8);
    public static final U64 PHYS_ID = STRUCT.u64("phys_id", 0);

    public static VcpuGetPhysid read(Bytes b, long at) {
      return new VcpuGetPhysid(PHYS_ID.get(b, at));
    }
  }
}
