package parhelion.cpu.interp;

import static parhelion.cpu.memory.Host.U;

import org.jspecify.annotations.Nullable;
import parhelion.cpu.Breakpoints;
import parhelion.cpu.Cpu;
import parhelion.cpu.CpuState;
import parhelion.cpu.GuestFault;
import parhelion.cpu.Rflags;
import parhelion.cpu.rewrite.Rewriter;

/**
 * The interpreter's run loop: finds or decodes the block at RIP, executes its ops, follows
 * remembered successors. Faults come out of an op as {@link GuestFault} with nothing of that
 * instruction committed; the position in the block gives RIP, so that no op has to maintain it.
 */
public final class Interpreter {
  private static final int CACHE = 4096;

  private final Cpu c;
  private final long state;
  private final BlockDecoder decoder;
  private final @Nullable Block[] cacheBlock = new Block[CACHE];
  private final long[] cacheRip = new long[CACHE];
  private final long[] cacheEpoch = new long[CACHE];

  /** Length of the block that is being executed; 0 once its last instruction is done for. */
  private int runningInstructions;

  public Interpreter(Cpu cpu) {
    c = cpu;
    state = cpu.state;
    decoder = new BlockDecoder(cpu);
  }

  /** Runs until {@link Cpu#runEnd} is reached or the CPU was stopped. */
  public void run() {
    while (!c.isStopped() && c.retired < c.runEnd()) {
      if (c.attentionRequested() && !c.interruptShadow) {
        c.clearAttention();
        leaveBlock();
        c.monitor.attend(c);
        continue;
      }
      try {
        if (c.isSlow()) {
          step();
        } else {
          runBlocks();
        }
      } catch (GuestFault f) {
        // Raised by the fetch: RIP is at the instruction that cannot be fetched.
        leaveBlock();
        c.monitor.exception(c, f.vector, f.errorCode, f.cr2);
      }
    }
  }

  /**
   * Runs the one instruction at RIP, its fault included; interrupts are not looked at. For
   * debuggers, traces and tests.
   */
  public void runOne() {
    try {
      step();
    } catch (GuestFault f) {
      c.monitor.exception(c, f.vector, f.errorCode, f.cr2);
    }
  }

  /** Runs the block at RIP, its fault included; raises the fault of the fetch. */
  public void runBlock() {
    execute(lookup(c.rip()), c.rip());
  }

  /** The instruction at RIP, to be executed by {@link #executeSingle} as often as wanted. */
  public Block decodeSingle() {
    return decoder.single(c.rip());
  }

  /** Executes an instruction that stands at {@code rip}; false when it faulted. */
  public boolean executeSingle(Block single, long rip) {
    return execute(single, rip);
  }

  private void runBlocks() {
    Rewriter rewriter = c.rewriter();
    if (rewriter != null) {
      rewriter.run();
      return;
    }
    long start = c.rip();
    Block b = lookup(start);
    while (execute(b, start) && c.retired < c.runEnd() && !c.mustLeaveBlocks()) {
      long rip = U.getLong(state + CpuState.RIP);
      Block n = b.link0;
      // The frequent case: the successor found last time, in the same page.
      if (n == null || !n.valid || b.epoch0 != 0 || b.key0 != rip - start) {
        n = next(b, start, rip);
      }
      b = n;
      start = rip;
    }
  }

  /**
   * Executes a block; false when it ended in a fault, which has been delivered, and the successor
   * must be looked up afresh.
   */
  private boolean execute(Block b, long start) {
    runningInstructions = b.instructions;
    Op[] ops = b.ops;
    U.putLong(state + CpuState.RIP_BASE, start);
    U.putLong(state + CpuState.RIP, start + b.lengthBytes);
    int i = 0;
    try {
      for (; i < ops.length; i++) {
        ops[i].exec(c);
      }
    } catch (GuestFault f) {
      faulted(b, start, i, f);
      return false;
    } catch (CodeModified e) {
      c.retired += b.before[i];
      c.rip(start + b.offsets[i]);
      stepOne();
      return false;
    }
    c.retired += b.instructions;
    return true;
  }

  private void faulted(Block b, long start, int i, GuestFault f) {
    c.retired += b.before[i];
    leaveBlock();
    long rip = start + b.offsets[i];
    c.rip(rip);
    int vector = f.vector;
    int errorCode = f.errorCode;
    long cr2 = f.cr2;
    if (vector == GuestFault.GP && errorCode == 0 && decoder.isStackAccess(rip)) {
      vector = GuestFault.SS;
    }
    c.monitor.exception(c, vector, errorCode, cr2);
  }

  private Block next(Block b, long start, long rip) {
    if (b.changesMode) {
      return lookup(rip);
    }
    long delta = rip - start;
    long epoch = c.tlbEpoch();
    Block n = b.link0;
    if (n != null && n.valid) {
      if (b.epoch0 == 0 ? b.key0 == delta : b.epoch0 == epoch && b.key0 == rip) {
        return n;
      }
    }
    n = b.link1;
    if (n != null && n.valid) {
      if (b.epoch1 == 0 ? b.key1 == delta : b.epoch1 == epoch && b.key1 == rip) {
        return n;
      }
    }
    n = lookup(rip);
    if (b.valid) {
      link(b, n, start, rip, c.codeBits == 64, epoch);
    }
    return n;
  }

  /**
   * Remembers a successor: within a page for good, where no code segment has a base or a limit;
   * else as long as nothing changes that leads from an offset to a frame.
   */
  private static void link(Block b, Block n, long start, long rip, boolean flat, long epoch) {
    boolean samePage = flat && ((start ^ rip) & -4096L) == 0 && n.secondPa < 0 && b.secondPa < 0;
    long key = samePage ? rip - start : rip;
    long keyEpoch = samePage ? 0 : epoch;
    Block link0 = b.link0;
    boolean replaceFirst =
        link0 == null || !link0.valid || (b.key0 == key) || (b.epoch0 != 0 && b.epoch0 != epoch);
    if (replaceFirst) {
      b.link0 = n;
      b.key0 = key;
      b.epoch0 = keyEpoch;
    } else {
      b.link1 = n;
      b.key1 = key;
      b.epoch1 = keyEpoch;
    }
  }

  private Block lookup(long rip) {
    int i = (int) (rip ^ (rip >>> 12)) & (CACHE - 1);
    Block b = cacheBlock[i];
    long epoch = c.tlbEpoch();
    if (b != null
        && cacheRip[i] == rip
        && cacheEpoch[i] == epoch
        && b.valid
        && b.mode == c.modeKey) {
      return b;
    }
    b = decoder.blockAt(rip);
    cacheBlock[i] = b;
    cacheRip[i] = rip;
    cacheEpoch[i] = c.tlbEpoch();
    return b;
  }

  /**
   * One instruction with everything that single stepping, breakpoints and interrupt shadows ask
   * for.
   */
  private void step() {
    boolean shadow = c.interruptShadow;
    long flags = c.get64(CpuState.RFLAGS);
    if (!shadow && (flags & Rflags.RF) == 0 && Breakpoints.hitsExecution(c)) {
      c.monitor.exception(c, GuestFault.DB, 0, 0);
      return;
    }
    c.interruptShadow = false;
    c.pendingDebug = 0;
    c.stepTrapSuppressed = false;
    // RF lasts for one instruction; an IRET or POPF may set it anew.
    c.put64(CpuState.RFLAGS, flags & ~Rflags.RF);
    boolean completed = stepOne();
    if (completed) {
      int debug =
          c.pendingDebug | ((flags & Rflags.TF) != 0 && !c.stepTrapSuppressed ? 1 << 14 : 0);
      if (debug != 0 && !c.interruptShadow) {
        c.put64(CpuState.DR6, c.get64(CpuState.DR6) | debug);
        c.updateSlow();
        c.monitor.exception(c, GuestFault.DB, 0, 0);
      }
    }
    c.updateSlow();
  }

  /** Executes the instruction at RIP from a block of its own; false when it faulted. */
  private boolean stepOne() {
    Block b = decoder.single(c.rip());
    return execute(b, c.rip());
  }

  /**
   * Says that what is stored from here on is no longer the running block's: an entry into a handler
   * writes its frame, and must not have the last instruction executed again, wherever the stack is.
   * For monitors, whose entries are made by instructions that end blocks.
   */
  public void leaveBlock() {
    runningInstructions = 0;
  }

  /**
   * The running instruction is about to store to decoded code: the rest of its block may be what
   * changes.
   */
  void afterInvalidation() {
    if (runningInstructions > 1) {
      throw CodeModified.INSTANCE;
    }
  }
}
