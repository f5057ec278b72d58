/* Rows that only compute. One time is about a tenth of a millisecond of a processor of today. */
#include "lab.h"

#define BUFFER 65536
#define SIDE 48

static uint32_t table[256];
static unsigned char bytes[BUFFER];

static long integer_prepare(const char *argument) {
  (void)argument;
  for (uint32_t i = 0; i < 256; i++) {
    uint32_t c = i;
    for (int k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ c >> 1 : c >> 1;
    table[i] = c;
  }
  for (uint32_t i = 0; i < BUFFER; i++) bytes[i] = i * 2654435761u >> 24;
  return 0;
}

/* A CRC of 64 KiB. */
static long integer_run(long n) {
  for (; n > 0; n--) {
    uint32_t c = 0xffffffff;
    for (int i = 0; i < BUFFER; i++) c = table[(c ^ bytes[i]) & 255] ^ c >> 8;
    __asm__ volatile("" : : "r"(c));
  }
  return 0;
}

static double a[SIDE][SIDE], b[SIDE][SIDE], product[SIDE][SIDE];

static long floating_prepare(const char *argument) {
  (void)argument;
  for (int i = 0; i < SIDE; i++)
    for (int j = 0; j < SIDE; j++) {
      a[i][j] = 1.0 / (i + j + 1);
      b[i][j] = i - j;
    }
  return 0;
}

/* The product of two matrices of 48 rows and columns. */
static long floating_run(long n) {
  for (; n > 0; n--) {
    for (int i = 0; i < SIDE; i++)
      for (int j = 0; j < SIDE; j++) {
        double sum = 0;
        for (int k = 0; k < SIDE; k++) sum += a[i][k] * b[k][j];
        product[i][j] = sum;
      }
    __asm__ volatile("" : : "r"(product) : "memory");
  }
  return 0;
}

const struct row compute_rows[] = {
    {.name = "integer", .prepare = integer_prepare, .run = integer_run},
    {.name = "floating", .prepare = floating_prepare, .run = floating_run},
    {0},
};
