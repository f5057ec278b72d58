package parhelion.abi;

import parhelion.abi.Field.U32;
import parhelion.abi.Field.U64;

/**
 * {@code struct e820entry}: an entry of the map that {@link MemoryOp#MEMORY_MAP} answers with,
 * packed to 20 bytes. Xen's public headers leave it to the BIOS interface of the same name ({@code
 * int 15h, eax = 0xe820}).
 */
public record E820Entry(long addr, long size, long type) {
  public static final Struct STRUCT = Struct.of("e820entry", "", 20);
  public static final U64 ADDR = STRUCT.u64("addr", 0);
  public static final U64 SIZE = STRUCT.u64("size", 8);
  public static final U32 TYPE = STRUCT.u32("type", 16);

  public static E820Entry read(Bytes b, long at) {
    return new E820Entry(ADDR.get(b, at), SIZE.get(b, at), TYPE.get(b, at));
  }

  public void write(Bytes b, long at) {
    ADDR.put(b, at, addr);
    SIZE.put(b, at, size);
    TYPE.put(b, at, type);
  }
}
