/* Rows of a disk that is the lab's own: what is on it is lost. Past the guest's page cache, but for the row "disk-sync". */
#include "lab.h"

#include <linux/fs.h>

#define SEQUENTIAL (256L << 10)
#define RANDOM 4096L

static long disk = -1;
static uint64_t disk_bytes, position, seed;
static char data[SEQUENTIAL] __attribute__((aligned(4096)));

static const char *const names[] = {"/dev/xvda", "/dev/vda", "/dev/sda", 0};

/* Drivers may still be looking at their disks. */
static long open_disk(int flags) {
  for (int tries = 0; tries < 100; tries++) {
    for (int i = 0; names[i]; i++) {
      disk = sys_open(names[i], O_RDWR | flags, 0);
      if (disk >= 0) {
        disk_bytes = 0;
        CALL3(__NR_ioctl, disk, BLKGETSIZE64, &disk_bytes);
        if (disk_bytes >= SEQUENTIAL) return 0;
        sys_close(disk);
      }
    }
    sleep_ms(50);
  }
  disk = -1;
  return -ENODEV;
}

static long sequential_prepare(const char *argument) {
  (void)argument;
  row_bytes = SEQUENTIAL;
  position = 0;
  return open_disk(O_DIRECT);
}

static long random_prepare(const char *argument) {
  (void)argument;
  row_bytes = RANDOM;
  seed = 88172645463325252ull;
  return open_disk(O_DIRECT);
}

static long sync_prepare(const char *argument) {
  long e = random_prepare(argument);
  if (e < 0) return e;
  sys_close(disk);
  return open_disk(0);
}

static void finish(void) {
  if (disk >= 0) sys_close(disk);
  disk = -1;
}

static long next_sequential(void) {
  if (position + SEQUENTIAL > disk_bytes) position = 0;
  long at = position;
  position += SEQUENTIAL;
  return at;
}

static long next_random(void) {
  seed ^= seed << 13;
  seed ^= seed >> 7;
  seed ^= seed << 17;
  return seed % (disk_bytes / RANDOM) * RANDOM;
}

static long transfer(long call, long bytes, long at) {
  long n = CALL4(call, disk, data, bytes, at);
  return n == bytes ? 0 : n < 0 ? n : -EIO;
}

static long sequential(long call, long n) {
  long e = 0;
  while (e == 0 && n-- > 0) e = transfer(call, SEQUENTIAL, next_sequential());
  return e;
}

static long random(long call, long n) {
  long e = 0;
  while (e == 0 && n-- > 0) e = transfer(call, RANDOM, next_random());
  return e;
}

static long read_sequential(long n) { return sequential(__NR_pread64, n); }
static long write_sequential(long n) { return sequential(__NR_pwrite64, n); }
static long read_random(long n) { return random(__NR_pread64, n); }
static long write_random(long n) { return random(__NR_pwrite64, n); }

static long write_sync(long n) {
  for (; n > 0; n--) {
    long e = transfer(__NR_pwrite64, RANDOM, next_random());
    if (e == 0) e = CALL1(__NR_fsync, disk);
    if (e < 0) return e;
  }
  return 0;
}

const struct row disk_rows[] = {
    {.name = "disk-read", .prepare = sequential_prepare, .run = read_sequential, .finish = finish},
    {.name = "disk-write", .prepare = sequential_prepare, .run = write_sequential, .finish = finish},
    {.name = "disk-read-4k", .prepare = random_prepare, .run = read_random, .finish = finish},
    {.name = "disk-write-4k", .prepare = random_prepare, .run = write_random, .finish = finish},
    {.name = "disk-sync", .prepare = sync_prepare, .run = write_sync, .finish = finish},
    {0},
};
