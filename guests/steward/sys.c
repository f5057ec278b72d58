/* The steward's C library, as far as it has one. */
#include "sys.h"

long call6(long nr, long a, long b, long c, long d, long e, long f) {
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  register long r9 __asm__("r9") = f;
  long result;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return result;
}

void *memcpy(void *to, const void *from, size_t n) {
  void *at = to;
  __asm__ volatile("rep movsb" : "+D"(at), "+S"(from), "+c"(n) : : "memory");
  return to;
}

void *memmove(void *to, const void *from, size_t n) {
  char *t = to;
  const char *f = from;
  if (t <= f) return memcpy(to, from, n);
  while (n-- > 0) t[n] = f[n];
  return to;
}

void *memset(void *to, int byte, size_t n) {
  void *at = to;
  __asm__ volatile("rep stosb" : "+D"(at), "+c"(n) : "a"(byte) : "memory");
  return to;
}

int memcmp(const void *a, const void *b, size_t n) {
  const unsigned char *x = a, *y = b;
  for (; n > 0; n--, x++, y++)
    if (*x != *y) return *x - *y;
  return 0;
}

size_t length_of(const char *text) {
  size_t n = 0;
  while (text[n]) n++;
  return n;
}

int same(const char *a, const char *b) {
  size_t n = length_of(a);
  return n == length_of(b) && memcmp(a, b, n) == 0;
}

int64_t now_ms(void) {
  struct __kernel_timespec t = {0, 0};
  CALL2(__NR_clock_gettime, 1, &t);
  return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

long write_all(int fd, const void *from, size_t n) {
  const char *at = from;
  while (n > 0) {
    long done = sys_write(fd, at, n);
    if (done == -EINTR) continue;
    if (done < 0) return done;
    at += done;
    n -= done;
  }
  return 0;
}

long read_all(int fd, void *to, size_t n) {
  size_t have = 0;
  while (have < n) {
    long got = sys_read(fd, (char *)to + have, n - have);
    if (got == -EINTR) continue;
    if (got < 0) return got;
    if (got == 0) break;
    have += got;
  }
  return have;
}

void append(char *to, size_t size, const char *text) {
  size_t at = length_of(to);
  while (at + 1 < size && *text) to[at++] = *text++;
  to[at] = 0;
}

void append_number(char *to, size_t size, unsigned long n) {
  char digits[24];
  int at = sizeof digits - 1;
  digits[at] = 0;
  do digits[--at] = '0' + n % 10;
  while ((n /= 10) > 0);
  append(to, size, digits + at);
}

const char *error_text(long error) {
  static char other[32];
  switch (error < 0 ? -error : error) {
    case EPERM: return "not permitted";
    case ENOENT: return "no such file or directory";
    case EIO: return "input/output error";
    case E2BIG: return "the arguments are too long";
    case ENOEXEC: return "not a program";
    case ENOMEM: return "out of memory";
    case EACCES: return "permission denied";
    case EEXIST: return "exists already";
    case ENOTDIR: return "not a directory";
    case EISDIR: return "is a directory";
    case EMFILE: return "too many open files";
    case ETXTBSY: return "the program is being written to";
    case EFBIG: return "the file is too large";
    case ENOSPC: return "no space left";
    case EROFS: return "the file system is read-only";
    case ENAMETOOLONG: return "the name is too long";
    case ELOOP: return "too many links, or a link where none may be";
  }
  other[0] = 0;
  append(other, sizeof other, "error ");
  append_number(other, sizeof other, error < 0 ? -error : error);
  return other;
}
