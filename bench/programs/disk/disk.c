/*
 * What a disk does in a guest: a static program that measures one block device and prints a row for each kind of work,
 * "NAME RATE UNIT AMOUNT UNIT", after "begin". It writes to the device. Everything is O_DIRECT, so that the guest's page cache has no part in it.
 *
 *   disk DEVICE SECONDS-PER-ROW
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define DEPTH 32
#define SMALL 4096
#define LARGE (1 << 20)

static int fd;
static unsigned long long size;
static double limit;
static char *buffer;

static void fail(const char *what) {
  printf("disk: %s: %s\n", what, strerror(errno));
  exit(1);
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

/* MiB a second, one request at a time, from the start of the device again when its end is reached. */
static void sequential(const char *name, int writes) {
  unsigned long long at = 0, done = 0;
  double start = now(), end;
  do {
    ssize_t n = writes ? pwrite(fd, buffer, LARGE, at) : pread(fd, buffer, LARGE, at);
    if (n != LARGE) fail(name);
    done += n;
    at = at + 2 * LARGE > size ? 0 : at + LARGE;
    end = now();
  } while (end - start < limit);
  if (writes && fdatasync(fd)) fail("fdatasync");
  printf("%s %.1f MiB/s %llu MiB\n", name, done / (now() - start) / LARGE, done / LARGE);
  fflush(stdout);
}

/* Requests a second with DEPTH of them under way, by Linux's native asynchronous I/O. */
static void at_random(const char *name, int writes) {
  aio_context_t context = 0;
  struct iocb blocks[DEPTH], *one;
  struct io_event events[DEPTH];
  unsigned long long state = 88172645463325252ULL, done = 0;
  double start, end;
  if (syscall(SYS_io_setup, DEPTH, &context)) fail("io_setup");
  start = now();
  for (int i = 0; i < DEPTH; i++) {
    memset(&blocks[i], 0, sizeof blocks[i]);
    blocks[i].aio_fildes = fd;
    blocks[i].aio_lio_opcode = writes ? IOCB_CMD_PWRITE : IOCB_CMD_PREAD;
    blocks[i].aio_buf = (unsigned long)(buffer + i * SMALL);
    blocks[i].aio_nbytes = SMALL;
    blocks[i].aio_data = i;
  }
  int free_from = 0, under_way = 0, list[DEPTH];
  for (int i = 0; i < DEPTH; i++) list[i] = i;
  free_from = DEPTH;
  do {
    while (free_from > 0) {
      one = &blocks[list[--free_from]];
      state ^= state << 13;
      state ^= state >> 7;
      state ^= state << 17;
      one->aio_offset = state % (size / SMALL) * SMALL;
      if (syscall(SYS_io_submit, context, 1, &one) != 1) fail("io_submit");
      under_way++;
    }
    int n = syscall(SYS_io_getevents, context, 1, DEPTH, events, NULL);
    if (n < 1) fail("io_getevents");
    for (int i = 0; i < n; i++) {
      if (events[i].res != SMALL) fail(name);
      list[free_from++] = events[i].data;
    }
    under_way -= n;
    done += n;
    end = now();
  } while (end - start < limit);
  while (under_way > 0) {
    int n = syscall(SYS_io_getevents, context, 1, DEPTH, events, NULL);
    if (n < 1) fail("io_getevents");
    under_way -= n;
  }
  syscall(SYS_io_destroy, context);
  printf("%s %.0f 1/s %llu request\n", name, done / (end - start), done);
  fflush(stdout);
}

/* Durable writes a second: each is followed by fdatasync. */
static void synced(void) {
  unsigned long long done = 0;
  double start = now(), end;
  do {
    if (pwrite(fd, buffer, SMALL, done % 1000 * SMALL) != SMALL || fdatasync(fd)) fail("fsync");
    done++;
    end = now();
  } while (end - start < limit);
  printf("fsync %.0f 1/s %llu request\n", done / (end - start), done);
  fflush(stdout);
}

int main(int argc, char **argv) {
  if (argc != 3) {
    printf("usage: disk DEVICE SECONDS-PER-ROW\n");
    return 2;
  }
  limit = atof(argv[2]);
  fd = open(argv[1], O_RDWR | O_DIRECT);
  if (fd < 0) fail(argv[1]);
  if (ioctl(fd, BLKGETSIZE64, &size) || size < 4 * LARGE) fail("size");
  if (posix_memalign((void **)&buffer, 4096, LARGE)) fail("memory");
  memset(buffer, 0x5a, LARGE);
  printf("begin\n");
  fflush(stdout);
  sequential("sequential-write", 1);
  sequential("sequential-read", 0);
  at_random("random-read", 0);
  at_random("random-write", 1);
  synced();
  return 0;
}
