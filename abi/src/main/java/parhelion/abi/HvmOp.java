package parhelion.abi;

import org.jspecify.annotations.Nullable;
import parhelion.abi.HvmArgs.XenHvmEvtchnUpcallVector;
import parhelion.abi.HvmArgs.XenHvmGetTime;
import parhelion.abi.HvmArgs.XenHvmParam;

/** Sub-ops of {@code hvm_op} ({@code hvm/hvm_op.h}) that a guest itself has a use for. */
@XenNames(header = "hvm/hvm_op.h", prefix = "HVMOP_")
public enum HvmOp implements SubOp {
  SET_PARAM(0, "HVMOP_set_param", XenHvmParam.STRUCT),
  GET_PARAM(1, "HVMOP_get_param", XenHvmParam.STRUCT),
  FLUSH_TLBS(5, "HVMOP_flush_tlbs", null),
  PAGETABLE_DYING(9, "HVMOP_pagetable_dying", null),
  GET_TIME(10, "HVMOP_get_time", XenHvmGetTime.STRUCT),
  SET_EVTCHN_UPCALL_VECTOR(23, "HVMOP_set_evtchn_upcall_vector", XenHvmEvtchnUpcallVector.STRUCT);

  private static final @Nullable HvmOp[] BY_NR = ByNumber.table(values());

  private final int nr;
  private final String cName;

  @SuppressWarnings("ImmutableEnumChecker") // a record of a name, a name and a number
  private final @Nullable Struct argument;

  HvmOp(int nr, String cName, @Nullable Struct argument) {
    this.nr = nr;
    this.cName = cName;
    this.argument = argument;
  }

  /** The row with that number, or null if there is none. */
  public static @Nullable HvmOp of(long nr) {
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
