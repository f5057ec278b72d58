package parhelion.abi;

import org.jspecify.annotations.Nullable;

/**
 * Sub-ops of {@code platform_op} ({@code platform.h}): dom0's, {@code -EPERM} for any other domain.
 */
@XenNames(
    header = "platform.h",
    prefix = "XENPF_",
    except = {"XENPF_ACPI_", "XENPF_INTERFACE_VERSION", "XENPF_UCODE_"})
public enum PlatformOp implements Numbered {
  SETTIME32(17, "XENPF_settime32"),
  ADD_MEMTYPE(31, "XENPF_add_memtype"),
  DEL_MEMTYPE(32, "XENPF_del_memtype"),
  READ_MEMTYPE(33, "XENPF_read_memtype"),
  MICROCODE_UPDATE(35, "XENPF_microcode_update"),
  PLATFORM_QUIRK(39, "XENPF_platform_quirk"),
  GET_CPU_VERSION(48, "XENPF_get_cpu_version"),
  EFI_RUNTIME_CALL(49, "XENPF_efi_runtime_call"),
  FIRMWARE_INFO(50, "XENPF_firmware_info"),
  ENTER_ACPI_SLEEP(51, "XENPF_enter_acpi_sleep"),
  CHANGE_FREQ(52, "XENPF_change_freq"),
  GETIDLETIME(53, "XENPF_getidletime"),
  SET_PROCESSOR_PMINFO(54, "XENPF_set_processor_pminfo"),
  GET_CPUINFO(55, "XENPF_get_cpuinfo"),
  CPU_ONLINE(56, "XENPF_cpu_online"),
  CPU_OFFLINE(57, "XENPF_cpu_offline"),
  CPU_HOTADD(58, "XENPF_cpu_hotadd"),
  MEM_HOTADD(59, "XENPF_mem_hotadd"),
  CORE_PARKING(60, "XENPF_core_parking"),
  RESOURCE_OP(61, "XENPF_resource_op"),
  SETTIME64(62, "XENPF_settime64"),
  GET_SYMBOL(63, "XENPF_get_symbol"),
  GET_DOM0_CONSOLE(64, "XENPF_get_dom0_console"),
  GET_UCODE_REVISION(65, "XENPF_get_ucode_revision"),
  MICROCODE_UPDATE2(66, "XENPF_microcode_update2");

  private static final @Nullable PlatformOp[] BY_NR = ByNumber.table(values());

  private final int nr;
  private final String cName;

  PlatformOp(int nr, String cName) {
    this.nr = nr;
    this.cName = cName;
  }

  /** The row with that number, or null if there is none. */
  public static @Nullable PlatformOp of(long nr) {
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
}
