/* Rows of memory: mappings of a file, faults. The file is in /tmp, which is memory in a guest. */
#include "lab.h"

#include <asm/sigcontext.h>
#include <asm/ucontext.h>

#define MAPPED (4L << 20)
#define PAGES 256

static long file = -1;

static long map_file(long bytes) {
  return CALL6(__NR_mmap, 0, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
}

static long file_prepare(const char *argument) {
  static char page[PAGE];
  (void)argument;
  file = sys_open("/tmp/lab.map", O_RDWR | O_CREAT | O_TRUNC, 0600);
  if (file < 0) return file;
  for (long at = 0; at < MAPPED; at += PAGE) {
    long e = write_all(file, page, PAGE);
    if (e < 0) return e;
  }
  return 0;
}

static void file_finish(void) {
  if (file >= 0) sys_close(file);
  file = -1;
  CALL1(__NR_unlink, "/tmp/lab.map");
}

/* Maps 4 MiB, looks at every fourth page, and unmaps them. */
static long mmap_run(long n) {
  for (; n > 0; n--) {
    long at = map_file(MAPPED);
    if (at < 0 && at > -PAGE) return at;
    for (long i = 0; i < MAPPED; i += 4 * PAGE) (void)*(volatile char *)(at + i);
    CALL2(__NR_munmap, at, MAPPED);
  }
  return 0;
}

/* Each page is written to for the first time in its mapping. */
static long fault_run(long n) {
  for (; n > 0; n--) {
    long at = map_file(PAGES * PAGE);
    if (at < 0 && at > -PAGE) return at;
    for (long i = 0; i < PAGES; i++) *(volatile char *)(at + i * PAGE) = 1;
    CALL2(__NR_munmap, at, PAGES * PAGE);
  }
  return 0;
}

/* The handler goes on behind the store, which has three bytes. */
static long caught, forbidden;

static void handler(int signal, void *info, struct ucontext *context) {
  (void)signal;
  (void)info;
  caught++;
  context->uc_mcontext.rip += 3;
}

__asm__(
    ".globl lab_restorer\n"
    "lab_restorer:\n"
    "\tmov $15, %eax\n"
    "\tsyscall\n");
void lab_restorer(void);

static long handle(void (*with)(int, void *, struct ucontext *)) {
  struct {
    void (*handler)(int, void *, struct ucontext *);
    unsigned long flags;
    void (*restorer)(void);
    unsigned long mask;
  } action = {with, SA_SIGINFO | SA_RESTORER, lab_restorer, 0};
  return CALL4(__NR_rt_sigaction, SIGSEGV, &action, 0, 8);
}

static long protection_prepare(const char *argument) {
  (void)argument;
  forbidden = CALL6(__NR_mmap, 0, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (forbidden < 0 && forbidden > -PAGE) return forbidden;
  (void)*(volatile char *)forbidden;
  return handle(handler);
}

static long protection_run(long n) {
  caught = 0;
  for (long i = 0; i < n; i++) __asm__ volatile("movb $1, (%0)" : : "D"(forbidden) : "memory");
  return caught == n ? 0 : -EIO;
}

static void protection_finish(void) {
  handle(0);
  CALL2(__NR_munmap, forbidden, PAGE);
}

const struct row memory_rows[] = {
    {.name = "mmap", .prepare = file_prepare, .run = mmap_run, .finish = file_finish},
    {.name = "page-fault", .prepare = file_prepare, .run = fault_run, .finish = file_finish, .scale = PAGES},
    {.name = "protection-fault", .prepare = protection_prepare, .run = protection_run, .finish = protection_finish},
    {0},
};
