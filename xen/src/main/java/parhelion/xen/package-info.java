/**
 * The hypervisor: domains, virtual CPUs, hypercalls, event channels, grant tables, direct paging,
 * traps and time, answered the way Xen answers a 64-bit paravirtual guest.
 *
 * <p>How parts plug in: a hypercall is a method {@code long name(Vcpu v, long a1 .. a5)} that
 * returns {@code rax} or throws {@link parhelion.xen.XenError}; its row stands in {@link
 * parhelion.xen.Hypercalls}. Arguments in guest memory are copied once through {@link
 * parhelion.xen.Vcpu#guest} ({@code EvtchnSend.read(v.guest().in(va, EvtchnSend.STRUCT), 0)});
 * machine memory is reached through {@link parhelion.xen.Hypervisor#memory}. Long loops ask {@link
 * parhelion.xen.Vcpu#shouldYield} and throw {@link parhelion.xen.Vcpu#continueHypercall}. What a
 * vcpu keeps is in {@link parhelion.xen.VcpuState}, nothing else is saved.
 *
 * <p>One thread (the scheduler's) runs all vcpus and so all hypercalls: no locks. Others hand it
 * work by {@code Hypervisor.post}.
 *
 * <p>Read {@link parhelion.xen.Hypervisor}, {@link parhelion.xen.XenMonitor}, {@link
 * parhelion.xen.Hypercalls} in that order.
 */
@NullMarked
package parhelion.xen;

import org.jspecify.annotations.NullMarked;
