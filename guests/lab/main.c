/* The lab's program: does the rows that a list names, each for a bounded time, and brackets the measured part of each with marks.
 *
 *   lab LIST MILLISECONDS   does the rows of the file: a line is NUMBER NAME [ARGUMENT]; MILLISECONDS of measuring each
 *   lab exit                ends at once: what the rows "exec" and "sh" run
 *
 * As the first process it marks that user land has begun. Then it becomes /init, or, if PARHELION_LAB=own is in the environment
 * (a word of the kernel's command line), mounts what is needed, does the rows of /parhelion-lab.rows and switches off. */
#include "lab.h"

#include <linux/reboot.h>

long row_scale, row_bytes, row_moved;
const char *self;
char **environment;

static const struct row *const all_rows[] = {process_rows, memory_rows, latency_rows, file_rows,
                                             compute_rows, build_rows,  disk_rows,    net_rows};

static void mark(long what, long number, long operations, long bytes, long nanos) {
  long a = 0x50617268, b = number, c = what, d = operations;
  __asm__ volatile("cpuid" : "+a"(a), "+b"(b), "+c"(c), "+d"(d) : "S"(bytes), "D"(nanos) : "memory");
}

int64_t now_ns(void) {
  struct __kernel_timespec t = {0, 0};
  CALL2(__NR_clock_gettime, 1, &t);
  return t.tv_sec * 1000000000 + t.tv_nsec;
}

void sleep_ms(long ms) {
  struct __kernel_timespec t = {ms / 1000, ms % 1000 * 1000000};
  CALL2(__NR_nanosleep, &t, 0);
}

long number(const char **text) {
  long n = 0;
  while (**text >= '0' && **text <= '9') n = n * 10 + *(*text)++ - '0';
  while (**text == ' ') (*text)++;
  return n;
}

long await(long pid) {
  int status = -1;
  if (pid < 0) return pid;
  long got;
  do got = CALL4(__NR_wait4, pid, &status, 0, 0);
  while (got == -EINTR);
  return got < 0 ? got : status == 0 ? 0 : -EIO;
}

long run_program(const char *path, char *const argv[]) {
  long pid = fork_process();
  if (pid == 0) {
    CALL3(__NR_execve, path, argv, environment);
    sys_exit(127);
  }
  return await(pid);
}

static const struct row *find(const char *name, size_t length) {
  for (size_t i = 0; i < sizeof all_rows / sizeof *all_rows; i++)
    for (const struct row *r = all_rows[i]; r->name; r++)
      if (length_of(r->name) == length && memcmp(r->name, name, length) == 0) return r;
  return 0;
}

static long one_run(const struct row *r, long n, int64_t *took) {
  long e = r->before ? r->before(n) : 0;
  if (e < 0) return e;
  row_moved = 0;
  int64_t start = now_ns();
  e = r->run(n);
  *took = now_ns() - start;
  if (r->after) r->after(n);
  return e;
}

/* How often fits into a time if n times took so long; exact enough, and nothing overflows that took a microsecond. */
static long scaled(long n, int64_t wanted, int64_t took) { return n * (wanted * 256 / took) / 256; }

/* Does a row unmeasured for half the time, which warms everything up and tells how often fills the whole; then so often between
 * marks. */
static long measure(long index, const struct row *r, long ms) {
  int64_t took = 0, wanted = ms * 1000000, left = wanted / 2, best = 0;
  long n = 1, fits = 1;
  if (!r->once) one_run(r, 1, &took); /* what happens the first time tells nothing: a card may still be coming up */
  while (!r->once) {
    long e = one_run(r, n, &took);
    if (e < 0) return e;
    if (took < 1000) took = 1000;
    if (took > best) { /* the longest run tells most */
      best = took;
      fits = scaled(n, wanted, took);
    }
    left -= took;
    if (left < wanted / 16 || (r->most && n >= r->most) || n > 1L << 32) break;
    long more = scaled(n, left, took);
    n = more < n * 8 ? more + 1 : n * 8;
    if (r->most && n > r->most) n = r->most;
  }
  n = fits;
  if (n < 1) n = 1;
  if (r->most && n > r->most) n = r->most;
  long e = r->before ? r->before(n) : 0;
  if (e < 0) return e;
  row_moved = 0;
  mark(MARK_OPEN, index, 0, 0, 0);
  int64_t start = now_ns();
  e = r->run(n);
  took = now_ns() - start;
  long scale = row_scale ? row_scale : r->scale ? r->scale : 1;
  if (e == 0) mark(MARK_CLOSE, index, n * scale, row_moved ? row_moved : n * row_bytes, took);
  if (r->after) r->after(n);
  return e;
}

static void do_row(const char *line, long ms) {
  long index = number(&line);
  size_t length = 0;
  while (line[length] && line[length] != ' ') length++;
  const struct row *r = find(line, length);
  const char *argument = line + length + (line[length] == ' ');
  row_scale = row_bytes = 0;
  long e = -ENOSYS;
  if (r) {
    e = r->prepare ? r->prepare(argument) : 0;
    if (e == 0) e = measure(index, r, ms);
    if (r->finish) r->finish();
  }
  if (e < 0) mark(MARK_FAILED, index, -e, 0, 0);
}

static int do_rows(const char *path, long ms) {
  static char list[32768];
  long fd = sys_open(path, O_RDONLY, 0);
  long n = fd < 0 ? fd : read_all(fd, list, sizeof list - 1);
  if (n < 0) return 1;
  sys_close(fd);
  list[n] = 0;
  for (char *line = list; *line;) {
    char *end = line;
    while (*end && *end != '\n') end++;
    char last = *end;
    *end = 0;
    if (*line) do_row(line, ms);
    line = last ? end + 1 : end;
  }
  mark(MARK_DONE, 0, 0, 0, 0);
  return 0;
}

static void mount(const char *type, const char *place) {
  CALL2(__NR_mkdir, place, 0755);
  CALL5(__NR_mount, type, place, type, 0, 0);
}

static void first_process(char **argv) {
  mark(MARK_USERLAND, 0, 0, 0, now_ns());
  int own = 0;
  for (char **e = environment; *e; e++) own |= same(*e, "PARHELION_LAB=own");
  if (!own) {
    argv[0] = "/init";
    CALL3(__NR_execve, "/init", argv, environment);
  }
  mount("proc", "/proc");
  mount("sysfs", "/sys");
  mount("devtmpfs", "/dev");
  mount("tmpfs", "/tmp");
  do_rows("/parhelion-lab.rows", 200);
  CALL4(__NR_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_POWER_OFF, 0);
  for (;;) sleep_ms(1000);
}

int main(int argc, char **argv) {
  environment = argv + argc + 1;
  self = argv[0];
  if (CALL0(__NR_getpid) == 1) first_process(argv);
  if (argc == 2 && same(argv[1], "exit")) return 0;
  int built = build_program(argc, argv);
  if (built >= 0) return built;
  if (argc != 3) return 2;
  const char *ms = argv[2];
  long time = number(&ms);
  return do_rows(argv[1], time > 0 ? time : 200);
}
