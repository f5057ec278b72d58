/*
 * A guest in the manner of Mini-OS and other unikernels, for the tests: the ABI as small kernels use it. Prints a line for each
 * thing that it tries, then echoes what it is sent, line by line, until a line "quit". start.S holds the entry points, ../tour/xen.h
 * the ABI.
 */
#include "xen.h"

#define KERNEL_CS 0xe033
#define M2P ((u64 *)0xffff800000000000ul)
#define BARRIER() asm volatile("" ::: "memory")

extern char page_fault_entry[], event_entry[], failsafe_entry[], probe_failed[], stack_top[];
int probe(const void *at);

/* What the entry code has saved, then Xen's frame with an error code. */
struct fault_frame { u64 r10, r9, r8, rdi, rsi, rbp, rbx, rdx, rax, rcx, r11, error, rip, cs, rflags, rsp, ss; };

static struct start_info *si;
static struct shared_info *shared;
static struct xencons_interface *console;
static char shared_page[4096] __attribute__((aligned(4096)));
static char spare_page[4096] __attribute__((aligned(4096)));
static volatile u64 events[64], faults, fault_error;
static u32 timer_port;

/* --- console: the ring, and a spin on yield until the other side has drained it --- */

static void notify(u32 port) { hypercall(EVENT_CHANNEL_OP, 4, (u64)&port, 0, 0); }

static void drain(void) {
  notify(si->console_evtchn);
  while (*(volatile u32 *)&console->out_cons != console->out_prod) hypercall(SCHED_OP, 0, 0, 0, 0);
}

static void put(const char *s) {
  for (; *s; s++) {
    if (console->out_prod - *(volatile u32 *)&console->out_cons == sizeof console->out) drain();
    console->out[console->out_prod & (sizeof console->out - 1)] = *s;
    BARRIER();
    console->out_prod++;
  }
}

static void put_number(s64 n, u64 base) {
  char digits[24];
  int i = sizeof digits;
  u64 u = n;
  if (base == 10 && n < 0) { put("-"); u = -n; }
  digits[--i] = 0;
  do { digits[--i] = "0123456789abcdef"[u % base]; u /= base; } while (u);
  put(digits + i);
}

static void report(const char *what, s64 n, u64 base) {
  put(what); put(" "); if (base == 16) put("0x"); put_number(n, base); put("\n");
  drain();
}

/* --- entries --- */

void handle_page_fault(struct fault_frame *f) {
  faults++;
  fault_error = f->error;
  f->rip = (u64)probe_failed;
}

void handle_events(void) {
  struct vcpu_info *v = &shared->vcpu[0];
  v->upcall_pending = 0;
  u64 words = __atomic_exchange_n(&v->pending_sel, 0, __ATOMIC_SEQ_CST);
  while (words) {
    int word = __builtin_ctzl(words);
    words &= words - 1;
    u64 ports = shared->pending[word] & ~shared->mask[word];
    while (ports) {
      int bit = __builtin_ctzl(ports);
      ports &= ports - 1;
      __atomic_and_fetch(&shared->pending[word], ~(1ul << bit), __ATOMIC_SEQ_CST);
      events[(word * 64 + bit) & 63]++;
    }
  }
}

static void unmask(u32 port) { __atomic_and_fetch(&shared->mask[port / 64], ~(1ul << port % 64), __ATOMIC_SEQ_CST); }

/* Waits for an event on a port: the mask is set while it looks, and SCHEDOP_block clears it. */
static void wait_for(u32 port, u64 seen) {
  for (;;) {
    shared->vcpu[0].upcall_mask = 1;
    BARRIER();
    if (events[port] != seen) break;
    hypercall(SCHED_OP, 1, 0, 0, 0);
  }
  shared->vcpu[0].upcall_mask = 0;
  if (shared->vcpu[0].upcall_pending) hypercall(XEN_VERSION, 0, 0, 0, 0);
}

/* --- what it tries --- */

static u64 now(void) {
  volatile struct vcpu_time_info *t = &shared->vcpu[0].time;
  u64 time;
  u32 version, lo, hi;
  do {
    version = t->version;
    BARRIER();
    asm volatile("rdtsc" : "=a"(lo), "=d"(hi));
    u64 delta = ((u64)hi << 32 | lo) - t->tsc_timestamp;
    delta = t->tsc_shift >= 0 ? delta << t->tsc_shift : delta >> -t->tsc_shift;
    time = t->system_time + (u64)((unsigned __int128)delta * t->tsc_to_system_mul >> 32);
    BARRIER();
  } while (version & 1 || version != t->version);
  return time;
}

static void memory(void) {
  u64 *p2m = (u64 *)si->mfn_list, wrong = 0;
  for (u64 pfn = 0; pfn < si->nr_pages; pfn++) wrong += M2P[p2m[pfn]] != pfn;
  report("p2m entries that M2P contradicts:", wrong, 10);
  u64 entry = p2m[(u64)spare_page >> 12] << 12;
  *spare_page = 42;
  report("unmap a page:", hypercall(UPDATE_VA_MAPPING, (u64)spare_page, 0, 2, 0), 10);
  report("read it:", probe(spare_page), 10);
  report("faults:", faults, 10);
  report("their error code:", fault_error, 10);
  report("map it again:", hypercall(UPDATE_VA_MAPPING, (u64)spare_page, entry | 5, 2, 0), 10);
  report("read it:", probe(spare_page), 10);
  report("map a page table writable:", hypercall(UPDATE_VA_MAPPING, (u64)spare_page, p2m[si->pt_base >> 12] << 12 | 7, 2, 0), 10);
}

static void timer(void) {
  hypercall(VCPU_OP, 7, 0, 0, 0); /* a vcpu starts with a periodic timer, whose ticks would count here */
  struct { u32 virq, vcpu, port; } bind = { 0, 0, 0 };
  report("bind VIRQ_TIMER:", hypercall(EVENT_CHANNEL_OP, 1, (u64)&bind, 0, 0), 10);
  timer_port = bind.port;
  unmask(timer_port);
  for (int i = 0; i < 3; i++) {
    u64 start = now();
    hypercall(15, start + 2000000, 0, 0, 0); /* set_timer_op */
    wait_for(timer_port, i);
    if (now() - start < 2000000) put("too early\n");
  }
  report("timer events:", events[timer_port], 10);
}

static void echo(void) {
  char line[64];
  u32 n = 0;
  unmask(si->console_evtchn);
  put("ready\n");
  drain();
  for (;;) {
    u64 seen = events[si->console_evtchn];
    if (*(volatile u32 *)&console->in_prod == console->in_cons) {
      wait_for(si->console_evtchn, seen);
      continue;
    }
    char c = console->in[console->in_cons & (sizeof console->in - 1)];
    BARRIER();
    console->in_cons++;
    notify(si->console_evtchn);
    if (c == '\r') c = '\n';
    if (c != '\n') { if (n < sizeof line - 1) line[n++] = c; continue; }
    line[n] = 0;
    n = 0;
    if (line[0] == 'q' && line[1] == 'u' && line[2] == 'i' && line[3] == 't') return;
    put("echo: "); put(line); put("\n");
    drain();
  }
}

void micro(struct start_info *info) {
  si = info;
  console = (struct xencons_interface *)(M2P[si->console_mfn] << 12);
  put("micro: "); put(si->magic); put(" ["); put(si->cmd_line); put("]\n");
  drain();
  report("start_info at", (u64)si, 16);
  s64 mapped = hypercall(UPDATE_VA_MAPPING, (u64)shared_page, si->shared_info | 7, 2, 0);
  shared = (struct shared_info *)shared_page;
  report("map shared_info:", mapped, 10);
  static struct trap_info table[] = { { 14, 0, KERNEL_CS, (u64)page_fault_entry }, { 0, 0, 0, 0 } };
  report("set_trap_table:", hypercall(SET_TRAP_TABLE, (u64)table, 0, 0, 0), 10);
  report("set_callbacks:", hypercall(4, (u64)event_entry, (u64)failsafe_entry, 0, 0), 10);
  shared->vcpu[0].upcall_mask = 0;
  memory();
  timer();
  /* All of a ring and more in one go. */
  for (int i = 0; i < 100; i++) put("0123456789 0123456789 0123456789 0123456789\n");
  drain();
  echo();
  put("bye\n");
  drain();
  u32 reason = 0;
  hypercall(SCHED_OP, 2, (u64)&reason, 0, 0);
}
