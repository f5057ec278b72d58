package parhelion.abi;

import parhelion.abi.Field.U64;

/**
 * {@code struct iret_context}: what {@code iret} finds at the guest's stack pointer ({@code
 * xen-x86_64.h}); {@code flags} is 0 or {@link Vgcf#IN_SYSCALL}.
 */
public record IretContext(
    long rax, long r11, long rcx, long flags, long rip, long cs, long rflags, long rsp, long ss) {
  public static final Struct STRUCT = Struct.of("iret_context", "arch-x86/xen-x86_64.h", 72);
  public static final U64 RAX = STRUCT.u64("rax", 0);
  public static final U64 R11 = STRUCT.u64("r11", 8);
  public static final U64 RCX = STRUCT.u64("rcx", 16);
  public static final U64 FLAGS = STRUCT.u64("flags", 24);
  public static final U64 RIP = STRUCT.u64("rip", 32);
  public static final U64 CS = STRUCT.u64("cs", 40);
  public static final U64 RFLAGS = STRUCT.u64("rflags", 48);
  public static final U64 RSP = STRUCT.u64("rsp", 56);
  public static final U64 SS = STRUCT.u64("ss", 64);

  public static IretContext read(Bytes b, long at) {
    return new IretContext(
        RAX.get(b, at),
        R11.get(b, at),
        RCX.get(b, at),
        FLAGS.get(b, at),
        RIP.get(b, at),
        CS.get(b, at),
        RFLAGS.get(b, at),
        RSP.get(b, at),
        SS.get(b, at));
  }
}
