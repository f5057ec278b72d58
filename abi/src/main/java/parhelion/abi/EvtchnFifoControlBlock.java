package parhelion.abi;

import parhelion.abi.Field.Part;
import parhelion.abi.Field.U32;

/** {@code struct evtchn_fifo_control_block} ({@code event_channel.h}): one for each vcpu, live. */
public final class EvtchnFifoControlBlock {
  private EvtchnFifoControlBlock() {}

  public static final Struct STRUCT = Struct.of("evtchn_fifo_control_block", "event_channel.h", 72);

  /** A bit for each queue that is not empty. */
  public static final U32 READY = STRUCT.u32("ready", 0);

  /** The first port of each queue. */
  public static final Part HEAD = STRUCT.array("head", 8, 16, 4);
}
