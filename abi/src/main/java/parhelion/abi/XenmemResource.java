package parhelion.abi;

/** Resources of {@code XENMEM_acquire_resource} ({@code memory.h}). */
@XenNames(header = "memory.h", prefix = "XENMEM_resource_")
public final class XenmemResource {
  private XenmemResource() {}

  public static final int GRANT_TABLE_ID_SHARED = 0;
  public static final int IOREQ_SERVER = 0;
  public static final int IOREQ_SERVER_FRAME_BUFIOREQ = 0;
  public static final int GRANT_TABLE = 1;
  public static final int GRANT_TABLE_ID_STATUS = 1;
  public static final int VMTRACE_BUF = 2;
}
