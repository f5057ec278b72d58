/* Work for the kernel below: system calls, processes, context switches, page tables and faults. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "suite.h"

#define CALLS 10000

/* Calls that do nothing; the number that gave the same answer as the first. */
uint64_t null_call(void) {
  long parent = syscall(SYS_getppid);
  uint64_t same = 0;
  for (int i = 0; i < CALLS; i++) same += syscall(SYS_getppid) == parent;
  return same;
}

#define CHILDREN 10

/* Processes that only exit; the sum of their statuses. */
uint64_t fork_wait(void) {
  uint64_t sum = 0;
  for (int i = 1; i <= CHILDREN; i++) {
    pid_t child = fork();
    if (child < 0) fail("fork");
    if (child == 0) _exit(i);
    int status;
    if (waitpid(child, &status, 0) != child) fail("waitpid");
    sum += WIFEXITED(status) ? WEXITSTATUS(status) : 1000;
  }
  return sum;
}

#define TURNS 500

static ssize_t read_word(int pipe, uint32_t *word) {
  ssize_t size = read(pipe, word, sizeof *word);
  if (size < 0) fail("read");
  return size;
}

static void write_word(int pipe, uint32_t word) {
  if (write(pipe, &word, sizeof word) != sizeof word) fail("write");
}

/* A word that goes to and fro between two processes and grows by one in each. */
uint64_t pipe_turns(void) {
  int there[2], back[2];
  if (pipe(there) || pipe(back)) fail("pipe");
  uint32_t word = 0;
  pid_t child = fork();
  if (child < 0) fail("fork");
  if (child == 0) {
    close(there[1]);
    while (read_word(there[0], &word) > 0) write_word(back[1], word + 1);
    _exit(0);
  }
  for (int i = 0; i < TURNS; i++) {
    write_word(there[1], word + 1);
    if (!read_word(back[0], &word)) fail("pipe");
  }
  close(there[0]), close(there[1]), close(back[0]), close(back[1]);
  if (waitpid(child, NULL, 0) != child) fail("waitpid");
  return word;
}

#define PAGE 4096
#define PAGES 256

/* Pages that are mapped, touched and unmapped: the number that came, all zero. */
uint64_t page_faults(void) {
  volatile uint8_t *at = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (at == MAP_FAILED) fail("mmap");
  /* One fault a page on every kernel; one that knows no huge pages refuses, and is right. */
  madvise((void *)at, PAGES * PAGE, MADV_NOHUGEPAGE);
  uint64_t sum = 0;
  for (int i = 0; i < PAGES; i++) {
    at[i * PAGE] += 1;
    sum += at[i * PAGE];
  }
  if (munmap((void *)at, PAGES * PAGE)) fail("munmap");
  return sum;
}
