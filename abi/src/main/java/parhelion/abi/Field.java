package parhelion.abi;

import java.util.Objects;

/**
 * One field of a {@link Struct}: where it is, how wide it is, and whether it has a sign. The scalar
 * kinds read and write themselves: {@code EvtchnSend.PORT.get(bytes, at)} where {@code at} is the
 * offset of the whole structure. Views over live shared pages take {@link #offset} instead and
 * choose their own memory ordering.
 *
 * <p>Fields are records in {@code static final} variables: HotSpot folds their offsets into the
 * code as constants.
 */
public sealed interface Field {
  /** The structure that it is part of. */
  Struct struct();

  /** The path in C, such as {@code port} or {@code u.unbound.dom}. */
  String cName();

  /** In bytes from the start of the structure. */
  int offset();

  /** In bytes. */
  int size();

  /** {@code uint8_t}. */
  record U8(Struct struct, String cName, int offset) implements Field {
    @Override
    public int size() {
      return 1;
    }

    public int get(Bytes b, long at) {
      return b.getByte(at + offset) & 0xff;
    }

    public void put(Bytes b, long at, int value) {
      b.putByte(at + offset, (byte) value);
    }
  }

  /** {@code int8_t}. */
  record S8(Struct struct, String cName, int offset) implements Field {
    @Override
    public int size() {
      return 1;
    }

    public int get(Bytes b, long at) {
      return b.getByte(at + offset);
    }

    public void put(Bytes b, long at, int value) {
      b.putByte(at + offset, (byte) value);
    }
  }

  /** {@code uint16_t}, such as {@code domid_t}. */
  record U16(Struct struct, String cName, int offset) implements Field {
    @Override
    public int size() {
      return 2;
    }

    public int get(Bytes b, long at) {
      return b.getShort(at + offset) & 0xffff;
    }

    public void put(Bytes b, long at, int value) {
      b.putShort(at + offset, (short) value);
    }
  }

  /** {@code int16_t}, such as a grant status. */
  record S16(Struct struct, String cName, int offset) implements Field {
    @Override
    public int size() {
      return 2;
    }

    public int get(Bytes b, long at) {
      return b.getShort(at + offset);
    }

    public void put(Bytes b, long at, int value) {
      b.putShort(at + offset, (short) value);
    }
  }

  /**
   * {@code uint32_t}, read into a {@code long} that is never negative; writing keeps the low 32
   * bits.
   */
  record U32(Struct struct, String cName, int offset) implements Field {
    @Override
    public int size() {
      return 4;
    }

    public long get(Bytes b, long at) {
      return b.getInt(at + offset) & 0xffff_ffffL;
    }

    public void put(Bytes b, long at, long value) {
      b.putInt(at + offset, (int) value);
    }
  }

  /** {@code int32_t}. */
  record S32(Struct struct, String cName, int offset) implements Field {
    @Override
    public int size() {
      return 4;
    }

    public int get(Bytes b, long at) {
      return b.getInt(at + offset);
    }

    public void put(Bytes b, long at, int value) {
      b.putInt(at + offset, value);
    }
  }

  /** {@code uint64_t}, {@code unsigned long}, a frame number or a guest pointer: 64 raw bits. */
  record U64(Struct struct, String cName, int offset) implements Field {
    @Override
    public int size() {
      return 8;
    }

    public long get(Bytes b, long at) {
      return b.getLong(at + offset);
    }

    public void put(Bytes b, long at, long value) {
      b.putLong(at + offset, value);
    }
  }

  /** A nested structure or an array: {@code count} elements of {@code stride} bytes. */
  record Part(Struct struct, String cName, int offset, int count, int stride) implements Field {
    @Override
    public int size() {
      return count * stride;
    }

    /** Where it starts, given where the structure starts. */
    public long at(long at) {
      return at + offset;
    }

    /** Where element {@code index} starts, given where the structure starts. */
    public long at(long at, int index) {
      return at + offset + (long) Objects.checkIndex(index, count) * stride;
    }
  }
}
