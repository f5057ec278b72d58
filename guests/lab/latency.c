/* Rows of latency: a byte goes to another process and comes back, by a pipe or a socket of this machine. */
#include "lab.h"
#include "net.h"

/* What this side reads and writes; the other side is a process that sends back what it gets. */
static int from = -1, to = -1;
static long echo_pid;

static _Noreturn void echo(int in, int out) {
  char byte[64];
  for (;;) {
    long n = sys_read(in, byte, sizeof byte);
    if (n <= 0) sys_exit(0);
    sys_write(out, byte, n);
  }
}

static long start_echo(int in, int out) {
  echo_pid = fork_process();
  if (echo_pid == 0) echo(in, out);
  return echo_pid < 0 ? echo_pid : 0;
}

static long pipe_prepare(const char *argument) {
  (void)argument;
  int there[2], back[2];
  long e = CALL1(__NR_pipe, there);
  if (e < 0) return e;
  e = CALL1(__NR_pipe, back);
  if (e < 0) return e;
  e = start_echo(there[0], back[1]);
  sys_close(there[0]);
  sys_close(back[1]);
  from = back[0];
  to = there[1];
  return e;
}

static long unix_prepare(const char *argument) {
  (void)argument;
  int pair[2];
  long e = CALL4(__NR_socketpair, AF_UNIX, SOCK_STREAM, 0, pair);
  if (e < 0) return e;
  e = start_echo(pair[1], pair[1]);
  sys_close(pair[1]);
  from = to = pair[0];
  return e;
}

static long udp_prepare(const char *argument) {
  (void)argument;
  struct address here, there;
  loopback_up();
  long a = bound_socket(SOCK_DGRAM, &here), b = bound_socket(SOCK_DGRAM, &there);
  if (a < 0 || b < 0) return a < 0 ? a : b;
  long e = CALL3(__NR_connect, a, &there, sizeof there);
  if (e == 0) e = CALL3(__NR_connect, b, &here, sizeof here);
  if (e == 0) e = start_echo(b, b);
  sys_close(b);
  from = to = a;
  return e;
}

static long tcp_prepare(const char *argument) {
  (void)argument;
  struct address place;
  loopback_up();
  long listener = bound_socket(SOCK_STREAM, &place);
  if (listener < 0) return listener;
  long e = CALL2(__NR_listen, listener, 1);
  if (e < 0) return e;
  from = to = tcp_connect(&place);
  if (to < 0) return to;
  long other = CALL3(__NR_accept, listener, 0, 0);
  sys_close(listener);
  if (other < 0) return other;
  no_delay(other);
  e = start_echo(other, other);
  sys_close(other);
  return e;
}

static long round_trips(long n) {
  char byte = 1;
  while (n-- > 0)
    if (sys_write(to, &byte, 1) != 1 || sys_read(from, &byte, 1) != 1) return -EIO;
  return 0;
}

static void echo_finish(void) {
  kill_and_reap(echo_pid);
  echo_pid = 0;
  if (from >= 0) sys_close(from);
  if (to >= 0 && to != from) sys_close(to);
  from = to = -1;
}

const struct row latency_rows[] = {
    {.name = "pipe", .prepare = pipe_prepare, .run = round_trips, .finish = echo_finish},
    {.name = "unix", .prepare = unix_prepare, .run = round_trips, .finish = echo_finish},
    {.name = "udp", .prepare = udp_prepare, .run = round_trips, .finish = echo_finish},
    {.name = "tcp", .prepare = tcp_prepare, .run = round_trips, .finish = echo_finish},
    {0},
};
