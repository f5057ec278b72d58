/* The steward: a small program in a Linux guest that runs commands for the host and carries their input and output. It speaks
 * frames (steward.h) over a console of its own, and over memory that it shares with the host where the kernel lets it (line.c).
 *
 *     steward /dev/hvc1 [ROOT]
 *
 * It is one thread around poll(2). Nothing that one stream does holds up another: what comes for a stream has room by its
 * window, what a stream has to say waits in its own pipe. It serves the host for ever, and starts over when the line breaks. */
#include "line.h"
#include "steward.h"

#define CANCEL_MS 2000 /* between a cancelled command's SIGHUP and its SIGKILL */
#define LINGER_MS 300  /* a terminal's last output is on its way for so long after the command's end */
#define HELLO_MS 5000

static struct stream streams[MAX_STREAMS];
static char request[MAX_REQUEST];
static size_t request_length;
static uint32_t request_stream;
static int proc, children;

const char *guest_root = "1/root"; /* of the first process, whatever that is by then */

/* What came and is not understood yet: a frame may be in the middle. */
static char incoming[2 * (sizeof(struct frame) + MAX_PAYLOAD)];
static size_t incoming_length;
static int welcome;
static char nonce[NONCE];

static void send_frame(int type, int channel, uint32_t stream, const void *payload, size_t length) {
  struct frame head = {type, channel, length, stream};
  line_put(&head, sizeof head);
  line_put(payload, length);
}

static void send_number(int type, int channel, uint32_t stream, uint32_t n) { send_frame(type, channel, stream, &n, sizeof n); }

static struct stream *find(uint32_t id) {
  for (int i = 0; i < MAX_STREAMS; i++)
    if (streams[i].id == id) return &streams[i];
  return 0;
}

static void close_channel(struct stream *s, int channel) {
  int fd = s->fd[channel];
  if (fd < 0) return;
  s->fd[channel] = -1;
  if (!s->terminal || channel > STDOUT || s->fd[STDIN + STDOUT - channel] < 0) sys_close(fd);
}

static void drop_input(struct stream *s) {
  if (s->input) CALL2(__NR_munmap, s->input, WINDOW);
  s->input = 0;
  s->input_length = 0;
}

static void finish(struct stream *s) {
  for (int c = 0; c < CHANNELS; c++) close_channel(s, c);
  drop_input(s);
  send_number(DONE, 0, s->id, s->status);
  s->id = 0;
}

/* Opens a terminal's two sides. The guest may not have mounted what they need. */
static int open_terminal(const struct request *r, int *other) {
  int unlocked = 0;
  struct winsize size = {r->rows, r->columns, 0, 0};
  int root = CALL4(__NR_openat, proc, guest_root, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
  int master = CALL4(__NR_openat, root, "dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK, 0);
  if (master < 0) {
    CALL2(__NR_mkdir, "/dev/pts", 0755);
    CALL5(__NR_mount, "devpts", "/dev/pts", "devpts", 0, "ptmxmode=0666,mode=0620");
    master = CALL4(__NR_openat, root, "dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK, 0);
  }
  sys_close(root);
  if (master < 0) return master;
  sys_ioctl(master, TIOCSPTLCK, &unlocked);
  if (size.ws_row && size.ws_col) sys_ioctl(master, TIOCSWINSZ, &size);
  *other = CALL3(__NR_ioctl, master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (*other < 0) {
    sys_close(master);
    return *other;
  }
  return master;
}

/* The ends of the child, by channel; ours are in the stream. */
static long open_channels(struct stream *s, const struct request *r, int *theirs) {
  int ends[2];
  for (int c = 0; c < CHANNELS; c++) {
    if (r->terminal && c < FAILURE) {
      int other = -1;
      if (c == STDIN) {
        s->fd[STDIN] = s->fd[STDOUT] = open_terminal(r, &other);
        if (s->fd[STDIN] < 0) {
          long error = s->fd[STDIN];
          s->fd[STDIN] = s->fd[STDOUT] = -1;
          return error;
        }
        theirs[STDIN] = other;
      } else {
        theirs[c] = theirs[STDIN];
      }
      continue;
    }
    long bad = CALL2(__NR_pipe2, ends, O_CLOEXEC);
    if (bad != 0) return bad;
    s->fd[c] = ends[c != STDIN ? 0 : 1];
    theirs[c] = ends[c != STDIN ? 1 : 0];
    CALL3(__NR_fcntl, s->fd[c], F_SETFL, O_NONBLOCK);
  }
  return 0;
}

static _Noreturn void child(const struct request *r, const int *theirs) {
  uint64_t none = 0;
  int failure = CALL3(__NR_fcntl, theirs[FAILURE], F_DUPFD, 16);
  CALL0(__NR_setsid);
  for (int c = STDIN; c <= STDERR; c++) CALL2(__NR_dup2, theirs[c], c);
  CALL3(__NR_dup3, failure, FAILURE_FD, O_CLOEXEC);
  CALL3(__NR_close_range, FAILURE_FD + 1, proc - 1, 0);
  CALL3(__NR_close_range, proc + 1, ~0u, 0);
  if (r->terminal) CALL3(__NR_ioctl, 0, TIOCSCTTY, 0);
  CALL4(__NR_rt_sigprocmask, SIG_SETMASK, &none, 0, sizeof none);
  CALL1(__NR_umask, 022);
  become(request, request_length, proc);
}

static void refuse(uint32_t id, const char *words) {
  send_frame(DATA, FAILURE, id, words, length_of(words));
  send_number(DONE, 0, id, 126 << 8);
}

static void start(uint32_t id) {
  struct request r;
  struct stream *s = find(0);
  int theirs[CHANNELS] = {-1, -1, -1, -1};
  if (id == 0 || find(id)) return; /* the host is wrong */
  if (!s || request_length < sizeof r) {
    refuse(id, s ? "126:the request is too short" : "126:too many commands run in the guest");
    return;
  }
  memcpy(&r, request, sizeof r);
  memset(s, 0, sizeof *s);
  for (int c = 0; c < CHANNELS; c++) {
    s->fd[c] = -1;
    s->credit[c] = c == STDIN ? 0 : WINDOW;
  }
  s->id = id;
  s->terminal = r.terminal;
  long bad = open_channels(s, &r, theirs);
  if (bad == 0) {
    long memory = CALL6(__NR_mmap, 0, WINDOW, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory > 0 || memory < -PAGE) s->input = (char *)memory;
    else bad = memory;
  }
  if (bad == 0) {
    bad = CALL0(__NR_fork);
    if (bad == 0) child(&r, theirs);
  }
  for (int c = 0; c < CHANNELS; c++)
    if (theirs[c] >= 0 && (c == STDIN || theirs[c] != theirs[STDIN])) sys_close(theirs[c]);
  if (bad > 0) {
    s->pid = bad;
    return;
  }
  char words[128] = "126:";
  append(words, sizeof words, error_text(bad));
  for (int c = 0; c < CHANNELS; c++) close_channel(s, c);
  drop_input(s);
  s->id = 0;
  refuse(id, words);
}

static void cancel(struct stream *s) {
  if (s->cancelled) return;
  s->cancelled = 1;
  for (int c = 0; c < CHANNELS; c++) close_channel(s, c);
  drop_input(s);
  s->deadline = now_ms() + CANCEL_MS;
  if (s->exited) return;
  CALL2(__NR_kill, -s->pid, SIGHUP);
  CALL2(__NR_kill, -s->pid, SIGCONT);
}

/* The end of a command's input, which a terminal hears as a key. */
static void end_input(struct stream *s) {
  s->input_ended = 0;
  if (s->terminal) {
    sys_write(s->fd[STDIN], "\4", 1);
  } else {
    close_channel(s, STDIN);
    drop_input(s);
  }
}

static void take_input(struct stream *s, const char *bytes, size_t n) {
  if (!s->input || s->fd[STDIN] < 0) { /* it reads no more */
    send_number(CREDIT, STDIN, s->id, n);
    return;
  }
  if (n > WINDOW - s->input_length) return; /* more than we have allowed: the host is wrong */
  uint32_t at = (s->input_at + s->input_length) % WINDOW;
  uint32_t first = n < WINDOW - at ? n : WINDOW - at;
  memcpy(s->input + at, bytes, first);
  memcpy(s->input, bytes + first, n - first);
  s->input_length += n;
}

static void give_input(struct stream *s) {
  while (s->input_length > 0) {
    uint32_t run = s->input_length < WINDOW - s->input_at ? s->input_length : WINDOW - s->input_at;
    long n = sys_write(s->fd[STDIN], s->input + s->input_at, run);
    if (n == -EAGAIN || n == -EINTR) break;
    if (n < 0) { /* it reads no more */
      s->input_freed += s->input_length;
      s->input_length = 0;
      if (!s->terminal) close_channel(s, STDIN);
      break;
    }
    s->input_at = (s->input_at + n) % WINDOW;
    s->input_length -= n;
    s->input_freed += n;
  }
  if (s->input_freed >= WINDOW / 4 || s->input_length == 0) {
    if (s->input_freed > 0) send_number(CREDIT, STDIN, s->id, s->input_freed);
    s->input_freed = 0;
  }
  if (s->input_ended && s->input_length == 0) end_input(s);
}

static uint32_t number_of(const char *payload, size_t length) {
  uint32_t n = 0;
  memcpy(&n, payload, length < 4 ? length : 4);
  return n;
}

static void handle(const struct frame *f, const char *payload) {
  struct stream *s = f->stream ? find(f->stream) : 0;
  uint32_t n = number_of(payload, f->length);
  if (f->type == PART || f->type == START) {
    if (request_stream != f->stream) request_length = 0;
    request_stream = f->stream;
    if (f->stream && f->length <= MAX_REQUEST - request_length) {
      memcpy(request + request_length, payload, f->length);
      request_length += f->length;
    } else {
      request_length = 0; /* said as a request that is too short */
    }
    if (f->type == START) {
      start(f->stream);
      request_stream = 0;
    }
    return;
  }
  if (!s || s->cancelled) return; /* it has ended meanwhile */
  switch (f->type) {
    case DATA:
      take_input(s, payload, f->length);
      break;
    case END:
      s->input_ended = 1;
      break;
    case CREDIT:
      if (f->channel < CHANNELS && n <= WINDOW - s->credit[f->channel]) s->credit[f->channel] += n;
      break;
    case SIGNAL:
      if (n > 0 && n < 65 && !s->exited) CALL2(__NR_kill, -s->pid, n);
      break;
    case SIZE:
      if (s->terminal && s->fd[STDIN] >= 0) {
        struct winsize size = {n & 0xffff, n >> 16, 0, 0};
        sys_ioctl(s->fd[STDIN], TIOCSWINSZ, &size);
      }
      break;
    case CANCEL:
      cancel(s);
      break;
  }
}

/* The answer to our hello; whatever comes before it was for one who is no more. */
static void await_welcome(void) {
  size_t at = 0;
  while (at + NONCE <= incoming_length && !welcome) welcome = memcmp(incoming + at++, nonce, NONCE) == 0;
  if (welcome) at += NONCE - 1;
  incoming_length -= at;
  memmove(incoming, incoming + at, incoming_length);
}

static int listen(void) {
  long n = line_get(incoming + incoming_length, sizeof incoming - incoming_length);
  if (n < 0) return 0;
  incoming_length += n;
  if (!welcome) await_welcome();
  size_t at = 0;
  while (welcome && incoming_length - at >= sizeof(struct frame)) {
    struct frame f;
    memcpy(&f, incoming + at, sizeof f);
    if (f.length > MAX_PAYLOAD) return 0;
    if (incoming_length - at < sizeof f + f.length) break;
    if (f.type == AGAIN) return 0;
    handle(&f, incoming + at + sizeof f);
    at += sizeof f + f.length;
  }
  incoming_length -= at;
  memmove(incoming, incoming + at, incoming_length);
  return 1;
}

/* Carries on a frame of a channel's output, if there is any; the command's last when it has ended. */
static void tell(struct stream *s, int channel, int ready) {
  static char payload[MAX_PAYLOAD];
  if (s->fd[channel] < 0 || s->credit[channel] == 0 || !line_room() || !(ready || s->exited)) return;
  long n = sys_read(s->fd[channel], payload, s->credit[channel] < MAX_PAYLOAD ? s->credit[channel] : MAX_PAYLOAD);
  if (n > 0) {
    s->credit[channel] -= n;
    send_frame(DATA, channel, s->id, payload, n);
  } else if (n != -EINTR && (n != -EAGAIN || (s->exited && (!s->terminal || now_ms() >= s->deadline)))) {
    close_channel(s, channel);
    send_frame(END, channel, s->id, 0, 0);
  }
}

static void reap(void) {
  int status;
  long pid;
  char unused[sizeof(struct signalfd_siginfo)];
  while (sys_read(children, unused, sizeof unused) > 0) {
  }
  while ((pid = CALL4(__NR_wait4, -1, &status, WNOHANG, 0)) > 0)
    for (int i = 0; i < MAX_STREAMS; i++)
      if (streams[i].id && streams[i].pid == pid && !streams[i].exited) {
        streams[i].exited = 1;
        streams[i].status = status;
        streams[i].deadline = now_ms() + LINGER_MS;
      }
}

static void say_hello(void) {
  static const char zeros[sizeof(struct frame) + MAX_PAYLOAD];
  char hello[9 + NONCE] = "parhelion";
  incoming_length = 0;
  request_length = 0;
  welcome = 0;
  while (CALL3(__NR_getrandom, nonce, NONCE, 0) != NONCE) {
  }
  line_put(zeros, sizeof zeros); /* whatever frame another one of us was in the middle of, it is over now */
  memcpy(hello + 9, nonce, NONCE);
  send_frame(HELLO, VERSION, 0, hello, sizeof hello);
}

/* The descriptors of a round of poll, and whose they are. */
static struct pollfd polled[2 + 4 * MAX_STREAMS];

static int prepare(int *timeout) {
  int n = line_poll(polled);
  polled[n++] = (struct pollfd){children, POLLIN, 0};
  *timeout = welcome ? -1 : HELLO_MS;
  for (int i = 0; i < MAX_STREAMS; i++) {
    struct stream *s = &streams[i];
    for (int c = 0; c < CHANNELS; c++, n++) {
      short events = c == STDIN ? POLLOUT : POLLIN;
      int wanted = s->id && s->fd[c] >= 0 && (c == STDIN ? s->input_length > 0 : s->credit[c] > 0 && line_room());
      polled[n] = (struct pollfd){wanted ? s->fd[c] : -1, events, 0};
    }
    if (s->id && (s->exited || s->cancelled)) *timeout = 20;
  }
  return n;
}

static void serve_stream(struct stream *s, const struct pollfd *p) {
  if (s->fd[STDIN] >= 0 && (s->input_length > 0 || s->input_ended)) give_input(s);
  for (int c = STDOUT; c < CHANNELS; c++) tell(s, c, p[c].revents != 0);
  if (s->cancelled && !s->exited && now_ms() >= s->deadline) {
    CALL2(__NR_kill, -s->pid, SIGKILL);
    s->deadline = now_ms() + CANCEL_MS;
  }
  if (s->exited && s->fd[STDOUT] < 0 && s->fd[STDERR] < 0 && s->fd[FAILURE] < 0 && line_room()) finish(s);
}

/* Until the line breaks. */
static void serve(void) {
  int timeout, ended = 0;
  int64_t said = now_ms();
  say_hello();
  while (!ended) {
    int n = prepare(&timeout);
    sys_poll(polled, n, timeout);
    reap();
    ended = !listen();
    for (int i = 0; i < MAX_STREAMS; i++)
      if (streams[i].id) serve_stream(&streams[i], polled + n - 4 * (MAX_STREAMS - i));
    if (!line_push()) ended = 1;
    if (!welcome && now_ms() - said >= HELLO_MS) {
      said = now_ms();
      say_hello();
    }
  }
  for (int i = 0; i < MAX_STREAMS; i++)
    if (streams[i].id) {
      cancel(&streams[i]);
      CALL2(__NR_kill, -streams[i].pid, SIGKILL);
      streams[i].id = 0;
    }
}

/* Lets go of the terminal that it was started on. */
static void detach(void) {
  int nowhere = sys_open("/dev/null", O_RDWR, 0);
  for (int fd = 0; fd <= 2 && nowhere >= 0; fd++) CALL2(__NR_dup2, nowhere, fd);
  if (nowhere > 2) sys_close(nowhere);
  CALL0(__NR_setsid);
  CALL1(__NR_chdir, "/");
}

/* Serves for ever. */
static _Noreturn void work(const char *device) {
  uint64_t handled = 1ul << (SIGCHLD - 1), mask = handled | 1ul << (SIGPIPE - 1) | 1ul << (SIGHUP - 1);
  struct __kernel_timespec pause = {0, 200000000};
  CALL5(__NR_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  CALL4(__NR_rt_sigprocmask, SIG_BLOCK, &mask, 0, sizeof mask);
  children = CALL4(__NR_signalfd4, -1, &handled, sizeof handled, SFD_CLOEXEC | SFD_NONBLOCK);
  proc = sys_open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
  for (;;) {
    if (line_open(device)) {
      serve();
      line_close();
    }
    CALL2(__NR_nanosleep, &pause, 0);
  }
}

int main(int argc, char **argv) {
  static const char usage[] = "usage: steward DEVICE [ROOT]\nRuns commands for the host, by a console of its own such as /dev/hvc1, "
                              "in the first process's root or in ROOT.\n";
  if (argc != 2 && argc != 3) {
    write_all(2, usage, sizeof usage - 1);
    return 2;
  }
  if (argc == 3) guest_root = argv[2];
  if (CALL0(__NR_fork) != 0) return 0;
  detach();
  for (;;) { /* a second process puts another one in the place of a first that was killed */
    int worker = CALL0(__NR_fork);
    if (worker == 0) work(argv[1]);
    CALL4(__NR_wait4, worker, 0, 0, 0);
    struct __kernel_timespec pause = {0, 200000000};
    CALL2(__NR_nanosleep, &pause, 0);
  }
}
