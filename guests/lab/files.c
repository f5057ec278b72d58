/* Rows of files: made and deleted, empty and with 10 KiB, in /tmp, which is memory in a guest. */
#include "lab.h"

#define DIRECTORY "/tmp/lab.files"

static long file_bytes;
static char content[10240];

static const char *name_of(long i) {
  static char name[64];
  name[0] = 0;
  append(name, sizeof name, DIRECTORY "/");
  append_number(name, sizeof name, i);
  return name;
}

/* The argument is the size in bytes. */
static long prepare(const char *argument) {
  file_bytes = number(&argument);
  if (file_bytes > (long)sizeof content) return -EINVAL;
  long e = CALL2(__NR_mkdir, DIRECTORY, 0700);
  return e == -EEXIST ? 0 : e;
}

static void finish(void) { CALL1(__NR_rmdir, DIRECTORY); }

static long create(long n) {
  for (long i = 0; i < n; i++) {
    long fd = sys_open(name_of(i), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (fd < 0) return fd;
    long e = file_bytes ? write_all(fd, content, file_bytes) : 0;
    sys_close(fd);
    if (e < 0) return e;
  }
  return 0;
}

static long delete(long n) {
  for (long i = 0; i < n; i++) {
    long e = CALL1(__NR_unlink, name_of(i));
    if (e < 0) return e;
  }
  return 0;
}

static void clean(long n) { delete (n); }

const struct row file_rows[] = {
    {.name = "create", .prepare = prepare, .run = create, .after = clean, .finish = finish, .most = 2000},
    {.name = "delete", .prepare = prepare, .before = create, .run = delete, .finish = finish, .most = 2000},
    {0},
};
