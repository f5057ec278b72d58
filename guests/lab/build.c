/* The row "build": what a make does to a kernel, without a compiler. For each of four sources a compiler reads it and its headers,
 * works on memory of its own and writes to a pipe, from which an assembler makes an object; a linker reads all objects. Each is a
 * process with a program of its own (this file again). */
#include "lab.h"

#define DIRECTORY "/tmp/lab.build"
#define UNITS 4
#define HEADERS 12
#define HEADER_BYTES 8192
#define SOURCE_BYTES 16384
#define ARENA (512L << 10)

static char buffer[65536];

static const char *path_of(const char *kind, long i) {
  static char path[64];
  path[0] = 0;
  append(path, sizeof path, DIRECTORY "/");
  append(path, sizeof path, kind);
  append_number(path, sizeof path, i);
  return path;
}

static long write_file(const char *path, const void *from, long n) {
  long fd = sys_open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  if (fd < 0) return fd;
  long e = write_all(fd, from, n);
  sys_close(fd);
  return e;
}

/* Opens, looks at and reads a file; how many bytes. */
static long read_file(const char *path, char *into, long size) {
  struct stat about;
  long e = CALL2(__NR_stat, path, &about);
  if (e < 0) return e;
  long fd = sys_open(path, O_RDONLY, 0);
  if (fd < 0) return fd;
  long n = read_all(fd, into, size);
  sys_close(fd);
  return n;
}

/* Hashes words, as a lexer does, into a table in memory that nobody has used yet. */
static uint32_t lex(uint32_t *arena, const char *text, long n) {
  uint32_t hash = 5381, sum = 0;
  for (long i = 0; i < n; i++) {
    if (text[i] == ' ') {
      arena[hash % (ARENA / sizeof *arena)] += hash;
      sum ^= hash;
      hash = 5381;
    } else {
      hash = hash * 33 + text[i];
    }
  }
  return sum;
}

static int compile(long unit) {
  long at = CALL6(__NR_mmap, 0, ARENA, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (at < 0 && at > -PAGE) return 1;
  uint32_t sum = 0;
  for (long i = 0; i < HEADERS; i++) {
    long n = read_file(path_of("h", i), buffer, sizeof buffer);
    if (n != HEADER_BYTES) return 1;
    sum += lex((uint32_t *)at, buffer, n);
  }
  long n = read_file(path_of("c", unit), buffer, sizeof buffer);
  if (n != SOURCE_BYTES) return 1;
  for (int pass = 0; pass < 8; pass++) sum += lex((uint32_t *)at, buffer, n);
  memcpy(buffer, &sum, sizeof sum);
  return write_all(1, buffer, SOURCE_BYTES / 2) < 0;
}

static int assemble(long unit) {
  long n = read_all(0, buffer, sizeof buffer);
  if (n != SOURCE_BYTES / 2) return 1;
  char temporary[64] = "";
  append(temporary, sizeof temporary, path_of("t", unit));
  if (write_file(temporary, buffer, n / 2) < 0) return 1;
  return CALL2(__NR_rename, temporary, path_of("o", unit)) < 0;
}

static int link_all(void) {
  long at = 0;
  for (long i = 0; i < UNITS; i++) {
    long n = read_file(path_of("o", i), buffer + at, sizeof buffer - at);
    if (n != SOURCE_BYTES / 4) return 1;
    at += n;
  }
  return write_file(DIRECTORY "/program", buffer, at) < 0;
}

int build_program(int argc, char **argv) {
  if (argc != 3) return -1;
  const char *digits = argv[2];
  long unit = number(&digits);
  if (same(argv[1], "cc")) return compile(unit);
  if (same(argv[1], "as")) return assemble(unit);
  if (same(argv[1], "ld")) return link_all();
  return -1;
}

static _Noreturn void become(const char *program, long unit, int from, int to) {
  char digits[24] = "";
  append_number(digits, sizeof digits, unit);
  char *argv[] = {(char *)self, (char *)program, digits, 0};
  if (from >= 0) CALL2(__NR_dup2, from, 0);
  if (to >= 0) CALL2(__NR_dup2, to, 1);
  for (int fd = 3; fd < 16; fd++) sys_close(fd);
  CALL3(__NR_execve, "/proc/self/exe", argv, environment);
  sys_exit(127);
}

static long unit(long i) {
  int ends[2];
  long e = CALL1(__NR_pipe, ends);
  if (e < 0) return e;
  long compiler = fork_process();
  if (compiler == 0) become("cc", i, -1, ends[1]);
  long assembler = fork_process();
  if (assembler == 0) become("as", i, ends[0], -1);
  sys_close(ends[0]);
  sys_close(ends[1]);
  long first = await(compiler), second = await(assembler);
  return first < 0 ? first : second;
}

static long run(long n) {
  for (; n > 0; n--) {
    for (long i = 0; i < UNITS; i++) {
      long e = unit(i);
      if (e < 0) return e;
    }
    long linker = fork_process();
    if (linker == 0) become("ld", 0, -1, -1);
    long e = await(linker);
    if (e < 0) return e;
  }
  return 0;
}

static long prepare(const char *argument) {
  (void)argument;
  long e = CALL2(__NR_mkdir, DIRECTORY, 0700);
  if (e < 0 && e != -EEXIST) return e;
  for (long i = 0; i < SOURCE_BYTES; i++) buffer[i] = i % 7 == 6 ? ' ' : 'a' + i * 31 % 26;
  for (long i = 0; i < HEADERS && e >= -EEXIST; i++) {
    e = write_file(path_of("h", i), buffer, HEADER_BYTES);
    if (e < 0) return e;
  }
  for (long i = 0; i < UNITS; i++) {
    e = write_file(path_of("c", i), buffer, SOURCE_BYTES);
    if (e < 0) return e;
  }
  return 0;
}

static void finish(void) {
  for (long i = 0; i < HEADERS; i++) CALL1(__NR_unlink, path_of("h", i));
  for (long i = 0; i < UNITS; i++) {
    CALL1(__NR_unlink, path_of("c", i));
    CALL1(__NR_unlink, path_of("o", i));
  }
  CALL1(__NR_unlink, DIRECTORY "/program");
  CALL1(__NR_rmdir, DIRECTORY);
}

const struct row build_rows[] = {
    {.name = "build", .prepare = prepare, .run = run, .finish = finish},
    {0},
};
