/**
 * Virtio devices on the emulated PC's PCI bus: the paravirtual alternative to emulated hardware, as
 * guests of KVM know it.
 *
 * <p>{@link parhelion.pc.virtio.VirtioPci} is the transport, {@link parhelion.pc.virtio.Virtqueue}
 * a queue, {@link parhelion.pc.virtio.VirtioDevice} what a device adds to them. A driver that
 * breaks the rules (a loop of descriptors, an address that is no RAM, an index that has run away)
 * makes its device ask for a reset, and nothing else.
 *
 * <p>Source: OASIS Virtual I/O Device (VIRTIO) 1.2. Modern devices only. Everything runs on the
 * machine's thread.
 */
@NullMarked
package parhelion.pc.virtio;

import org.jspecify.annotations.NullMarked;
