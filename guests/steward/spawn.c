/* What a child of the steward does before it is the command: the root of the first process, user, directory, environment. All
 * that it reads of the request is checked against the request's end. */
#include "steward.h"

#define MAX_WORDS 8192
#define MAX_GROUPS 64
#define FILE_BYTES 262144

static char *words[MAX_WORDS + 2];
static char text[FILE_BYTES + 1];
static char request_copy[MAX_REQUEST + 1];

_Noreturn void fail(int status, const char *what, long error) {
  char message[512] = "";
  append_number(message, sizeof message, status);
  append(message, sizeof message, ":");
  append(message, sizeof message, what);
  if (error != 0) {
    append(message, sizeof message, ": ");
    append(message, sizeof message, error_text(error));
  }
  write_all(FAILURE_FD, message, length_of(message));
  sys_exit(status);
}

/* The first process may have another root by now than we were born with, or commands one of their own. */
static void enter_root(int proc) {
  int root = CALL4(__NR_openat, proc, guest_root, O_PATH | O_DIRECTORY, 0);
  if (root < 0) return; /* no /proc: then it is ours */
  if (CALL1(__NR_fchdir, root) != 0 || CALL1(__NR_chroot, ".") != 0) fail(126, "the guest's root", -EACCES);
  sys_close(root);
}

static int is_number(const char *s) {
  if (!*s || length_of(s) > 9) return 0;
  for (; *s; s++)
    if (*s < '0' || *s > '9') return 0;
  return 1;
}

static long number(const char *s) {
  long n = 0;
  while (*s >= '0' && *s <= '9') n = n * 10 + (*s++ - '0');
  return n;
}

/* Reads a file such as /etc/passwd into text. */
static void load(const char *path) {
  long n = -1;
  int fd = sys_open(path, O_RDONLY | O_CLOEXEC, 0);
  if (fd >= 0) {
    n = read_all(fd, text, FILE_BYTES);
    sys_close(fd);
  }
  text[n > 0 ? n : 0] = 0;
}

/* Splits the line at *at into fields, moves *at to the next one; how many fields. */
static int fields(char **at, char **field, int most) {
  char *s = *at;
  int n = 0;
  field[n++] = s;
  for (; *s && *s != '\n'; s++)
    if (*s == ':' && n < most) {
      *s = 0;
      field[n++] = s + 1;
    }
  *at = *s ? s + 1 : s;
  *s = 0;
  return n;
}

static int lists(const char *members, const char *name) {
  size_t n = length_of(name);
  while (*members) {
    size_t m = 0;
    while (members[m] && members[m] != ',') m++;
    if (m == n && memcmp(members, name, n) == 0) return 1;
    members += m + (members[m] == ',');
  }
  return 0;
}

/* user: a name, a number, or either with a colon and a number for the group. Empty: stays root. Home is set where known. */
static void become_user(char *user, const char **home) {
  static char name[256], home_text[PATH_BYTES];
  int groups[MAX_GROUPS], count = 0;
  long uid = 0, gid = -1;
  char *field[8], *at;
  if (!*user) return;
  for (at = user; *at && *at != ':'; at++) {
  }
  if (*at == ':') {
    *at++ = 0;
    if (!is_number(at)) fail(126, "the group is no number", 0);
    gid = number(at);
  }
  append(name, sizeof name, user);
  load("/etc/passwd");
  int found = 0;
  for (at = text; *at && !found;) {
    int n = fields(&at, field, 8);
    if (n < 6 || !(same(field[0], user) || (is_number(user) && is_number(field[2]) && number(user) == number(field[2])))) continue;
    found = 1;
    uid = number(field[2]);
    if (gid < 0) gid = number(field[3]);
    name[0] = 0;
    append(name, sizeof name, field[0]);
    append(home_text, sizeof home_text, field[5]);
    *home = home_text;
  }
  if (!found) {
    if (!is_number(user)) fail(126, "there is no such user", 0);
    uid = number(user);
    *home = "/";
  }
  if (gid < 0) gid = uid;
  load("/etc/group");
  for (at = text; *at && count < MAX_GROUPS;) {
    int n = fields(&at, field, 4);
    if (n == 4 && lists(field[3], name)) groups[count++] = number(field[2]);
  }
  long bad = CALL2(__NR_setgroups, count, groups);
  if (bad == 0) bad = CALL3(__NR_setresgid, gid, gid, gid);
  if (bad == 0) bad = CALL3(__NR_setresuid, uid, uid, uid);
  if (bad != 0) fail(126, "the user", bad);
}

static const char *variable(char **environment, const char *name) {
  size_t n = length_of(name);
  for (; *environment; environment++)
    if (memcmp(*environment, name, n) == 0 && (*environment)[n] == '=') return *environment + n + 1;
  return 0;
}

/* As execvp does: along PATH, and by the shell what has no header. */
static _Noreturn void run(char **argv, char **environment) {
  static char path[PATH_BYTES * 2];
  const char *search = variable(environment, "PATH");
  long error = -ENOENT;
  int direct = 0;
  for (const char *s = argv[0]; *s; s++) direct |= *s == '/';
  if (direct || !search) search = "";
  for (;;) {
    size_t n = 0;
    while (search[n] && search[n] != ':') n++;
    if (direct || n < PATH_BYTES) {
      path[0] = 0;
      if (!direct) {
        memcpy(path, search, n);
        path[n] = 0;
        append(path, sizeof path, "/");
      }
      append(path, sizeof path, argv[0]);
      long bad = CALL3(__NR_execve, path, argv, environment);
      if (bad == -ENOEXEC) {
        argv[-1] = "sh";
        argv[0] = path;
        bad = CALL3(__NR_execve, "/bin/sh", argv - 1, environment);
      }
      if (bad != -ENOENT && bad != -ENOTDIR) error = bad;
      if (bad != -ENOENT && bad != -ENOTDIR && bad != -EACCES) break;
    }
    if (direct || !search[n]) break;
    search += n + 1;
  }
  fail(error == -ENOENT ? 127 : 126, argv[0], error);
}

_Noreturn void become(const char *request, size_t length, int proc) {
  struct request head;
  const char *home = 0;
  if (length < sizeof head || length > MAX_REQUEST) fail(126, "the request is too short", 0);
  memcpy(&head, request, sizeof head);
  memcpy(request_copy, request, length);
  request_copy[length] = 0;
  size_t count = 2 + head.arguments + head.variables, have = 0;
  if (head.arguments < 1 || count > MAX_WORDS - 4) fail(126, "too many arguments", 0);
  /* Words: user, directory, a hole for a shell, arguments, null, environment, room for HOME, null. */
  char *user = 0, *directory = 0;
  static char home_variable[PATH_BYTES + 8];
  char **argv = words + 1, **environment = argv + head.arguments + 1, *at = request_copy + sizeof head;
  for (; have < count && at < request_copy + length; have++, at += length_of(at) + 1) {
    if (have == 0) user = at;
    else if (have == 1) directory = at;
    else if (have < 2u + head.arguments) argv[have - 2] = at;
    else environment[have - 2 - head.arguments] = at;
  }
  if (have < count) fail(126, "the request is too short", 0);
  enter_root(proc);
  become_user(user, &home);
  if (!variable(environment, "HOME")) {
    append(home_variable, sizeof home_variable, "HOME=");
    append(home_variable, sizeof home_variable, home ? home : "/root");
    environment[head.variables] = home_variable;
  }
  if (*directory) {
    long bad = CALL1(__NR_chdir, directory);
    if (bad != 0) fail(126, directory, bad);
  } else if (head.what == 'R' && CALL1(__NR_chdir, variable(environment, "HOME")) != 0) {
    CALL1(__NR_chdir, "/");
  }
  if (head.what == 'G') sys_exit(send_tree(argv[0]));
  if (head.what == 'U') sys_exit(receive_tree(argv[0], head.arguments > 1 ? argv[1] : "copy", head.arguments > 2));
  run(argv, environment);
}
