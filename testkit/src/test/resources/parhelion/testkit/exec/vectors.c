/* What a compiler makes of loops for x86-64-v3, and whether a signal handler leaves YMM registers alone. */
#include <immintrin.h>
#include <math.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { N = 1000 };

static float a[N], b[N], c[N];
static double x[N], y[N];
static int32_t indexes[N], found[N];
static uint64_t bits[N];
static char text[N + 1];

static void handler(int signal) {
  (void)signal;
  __asm__ volatile("vpcmpeqd %%ymm1, %%ymm1, %%ymm1\n\tvpcmpeqd %%ymm9, %%ymm9, %%ymm9" ::: "xmm1", "xmm9");
}

static void survives_signals(void) {
  struct sigaction action = {.sa_handler = handler};
  sigaction(SIGUSR1, &action, 0);
  union { __m256i v; uint64_t q[4]; } r1, r9;
  __m256i k1 = _mm256_set_epi64x(4, 3, 2, 1), k9 = _mm256_set_epi64x(40, 30, 20, 10);
  long result;
  __asm__ volatile(
      "vmovdqa %4, %%ymm1\n\tvmovdqa %5, %%ymm9\n\tsyscall\n\tvmovdqa %%ymm1, %1\n\tvmovdqa %%ymm9, %2"
      : "=a"(result), "=m"(r1.v), "=m"(r9.v)
      : "0"(62L), "m"(k1), "m"(k9), "D"((long)getpid()), "S"((long)SIGUSR1)
      : "rcx", "r11", "memory", "xmm1", "xmm9");
  printf("signal %ld: %lu %lu %lu %lu, %lu %lu %lu %lu\n", result, r1.q[0], r1.q[1], r1.q[2], r1.q[3], r9.q[0],
         r9.q[1], r9.q[2], r9.q[3]);
}

int main(void) {
  uint64_t seed = 1;
  for (int i = 0; i < N; i++) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    a[i] = (float)(int32_t)(seed >> 32) / 65536;
    b[i] = (float)(int32_t)seed / 3;
    x[i] = (double)(int64_t)seed / 7;
    y[i] = 1 / (double)(i + 1);
    indexes[i] = (int32_t)(seed >> 40) % N;
    if (indexes[i] < 0) indexes[i] += N;
    bits[i] = seed;
    text[i] = 'a' + (seed >> 20) % 26;
  }
  double sum = 0;
  uint64_t population = 0, mixed = 0;
  for (int i = 0; i < N; i++) c[i] = a[i] * b[i] + c[(i + 1) % N];
  for (int i = 0; i < N; i++) y[i] = y[i] * x[i] - (double)c[i];
  for (int i = 0; i < N; i++) found[i] = indexes[indexes[i]] + (int32_t)sqrtf(fabsf(a[i]));
  for (int i = 0; i < N; i++) {
    population += __builtin_popcountll(bits[i]) + __builtin_clzll(bits[i] | 1) + __builtin_ctzll(bits[i] | 1u << 31);
    mixed ^= _pext_u64(bits[i], 0x0f0f00ff0ff00f0f) + _pdep_u64(bits[i], ~bits[N - 1 - i]) + (bits[i] & (bits[i] - 1));
    mixed += __builtin_bswap64(bits[i]) & ~mixed;
  }
  for (int i = 0; i < N; i++) sum += y[i] / (1 + found[i] * found[i]);
  printf("%a %a %a %d %lu %lx\n", (double)c[7], y[N - 1], sum, found[123], population, mixed);
  __m128i half = _mm256_cvtps_ph(_mm256_loadu_ps(a + 5), 0);
  printf("%llx %llx\n", (unsigned long long)_mm_extract_epi64(half, 0), (unsigned long long)_mm_extract_epi64(half, 1));
  printf("%zu %d %td\n", strlen(text), memcmp(text, text + 26, 100) < 0, strchr(text + 300, 'q') - text);
  for (int i = 0; i < 20; i++) survives_signals();
  return 5;
}
