package parhelion.xen;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static parhelion.cpu.CpuState.*;

import java.io.ByteArrayOutputStream;
import java.util.HexFormat;
import java.util.Random;
import java.util.zip.CRC32;
import org.junit.jupiter.api.Test;
import parhelion.cpu.Cpu;
import parhelion.cpu.CpuState;
import parhelion.cpu.Engine;
import parhelion.cpu.EngineUnavailableException;
import parhelion.cpu.PageWalker;
import parhelion.cpu.Rflags;
import parhelion.cpu.decode.Mnemonic;
import parhelion.cpu.memory.MachineMemory;

/**
 * System calls, the iret hypercall and IN in generated code do what they do in Java: the same
 * guest, a user program that makes system calls and a kernel that returns from them, on both
 * engines, with everything random that the way depends on.
 */
final class NativeEntriesTest {
  private static final int CASES = Boolean.getBoolean("parhelion.fast") ? 300 : 3000;
  private static final int CALLS = 20;

  /** Kinds of IRETQ in the kernel, the first of which is none. */
  private static final int KERNEL_IRETS = 7;

  private static final int NO_IN = -1;

  private static final long SEED = Long.getLong("parhelion.seed", 1);

  /** Where both sides end: in user mode, in the event handler, in the handler of exceptions. */
  private static final long USER_END = FakeGuest.USER_CODE + 0x100;

  private static final long EVENT = FakeGuest.HANDLER + 0x400;
  private static final long SYSCALL_ENTRY = FakeGuest.HANDLER + 0x500;
  private static final long LAST_STACK = FakeGuest.USER_STACK_TOP;

  private static final int[] GPRS = {RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9, R10, R11};

  /** A random situation. */
  private record Situation(
      long kernelSp,
      long userSp,
      long userFlags,
      int flagsWord,
      int selectors,
      boolean masked,
      boolean pending,
      boolean masksEvents,
      boolean nmiMasked,
      boolean iopl,
      int frameFlagsXor,
      int kernelIret,
      int in,
      int virtualIopl,
      long registers) {
    static Situation of(Random r) {
      long kernelSp =
          FakeGuest.STACK_TOP - (r.nextInt(8) == 0 ? r.nextInt(8192) : 8L * r.nextInt(64));
      long userSp = FakeGuest.USER_STACK_TOP - r.nextInt(4096);
      long flags = Rflags.IF | Rflags.FIXED | r.nextInt() & Rflags.ARITHMETIC;
      if (r.nextInt(4) == 0) {
        flags |= r.nextInt() & (Rflags.DF | Rflags.AC | Rflags.ID | Rflags.NT);
      }
      return new Situation(
          kernelSp,
          userSp,
          flags,
          r.nextBoolean() ? 0x100 : 0,
          r.nextInt(4),
          r.nextInt(4) == 0,
          r.nextInt(8) == 0,
          r.nextInt(8) != 0,
          r.nextInt(8) == 0,
          r.nextInt(8) == 0,
          r.nextInt(4) != 0 ? 0 : 1 << r.nextInt(22) & ~Rflags.TF,
          r.nextInt(4) == 0 ? r.nextInt(KERNEL_IRETS) : 0,
          r.nextInt(4) != 0 ? NO_IN : r.nextInt(4) == 0 ? 0x70 : r.nextInt(256),
          r.nextInt(4) == 0 ? 0 : 1 + r.nextInt(3),
          r.nextLong());
    }
  }

  private static final class Side implements AutoCloseable {
    final FakeGuest g;
    final Vcpu v;

    Side(Engine engine) {
      VirtualClock clock = new VirtualClock(1_700_000_000_123_456_789L);
      g = new FakeGuest(new Hypervisor(new MachineMemory(4096), clock, engine), 1);
      v = g.vcpu();
      long gdt = PageWalker.lookup(g.cpu(), g.l4 << 12, FakeGuest.READ_ONLY) >>> 12;
      g.memory.putLong((gdt << 12) + 0x28, 0x00cf_f300_0000_ffffL);
      g.memory.putLong((gdt << 12) + 0x30, 0x00af_fb00_0000_ffffL);
      v.descriptorTables().setGdt(new long[] {gdt}, 16);
      v.setUserCr3(g.l4 << 12);
    }

    void prepare(Situation s) {
      Cpu cpu = g.cpu();
      if (!v.state.kernelMode) {
        v.toggleMode();
      }
      for (int i = 0; i < 32; i++) {
        v.state.trapAddress[i] = EVENT;
      }
      v.state.trapAddress[2] = 0;
      v.state.eventCallback = EVENT;
      v.state.syscallCallback = SYSCALL_ENTRY;
      v.state.syscallMasksEvents = s.masksEvents;
      v.state.nmiMasked = s.nmiMasked;
      v.state.iopl = s.virtualIopl;
      v.domain().cmosIndex = 0x2a;
      v.state.kernelSp = s.kernelSp;
      v.domain().vmAssist = s.iopl ? v.domain().vmAssist | 1 << 5 : v.domain().vmAssist & ~(1 << 5);
      DescriptorTables.setFlat64(cpu);
      g.write(EVENT, 0xeb, 0xfe);
      g.write(USER_END, 0xeb, 0xfe);
      writeUser();
      writeKernel(s);
      Random r = new Random(s.registers);
      v.toggleMode();
      for (int register : GPRS) {
        cpu.put64(register, r.nextLong());
      }
      cpu.put64(GS_BASE, 0x1111);
      cpu.put64(KERNEL_GS_BASE, 0x2222);
      cpu.put64(RBP, CALLS);
      cpu.put64(RSP, s.userSp);
      cpu.rip(FakeGuest.USER_CODE);
      cpu.rflags(s.userFlags);
      cpu.interruptShadow = false;
      cpu.updateSlow();
      long info = v.state.vcpuInfoPa;
      g.memory.putByte(info, (byte) 0);
      v.setUpcallMask(s.masked);
      if (s.pending) {
        g.memory.putByte(info, (byte) 1);
      }
      cpu.clearAttention();
    }

    /** dec ebp, with the flags after it seen by the kernel; system call; until it is 0. */
    private void writeUser() {
      ByteArrayOutputStream c = new ByteArrayOutputStream();
      int[] body = {0x0f, 0x05, 0xff, 0xcd, 0x75, 0xfa}; // syscall; dec ebp; jnz
      for (int b : body) {
        c.write(b);
      }
      int distance = (int) (USER_END - (FakeGuest.USER_CODE + c.size() + 5));
      c.write(0xe9);
      for (int i = 0; i < 4; i++) {
        c.write(distance >> 8 * i);
      }
      put(FakeGuest.USER_CODE, c);
    }

    /** Turns the frame of the system call into one for iret. */
    private void writeKernel(Situation s) {
      ByteArrayOutputStream c = new ByteArrayOutputStream();
      hex(c, "59 41 5b"); // pop rcx; pop r11
      if (s.kernelIret != 0) {
        kernelIret(c, s);
      }
      if (s.in != NO_IN) {
        c.write(0xe4); // in al, imm
        c.write(s.in);
      }
      hex(c, "48 81 74 24 10"); // xor qword [rsp+16], imm: rflags
      for (int i = 0; i < 4; i++) {
        c.write(s.frameFlagsXor >> 8 * i);
      }
      if (s.selectors == 1 || s.selectors == 2) {
        hex(c, "48 c7 44 24 08 33 00 00 00"); // cs
        hex(c, "48 c7 44 24 20 2b 00 00 00"); // ss
      } else if (s.selectors == 3) {
        hex(c, "48 c7 44 24 20 00 00 00 00"); // a null ss
      }
      hex(c, s.flagsWord == 0 ? "6a 00" : "68 00 01 00 00");
      hex(c, "51 41 53 50"); // push rcx, r11, rax
      hex(c, "b8 17 00 00 00 0f 05"); // iret
      put(SYSCALL_ENTRY, c);
    }

    /** IRETQ to the next instruction, plain or not quite. */
    private static void kernelIret(ByteArrayOutputStream c, Situation s) {
      hex(c, "49 89 e2 41 b9"); // mov r10, rsp; mov r9d, ss
      hex(c, s.kernelIret == 2 ? "00 00 00 00" : s.kernelIret == 3 ? "2b 00 00 00" : "2b e0 00 00");
      hex(c, "41 51 41 52 9c 48 81 34 24"); // push r9; push r10; pushf; xor [rsp], imm
      for (int i = 0; i < 4; i++) {
        c.write(s.frameFlagsXor >> 8 * i);
      }
      hex(c, "41 b9"); // mov r9d, cs
      hex(c, s.kernelIret == 4 ? "33 00 00 00" : s.kernelIret == 5 ? "00 00 00 00" : "33 e0 00 00");
      hex(c, "41 51 4c 8d 0d"); // push r9; lea r9, [rip + over what follows]
      if (s.kernelIret == 6) {
        hex(c, "0d 00 00 00 49 0f ba f9 30"); // btc r9, 48: not canonical
        hex(c, "90 90 90 90"); // nop
      } else {
        hex(c, "04 00 00 00");
      }
      hex(c, "41 51 48 cf"); // push r9; iretq
    }

    private static void hex(ByteArrayOutputStream c, String text) {
      c.writeBytes(HexFormat.of().parseHex(text.replace(" ", "")));
    }

    private void put(long va, ByteArrayOutputStream code) {
      byte[] bytes = code.toByteArray();
      for (int i = 0; i < bytes.length; i++) {
        if (g.memory.getByte(g.pa(va + i)) != bytes[i]) {
          g.memory.putByte(g.pa(va + i), bytes[i]);
        }
      }
    }

    /** Runs until it stands still, and tells all that there is to see. */
    String outcome(Situation s) {
      prepare(s);
      for (int i = 0; i < 50 && !ended(); i++) {
        g.step();
      }
      Cpu cpu = g.cpu();
      StringBuilder t = new StringBuilder();
      t.append("rip %x mode %b flags %x%n".formatted(cpu.rip(), v.state.kernelMode, cpu.rflags()));
      for (int register : GPRS) {
        t.append("%x: %x%n".formatted(register, cpu.get64(register)));
      }
      for (int segment = 0; segment < 6; segment++) {
        int at = segment * 8;
        t.append(
            "segment %d: %x %x %x %x%n"
                .formatted(
                    segment,
                    cpu.get64(SEG_SELECTOR + at),
                    cpu.get64(SEG_BASE + at),
                    cpu.get64(SEG_LIMIT + at),
                    cpu.get64(SEG_ATTR + at)));
      }
      t.append("cr3 %x gs %x%n".formatted(cpu.get64(CR3), cpu.get64(CpuState.KERNEL_GS_BASE)));
      t.append(
          "mask %d nmi %b iopl %d%n"
              .formatted(v.upcallMaskByte(), v.state.nmiMasked, v.state.iopl));
      t.append("ins %d%n".formatted(g.hypervisor.trapStats().emulatedCount(Mnemonic.IN)));
      t.append("crash ").append(g.domain.crashReason()).append('\n');
      t.append("stacks %x%n".formatted(checksum()));
      return t.toString();
    }

    private boolean ended() {
      long rip = g.cpu().rip();
      return rip == USER_END || rip == EVENT || g.domain.crashReason() != null;
    }

    private long checksum() {
      CRC32 sum = new CRC32();
      byte[] page = new byte[4096];
      for (long va = FakeGuest.STACK_TOP - 0x4000; va < LAST_STACK; va += 4096) {
        g.memory.read(g.pa(va), page, 0, 4096);
        sum.update(page);
      }
      return sum.getValue();
    }

    @Override
    public void close() {
      g.close();
    }
  }

  @Test
  void bothEnginesComeToTheSameByAllWays() {
    Random r = new Random(SEED);
    Side java = new Side(Engine.INTERPRETER);
    Side generated = rewriting();
    try {
      for (int i = 0; i < CASES; i++) {
        Situation s = Situation.of(r);
        String wanted = java.outcome(s);
        assertEquals(wanted, generated.outcome(s), "seed " + SEED + ", case " + i + ": " + s);
        if (java.g.domain.crashReason() != null) {
          java.close();
          generated.close();
          java = new Side(Engine.INTERPRETER);
          generated = rewriting();
        }
      }
    } finally {
      java.close();
      generated.close();
    }
  }

  @Test
  void theEverydayWayIsNotJavas() {
    try (Side side = rewriting()) {
      Situation s =
          new Situation(
              FakeGuest.STACK_TOP,
              LAST_STACK - 64,
              Rflags.IF | 2,
              0,
              1,
              false,
              false,
              true,
              false,
              false,
              0,
              1,
              0x42,
              3,
              1);
      for (int i = 0; i < 10; i++) {
        side.outcome(s);
      }
      long syscalls =
          side.g.hypervisor.code().engineStats().interpreted().stream()
              .filter(count -> count.name().equals("SYSCALL"))
              .mapToLong(count -> count.count())
              .sum();
      assertTrue(
          syscalls < 10 * CALLS, syscalls + " system calls and hypercalls by the interpreter");
      assertTrue(
          side.g.hypervisor.code().engineStats().interpreted().stream()
              .noneMatch(count -> count.name().equals("IRET") && count.count() > CALLS),
          "IRETQ by the interpreter");
      assertTrue(
          side.g.hypervisor.code().engineStats().interpreted().stream()
              .noneMatch(count -> count.name().equals("IN") && count.count() > CALLS),
          "IN by the interpreter");
      assertEquals(10 * CALLS, side.g.hypervisor.trapStats().emulatedCount(Mnemonic.IN));
      assertEquals(
          10 * CALLS,
          side.g.hypervisor.hypercalls().stats().count(23),
          "all are counted all the same");
    }
  }

  private static Side rewriting() {
    try {
      return new Side(Engine.REWRITER);
    } catch (EngineUnavailableException e) {
      assumeTrue(false, e.getMessage());
      throw e;
    }
  }
}
