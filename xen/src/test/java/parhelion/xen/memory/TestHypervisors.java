package parhelion.xen.memory;

import parhelion.cpu.memory.MachineMemory;
import parhelion.xen.DomainConfig;
import parhelion.xen.Hypervisor;
import parhelion.xen.VirtualClock;

/** Hypervisors for tests of memory: nothing in them ever runs. */
final class TestHypervisors {
  private TestHypervisors() {}

  static Hypervisor make(MachineMemory memory) {
    return new Hypervisor(memory, new VirtualClock(0));
  }

  static DomainConfig config(int vcpus, long maxPages, boolean privileged) {
    return new DomainConfig(vcpus, maxPages, privileged);
  }
}
