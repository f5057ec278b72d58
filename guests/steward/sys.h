/* What the steward needs of Linux and of a C library: system calls by number (x86-64), and their constants, from Linux's own
 * user-space headers. Results are the kernel's: a negative errno for an error. */
#ifndef SYS_H
#define SYS_H

#include <asm/ioctls.h>
#include <asm/stat.h>
#include <asm/termbits.h>
#include <asm/termios.h>
#include <asm/unistd.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/poll.h>
#include <linux/prctl.h>
#include <linux/signal.h>
#include <linux/signalfd.h>
#include <linux/stat.h>
#include <linux/time_types.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE 4096
#define PATH_BYTES 4096
#define PROT_READ 1
#define PROT_WRITE 2
#define MAP_SHARED 1
#define MAP_PRIVATE 2
#define MAP_ANONYMOUS 32
#define WNOHANG 1
#define AT_EMPTY 0x1000

long call6(long nr, long a, long b, long c, long d, long e, long f);
#define CALL0(nr) call6(nr, 0, 0, 0, 0, 0, 0)
#define CALL1(nr, a) call6(nr, (long)(a), 0, 0, 0, 0, 0)
#define CALL2(nr, a, b) call6(nr, (long)(a), (long)(b), 0, 0, 0, 0)
#define CALL3(nr, a, b, c) call6(nr, (long)(a), (long)(b), (long)(c), 0, 0, 0)
#define CALL4(nr, a, b, c, d) call6(nr, (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)
#define CALL5(nr, a, b, c, d, e) call6(nr, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), 0)
#define CALL6(nr, a, b, c, d, e, f) call6(nr, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))

static inline long sys_read(int fd, void *to, size_t n) { return CALL3(__NR_read, fd, to, n); }
static inline long sys_write(int fd, const void *from, size_t n) { return CALL3(__NR_write, fd, from, n); }
static inline long sys_open(const char *path, int flags, int mode) { return CALL4(__NR_openat, AT_FDCWD, path, flags, mode); }
static inline long sys_close(int fd) { return CALL1(__NR_close, fd); }
static inline long sys_ioctl(int fd, long what, const void *arg) { return CALL3(__NR_ioctl, fd, what, arg); }
static inline long sys_poll(struct pollfd *fds, int n, int ms) { return CALL3(__NR_poll, fds, n, ms); }
static inline _Noreturn void sys_exit(int status) {
  for (;;) CALL1(__NR_exit_group, status);
}

void *memcpy(void *to, const void *from, size_t n);
void *memmove(void *to, const void *from, size_t n);
void *memset(void *to, int byte, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t length_of(const char *text);
int same(const char *a, const char *b);
/* Milliseconds of a clock that only runs on. */
int64_t now_ms(void);
/* Writes all of it, or returns a negative errno; for blocking descriptors. */
long write_all(int fd, const void *from, size_t n);
/* Reads until it has n bytes or the end; how many, or a negative errno. */
long read_all(int fd, void *to, size_t n);
/* Appends text, as far as there is room: to holds size bytes and stays NUL-terminated. */
void append(char *to, size_t size, const char *text);
void append_number(char *to, size_t size, unsigned long n);
/* The words for an errno. */
const char *error_text(long error);

#endif
