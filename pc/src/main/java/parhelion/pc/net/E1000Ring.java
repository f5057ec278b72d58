package parhelion.pc.net;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import parhelion.pc.GuestMemory;

/**
 * A ring of 16-byte descriptors in memory, from the head up to the tail, as four registers describe
 * it. A head or tail beyond the ring's length leaves it standing.
 */
final class E1000Ring {
  private static final int DESCRIPTOR_BYTES = 16;

  private final E1000Registers registers;
  private final GuestMemory memory;
  private final int base;
  private final int length;
  private final int head;
  private final int tail;
  private final byte[] descriptor = new byte[DESCRIPTOR_BYTES];
  private final ByteBuffer fields = ByteBuffer.wrap(descriptor).order(ByteOrder.LITTLE_ENDIAN);

  E1000Ring(E1000Registers registers, GuestMemory memory, int base) {
    this.registers = registers;
    this.memory = memory;
    this.base = base;
    length = base + 8;
    head = base + 0x10;
    tail = base + 0x18;
  }

  int size() {
    return registers.get(length) / DESCRIPTOR_BYTES;
  }

  /** How many descriptors are the card's. */
  int available() {
    int size = size();
    int from = registers.get(head);
    int to = registers.get(tail);
    if (from >= size || to >= size) {
      return 0;
    }
    return from <= to ? to - from : to + size - from;
  }

  private long address() {
    return registers.wide(base) + (long) registers.get(head) * DESCRIPTOR_BYTES;
  }

  /** Copies the descriptor at the head; false if it is not in RAM. */
  boolean fetch() {
    return memory.read(address(), descriptor, 0, DESCRIPTOR_BYTES);
  }

  /** The descriptor that was fetched, to be read and changed. */
  ByteBuffer fields() {
    return fields;
  }

  /** Writes a part of the descriptor back. */
  void writeBack(int offset, int bytes) {
    boolean unused = memory.write(address() + offset, descriptor, offset, bytes);
  }

  /** Goes on to the next descriptor. */
  void advance() {
    int next = registers.get(head) + 1;
    registers.set(head, next >= size() ? 0 : next);
  }
}
