package parhelion.abi;

/** What {@code PHYSDEVOP_irq_status_query} answers ({@code physdev.h}). */
@XenNames(header = "physdev.h", prefix = "XENIRQSTAT_")
public final class XenIrqStatus {
  private XenIrqStatus() {}

  public static final int NEEDS_EOI = 0x1;
  public static final int SHARED = 0x2;
}
