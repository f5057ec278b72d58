package parhelion.pc.pci;

/**
 * What a PCI function says it is.
 *
 * @param vendor 16 bits, as are device, subsystemVendor and subsystem
 * @param revision 8 bits
 * @param classCode 24 bits: class, subclass, programming interface
 */
public record PciIdentity(
    int vendor, int device, int revision, int classCode, int subsystemVendor, int subsystem) {
  /** An identity whose subsystem is that of a virtual machine's parts (1af4:1100). */
  public static PciIdentity of(int vendor, int device, int revision, int classCode) {
    return new PciIdentity(vendor, device, revision, classCode, 0x1af4, 0x1100);
  }
}
