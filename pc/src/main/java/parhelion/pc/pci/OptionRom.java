package parhelion.pc.pci;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** An expansion ROM's image (PCI Firmware Specification 3.0, 5.1), as far as a board cares. */
public final class OptionRom {
  private static final short SIGNATURE = (short) 0xaa55;
  private static final int STRUCTURE_AT = 0x18;
  private static final int STRUCTURE = 0x52494350; // PCIR
  private static final int STRUCTURE_BYTES = 0x18;

  /** A byte behind the entry that nothing reads: what keeps the image's sum at zero. */
  private static final int SPARE = 6;

  private OptionRom() {}

  /**
   * The image with the identity of the function that it is for: firmware takes no other, and one
   * ROM may serve several. What is no ROM stays as it is.
   */
  public static byte[] madeFor(PciFunction function, byte[] image) {
    byte[] changed = image.clone();
    ByteBuffer rom = ByteBuffer.wrap(changed).order(ByteOrder.LITTLE_ENDIAN);
    if (changed.length < STRUCTURE_AT + 2 || rom.getShort(0) != SIGNATURE) {
      return changed;
    }
    int at = rom.getShort(STRUCTURE_AT) & 0xffff;
    if (at + STRUCTURE_BYTES > changed.length || rom.getInt(at) != STRUCTURE) {
      return changed;
    }
    int before = sum(changed, at + 4);
    rom.putShort(at + 4, (short) function.get(PciRegister.VENDOR, 2));
    rom.putShort(at + 6, (short) function.get(PciRegister.DEVICE, 2));
    changed[SPARE] += (byte) (before - sum(changed, at + 4));
    return changed;
  }

  private static int sum(byte[] bytes, int at) {
    return bytes[at] + bytes[at + 1] + bytes[at + 2] + bytes[at + 3];
  }
}
