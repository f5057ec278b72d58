package parhelion.abi;

import parhelion.abi.Field.U16;
import parhelion.abi.Field.U64;
import parhelion.abi.Field.U8;

/**
 * {@code struct trap_info}: one entry of {@code set_trap_table} and of {@link
 * VcpuGuestContext#TRAP_CTXT} ({@code arch-x86/xen.h}). In a table, an {@code address} of 0 ends
 * it.
 */
public record TrapInfo(int vector, int flags, int cs, long address) {
  public static final Struct STRUCT = Struct.of("trap_info", "arch-x86/xen.h", 16);
  public static final U8 VECTOR = STRUCT.u8("vector", 0);
  public static final U8 FLAGS = STRUCT.u8("flags", 1);
  public static final U16 CS = STRUCT.u16("cs", 2);
  public static final U64 ADDRESS = STRUCT.u64("address", 8);

  public static TrapInfo read(Bytes b, long at) {
    return new TrapInfo(VECTOR.get(b, at), FLAGS.get(b, at), CS.get(b, at), ADDRESS.get(b, at));
  }

  /** The least privileged ring that may reach the gate by {@code int n}. */
  public int dpl() {
    return flags & 3;
  }

  /** Whether entry masks events, as an interrupt gate does. */
  public boolean masksEvents() {
    return (flags & 4) != 0;
  }
}
