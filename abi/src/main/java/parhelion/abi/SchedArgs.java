package parhelion.abi;

import parhelion.abi.Field.S32;
import parhelion.abi.Field.U16;
import parhelion.abi.Field.U32;
import parhelion.abi.Field.U64;

/** Arguments of {@link SchedOp} ({@code sched.h}), copied in by value. */
public final class SchedArgs {
  private SchedArgs() {}

  /** {@code struct sched_shutdown}: why; a {@link ShutdownReason}. */
  public record SchedShutdown(long reason) {
    public static final Struct STRUCT = Struct.of("sched_shutdown", "sched.h", 4);
    public static final U32 REASON = STRUCT.u32("reason", 0);

    public static SchedShutdown read(Bytes b, long at) {
      return new SchedShutdown(REASON.get(b, at));
    }
  }

  /**
   * {@code struct sched_poll}: waits for one of {@code nrPorts} ports; {@code timeout} is absolute
   * system time in nanoseconds, 0 for none.
   */
  public record SchedPoll(long ports, long nrPorts, long timeout) {
    public static final Struct STRUCT = Struct.of("sched_poll", "sched.h", 24);
    public static final U64 PORTS = STRUCT.u64("ports", 0);
    public static final U32 NR_PORTS = STRUCT.u32("nr_ports", 8);
    public static final U64 TIMEOUT = STRUCT.u64("timeout", 16);

    public static SchedPoll read(Bytes b, long at) {
      return new SchedPoll(PORTS.get(b, at), NR_PORTS.get(b, at), TIMEOUT.get(b, at));
    }
  }

  /** {@code struct sched_remote_shutdown}: declares another domain shut down. */
  public record SchedRemoteShutdown(int domainId, long reason) {
    public static final Struct STRUCT = Struct.of("sched_remote_shutdown", "sched.h", 8);
    public static final U16 DOMAIN_ID = STRUCT.u16("domain_id", 0);
    public static final U32 REASON = STRUCT.u32("reason", 4);

    public static SchedRemoteShutdown read(Bytes b, long at) {
      return new SchedRemoteShutdown(DOMAIN_ID.get(b, at), REASON.get(b, at));
    }
  }

  /**
   * {@code struct sched_watchdog}: {@code id} 0 asks for a new timer; {@code timeout} is in
   * seconds, 0 to stop.
   */
  public record SchedWatchdog(long id, long timeout) {
    public static final Struct STRUCT = Struct.of("sched_watchdog", "sched.h", 8);
    public static final U32 ID = STRUCT.u32("id", 0);
    public static final U32 TIMEOUT = STRUCT.u32("timeout", 4);

    public static SchedWatchdog read(Bytes b, long at) {
      return new SchedWatchdog(ID.get(b, at), TIMEOUT.get(b, at));
    }
  }

  /** {@code struct sched_pin_override}: pins the vcpu to a physical cpu; negative to undo. */
  public record SchedPinOverride(int pcpu) {
    public static final Struct STRUCT = Struct.of("sched_pin_override", "sched.h", 4);
    public static final S32 PCPU = STRUCT.s32("pcpu", 0);

    public static SchedPinOverride read(Bytes b, long at) {
      return new SchedPinOverride(PCPU.get(b, at));
    }
  }
}
