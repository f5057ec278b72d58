package parhelion.abi;

import parhelion.abi.Field.U64;

/**
 * {@code struct multicall_entry} ({@code xen.h}): one hypercall of a {@link Hypercall#MULTICALL},
 * copied in by value. {@code op} is a hypercall's number. OUT: {@link #RESULT}; Linux checks it in
 * every entry.
 */
public record MulticallEntry(
    long op, long arg0, long arg1, long arg2, long arg3, long arg4, long arg5) {
  public static final Struct STRUCT = Struct.of("multicall_entry", "xen.h", 64);
  public static final U64 OP = STRUCT.u64("op", 0);
  public static final U64 RESULT = STRUCT.u64("result", 8);
  public static final U64 ARG0 = STRUCT.u64("args[0]", 16);
  public static final U64 ARG1 = STRUCT.u64("args[1]", 24);
  public static final U64 ARG2 = STRUCT.u64("args[2]", 32);
  public static final U64 ARG3 = STRUCT.u64("args[3]", 40);
  public static final U64 ARG4 = STRUCT.u64("args[4]", 48);
  public static final U64 ARG5 = STRUCT.u64("args[5]", 56);

  public static MulticallEntry read(Bytes b, long at) {
    return new MulticallEntry(
        OP.get(b, at),
        ARG0.get(b, at),
        ARG1.get(b, at),
        ARG2.get(b, at),
        ARG3.get(b, at),
        ARG4.get(b, at),
        ARG5.get(b, at));
  }
}
