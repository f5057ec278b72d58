package parhelion.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static parhelion.cpu.CpuState.*;

import java.util.List;
import org.junit.jupiter.api.Test;

class SystemInstructionsTest {
  /** Runs one 64-bit instruction at a privilege level; gives the last event. */
  private static String event64(int cpl, String code) {
    try (Machine m = Machine.long64(cpl).code(code)) {
      return m.step().recorder.last();
    }
  }

  @Test
  void privilegedInstructionsAreOfferedToTheMonitorAndFaultWhenItDeclines() {
    String[] codes = {
      "f4 HLT",
      "0f06 CLTS",
      "0f08 INVD",
      "0f09 WBINVD",
      "0f30 WRMSR",
      "0f32 RDMSR",
      "0f20c0 MOV",
      "0f22d8 MOV",
      "0f21f8 MOV",
      "0f23f8 MOV",
      "440f20c0 MOV",
      "0f01f8 SWAPGS",
      "0f0138 INVLPG",
      "0f0110 LGDT",
      "0f0118 LIDT",
      "0f00d0 LLDT",
      "0f00d8 LTR",
      "0f01f0 LMSW",
      "fa CLI",
      "fb STI",
      "ec IN",
      "e460 IN",
      "ee OUT",
      "e780 OUT",
      "6c INS",
      "6f OUTS",
      "0f35 SYSEXIT",
      "480f07 SYSRET",
      "0f33 RDPMC"
    };
    for (String entry : codes) {
      String code = entry.substring(0, entry.indexOf(' '));
      String name = entry.substring(entry.indexOf(' ') + 1);
      try (Machine m = Machine.long64(3).code("90" + code)) {
        m.run(2);
        assertEquals(List.of(name + " at 8001", "GP(0)"), m.recorder.events, entry);
        assertEquals(0x8001, m.get(RIP), entry);
      }
      try (Machine m = Machine.long64(3).code("90" + code)) {
        m.recorder.emulate = true;
        m.run(2);
        assertEquals(List.of(name + " at 8001"), m.recorder.events, entry);
        assertEquals(0x8001 + code.length() / 2, m.get(RIP), entry);
      }
    }
  }

  @Test
  void theTimeStampIsPrivilegedOnlyUnderTsd() {
    try (Machine m = Machine.long64(3).code("0f31 0f01f9").set(TSC_AUX, 0x42)) {
      m.set(RAX, -1).set(RDX, -1).run(2);
      assertEquals(5, m.get(RAX));
      assertEquals(1, m.get(RDX));
      assertEquals(0x42, m.get(RCX));
    }
    try (Machine m = Machine.long64(3).code("90 0f31 ffc3 f4")) {
      m.set(CR4, m.get(CR4) | 4).recorder.emulate = true;
      m.cpu.run(4);
      assertEquals(List.of("RDTSC at 8001", "HLT at 8005"), m.recorder.events);
      assertEquals(1, m.get(RBX), "the block goes on");
    }
  }

  @Test
  void portsAreReachedWithinIoplOrThroughTheBitmap() {
    try (Machine m = Machine.long64(3).code("ed")) {
      m.cpu.rflags(0x3002);
      m.set(RDX, 0xcf8).set(RAX, -1).step();
      assertEquals("in cf8 4", m.recorder.last());
      assertEquals(0x1234_5678, m.get(RAX));
    }
    try (Machine m = Machine.long64(3).code("e660")) {
      m.memory.putByte(Machine.TSS + 0x68 + 0xc, (byte) 0xfe);
      m.set(RAX, 0x1234).step();
      assertEquals("out 60 1 34", m.recorder.last());
    }
    try (Machine m = Machine.long64(0).code("66ef")) {
      m.set(RDX, 0x80).set(RAX, 0x12345).step();
      assertEquals("out 80 2 2345", m.recorder.last());
    }
  }

  @Test
  void stringPortInstructionsMoveElementByElement() {
    try (Machine m = Machine.long64(0).code("f36d 90")) {
      m.set(RDX, 0x10).set(RCX, 300).set(RDI, 0x4_0000);
      m.step();
      assertEquals(44, m.get(RCX), "interrupts get in between bursts");
      assertEquals(Machine.CODE, m.get(RIP));
      m.step();
      assertEquals(0, m.get(RCX));
      assertEquals(Machine.CODE + 2, m.get(RIP));
      assertEquals(0x4_0000 + 1200, m.get(RDI));
      assertEquals(0x1234_5678, m.memory.getInt(0x4_0000 + 1196));
    }
    try (Machine m = Machine.long64(0).code("f36e")) {
      m.memory.putShort(0x4_0ffe, (short) 0x2211);
      m.memory.putLong(Machine.PT + 0x41 * 8, 0);
      m.set(RDX, 0x10).set(RCX, 4).set(RSI, 0x4_0ffe).step();
      assertEquals(List.of("out 10 1 11", "out 10 1 22", "PF(0)@41000"), m.recorder.events);
      assertEquals(2, m.get(RCX));
      assertEquals(0x4_1000, m.get(RSI));
      assertEquals(Machine.CODE, m.get(RIP));
    }
    try (Machine m = Machine.long64(0).code("fd 6c")) {
      m.memory.putLong(Machine.PT + 0x41 * 8, 0);
      m.set(RDI, 0x4_1000).run(2);
      assertEquals(List.of("PF(2)@41000"), m.recorder.events, "no input before the fault");
    }
  }

  @Test
  void pushfAndPopfObeyPrivilege() {
    try (Machine m = Machine.long64(0).code("9c 9d")) {
      m.cpu.rflags(0x11202);
      m.step();
      assertEquals(0x1202, m.memory.getLong(Machine.STACK - 8), "without RF");
      m.memory.putLong(Machine.STACK - 8, 0x3fffff & ~0x100L);
      m.step();
      assertEquals(0x247ed7, m.cpu.rflags());
      assertEquals(Machine.STACK, m.get(RSP));
    }
    try (Machine m = Machine.long64(3).code("9d")) {
      m.memory.putLong(Machine.STACK, 0x3ed7);
      m.cpu.rflags(2);
      m.step();
      assertEquals(0xcd7, m.cpu.rflags(), "neither IOPL nor IF");
    }
    try (Machine m = Machine.long64(0).code("669d")) {
      m.memory.putLong(Machine.STACK, 0xffff_ffff_ffff_0202L);
      m.cpu.rflags(0x40002);
      m.step();
      assertEquals(0x40202, m.cpu.rflags());
      assertEquals(Machine.STACK + 2, m.get(RSP));
    }
  }

  @Test
  void stiHoldsInterruptsBackForOneInstruction() {
    try (Machine m = Machine.long64(0).code("fb 90 fb")) {
      m.step();
      assertTrue(m.cpu.interruptShadow);
      assertTrue(m.cpu.attentionRequested(), "an interrupt may be waiting");
      m.step();
      assertFalse(m.cpu.interruptShadow);
      m.step();
      assertFalse(m.cpu.interruptShadow, "only when IF was clear");
    }
    try (Machine m = Machine.long64(0).code("8ed0 90").set(RAX, Machine.DATA)) {
      m.step();
      assertTrue(m.cpu.interruptShadow);
    }
    try (Machine m = Machine.long64(3).code("fa")) {
      m.cpu.rflags(0x3202);
      m.step();
      assertEquals(0x3002, m.cpu.rflags());
    }
  }

  @Test
  void softwareInterruptsPushTheNextAddress() {
    for (String code : new String[] {"cd80 80", "cc 3", "f1 1"}) {
      int space = code.indexOf(' ');
      int vector = Integer.parseInt(code.substring(space + 1), space == 4 ? 16 : 10);
      try (Machine m = Machine.long64(3).code(code.substring(0, space))) {
        m.recorder.deliver = true;
        m.idt64(vector, Machine.CODE64, Machine.HANDLER, 0xee, 0);
        m.step();
        assertEquals(Machine.HANDLER, m.get(RIP), code);
        assertEquals(Machine.CODE + space / 2, m.memory.getLong(Machine.INNER_STACK - 40), code);
      }
    }
    try (Machine m = Machine.long64(3).code("cd80")) {
      m.idt64(0x80, Machine.CODE64, Machine.HANDLER, 0x8e, 0);
      m.step();
      assertEquals("GP(402)", m.recorder.last());
      assertEquals(Machine.CODE, m.get(RIP));
    }
    assertEquals("UD", event64(3, "ce"));
    try (Machine m = Machine.protected32(0).code("ce ce")) {
      m.idt32(4, Machine.CODE32, Machine.HANDLER, 0x8e);
      m.step();
      assertEquals(Machine.CODE + 1, m.get(RIP));
      m.cpu.rflags(0x802);
      m.step();
      assertEquals(Machine.HANDLER, m.get(RIP));
    }
  }

  @Test
  void aRealModeProgramReachesSixtyFourBitCode() {
    try (Machine longMode = Machine.long64(0);
        Machine m = Machine.real()) {
      m.memory.copy(0, 0, 0);
      byte[] tables = new byte[0x8000];
      longMode.memory.read(Machine.GDT, tables, 0, 0x1000);
      m.memory.write(Machine.GDT, tables, 0, 0x1000);
      longMode.memory.read(Machine.PML4, tables, 0, 0x8000);
      m.memory.write(Machine.PML4, tables, 0, 0x8000);
      m.memory.putShort(0x500, (short) Machine.LAST);
      m.memory.putInt(0x502, Machine.GDT);
      m.code(
          "0f01160005" // lgdt [0x500]
              + "0f20c0 6683c801 0f22c0" // CR0.PE
              + "66ea 1c800000 3000" // jmp 0x30:0x801c
              + "90 90 90 90 90 90 90 90");
      m.bytes(
          0x801c,
          "b820000000 0f22e0" // CR4.PAE
              + "b800001000 0f22d8" // CR3
              + "b9800000c0 0f32 0d00010000 0f30" // EFER.LME
              + "0f20c0 0d00000080 0f22c0" // CR0.PG
              + "ea 00900000 0800"); // jmp 0x08:0x9000
      m.bytes(0x9000, "48b8efcdab8967452301 f4");
      m.cpu.run(100);
      assertEquals("halt", m.recorder.last());
      assertEquals(0x0123_4567_89ab_cdefL, m.get(RAX));
      assertEquals(0x500, m.get(EFER));
      assertEquals(64, m.cpu.codeBits);
    }
  }

  @Test
  void leavingLongModeNeedsCompatibilityMode() {
    assertEquals("GP(0)", event64(0, "0f22c0"));
    try (Machine m = Machine.long64(0).code("0f22c0").set(RAX, 0x11)) {
      FarTransfers.jump(m.cpu, Machine.CODE32, Machine.CODE, 4);
      m.step();
      assertEquals("none", m.recorder.last());
      assertEquals(0x901, m.get(EFER));
      assertFalse(m.cpu.longMode());
    }
  }

  @Test
  void controlRegistersRefuseReservedBits() {
    try (Machine m = Machine.long64(0)) {
      Cpu c = m.cpu;
      assertEquals("GP(0)", Machine.fault(() -> ControlRegisters.writeCr0(c, 1L << 32)));
      assertEquals("GP(0)", Machine.fault(() -> ControlRegisters.writeCr0(c, 0x8000_0010L)));
      assertEquals("GP(0)", Machine.fault(() -> ControlRegisters.writeCr0(c, 0xa000_0011L)));
      assertEquals("GP(0)", Machine.fault(() -> ControlRegisters.writeCr3(c, 1L << 46)));
      assertEquals("GP(0)", Machine.fault(() -> ControlRegisters.writeCr4(c, 0x600)), "PAE");
      assertEquals("GP(0)", Machine.fault(() -> ControlRegisters.writeCr4(c, 0x2620)), "VMXE");
      assertEquals("GP(0)", Machine.fault(() -> ControlRegisters.writeCr8(c, 16)));
      assertEquals("GP(0)", Machine.fault(() -> ControlRegisters.writeEfer(c, 0x401)), "LME");
      assertEquals("GP(0)", Machine.fault(() -> ControlRegisters.writeEfer(c, 0x1501)));
      assertEquals("GP(0)", Machine.fault(() -> ControlRegisters.writeXcr(c, 0, 2)));
      assertEquals("GP(0)", Machine.fault(() -> ControlRegisters.writeXcr(c, 0, 7)));
      assertEquals("GP(0)", Machine.fault(() -> ControlRegisters.writeXcr(c, 1, 1)));
      assertEquals("none", Machine.fault(() -> ControlRegisters.writeXcr(c, 0, 3)));
      ControlRegisters.writeCr0(c, 0x8001_ffffL & ~0x2000_0000L);
      assertEquals(0x8001_003fL, m.get(CR0));
    }
    try (Machine m = Machine.protected32(0)) {
      m.memory.putLong(Machine.PDPT, Machine.PD | 3);
      m.set(CR4, 0x20).set(CR0, 0x8001_0031L);
      assertEquals("GP(0)", Machine.fault(() -> ControlRegisters.writeCr3(m.cpu, Machine.PDPT)));
    }
  }

  @Test
  void statusWordsAreTheLowPartOfCr0() {
    try (Machine m = Machine.long64(0).code("0f01e0 0f01f0 0f01e1 0f06")) {
      m.step();
      assertEquals(0x8001_0031L, m.get(RAX));
      m.set(RAX, 0xfffe).step();
      assertEquals(0x8001_003fL, m.get(CR0), "PE stays");
      m.run(2);
      assertEquals(0x8001_0037L, m.get(CR0), "CLTS");
    }
  }

  @Test
  void newPageTablesAreSeenAfterCr3AndInvlpg() {
    try (Machine m = Machine.long64(0).code("488b06 0f013e 488b1e 0f20d9 0f22d9 488b16")) {
      m.memory.putLong(0x4_0000, 1);
      m.memory.putLong(0x4_1000, 2);
      m.memory.putLong(0x4_2000, 3);
      m.set(RSI, 0x4_0000).step();
      m.memory.putLong(Machine.PT + 0x40 * 8, 0x4_1007);
      m.run(2);
      m.memory.putLong(Machine.PT + 0x40 * 8, 0x4_2007);
      m.run(3);
      assertEquals(1, m.get(RAX));
      assertEquals(2, m.get(RBX));
      assertEquals(3, m.get(RDX));
    }
  }

  @Test
  void modelSpecificRegistersKeepValidValues() {
    try (Machine m = Machine.long64(0)) {
      Cpu c = m.cpu;
      Msrs.write(c, Msrs.LSTAR, 0xffff_8000_0000_0000L);
      assertEquals(0xffff_8000_0000_0000L, Msrs.read(c, Msrs.LSTAR));
      for (int msr :
          new int[] {Msrs.LSTAR, Msrs.CSTAR, Msrs.FS_BASE, Msrs.GS_BASE, Msrs.KERNEL_GS_BASE}) {
        assertEquals("GP(0)", Machine.fault(() -> Msrs.write(c, msr, 1L << 47)));
      }
      assertEquals("GP(0)", Machine.fault(() -> Msrs.write(c, Msrs.PAT, 2)));
      assertEquals("none", Machine.fault(() -> Msrs.write(c, Msrs.PAT, 0x0007_0406_0105_0406L)));
      assertEquals("GP(0)", Machine.fault(() -> Msrs.write(c, Msrs.TSC_AUX, 1L << 32)));
      Msrs.write(c, Msrs.TSC, 100);
      assertEquals(100, Msrs.tsc(c));
      assertEquals(7, Msrs.read(c, 0x8b));
      assertEquals("rdmsr 8b", m.recorder.last());
      m.code("0f30 0f32").set(RCX, 0xc000_0102L).set(RAX, 0x1234).set(RDX, 0xffff_ffffL).run(2);
      assertEquals(0xffff_ffff_0000_1234L, m.get(KERNEL_GS_BASE));
      assertEquals(0xffff_ffffL, m.get(RDX));
    }
  }

  @Test
  void descriptorTablesAreLoadedAndStored() {
    try (Machine m = Machine.long64(0).code("0f0116 0f011e 0f0107 0f014f10")) {
      m.memory.putShort(0x4_0000, (short) 0x7f);
      m.memory.putLong(0x4_0002, 0xffff_8000_1234_5678L);
      m.set(RSI, 0x4_0000).set(RDI, 0x5_0000).run(4);
      assertEquals(0xffff_8000_1234_5678L, m.get(GDTR));
      assertEquals(0x7f, m.get(IDTR + 8));
      assertEquals(0xffff_8000_1234_5678L, m.memory.getLong(0x5_0002));
      assertEquals(0x7f, m.memory.getShort(0x5_0010));
    }
    try (Machine m = Machine.long64(0).code("0f0116").set(RSI, 0x4_0000)) {
      m.memory.putLong(0x4_0002, 1L << 47);
      assertEquals("GP(0)", m.step().recorder.last());
    }
    try (Machine m = Machine.protected32(0).code("660f0116 0f0107")) {
      m.memory.putLong(0x4_0000, 0x1234_5678_007fL);
      m.set(RSI, 0x4_0000).set(RDI, 0x5_0000).run(2);
      assertEquals(0x34_5678, m.get(GDTR), "a 24-bit base with a 16-bit operand");
      assertEquals(0x34_5678_007fL, m.memory.getLong(0x5_0000));
    }
  }

  @Test
  void segmentRegistersMoveThroughRegistersMemoryAndStack() {
    try (Machine m = Machine.long64(0).code("8ee0 8ce3 668ce3 8c26 0fa0 0fa9")) {
      m.set(RAX, 0xffff_0000L | Machine.USER_DATA).set(RBX, -1).set(RSI, 0x4_0000);
      m.run(2);
      assertEquals(Machine.USER_DATA, m.get(RBX), "zero-extended");
      m.set(RBX, -1).step();
      assertEquals(0xffff_ffff_ffff_0000L | Machine.USER_DATA, m.get(RBX));
      m.memory.putInt(0x4_0000, -1);
      m.step();
      assertEquals(0xffff_0000 | Machine.USER_DATA, m.memory.getInt(0x4_0000), "16 bits only");
      m.run(2);
      assertEquals(Machine.USER_DATA, m.selector(GS));
      assertEquals(Machine.STACK, m.get(RSP));
    }
    try (Machine m = Machine.protected32(0).code("1e 07 16 17")) {
      m.memory.putInt(Machine.STACK - 4, -1);
      m.step();
      assertEquals(0xffff_0000 | Machine.DATA, m.memory.getInt(Machine.STACK - 4));
      m.run(3);
      assertEquals(Machine.STACK, m.get(RSP));
      assertTrue(m.cpu.interruptShadow);
    }
    assertEquals("UD", event64(0, "8ec8"), "MOV to CS");
  }

  @Test
  void farPointersLoadSegmentAndRegisterTogether() {
    try (Machine m = Machine.long64(0).code("0fb41e 480fb51e")) {
      m.memory.putInt(0x4_0000, 0x1234_5678);
      m.memory.putInt(0x4_0004, Machine.USER_DATA);
      m.memory.putShort(0x4_0008, (short) Machine.READ_ONLY);
      m.set(RSI, 0x4_0000).step();
      assertEquals(0x1234_5678, m.get(RBX));
      assertEquals(Machine.USER_DATA, m.selector(FS));
      m.step();
      assertEquals(0x23_1234_5678L, m.get(RBX));
      assertEquals(Machine.READ_ONLY, m.selector(GS));
    }
    try (Machine m = Machine.protected32(0).code("c41e").set(RSI, 0x4_0000).set(RBX, 7)) {
      m.memory.putShort(0x4_0004, (short) Machine.TASK);
      assertEquals("GP(38)", m.step().recorder.last());
      assertEquals(7, m.get(RBX));
    }
  }

  @Test
  void farTransfersGoThroughMemoryOperands() {
    try (Machine m = Machine.long64(0).code("ff1e")) {
      m.memory.putInt(0x4_0000, Machine.HANDLER);
      m.memory.putShort(0x4_0004, (short) Machine.CODE32);
      m.bytes(Machine.HANDLER, "cb");
      m.set(RSI, 0x4_0000).step();
      assertEquals(Machine.HANDLER, m.get(RIP));
      assertEquals(32, m.cpu.codeBits);
      m.step();
      assertEquals(Machine.CODE + 2, m.get(RIP));
      assertEquals(64, m.cpu.codeBits);
    }
    try (Machine m = Machine.long64(0).code("48cf")) {
      long[] frame = {0x9000, Machine.USER_CODE64, 0x302, 0x5000, Machine.USER_DATA};
      for (int i = 0; i < 5; i++) {
        m.memory.putLong(Machine.STACK + i * 8, frame[i]);
      }
      m.bytes(0x9000, "90");
      m.step();
      assertEquals("none", m.recorder.last(), "TF traps after the next instruction");
      m.step();
      assertEquals("DB", m.recorder.last());
      assertEquals(0x9001, m.get(RIP));
      assertEquals(0x4000, m.get(DR6) & 0x4000);
    }
  }

  @Test
  void intAndSyscallTakeTheTrapFlagAwayWithoutATrap() {
    try (Machine m = Machine.long64(0).code("cd80")) {
      m.idt64(0x80, Machine.CODE64, Machine.HANDLER, 0x8e, 0);
      m.cpu.rflags(0x102);
      m.step();
      assertEquals("none", m.recorder.last());
      assertEquals(Machine.HANDLER, m.get(RIP));
    }
  }

  @Test
  void descriptorInspectionSetsZfAlone() {
    try (Machine m = Machine.long64(3).code("0f02d8 0f03d9 0f00e0 0f00e9 0f02d9")) {
      m.cpu.rflags(0x893);
      m.set(RAX, Machine.USER_DATA).set(RCX, Machine.USER_CODE64).step();
      assertEquals(0xcff300, m.get(RBX));
      assertEquals(0x8d3, m.cpu.rflags());
      m.step();
      assertEquals(0xffff_ffffL, m.get(RBX));
      m.step();
      assertEquals(0x8d3, m.cpu.rflags(), "readable");
      m.step();
      assertEquals(0x893, m.cpu.rflags(), "code is not writable");
      m.set(RCX, Machine.DATA).step();
      assertEquals(0x893, m.cpu.rflags());
      assertEquals(0xffff_ffffL, m.get(RBX), "unchanged");
    }
    try (Machine m = Machine.real().code("0f02d8")) {
      assertEquals("UD", m.step().recorder.last());
    }
    try (Machine m = Machine.protected32(0).code("63d8 63d8")) {
      m.set(RAX, 0x10).set(RBX, 0x22).step();
      assertEquals(0x12, m.get(RAX));
      assertTrue(Flags.zf(m.cpu));
      m.step();
      assertFalse(Flags.zf(m.cpu));
    }
  }

  @Test
  void segmentBasesAndXcr0NeedTheirCr4Bits() {
    assertEquals("UD", event64(3, "f30faec0"));
    assertEquals("UD", event64(3, "0f01d0"));
    try (Machine m = Machine.long64(3).code("f3480faed0 f3480faec3 f30faecb 0f01d0")) {
      m.set(CR4, 0x5_0620).set(RAX, 0xffff_8000_0000_0001L).set(GS_BASE, -1).run(2);
      assertEquals(0xffff_8000_0000_0001L, m.get(FS_BASE));
      assertEquals(0xffff_8000_0000_0001L, m.get(RBX), "with REX.W");
      m.step();
      assertEquals(0xffff_ffffL, m.get(RBX), "without");
      m.set(RCX, 0).step();
      assertEquals(1, m.get(RAX));
    }
    try (Machine m = Machine.long64(3).code("f3480faed0")) {
      m.set(CR4, 0x1_0620).set(RAX, 1L << 47);
      assertEquals("GP(0)", m.step().recorder.last());
    }
    try (Machine m = Machine.long64(0).code("0f01f8").set(GS_BASE, 1).set(KERNEL_GS_BASE, 2)) {
      m.step();
      assertEquals(2, m.get(GS_BASE));
      assertEquals(1, m.get(KERNEL_GS_BASE));
    }
  }

  @Test
  void undefinedInstructionsSayIllegalAndMonitorMwaitAreAmongThem() {
    for (String code : new String[] {"0f0b", "0fb9c0", "0fffc0", "0f01c8", "0f01c9", "0f01cb"}) {
      assertEquals("UD", event64(3, code), code);
    }
    assertEquals("none", event64(0, "0f01cb"));
  }

  @Test
  void hintsAndFencesDoNothing() {
    String[] codes = {
      "90",
      "f390",
      "0f1f00",
      "0f1f440000",
      "f30f1efa",
      "0f1806",
      "0f0d0e",
      "0faee8",
      "0faef0",
      "0faef8",
      "0fae3e",
      "660fae3e",
      "660fae36",
      "0f18c0"
    };
    for (String code : codes) {
      try (Machine m = Machine.long64(3).code(code).set(RSI, 0x4_0000).set(RAX, 0x4_0000)) {
        m.step();
        assertEquals("none", m.recorder.last(), code);
        assertEquals(Machine.CODE + code.length() / 2, m.get(RIP), code);
      }
    }
    try (Machine m = Machine.long64(3).code("0fae3e").set(RSI, 0x90_0000)) {
      assertEquals("PF(4)@900000", m.step().recorder.last(), "CLFLUSH reads");
    }
  }

  @Test
  void randomNumbersComeWithCarry() {
    try (Machine m = Machine.long64(3).code("480fc7f0 480fc7fb")) {
      m.cpu.rflags(0x8d6);
      m.run(2);
      assertEquals(3, m.cpu.rflags());
      assertNotEquals(m.get(RAX), m.get(RBX));
    }
  }

  @Test
  void decimalAdjustmentsFollowTheManual() {
    // code, AX before, flags before, AX after, CF and AF after
    Object[][] cases = {
      {"27", 0xae, 0x12, 0x14, 0x11},
      {"27", 0x35, 0x02, 0x35, 0x00},
      {"27", 0x9a, 0x02, 0x00, 0x11},
      {"2f", 0x47, 0x12, 0x41, 0x10},
      {"2f", 0x05, 0x12, 0xff, 0x11},
      {"2f", 0xee, 0x13, 0x88, 0x11},
      {"37", 0x0f, 0x02, 0x105, 0x11},
      {"37", 0xfa, 0x02, 0x200, 0x11},
      {"37", 0x35, 0x02, 0x05, 0x00},
      {"3f", 0x0f, 0x02, 0xff09, 0x11},
      {"3f", 0x105, 0x12, 0xff0f, 0x11},
      {"d40a", 0x4b, 0x02, 0x705, 0x00},
      {"d50a", 0x705, 0x02, 0x4b, 0x00},
    };
    for (Object[] row : cases) {
      try (Machine m = Machine.protected32(3).code((String) row[0])) {
        m.cpu.rflags((int) row[2]);
        m.set(RAX, (int) row[1]).step();
        String name = row[0] + " of " + Integer.toHexString((int) row[1]);
        assertEquals((int) row[3], m.get(RAX), name);
        if (!name.startsWith("d")) {
          assertEquals((int) row[4], m.cpu.rflags() & 0x11, name);
        }
      }
    }
    try (Machine m = Machine.protected32(3).code("d400")) {
      assertEquals("DE", m.step().recorder.last());
    }
  }

  @Test
  void boundComparesSigned() {
    try (Machine m = Machine.protected32(3).code("621e 621e").set(RSI, 0x4_0000)) {
      m.memory.putInt(0x4_0000, -5);
      m.memory.putInt(0x4_0004, 5);
      m.set(RBX, 0xffff_fffbL).step();
      assertEquals("none", m.recorder.last());
      m.set(RBX, 6).step();
      assertEquals("BR", m.recorder.last());
    }
  }

  @Test
  void nonCanonicalStackOperandsAreStackFaultsAndOthersAreNot() {
    long bad = 1L << 47;
    // code; whether #SS
    String[] stack = {
      "50",
      "58",
      "c3",
      "ff36",
      "e800000000",
      "488b4500",
      "48890424",
      "c9",
      "8f06",
      "9c",
      "9d",
      "c8000000"
    };
    for (String code : stack) {
      try (Machine m = Machine.long64(3).code(code)) {
        m.set(RSP, bad).set(RBP, bad).set(RSI, Machine.STACK).step();
        if (!code.equals("50")
            && !code.startsWith("e8")
            && !code.equals("9c")
            && !code.startsWith("ff")
            && !code.startsWith("c8")) {
          assertEquals("SS(0)", m.recorder.last(), code);
        }
      }
      try (Machine m = Machine.long64(3).code(code)) {
        m.set(RSP, bad + 64).set(RBP, bad + 64).set(RSI, Machine.STACK).step();
        assertEquals("SS(0)", m.recorder.last(), code);
      }
    }
    String[] others = {"488b06", "ff36", "8f06", "6448890424", "fa", "0f22e0", "0f011424"};
    for (String code : others) {
      try (Machine m = Machine.long64(3).code(code)) {
        m.set(RSI, bad).set(RAX, bad).set(FS_BASE, bad);
        if (code.startsWith("0f01")) {
          m.set(RSP, bad);
        }
        m.step();
        assertEquals("GP(0)", m.recorder.last(), code);
      }
    }
  }

  @Test
  void breakpointsHitCodeAndDataAndGuardTheDebugRegisters() {
    try (Machine m = Machine.long64(0).code("90 90 488906 90 488b06")) {
      m.set(DR, Machine.CODE + 1).set(DR + 8, 0x4_0004).set(DR7, 0x400 | 0x3 | 0xc | 0xd << 20);
      m.cpu.stateChanged();
      m.set(RSI, 0x4_0000).step();
      assertEquals("none", m.recorder.last());
      m.step();
      assertEquals("DB", m.recorder.last());
      assertEquals(Machine.CODE + 1, m.get(RIP), "before the instruction");
      assertEquals(1, m.get(DR6) & 15);
      m.recorder.stopped = false;
      m.cpu.rflags(Rflags.RF | 2);
      m.step();
      assertEquals(1, m.recorder.events.size(), "RF lets it pass");
      assertEquals(2, m.cpu.rflags(), "once");
      m.set(DR6, 0xffff_0ff0L).step();
      assertEquals(2, m.recorder.events.size());
      assertEquals(Machine.CODE + 5, m.get(RIP), "after the store");
      assertEquals(2, m.get(DR6) & 15);
      m.recorder.stopped = false;
      m.run(2);
      assertEquals(2, m.recorder.events.size(), "a write breakpoint ignores reads");
    }
    try (Machine m = Machine.long64(0).code("0f21f8").set(DR7, 0x2400)) {
      m.cpu.stateChanged();
      assertEquals("DB", m.step().recorder.last());
      assertEquals(0x2000, m.get(DR6) & 0x2000);
      assertEquals(0x400, m.get(DR7));
    }
  }

  @Test
  void debugRegistersHaveFixedBitsAndAliases() {
    try (Machine m = Machine.long64(0).code("0f23f0 0f23f8 0f21e3 0f23e8")) {
      m.set(RAX, 0xffff_ffffL).step();
      assertEquals(0xffff_effL << 4 | 0xf, m.get(DR6) | 0xf0);
      m.set(RAX, 0xffff_dc00L).step();
      assertEquals(0xffff_0400L, m.get(DR7));
      m.step();
      assertEquals(m.get(DR6), m.get(RBX), "DR4 is DR6");
      m.set(RAX, 1L << 32).step();
      assertEquals("GP(0)", m.recorder.last());
    }
    try (Machine m = Machine.long64(0).code("0f21e3")) {
      m.set(CR4, m.get(CR4) | 8);
      assertEquals("UD", m.step().recorder.last());
    }
  }

  @Test
  void cpuidFollowsTheTable() {
    try (Machine m = Machine.long64(3).code("0fa2")) {
      m.set(RAX, 0).step();
      assertEquals(0xd, m.get(RAX));
      assertEquals(0x756e_6547, m.get(RBX));
      assertEquals(0x4965_6e69, m.get(RDX));
      assertEquals(0x6c65_746e, m.get(RCX));
    }
  }
}
