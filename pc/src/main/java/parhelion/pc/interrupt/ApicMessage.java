package parhelion.pc.interrupt;

/**
 * What goes over the bus between APICs, and what a device's message-signalled interrupt becomes.
 *
 * @param destination a local APIC's number, or bits of logical numbers; -1 for everyone, as is 0xff
 *     for those in xAPIC mode
 * @param logical how the destination is meant
 * @param mode one of the constants
 * @param level the interrupt stays until it is served
 * @param exceptSender of messages to everyone
 */
public record ApicMessage(
    int destination, boolean logical, int mode, int vector, boolean level, boolean exceptSender) {
  public static final int FIXED = 0;
  public static final int LOWEST_PRIORITY = 1;
  public static final int SMI = 2;
  public static final int NMI = 4;
  public static final int INIT = 5;
  public static final int START_UP = 6;
  public static final int EXTERNAL = 7;

  private static final long RANGE = 0xfee0_0000L;

  /** Whether a write to this address is an interrupt. */
  public static boolean isMessage(long address) {
    return (address & ~0xf_ffffL) == RANGE;
  }

  /** A message-signalled interrupt (SDM volume 3, 11.11). */
  public static ApicMessage of(long address, int data) {
    int destination = (int) (address >>> 12) & 0xff;
    return new ApicMessage(
        destination, (address & 4) != 0, data >>> 8 & 7, data & 0xff, (data & 0x8000) != 0, false);
  }
}
