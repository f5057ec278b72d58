package parhelion.abi;

/** Bits of {@link ArchSharedInfo#NMI_REASON} ({@code nmi.h}). */
@XenNames(header = "nmi.h", prefix = "XEN_NMIREASON_")
public final class NmiReason {
  private NmiReason() {}

  public static final int IO_ERROR = 0x1;
  public static final int PCI_SERR = 0x2;
  public static final int UNKNOWN = 0x4;
}
