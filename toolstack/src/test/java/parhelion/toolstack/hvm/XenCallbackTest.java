package parhelion.toolstack.hvm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import parhelion.abi.Errno;
import parhelion.abi.EvtchnArgs.EvtchnBindIpi;
import parhelion.abi.EvtchnOp;
import parhelion.abi.HvmArgs.XenHvmEvtchnUpcallVector;
import parhelion.abi.HvmArgs.XenHvmParam;
import parhelion.abi.HvmOp;
import parhelion.abi.HvmParam;
import parhelion.abi.Hypercall;
import parhelion.cpu.CpuState;
import parhelion.pc.PcConfig;
import parhelion.pc.PcMachine;
import parhelion.pc.PcVcpu;
import parhelion.pc.interrupt.IoApic;
import parhelion.pc.interrupt.LocalApic;
import parhelion.pc.pci.PirqRouter;
import parhelion.toolstack.device.PcDevices;
import parhelion.xen.Hypervisor;
import parhelion.xen.Vcpu;

/**
 * How a full guest is told of events: by a vector, its local APIC, an interrupt line or a PCI pin.
 */
@Timeout(value = 2, unit = TimeUnit.MINUTES)
final class XenCallbackTest extends XenUnderPcFixture {
  private long upcallVector(long vcpu, int vector) {
    XenHvmEvtchnUpcallVector.VCPU.put(guest, ARGS, vcpu);
    XenHvmEvtchnUpcallVector.VECTOR.put(guest, ARGS, vector);
    return call(Hypercall.HVM_OP, HvmOp.SET_EVTCHN_UPCALL_VECTOR.nr(), ARGS);
  }

  @Test
  void anEventInterruptsByTheCallbackOrThroughTheLocalApic() {
    PcVcpu first = machine.vcpus().get(0);
    assertEquals(0, param(HvmOp.SET_PARAM, 0x7ff0, HvmParam.CALLBACK_IRQ, 2L << 56 | 0xf3));
    XenInterface offered = new XenInterface(domain, v.hvm(), new XenMachine(machine, null));
    assertEquals(-1, offered.waitingVector(first));
    EvtchnBindIpi.VCPU.put(guest, ARGS, 0);
    assertEquals(0, call(Hypercall.EVENT_CHANNEL_OP, EvtchnOp.BIND_IPI.nr(), ARGS));
    long port = EvtchnBindIpi.PORT.get(guest, ARGS);
    guest.putInt(ARGS, (int) port);
    assertEquals(0, call(Hypercall.EVENT_CHANNEL_OP, EvtchnOp.SEND.nr(), ARGS));
    assertEquals(0xf3, offered.waitingVector(first));
    assertEquals(1, memory.getByte(v.state.vcpuInfoPa));
    memory.putByte(v.state.vcpuInfoPa, (byte) 0);
    assertEquals(-1, offered.waitingVector(first));
    // The way of later guests, which ends with an EOI.
    first.apic().write(0xf0, 0x1ff);
    assertEquals(0, upcallVector(0, 0x40));
    v.markEventsPending();
    assertEquals(-1, offered.waitingVector(first));
    assertTrue(first.apic().hasInterrupt());
    assertEquals(0x40, first.apic().acknowledge());
    assertEquals(error(Errno.ENOENT), upcallVector(2, 0x40));
    assertEquals(error(Errno.EINVAL), upcallVector(0, 15));
  }

  private void entry(int pin, long value) {
    entry(machine, pin, value);
  }

  private static void entry(PcMachine pc, int pin, long value) {
    IoApic ioApic = pc.interrupts().ioApic();
    ioApic.write(0, 4, 0x10 + 2 * pin);
    ioApic.write(0x10, 4, value);
  }

  private void seen() {
    memory.putByte(v.state.vcpuInfoPa, (byte) 0);
  }

  @Test
  void anEventRaisesALineUntilTheGuestHasSeenIt() {
    LocalApic apic = machine.vcpus().getFirst().apic();
    apic.write(0xf0, 0x1ff);
    entry(20, 0x8000 | 0x51); // level-triggered
    assertEquals(0, param(HvmOp.SET_PARAM, 0x7ff0, HvmParam.CALLBACK_IRQ, 20));
    assertFalse(apic.hasInterrupt());
    domain.vcpus().get(1).markEventsPending(); // only the first vcpu's count
    assertFalse(apic.hasInterrupt());
    v.markEventsPending();
    assertEquals(0x51, apic.acknowledge());
    apic.write(0xb0, 0);
    assertEquals(0x51, apic.acknowledge()); // not seen, so it still asks
    seen();
    apic.write(0xb0, 0);
    assertFalse(apic.hasInterrupt());
    v.markEventsPending();
    assertEquals(0x51, apic.acknowledge());
    seen();
    v.markEventsPending(); // another before the end of the interrupt
    assertFalse(apic.hasInterrupt());
    apic.write(0xb0, 0);
    assertEquals(0x51, apic.acknowledge());
    // Another line, while this one is raised.
    entry(21, 0x8000 | 0x52);
    assertEquals(0, param(HvmOp.SET_PARAM, 0x7ff0, HvmParam.CALLBACK_IRQ, 21));
    apic.write(0xb0, 0);
    assertEquals(0x52, apic.acknowledge());
    assertEquals(0, param(HvmOp.SET_PARAM, 0x7ff0, HvmParam.CALLBACK_IRQ, 0));
    apic.write(0xb0, 0);
    assertFalse(apic.hasInterrupt());
  }

  @Test
  void anEdgeTriggeredLineHasAnEdgeForEachTimeThatEventsCome() {
    LocalApic apic = machine.vcpus().getFirst().apic();
    apic.write(0xf0, 0x1ff);
    entry(5, 0x53);
    assertEquals(0, param(HvmOp.SET_PARAM, 0x7ff0, HvmParam.CALLBACK_IRQ, 5));
    for (int round = 0; round < 3; round++) {
      v.markEventsPending();
      assertEquals(0x53, apic.acknowledge());
      seen();
      apic.write(0xb0, 0);
      assertFalse(apic.hasInterrupt());
    }
  }

  @Test
  void anEventRaisesTheWireOfAPciPin() {
    try (PcMachine pc = machine(PcConfig.BoardKind.PC);
        PcDevices devices = new PcDevices(pc, () -> {});
        XenUnderPc under = under(pc, devices)) {
      Vcpu first = under.domain().vcpus().getFirst();
      LocalApic apic = pc.vcpus().getFirst().apic();
      apic.write(0xf0, 0x1ff);
      for (int pin = 0; pin < IoApic.PINS; pin++) {
        entry(pc, pin, 0x8000 | 0x40 + pin);
      }
      first.cpu().put64(CpuState.CR0, 0x11);
      first.cpu().stateChanged();
      XenHvmParam.DOMID.put(first.guest(), ARGS, 0x7ff0);
      XenHvmParam.INDEX.put(first.guest(), ARGS, HvmParam.CALLBACK_IRQ);
      for (int device = 0; device < 32; device++) {
        for (int pin = 0; pin < 4; pin++) {
          XenHvmParam.VALUE.put(first.guest(), ARGS, 1L << 56 | device << 11 | pin);
          long set = HvmOp.SET_PARAM.nr();
          Hypervisor xen = under.hypervisor();
          assertEquals(0, xen.hypercalls().call(first, Hypercall.HVM_OP.nr(), set, ARGS, 0, 0, 0));
          first.markEventsPending();
          int gsi = PirqRouter.FIRST_GSI + PirqRouter.wireOf(device, pin + 1);
          assertEquals(0x40 + gsi, apic.acknowledge());
          pc.ram().machine().putByte(first.state.vcpuInfoPa, (byte) 0);
          apic.write(0xb0, 0);
          assertFalse(apic.hasInterrupt());
        }
      }
    }
  }

  @Test
  void callbacksThatNameNoLineOfTheMachineDoNothing() {
    LocalApic apic = machine.vcpus().getFirst().apic();
    apic.write(0xf0, 0x1ff);
    for (int pin = 0; pin < IoApic.PINS; pin++) {
      entry(pin, 0x8000 | 0x40 + pin);
    }
    // A line too high, a pin on a machine without PCI, a type that is none, a vector that is none.
    for (long via : new long[] {24, 255, 1L << 56 | 3 << 11, 3L << 56 | 5, -1, 2L << 56 | 15}) {
      assertEquals(0, param(HvmOp.SET_PARAM, 0x7ff0, HvmParam.CALLBACK_IRQ, via));
      v.markEventsPending();
      assertFalse(apic.hasInterrupt(), Long.toHexString(via));
      seen();
    }
  }
}
