package parhelion.process;

import static parhelion.cpu.CpuState.*;

import org.jspecify.annotations.Nullable;
import parhelion.cpu.Cpu;

/** From the number in RAX to the result in RAX. Under the kernel's lock. */
final class Dispatcher {
  /** A handler's result: the registers are as they are to be. */
  static final long REGISTERS_SET = Long.MIN_VALUE;

  private static final int R10_ = R10;

  private Dispatcher() {}

  static void call(Task task, long number) {
    Cpu c = task.cpu;
    long[] arguments = {
      c.get64(RDI), c.get64(RSI), c.get64(RDX), c.get64(R10_), c.get64(R8), c.get64(R9)
    };
    Kernel kernel = task.kernel;
    Syscall call = Syscall.of(number);
    Strace trace = kernel.strace;
    @Nullable String decoded = trace == null ? null : trace.before(task, call, number, arguments);
    kernel.calling = task;
    long start = System.nanoTime();
    long result;
    boolean ended = true;
    try {
      result =
          call == null
              ? -Errno.ENOSYS
              : call.handler.call(
                  task,
                  arguments[0],
                  arguments[1],
                  arguments[2],
                  arguments[3],
                  arguments[4],
                  arguments[5]);
      ended = false;
    } catch (LinuxError e) {
      result = -e.errno;
      ended = false;
    } finally {
      if (ended && trace != null && decoded != null) {
        trace.after(task, call, arguments, decoded, REGISTERS_SET);
      }
    }
    long took = System.nanoTime() - start;
    task.callNanos += took;
    kernel.stats.called(number, result < 0 && result != REGISTERS_SET, took);
    if (trace != null && decoded != null) {
      trace.after(task, call, arguments, decoded, result);
    }
    if (result == REGISTERS_SET) {
      return;
    }
    if (result == -Errno.ERESTARTSYS || result == -Errno.ERESTARTNOHAND) {
      task.restart = (int) -result;
      task.restartNumber = number;
      result = -Errno.EINTR;
    }
    c.put64(RAX, result);
  }
}
