/* Threads, futexes, signals, fork and mappings: prints the same lines wherever Linux programs run. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t barrier;
static long counter;
static int turn;
static __thread int local = 5;
static sigjmp_buf back;
static volatile int got;
static volatile double product;
static char alt[16384];

static void *add(void *arg) {
  pthread_barrier_wait(&barrier);
  for (int i = 0; i < 2000; i++) {
    pthread_mutex_lock(&mutex);
    counter++;
    pthread_mutex_unlock(&mutex);
    __atomic_fetch_add(&turn, 1, __ATOMIC_SEQ_CST);
  }
  local += (long)arg;
  return (void *)(long)local;
}

static void *ping(void *arg) {
  int me = (long)arg;
  for (int i = 0; i < 50; i++) {
    pthread_mutex_lock(&mutex);
    while (turn != me) pthread_cond_wait(&cond, &mutex);
    turn = !me;
    pthread_cond_broadcast(&cond);
    pthread_mutex_unlock(&mutex);
  }
  return 0;
}

static void *sleeper(void *arg) {
  (void)arg;
  for (;;) pause();
}

static void on_fault(int sig, siginfo_t *info, void *context) {
  (void)context;
  printf("signal %d code %d low bits %ld\n", sig, info->si_code, (long)info->si_addr & 4095);
  siglongjmp(back, 1);
}

static void on_usr1(int sig) {
  (void)sig;
  got++;
  volatile double x = 1.5;
  x *= got;
  product = x;
}

static void on_alt(int sig) {
  char here;
  printf("signal %d on the other stack: %d\n", sig, &here >= alt && &here < alt + sizeof alt);
}

static void threads(void) {
  pthread_t t[4];
  long sum = 0;
  pthread_barrier_init(&barrier, 0, 4);
  for (long i = 0; i < 4; i++) pthread_create(&t[i], 0, add, (void *)i);
  for (int i = 0; i < 4; i++) {
    void *result;
    pthread_join(t[i], &result);
    sum += (long)result;
  }
  printf("counter %ld atomic %d locals %ld\n", counter, turn, sum);
  turn = 0;
  pthread_create(&t[0], 0, ping, (void *)0);
  pthread_create(&t[1], 0, ping, (void *)1);
  pthread_join(t[0], 0);
  pthread_join(t[1], 0);
  printf("ping pong\n");
  struct timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_nsec += 20000000;
  if (until.tv_nsec >= 1000000000) {
    until.tv_sec++;
    until.tv_nsec -= 1000000000;
  }
  pthread_mutex_lock(&mutex);
  int r = pthread_cond_timedwait(&cond, &mutex, &until);
  pthread_mutex_unlock(&mutex);
  printf("timed wait: %s\n", r == ETIMEDOUT ? "time out" : strerror(r));
  pthread_create(&t[0], 0, sleeper, 0);
  pthread_cancel(t[0]);
  void *result;
  pthread_join(t[0], &result);
  printf("cancelled: %d\n", result == PTHREAD_CANCELED);
  pthread_create(&t[0], 0, sleeper, 0); /* still there when the process ends */
}

static void signals(void) {
  struct sigaction sa;
  memset(&sa, 0, sizeof sa);
  sa.sa_sigaction = on_fault;
  sa.sa_flags = SA_SIGINFO | SA_NODEFER;
  sigaction(SIGSEGV, &sa, 0);
  sigaction(SIGFPE, &sa, 0);
  if (!sigsetjmp(back, 1)) *(volatile int *)16 = 1;
  char *page = mmap(0, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (!sigsetjmp(back, 1)) ((volatile char *)page)[5] = 1;
  mprotect(page, 4096, PROT_READ | PROT_WRITE);
  page[0] = 1;
  volatile double d = 2.25;
  signal(SIGUSR1, on_usr1);
  for (int i = 0; i < 3; i++) {
    raise(SIGUSR1);
    d = d * 2;
  }
  printf("handled %d, product %g, d %g\n", got, product, d);
  stack_t ss = {.ss_sp = alt, .ss_size = sizeof alt};
  sigaltstack(&ss, 0);
  memset(&sa, 0, sizeof sa);
  sa.sa_handler = on_alt;
  sa.sa_flags = SA_ONSTACK;
  sigaction(SIGUSR2, &sa, 0);
  raise(SIGUSR2);
  sigset_t set, old;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  sigprocmask(SIG_BLOCK, &set, &old);
  raise(SIGUSR1);
  printf("blocked: %d\n", got);
  struct timespec none = {0, 0};
  printf("taken: %d\n", sigtimedwait(&set, 0, &none));
  raise(SIGUSR1);
  sigsuspend(&old);
  printf("suspended: %d\n", got);
  sigprocmask(SIG_SETMASK, &old, 0);
  signal(SIGALRM, on_usr1);
  ualarm(20000, 0);
  sigdelset(&old, SIGALRM);
  sigsuspend(&old); /* blocked until here: it cannot come too early, nor to the other thread */
  printf("alarm: %d\n", got);
}

static void processes(void) {
  int *shared = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  int mine = 1, status, p[2];
  char text[6] = {0};
  fflush(stdout);
  if (pipe(p)) exit(1);
  pid_t child = fork();
  if (!child) {
    shared[0] = 42;
    mine = 2;
    if (write(p[1], "child", 5) != 5) _exit(1);
    _exit(9);
  }
  if (read(p[0], text, 5) != 5) exit(1);
  waitpid(child, &status, 0);
  printf("%s ended with %d, shared %d, mine %d\n", text, WEXITSTATUS(status), shared[0], mine);
  fflush(stdout);
  child = fork();
  if (!child) {
    signal(SIGTERM, SIG_DFL);
    kill(getpid(), SIGTERM);
    _exit(0);
  }
  waitpid(child, &status, 0);
  printf("ended by signal %d\n", WIFSIGNALED(status) ? WTERMSIG(status) : 0);
  printf("no child: %s\n", wait(&status) < 0 && errno == ECHILD ? "ECHILD" : "?");
}

static void memory(void) {
  char *big = mmap(0, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  memset(big, 7, 1 << 20);
  big = mremap(big, 1 << 20, 4 << 20, MREMAP_MAYMOVE);
  printf("moved: %d %d\n", big[12345], big[3 << 20]);
  madvise(big, 1 << 20, MADV_DONTNEED);
  printf("dropped: %d\n", big[12345]);
  char *heap = malloc(10000000);
  memset(heap, 1, 10000000);
  free(heap);
  printf("%.17g %.10Lf\n", 1.0 / 3, 2.0L / 3);
}

int main(void) {
  sigset_t alarm;
  sigemptyset(&alarm);
  sigaddset(&alarm, SIGALRM);
  sigprocmask(SIG_BLOCK, &alarm, 0); /* in all threads */
  threads();
  signals();
  processes();
  memory();
  fflush(stdout);
  return 3;
}
