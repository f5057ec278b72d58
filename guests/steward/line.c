/* The line to the host. */
#include "line.h"

#include "steward.h"

#define OUTBOX 65536
#define RESERVE 8192 /* for small frames, whatever line_room() said */

static int console = -1;
static char outbox[OUTBOX];
static size_t outbox_length;

int line_open(const char *device) {
  struct termios t;
  console = sys_open(device, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC, 0);
  if (console < 0) return 0;
  if (sys_ioctl(console, TCGETS, &t) != 0 || sys_ioctl(console, TIOCEXCL, 0) != 0) {
    line_close();
    return 0;
  }
  t.c_iflag = t.c_oflag = t.c_lflag = 0;
  t.c_cflag = (t.c_cflag & ~(CSIZE | PARENB)) | CS8 | CREAD | CLOCAL;
  t.c_cc[VMIN] = 1;
  t.c_cc[VTIME] = 0;
  outbox_length = 0;
  if (sys_ioctl(console, TCSETSF, &t) == 0) return 1;
  line_close();
  return 0;
}

void line_close(void) {
  if (console >= 0) sys_close(console);
  console = -1;
}

long line_get(void *to, size_t n) {
  long got = sys_read(console, to, n);
  if (got == -EAGAIN || got == -EINTR) return 0;
  return got == 0 ? -EIO : got;
}

void line_put(const void *from, size_t n) {
  if (n > OUTBOX - outbox_length) return; /* cannot be: see line_room() */
  memcpy(outbox + outbox_length, from, n);
  outbox_length += n;
}

int line_room(void) { return OUTBOX - outbox_length >= MAX_PAYLOAD + sizeof(struct frame) + RESERVE; }

int line_push(void) {
  size_t done = 0;
  while (done < outbox_length) {
    long n = sys_write(console, outbox + done, outbox_length - done);
    if (n == -EAGAIN || n == -EINTR || n == 0) break;
    if (n < 0) return 0;
    done += n;
  }
  outbox_length -= done;
  memmove(outbox, outbox + done, outbox_length);
  return 1;
}

int line_poll(struct pollfd *p) {
  p[0] = (struct pollfd){console, POLLIN | (outbox_length > 0 ? POLLOUT : 0), 0};
  return 1;
}
