package parhelion.pc.pci;

import parhelion.pc.Registers;

/** Bytes that can only be read. */
final class RomRegisters implements Registers {
  private final byte[] image;

  RomRegisters(byte[] image) {
    this.image = image;
  }

  @Override
  public long read(long offset, int size) {
    long value = 0;
    for (int i = 0; i < size; i++) {
      long at = offset + i;
      long unit = at >= 0 && at < image.length ? image[(int) at] & 0xff : 0xff;
      value |= unit << 8 * i;
    }
    return value;
  }

  @Override
  public void write(long offset, int size, long value) {
    // A ROM.
  }
}
