package parhelion.xen;

/**
 * Host time for statistics. Reading the host's clock costs as much as a short hypercall, so it can
 * be stopped where nobody will look: then all times are 0.
 */
public final class Stopwatch {
  private boolean stopped;

  /** Stops measuring, or goes on. Before the hypervisor runs, or on its thread. */
  public void stop(boolean stop) {
    stopped = stop;
  }

  /** {@link System#nanoTime}, or 0 when stopped. */
  public long now() {
    return stopped ? 0 : System.nanoTime();
  }
}
