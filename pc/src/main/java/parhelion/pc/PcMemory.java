package parhelion.pc;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import parhelion.cpu.Cpuid;
import parhelion.cpu.memory.MachineMemory;

/**
 * The machine's RAM. A physical address of the guest is the same address of machine memory; the gap
 * below 4 GiB, where registers are, lies in that as frames that are never touched, and costs
 * nothing. Frames that are not plain memory are marked: the video window, the gap, firmware.
 *
 * <pre>
 *   0        640 KiB  RAM
 *   640      768 KiB  video window: registers, if any
 *   768 KiB  1 MiB    RAM (firmware copies itself there)
 *   1 MiB    lowEnd   RAM
 *   3 GiB    4 GiB    registers, and firmware at the top
 *   4 GiB    highEnd  RAM, where there is more than 3 GiB
 * </pre>
 */
public final class PcMemory implements GuestMemory, AutoCloseable {
  public static final long VIDEO_START = 0xa0000;
  public static final long VIDEO_END = 0xc0000;

  /** Where registers begin, whatever the size of memory: 3 GiB. */
  public static final long GAP_START = 0xc000_0000L;

  public static final long GAP_END = 0x1_0000_0000L;
  private static final int PAGE_SHIFT = 12;

  private final MachineMemory machine;
  private final long lowEnd;
  private final long highEnd;

  /** Where the bytes of the firmware at the top of the gap are in machine memory. */
  private final long romAt;

  private final long romBytes;

  /** Where the frames are that are not the guest's. */
  private final long ownStart;

  /** Where the frames are that devices may still have for themselves; they end before those. */
  private long deviceFree;

  private final ByteBuffer window;
  private long movedBytes;

  /** What is shown at a page in place of what is there: machine addresses by physical ones. */
  private final Map<Long, Long> shown = new HashMap<>();

  private final BitSet withheld = new BitSet();

  /**
   * RAM of {@code bytes}, a multiple of a page and at least 2 MiB.
   *
   * @param rom firmware that ends at 4 GiB, and whose last 128 KiB are in the RAM below 1 MiB, too;
   *     empty for none
   */
  public PcMemory(long bytes, byte[] rom) {
    this(bytes, rom, 0, 0);
  }

  /**
   * The same with frames beyond what the guest has, which it cannot address.
   *
   * @param ownFrames how many an interface has
   * @param deviceBytes how much devices have for {@link #deviceMemory}, whole pages
   */
  public PcMemory(long bytes, byte[] rom, int ownFrames, int deviceBytes) {
    if (bytes < 2 << 20 || bytes % 4096 != 0) {
      throw new IllegalArgumentException("memory of " + bytes + " bytes");
    }
    if (rom.length % 4096 != 0 || rom.length > 16 << 20) {
      throw new IllegalArgumentException("firmware of " + rom.length + " bytes");
    }
    lowEnd = Math.min(bytes, GAP_START);
    highEnd = bytes > GAP_START ? GAP_END + bytes - GAP_START : 0;
    romBytes = rom.length;
    romAt = highEnd != 0 ? GAP_END - romBytes : lowEnd;
    long deviceStart = Math.max(lowEnd + romBytes, highEnd);
    deviceFree = deviceStart;
    ownStart = deviceStart + deviceBytes;
    machine = new MachineMemory((ownStart >>> PAGE_SHIFT) + ownFrames);
    mark(VIDEO_START, VIDEO_END);
    mark(lowEnd, highEnd == 0 ? deviceStart : GAP_END);
    mark(deviceStart, machine.sizeBytes());
    if (romBytes > 0) {
      machine.write(romAt, rom, 0, rom.length);
    }
    window = machineBytes();
    copyFirmware();
  }

  /** Memory beyond what a buffer can span is not seen through it. */
  private ByteBuffer machineBytes() {
    long bytes = Math.min(machine.sizeBytes(), 1 << 30);
    return machine.segment().asSlice(0, bytes).asByteBuffer();
  }

  private void mark(long from, long to) {
    for (long mfn = from >>> PAGE_SHIFT; mfn < to >>> PAGE_SHIFT; mfn++) {
      machine.markSpecial(mfn, true);
    }
  }

  /** Puts the end of the firmware below 1 MiB, as the board does at a reset. */
  public void copyFirmware() {
    int shadow = (int) Math.min(romBytes, 128 << 10);
    if (shadow > 0) {
      machine.copy(romAt + romBytes - shadow, (1 << 20) - shadow, shadow);
    }
  }

  public MachineMemory machine() {
    return machine;
  }

  /** End of the RAM below the gap. */
  public long lowEnd() {
    return lowEnd;
  }

  /** End of the RAM above 4 GiB; 0 if there is none. */
  public long highEnd() {
    return highEnd;
  }

  /** Where the firmware begins, as the guest sees it; 4 GiB if there is none. */
  public long romStart() {
    return GAP_END - romBytes;
  }

  /** Whether the page of an address is RAM. */
  boolean isPlain(long address) {
    return machine.contains(address, 1) && !machine.isSpecial(address >>> PAGE_SHIFT);
  }

  /** Whether an address is the firmware's. */
  boolean isRom(long address) {
    return address >= romStart() && address < GAP_END;
  }

  /** Machine address of a byte of the firmware. */
  long romMachineAddress(long address) {
    return address - romStart() + romAt;
  }

  // --- for an interface ---

  /** The first of the frames that are not the guest's. */
  public int firstOwnFrame() {
    return (int) (ownStart >>> PAGE_SHIFT);
  }

  /** Takes memory for a device, whole pages; zeroed. */
  DeviceMemory deviceMemory(int bytes) {
    if (bytes % 4096 != 0 || bytes > ownStart - deviceFree) {
      throw new IllegalArgumentException("device memory of " + bytes + " bytes");
    }
    DeviceMemory taken = DeviceMemory.of(machine, deviceFree, bytes);
    deviceFree += bytes;
    return taken;
  }

  /** Machine address of what is shown at a page in place of what is there; -1 if nothing is. */
  long shownAt(long address) {
    Long at = shown.isEmpty() ? null : shown.get(address & -4096L);
    return at == null ? -1 : at;
  }

  /**
   * Shows another frame at a page, whatever is there; false for an address that no processor has.
   * Devices go on seeing what is behind it.
   */
  public boolean show(long gfn, long mfn) {
    if (gfn < 0 || gfn >= 1L << Cpuid.PHYSICAL_BITS - PAGE_SHIFT) {
      return false;
    }
    shown.put(gfn << PAGE_SHIFT, mfn << PAGE_SHIFT);
    if (gfn < machine.frames()) {
      machine.markSpecial(gfn, true);
    }
    return true;
  }

  /** Ends {@link #show}. */
  public void hide(long gfn) {
    shown.remove(gfn << PAGE_SHIFT);
    if (isMemory(gfn)) {
      machine.markSpecial(gfn, false);
    }
  }

  /** Whether a page is RAM that the guest has. */
  public boolean isMemory(long gfn) {
    return gfn >= 0
        && gfn < machine.frames()
        && contains(gfn << PAGE_SHIFT, 1 << PAGE_SHIFT)
        && !withheld.get((int) gfn);
  }

  /** Takes a page of RAM away: nothing is there any more. */
  public void withhold(long gfn) {
    withheld.set((int) gfn);
    machine.markSpecial(gfn, true);
    machine.clear(gfn << PAGE_SHIFT, 1 << PAGE_SHIFT);
  }

  /** Gives it back, zeroed; false if it was not taken. */
  public boolean giveBack(long gfn) {
    if (gfn < 0 || gfn >= machine.frames() || !withheld.get((int) gfn)) {
      return false;
    }
    withheld.clear((int) gfn);
    machine.clear(gfn << PAGE_SHIFT, 1 << PAGE_SHIFT);
    machine.markSpecial(gfn, shown.containsKey(gfn << PAGE_SHIFT));
    return true;
  }

  /** The last page of RAM. */
  public long lastFrame() {
    return (Math.max(lowEnd, highEnd) >>> PAGE_SHIFT) - 1;
  }

  // --- as devices see it ---

  /** Bytes of memory that devices have read, written or asked to see so far. */
  public long movedBytes() {
    return movedBytes;
  }

  @Override
  public boolean contains(long address, long lengthBytes) {
    if (address < 0 || lengthBytes < 0) {
      return false;
    }
    if (address >= GAP_END) {
      return address <= highEnd && lengthBytes <= highEnd - address;
    }
    if (address < VIDEO_START) {
      return lengthBytes <= VIDEO_START - address;
    }
    return address >= VIDEO_END && address <= lowEnd && lengthBytes <= lowEnd - address;
  }

  @Override
  public @Nullable ByteBuffer view(long address, int lengthBytes) {
    if (!contains(address, lengthBytes)) {
      return null;
    }
    movedBytes += lengthBytes;
    if (address + lengthBytes <= window.capacity()) {
      return window.slice((int) address, lengthBytes).order(ByteOrder.LITTLE_ENDIAN);
    }
    return machine
        .segment()
        .asSlice(address, lengthBytes)
        .asByteBuffer()
        .order(ByteOrder.LITTLE_ENDIAN);
  }

  @Override
  public void written(long address, long lengthBytes) {
    if (contains(address, lengthBytes)) {
      machine.noteWrite(address, lengthBytes);
    }
  }

  @Override
  public boolean read(long address, byte[] into, int offset, int lengthBytes) {
    if (!contains(address, lengthBytes)) {
      return false;
    }
    movedBytes += lengthBytes;
    machine.read(address, into, offset, lengthBytes);
    return true;
  }

  @Override
  public boolean write(long address, byte[] from, int offset, int lengthBytes) {
    if (!contains(address, lengthBytes)) {
      return false;
    }
    movedBytes += lengthBytes;
    machine.write(address, from, offset, lengthBytes);
    return true;
  }

  @Override
  public void discard(long address, long lengthBytes) {
    if (contains(address, lengthBytes)) {
      machine.discard(address, lengthBytes);
    }
  }

  @Override
  public void close() {
    machine.close();
  }
}
