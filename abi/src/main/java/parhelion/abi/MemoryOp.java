package parhelion.abi;

import org.jspecify.annotations.Nullable;
import parhelion.abi.MemoryArgs.XenAddToPhysmap;
import parhelion.abi.MemoryArgs.XenAddToPhysmapBatch;
import parhelion.abi.MemoryArgs.XenForeignMemoryMap;
import parhelion.abi.MemoryArgs.XenMachphysMapping;
import parhelion.abi.MemoryArgs.XenMachphysMfnList;
import parhelion.abi.MemoryArgs.XenMemAcquireResource;
import parhelion.abi.MemoryArgs.XenMemoryDomain;
import parhelion.abi.MemoryArgs.XenMemoryExchange;
import parhelion.abi.MemoryArgs.XenMemoryMap;
import parhelion.abi.MemoryArgs.XenMemoryReservation;
import parhelion.abi.MemoryArgs.XenRemoveFromPhysmap;

/**
 * Sub-ops of {@code memory_op} ({@code memory.h}): the low 6 bits of the command; what Xen keeps
 * above them is where to continue.
 */
@XenNames(
    header = "memory.h",
    prefix = "XENMEM_",
    except = {
      "XENMEM_access_",
      "XENMEM_FORK_",
      "XENMEM_paging_op_",
      "XENMEM_RDM_",
      "XENMEM_resource_",
      "XENMEM_sharing_op_",
      "XENMEM_SHARING_"
    })
public enum MemoryOp implements SubOp {
  INCREASE_RESERVATION(0, "XENMEM_increase_reservation", XenMemoryReservation.STRUCT),
  DECREASE_RESERVATION(1, "XENMEM_decrease_reservation", XenMemoryReservation.STRUCT),
  MAXIMUM_RAM_PAGE(2, "XENMEM_maximum_ram_page", null),
  CURRENT_RESERVATION(3, "XENMEM_current_reservation", XenMemoryDomain.STRUCT),
  MAXIMUM_RESERVATION(4, "XENMEM_maximum_reservation", XenMemoryDomain.STRUCT),
  MACHPHYS_MFN_LIST(5, "XENMEM_machphys_mfn_list", XenMachphysMfnList.STRUCT),
  POPULATE_PHYSMAP(6, "XENMEM_populate_physmap", XenMemoryReservation.STRUCT),
  ADD_TO_PHYSMAP(7, "XENMEM_add_to_physmap", XenAddToPhysmap.STRUCT),
  MEMORY_MAP(9, "XENMEM_memory_map", XenMemoryMap.STRUCT),
  MACHINE_MEMORY_MAP(10, "XENMEM_machine_memory_map", XenMemoryMap.STRUCT),
  EXCHANGE(11, "XENMEM_exchange", XenMemoryExchange.STRUCT),
  MACHPHYS_MAPPING(12, "XENMEM_machphys_mapping", XenMachphysMapping.STRUCT),
  SET_MEMORY_MAP(13, "XENMEM_set_memory_map", XenForeignMemoryMap.STRUCT),
  MAXIMUM_GPFN(14, "XENMEM_maximum_gpfn", XenMemoryDomain.STRUCT),
  REMOVE_FROM_PHYSMAP(15, "XENMEM_remove_from_physmap", XenRemoveFromPhysmap.STRUCT),
  SET_POD_TARGET(16, "XENMEM_set_pod_target", null),
  GET_POD_TARGET(17, "XENMEM_get_pod_target", null),
  GET_SHARING_FREED_PAGES(18, "XENMEM_get_sharing_freed_pages", null),
  GET_SHARING_SHARED_PAGES(19, "XENMEM_get_sharing_shared_pages", null),
  PAGING_OP(20, "XENMEM_paging_op", null),
  ACCESS_OP(21, "XENMEM_access_op", null),
  SHARING_OP(22, "XENMEM_sharing_op", null),
  ADD_TO_PHYSMAP_BATCH(23, "XENMEM_add_to_physmap_batch", XenAddToPhysmapBatch.STRUCT),
  CLAIM_PAGES(24, "XENMEM_claim_pages", XenMemoryReservation.STRUCT),
  MACHPHYS_COMPAT_MFN_LIST(25, "XENMEM_machphys_compat_mfn_list", XenMachphysMfnList.STRUCT),
  GET_VNUMAINFO(26, "XENMEM_get_vnumainfo", null),
  RESERVED_DEVICE_MEMORY_MAP(27, "XENMEM_reserved_device_memory_map", null),
  ACQUIRE_RESOURCE(28, "XENMEM_acquire_resource", XenMemAcquireResource.STRUCT);

  private static final @Nullable MemoryOp[] BY_NR = ByNumber.table(values());

  private final int nr;
  private final String cName;

  @SuppressWarnings("ImmutableEnumChecker") // a record of a name, a name and a number
  private final @Nullable Struct argument;

  MemoryOp(int nr, String cName, @Nullable Struct argument) {
    this.nr = nr;
    this.cName = cName;
    this.argument = argument;
  }

  /** The row with that number, or null if there is none. */
  public static @Nullable MemoryOp of(long nr) {
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
