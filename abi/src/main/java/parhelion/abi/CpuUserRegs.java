package parhelion.abi;

import parhelion.abi.Field.U16;
import parhelion.abi.Field.U32;
import parhelion.abi.Field.U64;
import parhelion.abi.Field.U8;

/** {@code struct cpu_user_regs} ({@code xen-x86_64.h}): the registers of a guest context. */
public final class CpuUserRegs {
  private CpuUserRegs() {}

  public static final Struct STRUCT = Struct.of("cpu_user_regs", "arch-x86/xen-x86_64.h", 200);
  public static final U64 R15 = STRUCT.u64("r15", 0);
  public static final U64 R14 = STRUCT.u64("r14", 8);
  public static final U64 R13 = STRUCT.u64("r13", 16);
  public static final U64 R12 = STRUCT.u64("r12", 24);
  public static final U64 RBP = STRUCT.u64("rbp", 32);
  public static final U64 RBX = STRUCT.u64("rbx", 40);
  public static final U64 R11 = STRUCT.u64("r11", 48);
  public static final U64 R10 = STRUCT.u64("r10", 56);
  public static final U64 R9 = STRUCT.u64("r9", 64);
  public static final U64 R8 = STRUCT.u64("r8", 72);
  public static final U64 RAX = STRUCT.u64("rax", 80);
  public static final U64 RCX = STRUCT.u64("rcx", 88);
  public static final U64 RDX = STRUCT.u64("rdx", 96);
  public static final U64 RSI = STRUCT.u64("rsi", 104);
  public static final U64 RDI = STRUCT.u64("rdi", 112);
  public static final U32 ERROR_CODE = STRUCT.u32("error_code", 120);
  public static final U32 ENTRY_VECTOR = STRUCT.u32("entry_vector", 124);
  public static final U64 RIP = STRUCT.u64("rip", 128);
  public static final U16 CS = STRUCT.u16("cs", 136);
  public static final U8 SAVED_UPCALL_MASK = STRUCT.u8("saved_upcall_mask", 140);
  public static final U64 RFLAGS = STRUCT.u64("rflags", 144);
  public static final U64 RSP = STRUCT.u64("rsp", 152);
  public static final U16 SS = STRUCT.u16("ss", 160);
  public static final U16 ES = STRUCT.u16("es", 168);
  public static final U16 DS = STRUCT.u16("ds", 176);
  public static final U16 FS = STRUCT.u16("fs", 184);
  public static final U16 GS = STRUCT.u16("gs", 192);
}
