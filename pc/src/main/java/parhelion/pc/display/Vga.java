package parhelion.pc.display;

import parhelion.pc.Board;
import parhelion.pc.Board.Mapping;
import parhelion.pc.DeviceMemory;
import parhelion.pc.Registers;
import parhelion.pc.pci.PciFunction;
import parhelion.pc.pci.PciIdentity;

/**
 * The display adapter: a VGA at the ports and addresses that it has always had, and the same memory
 * as a linear frame buffer of a PCI function, 1234:1111, with the Bochs VBE interface. Its
 * expansion ROM is the VGA BIOS, where there is one.
 */
public final class Vga {
  /** Memory of the adapter, in bytes. */
  public static final int MEMORY_BYTES = 8 << 20;

  private static final long WINDOW_START = 0xa0000;
  private static final int WINDOW_BYTES = 0x2_0000;
  private static final int FIRST_PORT = 0x3b0;
  private static final int PORTS = 0x30;
  private static final int VBE_INDEX = 0x1ce;
  private static final int MMIO_BYTES = 4096;
  private static final int MMIO_VGA = 0x400;
  private static final int MMIO_VBE = 0x500;
  private static final int GLYPHS = 256;
  private static final int GLYPH_LINES = 16;

  private final PciFunction function;
  private final VgaRegisters registers = new VgaRegisters();
  private final DeviceMemory bytes;
  private final VgaMemory memory;
  private final VbeRegisters vbe;
  private final VgaPicture picture;

  /**
   * An adapter.
   *
   * @param bios its ROM; empty for none
   */
  public Vga(Board board, byte[] bios) {
    bytes = board.deviceMemory(MEMORY_BYTES);
    memory = new VgaMemory(bytes, registers);
    vbe = new VbeRegisters(bytes);
    picture = new VgaPicture(registers, memory, vbe);
    function = new PciFunction(board, "VGA", PciIdentity.of(0x1234, 0x1111, 2, 0x030000));
    function.memory(0, MEMORY_BYTES, "VGA frame buffer", bytes);
    function.fixedPorts();
    function.memory(2, MMIO_BYTES, "VGA memory-mapped", new Mmio());
    if (bios.length > 0) {
      function.rom(bios);
    }
    Mapping unused = board.mapPorts(FIRST_PORT, PORTS, "VGA", new Ports());
    unused = board.mapPorts(VBE_INDEX, 3, "VBE", new VbePorts());
    unused = board.mapMemory(WINDOW_START, WINDOW_BYTES, "VGA memory", new Window());
    byte[] font = VgaFont.find(bios);
    function.onReset(() -> reset(font));
    reset(font);
  }

  /** What is plugged into the bus. */
  public PciFunction function() {
    return function;
  }

  /** What is on the display; on the machine's thread. */
  public Screenshot screenshot() {
    return picture.take();
  }

  private void reset(byte[] font) {
    registers.reset();
    vbe.reset();
    bytes.clear(MEMORY_BYTES);
    for (int i = 0; i < font.length; i++) {
      int offset = i / GLYPH_LINES * 32 + i % GLYPH_LINES;
      bytes.put(offset * 4L + 2, font[i]);
    }
  }

  /** The font in a VGA BIOS, which it would put into the display's memory. */
  private static final class VgaFont {
    /** The second of 256 glyphs of 16 lines, a face, behind an empty one. */
    private static final int[] FACE = {
      0, 0, 0x7e, 0x81, 0xa5, 0x81, 0x81, 0xbd, 0x99, 0x81, 0x81, 0x7e, 0, 0, 0, 0
    };

    private VgaFont() {}

    static byte[] find(byte[] bios) {
      int bytes = GLYPHS * GLYPH_LINES;
      for (int at = 0; at + bytes <= bios.length; at++) {
        if (isFont(bios, at)) {
          return java.util.Arrays.copyOfRange(bios, at, at + bytes);
        }
      }
      return new byte[0];
    }

    private static boolean isFont(byte[] bios, int at) {
      for (int i = 0; i < GLYPH_LINES; i++) {
        if (bios[at + i] != 0 || (bios[at + GLYPH_LINES + i] & 0xff) != FACE[i]) {
          return false;
        }
      }
      return true;
    }
  }

  /** Registers of a byte each; wider accesses are several. */
  private abstract static class Bytes implements Registers {
    abstract int readByte(int offset);

    abstract void writeByte(int offset, int value);

    @Override
    public long read(long offset, int size) {
      long value = 0;
      for (int i = 0; i < size; i++) {
        value |= (readByte((int) offset + i) & 0xffL) << 8 * i;
      }
      return value;
    }

    @Override
    public void write(long offset, int size, long value) {
      for (int i = 0; i < size; i++) {
        writeByte((int) offset + i, (int) (value >>> 8 * i) & 0xff);
      }
    }
  }

  private final class Ports extends Bytes {
    @Override
    int readByte(int offset) {
      return registers.read(FIRST_PORT + offset);
    }

    @Override
    void writeByte(int offset, int value) {
      registers.write(FIRST_PORT + offset, value);
    }
  }

  /** An index at the first port; the data at the next, or, for aligned accesses, the one after. */
  private final class VbePorts implements Registers {
    @Override
    public long read(long offset, int size) {
      return offset == 0 ? vbe.index() : vbe.read(vbe.index());
    }

    @Override
    public void write(long offset, int size, long value) {
      if (offset == 0) {
        vbe.setIndex((int) value & 0xffff);
      } else {
        vbe.write(vbe.index(), (int) value & 0xffff);
      }
    }
  }

  /** The window at 0xa0000: on the VGA's planes, or on a bank of 64 KiB in the other modes. */
  private final class Window implements Registers {
    private long inBank(long offset) {
      return (long) vbe.get(VbeRegisters.BANK) << 16 | offset & 0xffff;
    }

    @Override
    public long read(long offset, int size) {
      return vbe.isOn() ? bytes.read(inBank(offset), size) : memory.read(offset, size);
    }

    @Override
    public void write(long offset, int size, long value) {
      if (vbe.isOn()) {
        bytes.write(inBank(offset), size, value);
      } else {
        memory.write(offset, size, value);
      }
    }
  }

  /** The registers again, for drivers that use no ports. */
  private final class Mmio extends Bytes {
    @Override
    int readByte(int offset) {
      if (offset >= MMIO_VGA && offset < MMIO_VGA + 0x20) {
        return registers.read(0x3c0 + offset - MMIO_VGA);
      }
      return 0xff;
    }

    @Override
    void writeByte(int offset, int value) {
      if (offset >= MMIO_VGA && offset < MMIO_VGA + 0x20) {
        registers.write(0x3c0 + offset - MMIO_VGA, value);
      }
    }

    private boolean isVbe(long offset) {
      return offset >= MMIO_VBE && offset < MMIO_VBE + 2 * (VbeRegisters.MEMORY_64K + 1);
    }

    @Override
    public long read(long offset, int size) {
      return isVbe(offset) ? vbe.read((int) (offset - MMIO_VBE) / 2) : super.read(offset, size);
    }

    @Override
    public void write(long offset, int size, long value) {
      if (isVbe(offset)) {
        vbe.write((int) (offset - MMIO_VBE) / 2, (int) value & 0xffff);
      } else {
        super.write(offset, size, value);
      }
    }
  }
}
