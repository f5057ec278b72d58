package parhelion.abi;

import parhelion.abi.Field.Part;
import parhelion.abi.Field.S16;
import parhelion.abi.Field.S32;
import parhelion.abi.Field.S8;
import parhelion.abi.Field.U16;
import parhelion.abi.Field.U32;
import parhelion.abi.Field.U64;
import parhelion.abi.Field.U8;

/**
 * A structure of Xen's ABI as the x86-64 C compiler lays it out; its fields are made by the methods
 * below.
 *
 * @param cName the tag in C, such as {@code evtchn_send}
 * @param header the public header that declares it, relative to {@code xen/include/public}
 * @param size {@code sizeof}, in bytes
 */
public record Struct(String cName, String header, int size) {
  public static Struct of(String cName, String header, int size) {
    return new Struct(cName, header, size);
  }

  public U8 u8(String cName, int offset) {
    return new U8(this, cName, offset);
  }

  public S8 s8(String cName, int offset) {
    return new S8(this, cName, offset);
  }

  public U16 u16(String cName, int offset) {
    return new U16(this, cName, offset);
  }

  public S16 s16(String cName, int offset) {
    return new S16(this, cName, offset);
  }

  public U32 u32(String cName, int offset) {
    return new U32(this, cName, offset);
  }

  public S32 s32(String cName, int offset) {
    return new S32(this, cName, offset);
  }

  public U64 u64(String cName, int offset) {
    return new U64(this, cName, offset);
  }

  /** One nested structure. */
  public Part part(String cName, int offset, Struct nested) {
    return new Part(this, cName, offset, 1, nested.size());
  }

  /** An array of {@code count} elements of {@code stride} bytes; a flexible array has count 0. */
  public Part array(String cName, int offset, int count, int stride) {
    return new Part(this, cName, offset, count, stride);
  }
}
