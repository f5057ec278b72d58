package parhelion.abi;

/** Parameters of a fully virtualised domain that it may know itself ({@code hvm/params.h}). */
@XenNames(header = "hvm/params.h", prefix = "HVM_PARAM_")
public final class HvmParam {
  private HvmParam() {}

  /** How events are to interrupt: a type in the highest byte, and what that needs. */
  public static final int CALLBACK_IRQ = 0;

  public static final int STORE_PFN = 1;
  public static final int STORE_EVTCHN = 2;
  public static final int VM86_TSS = 15;
  public static final int CONSOLE_PFN = 17;
  public static final int CONSOLE_EVTCHN = 18;
  public static final int ACPI_IOPORTS_LOCATION = 19;
  public static final int VM_GENERATION_ID_ADDR = 34;
  public static final int X87_FIP_WIDTH = 36;
  public static final int VM86_TSS_SIZED = 37;

  /** By a line of the interrupt controllers, of that number; 0 for not at all. */
  public static final int CALLBACK_TYPE_GSI = 0;

  /**
   * By a PCI function's pin: device and function in bits 15 to 8, the pin from 0 in bits 1 and 0.
   */
  public static final int CALLBACK_TYPE_PCI_INTX = 1;

  /** By an interrupt of that vector, on the vcpu that the event is of. */
  public static final int CALLBACK_TYPE_VECTOR = 2;
}
