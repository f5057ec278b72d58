/* Sockets of IPv4, without a C library. */
#ifndef NET_H
#define NET_H

#include "lab.h"

#define AF_UNIX 1
#define AF_INET 2
#define SOCK_STREAM 1
#define SOCK_DGRAM 2

/* struct sockaddr_in; port and ip are in the network's order. */
struct address {
  uint16_t family;
  uint16_t port;
  uint32_t ip;
  uint64_t zero;
};

static inline uint16_t swap16(uint16_t v) { return v << 8 | v >> 8; }

/* A socket bound to a port of 127.0.0.1 that is free; the address goes to place. */
long bound_socket(int type, struct address *place);
/* A connection without delays. */
long tcp_connect(const struct address *to);
void no_delay(int fd);
void loopback_up(void);

#endif
