package parhelion.abi;

import parhelion.abi.Field.U32;
import parhelion.abi.Field.U64;

/**
 * {@code struct hvm_start_info} ({@code arch-x86/hvm/start_info.h}): what EBX points to where a
 * fully virtualised domain without firmware begins (PVH). All addresses are the guest's physical
 * ones.
 */
public final class HvmStartInfo {
  private HvmStartInfo() {}

  /** What {@link #MAGIC} is, and the kinds of memory. */
  @XenNames(header = "arch-x86/hvm/start_info.h", prefix = "XEN_HVM_")
  public static final class Value {
    private Value() {}

    public static final int START_MAGIC_VALUE = 0x336ec578;
    public static final int MEMMAP_TYPE_RAM = 1;
    public static final int MEMMAP_TYPE_RESERVED = 2;
    public static final int MEMMAP_TYPE_ACPI = 3;
  }

  public static final Struct STRUCT = Struct.of("hvm_start_info", "arch-x86/hvm/start_info.h", 56);
  public static final U32 MAGIC = STRUCT.u32("magic", 0);

  /** 1: the memory map is there. */
  public static final U32 VERSION = STRUCT.u32("version", 4);

  /** {@link Sif}. */
  public static final U32 FLAGS = STRUCT.u32("flags", 8);

  public static final U32 NR_MODULES = STRUCT.u32("nr_modules", 12);

  /** Of {@link Module}. */
  public static final U64 MODLIST_PADDR = STRUCT.u64("modlist_paddr", 16);

  public static final U64 CMDLINE_PADDR = STRUCT.u64("cmdline_paddr", 24);
  public static final U64 RSDP_PADDR = STRUCT.u64("rsdp_paddr", 32);

  /** Of {@link MemoryRange}. */
  public static final U64 MEMMAP_PADDR = STRUCT.u64("memmap_paddr", 40);

  public static final U32 MEMMAP_ENTRIES = STRUCT.u32("memmap_entries", 48);
  public static final U32 RESERVED = STRUCT.u32("reserved", 52);

  /** {@code struct hvm_modlist_entry}: the first is the initial RAM disk. */
  public static final class Module {
    private Module() {}

    public static final Struct STRUCT =
        Struct.of("hvm_modlist_entry", "arch-x86/hvm/start_info.h", 32);
    public static final U64 PADDR = STRUCT.u64("paddr", 0);
    public static final U64 SIZE = STRUCT.u64("size", 8);
    public static final U64 CMDLINE_PADDR = STRUCT.u64("cmdline_paddr", 16);
    public static final U64 RESERVED = STRUCT.u64("reserved", 24);
  }

  /** {@code struct hvm_memmap_table_entry}. */
  public static final class MemoryRange {
    private MemoryRange() {}

    public static final Struct STRUCT =
        Struct.of("hvm_memmap_table_entry", "arch-x86/hvm/start_info.h", 24);
    public static final U64 ADDR = STRUCT.u64("addr", 0);
    public static final U64 SIZE = STRUCT.u64("size", 8);
    public static final U32 TYPE = STRUCT.u32("type", 16);
    public static final U32 RESERVED = STRUCT.u32("reserved", 20);
  }
}
