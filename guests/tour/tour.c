/*
 * A guided tour of paravirtualisation, as a guest: what a Xen PV kernel asks of its hypervisor, one stop at a time, and what each
 * kind of request costs here. `parhelion demo` boots it. Built by ./build; start.S holds the entry points.
 */
#include "xen.h"

#define VIRT_BASE 0xffffffff80000000ul
#define KERNEL_CS 0xe033
#define M2P ((u64 *)0xffff800000000000ul)
#define BARRIER() asm volatile("" ::: "memory")

extern char trap_divide[], trap_int3[], trap_invalid_op[], trap_general_protection[], trap_page_fault[];
extern char event_entry[], failsafe_entry[];

static struct start_info *si;
static struct shared_info *shared;
static struct xencons_interface *console;
static char shared_page[4096] __attribute__((aligned(4096)));
static char scratch_page[4096] __attribute__((aligned(4096)));
static volatile u64 trap_count, last_vector, last_error, resume_at;
static volatile u64 event_count;
static volatile u32 last_port;

/* --- console --- */

static void notify_console(void) {
  u32 port = si->console_evtchn;
  hypercall(EVENT_CHANNEL_OP, 4, (u64)&port, 0, 0);
}

static void put_char(char c) {
  while (console->out_prod - *(volatile u32 *)&console->out_cons >= sizeof console->out) {
    notify_console();
    hypercall(SCHED_OP, 0, 0, 0, 0);
  }
  console->out[console->out_prod & (sizeof console->out - 1)] = c;
  BARRIER();
  console->out_prod++;
}

static void put(const char *s) {
  for (; *s; s++) {
    if (*s == '\n') put_char('\r');
    put_char(*s);
  }
}

static void flush(void) { notify_console(); }

static void put_number(u64 n, int base, int width, char pad) {
  char digits[24];
  int i = 0;
  do { digits[i++] = "0123456789abcdef"[n % base]; n /= base; } while (n);
  while (i < width) digits[i++] = pad;
  while (i) put_char(digits[--i]);
}

static void put_decimal(u64 n) { put_number(n, 10, 1, ' '); }
static void put_hex(u64 n) { put("0x"); put_number(n, 16, 1, '0'); }

static void put_result(s64 r) {
  if (r < 0) { put("-"); put_decimal(-r); } else put_decimal(r);
}

/* --- time --- */

static u64 rdtsc(void) { u32 lo, hi; asm volatile("rdtsc" : "=a"(lo), "=d"(hi)); return (u64)hi << 32 | lo; }

/* System time in nanoseconds: the hypervisor's last reading, carried on by the time-stamp counter. */
static u64 now(void) {
  volatile struct vcpu_time_info *t = &shared->vcpu[0].time;
  u64 time;
  u32 version;
  do {
    version = t->version;
    BARRIER();
    u64 delta = rdtsc() - t->tsc_timestamp;
    delta = t->tsc_shift >= 0 ? delta << t->tsc_shift : delta >> -t->tsc_shift;
    time = t->system_time + (u64)((unsigned __int128)delta * t->tsc_to_system_mul >> 32);
    BARRIER();
  } while ((version & 1) || version != t->version);
  return time;
}

static void cost(const char *what, u64 start, u64 rounds) {
  u64 nanos = (now() - start) / rounds;
  int width = 0;
  put("  ");
  for (; what[width]; width++) put_char(what[width]);
  put_char(' ');
  for (; width < 46; width++) put_char('.');
  put_number(nanos, 10, 8, ' ');
  put(" ns\n");
  flush();
}

static void stop_at(const char *title) { put("\n"); put(title); put("\n"); flush(); }

/* --- traps and events --- */

void handle_trap(struct frame *f) {
  trap_count++;
  last_vector = f->vector;
  last_error = f->error;
  if (f->vector == 3) return;
  if (!resume_at) {
    put("unexpected trap "); put_decimal(f->vector); put(" at "); put_hex(f->rip); put("\n"); flush();
    u32 reason = 3;
    hypercall(SCHED_OP, 2, (u64)&reason, 0, 0);
  }
  f->rip = resume_at;
}

void handle_event(struct frame *f) {
  (void)f;
  struct vcpu_info *v = &shared->vcpu[0];
  v->upcall_pending = 0;
  u64 sel = __atomic_exchange_n(&v->pending_sel, 0, __ATOMIC_SEQ_CST);
  while (sel) {
    int word = __builtin_ctzl(sel);
    sel &= sel - 1;
    u64 bits = shared->pending[word] & ~shared->mask[word];
    while (bits) {
      int bit = __builtin_ctzl(bits);
      bits &= bits - 1;
      __atomic_fetch_and(&shared->pending[word], ~(1ul << bit), __ATOMIC_SEQ_CST);
      last_port = word * 64 + bit;
      event_count++;
    }
  }
}

static void events_on(void) {
  shared->vcpu[0].upcall_mask = 0;
  BARRIER();
  if (shared->vcpu[0].upcall_pending) hypercall(XEN_VERSION, 0, 0, 0, 0);
}

static void events_off(void) {
  shared->vcpu[0].upcall_mask = 1;
  BARRIER();
}

static void unmask(u32 port) { hypercall(EVENT_CHANNEL_OP, 9, (u64)&port, 0, 0); }

/* Runs a faulting instruction; the handler goes on behind it. */
#define FAULTING(text, ...) \
  do { \
    asm volatile("lea 1f(%%rip), %%rax; mov %%rax, %0; " text "; 1:" : "=m"(resume_at) : __VA_ARGS__ : "rax", "rcx", "rdx", "memory"); \
    resume_at = 0; \
  } while (0)

/* --- the stops --- */

static void tour_hypercalls(void) {
  static char text[1024];
  stop_at("1. Hypercalls: the guest asks");
  s64 version = hypercall(XEN_VERSION, 0, 0, 0, 0);
  put("  xen_version            Xen "); put_decimal(version >> 16); put_char('.'); put_decimal(version & 0xffff);
  hypercall(XEN_VERSION, 1, (u64)text, 0, 0);
  put(text); put("\n");
  hypercall(XEN_VERSION, 3, (u64)text, 0, 0);
  put("  capabilities           "); put(text); put("\n");
  put("  unknown hypercall 63   "); put_result(hypercall(63, 0, 0, 0, 0)); put(" (ENOSYS)\n");
  put("  wild pointer           "); put_result(hypercall(XEN_VERSION, 1, 0xffff800000000000ul, 0, 0)); put(" (EFAULT)\n");
  u64 t = now();
  for (int i = 0; i < 20000; i++) hypercall(XEN_VERSION, 0, 0, 0, 0);
  cost("an empty hypercall", t, 20000);
}

static void tour_traps(void) {
  stop_at("2. Traps: the processor's exceptions come back by callback");
  static struct trap_info table[] = {
    { 0, 0, KERNEL_CS, (u64)trap_divide }, { 3, 3, KERNEL_CS, (u64)trap_int3 }, { 6, 0, KERNEL_CS, (u64)trap_invalid_op },
    { 13, 0, KERNEL_CS, (u64)trap_general_protection }, { 14, 0, KERNEL_CS, (u64)trap_page_fault }, { 0, 0, 0, 0 } };
  put("  set_trap_table         "); put_result(hypercall(SET_TRAP_TABLE, (u64)table, 0, 0, 0)); put("\n");
  asm volatile("int3");
  put("  int3                   vector "); put_decimal(last_vector); put("\n");
  FAULTING("ud2", "m"(trap_count));
  put("  ud2                    vector "); put_decimal(last_vector); put("\n");
  FAULTING("xor %%ecx, %%ecx; mov $1, %%eax; cdq; div %%ecx", "m"(trap_count));
  put("  1 / 0                  vector "); put_decimal(last_vector); put("\n");
  FAULTING("mov $0x123, %%ecx; rdmsr", "m"(trap_count));
  put("  rdmsr 0x123            vector "); put_decimal(last_vector); put(", error code "); put_decimal(last_error); put("\n");
  FAULTING("mov (0x1000), %%rcx", "m"(trap_count));
  put("  read of 0x1000         vector "); put_decimal(last_vector); put(", address "); put_hex(shared->vcpu[0].cr2); put("\n");
  u64 t = now();
  for (int i = 0; i < 5000; i++) asm volatile("int3");
  cost("a trap and back (int3)", t, 5000);
  t = now();
  for (int i = 0; i < 5000; i++) FAULTING("mov (0x1000), %%rcx", "m"(trap_count));
  cost("a page fault and back", t, 5000);
  t = now();
  for (int i = 0; i < 5000; i++) { u32 a = 0, b, c = 0, d; asm volatile(".byte 0x0f,0x0b,'x','e','n'; cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d)); }
  cost("an emulated instruction (cpuid)", t, 5000);
}

static u64 *l1_entry(u64 va, u64 *machine) {
  u64 *table = (u64 *)si->pt_base;
  for (int shift = 39; shift > 12; shift -= 9) {
    u64 mfn = (table[va >> shift & 511] & 0xffffffffff000ul) >> 12;
    table = (u64 *)(VIRT_BASE + (M2P[mfn] << 12));
    *machine = mfn << 12;
  }
  *machine += (va >> 12 & 511) * 8;
  return &table[va >> 12 & 511];
}

static void tour_page_tables(void) {
  stop_at("3. Page tables: the guest's own, every write checked");
  u64 va = (u64)scratch_page, machine;
  u64 *entry = l1_entry(va, &machine);
  u64 value = *entry;
  u64 mfn = (value & 0xffffffffff000ul) >> 12;
  put("  scratch page           va "); put_hex(va); put(", pfn "); put_hex(M2P[mfn]); put(", mfn "); put_hex(mfn); put("\n");
  put("  map it read-only       "); put_result(hypercall(UPDATE_VA_MAPPING, va, value & ~2ul, 2, 0)); put("\n");
  FAULTING("mov %%rax, (%1)", "r"(scratch_page));
  put("  then write to it       vector "); put_decimal(last_vector); put("\n");
  struct mmu_update u = { machine, value };
  put("  map it writable        "); put_result(hypercall(MMU_UPDATE, (u64)&u, 1, 0, 0x7ff0)); put("\n");
  u64 table_va = (u64)entry & -4096ul, table_machine;
  u64 *table_entry = l1_entry(table_va, &table_machine);
  put("  map a page table so    ");
  put_result(hypercall(UPDATE_VA_MAPPING, table_va, *table_entry | 2, 2, 0)); put(" (refused)\n");
  put("  map a frame of Xen's  ");
  put_result(hypercall(UPDATE_VA_MAPPING, va, (u64)1 << 12 | 0x67, 2, 0)); put(" (refused)\n");
  put("  plain stores to tables "); put_result(hypercall(VM_ASSIST, 0, 2, 0, 0)); put(" (vm_assist)\n");
  u64 t = now();
  for (int i = 0; i < 5000; i++) { u.val = value; hypercall(MMU_UPDATE, (u64)&u, 1, 0, 0x7ff0); }
  cost("a page-table write by mmu_update", t, 5000);
  t = now();
  for (int i = 0; i < 5000; i++) *(volatile u64 *)entry = value;
  cost("a page-table write by plain store, emulated", t, 5000);
  t = now();
  for (int i = 0; i < 5000; i++) hypercall(UPDATE_VA_MAPPING, va, value, 2, 0);
  cost("update_va_mapping with invlpg", t, 5000);
}

static u32 self_port;

static void tour_events(void) {
  stop_at("4. Events: interrupts without an interrupt controller");
  struct { u16 type; u16 pad; u32 pad2; u64 address; } cb = { 0, 0, 0, (u64)event_entry };
  put("  callback_op            "); put_result(hypercall(CALLBACK_OP, 0, (u64)&cb, 0, 0)); put("\n");
  struct { u32 vcpu, port; } ipi = { 0, 0 };
  put("  bind_ipi               "); put_result(hypercall(EVENT_CHANNEL_OP, 7, (u64)&ipi, 0, 0));
  put(", port "); put_decimal(ipi.port); put("\n");
  self_port = ipi.port;
  unmask(self_port);
  events_on();
  u64 before = event_count;
  hypercall(EVENT_CHANNEL_OP, 4, (u64)&self_port, 0, 0);
  put("  send to myself         "); put(event_count == before + 1 && last_port == self_port ? "arrived" : "LOST"); put("\n");
  u64 t = now();
  for (int i = 0; i < 5000; i++) hypercall(EVENT_CHANNEL_OP, 4, (u64)&self_port, 0, 0);
  cost("an event sent, upcalled and returned from", t, 5000);
}

static void tour_time(void) {
  stop_at("5. Time: a shared page, and a timer by virtual interrupt");
  u64 seconds = shared->wc_sec + now() / 1000000000;
  put("  wall clock             "); put_decimal(seconds); put(" s since 1970\n");
  struct { u32 virq, vcpu, port; } bind = { 0, 0, 0 };
  hypercall(EVENT_CHANNEL_OP, 1, (u64)&bind, 0, 0);
  unmask(bind.port);
  hypercall(VCPU_OP, 7, 0, 0, 0); /* a vcpu starts with a periodic timer, whose ticks would end the sleep */
  struct { u64 timeout_abs_ns; u32 flags; } timer = { now() + 10000000, 0 };
  u64 start = now(), before = event_count;
  hypercall(VCPU_OP, 8, 0, (u64)&timer, 0);
  while (event_count == before) hypercall(SCHED_OP, 1, 0, 0, 0);
  put("  timer of 10 ms, slept  "); put_decimal((now() - start) / 1000); put(" us\n");
  u64 t = now();
  for (int i = 0; i < 20000; i++) (void)now();
  cost("reading the clock", t, 20000);
}

static int contains(const char *text, const char *word) {
  for (; *text; text++) {
    const char *a = text, *b = word;
    while (*b && *a == *b) { a++; b++; }
    if (!*b) return 1;
  }
  return 0;
}

static void power_off(u32 reason) {
  flush();
  hypercall(SCHED_OP, 2, (u64)&reason, 0, 0);
}

static void answer(char key) {
  switch (key) {
    case 't': put("  up "); put_decimal(now() / 1000000); put(" ms\n"); break;
    case 'h': tour_hypercalls(); break;
    case 'r': tour_traps(); break;
    case 'p': tour_page_tables(); break;
    case 'e': put("  events so far "); put_decimal(event_count); put("\n"); break;
    case 'c': put("  crashing\n"); flush(); resume_at = 0; asm volatile("ud2"); break;
    case 'q': put("  good bye\n"); power_off(0); break;
    default: put("  keys: t time, h hypercalls, r traps, p page tables, e events, c crash, q power off\n");
  }
}

static void answer_keys(void) {
  u32 port = si->console_evtchn;
  unmask(port);
  put("\nKeys: t time, h hypercalls, r traps, p page tables, e events, c crash, q power off\n> ");
  flush();
  for (;;) {
    /* Blocking lets events in; one that came between the look and that would be waited for in vain. */
    for (events_off(); *(volatile u32 *)&console->in_prod == console->in_cons; events_off())
      hypercall(SCHED_OP, 1, 0, 0, 0);
    events_on();
    char key = console->in[console->in_cons++ & (sizeof console->in - 1)];
    notify_console();
    if (key == '\r' || key == '\n') continue;
    put_char(key); put("\n");
    answer(key);
    put("> ");
    flush();
  }
}

void tour(struct start_info *info) {
  si = info;
  console = (struct xencons_interface *)(VIRT_BASE + (M2P[si->console_mfn] << 12));
  hypercall(UPDATE_VA_MAPPING, (u64)shared_page, si->shared_info | 0x67, 2, 0);
  shared = (struct shared_info *)shared_page;
  put("Parhelion tour: a paravirtual guest, up after "); put_decimal(now() / 1000); put(" us of system time\n");
  put("  start_info "); put(si->magic); put(", "); put_decimal(si->nr_pages); put(" pages, command line \"");
  put(si->cmd_line); put("\"\n");
  flush();
  tour_hypercalls();
  tour_traps();
  tour_page_tables();
  tour_events();
  tour_time();
  if (!contains(si->cmd_line, "batch")) answer_keys();
  put("\nThe tour is over.\n");
  power_off(0);
  for (;;) hypercall(SCHED_OP, 0, 0, 0, 0);
}
