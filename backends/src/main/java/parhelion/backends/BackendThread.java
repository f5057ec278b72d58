package parhelion.backends;

import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicBoolean;

/** A daemon thread that runs agents whenever one of them has work, and uses no CPU otherwise. */
public final class BackendThread implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger(BackendThread.class.getName());

  private final List<Agent> agents;
  private final AtomicBoolean signalled = new AtomicBoolean();
  private final Semaphore work = new Semaphore(0);
  private final Thread thread;
  private volatile boolean closed;

  private BackendThread(String name, List<Agent> agents) {
    this.agents = agents;
    thread = Thread.ofPlatform().daemon().name(name).unstarted(this::loop);
  }

  /** Starts a thread called {@code name} that runs {@code agents} until it is closed. */
  public static BackendThread start(String name, Agent... agents) {
    BackendThread backend = new BackendThread(name, List.of(agents));
    for (Agent agent : backend.agents) {
      agent.wakeWith(backend::wake);
    }
    backend.thread.start();
    backend.wake();
    return backend;
  }

  private void wake() {
    if (signalled.compareAndSet(false, true)) {
      work.release();
    }
  }

  private void loop() {
    while (!closed) {
      work.acquireUninterruptibly();
      signalled.set(false);
      boolean any = true;
      while (any && !closed) {
        any = false;
        for (Agent agent : agents) {
          any |= runOnce(agent);
        }
      }
    }
  }

  /** A bug in one agent must be seen, but must not take the other guests' devices with it. */
  private static boolean runOnce(Agent agent) {
    try {
      return agent.runPending();
    } catch (RuntimeException bug) {
      LOG.log(System.Logger.Level.ERROR, "backend " + agent + " failed", bug);
      return false;
    }
  }

  /** Stops the thread and waits for it; pending work is left undone. */
  @Override
  public void close() {
    closed = true;
    wake();
    if (Thread.currentThread() == thread) {
      return;
    }
    boolean interrupted = false;
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
