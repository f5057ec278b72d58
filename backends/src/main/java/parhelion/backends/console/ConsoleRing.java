package parhelion.backends.console;

import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import parhelion.abi.XenConsoleState;
import parhelion.abi.XenconsInterface;
import parhelion.backends.Agent;
import parhelion.backends.Port;
import parhelion.backends.RingMemory;

/**
 * The host's side of a guest's console: {@code struct xencons_interface}, 1024 bytes of input and
 * 2048 of output, and an event channel.
 *
 * <p>Output is drained whenever the guest raises its event, without its waiting for the host's
 * terminal: some guests spin until the ring is empty. What the sink does not take stays in the
 * ring; nothing else is buffered, so a flooding guest costs no memory. Input waits in a buffer of
 * fixed size until the guest makes room in the ring. As in Xen's consoled, a ring whose indexes are
 * impossible is left alone until they are possible again.
 *
 * <p>The guest is told of room in the output ring only when that was half full, so that it may be
 * waiting for it; and of input also when it has left some, as Linux does, which takes 16 bytes an
 * interrupt.
 *
 * <p>{@link #signal} and the input methods may be called by any thread; the ring itself is touched
 * by the thread that runs the agent.
 */
public final class ConsoleRing implements ConsoleInput, Agent, AutoCloseable {
  private static final int IN = XenconsInterface.IN.offset();
  private static final int OUT = XenconsInterface.OUT.offset();
  private static final int IN_CONS = XenconsInterface.IN_CONS.offset();
  private static final int IN_PROD = XenconsInterface.IN_PROD.offset();
  private static final int OUT_CONS = XenconsInterface.OUT_CONS.offset();
  private static final int OUT_PROD = XenconsInterface.OUT_PROD.offset();
  private static final int IN_BYTES = XenconsInterface.IN.size();
  private static final int OUT_BYTES = XenconsInterface.OUT.size();

  /** Input that waits for the guest, in bytes; more is refused or makes the feeder wait. */
  public static final int INPUT_BUFFER_BYTES = 16384;

  /** How often the output ring is emptied in one turn of the agent. */
  private static final int ROUNDS = 8;

  private final RingMemory memory;
  private final Port port;
  private final ConsoleSink sink;
  private final byte[] chunk = new byte[OUT_BYTES];
  private final AtomicBoolean pending = new AtomicBoolean(true);
  private volatile Runnable wake = () -> {};

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition roomForInput = lock.newCondition();
  private final byte[] input = new byte[INPUT_BUFFER_BYTES];
  private int inputStart;
  private int inputFilled;
  private boolean closed;

  /**
   * Connects to a guest's console.
   *
   * @param memory the ring page; closed with the console
   * @param port the event channel; closed with the console
   * @param sink what takes the output; closed with the console
   */
  public ConsoleRing(RingMemory memory, Port port, ConsoleSink sink) {
    this.memory = memory;
    this.port = port;
    this.sink = sink;
    setConnection(XenConsoleState.CONNECTED);
    sink.whenRoom(this::signal);
  }

  /**
   * Tells that the guest raised its event. To be called by the hypervisor on the guest's {@code
   * EVTCHNOP_send}; returns at once and takes no lock.
   */
  public void signal() {
    pending.set(true);
    wake.run();
  }

  @Override
  public void wakeWith(Runnable wake) {
    this.wake = wake;
  }

  @Override
  public boolean runPending() {
    if (!pending.getAndSet(false)) {
      return false;
    }
    boolean moved;
    lock.lock();
    try {
      if (closed) {
        return false;
      }
      moved = moveOutput();
      moved |= moveInput();
      moved |= inputWaits();
    } finally {
      lock.unlock();
    }
    if (moved) {
      port.notifyGuest();
    }
    return true;
  }

  private void setConnection(int state) {
    memory.write(XenconsInterface.CONNECTION.offset(), new byte[] {(byte) state}, 0, 1);
  }

  private boolean moveOutput() {
    boolean moved = false;
    for (int round = 0; round < ROUNDS; round++) {
      int cons = memory.loadAcquire(OUT_CONS);
      int available = memory.loadAcquire(OUT_PROD) - cons;
      if (available == 0 || Integer.compareUnsigned(available, OUT_BYTES) > 0) {
        return moved;
      }
      int at = cons & (OUT_BYTES - 1);
      int first = Math.min(available, OUT_BYTES - at);
      memory.read(OUT + at, chunk, 0, first);
      memory.read(OUT, chunk, first, available - first);
      int taken = Math.clamp(sink.accept(chunk, 0, available), 0, available);
      memory.storeRelease(OUT_CONS, cons + taken);
      moved |= taken > 0 && available >= OUT_BYTES / 2;
      if (taken < available) {
        return moved;
      }
    }
    pending.set(true); // the guest keeps writing: go on when the others have had their turn
    return moved;
  }

  /** Whether the guest has left input in the ring: it is told again, as it has asked for a turn. */
  private boolean inputWaits() {
    int used = memory.loadAcquire(IN_PROD) - memory.loadAcquire(IN_CONS);
    return used != 0 && Integer.compareUnsigned(used, IN_BYTES) <= 0;
  }

  private boolean moveInput() {
    int cons = memory.loadAcquire(IN_CONS);
    int prod = memory.loadAcquire(IN_PROD);
    int used = prod - cons;
    if (inputFilled == 0 || Integer.compareUnsigned(used, IN_BYTES) > 0) {
      return false;
    }
    int count = Math.min(inputFilled, IN_BYTES - used);
    for (int done = 0; done < count; ) {
      int at = (prod + done) & (IN_BYTES - 1);
      int run = Math.min(count - done, IN_BYTES - at);
      run = Math.min(run, input.length - inputStart);
      memory.write(IN + at, input, inputStart, run);
      inputStart = (inputStart + run) % input.length;
      done += run;
    }
    inputFilled -= count;
    memory.storeRelease(IN_PROD, prod + count);
    roomForInput.signalAll();
    return count > 0;
  }

  /**
   * Gives input to the guest, as much as the buffer takes.
   *
   * @return how many bytes were taken, from the front; 0 also once the console is closed
   */
  public int offer(byte[] bytes, int offset, int length) {
    int count;
    lock.lock();
    try {
      if (closed) {
        return 0;
      }
      count = Math.min(length, input.length - inputFilled);
      int at = (inputStart + inputFilled) % input.length;
      int first = Math.min(count, input.length - at);
      System.arraycopy(bytes, offset, input, at, first);
      System.arraycopy(bytes, offset + first, input, 0, count - first);
      inputFilled += count;
    } finally {
      lock.unlock();
    }
    signal();
    return count;
  }

  /**
   * Gives input to the guest and waits while the buffer is full, as a thread that reads a terminal
   * wants it. Returns early if the console is closed.
   */
  @Override
  public void feed(byte[] bytes, int offset, int length) throws InterruptedException {
    int done = offer(bytes, offset, length);
    while (done < length) {
      lock.lockInterruptibly();
      try {
        while (inputFilled == input.length && !closed) {
          roomForInput.await();
        }
        if (closed) {
          return;
        }
      } finally {
        lock.unlock();
      }
      done += offer(bytes, offset + done, length - done);
    }
  }

  /** Input that the guest has not taken into its ring yet. */
  public int waitingInputBytes() {
    lock.lock();
    try {
      return inputFilled;
    } finally {
      lock.unlock();
    }
  }

  /**
   * What is saved of a console: input that waits. The ring itself is guest memory. To restore,
   * offer that input to a new console.
   */
  public record ConsoleState(byte[] waitingInput) {}

  public ConsoleState save() {
    lock.lock();
    try {
      byte[] waiting = new byte[inputFilled];
      int first = Math.min(inputFilled, input.length - inputStart);
      System.arraycopy(input, inputStart, waiting, 0, first);
      System.arraycopy(input, 0, waiting, first, inputFilled - first);
      return new ConsoleState(waiting);
    } finally {
      lock.unlock();
    }
  }

  /** Takes a last look at the output ring, then lets go of page, port and sink. */
  @Override
  public void close() {
    lock.lock();
    try {
      if (closed) {
        return;
      }
      moveOutput();
      closed = true;
      setConnection(XenConsoleState.DISCONNECTED);
      roomForInput.signalAll();
    } finally {
      lock.unlock();
    }
    port.close();
    memory.close();
    sink.close();
  }

  @Override
  public String toString() {
    return "console";
  }
}
