package parhelion.pc.virtio;

/** Device types (section 5) and the PCI class that each has. */
enum VirtioKind {
  NET(1, 0x020000),
  BLOCK(2, 0x018000),
  CONSOLE(3, 0x078000),
  RNG(4, 0x00ff00),
  BALLOON(5, 0x00ff00),
  NINE_P(9, 0x000200);

  final int id;
  final int pciClass;

  VirtioKind(int id, int pciClass) {
    this.id = id;
    this.pciClass = pciClass;
  }
}
