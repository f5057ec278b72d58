package parhelion.pc.pci;

import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import parhelion.pc.Board;
import parhelion.pc.Board.Mapping;
import parhelion.pc.InterruptLine;
import parhelion.pc.Registers;

/**
 * Bus 0 and the way into its configuration space: configuration mechanism one, an address at port
 * 0xcf8 and a window on the register at 0xcfc (PCI 3.0, section 3.2.2.3.2). Port 0xcf9, which lies
 * between them, is the board's reset control.
 */
public final class PciBus implements Registers {
  /** Where {@link #assignAddresses} puts ranges of memory; up to the I/O APIC. */
  public static final long MEMORY_START = 0xe000_0000L;

  public static final long MEMORY_END = 0xfec0_0000L;

  /** Where it puts ranges of ports. */
  public static final int PORTS_START = 0xc000;

  public static final int PORTS_END = 0x1_0000;

  private static final int ADDRESS_PORT = 0xcf8;
  private static final int PORTS = 8;
  private static final int RESET_OFFSET = 1;
  private static final int DATA_OFFSET = 4;
  private static final int ENABLE = 1 << 31;
  private static final int RESET_CPU = 1 << 2;
  private static final int SLOTS = 32;
  private static final int MULTIFUNCTION = 0x80;

  private final PirqRouter router;
  private final Runnable reset;

  /** By slot times 8 plus function. */
  private final SortedMap<Integer, PciFunction> functions = new TreeMap<>();

  private int address;
  private int resetControl;

  /**
   * An empty bus.
   *
   * @param router who gets the functions' interrupt pins
   * @param reset called on the machine's thread when the guest resets the machine by port 0xcf9
   */
  public PciBus(Board board, PirqRouter router, Runnable reset) {
    this.router = router;
    this.reset = reset;
    Mapping unused = board.mapPorts(ADDRESS_PORT, PORTS, "PCI configuration", this);
  }

  /** Plugs a function in; of several in a slot, function 0 first. */
  public void plug(int slot, int number, PciFunction function) {
    if (slot < 0 || slot >= SLOTS || number < 0 || number > 7) {
      throw new IllegalArgumentException("no slot " + slot + "." + number);
    }
    if (functions.putIfAbsent(slot * 8 + number, function) != null) {
      throw new IllegalArgumentException("something is in slot " + slot + "." + number);
    }
    PciFunction first = functions.get(slot * 8);
    if (number > 0 && first != null) {
      first.setAlsoAtReset(PciRegister.HEADER_TYPE, MULTIFUNCTION);
    }
    function.attach(router.wire(slot, function.pin()));
  }

  /** Plugs a card of one function into the first free slot from 2 on; returns its slot. */
  public int plug(PciFunction function) {
    for (int slot = 2; slot < SLOTS; slot++) {
      if (functions.subMap(slot * 8, slot * 8 + 8).isEmpty()) {
        plug(slot, 0, function);
        return slot;
      }
    }
    throw new IllegalStateException("no free PCI slot for " + function.name());
  }

  /** The function at a place, if one is there. */
  public @Nullable PciFunction at(int slot, int number) {
    return functions.get(slot * 8 + number);
  }

  /**
   * The wire that a slot's pin, 1 to 4, is on, for what pulls at it without being a function there.
   * Its holder sets it to what it is not.
   */
  public InterruptLine wire(int slot, int pin) {
    return router.wire(slot, pin);
  }

  /** Takes a function from the bus, which answers nowhere from now on; whether it was on it. */
  public boolean remove(PciFunction function) {
    if (!functions.values().removeIf(each -> each == function)) {
      return false;
    }
    function.intx(false);
    function.write(PciRegister.COMMAND, 2, 0);
    function.reset();
    return true;
  }

  /** Resets the bus, and every function on it. */
  public void reset() {
    address = 0;
    resetControl = 0;
    functions.values().forEach(PciFunction::reset);
  }

  /**
   * Does what firmware does, for machines that start without: gives every range a place and enables
   * it. What does not fit stays disabled.
   *
   * @param lines the ISA interrupts that the four wires lead to, as functions are told
   */
  public void assignAddresses(int[] lines) {
    long memory = MEMORY_START;
    long ports = PORTS_START;
    for (var entry : functions.entrySet()) {
      PciFunction function = entry.getValue();
      int pin = function.pin();
      if (pin > 0) {
        int wire = PirqRouter.wireOf(entry.getKey() / 8, pin);
        function.write(PciRegister.INTERRUPT_LINE, 1, lines[wire]);
      }
      for (Bar bar : function.bars()) {
        boolean isPorts = bar.kind == Bar.Kind.PORTS;
        long next = (isPorts ? ports : memory) + bar.sizeBytes - 1 & -bar.sizeBytes;
        if (bar.kind == Bar.Kind.ROM || next + bar.sizeBytes > (isPorts ? PORTS_END : MEMORY_END)) {
          continue;
        }
        function.write(bar.offset, 4, (int) next);
        if (isPorts) {
          ports = next + bar.sizeBytes;
        } else {
          memory = next + bar.sizeBytes;
        }
      }
      function.write(
          PciRegister.COMMAND,
          2,
          function.get(PciRegister.COMMAND, 2)
              | PciRegister.COMMAND_PORTS
              | PciRegister.COMMAND_MEMORY);
    }
  }

  private @Nullable PciFunction selected() {
    boolean busZero = (address >>> 16 & 0xff) == 0;
    return address < 0 && busZero ? functions.get(address >>> 8 & 0xff) : null;
  }

  @Override
  public long read(long offset, int size) {
    if (offset >= DATA_OFFSET) {
      PciFunction function = selected();
      int at = (address & 0xfc) + (int) offset - DATA_OFFSET;
      int value = function == null ? -1 : function.read(at, size);
      return Integer.toUnsignedLong(value);
    }
    if (offset == 0 && size == 4) {
      return Integer.toUnsignedLong(address);
    }
    return offset == RESET_OFFSET && size == 1 ? resetControl : 0xffff_ffffL;
  }

  @Override
  public void write(long offset, int size, long value) {
    if (offset >= DATA_OFFSET) {
      PciFunction function = selected();
      if (function != null) {
        function.write((address & 0xfc) + (int) offset - DATA_OFFSET, size, (int) value);
      }
    } else if (offset == 0 && size == 4) {
      address = (int) value & (ENABLE | 0xff_fffc);
    } else if (offset == RESET_OFFSET && size == 1) {
      boolean pulse = (value & RESET_CPU) != 0 && (resetControl & RESET_CPU) == 0;
      resetControl = (int) value & 0x0e;
      if (pulse) {
        resetControl &= ~RESET_CPU;
        reset.run();
      }
    }
  }
}
