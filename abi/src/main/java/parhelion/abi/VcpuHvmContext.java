package parhelion.abi;

import parhelion.abi.Field.Part;
import parhelion.abi.Field.U16;
import parhelion.abi.Field.U32;
import parhelion.abi.Field.U64;

/**
 * {@code struct vcpu_hvm_context} ({@code hvm/hvm_vcpu.h}): the state in which VCPUOP_initialise
 * starts a vcpu of a fully virtualised domain, in 32-bit or in 64-bit mode.
 */
public final class VcpuHvmContext {
  private VcpuHvmContext() {}

  /** Values of {@link #MODE}. */
  @XenNames(header = "hvm/hvm_vcpu.h", prefix = "VCPU_HVM_")
  public static final class Value {
    private Value() {}

    public static final int MODE_32B = 0;
    public static final int MODE_64B = 1;
  }

  public static final Struct STRUCT = Struct.of("vcpu_hvm_context", "hvm/hvm_vcpu.h", 128);
  public static final U32 MODE = STRUCT.u32("mode", 0);
  public static final Part X86_32 = STRUCT.part("cpu_regs.x86_32", 8, Bits32.STRUCT);
  public static final Part X86_64 = STRUCT.part("cpu_regs.x86_64", 8, Bits64.STRUCT);

  /** {@code struct vcpu_hvm_x86_32}: segments are given as base, limit and attributes. */
  public static final class Bits32 {
    private Bits32() {}

    public static final Struct STRUCT = Struct.of("vcpu_hvm_x86_32", "hvm/hvm_vcpu.h", 120);
    public static final U32 EAX = STRUCT.u32("eax", 0);
    public static final U32 ECX = STRUCT.u32("ecx", 4);
    public static final U32 EDX = STRUCT.u32("edx", 8);
    public static final U32 EBX = STRUCT.u32("ebx", 12);
    public static final U32 ESP = STRUCT.u32("esp", 16);
    public static final U32 EBP = STRUCT.u32("ebp", 20);
    public static final U32 ESI = STRUCT.u32("esi", 24);
    public static final U32 EDI = STRUCT.u32("edi", 28);
    public static final U32 EIP = STRUCT.u32("eip", 32);
    public static final U32 EFLAGS = STRUCT.u32("eflags", 36);
    public static final U32 CR0 = STRUCT.u32("cr0", 40);
    public static final U32 CR3 = STRUCT.u32("cr3", 44);
    public static final U32 CR4 = STRUCT.u32("cr4", 48);
    public static final U64 EFER = STRUCT.u64("efer", 56);

    /** Of CS, DS, SS, ES and TR. */
    public static final U32 CS_BASE = STRUCT.u32("cs_base", 64);

    public static final U32 DS_BASE = STRUCT.u32("ds_base", 68);
    public static final U32 SS_BASE = STRUCT.u32("ss_base", 72);
    public static final U32 ES_BASE = STRUCT.u32("es_base", 76);
    public static final U32 TR_BASE = STRUCT.u32("tr_base", 80);
    public static final U32 CS_LIMIT = STRUCT.u32("cs_limit", 84);
    public static final U32 DS_LIMIT = STRUCT.u32("ds_limit", 88);
    public static final U32 SS_LIMIT = STRUCT.u32("ss_limit", 92);
    public static final U32 ES_LIMIT = STRUCT.u32("es_limit", 96);
    public static final U32 TR_LIMIT = STRUCT.u32("tr_limit", 100);
    public static final U16 CS_AR = STRUCT.u16("cs_ar", 104);
    public static final U16 DS_AR = STRUCT.u16("ds_ar", 106);
    public static final U16 SS_AR = STRUCT.u16("ss_ar", 108);
    public static final U16 ES_AR = STRUCT.u16("es_ar", 110);
    public static final U16 TR_AR = STRUCT.u16("tr_ar", 112);
  }

  /** {@code struct vcpu_hvm_x86_64}: all segments are flat. */
  public static final class Bits64 {
    private Bits64() {}

    public static final Struct STRUCT = Struct.of("vcpu_hvm_x86_64", "hvm/hvm_vcpu.h", 112);
    public static final U64 RAX = STRUCT.u64("rax", 0);
    public static final U64 RCX = STRUCT.u64("rcx", 8);
    public static final U64 RDX = STRUCT.u64("rdx", 16);
    public static final U64 RBX = STRUCT.u64("rbx", 24);
    public static final U64 RSP = STRUCT.u64("rsp", 32);
    public static final U64 RBP = STRUCT.u64("rbp", 40);
    public static final U64 RSI = STRUCT.u64("rsi", 48);
    public static final U64 RDI = STRUCT.u64("rdi", 56);
    public static final U64 RIP = STRUCT.u64("rip", 64);
    public static final U64 RFLAGS = STRUCT.u64("rflags", 72);
    public static final U64 CR0 = STRUCT.u64("cr0", 80);
    public static final U64 CR3 = STRUCT.u64("cr3", 88);
    public static final U64 CR4 = STRUCT.u64("cr4", 96);
    public static final U64 EFER = STRUCT.u64("efer", 104);
  }
}
