/*
 * Where the tour guest begins, and its ways in from the hypervisor: Xen ELF notes, the first stack, the trap and event entries.
 * Read this with xen.h and elfnote.h of Xen's public headers at hand.
 */
#define NOTE_STRING(type, text) \
  .pushsection .note.Xen, "a", @note; .balign 4; .long 4, 2f - 1f, type; .asciz "Xen"; 1: .asciz text; 2: .balign 4; .popsection
#define NOTE_NUMBER(type, value) \
  .pushsection .note.Xen, "a", @note; .balign 4; .long 4, 8, type; .asciz "Xen"; .quad value; .balign 4; .popsection

  NOTE_NUMBER(1, _start)                 /* ENTRY */
  NOTE_NUMBER(2, hypercall_page)         /* HYPERCALL_PAGE */
  NOTE_NUMBER(3, 0xffffffff80000000)     /* VIRT_BASE */
  NOTE_NUMBER(4, 0)                      /* PADDR_OFFSET */
  NOTE_STRING(5, "xen-3.0")              /* XEN_VERSION */
  NOTE_STRING(6, "Parhelion tour")       /* GUEST_OS */
  NOTE_STRING(8, "generic")              /* LOADER */
  NOTE_STRING(9, "yes")                  /* PAE_MODE */

  .text
  .globl _start
_start:
  cld
  lea stack_top(%rip), %rsp
  xor %ebp, %ebp
  mov %rsi, %rdi
  call tour
  ud2

  .balign 4096
  .globl hypercall_page
hypercall_page:
  .skip 4096

/* Saves all registers, calls `handler(struct frame *)`, and returns by the iret hypercall. */
.macro SAVE_AND_CALL handler
  push %rax
  push %rcx
  push %rdx
  push %rbx
  push %rbp
  push %rsi
  push %rdi
  push %r8
  push %r9
  push %r10
  push %r11
  push %r12
  push %r13
  push %r14
  push %r15
  mov %rsp, %rdi
  mov %rsp, %rbp
  and $-16, %rsp
  call \handler
  mov %rbp, %rsp
  pop %r15
  pop %r14
  pop %r13
  pop %r12
  pop %r11
  pop %r10
  pop %r9
  pop %r8
  pop %rdi
  pop %rsi
  pop %rbp
  pop %rbx
  pop %rdx
  pop %rcx
  pop %rax
  add $16, %rsp            /* vector and error code */
  push $0                  /* flags of struct iret_context; the stub pushes rcx, r11 and rax */
  jmp hypercall_page + 23 * 32
.endm

/* Xen pushes rcx and r11 on top of the frame, as SYSRET destroys them. */
.macro TRAP name, vector, has_error
  .globl \name
\name:
  mov (%rsp), %rcx
  mov 8(%rsp), %r11
  add $16, %rsp
  .if \has_error == 0
  push $0
  .endif
  push $\vector
  jmp trap_common
.endm

TRAP trap_divide, 0, 0
TRAP trap_int3, 3, 0
TRAP trap_invalid_op, 6, 0
TRAP trap_general_protection, 13, 1
TRAP trap_page_fault, 14, 1

trap_common:
  SAVE_AND_CALL handle_trap

  .globl event_entry
event_entry:
  mov (%rsp), %rcx
  mov 8(%rsp), %r11
  add $16, %rsp
  push $0
  push $0
  SAVE_AND_CALL handle_event

  .globl failsafe_entry
failsafe_entry:
  ud2

  .bss
  .balign 4096
  .skip 16384
stack_top:
  .section .note.GNU-stack, "", @progbits
