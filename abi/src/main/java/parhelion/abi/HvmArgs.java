package parhelion.abi;

import parhelion.abi.Field.U16;
import parhelion.abi.Field.U32;
import parhelion.abi.Field.U64;
import parhelion.abi.Field.U8;

/** Arguments of {@link HvmOp} ({@code hvm/hvm_op.h}), copied in by value. */
public final class HvmArgs {
  private HvmArgs() {}

  /** {@code struct xen_hvm_param}: a {@link HvmParam} of a domain. OUT of get: {@link #VALUE}. */
  public record XenHvmParam(int domid, int pad, long index, long value) {
    public static final Struct STRUCT = Struct.of("xen_hvm_param", "hvm/hvm_op.h", 16);
    public static final U16 DOMID = STRUCT.u16("domid", 0);
    public static final U16 PAD = STRUCT.u16("pad", 2);
    public static final U32 INDEX = STRUCT.u32("index", 4);
    public static final U64 VALUE = STRUCT.u64("value", 8);

    public static XenHvmParam read(Bytes b, long at) {
      return new XenHvmParam(DOMID.get(b, at), PAD.get(b, at), INDEX.get(b, at), VALUE.get(b, at));
    }
  }

  /** {@code struct xen_hvm_get_time}: OUT: system time in nanoseconds. */
  public record XenHvmGetTime(long now) {
    public static final Struct STRUCT = Struct.of("xen_hvm_get_time", "hvm/hvm_op.h", 8);
    public static final U64 NOW = STRUCT.u64("now", 0);

    public static XenHvmGetTime read(Bytes b, long at) {
      return new XenHvmGetTime(NOW.get(b, at));
    }
  }

  /**
   * {@code struct xen_hvm_evtchn_upcall_vector}: the interrupt vector by which a vcpu's local APIC
   * is told of events.
   */
  public record XenHvmEvtchnUpcallVector(long vcpu, int vector) {
    public static final Struct STRUCT =
        Struct.of("xen_hvm_evtchn_upcall_vector", "hvm/hvm_op.h", 8);
    public static final U32 VCPU = STRUCT.u32("vcpu", 0);
    public static final U8 VECTOR = STRUCT.u8("vector", 4);

    public static XenHvmEvtchnUpcallVector read(Bytes b, long at) {
      return new XenHvmEvtchnUpcallVector(VCPU.get(b, at), VECTOR.get(b, at));
    }
  }
}
