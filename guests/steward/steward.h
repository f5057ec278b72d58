/* The wire between host and steward, and what the steward's parts share. docs/decisions/0010-commands-by-a-console.md explains it;
 * the host's half is the Java package parhelion.toolstack.steward. */
#ifndef STEWARD_H
#define STEWARD_H

#include "sys.h"

/* A frame: this header, little-endian, and its payload. A zero byte where a type should be is padding. */
struct frame {
  uint8_t type;
  uint8_t channel;
  uint16_t length; /* of the payload */
  uint32_t stream;
};

#define MAX_PAYLOAD 4096
#define WINDOW 65536 /* bytes of a channel that may be on their way */
#define MAX_STREAMS 64
#define MAX_REQUEST 131072
#define VERSION 1
#define NONCE 16

enum {
  /* Both ways. */
  DATA = 'D',   /* bytes of a channel */
  END = 'E',    /* of a channel: no more will come */
  CREDIT = 'C', /* payload u32: so many more bytes of the channel may come */
  /* To the steward. */
  WELCOME = 'W', /* payload: the nonce of the hello that it answers */
  PART = 'P',    /* a part of a request that is longer than a frame */
  START = 'S',   /* the request's last part; the stream begins */
  SIGNAL = 'K',  /* payload u32: for the process group */
  SIZE = 'Z',    /* payload u16 rows, u16 columns: of the terminal */
  CANCEL = 'X',  /* nobody waits for the stream any more: it is to end */
  AGAIN = 'B',   /* the host has lost the thread: begin again with a hello */
  /* To the host. */
  HELLO = 'H', /* payload: "parhelion", u8 version, nonce */
  DONE = 'Q',  /* payload u32: the wait status; the stream's last frame */
};

/* Channels: the descriptors of the command, and why it could not be started. */
enum { STDIN, STDOUT, STDERR, FAILURE, CHANNELS };

/* A request: this, then NUL-terminated strings: user, directory, arguments, environment. */
struct request {
  uint8_t what; /* 'R' run the arguments, 'G' send the tree at the first, 'U' receive one into the first */
  uint8_t terminal;
  uint16_t rows;
  uint16_t columns;
  uint16_t arguments;
  uint16_t variables;
} __attribute__((packed));

struct stream {
  uint32_t id; /* 0: free */
  int pid;
  int fd[CHANNELS];          /* our ends, -1 once closed; with a terminal the first two are its master */
  uint32_t credit[CHANNELS]; /* what we may still send */
  char *input;               /* a ring of WINDOW bytes on their way to the command */
  uint32_t input_at, input_length, input_freed;
  uint8_t terminal, input_ended, exited, cancelled;
  int status;
  int64_t deadline; /* of what must not last for ever, in now_ms() */
};

/* The root that commands run in: a path below /proc, or an absolute one. */
extern const char *guest_root;
/* In the child that a stream has begun: becomes what the request asks for. Tells a failure on FAILURE_FD. */
#define FAILURE_FD 3
_Noreturn void become(const char *request, size_t length, int proc);
/* Says why on FAILURE_FD, as "status:words", and ends. */
_Noreturn void fail(int status, const char *what, long error);
/* Sends the file or directory at path on descriptor 1: the format is in tree.c. Exit status: whether all was well. */
int send_tree(const char *path);
/* Receives one from descriptor 0: at path, or by that name in it where it is a directory, which it must be for many. */
int receive_tree(const char *path, const char *name, int many);

#endif
