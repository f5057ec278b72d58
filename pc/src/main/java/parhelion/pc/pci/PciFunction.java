package parhelion.pc.pci;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import parhelion.pc.Board;
import parhelion.pc.GuestMemory;
import parhelion.pc.InterruptLine;
import parhelion.pc.Registers;

/**
 * A function on the PCI bus: its configuration space, and by that where its registers are, whether
 * it may master the bus, and how its interrupts travel. A device owns one and describes itself to
 * it before the machine starts.
 *
 * <p>Each byte of configuration space has a mask of the bits that the guest can set; what no mask
 * allows is read-only. {@link #onWrite} tells the device of what has changed.
 */
public final class PciFunction {
  /** Bytes of configuration space without PCI Express. */
  public static final int CONFIG_BYTES = 256;

  private static final int BARS = 6;
  private static final int MASTERED_BY_COMMAND =
      PciRegister.COMMAND_MASTER
          | PciRegister.COMMAND_PARITY
          | PciRegister.COMMAND_SERR
          | PciRegister.COMMAND_NO_INTX;

  private record Hook(int offset, int length, Runnable action) {}

  private final String name;
  private final Board board;
  private final byte[] config = new byte[CONFIG_BYTES];
  private final byte[] writable = new byte[CONFIG_BYTES];
  private byte @Nullable [] atReset;
  private final List<Bar> bars = new ArrayList<>();
  private final List<Hook> hooks = new ArrayList<>();
  private final List<Hook> readHooks = new ArrayList<>();
  private final List<Runnable> resets = new ArrayList<>();
  private final DmaMemory dma;
  private int capabilitiesEnd = PciRegister.FIRST_CAPABILITY;
  private int lastCapability;
  private InterruptLine wire = raised -> {};
  private boolean intx;
  private boolean wireRaised;
  private @Nullable MsiCapability msi;
  private @Nullable MsixCapability msix;

  /** A function that no bus has yet; {@code name} is for counters and messages. */
  public PciFunction(Board board, String name, PciIdentity identity) {
    this.board = board;
    this.name = name;
    dma = new DmaMemory(board.memory(), this::isBusMaster);
    set(PciRegister.VENDOR, 2, identity.vendor());
    set(PciRegister.DEVICE, 2, identity.device());
    set(PciRegister.REVISION, 4, identity.classCode() << 8 | identity.revision());
    set(PciRegister.SUBSYSTEM_VENDOR, 2, identity.subsystemVendor());
    set(PciRegister.SUBSYSTEM, 2, identity.subsystem());
    writable(PciRegister.COMMAND, 2, MASTERED_BY_COMMAND);
    writable(PciRegister.CACHE_LINE, 2, 0xffff);
    writable(PciRegister.INTERRUPT_LINE, 1, 0xff);
    onWrite(PciRegister.COMMAND, 2, this::commandChanged);
  }

  public String name() {
    return name;
  }

  // -- Describing a device; before the machine starts.

  /** A range of ports at base address {@code index}, 0 to 5. */
  public void ports(int index, int sizeBytes, String device, Registers registers) {
    add(PciRegister.BAR0 + 4 * index, Bar.Kind.PORTS, sizeBytes, device, registers);
  }

  /** A range of memory below 4 GiB, a power of two of at least a page. */
  public void memory(int index, long sizeBytes, String device, Registers registers) {
    add(PciRegister.BAR0 + 4 * index, Bar.Kind.MEMORY32, sizeBytes, device, registers);
  }

  /** A range of memory anywhere; takes the base address after {@code index}, too. */
  public void memory64(int index, long sizeBytes, String device, Registers registers) {
    add(PciRegister.BAR0 + 4 * index, Bar.Kind.MEMORY64, sizeBytes, device, registers);
  }

  /** An expansion ROM, for firmware to find; padded to a power of two. */
  public void rom(byte[] image) {
    int size = Math.max(4096, Integer.highestOneBit(Math.max(1, image.length - 1)) << 1);
    byte[] padded = Arrays.copyOf(image, size);
    Arrays.fill(padded, image.length, size, (byte) 0xff);
    add(PciRegister.ROM, Bar.Kind.ROM, size, name + " ROM", new RomRegisters(padded));
  }

  private void add(int at, Bar.Kind kind, long size, String device, Registers registers) {
    Bar bar = new Bar(board, at, kind, size, device, registers);
    bars.add(bar);
    set(at, 4, kind.typeBits);
    writable(at, 4, bar.writableLow());
    if (kind == Bar.Kind.MEMORY64) {
      writable(at + 4, 4, (int) (-size >>> 32));
    }
    letEnable(kind == Bar.Kind.PORTS ? PciRegister.COMMAND_PORTS : PciRegister.COMMAND_MEMORY);
    onWrite(at, kind == Bar.Kind.MEMORY64 ? 8 : 4, () -> place(bar));
  }

  private void letEnable(int commandBits) {
    writable(PciRegister.COMMAND, 2, value(writable, PciRegister.COMMAND, 2) | commandBits);
  }

  /** Says that the function answers at ports that no base address is of: a VGA's. */
  public void fixedPorts() {
    letEnable(PciRegister.COMMAND_PORTS);
  }

  /** Gives the function an interrupt pin, 1 to 4 for INTA# to INTD#. */
  public void interruptPin(int pin) {
    set(PciRegister.INTERRUPT_PIN, 1, pin);
  }

  /** Lets the guest set these bits. */
  public void writable(int offset, int size, int mask) {
    put(writable, offset, size, mask);
  }

  /** Has {@code action} run after the guest has written to any of these bytes. */
  public void onWrite(int offset, int length, Runnable action) {
    hooks.add(new Hook(offset, length, action));
  }

  /** Has {@code action} run before the guest reads any of these bytes. */
  public void onRead(int offset, int length, Runnable action) {
    readHooks.add(new Hook(offset, length, action));
  }

  /** Has {@code action} run when the bus is reset, after configuration space has been. */
  public void onReset(Runnable action) {
    resets.add(action);
  }

  /** Adds a capability; returns the offset of its id. {@code body} is what follows id and link. */
  public int capability(int id, byte... body) {
    int at = capabilitiesEnd;
    int end = at + 2 + body.length;
    if (end > CONFIG_BYTES) {
      throw new IllegalStateException(name + " has too many capabilities");
    }
    capabilitiesEnd = end + 3 & ~3;
    set(at, 1, id);
    System.arraycopy(body, 0, config, at + 2, body.length);
    set(lastCapability == 0 ? PciRegister.CAPABILITIES : lastCapability + 1, 1, at);
    lastCapability = at;
    set(PciRegister.STATUS, 2, get(PciRegister.STATUS, 2) | PciRegister.STATUS_CAPABILITIES);
    return at;
  }

  /** Adds message-signalled interrupts with one vector. */
  public void msi() {
    msi = new MsiCapability(this, board);
  }

  /** Adds MSI-X with its tables in a base address of their own. */
  public MsixCapability msix(int barIndex, int vectors) {
    MsixCapability added = new MsixCapability(this, board, barIndex, vectors);
    msix = added;
    return added;
  }

  // -- For the device.

  /** Bytes of configuration space as the guest reads them, little endian. */
  public int get(int offset, int size) {
    return value(config, offset, size);
  }

  /** Sets bytes whatever the guest may do to them. */
  public void set(int offset, int size, int value) {
    put(config, offset, size, value);
  }

  /** Whether the guest lets the function reach into memory, and send messages. */
  public boolean isBusMaster() {
    return (get(PciRegister.COMMAND, 2) & PciRegister.COMMAND_MASTER) != 0;
  }

  /** Whether the function answers at ports. */
  public boolean answersAtPorts() {
    return (get(PciRegister.COMMAND, 2) & PciRegister.COMMAND_PORTS) != 0;
  }

  /** Whether the function answers in memory. */
  public boolean answersInMemory() {
    return (get(PciRegister.COMMAND, 2) & PciRegister.COMMAND_MEMORY) != 0;
  }

  /** The guest's memory for as long as the function is bus master; refused otherwise. */
  public GuestMemory dma() {
    return dma;
  }

  /** The function's pin; what the guest has disabled is kept until it enables it again. */
  public void intx(boolean raised) {
    intx = raised;
    updateWire();
  }

  /**
   * For a device whose interrupt is one level: by MSI where the guest has enabled that, a message
   * each time the level rises, else by wire.
   */
  public void interrupt(boolean raised) {
    MsiCapability capability = msi;
    if (capability != null && capability.isEnabled()) {
      boolean rises = raised && !intx;
      intx = raised;
      if (rises) {
        capability.send();
      }
      return;
    }
    intx(raised);
  }

  private boolean usesMessages() {
    return msi != null && msi.isEnabled() || msix != null && msix.isEnabled();
  }

  /** Brings the wire to what the device, the command register and the capabilities say. */
  void updateWire() {
    int status = get(PciRegister.STATUS, 2) & ~PciRegister.STATUS_INTX;
    set(PciRegister.STATUS, 2, intx ? status | PciRegister.STATUS_INTX : status);
    boolean disabled = (get(PciRegister.COMMAND, 2) & PciRegister.COMMAND_NO_INTX) != 0;
    boolean raised = intx && !disabled && !usesMessages();
    if (raised != wireRaised) {
      wireRaised = raised;
      wire.set(raised);
    }
  }

  // -- For the bus.

  void attach(InterruptLine wire) {
    this.wire = wire;
    atReset = config.clone();
  }

  void setAlsoAtReset(int offset, int value) {
    config[offset] = (byte) value;
    if (atReset != null) {
      atReset[offset] = (byte) value;
    }
  }

  int pin() {
    return get(PciRegister.INTERRUPT_PIN, 1);
  }

  List<Bar> bars() {
    return bars;
  }

  /** The guest reads; what is beyond the end reads as ones. */
  int read(int offset, int size) {
    if (offset + size > CONFIG_BYTES) {
      return -1;
    }
    run(readHooks, offset, size);
    return get(offset, size);
  }

  /** The guest writes. */
  void write(int offset, int size, int value) {
    if (offset + size > CONFIG_BYTES) {
      return;
    }
    for (int i = 0; i < size; i++) {
      int mask = writable[offset + i];
      int old = config[offset + i];
      config[offset + i] = (byte) (old & ~mask | value >>> 8 * i & mask);
    }
    run(hooks, offset, size);
  }

  private static void run(List<Hook> hooks, int offset, int size) {
    for (Hook hook : hooks) {
      if (offset < hook.offset + hook.length && hook.offset < offset + size) {
        hook.action.run();
      }
    }
  }

  /** Back to how it was before the machine started. */
  void reset() {
    byte[] initial = atReset;
    if (initial != null) {
      System.arraycopy(initial, 0, config, 0, CONFIG_BYTES);
    }
    intx = false;
    commandChanged();
    resets.forEach(Runnable::run);
    updateWire();
  }

  private void commandChanged() {
    bars.forEach(this::place);
    updateWire();
  }

  private void place(Bar bar) {
    long value = Integer.toUnsignedLong(get(bar.offset, 4));
    if (bar.kind == Bar.Kind.MEMORY64) {
      value |= (long) get(bar.offset + 4, 4) << 32;
    }
    bar.place(value, get(PciRegister.COMMAND, 2));
  }

  /** Offset in the header of base address {@code index}. */
  static int barOffset(int index) {
    if (index < 0 || index >= BARS) {
      throw new IllegalArgumentException("base address " + index);
    }
    return PciRegister.BAR0 + 4 * index;
  }

  private static int value(byte[] bytes, int offset, int size) {
    int value = 0;
    for (int i = 0; i < size; i++) {
      value |= (bytes[offset + i] & 0xff) << 8 * i;
    }
    return value;
  }

  private static void put(byte[] bytes, int offset, int size, int value) {
    for (int i = 0; i < size; i++) {
      bytes[offset + i] = (byte) (value >>> 8 * i);
    }
  }
}
