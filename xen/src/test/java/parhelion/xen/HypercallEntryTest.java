package parhelion.xen;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static parhelion.cpu.CpuState.*;

import org.junit.jupiter.api.Test;
import parhelion.abi.Errno;

/** Guest code that makes hypercalls, traps and returns, executed. */
final class HypercallEntryTest {
  private static final int[] SPIN = {0xeb, 0xfe};

  private static int[] code(int[]... parts) {
    return java.util.Arrays.stream(parts).flatMapToInt(java.util.Arrays::stream).toArray();
  }

  private static int[] movEax(int value) {
    return new int[] {0xb8, value & 255, value >> 8 & 255, value >> 16 & 255, value >>> 24};
  }

  private static final int[] SYSCALL = {0x0f, 0x05};
  private static final int[] ZERO_EDI = {0x31, 0xff};

  @Test
  void syscallInKernelModeIsAHypercall() {
    try (FakeGuest g = new FakeGuest()) {
      g.run(code(movEax(17), ZERO_EDI, SYSCALL, SPIN));
      assertEquals(4 << 16 | 17, g.cpu().get64(RAX));
      assertEquals(FakeGuest.CODE + 9, g.cpu().get64(RCX));
      assertEquals(FakeGuest.CODE + 9, g.cpu().rip());
    }
  }

  @Test
  void anUnknownHypercallIsENOSYS() {
    try (FakeGuest g = new FakeGuest()) {
      g.run(code(movEax(63), SYSCALL, SPIN));
      assertEquals(Errno.ENOSYS.result(), g.cpu().get64(RAX));
      g.run(code(movEax(-1), SYSCALL, SPIN));
      assertEquals(Errno.ENOSYS.result(), g.cpu().get64(RAX));
    }
  }

  @Test
  void theForcedEmulationPrefixMakesCpuidAnswerAsXen() {
    try (FakeGuest g = new FakeGuest()) {
      int[] xenCpuid = {0x0f, 0x0b, 'x', 'e', 'n', 0x0f, 0xa2};
      g.run(code(movEax(0x40000000), xenCpuid, SPIN));
      assertEquals(0x566e6558, g.cpu().get32(RBX));
      assertEquals(0x65584d4d, g.cpu().get32(RCX));
      assertEquals(0x4d4d566e, g.cpu().get32(RDX));
      assertEquals(0x40000005, g.cpu().get32(RAX));
    }
  }

  @Test
  void aFaultWithoutHandlerCrashesTheDomainWithItsRegisters() {
    try (FakeGuest g = new FakeGuest()) {
      g.run(0x0f, 0x0b);
      assertEquals(parhelion.abi.ShutdownReason.CRASH, g.domain.shutdownReason());
      assertTrue(g.domain.crashReason().contains("exception 6"), g.domain.crashReason());
      assertTrue(g.domain.crashReason().contains("rip 0000000000100000"), g.domain.crashReason());
      assertEquals(java.util.List.of(g.domain), g.shutDown);
      assertFalse(g.vcpu().isRunnable());
    }
  }
}
