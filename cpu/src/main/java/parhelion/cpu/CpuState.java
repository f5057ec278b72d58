package parhelion.cpu;

import static parhelion.cpu.memory.Host.U;

/**
 * Layout of one virtual CPU's architectural state: a block of host memory of {@link #SIZE} bytes,
 * little-endian, with every field at a fixed offset. Saving a CPU is copying this block (after
 * {@link Cpu#materializeFlags}). General registers are addressed by offset, so that AL, AH, AX, EAX
 * and RAX are just different widths at the same place.
 */
public final class CpuState {
  /** RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8..R15, 8 bytes each. */
  public static final int GPR = 0x000;

  public static final int RAX = GPR;
  public static final int RCX = GPR + 8;
  public static final int RDX = GPR + 16;
  public static final int RBX = GPR + 24;
  public static final int RSP = GPR + 32;
  public static final int RBP = GPR + 40;
  public static final int RSI = GPR + 48;
  public static final int RDI = GPR + 56;
  public static final int R8 = GPR + 64;
  public static final int R9 = GPR + 72;
  public static final int R10 = GPR + 80;
  public static final int R11 = GPR + 88;

  /** Always 0: stands for an absent base, index or segment base in an address computation. */
  public static final int ZERO = 0x080;

  /** Address of the first instruction of the running block: base of RIP-relative addresses. */
  public static final int RIP_BASE = 0x088;

  public static final int RIP = 0x090;

  /** RFLAGS without the six arithmetic flags, which {@link Cpu} keeps lazily. */
  public static final int RFLAGS = 0x098;

  /** Base addresses of ES, CS, SS, DS, FS, GS, 8 bytes each. */
  public static final int SEG_BASE = 0x0a0;

  public static final int FS_BASE = SEG_BASE + 4 * 8;
  public static final int GS_BASE = SEG_BASE + 5 * 8;

  /** Limits in bytes (unsigned 32 bits in 8 bytes) of ES..GS. */
  public static final int SEG_LIMIT = 0x0d0;

  /** Selectors of ES..GS. */
  public static final int SEG_SELECTOR = 0x100;

  /**
   * Attributes of ES..GS: descriptor bits 40..55 shifted down to bit 0 (type, S, DPL, P, AVL, L,
   * D/B, G).
   */
  public static final int SEG_ATTR = 0x130;

  /** LDTR and TR: selector, base, limit, attributes, 8 bytes each. */
  public static final int LDTR = 0x160;

  public static final int TR = 0x180;

  /** GDTR and IDTR: base, limit, 8 bytes each. */
  public static final int GDTR = 0x1a0;

  public static final int IDTR = 0x1b0;

  public static final int CR0 = 0x1c0;
  public static final int CR2 = 0x1c8;
  public static final int CR3 = 0x1d0;
  public static final int CR4 = 0x1d8;
  public static final int CR8 = 0x1e0;
  public static final int XCR0 = 0x1e8;
  public static final int EFER = 0x1f0;

  /** DR0..DR7, 8 bytes each. */
  public static final int DR = 0x200;

  public static final int DR6 = DR + 6 * 8;
  public static final int DR7 = DR + 7 * 8;

  public static final int STAR = 0x240;
  public static final int LSTAR = 0x248;
  public static final int CSTAR = 0x250;
  public static final int FMASK = 0x258;
  public static final int KERNEL_GS_BASE = 0x260;
  public static final int TSC_AUX = 0x268;
  public static final int SYSENTER_CS = 0x270;
  public static final int SYSENTER_ESP = 0x278;
  public static final int SYSENTER_EIP = 0x280;
  public static final int PAT = 0x288;
  public static final int APIC_BASE = 0x290;
  public static final int MISC_ENABLE = 0x298;
  public static final int TSC_OFFSET = 0x2a0;

  /** Instructions retired. */
  public static final int RETIRED = 0x2a8;

  /** Current privilege level, 8 bytes. */
  public static final int CPL = 0x2b0;

  /**
   * Bounds of the large pages of which the TLBs may hold parts: lowest address, and highest, 8
   * bytes each. Not architectural: follows the TLBs.
   */
  public static final int LOWEST_LARGE = 0x2b8;

  public static final int HIGHEST_LARGE = 0x2c0;

  /**
   * Not 0 if an interrupt waits for IF: kept by monitors that {@link Monitor#showsInterrupts}, 8
   * bytes. Not architectural.
   */
  public static final int INTERRUPT_WAITS = 0x2c8;

  /** YMM0..YMM15 in slots of 32 bytes, XMM0..XMM15 their lower halves. */
  public static final int XMM = 0x400;

  /** The upper half of YMM0; those of the others have the same distance as the lower halves. */
  public static final int YMM_HIGH = XMM + 16;

  public static final int XMM_STRIDE = 32;

  /**
   * x87 data registers R0..R7 (physical), 16-byte slots: significand 8 bytes, then sign and
   * exponent 2 bytes.
   */
  public static final int X87 = 0x600;

  /**
   * x87 control, status (TOP inside) and tag words (full, two bits a register; physical), 2 bytes
   * in 8-byte slots.
   */
  public static final int FCW = 0x680;

  public static final int FSW = 0x688;
  public static final int FTW = 0x690;
  public static final int FOP = 0x698;
  public static final int FIP = 0x6a0;
  public static final int FDP = 0x6a8;
  public static final int FCS = 0x6b0;
  public static final int FDS = 0x6b8;
  public static final int MXCSR = 0x6c0;

  public static final int SIZE = 0x1000;

  public static final int ES = 0;
  public static final int CS = 1;
  public static final int SS = 2;
  public static final int DS = 3;
  public static final int FS = 4;
  public static final int GS = 5;

  private CpuState() {}

  /** Gives the state its values after reset: flat 64-bit mode is for the owner to set up. */
  static void reset(long state) {
    U.setMemory(state, SIZE, (byte) 0);
    U.putLong(state + RFLAGS, Rflags.FIXED);
    U.putLong(state + FCW, 0x37f);
    U.putLong(state + FTW, 0xffff);
    U.putLong(state + MXCSR, 0x1f80);
    U.putLong(state + CR0, 0x60000010L);
    U.putLong(state + XCR0, 1);
    U.putLong(state + PAT, 0x0007040600070406L);
    U.putLong(state + MISC_ENABLE, 1); // fast strings
    U.putLong(state + DR6, 0xffff0ff0L);
    U.putLong(state + DR7, 0x400);
    for (int s = 0; s < 6; s++) {
      U.putLong(state + SEG_LIMIT + s * 8, 0xffff);
      U.putLong(state + SEG_ATTR + s * 8, s == CS ? 0x9b : 0x93);
    }
  }
}
