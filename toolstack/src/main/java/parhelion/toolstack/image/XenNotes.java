package parhelion.toolstack.image;

import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import parhelion.abi.XenFeature;

/**
 * A kernel's description of itself to Xen, with Xen's defaults filled in ({@code elfnote.h}; the
 * defaults and checks are those of libelf). All addresses are of the guest.
 *
 * @param guestOs, guestVersion, xenVersion, loader, paeMode as written, "" if not given
 * @param entryVa where the first vcpu begins: the ENTRY note, else the ELF header's entry
 * @param hypercallPageVa a page to fill with hypercall stubs, if the kernel wants one
 * @param virtBase the virtual address that pseudo-physical 0 is mapped at
 * @param paddrOffset what is subtracted from the ELF file's physical addresses
 * @param initP2mVa where the p2m list is to be mapped, if not after the kernel
 * @param hvStartLow the lowest address that the kernel leaves to the hypervisor
 * @param required features without which the kernel does not run
 * @param supported features that the kernel can do with, among them the required ones
 * @param supportedMask the same as the raw bits of submap 0
 * @param l1MfnValid how the guest tells a valid L1 entry
 * @param suspendCancel whether it can be told that a suspend did not happen
 * @param unmappedInitrd MOD_START_PFN: the initrd may stay unmapped and is named by its pfn
 * @param bsdSymtab whether it wants its symbol table after itself
 * @param phys32Entry the PVH entry point, unused for PV
 * @param kernelStartVa first address of the loaded kernel
 * @param kernelEndVa first address after it
 */
public record XenNotes(
    String guestOs,
    String guestVersion,
    String xenVersion,
    String loader,
    String paeMode,
    long entryVa,
    OptionalLong hypercallPageVa,
    long virtBase,
    long paddrOffset,
    OptionalLong initP2mVa,
    OptionalLong hvStartLow,
    Set<XenFeature> required,
    Set<XenFeature> supported,
    int supportedMask,
    Optional<L1MfnValid> l1MfnValid,
    boolean suspendCancel,
    boolean unmappedInitrd,
    boolean bsdSymtab,
    OptionalLong phys32Entry,
    long kernelStartVa,
    long kernelEndVa) {

  /** An L1 entry is valid if {@code (entry & mask) == value}. */
  public record L1MfnValid(long mask, long value) {}

  /** The virtual address of something at a physical address of the ELF file. */
  public long vaOf(long elfPa) {
    return elfPa - paddrOffset + virtBase;
  }

  /** The pseudo-physical address of something at a physical address of the ELF file. */
  public long guestPaOf(long elfPa) {
    return elfPa - paddrOffset;
  }
}
