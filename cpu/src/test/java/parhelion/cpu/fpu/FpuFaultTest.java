package parhelion.cpu.fpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import parhelion.cpu.CpuState;
import parhelion.cpu.GuestFault;

/**
 * What makes floating-point and vector instructions fault, and that they have then changed nothing.
 */
class FpuFaultTest {
  private static final String ADDPS_XMM0_XMM1 = "0f58c1";
  private static final String PADDB_MM0_MM1 = "0ffcc1";
  private static final String PAVGB_MM0_MM1 = "0fe0c1";
  private static final String FLD1 = "d9e8";
  private static final String FDIVP = "def9";
  private static final String FNINIT = "dbe3";
  private static final String FWAIT = "9b";
  private static final String CRC32_EAX_ECX = "f20f38f1c1";
  private static final String FXSAVE_RDI = "0fae07";
  private static final String FXRSTOR_RDI = "0fae0f";
  private static final String XSAVE_RDI = "0fae27";
  private static final String XRSTOR_RDI = "0fae2f";

  private final FpuFixture f = new FpuFixture();

  @AfterEach
  void close() {
    f.close();
  }

  private void rdi(long value) {
    f.cpu.put64(CpuState.RDI, value);
  }

  @Test
  void emulationMakesSseAndMmxUndefinedAndX87NotAvailable() {
    f.control(FpuFixture.CR0_EM, FpuFixture.CR4_OSFXSR);
    assertEquals(GuestFault.UD, f.run(ADDPS_XMM0_XMM1));
    assertEquals(GuestFault.UD, f.run(PADDB_MM0_MM1));
    assertEquals(GuestFault.NM, f.run(FLD1));
    assertEquals(GuestFault.NM, f.run(FNINIT));
    rdi(0);
    assertEquals(GuestFault.NM, f.run(FXSAVE_RDI));
    assertEquals(-1, f.run(CRC32_EAX_ECX));
  }

  @Test
  void taskSwitchedMakesAllOfThemNotAvailable() {
    f.control(FpuFixture.CR0_TS, FpuFixture.CR4_OSFXSR | FpuFixture.CR4_OSXSAVE);
    assertEquals(GuestFault.NM, f.run(ADDPS_XMM0_XMM1));
    assertEquals(GuestFault.NM, f.run(PADDB_MM0_MM1));
    assertEquals(GuestFault.NM, f.run(FLD1));
    assertEquals(GuestFault.NM, f.run(FXSAVE_RDI));
    assertEquals(GuestFault.NM, f.run(XSAVE_RDI));
    assertEquals(-1, f.run(FWAIT));
    f.control(FpuFixture.CR0_TS | FpuFixture.CR0_MP, FpuFixture.CR4_OSFXSR);
    assertEquals(GuestFault.NM, f.run(FWAIT));
  }

  @Test
  void withoutOsfxsrOnlyXmmInstructionsAreUndefined() {
    f.control(FpuFixture.CR0_NE, 0);
    assertEquals(GuestFault.UD, f.run(ADDPS_XMM0_XMM1));
    assertEquals(-1, f.run(PAVGB_MM0_MM1));
    assertEquals(GuestFault.UD, f.run("0fae17")); // ldmxcsr [rdi]
    assertEquals(GuestFault.UD, f.run(XSAVE_RDI)); // for want of OSXSAVE
  }

  @Test
  void legacyOperandsOf16BytesMustBeAligned() {
    rdi(8);
    assertEquals(GuestFault.GP, f.run("0f2807")); // movaps xmm0,[rdi]
    assertEquals(GuestFault.GP, f.run("0f2907")); // movaps [rdi],xmm0
    assertEquals(GuestFault.GP, f.run("0f5807")); // addps xmm0,[rdi]
    assertEquals(GuestFault.GP, f.run(FXSAVE_RDI));
    assertEquals(-1, f.run("0f1007")); // movups
    assertEquals(-1, f.run("f30f5807")); // addss
    rdi(16);
    assertEquals(-1, f.run("0f2807"));
    assertEquals(GuestFault.GP, f.run(XSAVE_RDI)); // 64 bytes
  }

  @Test
  void pendingExceptionIsRaisedByTheNextWaitingInstructionOnly() {
    f.cpu.put64(CpuState.FCW, 0x37f & ~4); // zero divide unmasked
    assertEquals(-1, f.run(FLD1));
    assertEquals(-1, f.run("d9ee")); // fldz
    assertEquals(-1, f.run(FDIVP));
    assertEquals(0x8084, f.cpu.get16(CpuState.FSW) & 0x80ff);
    assertEquals(6, f.cpu.get16(CpuState.FSW) >> 11 & 7, "nothing popped");
    assertEquals(GuestFault.MF, f.run(FLD1));
    assertEquals(GuestFault.MF, f.run(FWAIT));
    assertEquals(GuestFault.MF, f.run(PADDB_MM0_MM1));
    assertEquals(-1, f.run("dfe0")); // fnstsw ax
    assertEquals(-1, f.run(ADDPS_XMM0_XMM1));
    f.control(0, FpuFixture.CR4_OSFXSR);
    assertEquals(-1, f.run(FWAIT), "without CR0.NE nothing is raised");
    f.control(FpuFixture.CR0_NE, FpuFixture.CR4_OSFXSR);
    assertEquals(-1, f.run("dbe2")); // fnclex
    assertEquals(-1, f.run(FWAIT));
  }

  @Test
  void lastInstructionOpcodeAndDataAreRemembered() {
    f.cpu.put64(CpuState.RIP_BASE, 0x1234);
    rdi(0x40);
    assertEquals(-1, f.run("d807")); // fadd dword [rdi]
    assertEquals(0x1234, f.cpu.get64(CpuState.FIP));
    assertEquals(0x40, f.cpu.get64(CpuState.FDP));
    assertEquals(0x007, f.cpu.get16(CpuState.FOP));
  }

  @Test
  void storeThatFaultsPopsNothing() {
    assertEquals(-1, f.run(FLD1));
    int fsw = f.cpu.get16(CpuState.FSW);
    rdi(2 * 4096 - 4);
    assertEquals(GuestFault.PF, f.run("dd1f")); // fstp qword [rdi]
    assertEquals(GuestFault.PF, f.run("db3f")); // fstp tbyte [rdi]
    assertEquals(GuestFault.PF, f.run("df3f")); // fistp qword [rdi]
    assertEquals(GuestFault.PF, f.run("dd37")); // fnsave [rdi]
    assertEquals(fsw, f.cpu.get16(CpuState.FSW));
    assertEquals(0x3fff, f.cpu.get16(CpuState.FTW));
    assertEquals(0, f.memory.getInt(2 * 4096 - 4));
  }

  @Test
  void maskedStoreTouchesOnlyTheBytesOfItsMask() {
    rdi(2 * 4096 - 4);
    f.xmm(0, 0x0807060504030201L, 0);
    f.xmm(1, 0x0000000080008000L, 0);
    assertEquals(-1, f.run("660ff7c1")); // maskmovdqu xmm0,xmm1
    assertEquals(0x04000200, f.memory.getInt(2 * 4096 - 4));
    f.xmm(1, 0x0000008000000080L, 0);
    f.memory.putInt(2 * 4096 - 4, 0);
    assertEquals(GuestFault.PF, f.run("660ff7c1"));
    assertEquals(0, f.memory.getInt(2 * 4096 - 4), "nothing stored when a later byte faults");
  }

  @Test
  void reservedBitsOfMxcsrAndOfTheHeaderAreRefused() {
    rdi(0);
    f.memory.putInt(0, 0x10000);
    assertEquals(GuestFault.GP, f.run("0fae17")); // ldmxcsr [rdi]
    assertEquals(0x1f80, f.mxcsr());
    f.memory.putInt(24, 0x1f80 | 1 << 16);
    assertEquals(GuestFault.GP, f.run(FXRSTOR_RDI));
    f.cpu.put64(CpuState.RAX, 3);
    assertEquals(GuestFault.GP, f.run(XRSTOR_RDI));
    f.memory.putInt(24, 0x1f80);
    assertEquals(-1, f.run(XRSTOR_RDI));
    f.memory.putLong(512, 4); // a component that XCR0 does not have
    assertEquals(GuestFault.GP, f.run(XRSTOR_RDI));
    f.memory.putLong(512, 3);
    f.memory.putLong(528, 1); // reserved
    assertEquals(GuestFault.GP, f.run(XRSTOR_RDI));
    f.memory.putLong(528, 0);
    f.memory.putLong(520, 1L << 63 | 1); // compacted, without the SSE component that is present
    assertEquals(GuestFault.GP, f.run(XRSTOR_RDI));
    f.memory.putLong(520, 1L << 63 | 3);
    assertEquals(-1, f.run(XRSTOR_RDI));
  }

  @Test
  void absentComponentsAreInitialised() {
    rdi(0);
    f.xmm(3, 1, 2);
    assertEquals(-1, f.run(FLD1));
    f.memory.putInt(24, 0x1f80);
    f.cpu.put64(CpuState.RAX, 3);
    assertEquals(-1, f.run(XRSTOR_RDI));
    assertEquals(0, f.xmmLow(3));
    assertEquals(0xffff, f.cpu.get16(CpuState.FTW));
    assertEquals(0x37f, f.cpu.get16(CpuState.FCW));
    f.memory.fill(0, 1024, (byte) 0x55);
    f.memory.putLong(512, 0);
    assertEquals(-1, f.run("0fae37")); // xsaveopt [rdi]
    assertEquals(0, f.memory.getLong(512));
    assertEquals(0x5555555555555555L, f.memory.getLong(160), "initial components are not written");
    assertEquals(0x1f80, f.memory.getInt(24));
  }

  @Test
  void stateThatReachesIntoAnUnmappedPageIsNotWritten() {
    rdi(2 * 4096 - 256);
    assertEquals(GuestFault.PF, f.run(FXSAVE_RDI));
    assertEquals(0, f.memory.getInt(2 * 4096 - 256));
    f.cpu.put64(CpuState.FCW, 0x40);
    assertEquals(GuestFault.PF, f.run(FXRSTOR_RDI));
    assertEquals(0x40, f.cpu.get16(CpuState.FCW));
    assertTrue(f.run("dd27") == -1, "FRSTOR fits");
  }
}
