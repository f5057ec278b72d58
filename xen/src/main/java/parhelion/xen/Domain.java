package parhelion.xen;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import parhelion.abi.SharedInfo;
import parhelion.abi.ShutdownReason;
import parhelion.cpu.memory.MachineMemory;
import parhelion.xen.event.EventChannels;
import parhelion.xen.grant.GrantTable;
import parhelion.xen.memory.DomainMemory;

/**
 * A virtual machine: vcpus, memory, event channels and grants. Made by {@link
 * Hypervisor#createDomain}. Scheduler's thread only.
 */
public final class Domain {
  private static final int WATCHDOGS = 2;

  /** Offset of the wall clock in the shared_info of 32-bit code. */
  private static final int NARROW_WALL_CLOCK = 2304;

  /** Frames that count towards the reservation, and their limit. */
  public long totPages;

  public long maxPages;

  /** What paging keeps of it. */
  public final DomainMemory memory = new DomainMemory();

  /** Bits of {@link parhelion.abi.VmAssist}. */
  public long vmAssist;

  /** Latches behind ports 0xcf8 and 0x70. */
  public int pciAddress;

  public int cmosIndex;

  private final Hypervisor hypervisor;
  private final int id;
  private final boolean privileged;
  private final byte[] handle;
  private final long sharedInfoMfn;
  private final List<Vcpu> vcpus;
  private final @Nullable HvmDomain hvm;
  private final EventChannels events;
  private final GrantTable grants;
  private final Timers.Timer[] watchdogs = new Timers.Timer[WATCHDOGS];
  private final boolean[] watchdogInUse = new boolean[WATCHDOGS];
  private final StringBuilder debugLine = new StringBuilder();
  private int pauseCount;
  private @Nullable ShutdownReason shutdownReason;
  private @Nullable ShutdownReason shutdownCode;
  private @Nullable String crashReason;
  private boolean dying;
  private boolean narrow;

  Domain(Hypervisor hypervisor, int id, DomainConfig config) {
    this.hypervisor = hypervisor;
    this.id = id;
    privileged = config.privileged();
    handle = config.handle().clone();
    maxPages = config.maxPages();
    hvm = HvmDomain.of(config.hvm(), config.vcpus());
    sharedInfoMfn = hypervisor.frames().allocateShared(this);
    events = new EventChannels(this);
    grants = new GrantTable(this);
    for (int i = 0; i < WATCHDOGS; i++) {
      watchdogs[i] = hypervisor.scheduler().timers().timer(this::watchdogFired);
    }
    List<Vcpu> made = new ArrayList<>();
    for (int i = 0; i < config.vcpus(); i++) {
      made.add(new Vcpu(this, i, config.cpu()));
    }
    vcpus = List.copyOf(made);
    writeWallClock();
  }

  public Hypervisor hypervisor() {
    return hypervisor;
  }

  public int id() {
    return id;
  }

  /** May call what only dom0 may. */
  public boolean isPrivileged() {
    return privileged;
  }

  /** Its 16-byte UUID. */
  public byte[] handle() {
    return handle.clone();
  }

  /** What a fully virtualised domain has beside; null for a paravirtual one. */
  public @Nullable HvmDomain hvm() {
    return hvm;
  }

  /**
   * The machine frame behind the guest's own number of a frame: paravirtual domains use machine
   * frames, what fully virtualised ones have is translated. -1 for none.
   */
  public long mfnOf(long gfn) {
    HvmDomain translated = hvm;
    return translated == null ? gfn : translated.mfnOf(gfn);
  }

  public long sharedInfoMfn() {
    return sharedInfoMfn;
  }

  public List<Vcpu> vcpus() {
    return vcpus;
  }

  /** The vcpu of that number, or null. */
  public @Nullable Vcpu vcpu(long id) {
    return id >= 0 && id < vcpus.size() ? vcpus.get((int) id) : null;
  }

  public EventChannels events() {
    return events;
  }

  public GrantTable grants() {
    return grants;
  }

  /**
   * Has shared_info and vcpu_info be in the form of 32-bit code or not: the one that the guest's
   * kernel has when it asks for a hypercall page.
   */
  public void narrow(boolean is32Bit) {
    if (narrow != is32Bit) {
      narrow = is32Bit;
      writeWallClock();
    }
  }

  /** Whether words of shared_info and vcpu_info have 32 bits. */
  public boolean isNarrow() {
    return narrow;
  }

  /** Writes the wall clock into shared_info: Unix time at system time 0, under its version. */
  public void writeWallClock() {
    MachineMemory memory = hypervisor.memory();
    long pa = sharedInfoMfn << 12;
    long nanos = hypervisor.clock().bootWallNanos();
    long seconds = Math.floorDiv(nanos, 1_000_000_000L);
    if (narrow) {
      pa += NARROW_WALL_CLOCK - SharedInfo.WC_VERSION.offset();
    }
    long version = pa + SharedInfo.WC_VERSION.offset();
    int v = memory.getInt(version) & ~1;
    memory.putInt(version, v + 1);
    memory.putInt(pa + SharedInfo.WC_SEC.offset(), (int) seconds);
    if (!narrow) {
      memory.putInt(pa + SharedInfo.WC_SEC_HI.offset(), (int) (seconds >>> 32));
    }
    memory.putInt(pa + SharedInfo.WC_NSEC.offset(), (int) Math.floorMod(nanos, 1_000_000_000L));
    memory.putInt(version, v + 2);
  }

  // --- running ---

  /** Not paused, shut down or dying. */
  public boolean isRunning() {
    return pauseCount == 0 && shutdownReason == null && !dying;
  }

  public void pause() {
    pauseCount++;
    vcpus.forEach(v -> v.cpu().requestAttention());
  }

  public void unpause() {
    if (pauseCount <= 0) {
      throw new IllegalStateException(this + " is not paused");
    }
    pauseCount--;
    vcpus.forEach(hypervisor.scheduler()::wake);
  }

  public boolean isPaused() {
    return pauseCount > 0;
  }

  /** Stops all vcpus for good (or until {@link #resume}); the first reason stays. */
  public void shutdown(ShutdownReason reason) {
    if (shutdownReason != null) {
      return;
    }
    ShutdownReason code = shutdownCode;
    shutdownReason = code != null ? code : reason;
    vcpus.forEach(v -> v.cpu().requestAttention());
    Vcpu running = hypervisor.scheduler().current();
    if (running != null && running.domain() == this) {
      running.cpu().stop();
    }
    hypervisor.listener().shutDown(this);
  }

  /** A fully virtualised vcpu has halted for good; the last one powers the domain off. */
  public void halted(Vcpu v) {
    for (Vcpu other : vcpus) {
      if (other != v && !other.state.down) {
        v.down();
        return;
      }
    }
    shutdown(ShutdownReason.POWEROFF);
  }

  /** SCHEDOP_shutdown_code: the reason that a later shutdown will have. */
  void shutdownCode(ShutdownReason reason) {
    if (shutdownCode == null) {
      shutdownCode = reason;
    }
  }

  /** The guest did what cannot be run on. */
  public void crash(Vcpu v, String reason) {
    if (shutdownReason == null) {
      crashReason = v + ": " + reason;
      shutdownCode = null;
      shutdown(ShutdownReason.CRASH);
    }
  }

  /** Why it shut down, or null while it has not. */
  public @Nullable ShutdownReason shutdownReason() {
    return shutdownReason;
  }

  /** What it crashed of, with registers; null unless the hypervisor crashed it. */
  public @Nullable String crashReason() {
    return crashReason;
  }

  /** Lets a suspended domain go on. */
  public void resume() {
    shutdownReason = null;
    shutdownCode = null;
    vcpus.forEach(hypervisor.scheduler()::wake);
  }

  /** Ends everything that it has with others; {@link Hypervisor#destroyDomain} frees the rest. */
  void kill() {
    dying = true;
    for (int i = 0; i < WATCHDOGS; i++) {
      watchdogs[i].stop();
    }
    for (Vcpu v : vcpus) {
      v.cpu().requestAttention();
      v.time().stopAll();
    }
    events.destroy();
    grants.destroy();
  }

  /** {@link Hypervisor#destroyDomain} has begun. */
  public boolean isDying() {
    return dying;
  }

  // --- watchdogs ---

  private void watchdogFired() {
    shutdown(ShutdownReason.WATCHDOG);
  }

  /**
   * SCHEDOP_watchdog: starts (id 0), sets again or stops (timeout 0) one of two timers; the id or
   * 0.
   */
  long watchdog(long number, long timeoutSeconds) {
    if (number > WATCHDOGS) {
      throw new XenError(parhelion.abi.Errno.EINVAL);
    }
    long at = hypervisor.clock().systemNanos() + timeoutSeconds * 1_000_000_000L;
    if (number == 0) {
      for (int i = 0; i < WATCHDOGS; i++) {
        if (!watchdogInUse[i]) {
          watchdogInUse[i] = true;
          watchdogs[i].set(at);
          return i + 1;
        }
      }
      throw new XenError(parhelion.abi.Errno.ENOSPC);
    }
    int i = (int) number - 1;
    if (!watchdogInUse[i]) {
      throw new XenError(parhelion.abi.Errno.EINVAL);
    }
    if (timeoutSeconds == 0) {
      watchdogs[i].stop();
      watchdogInUse[i] = false;
    } else {
      watchdogs[i].set(at);
    }
    return 0;
  }

  // --- debug console ---

  /** Bytes of {@code console_io}: lines go to the listener, as on a Xen with guest logging on. */
  void debugOutput(byte[] bytes) {
    for (byte b : bytes) {
      if (b == '\n') {
        hypervisor.listener().debugLine(this, debugLine.toString());
        debugLine.setLength(0);
      } else if ((b >= 32 && b < 127) || b == '\t') {
        debugLine.append((char) b);
        if (debugLine.length() >= 1024) {
          hypervisor.listener().debugLine(this, debugLine.toString());
          debugLine.setLength(0);
        }
      }
    }
  }

  @Override
  public String toString() {
    return "d" + id;
  }
}
