/* What the files of the lab's program share: a row is one thing to measure, and main.c measures it. */
#ifndef LAB_H
#define LAB_H

#include "../steward/sys.h"

/* ECX of a mark (docs/lab.md); the listener is lab.run.MarkRecorder. */
enum { MARK_OPEN = 1, MARK_CLOSE, MARK_FAILED, MARK_USERLAND, MARK_DONE };

/* One row. All but run may be missing; results are 0 or a negative errno. */
struct row {
  const char *name;
  /* Before everything: with what follows the name in the list of rows. */
  long (*prepare)(const char *argument);
  /* Before and after a run, not measured. */
  long (*before)(long n);
  void (*after)(long n);
  /* Does it n times. */
  long (*run)(long n);
  /* After everything. */
  void (*finish)(void);
  /* Operations that one time of run counts as; 0 is 1. prepare may set row_scale instead. */
  long scale;
  /* The most of one run; 0 is any number. */
  long most;
  /* Runs once, with n = 1, and nothing beforehand. */
  int once;
};

extern const struct row process_rows[], memory_rows[], latency_rows[], file_rows[], compute_rows[], build_rows[], disk_rows[],
    net_rows[];

/* Operations of one time of run; 0 for the row's own. */
extern long row_scale;
/* Bytes of one time of run, and bytes that run has counted by itself, which come first. */
extern long row_bytes, row_moved;
/* How this program is called. */
extern const char *self;
extern char **environment;

int64_t now_ns(void);
void sleep_ms(long ms);
/* The number that text begins with; moves text behind it and the blanks that follow. */
long number(const char **text);
/* Forks; the child's death is a success of 0, else -EIO. */
long await(long pid);
long run_program(const char *path, char *const argv[]);
static inline long fork_process(void) { return CALL0(__NR_fork); }
static inline void kill_and_reap(long pid) {
  if (pid > 0) {
    CALL2(__NR_kill, pid, SIGKILL);
    CALL4(__NR_wait4, pid, 0, 0, 0);
  }
}

/* The programs that the row "build" runs: argv[1] is their name. -1 if it is none of them. */
int build_program(int argc, char **argv);

#endif
