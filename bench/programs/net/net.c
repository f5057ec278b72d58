/*
 * What a network does in a guest: a static program that talks to the server of bench/net over TCP and prints a row for each
 * kind of work, "NAME RATE UNIT AMOUNT UNIT", after "begin". The first byte of a connection says what the server is to do:
 * 's' reads all, 'r' writes until the connection ends, 'e' sends back what it gets.
 *
 *   net ADDRESS PORT SECONDS-PER-ROW
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define LARGE (256 << 10)

static struct sockaddr_in server;
static double limit;
static char buffer[LARGE];

static void fail(const char *what) {
  printf("net: %s: %s\n", what, strerror(errno));
  exit(1);
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

static int dial(char task) {
  int one = 1, s = socket(AF_INET, SOCK_STREAM, 0);
  if (s < 0 || connect(s, (struct sockaddr *)&server, sizeof server)) fail("connect");
  setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (write(s, &task, 1) != 1) fail("write");
  return s;
}

/* Sends size bytes and waits until as many have come back. */
static void exchange(int s, size_t size) {
  if (write(s, buffer, size) != (ssize_t)size) fail("write");
  for (size_t done = 0; done < size;) {
    ssize_t n = read(s, buffer, size - done);
    if (n <= 0) fail("read");
    done += n;
  }
}

/* MiB a second on one connection; what was sent counts once the server has read it all. */
static void bulk(const char *name, char task) {
  double start = now(), done = 0;
  int s = dial(task);
  do {
    ssize_t n = task == 's' ? write(s, buffer, LARGE) : read(s, buffer, LARGE);
    if (n <= 0) fail(name);
    done += n;
  } while (now() - start < limit);
  if (task == 's') {
    shutdown(s, SHUT_WR);
    if (read(s, buffer, 1) != 1) fail("the end");
  }
  printf("%s %.2f MiB/s %.2f MiB\n", name, done / (now() - start) / (1 << 20), done / (1 << 20));
  fflush(stdout);
  close(s);
}

/* Round trips of one byte on one connection, a second. */
static void ping(void) {
  double start = now(), done = 0;
  int s = dial('e');
  do {
    exchange(s, 1);
    done++;
  } while (now() - start < limit);
  printf("round-trips %.0f 1/s %.0f trip\n", done / (now() - start), done);
  fflush(stdout);
  close(s);
}

/* Requests of 100 bytes a second, each on a connection of its own, as simple clients of HTTP make them. */
static void requests(void) {
  double start = now(), done = 0;
  do {
    int s = dial('e');
    exchange(s, 100);
    close(s);
    done++;
  } while (now() - start < limit);
  printf("requests %.0f 1/s %.0f request\n", done / (now() - start), done);
  fflush(stdout);
}

int main(int argc, char **argv) {
  if (argc != 4) {
    printf("usage: net ADDRESS PORT SECONDS-PER-ROW\n");
    return 2;
  }
  server.sin_family = AF_INET;
  server.sin_addr.s_addr = inet_addr(argv[1]);
  server.sin_port = htons(atoi(argv[2]));
  limit = atof(argv[3]);
  memset(buffer, 0x5a, sizeof buffer);
  printf("begin\n");
  fflush(stdout);
  bulk("bulk-send", 's');
  bulk("bulk-receive", 'r');
  ping();
  requests();
  return 0;
}
