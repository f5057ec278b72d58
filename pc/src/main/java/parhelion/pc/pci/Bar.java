package parhelion.pc.pci;

import org.jspecify.annotations.Nullable;
import parhelion.pc.Board;
import parhelion.pc.Board.Mapping;
import parhelion.pc.Registers;

/**
 * A base address: a range of ports or memory that answers where the guest has put it, while the
 * command register lets it.
 */
final class Bar {
  /** What a base address is of. */
  enum Kind {
    PORTS(1),
    MEMORY32(0),
    /** 64 bits, prefetchable; takes two slots of the header. */
    MEMORY64(0xc),
    ROM(0);

    final int typeBits;

    Kind(int typeBits) {
      this.typeBits = typeBits;
    }
  }

  private static final long PORTS_END = 1L << 16;

  /** No CPU model here has more physical address bits than these. */
  private static final long MEMORY_END = 1L << 46;

  private static final int MIN_MEMORY_BYTES = 4096;
  private static final int ROM_ENABLE = 1;

  final int offset;
  final Kind kind;
  final long sizeBytes;
  private final Board board;
  private final String device;
  private final Registers registers;
  private @Nullable Mapping mapping;
  private long mappedAt;

  Bar(Board board, int offset, Kind kind, long sizeBytes, String device, Registers registers) {
    boolean memory = kind != Kind.PORTS;
    if (Long.bitCount(sizeBytes) != 1 || sizeBytes < (memory ? MIN_MEMORY_BYTES : 4)) {
      throw new IllegalArgumentException(device + ": a range of " + sizeBytes + " bytes");
    }
    this.board = board;
    this.offset = offset;
    this.kind = kind;
    this.sizeBytes = sizeBytes;
    this.device = device;
    this.registers = registers;
  }

  /** The bits of the lower 32 that the guest can set. */
  int writableLow() {
    int address = (int) -sizeBytes;
    return kind == Kind.ROM ? address | ROM_ENABLE : address;
  }

  /** Puts the range where {@code value} and the command register say. */
  void place(long value, int command) {
    int needed = kind == Kind.PORTS ? PciRegister.COMMAND_PORTS : PciRegister.COMMAND_MEMORY;
    boolean enabled = (command & needed) != 0 && (kind != Kind.ROM || (value & ROM_ENABLE) != 0);
    long start = value & -sizeBytes;
    long limit = kind == Kind.PORTS ? PORTS_END : MEMORY_END;
    boolean sane = start > 0 && start <= limit - sizeBytes;
    if (!enabled || !sane) {
      remove();
    } else if (mapping == null || mappedAt != start) {
      remove();
      mappedAt = start;
      mapping =
          kind == Kind.PORTS
              ? board.mapPorts((int) start, (int) sizeBytes, device, registers)
              : board.mapMemory(start, sizeBytes, device, registers);
    }
  }

  private void remove() {
    Mapping placed = mapping;
    mapping = null;
    if (placed != null) {
      placed.unmap();
    }
  }
}
