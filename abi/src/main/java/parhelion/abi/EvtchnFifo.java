package parhelion.abi;

/**
 * Event channels in FIFO form ({@code event_channel.h}): bit numbers and link field of an event
 * word, and the limits.
 */
@XenNames(header = "event_channel.h", prefix = "EVTCHN_FIFO_")
public final class EvtchnFifo {
  private EvtchnFifo() {}

  public static final int PRIORITY_MAX = 0;
  public static final int PRIORITY_DEFAULT = 7;
  public static final int PRIORITY_MIN = 15;
  public static final int MAX_QUEUES = 16;
  public static final int LINK_BITS = 17;
  public static final int BUSY = 28;
  public static final int LINKED = 29;
  public static final int MASKED = 30;
  public static final int PENDING = 31;
  public static final int LINK_MASK = 0x1_ffff;
  public static final int NR_CHANNELS = 0x2_0000;
}
