package parhelion.toolstack.hvm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import parhelion.abi.Errno;
import parhelion.abi.EvtchnArgs.EvtchnAllocUnbound;
import parhelion.abi.EvtchnArgs.EvtchnBindIpi;
import parhelion.abi.EvtchnOp;
import parhelion.abi.HvmArgs.XenHvmParam;
import parhelion.abi.HvmOp;
import parhelion.abi.HvmParam;
import parhelion.abi.Hypercall;
import parhelion.abi.MemoryArgs.XenMemoryReservation;
import parhelion.abi.MemoryOp;
import parhelion.abi.SharedInfo;
import parhelion.abi.ShutdownReason;
import parhelion.abi.VcpuArgs.VcpuRegisterVcpuInfo;
import parhelion.abi.VcpuHvmContext;
import parhelion.abi.VcpuInfo;
import parhelion.abi.VcpuOp;
import parhelion.abi.XenVersionOp;
import parhelion.abi.Xenmapspace;
import parhelion.cpu.Cpu;
import parhelion.cpu.CpuState;
import parhelion.pc.PcVcpu;
import parhelion.xen.Calls32;
import parhelion.xen.DomainCrash;
import parhelion.xen.HypercallContinuation;
import parhelion.xen.HypercallPage;
import parhelion.xen.Vcpu;
import parhelion.xen.grant.GrantRefused;
import parhelion.xen.grant.HostGrant;

/** Calls of Xen's interface, and what they leave in memory. */
@Timeout(value = 2, unit = TimeUnit.MINUTES)
final class XenUnderPcTest extends XenUnderPcFixture {
  @Test
  void callsOfParavirtualDomainsAreNotThere() {
    for (Hypercall call :
        new Hypercall[] {
          Hypercall.MMU_UPDATE,
          Hypercall.MMUEXT_OP,
          Hypercall.SET_TRAP_TABLE,
          Hypercall.STACK_SWITCH,
          Hypercall.IRET,
          Hypercall.PHYSDEV_OP
        }) {
      assertEquals(error(Errno.ENOSYS), call(call, 1, 1, 1, 1, 1), call.cName());
    }
    assertEquals(4 << 16 | 17, call(Hypercall.XEN_VERSION, XenVersionOp.VERSION.nr(), 0));
  }

  @Test
  void sharedInfoIsWhereTheGuestWantsItAndTheMemoryBehindItComesBack() {
    memory.putLong(PAGE_GFN << 12, 0x1234);
    assertEquals(0, add(Xenmapspace.SHARED_INFO, 0, PAGE_GFN));
    assertEquals(domain.sharedInfoMfn(), domain.mfnOf(PAGE_GFN));
    long seconds = SharedInfo.WC_VERSION.offset();
    assertTrue(guest.getInt((PAGE_GFN << 12) + seconds) > 0, "the wall clock's version");
    // Somewhere else, and no more here.
    assertEquals(0, add(Xenmapspace.SHARED_INFO, 0, FREE_GFN));
    assertEquals(PAGE_GFN, domain.mfnOf(PAGE_GFN));
    assertEquals(0x1234, guest.getLong(PAGE_GFN << 12));
    assertEquals(0, remove(FREE_GFN));
    assertEquals(-1, domain.mfnOf(FREE_GFN));
    assertEquals(error(Errno.ENOENT), remove(FREE_GFN));
  }

  @Test
  void grantFramesAreShownUpToTheLimitAndNowhereWild() {
    for (int i = 0; i < 64; i++) {
      assertEquals(0, add(Xenmapspace.GRANT_TABLE, i, FREE_GFN + i));
    }
    assertEquals(64, domain.grants().frameCount());
    for (long idx : new long[] {64, -1, 1L << 31, 1L << 40}) {
      assertEquals(error(Errno.EINVAL), add(Xenmapspace.GRANT_TABLE, idx, FREE_GFN), "" + idx);
    }
    for (long gfn : new long[] {-1, 1L << 52, Long.MIN_VALUE, Long.MAX_VALUE}) {
      assertEquals(error(Errno.EINVAL), add(Xenmapspace.GRANT_TABLE, 0, gfn), "" + gfn);
    }
    assertEquals(error(Errno.EINVAL), add(Xenmapspace.SHARED_INFO, 1, PAGE_GFN));
    assertEquals(error(Errno.ENOSYS), add(99, 0, PAGE_GFN));
  }

  @Test
  void grantsNameGuestFramesAndNoOthers() {
    assertEquals(0, add(Xenmapspace.GRANT_TABLE, 0, FREE_GFN));
    memory.putLong(PAGE_GFN << 12, 77);
    long entry = (domain.grants().sharedMfn(0) << 12) + 9 * 8;
    memory.putInt(entry + 4, (int) PAGE_GFN);
    memory.putInt(entry, 1);
    try (HostGrant grant = domain.grants().mapForHost(9, true)) {
      byte[] bytes = new byte[8];
      grant.read(0, bytes, 0, 8);
      assertEquals(77, bytes[0]);
      // A frame in use cannot be given up.
      assertEquals(0, reservation(MemoryOp.DECREASE_RESERVATION, PAGE_GFN));
    }
    for (long gfn :
        new long[] {machine.ram().firstOwnFrame(), 0xb0, 0xfee00, MEMORY_BYTES >> 12, -1}) {
      memory.putInt(entry + 4, (int) gfn);
      memory.putInt(entry, 1);
      assertThrows(GrantRefused.class, () -> domain.grants().mapForHost(9, true));
    }
  }

  private long reservation(MemoryOp op, long gfn) {
    long list = ARGS + 0x100;
    guest.putLong(list, gfn);
    XenMemoryReservation.EXTENT_START.put(guest, ARGS, list);
    XenMemoryReservation.NR_EXTENTS.put(guest, ARGS, 1);
    XenMemoryReservation.EXTENT_ORDER.put(guest, ARGS, 0);
    XenMemoryReservation.MEM_FLAGS.put(guest, ARGS, 0);
    XenMemoryReservation.DOMID.put(guest, ARGS, 0x7ff0);
    return call(Hypercall.MEMORY_OP, op.nr(), ARGS);
  }

  @Test
  void memoryIsGivenUpAndTakenBackZeroed() {
    long pages = domain.totPages;
    memory.putLong(PAGE_GFN << 12, 5);
    assertEquals(1, reservation(MemoryOp.DECREASE_RESERVATION, PAGE_GFN));
    assertEquals(pages - 1, domain.totPages);
    assertEquals(-1, domain.mfnOf(PAGE_GFN));
    assertThrows(parhelion.xen.XenError.class, () -> guest.getLong(PAGE_GFN << 12));
    assertEquals(0, reservation(MemoryOp.DECREASE_RESERVATION, PAGE_GFN), "it is gone already");
    assertEquals(1, reservation(MemoryOp.POPULATE_PHYSMAP, PAGE_GFN));
    assertEquals(0, guest.getLong(PAGE_GFN << 12));
    assertEquals(pages, domain.totPages);
    assertEquals(0, reservation(MemoryOp.POPULATE_PHYSMAP, PAGE_GFN), "it is there already");
    for (long gfn : new long[] {-1, 0xb0, FREE_GFN, machine.ram().firstOwnFrame()}) {
      assertEquals(0, reservation(MemoryOp.DECREASE_RESERVATION, gfn));
      assertEquals(0, reservation(MemoryOp.POPULATE_PHYSMAP, gfn));
    }
    assertEquals(0, reservation(MemoryOp.INCREASE_RESERVATION, 0));
  }

  @Test
  void parametersCanBeReadAndThoseOfTheGuestSet() {
    assertEquals(0, param(HvmOp.GET_PARAM, 0x7ff0, HvmParam.STORE_PFN, 0));
    long ring = XenHvmParam.VALUE.get(guest, ARGS);
    assertTrue(domain.mfnOf(ring) > 0);
    assertEquals(0, param(HvmOp.SET_PARAM, 0x7ff0, HvmParam.CALLBACK_IRQ, 2L << 56 | 0xf3));
    assertEquals(0xf3, v.hvm().callbackVector());
    assertEquals(error(Errno.EPERM), param(HvmOp.SET_PARAM, 0x7ff0, HvmParam.STORE_PFN, 1));
    assertEquals(error(Errno.EPERM), param(HvmOp.GET_PARAM, 0x7ff0, 12, 0));
    assertEquals(error(Errno.EINVAL), param(HvmOp.GET_PARAM, 0x7ff0, 39, 0));
    assertEquals(error(Errno.EINVAL), param(HvmOp.SET_PARAM, 0x7ff0, 0xffff_ffffL, 0));
    assertEquals(error(Errno.ESRCH), param(HvmOp.GET_PARAM, 5, HvmParam.STORE_PFN, 0));
    assertEquals(error(Errno.EFAULT), call(Hypercall.HVM_OP, 1, 0xa_0000));
    assertEquals(error(Errno.ENOSYS), call(Hypercall.HVM_OP, 77, ARGS));
  }

  @Test
  void vcpuInfoIsRegisteredInMemoryOnly() {
    for (long gfn : new long[] {-1, 0xb0, FREE_GFN, machine.ram().firstOwnFrame(), 1L << 51}) {
      VcpuRegisterVcpuInfo.MFN.put(guest, ARGS, gfn);
      VcpuRegisterVcpuInfo.OFFSET.put(guest, ARGS, 0);
      assertEquals(
          error(Errno.EINVAL),
          call(Hypercall.VCPU_OP, VcpuOp.REGISTER_VCPU_INFO.nr(), 0, ARGS),
          Long.toHexString(gfn));
    }
    VcpuRegisterVcpuInfo.MFN.put(guest, ARGS, PAGE_GFN);
    VcpuRegisterVcpuInfo.OFFSET.put(guest, ARGS, 64);
    assertEquals(0, call(Hypercall.VCPU_OP, VcpuOp.REGISTER_VCPU_INFO.nr(), 0, ARGS));
    assertEquals((PAGE_GFN << 12) + 64, v.state.vcpuInfoPa);
    long version = (PAGE_GFN << 12) + 64 + VcpuInfo.TIME.offset();
    assertTrue(memory.getInt(version) > 0, "the clock");
  }

  @Test
  void aVcpuIsBroughtUpInTheStateThatIsNamed() {
    Vcpu second = domain.vcpus().get(1);
    memory.fill(ARGS, VcpuHvmContext.STRUCT.size(), (byte) 0);
    assertEquals(error(Errno.EINVAL), call(Hypercall.VCPU_OP, VcpuOp.UP.nr(), 1, 0));
    long initialise = VcpuOp.INITIALISE.nr();
    assertEquals(error(Errno.EINVAL), call(Hypercall.VCPU_OP, initialise, 1, ARGS), "no CR0.PE");
    VcpuHvmContext.MODE.put(guest, ARGS, 7);
    assertEquals(error(Errno.EINVAL), call(Hypercall.VCPU_OP, initialise, 1, ARGS));
    VcpuHvmContext.MODE.put(guest, ARGS, VcpuHvmContext.Value.MODE_32B);
    long at = VcpuHvmContext.X86_32.at(ARGS);
    VcpuHvmContext.Bits32.CR0.put(guest, at, 0x11);
    VcpuHvmContext.Bits32.CS_LIMIT.put(guest, at, 0xffff_ffffL);
    VcpuHvmContext.Bits32.CS_AR.put(guest, at, 0xc9b);
    VcpuHvmContext.Bits32.SS_LIMIT.put(guest, at, 0xffff_ffffL);
    VcpuHvmContext.Bits32.SS_AR.put(guest, at, 0xc93);
    VcpuHvmContext.Bits32.TR_AR.put(guest, at, 0x8b);
    VcpuHvmContext.Bits32.EBX.put(guest, at, 0x77);
    VcpuHvmContext.Bits32.EIP.put(guest, at, 0x3000);
    assertEquals(0, call(Hypercall.VCPU_OP, initialise, 1, ARGS));
    assertEquals(error(Errno.EEXIST), call(Hypercall.VCPU_OP, initialise, 1, ARGS));
    assertEquals(1, call(Hypercall.VCPU_OP, VcpuOp.IS_UP.nr(), 0, 0));
    assertEquals(0, call(Hypercall.VCPU_OP, VcpuOp.IS_UP.nr(), 1, 0));
    assertEquals(0, call(Hypercall.VCPU_OP, VcpuOp.UP.nr(), 1, 0));
    assertEquals(1, call(Hypercall.VCPU_OP, VcpuOp.IS_UP.nr(), 1, 0));
    Cpu cpu = second.cpu();
    assertEquals(0x3000, cpu.rip());
    assertEquals(0x77, cpu.get64(CpuState.RBX));
    assertEquals(32, cpu.codeBits);
    assertFalse(machine.vcpus().get(1).waitsForStart());
  }

  @Test
  void theHypercallPageIsFilledInMemoryOnly() {
    XenInterface offered = new XenInterface(domain, v.hvm(), new XenMachine(machine, null));
    PcVcpu first = machine.vcpus().get(0);
    assertTrue(offered.hasMsr(HypercallPage.MSR));
    assertTrue(offered.wrmsr(first, HypercallPage.MSR, PAGE_GFN << 12));
    long stub = (PAGE_GFN << 12) + 32L * Hypercall.SCHED_OP.nr();
    assertEquals(0xb8, memory.getByte(stub) & 0xff);
    assertEquals(Hypercall.SCHED_OP.nr(), memory.getInt(stub + 1));
    assertEquals(0xc3c1010f, memory.getInt(stub + 5));
    for (long value : new long[] {-1, 0xb_0000, PAGE_GFN << 12 | 1, 0xfee0_0000L, 1L << 50}) {
      assertFalse(offered.wrmsr(first, HypercallPage.MSR, value));
    }
  }

  private int call32(Hypercall call, int a1, int a2) {
    return Calls32.call(v, call.nr(), a1, a2, 0, 0, 0);
  }

  @Test
  void callsOf32BitCodeHaveTheirOwnFormOfFramesAndPointers() {
    int args = (int) ARGS;
    guest.putInt(ARGS, 0x7ff0);
    guest.putInt(ARGS + 4, Xenmapspace.SHARED_INFO);
    guest.putInt(ARGS + 8, 0);
    guest.putInt(ARGS + 12, (int) PAGE_GFN);
    int add = MemoryOp.ADD_TO_PHYSMAP.nr();
    assertEquals(0, call32(Hypercall.MEMORY_OP, add, args));
    assertEquals(domain.sharedInfoMfn(), domain.mfnOf(PAGE_GFN));
    assertEquals(error(Errno.EFAULT), call32(Hypercall.MEMORY_OP, add, 0xa_0000));
    assertEquals(error(Errno.ENOSYS), call32(Hypercall.MEMORY_OP, 6, args));
    assertEquals(error(Errno.ENOSYS), call32(Hypercall.GRANT_TABLE_OP, 2, args));
    assertEquals(error(Errno.ENOSYS), call32(Hypercall.MMU_UPDATE, args, 1));
    // The map of memory: room for one entry, and its address.
    domain.memory.e820(new byte[40]);
    memory.fill(ARGS + 0x100, 64, (byte) 1);
    guest.putInt(ARGS, 1);
    guest.putInt(ARGS + 4, args + 0x100);
    assertEquals(0, call32(Hypercall.MEMORY_OP, MemoryOp.MEMORY_MAP.nr(), args));
    assertEquals(0, memory.getInt(ARGS + 0x100 + 16));
    assertEquals(0x01010101, memory.getInt(ARGS + 0x100 + 20));
    assertEquals(1, guest.getInt(ARGS));
    // What was staged is gone.
    assertThrows(parhelion.xen.XenError.class, () -> guest.getLong((1L << 47) - 0x1_0000));
  }

  @Test
  void eventsOf32BitCodeAreInItsFormOfSharedInfo() {
    domain.narrow(true);
    long shared = domain.sharedInfoMfn() << 12;
    assertTrue(memory.getInt(shared + 2304) > 0, "the wall clock's version");
    int port = 0;
    while (port < 40) {
      EvtchnBindIpi.VCPU.put(guest, ARGS, 0);
      assertEquals(0, call32(Hypercall.EVENT_CHANNEL_OP, EvtchnOp.BIND_IPI.nr(), (int) ARGS));
      port = (int) EvtchnBindIpi.PORT.get(guest, ARGS);
    }
    memory.putInt(shared + 2176 + port / 32 * 4, 1 << port % 32);
    guest.putInt(ARGS, port);
    assertEquals(0, call32(Hypercall.EVENT_CHANNEL_OP, EvtchnOp.SEND.nr(), (int) ARGS));
    assertEquals(1 << port % 32, memory.getInt(shared + 2048 + port / 32 * 4));
    assertEquals(0, memory.getInt(v.state.vcpuInfoPa + 4), "masked");
    assertEquals(0, call32(Hypercall.EVENT_CHANNEL_OP, EvtchnOp.UNMASK.nr(), (int) ARGS));
    assertEquals(1 << port / 32, memory.getInt(v.state.vcpuInfoPa + 4));
    assertEquals(1, memory.getByte(v.state.vcpuInfoPa));
    // A port that is pending ends a poll at once.
    guest.putInt(ARGS + 0x40, port);
    guest.putInt(ARGS, (int) ARGS + 0x40);
    guest.putInt(ARGS + 4, 1);
    guest.putLong(ARGS + 8, 0);
    assertEquals(0, call32(Hypercall.SCHED_OP, 3, (int) ARGS));
    assertFalse(v.state.blocked);
  }

  @Test
  void theLastVcpuThatHaltsForGoodPowersOff() {
    assertNull(domain.shutdownReason());
    domain.halted(v);
    assertEquals(ShutdownReason.POWEROFF, domain.shutdownReason());
  }

  @Test
  void wildCallsEndInErrorsOrTheGuestsOwnDeath() {
    SplittableRandom random = new SplittableRandom(7);
    long[] values = {
      0,
      1,
      2,
      7,
      0x10,
      ARGS,
      ARGS + 8,
      PAGE_GFN,
      FREE_GFN,
      0x7ff0,
      -1,
      MEMORY_BYTES,
      0xa_0000,
      MEMORY_BYTES - 4,
      Long.MIN_VALUE,
      Long.MAX_VALUE,
      1L << 47,
      0xffff_ffffL
    };
    assertEquals(0, add(Xenmapspace.GRANT_TABLE, 0, FREE_GFN));
    EvtchnAllocUnbound.DOM.put(guest, ARGS, 0x7ff0);
    assertEquals(0, call(Hypercall.EVENT_CHANNEL_OP, EvtchnOp.ALLOC_UNBOUND.nr(), ARGS));
    for (int i = 0; i < 60_000 && domain.shutdownReason() == null; i++) {
      for (int k = 0; k < 64; k += 8) {
        boolean small = random.nextInt(3) > 0;
        memory.putLong(ARGS + k, small ? values[random.nextInt(values.length)] : random.nextLong());
      }
      long[] a = new long[5];
      for (int k = 0; k < 5; k++) {
        a[k] = random.nextInt(3) > 0 ? values[random.nextInt(values.length)] : random.nextInt(40);
      }
      int nr = random.nextInt(64);
      if (nr == Hypercall.SCHED_OP.nr() && (a[0] == 2 || a[0] == 4)) {
        continue; // it may shut itself down, and a watchdog would
      }
      try {
        long small = Calls32.call(v, nr, (int) a[0], (int) a[1], (int) a[2], 0, 0);
        long unused =
            small
                + xen.hypervisor()
                    .hypercalls()
                    .call(v, nr, random.nextInt(40), a[1], a[2], a[3], a[4]);
      } catch (HypercallContinuation | DomainCrash e) {
        assertNotNull(e);
      }
      if (v.state.blocked) {
        v.unblock();
      }
    }
    assertNotNull(v.hvm());
  }
}
