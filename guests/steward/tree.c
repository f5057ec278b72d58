/* Files and directories as a stream of bytes, for copies between host and guest. An entry is the header below, the name's bytes,
 * and for files and links the content: chunks of a u32 length and so many bytes, ended by a length of 0. A directory's entry
 * comes before what is in it, and another one, of kind LEAVE, after. Names are relative to the tree's top, whose own is empty;
 * the last entry's kind is LAST. The host's half is parhelion.toolstack.steward.TreeWriter and TreeReader. */
#include "steward.h"

struct entry {
  uint8_t kind;
  uint8_t unused;
  uint16_t name_length;
  uint32_t mode; /* permission bits */
  int64_t seconds; /* of the last change */
  int64_t size;
} __attribute__((packed));

enum { DIRECTORY = 'd', FILE = 'f', LINK = 'l', LEAVE = 'x', LAST = 'e' };

#define CHUNK 65536
#define NAMES 2048
#define O_CREATE (O_WRONLY | O_CREAT | O_CLOEXEC)

/* What getdents64 fills in. */
struct name {
  uint64_t inode;
  int64_t next;
  uint16_t bytes;
  uint8_t type;
  char name[];
};

static char path[PATH_BYTES * 2]; /* the tree's top, and what is below it */
static size_t top;                /* the length of the top's part */
static char chunk[CHUNK];
static int status;

static void complain(const char *what, long error) {
  static char message[PATH_BYTES * 2 + 128];
  message[0] = 0;
  append(message, sizeof message, path);
  append(message, sizeof message, ": ");
  append(message, sizeof message, what);
  if (error != 0) append(message, sizeof message, error_text(error));
  append(message, sizeof message, "\n");
  write_all(2, message, length_of(message));
  status = 1;
}

/* Nobody listens, or nobody speaks, any more. */
static void need(long result) {
  if (result < 0) sys_exit(1);
}

static const char *relative(void) { return path + top + (path[top] == '/'); }

static void put_entry(int kind, const struct stat *s) {
  const char *name = relative();
  struct entry e = {kind, 0, length_of(name), s->st_mode & 07777, s->st_mtime, s->st_size};
  need(write_all(1, &e, sizeof e));
  need(write_all(1, name, e.name_length));
}

static void put_chunk(uint32_t length) {
  need(write_all(1, &length, sizeof length));
  need(write_all(1, chunk, length));
}

static void send_file(const struct stat *s) {
  int fd = sys_open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);
  if (fd < 0) {
    complain("", fd);
    return;
  }
  put_entry(FILE, s);
  for (;;) {
    long got = sys_read(fd, chunk, CHUNK);
    if (got == -EINTR) continue;
    if (got < 0) complain("", got);
    if (got <= 0) break;
    put_chunk(got);
  }
  put_chunk(0);
  sys_close(fd);
}

static void send_any(int follow);

static void send_directory(const struct stat *s) {
  _Alignas(8) char buffer[NAMES];
  size_t here = length_of(path);
  int fd = sys_open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
  if (fd < 0) {
    complain("", fd);
    return;
  }
  put_entry(DIRECTORY, s);
  for (;;) {
    long got = CALL3(__NR_getdents64, fd, buffer, NAMES);
    if (got < 0) complain("", got);
    if (got <= 0) break;
    for (long at = 0; at < got; at += ((struct name *)(buffer + at))->bytes) {
      const char *name = ((struct name *)(buffer + at))->name;
      if (same(name, ".") || same(name, "..")) continue;
      if (here + 1 + length_of(name) - top >= PATH_BYTES) {
        complain("a path below is too long", 0);
        continue;
      }
      path[here] = '/';
      path[here + 1] = 0;
      append(path, sizeof path, name);
      send_any(0);
      path[here] = 0;
    }
  }
  sys_close(fd);
  put_entry(LEAVE, s);
}

static void send_any(int follow) {
  struct stat s;
  long bad = CALL4(__NR_newfstatat, AT_FDCWD, path, &s, follow ? 0 : AT_SYMLINK_NOFOLLOW);
  if (bad != 0) {
    complain("", bad);
  } else if (S_ISREG(s.st_mode)) {
    send_file(&s);
  } else if (S_ISDIR(s.st_mode)) {
    send_directory(&s);
  } else if (S_ISLNK(s.st_mode)) {
    long n = CALL3(__NR_readlink, path, chunk, PATH_BYTES);
    if (n < 0) {
      complain("", n);
      return;
    }
    put_entry(LINK, &s);
    put_chunk(n);
    put_chunk(0);
  } else {
    complain("is no file, directory or link: left out", 0);
  }
}

static void set_top(const char *at) {
  path[0] = 0;
  append(path, PATH_BYTES, at);
  top = length_of(path);
  while (top > 1 && path[top - 1] == '/') path[--top] = 0;
}

int send_tree(const char *at) {
  struct stat none = {0};
  set_top(at);
  send_any(1);
  path[top] = 0;
  put_entry(LAST, &none);
  return status;
}

static void get(void *to, size_t n) {
  if (read_all(0, to, n) != (long)n) sys_exit(1);
}

/* Reads a chunk; its length. */
static uint32_t get_chunk(void) {
  uint32_t length;
  get(&length, sizeof length);
  if (length > CHUNK) sys_exit(1);
  get(chunk, length);
  return length;
}

static void set_time(const struct entry *e) {
  struct __kernel_timespec times[2] = {{e->seconds, 0}, {e->seconds, 0}};
  CALL4(__NR_utimensat, AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW);
}

static void receive_file(const struct entry *e, int is_top) {
  int flags = O_CREATE | O_TRUNC | (is_top ? 0 : O_NOFOLLOW);
  int fd = sys_open(path, flags, 0600);
  if (fd == -ETXTBSY || fd == -ELOOP) { /* the old one goes on as it is */
    CALL1(__NR_unlink, path);
    fd = sys_open(path, flags, 0600);
  }
  if (fd < 0) complain("", fd);
  for (uint32_t n = get_chunk(); n > 0; n = get_chunk()) {
    long bad = fd < 0 ? 0 : write_all(fd, chunk, n);
    if (bad < 0) {
      complain("", bad);
      sys_close(fd);
      fd = -1;
    }
  }
  if (fd >= 0) {
    CALL2(__NR_fchmod, fd, e->mode);
    sys_close(fd);
    set_time(e);
  }
}

static void receive_link(const struct entry *e) {
  static char target[PATH_BYTES];
  uint32_t length = get_chunk();
  if (length >= PATH_BYTES) sys_exit(1);
  memcpy(target, chunk, length);
  target[length] = 0;
  if (get_chunk() != 0) sys_exit(1);
  long bad = CALL2(__NR_symlink, target, path);
  if (bad == -EEXIST && CALL1(__NR_unlink, path) == 0) bad = CALL2(__NR_symlink, target, path);
  if (bad != 0) complain("", bad);
  else set_time(e);
}

static int is_directory(void) {
  struct stat s;
  return CALL2(__NR_stat, path, &s) == 0 && S_ISDIR(s.st_mode);
}

static void receive(const struct entry *e) {
  long bad;
  switch (e->kind) {
    case FILE:
      receive_file(e, path[top] == 0);
      break;
    case LINK:
      receive_link(e);
      break;
    case DIRECTORY:
      bad = CALL2(__NR_mkdir, path, 0700);
      if (bad != 0 && !(bad == -EEXIST && is_directory())) complain("", bad);
      break;
    case LEAVE:
      bad = CALL2(__NR_chmod, path, e->mode);
      if (bad != 0) complain("", bad);
      set_time(e);
      break;
    default:
      sys_exit(1);
  }
}

int receive_tree(const char *at, const char *name, int into) {
  struct entry e;
  size_t given = length_of(at);
  set_top(at);
  if (is_directory()) {
    append(path, PATH_BYTES, "/");
    append(path, PATH_BYTES, name);
    top = length_of(path);
  } else if (into || (given > 1 && at[given - 1] == '/')) {
    complain("is not a directory", 0);
    return status;
  }
  for (;;) {
    get(&e, sizeof e);
    if (e.kind == LAST) return status;
    if (e.name_length >= PATH_BYTES) sys_exit(1);
    path[top] = e.name_length > 0 ? '/' : 0;
    get(path + top + 1, e.name_length);
    if (e.name_length > 0) path[top + 1 + e.name_length] = 0;
    receive(&e);
  }
}
