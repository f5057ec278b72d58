package parhelion.toolstack.guest;

import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import parhelion.abi.Hypercall;

/** What a guest may try: it gets an error, a fault or its own end, and nobody else notices. */
@Timeout(60)
final class HostileGuestsTest {
  private static final int[] ALL_FAULTS = {0, 1, 3, 4, 5, 6, 7, 10, 11, 12, 13, 14, 16, 17, 19};
  private static final long NOWHERE = 0x1234_5678_9000L;
  private static final long NON_CANONICAL = 0x1234_0000_0000_0000L;

  private final HostileLab lab = new HostileLab();

  @AfterEach
  void close() {
    lab.close();
  }

  // --- control flow ---

  @Test
  void aGuestThatSpinsGetsItsShareAlone() {
    lab.run(new Code().spin()).stillRuns();
  }

  @Test
  void anExceptionWithoutHandlersEndsTheGuest() {
    lab.run(new Code().bytes(0x0f, 0x0b)).crashed("exception 6");
  }

  @Test
  void aJumpToNowhereEndsTheGuest() {
    lab.run(new Code().mov(Code.RAX, NOWHERE).bytes(0xff, 0xe0)).crashed("exception 14");
    lab.run(new Code().mov(Code.RAX, NON_CANONICAL).bytes(0xff, 0xe0)).crashed("exception 13");
  }

  @Test
  void aStackThatCannotTakeAFrameEndsTheGuest() {
    for (long rsp : new long[] {0, 8, NOWHERE, NON_CANONICAL, -1, Long.MIN_VALUE, Code.START}) {
      Code code = new Code().handlers(Code.START, ALL_FAULTS);
      HostileLab.End end = lab.run(code.mov(Code.RSP, rsp).bytes(0x0f, 0x0b));
      if (rsp != Code.START) {
        end.crashed("stack");
      }
    }
  }

  @Test
  void handlersThatFaultThemselvesEndTheGuest() {
    long[] handlers = {Code.DATA + 0x1000, NOWHERE, NON_CANONICAL, 0xffff_8000_0000_0000L};
    for (long handler : handlers) {
      Code code = new Code().store64(Code.DATA + 0x1000, 0x0b0f).handlers(handler, ALL_FAULTS);
      lab.run(code.mov(Code.RSP, Code.STACK_TOP).bytes(0x0f, 0x0b)).crashed("");
    }
  }

  @Test
  void anEndlessExceptionIsTheGuestsOwnTime() {
    Code code = new Code().handlers(Code.START + 0xf00, ALL_FAULTS).bytes(0x0f, 0x0b);
    while (code.here() < Code.START + 0xf00) {
      code.bytes(0x90);
    }
    lab.run(code.mov(Code.RSP, Code.STACK_TOP).bytes(0x0f, 0x0b)).stillRuns();
  }

  @Test
  void singleSteppingForEverIsTheGuestsOwnTime() {
    Code code = new Code();
    code.bytes(0xe9, 0xf8, 0, 0, 0); // over the handler
    while (code.here() < Code.START + 0x80) {
      code.bytes(0x90);
    }
    code.mov(Code.RSP, Code.STACK_TOP).bytes(0x9c, 0x80, 0x4c, 0x24, 1, 1, 0x9d, 0x90);
    code.spin();
    while (code.here() < Code.START + 0x100) {
      code.bytes(0x90);
    }
    code.handlers(Code.START + 0x80, ALL_FAULTS).jmp(Code.START + 0x80);
    lab.run(code).stillRuns();
    lab.run(
            new Code()
                .mov(Code.RSP, Code.STACK_TOP)
                .bytes(0x9c, 0x80, 0x4c, 0x24, 1, 1, 0x9d, 0x90, 0x90))
        .crashed("exception 1");
  }

  @Test
  void aStackInTheRunningCodeTakesFrames() {
    // The frame falls on code that has run, and on the faulting block itself.
    for (int at = 0x40; at < 0x140; at += 24) {
      Code code = new Code().handlers(Code.START + 0x300, ALL_FAULTS);
      code.mov(Code.RSP, Code.START + at).bytes(0x90, 0x90, 0x0f, 0x0b);
      while (code.here() < Code.START + 0x300) {
        code.bytes(0x90);
      }
      lab.run(code.mov(Code.RSP, Code.STACK_TOP).shutdown(0)).poweredOff();
    }
  }

  @Test
  @Timeout(120)
  void privilegedInstructionsFaultOrAreEmulated() {
    int[][] all = {
      {0xf4},
      {0xfa},
      {0xfb},
      {0x0f, 0x06},
      {0x0f, 0x08},
      {0x0f, 0x09},
      {0x0f, 0x20, 0xc0},
      {0x0f, 0x20, 0xd0},
      {0x0f, 0x20, 0xd8},
      {0x0f, 0x20, 0xe0},
      {0x44, 0x0f, 0x20, 0xc0},
      {0x0f, 0x22, 0xc0},
      {0x0f, 0x22, 0xd0},
      {0x0f, 0x22, 0xd8},
      {0x0f, 0x22, 0xe0},
      {0x44, 0x0f, 0x22, 0xc0},
      {0x0f, 0x21, 0xf8},
      {0x0f, 0x23, 0xf8},
      {0x0f, 0x23, 0xc0},
      {0x0f, 0x30},
      {0x0f, 0x32},
      {0x0f, 0x33},
      {0x0f, 0x01, 0x16},
      {0x0f, 0x01, 0x1e},
      {0x0f, 0x01, 0x06},
      {0x0f, 0x01, 0x0e},
      {0x0f, 0x01, 0x36},
      {0x0f, 0x01, 0x3e},
      {0x0f, 0x01, 0xf8},
      {0x0f, 0x01, 0xd1},
      {0x0f, 0x01, 0xd0},
      {0x0f, 0x01, 0xc1},
      {0x0f, 0x01, 0xc8},
      {0x0f, 0x01, 0xc9},
      {0x0f, 0x01, 0xd9},
      {0x0f, 0x00, 0xd0},
      {0x0f, 0x00, 0xd8},
      {0x0f, 0x07},
      {0x48, 0x0f, 0x07},
      {0x0f, 0x35},
      {0x0f, 0x34},
      {0x0f, 0xaa},
      {0x48, 0xcf},
      {0xcf},
      {0xcd, 0x80},
      {0xcd, 0x02},
      {0xf1},
      {0xce},
      {0xcc},
      {0xec},
      {0xed},
      {0xee},
      {0xef},
      {0xe4, 0xff},
      {0xe6, 0xff},
      {0x6c},
      {0x6f},
      {0x48, 0xcb},
      {0xff, 0x28},
      {0xff, 0x18},
      {0x8e, 0xd0},
      {0x8e, 0xd8},
      {0x9d},
      {0x0f, 0xae, 0x0e},
      {0x0f, 0xae, 0x2e},
      {0x0f, 0xc7, 0xf0},
      {0x66, 0x0f, 0x38, 0x82, 0x06}
    };
    for (int[] instruction : all) {
      for (long value : new long[] {0, -1, Code.DATA}) {
        Code code = new Code().mov(Code.RSI, Code.DATA).mov(Code.RDI, Code.DATA);
        code.mov(1, value).mov(2, value).mov(Code.RAX, value);
        lab.run(code.bytes(instruction).spin());
      }
    }
  }

  // --- hypercalls ---

  @Test
  void wildArgumentsOfEveryHypercallAreErrors() {
    Code code = new Code();
    long[] wild = {-1, Long.MIN_VALUE, 0xffff_8000_0000_0000L, (1L << 47) - 1, NOWHERE, 0x7fffffff};
    for (long value : wild) {
      code.mov(Code.RBP, value).bytes(0x31, 0xdb); // xor %ebx, %ebx
      long top = code.here();
      code.bytes(0x83, 0xfb, 23, 0x74, 17); // not iret
      code.bytes(0x89, 0xd8, 0x48, 0x89, 0xef, 0x48, 0x89, 0xee, 0x48, 0x89, 0xea);
      code.bytes(0x49, 0x89, 0xea, 0x90, 0x0f, 0x05); // mov %rbp, %r10; syscall
      code.bytes(0xff, 0xc3, 0x83, 0xfb, 64, 0x72, (int) (top - code.here() - 7));
    }
    lab.run(code.shutdown(0)).poweredOff();
  }

  @Test
  void aMulticallOfMulticallsIsAnError() {
    long list = Code.DATA + 0x100;
    Code code = new Code().store64(list, Hypercall.MULTICALL.nr()).store64(list + 16, list);
    code.store64(list + 24, 1);
    long top = code.here();
    code.hypercall(Hypercall.MULTICALL, list, 1);
    code.hypercall(Hypercall.MULTICALL, list, 0xffff_ffffL);
    code.hypercall(Hypercall.MULTICALL, list, -1).jmp(top);
    lab.run(code).stillRuns();
  }

  @Test
  void closingAllPortsLeavesTheHostsEndsAlone() {
    Code code = new Code();
    for (int port = 0; port < 12; port++) {
      code.store32(Code.DATA, port).hypercall(Hypercall.EVENT_CHANNEL_OP, 3, Code.DATA);
      code.hypercall(Hypercall.EVENT_CHANNEL_OP, 4, Code.DATA);
    }
    lab.run(code.shutdown(0)).poweredOff();
  }

  @Test
  void nonsenseInStartInfoAndRingsDoesNotReachTheHost() {
    for (int filling : new int[] {0xff, 0x7f, 0x80, 0x01, 0xaa}) {
      Code code = new Code();
      long top = code.here();
      code.bytes(0x4c, 0x89, 0xff).mov(1, 0x3000).mov(Code.RAX, filling).bytes(0xf3, 0xaa);
      for (int port = 1; port < 4; port++) {
        code.store32(Code.DATA, port).hypercall(Hypercall.EVENT_CHANNEL_OP, 4, Code.DATA);
      }
      lab.run(code.hypercall(Hypercall.SCHED_OP, 0, 0).jmp(top)).stillRuns();
    }
  }

  @Test
  void aFloodedConsoleIsTheGuestsOwnWait() {
    Code code = new Code();
    long top = code.here();
    // 2048 more bytes of output in the ring, and an event, for ever.
    code.bytes(0x41, 0x81, 0x87).bytes(0x0c, 0x2c, 0, 0).bytes(0, 8, 0, 0);
    for (int port = 1; port < 4; port++) {
      code.store32(Code.DATA, port).hypercall(Hypercall.EVENT_CHANNEL_OP, 4, Code.DATA);
    }
    lab.run(code.hypercall(Hypercall.CONSOLE_IO, 0, 4096, Code.START).jmp(top)).stillRuns();
  }

  @Test
  void stormsOfTimersAndEventsAreTheGuestsOwnTime() {
    Code code = new Code();
    code.handlers(Code.START, 14);
    code.store64(Code.DATA, 0).hypercall(Hypercall.EVENT_CHANNEL_OP, 1, Code.DATA); // VIRQ_TIMER
    code.store64(Code.DATA + 16, 0).hypercall(Hypercall.EVENT_CHANNEL_OP, 7, Code.DATA + 16);
    code.store64(Code.DATA + 32, 1).hypercall(Hypercall.VCPU_OP, 6, 0, Code.DATA + 32);
    code.store64(Code.DATA + 32, 1_000_000).hypercall(Hypercall.VCPU_OP, 6, 0, Code.DATA + 32);
    long top = code.here();
    code.store32(Code.DATA + 40, 4).hypercall(Hypercall.EVENT_CHANNEL_OP, 4, Code.DATA + 40);
    code.store32(Code.DATA + 40, 3).hypercall(Hypercall.EVENT_CHANNEL_OP, 4, Code.DATA + 40);
    lab.run(code.hypercall(Hypercall.SET_TIMER_OP, 1).jmp(top)).stillRuns();
  }

  @Test
  void anEventWithoutACallbackEndsTheGuest() {
    Code code = new Code();
    code.store64(Code.DATA, 0).hypercall(Hypercall.EVENT_CHANNEL_OP, 7, Code.DATA);
    for (int port = 1; port < 6; port++) {
      code.store32(Code.DATA, port).hypercall(Hypercall.EVENT_CHANNEL_OP, 9, Code.DATA);
      code.hypercall(Hypercall.EVENT_CHANNEL_OP, 4, Code.DATA);
    }
    lab.run(code.hypercall(Hypercall.SCHED_OP, 1, 0).spin()).crashed("event callback");
  }

  // --- memory ---

  @Test
  void givingAwayAllMemoryIsSurvivedByTheHost() {
    Code code = new Code();
    code.bytes(0x49, 0x8b, 0x47, 0x68).mov(Code.RBX, Code.DATA).bytes(0x48, 0x89, 0x03);
    code.store64(Code.DATA + 8, 2048).store64(Code.DATA + 16, 0);
    code.store32(Code.DATA + 24, 0x7ff0);
    lab.run(code.hypercall(Hypercall.MEMORY_OP, 1, Code.DATA).spin());
  }

  @Test
  void unmappingItsOwnCodeEndsTheGuest() {
    Code code = new Code().hypercall(Hypercall.UPDATE_VA_MAPPING, Code.START, 0, 2);
    lab.run(code.spin()).crashed("exception 14");
  }

  @Test
  void pinningGarbageIsAnError() {
    Code code = new Code();
    for (int cmd = 0; cmd < 20; cmd++) {
      for (long mfn : new long[] {0, 5, -1}) {
        code.store64(Code.DATA + 8, mfn).store64(Code.DATA, cmd);
        code.mov(10, 0x7ff0);
        code.hypercall(Hypercall.MMUEXT_OP, Code.DATA, 1, 0);
      }
      if (cmd % 5 == 4) {
        lab.run(code.shutdown(0));
        code = new Code();
      }
    }
  }

  // --- the decoded code ---

  @Test
  void codeThatRewritesItselfForEverGoesOn() {
    Code code = new Code().mov(Code.RBP, Code.DATA).mov(Code.RBX, Code.START + 0x201);
    code.jmp(Code.START + 0x200);
    while (code.here() < Code.START + 0x200) {
      code.bytes(0x90);
    }
    long top = code.here();
    code.bytes(0xb8, 1, 0, 0, 0); // mov $1, %eax: the number is the one that is rewritten
    code.bytes(0xfe, 0x03, 0x48, 0xff, 0x45, 0).jmp(top);
    HostileLab.End end = lab.run(code);
    end.stillRuns();
    assertTrue(end.data() > 1_000, "rounds: " + end.data());
  }

  @Test
  void codeOnAllAddressesGoesOn() {
    Code code = new Code().mov(Code.RSP, Code.START + 0x7000).mov(Code.RBP, Code.DATA);
    long top = code.here();
    code.mov(Code.RDI, Code.START + 0x8000).mov(1, 0x4000).mov(Code.RAX, 0xc3).bytes(0xf3, 0xaa);
    code.mov(Code.RBX, Code.START + 0x8000);
    long each = code.here();
    code.bytes(0xff, 0xd3, 0x48, 0xff, 0xc3); // call *%rbx; inc %rbx
    code.bytes(0x48, 0x81, 0xfb, 0, 0xc0, 0x10, 0x80); // cmp with the end
    code.bytes(0x72, (int) (each - code.here() - 2));
    HostileLab.End end = lab.run(code.bytes(0x48, 0xff, 0x45, 0).jmp(top));
    end.stillRuns();
    assertTrue(end.data() > 1, "rounds: " + end.data());
  }

  // --- the end ---

  @Test
  void anUnknownReasonToShutDownIsACrash() {
    lab.run(new Code().shutdown(77)).crashed("");
  }

  @Test
  void theLastVcpuToGoDownPowersOff() {
    lab.run(new Code().hypercall(Hypercall.VCPU_OP, 2, 0, 0).spin()).poweredOff();
    Code code = new Code().hypercall(Hypercall.VCPU_OP, 2, 1, 0);
    lab.run(code.hypercall(Hypercall.VCPU_OP, 2, 0, 0).spin(), 2).poweredOff();
  }

  @Test
  void waitingForNothingCostsNothing() {
    long polled = Code.DATA + 0x20;
    Code code = new Code().store64(polled, Code.DATA).store64(polled + 8, 0);
    lab.run(code.hypercall(Hypercall.SCHED_OP, 3, polled).spin()).stillRuns();
  }
}
