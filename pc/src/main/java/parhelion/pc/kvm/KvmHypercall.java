package parhelion.pc.kvm;

import org.jspecify.annotations.Nullable;

/** KVM's hypercalls (Documentation/virt/kvm/x86/hypercalls.rst) that are answered here. */
enum KvmHypercall {
  VAPIC_POLL_IRQ(1),
  KICK_CPU(5),
  SEND_IPI(10),
  SCHED_YIELD(11);

  private final int number;

  KvmHypercall(int number) {
    this.number = number;
  }

  static @Nullable KvmHypercall of(long number) {
    for (KvmHypercall call : values()) {
      if (call.number == number) {
        return call;
      }
    }
    return null;
  }

  /** As Linux's headers call it. */
  String title() {
    return "KVM_HC_" + name();
  }
}
