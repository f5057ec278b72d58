package parhelion.pc.pci;

import java.nio.ByteBuffer;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import parhelion.pc.GuestMemory;

/** Guest memory as a PCI function reaches it: not at all until it is let master the bus. */
final class DmaMemory implements GuestMemory {
  private final GuestMemory memory;
  private final BooleanSupplier allowed;

  DmaMemory(GuestMemory memory, BooleanSupplier allowed) {
    this.memory = memory;
    this.allowed = allowed;
  }

  @Override
  public boolean contains(long address, long lengthBytes) {
    return allowed.getAsBoolean() && memory.contains(address, lengthBytes);
  }

  @Override
  public @Nullable ByteBuffer view(long address, int lengthBytes) {
    return allowed.getAsBoolean() ? memory.view(address, lengthBytes) : null;
  }

  @Override
  public void written(long address, long lengthBytes) {
    memory.written(address, lengthBytes);
  }

  @Override
  public boolean read(long address, byte[] into, int offset, int lengthBytes) {
    return allowed.getAsBoolean() && memory.read(address, into, offset, lengthBytes);
  }

  @Override
  public boolean write(long address, byte[] from, int offset, int lengthBytes) {
    return allowed.getAsBoolean() && memory.write(address, from, offset, lengthBytes);
  }

  @Override
  public void discard(long address, long lengthBytes) {
    if (contains(address, lengthBytes)) {
      memory.discard(address, lengthBytes);
    }
  }
}
