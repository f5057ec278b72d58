package parhelion.toolstack.hvm;

import java.time.Instant;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import parhelion.abi.Errno;
import parhelion.abi.HvmArgs.XenHvmParam;
import parhelion.abi.HvmOp;
import parhelion.abi.Hypercall;
import parhelion.abi.MemoryArgs.XenAddToPhysmap;
import parhelion.abi.MemoryArgs.XenRemoveFromPhysmap;
import parhelion.abi.MemoryOp;
import parhelion.backends.console.ConsoleSink;
import parhelion.cpu.CpuModel;
import parhelion.cpu.CpuState;
import parhelion.cpu.Engine;
import parhelion.cpu.memory.MachineMemory;
import parhelion.pc.PcConfig;
import parhelion.pc.PcMachine;
import parhelion.pc.PcVcpu;
import parhelion.pc.time.CountedClock;
import parhelion.toolstack.device.PcDevices;
import parhelion.toolstack.link.DomainServices;
import parhelion.xen.Domain;
import parhelion.xen.GuestAccess;
import parhelion.xen.Vcpu;

/**
 * A machine with Xen's interface and no guest that uses it: processors do not page, so all is
 * physical.
 */
abstract class XenUnderPcFixture {
  static final int MEMORY_BYTES = 8 << 20;
  static final long ARGS = 0x2000;
  static final long PAGE_GFN = 0x10;
  static final long FREE_GFN = 0xf0000;

  static PcMachine machine(PcConfig.BoardKind board) {
    return new PcMachine(
        new PcConfig(
            MEMORY_BYTES,
            2,
            CpuModel.DEFAULT,
            Engine.INTERPRETER,
            new byte[0],
            board,
            XenUnderPc.ownFrames(MEMORY_BYTES)),
        new CountedClock(Instant.EPOCH));
  }

  static XenUnderPc under(PcMachine machine, @Nullable PcDevices devices) {
    return new XenUnderPc(
        machine,
        new DomainServices.Description("test", 2, MEMORY_BYTES / 1024, "none", ""),
        devices,
        (ConsoleSink) (bytes, offset, length) -> length);
  }

  final PcMachine machine = machine(PcConfig.BoardKind.BARE);
  final XenUnderPc xen = under(machine, null);
  final Domain domain = xen.domain();
  final Vcpu v = domain.vcpus().get(0);
  final GuestAccess guest = v.guest();
  final MachineMemory memory = machine.ram().machine();

  @BeforeEach
  void protectedMode() {
    for (PcVcpu vcpu : machine.vcpus()) {
      vcpu.cpu().put64(CpuState.CR0, 0x11);
      vcpu.cpu().stateChanged();
    }
  }

  @AfterEach
  void close() {
    xen.close();
    machine.close();
  }

  long call(Hypercall call, long... args) {
    long[] a = java.util.Arrays.copyOf(args, 5);
    return xen.hypervisor().hypercalls().call(v, call.nr(), a[0], a[1], a[2], a[3], a[4]);
  }

  long add(int space, long idx, long gfn) {
    memory.fill(ARGS, XenAddToPhysmap.STRUCT.size(), (byte) 0);
    XenAddToPhysmap.DOMID.put(guest, ARGS, 0x7ff0);
    XenAddToPhysmap.SPACE.put(guest, ARGS, space);
    XenAddToPhysmap.IDX.put(guest, ARGS, idx);
    XenAddToPhysmap.GPFN.put(guest, ARGS, gfn);
    return call(Hypercall.MEMORY_OP, MemoryOp.ADD_TO_PHYSMAP.nr(), ARGS);
  }

  long remove(long gfn) {
    XenRemoveFromPhysmap.DOMID.put(guest, ARGS, 0x7ff0);
    XenRemoveFromPhysmap.GPFN.put(guest, ARGS, gfn);
    return call(Hypercall.MEMORY_OP, MemoryOp.REMOVE_FROM_PHYSMAP.nr(), ARGS);
  }

  long param(HvmOp op, int domid, long index, long value) {
    XenHvmParam.DOMID.put(guest, ARGS, domid);
    XenHvmParam.INDEX.put(guest, ARGS, index);
    XenHvmParam.VALUE.put(guest, ARGS, value);
    return call(Hypercall.HVM_OP, op.nr(), ARGS);
  }

  static long error(Errno e) {
    return e.result();
  }
}
