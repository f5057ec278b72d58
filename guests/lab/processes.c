/* Rows of processes: system calls, new processes, switches between them; and any command of the user's. */
#include "lab.h"

static long null_call(long n) {
  while (n-- > 0) CALL0(__NR_getppid);
  return 0;
}

static long fork_run(long n) {
  while (n-- > 0) {
    long pid = fork_process();
    if (pid == 0) sys_exit(0);
    long e = await(pid);
    if (e < 0) return e;
  }
  return 0;
}

static long exec_run(long n) {
  char *argv[] = {(char *)self, "exit", 0};
  for (; n > 0; n--) {
    long e = run_program("/proc/self/exe", argv);
    if (e < 0) return e;
  }
  return 0;
}

static char shell_text[512];

static long sh_prepare(const char *argument) {
  (void)argument;
  long fd = sys_open("/bin/sh", O_RDONLY, 0);
  if (fd < 0) return fd;
  sys_close(fd);
  shell_text[0] = 0;
  append(shell_text, sizeof shell_text, self);
  append(shell_text, sizeof shell_text, " exit; exit $?");
  return 0;
}

static long sh_run(long n) {
  char *argv[] = {"sh", "-c", shell_text, 0};
  for (; n > 0; n--) {
    long e = run_program("/bin/sh", argv);
    if (e < 0) return e;
  }
  return 0;
}

/* Switches: a token goes round a ring of processes, each of which looks at all of its own memory when it has it. */

#define RING 16
static int ring[RING][2];
static long ring_pids[RING], ring_size, ring_words;
static long ring_memory[64 * 1024 / sizeof(long)];

static long look(void) {
  long sum = 0;
  for (long i = 0; i < ring_words; i++) sum += ring_memory[i];
  __asm__ volatile("" : : "r"(sum));
  return sum;
}

static _Noreturn void ring_process(long at) {
  char token;
  for (long i = 0; i < ring_words; i++) ring_memory[i] = at; /* pages of its own */
  for (;;) {
    if (sys_read(ring[at][0], &token, 1) != 1) sys_exit(0);
    look();
    sys_write(ring[(at + 1) % ring_size][1], &token, 1);
  }
}

static void ring_finish(void) {
  for (int i = 0; i < RING; i++) {
    kill_and_reap(ring_pids[i]);
    ring_pids[i] = 0;
    if (ring[i][1]) {
      sys_close(ring[i][0]);
      sys_close(ring[i][1]);
      ring[i][0] = ring[i][1] = 0;
    }
  }
}

/* The argument is PROCESSES KIB. */
static long ring_prepare(const char *argument) {
  ring_size = number(&argument);
  ring_words = number(&argument) * 1024 / sizeof(long);
  if (ring_size < 2 || ring_size > RING || ring_words > (long)(sizeof ring_memory / sizeof(long))) return -EINVAL;
  for (int i = 0; i < ring_size; i++) {
    long e = CALL1(__NR_pipe, ring[i]);
    if (e < 0) return e;
  }
  for (int i = 1; i < ring_size; i++) {
    long pid = fork_process();
    if (pid < 0) return pid;
    if (pid == 0) ring_process(i);
    ring_pids[i] = pid;
  }
  for (long i = 0; i < ring_words; i++) ring_memory[i] = 0;
  row_scale = ring_size;
  return 0;
}

static long ring_run(long n) {
  char token = 1;
  while (n-- > 0) {
    look();
    if (sys_write(ring[1][1], &token, 1) != 1 || sys_read(ring[0][0], &token, 1) != 1) return -EIO;
  }
  return 0;
}

/* The user's command: the shell commands in /parhelion-lab.cmd. */
static long command_run(long n) {
  (void)n;
  char *argv[] = {"sh", "/parhelion-lab.cmd", 0};
  return run_program("/bin/sh", argv);
}

static long idle_ms;

static long idle_prepare(const char *argument) {
  idle_ms = number(&argument);
  return idle_ms > 0 ? 0 : -EINVAL;
}

static long idle_run(long n) {
  (void)n;
  sleep_ms(idle_ms);
  return 0;
}

const struct row process_rows[] = {
    {.name = "null", .run = null_call},
    {.name = "fork", .run = fork_run},
    {.name = "exec", .run = exec_run},
    {.name = "sh", .prepare = sh_prepare, .run = sh_run},
    {.name = "switch", .prepare = ring_prepare, .run = ring_run, .finish = ring_finish},
    {.name = "command", .run = command_run, .once = 1},
    {.name = "idle", .prepare = idle_prepare, .run = idle_run, .once = 1},
    {0},
};
