/* Rows of a network: with the lab's own service (lab.run.NetService) at an address outside of the guest. The argument of each is
 * IP PORT MTU, the IP as one number. Integers on the wire are little-endian. */
#include "net.h"

#include <linux/sockios.h>

#define SO_RCVTIMEO 20
#define IFF_UP 1
#define CHUNK 65536L
#define BURST 32
#define RETRIES 8

/* struct ifreq; Linux's header for it draws a C library in. */
struct interface {
  char name[16];
  union {
    short flags;
    int mtu;
    char rest[24];
  };
};

static struct address server;
static long mtu;
static char data[CHUNK];

void no_delay(int fd) {
  int one = 1;
  CALL5(__NR_setsockopt, fd, 6, 1, &one, sizeof one);
}

long bound_socket(int type, struct address *place) {
  long fd = CALL3(__NR_socket, AF_INET, type, 0);
  if (fd < 0) return fd;
  *place = (struct address){AF_INET, 0, 0x0100007f, 0};
  int length = sizeof *place;
  long e = CALL3(__NR_bind, fd, place, sizeof *place);
  if (e == 0) e = CALL3(__NR_getsockname, fd, place, &length);
  return e < 0 ? e : fd;
}

long tcp_connect(const struct address *to) {
  long fd = CALL3(__NR_socket, AF_INET, SOCK_STREAM, 0);
  if (fd < 0) return fd;
  long e = CALL3(__NR_connect, fd, to, sizeof *to);
  if (e < 0) {
    sys_close(fd);
    return e;
  }
  no_delay(fd);
  return fd;
}

static long request(const char *interface, unsigned long what, struct interface *r) {
  long fd = CALL3(__NR_socket, AF_INET, SOCK_DGRAM, 0);
  if (fd < 0) return fd;
  memcpy(r->name, interface, length_of(interface) + 1);
  long e = sys_ioctl(fd, what, r);
  sys_close(fd);
  return e;
}

void loopback_up(void) {
  struct interface r;
  memset(&r, 0, sizeof r);
  if (request("lo", SIOCGIFFLAGS, &r) == 0 && !(r.flags & IFF_UP)) {
    r.flags |= IFF_UP;
    request("lo", SIOCSIFFLAGS, &r);
  }
}

static long set_mtu(long bytes) {
  struct interface r;
  memset(&r, 0, sizeof r);
  r.mtu = bytes;
  return request("eth0", SIOCSIFMTU, &r);
}

static long prepare(const char *argument) {
  server = (struct address){AF_INET, 0, 0, 0};
  server.ip = __builtin_bswap32(number(&argument));
  server.port = swap16(number(&argument));
  mtu = number(&argument);
  return set_mtu(mtu);
}

static void finish(void) { set_mtu(1500); }

/* --- TCP: a connection for each run: a byte that says what, eight that say how many bytes, and the bytes --- */

static long tcp_begin(char what, long n) {
  char head[9] = {what};
  int64_t bytes = n * CHUNK;
  memcpy(head + 1, &bytes, 8);
  long fd = tcp_connect(&server);
  if (fd < 0) return fd;
  long e = write_all(fd, head, sizeof head);
  if (e == 0) return fd;
  sys_close(fd);
  return e;
}

static long tcp_send(long n) {
  row_moved = n * CHUNK;
  long fd = tcp_begin('S', n), e = fd < 0 ? fd : 0;
  for (; n > 0 && e == 0; n--) e = write_all(fd, data, CHUNK);
  char all;
  if (e == 0 && sys_read(fd, &all, 1) != 1) e = -EIO; /* the service has all of it */
  if (fd >= 0) sys_close(fd);
  return e;
}

static long tcp_receive(long n) {
  long fd = tcp_begin('R', n), got = 1, left = n * CHUNK;
  if (fd < 0) return fd;
  while (left > 0 && got > 0) {
    got = sys_read(fd, data, CHUNK);
    if (got > 0) left -= got;
  }
  sys_close(fd);
  row_moved = n * CHUNK - left;
  return left == 0 ? 0 : got < 0 ? got : -EIO;
}

static long tcp_trips_fd = -1;

static long tcp_trips_prepare(const char *argument) {
  long e = prepare(argument);
  if (e < 0) return e;
  tcp_trips_fd = tcp_begin('E', 0);
  return tcp_trips_fd < 0 ? tcp_trips_fd : 0;
}

static long tcp_trips(long n) {
  char byte = 1;
  while (n-- > 0)
    if (sys_write(tcp_trips_fd, &byte, 1) != 1 || sys_read(tcp_trips_fd, &byte, 1) != 1) return -EIO;
  return 0;
}

static void tcp_trips_finish(void) {
  if (tcp_trips_fd >= 0) sys_close(tcp_trips_fd);
  tcp_trips_fd = -1;
  finish();
}

/* --- UDP: bursts of datagrams as large as the MTU allows; what is lost is not counted --- */

struct datagram {
  uint8_t what, unused[3];
  uint32_t burst, index, count, bytes;
};

static long udp = -1;
static uint32_t burst;

static long udp_prepare(const char *argument) {
  long e = prepare(argument);
  if (e < 0) return e;
  udp = CALL3(__NR_socket, AF_INET, SOCK_DGRAM, 0);
  if (udp < 0) return udp;
  struct {
    long seconds, micros;
  } patience = {1, 0}; /* a busy host is slow, not deaf */
  CALL5(__NR_setsockopt, udp, 1, SO_RCVTIMEO, &patience, sizeof patience);
  return CALL3(__NR_connect, udp, &server, sizeof server);
}

static void udp_finish(void) {
  if (udp >= 0) sys_close(udp);
  udp = -1;
  finish();
}

/* The answer to the burst, past late ones to others; 0 if none came in time. */
static int answered(struct datagram *answer) {
  do
    if (sys_read(udp, answer, sizeof *answer) != sizeof *answer) return 0;
  while (answer->burst != burst);
  return 1;
}

/* The answer to the last of a burst says how many of it came. */
static void send_burst(void) {
  long bytes = mtu - 28;
  burst++;
  for (uint32_t i = 0; i < BURST; i++) {
    struct datagram d = {'S', {0}, burst, i, BURST, bytes};
    memcpy(data, &d, sizeof d);
    sys_write(udp, data, bytes);
  }
  struct datagram answer;
  if (answered(&answer)) row_moved += answer.count * bytes;
}

static void receive_burst(void) {
  burst++;
  struct datagram ask = {'R', {0}, burst, 0, BURST, mtu - 28};
  sys_write(udp, &ask, sizeof ask);
  long got;
  while ((got = sys_read(udp, data, CHUNK)) >= (long)sizeof ask) {
    struct datagram d;
    memcpy(&d, data, sizeof d);
    if (d.burst != burst) continue;
    row_moved += got;
    if (d.index == BURST - 1) break;
  }
}

/* All of a short run may be lost on a busy host; more bursts follow then, and the time of all counts. */
static long bursts(long n, void (*once)(void)) {
  for (int more = RETRIES; n > 0 || (row_moved == 0 && more-- > 0); n--) once();
  return row_moved > 0 ? 0 : -ETIMEDOUT;
}

static long udp_send(long n) { return bursts(n, send_burst); }
static long udp_receive(long n) { return bursts(n, receive_burst); }

/* What is lost is sent again; the wait for it counts. */
static long udp_trips(long n) {
  for (; n > 0; n--) {
    struct datagram d = {'E', {0}, ++burst, 0, 1, sizeof d}, back;
    int tries = 0;
    do {
      if (tries++ > RETRIES) return -ETIMEDOUT;
      sys_write(udp, &d, sizeof d);
    } while (!answered(&back));
  }
  return 0;
}

const struct row net_rows[] = {
    {.name = "net-tcp-send", .prepare = prepare, .run = tcp_send, .finish = finish},
    {.name = "net-tcp-receive", .prepare = prepare, .run = tcp_receive, .finish = finish},
    {.name = "net-tcp-trip", .prepare = tcp_trips_prepare, .run = tcp_trips, .finish = tcp_trips_finish},
    {.name = "net-udp-send", .prepare = udp_prepare, .run = udp_send, .finish = udp_finish, .scale = BURST},
    {.name = "net-udp-receive", .prepare = udp_prepare, .run = udp_receive, .finish = udp_finish, .scale = BURST},
    {.name = "net-udp-trip", .prepare = udp_prepare, .run = udp_trips, .finish = udp_finish},
    {0},
};
