package parhelion.abi;

import parhelion.abi.Field.S8;
import parhelion.abi.Field.U32;
import parhelion.abi.Field.U64;
import parhelion.abi.Field.U8;

/**
 * {@code struct vcpu_time_info} ({@code xen.h}): the clock of one vcpu, live. Nanoseconds since
 * boot are {@code system_time + (((tsc - tsc_timestamp) << tsc_shift) * tsc_to_system_mul >> 32)}.
 */
public final class VcpuTimeInfo {
  private VcpuTimeInfo() {}

  public static final Struct STRUCT = Struct.of("vcpu_time_info", "xen.h", 32);

  /** Odd while the rest is being changed. */
  public static final U32 VERSION = STRUCT.u32("version", 0);

  public static final U64 TSC_TIMESTAMP = STRUCT.u64("tsc_timestamp", 8);
  public static final U64 SYSTEM_TIME = STRUCT.u64("system_time", 16);
  public static final U32 TSC_TO_SYSTEM_MUL = STRUCT.u32("tsc_to_system_mul", 24);

  /** Negative to shift right. */
  public static final S8 TSC_SHIFT = STRUCT.s8("tsc_shift", 28);

  /** {@link PvClockFlags}. */
  public static final U8 FLAGS = STRUCT.u8("flags", 29);
}
