package parhelion.toolstack.link;

import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import parhelion.backends.Agent;
import parhelion.xen.Hypervisor;

/**
 * Runs backends on the scheduler's thread, between slices, whenever they have work. Guests and
 * backends then never run at the same time, and under a virtual clock every run is repeatable.
 */
public final class SchedulerAgents {
  private final Hypervisor hypervisor;
  private final List<Agent> agents;
  private final AtomicBoolean posted = new AtomicBoolean();

  private SchedulerAgents(Hypervisor hypervisor, List<Agent> agents) {
    this.hypervisor = hypervisor;
    this.agents = agents;
  }

  /** From now on, {@code agents} are run by the thread that runs {@code hypervisor}. */
  public static void attach(Hypervisor hypervisor, Agent... agents) {
    SchedulerAgents attached = new SchedulerAgents(hypervisor, List.of(agents));
    for (Agent agent : attached.agents) {
      agent.wakeWith(attached::wake);
    }
    attached.wake();
  }

  private void wake() {
    if (posted.compareAndSet(false, true)) {
      hypervisor.post(this::turn);
    }
  }

  private void turn() {
    posted.set(false);
    boolean any = false;
    for (Agent agent : agents) {
      any |= agent.runPending();
    }
    if (any) {
      wake();
    }
  }
}
