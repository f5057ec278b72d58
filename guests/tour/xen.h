/* The little of Xen's 64-bit PV interface that the tour uses. Names are those of Xen's public headers. */
#ifndef TOUR_XEN_H
#define TOUR_XEN_H
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long u64;
typedef long s64;

enum { MMU_UPDATE = 1, SET_TRAP_TABLE = 0, MEMORY_OP = 12, UPDATE_VA_MAPPING = 14, XEN_VERSION = 17, GRANT_TABLE_OP = 20, VM_ASSIST = 21,
  VCPU_OP = 24, MMUEXT_OP = 26, SCHED_OP = 29, CALLBACK_OP = 30, EVENT_CHANNEL_OP = 32 };

struct start_info {
  char magic[32];
  u64 nr_pages, shared_info;
  u32 flags;
  u64 store_mfn;
  u32 store_evtchn;
  u64 console_mfn;
  u32 console_evtchn;
  u64 pt_base, nr_pt_frames, mfn_list, mod_start, mod_len;
  char cmd_line[1024];
};

struct vcpu_time_info { u32 version, pad0; u64 tsc_timestamp, system_time; u32 tsc_to_system_mul; signed char tsc_shift; u8 flags, pad1[2]; };
struct vcpu_info { u8 upcall_pending, upcall_mask; u64 pending_sel, cr2, pad; struct vcpu_time_info time; };
struct shared_info {
  struct vcpu_info vcpu[32];
  u64 pending[64], mask[64];
  u32 wc_version, wc_sec, wc_nsec, wc_sec_hi;
};
struct xencons_interface { char in[1024], out[2048]; u32 in_cons, in_prod, out_cons, out_prod; };
struct trap_info { u8 vector, flags; u16 cs; u64 address; };
struct mmu_update { u64 ptr, val; };
struct mmuext_op { u32 cmd; u64 mfn, arg2; };

/* Registers as the entry code saves them, then what Xen pushed. */
struct frame { u64 r15, r14, r13, r12, r11, r10, r9, r8, rdi, rsi, rbp, rbx, rdx, rcx, rax, vector, error, rip, cs, rflags, rsp, ss; };

extern char hypercall_page[];

static inline s64 hypercall(u64 nr, u64 a1, u64 a2, u64 a3, u64 a4) {
  s64 result;
  register u64 r10 asm("r10") = a4;
  asm volatile("call *%5"
      : "=a"(result), "+D"(a1), "+S"(a2), "+d"(a3), "+r"(r10)
      : "r"(hypercall_page + nr * 32)
      : "memory", "rcx", "r11", "r8");
  return result;
}
#endif
