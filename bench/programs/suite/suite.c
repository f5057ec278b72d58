/* The command: which programs there are, how often each is run, and whether it computed what it should. */
#define _GNU_SOURCE
#include "suite.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Rounds at scale 1: about a second in QEMU's TCG, and not so few on its host that the time is hard to take. */
static const struct row {
  const char *name, *group;
  int rounds;
  program run;
  uint64_t expected;
} rows[] = {
    {"sieve", "integer", 250, sieve, 12251},
    {"sha256", "integer", 150, sha256, 0xd790e413479d16f4},
    {"mix", "integer", 100, mix, 0x4c193560a30bba26},
    {"nbody", "float", 150, nbody, 0xcde7c5a1704bf907},
    {"mandelbrot", "float", 100, mandelbrot, 0xd9ab8ad0c338bf2d},
    {"simd", "float", 600, simd, 0xc390cb43c0ff6465},
    {"syscall", "kernel", 40, null_call, 10000},
    {"fork", "kernel", 20, fork_wait, 55},
    {"pipe", "kernel", 6, pipe_turns, 1000},
    {"fault", "kernel", 80, page_faults, 256},
};

#define ROWS (sizeof rows / sizeof *rows)

static const char usage[] =
    "Usage: suite [--scale X] [--list] [--help] [NAME|GROUP|all]...\n"
    "\n"
    "Runs programs, all of them without a NAME, and prints a line for each: name, seconds, checksum.\n"
    "\n"
    "  --scale X  X times the work of each (default 1), one round at least\n"
    "  --list     name, group and rounds of each instead\n"
    "\n"
    "Exit status: 0, 1 when a checksum is wrong or a system call failed, 2 for a wrong argument.\n"
    "\n"
    "Example: suite --scale 0.1 integer fork\n";

void fail(const char *what) {
  fprintf(stderr, "suite: %s: %s\n", what, strerror(errno));
  _Exit(1);
}

static _Noreturn void wrong(const char *what, const char *argument) {
  fprintf(stderr, "suite: %s '%s': see suite --help\n", what, argument);
  exit(2);
}

static double now(void) {
  struct timespec t;
  if (clock_gettime(CLOCK_MONOTONIC, &t)) fail("clock_gettime");
  return t.tv_sec + t.tv_nsec * 1e-9;
}

/* Runs all rounds and prints the line; whether every round's checksum was right. */
static int measure(const struct row *row, double scale) {
  long rounds = row->rounds * scale + 0.5;
  if (rounds < 1) rounds = 1;
  uint64_t found = row->expected;
  double start = now();
  for (long i = 0; i < rounds && found == row->expected; i++) found = row->run();
  double seconds = now() - start;
  if (found != row->expected) {
    fprintf(stderr, "suite: %s: checksum %016llx, expected %016llx\n", row->name, (unsigned long long)found,
            (unsigned long long)row->expected);
    return 0;
  }
  printf("%s %.6f %016llx\n", row->name, seconds, (unsigned long long)found);
  fflush(stdout);
  return 1;
}

static int names(const struct row *row, const char *word) {
  return !strcmp(word, "all") || !strcmp(word, row->name) || !strcmp(word, row->group);
}

int main(int argc, char **argv) {
  double scale = 1;
  int first = 1, list = 0;
  for (; first < argc && argv[first][0] == '-'; first++) {
    char *end;
    if (!strcmp(argv[first], "--help")) {
      fputs(usage, stdout);
      return 0;
    }
    if (!strcmp(argv[first], "--list")) {
      list = 1;
      continue;
    }
    if (strcmp(argv[first], "--scale")) wrong("unknown option", argv[first]);
    const char *number = ++first < argc ? argv[first] : "";
    scale = strtod(number, &end);
    if (end == number || *end || !(scale > 0 && scale <= 10000)) wrong("--scale takes a number above 0, not", number);
  }
  int chosen[ROWS] = {0};
  for (int i = first; i < argc; i++) {
    int any = 0;
    for (unsigned r = 0; r < ROWS; r++)
      if (names(&rows[r], argv[i])) any = chosen[r] = 1;
    if (!any) wrong("no program is called", argv[i]);
  }
  /* One CPU everywhere, as two processes that take turns depend on it; where there is but one, no matter. */
  cpu_set_t here;
  CPU_ZERO(&here);
  int cpu = sched_getcpu();
  if (cpu >= 0) {
    CPU_SET(cpu, &here);
    sched_setaffinity(0, sizeof here, &here);
  }
  int right = 1;
  for (unsigned r = 0; r < ROWS; r++) {
    if (first < argc && !chosen[r]) continue;
    if (list)
      printf("%s %s %d\n", rows[r].name, rows[r].group, rows[r].rounds);
    else
      right &= measure(&rows[r], scale);
  }
  return !right;
}
