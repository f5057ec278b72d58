/*
 * Where the micro guest begins, and its ways in from the hypervisor. It does what small kernels do and Linux does not: it is
 * linked at address 0, names no VIRT_BASE, runs on a stack of one page, calls by the hypercall page, registers its entry points by
 * set_callbacks, and returns from them by the stub of iret.
 */
#define NOTE_STRING(type, text) \
  .pushsection .note.Xen, "a", @note; .balign 4; .long 4, 2f - 1f, type; .asciz "Xen"; 1: .asciz text; 2: .balign 4; .popsection
#define NOTE_NUMBER(type, value) \
  .pushsection .note.Xen, "a", @note; .balign 4; .long 4, 8, type; .asciz "Xen"; .quad value; .balign 4; .popsection

  NOTE_NUMBER(2, hypercall_page)         /* HYPERCALL_PAGE */
  NOTE_STRING(5, "xen-3.0")              /* XEN_VERSION */
  NOTE_STRING(6, "micro")                /* GUEST_OS */
  NOTE_STRING(8, "generic")              /* LOADER */

  .text
  .globl _start
_start:
  cld
  mov $stack_top, %rsp
  xor %ebp, %ebp
  mov %rsi, %rdi
  call micro
  ud2

  .balign 4096
  .globl hypercall_page
hypercall_page:
  .skip 4096

/* Saves what C may change, calls the handler with the frame, returns by iret. Xen has pushed rcx and r11 on top of the frame. */
.macro ENTRY name, handler, error_bytes
  .globl \name
\name:
  push %rax
  push %rdx
  push %rbx
  push %rbp
  push %rsi
  push %rdi
  push %r8
  push %r9
  push %r10
  mov %rsp, %rdi
  mov %rsp, %rbp
  and $-16, %rsp
  call \handler
  mov %rbp, %rsp
  pop %r10
  pop %r9
  pop %r8
  pop %rdi
  pop %rsi
  pop %rbp
  pop %rbx
  pop %rdx
  pop %rax
  pop %rcx
  pop %r11
  add $\error_bytes, %rsp
  push $0                                /* flags of struct iret_context; the stub pushes rcx, r11 and rax */
  jmp hypercall_page + 23 * 32
.endm

ENTRY page_fault_entry, handle_page_fault, 8
ENTRY event_entry, handle_events, 0

  .globl failsafe_entry
failsafe_entry:
  ud2

/* Reads the byte at rdi, or gives -1: the page-fault handler goes on at probe_failed. */
  .globl probe
  .globl probe_failed
probe:
  movzbl (%rdi), %eax
  ret
probe_failed:
  mov $-1, %eax
  ret

  .bss
  .balign 4096
  .skip 4096
  .globl stack_top
stack_top:
  .section .note.GNU-stack, "", @progbits
