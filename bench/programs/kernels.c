/*
 * Guest code for the interpreter's benchmark: freestanding, no system calls, entered at the start, data from 2 MiB on.
 * ./build makes one flat binary of each; they are committed beside the benchmark so that it needs no compiler.
 */
typedef unsigned char u8;
typedef unsigned u32;
typedef unsigned long u64;

#ifdef SIEVE
u64 start(void) {
  u8 *p = (u8 *)0x200000;
  u64 n = 0;
  for (int i = 0; i < 65536; i++) p[i] = 1;
  for (int i = 2; i < 65536; i++)
    if (p[i]) {
      n++;
      for (int j = i + i; j < 65536; j += i) p[j] = 0;
    }
  return n;
}
#elif defined(MIX)
u32 fib(u32 n);
u64 start(void) {
  u32 *p = (u32 *)0x200000;
  u64 h = 0;
  for (int i = 0; i < 4096; i++) p[i] = i * 2654435761u;
  for (int r = 0; r < 3; r++)
    for (int i = 0; i < 4096; i++) {
      u32 x = p[i];
      switch (x & 7) {
        case 0: h += x; break;
        case 1: h ^= x >> 3; break;
        case 2: h = h * 31 + x; break;
        case 3: h -= x << 2; break;
        case 4: h += p[x & 4095]; break;
        case 5: h ^= h >> 7; break;
        case 6: if (h & 1) h += 5; break;
        default: h += 7;
      }
      p[i] = x * 1664525 + 1013904223;
    }
  return h + fib(16);
}
u32 __attribute__((noinline)) fib(u32 n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }
#else
#define R(x, n) (((x) >> (n)) | ((x) << (32 - (n))))
u64 start(void) {
  u32 *w = (u32 *)0x200000;
  u32 a = 1, b = 2, c = 3, d = 4, e = 5, f = 6, g = 7, h = 8;
  for (int r = 0; r < 300; r++) {
    for (int i = 0; i < 16; i++) w[i] = a + i * 77;
    for (int i = 16; i < 64; i++) {
      u32 x = w[i - 15], y = w[i - 2];
      w[i] = w[i - 16] + (R(x, 7) ^ R(x, 18) ^ (x >> 3)) + w[i - 7] + (R(y, 17) ^ R(y, 19) ^ (y >> 10));
    }
    for (int i = 0; i < 64; i++) {
      u32 t1 = h + (R(e, 6) ^ R(e, 11) ^ R(e, 25)) + ((e & f) ^ (~e & g)) + w[i] + 0x428a2f98u * i;
      u32 t2 = (R(a, 2) ^ R(a, 13) ^ R(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
      h = g; g = f; f = e; e = d + t1; d = c; c = b; b = a; a = t1 + t2;
    }
  }
  return a + b + c + d;
}
#endif
