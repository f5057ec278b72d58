package parhelion.abi;

import org.jspecify.annotations.Nullable;
import parhelion.abi.PhysdevArgs.PhysdevApic;
import parhelion.abi.PhysdevArgs.PhysdevEoi;
import parhelion.abi.PhysdevArgs.PhysdevGetFreePirq;
import parhelion.abi.PhysdevArgs.PhysdevIrq;
import parhelion.abi.PhysdevArgs.PhysdevIrqStatusQuery;
import parhelion.abi.PhysdevArgs.PhysdevMapPirq;
import parhelion.abi.PhysdevArgs.PhysdevPirqEoiGmfn;
import parhelion.abi.PhysdevArgs.PhysdevSetIobitmap;
import parhelion.abi.PhysdevArgs.PhysdevSetIopl;
import parhelion.abi.PhysdevArgs.PhysdevSetupGsi;
import parhelion.abi.PhysdevArgs.PhysdevUnmapPirq;

/** Sub-ops of {@code physdev_op} ({@code physdev.h}). The PCI ones are dom0's. */
@XenNames(
    header = "physdev.h",
    prefix = "PHYSDEVOP_",
    except = {"PHYSDEVOP_DBGP_", "PHYSDEVOP_IRQ_"})
public enum PhysdevOp implements SubOp {
  IRQ_STATUS_QUERY(5, "PHYSDEVOP_irq_status_query", PhysdevIrqStatusQuery.STRUCT),
  SET_IOPL(6, "PHYSDEVOP_set_iopl", PhysdevSetIopl.STRUCT),
  SET_IOBITMAP(7, "PHYSDEVOP_set_iobitmap", PhysdevSetIobitmap.STRUCT),
  APIC_READ(8, "PHYSDEVOP_apic_read", PhysdevApic.STRUCT),
  APIC_WRITE(9, "PHYSDEVOP_apic_write", PhysdevApic.STRUCT),
  ALLOC_IRQ_VECTOR(10, "PHYSDEVOP_alloc_irq_vector", PhysdevIrq.STRUCT),
  FREE_IRQ_VECTOR(11, "PHYSDEVOP_free_irq_vector", PhysdevIrq.STRUCT),
  EOI(12, "PHYSDEVOP_eoi", PhysdevEoi.STRUCT),
  MAP_PIRQ(13, "PHYSDEVOP_map_pirq", PhysdevMapPirq.STRUCT),
  UNMAP_PIRQ(14, "PHYSDEVOP_unmap_pirq", PhysdevUnmapPirq.STRUCT),
  MANAGE_PCI_ADD(15, "PHYSDEVOP_manage_pci_add", null),
  MANAGE_PCI_REMOVE(16, "PHYSDEVOP_manage_pci_remove", null),
  PIRQ_EOI_GMFN_V1(17, "PHYSDEVOP_pirq_eoi_gmfn_v1", PhysdevPirqEoiGmfn.STRUCT),
  RESTORE_MSI(19, "PHYSDEVOP_restore_msi", null),
  MANAGE_PCI_ADD_EXT(20, "PHYSDEVOP_manage_pci_add_ext", null),
  SETUP_GSI(21, "PHYSDEVOP_setup_gsi", PhysdevSetupGsi.STRUCT),
  GET_FREE_PIRQ(23, "PHYSDEVOP_get_free_pirq", PhysdevGetFreePirq.STRUCT),
  PCI_MMCFG_RESERVED(24, "PHYSDEVOP_pci_mmcfg_reserved", null),
  PCI_DEVICE_ADD(25, "PHYSDEVOP_pci_device_add", null),
  PCI_DEVICE_REMOVE(26, "PHYSDEVOP_pci_device_remove", null),
  RESTORE_MSI_EXT(27, "PHYSDEVOP_restore_msi_ext", null),
  PIRQ_EOI_GMFN_V2(28, "PHYSDEVOP_pirq_eoi_gmfn_v2", PhysdevPirqEoiGmfn.STRUCT),
  DBGP_OP(29, "PHYSDEVOP_dbgp_op", null),
  PREPARE_MSIX(30, "PHYSDEVOP_prepare_msix", null),
  RELEASE_MSIX(31, "PHYSDEVOP_release_msix", null),
  PCI_DEVICE_RESET(32, "PHYSDEVOP_pci_device_reset", null);

  private static final @Nullable PhysdevOp[] BY_NR = ByNumber.table(values());

  private final int nr;
  private final String cName;

  @SuppressWarnings("ImmutableEnumChecker") // a record of a name, a name and a number
  private final @Nullable Struct argument;

  PhysdevOp(int nr, String cName, @Nullable Struct argument) {
    this.nr = nr;
    this.cName = cName;
    this.argument = argument;
  }

  /** The row with that number, or null if there is none. */
  public static @Nullable PhysdevOp of(long nr) {
    return nr >= 0 && nr < BY_NR.length ? BY_NR[(int) nr] : null;
  }

  @Override
  public int nr() {
    return nr;
  }

  @Override
  public String cName() {
    return cName;
  }

  @Override
  public @Nullable Struct argument() {
    return argument;
  }
}
