/*
 * Floating point: planets and a fractal in scalar doubles, vectors in packed floats. What the results
 * hash to holds for any processor with IEEE arithmetic, as nothing here lets the compiler reorder or
 * fuse operations.
 */
#include <string.h>
#include <xmmintrin.h>

#include "suite.h"

static uint64_t bits(double x) {
  uint64_t b;
  memcpy(&b, &x, sizeof b);
  return b;
}

/* --- Sun, Jupiter, Saturn, Uranus and Neptune: astronomical units, years, solar masses times 4 pi^2. */

#define BODIES 5
#define STEPS 2000
#define DAYS_PER_YEAR 365.24
#define SOLAR_MASS 39.47841760435743

struct body {
  double at[3], speed[3], mass;
};

static const struct body bodies_at_start[BODIES] = {
    {{0, 0, 0}, {0, 0, 0}, 1},
    {{4.84143144246472090, -1.16032004402742839, -0.103622044471123109},
     {0.00166007664274403694, 0.00769901118419740425, -0.0000690460016972063023},
     0.000954791938424326609},
    {{8.34336671824457987, 4.12479856412430479, -0.403523417114321381},
     {-0.00276742510726411, 0.00499852801234917238, 0.0000230417297573763929},
     0.000285885980666130812},
    {{12.8943695621391310, -15.1111514016986312, -0.223307578892655734},
     {0.00296460137564761618, 0.00237847173959480950, -0.0000296589568540237556},
     0.0000436624404335156298},
    {{15.3796971148509165, -25.9193146099879641, 0.179258772950371181},
     {0.00268067772490389322, 0.00162824170038242295, -0.0000951592254519715870},
     0.0000515138902046611451}};

static double energy(const struct body *bodies) {
  double sum = 0;
  for (int i = 0; i < BODIES; i++) {
    const struct body *b = &bodies[i];
    for (int k = 0; k < 3; k++) sum += 0.5 * b->mass * b->speed[k] * b->speed[k];
    for (int j = i + 1; j < BODIES; j++) {
      double square = 0;
      for (int k = 0; k < 3; k++) square += (b->at[k] - bodies[j].at[k]) * (b->at[k] - bodies[j].at[k]);
      sum -= b->mass * bodies[j].mass / __builtin_sqrt(square);
    }
  }
  return sum;
}

static void advance(struct body *bodies, double years) {
  for (int i = 0; i < BODIES; i++)
    for (int j = i + 1; j < BODIES; j++) {
      double apart[3], square = 0;
      for (int k = 0; k < 3; k++) {
        apart[k] = bodies[i].at[k] - bodies[j].at[k];
        square += apart[k] * apart[k];
      }
      double pull = years / (square * __builtin_sqrt(square));
      for (int k = 0; k < 3; k++) {
        bodies[i].speed[k] -= apart[k] * bodies[j].mass * pull;
        bodies[j].speed[k] += apart[k] * bodies[i].mass * pull;
      }
    }
  for (int i = 0; i < BODIES; i++)
    for (int k = 0; k < 3; k++) bodies[i].at[k] += years * bodies[i].speed[k];
}

uint64_t nbody(void) {
  struct body bodies[BODIES];
  double drift[3] = {0, 0, 0};
  for (int i = 0; i < BODIES; i++) {
    bodies[i] = bodies_at_start[i];
    bodies[i].mass *= SOLAR_MASS;
    for (int k = 0; k < 3; k++) {
      bodies[i].speed[k] *= DAYS_PER_YEAR;
      drift[k] += bodies[i].speed[k] * bodies[i].mass;
    }
  }
  for (int k = 0; k < 3; k++) bodies[0].speed[k] = -drift[k] / SOLAR_MASS;
  uint64_t hash = mixed(HASH_START, bits(energy(bodies)));
  for (int i = 0; i < STEPS; i++) advance(bodies, 0.01);
  return mixed(hash, bits(energy(bodies)));
}

/* --- How soon z^2 + c runs away, for a grid of c. */

#define GRID 64
#define MOST_TURNS 100

uint64_t mandelbrot(void) {
  uint64_t hash = HASH_START;
  for (int row = 0; row < GRID; row++)
    for (int column = 0; column < GRID; column++) {
      double x = -2.0 + column * (3.0 / GRID), y = -1.5 + row * (3.0 / GRID);
      double re = 0, im = 0;
      int turns = 0;
      while (turns < MOST_TURNS && re * re + im * im <= 4.0) {
        double next = re * re - im * im + x;
        im = 2.0 * re * im + y;
        re = next;
        turns++;
      }
      hash = mixed(hash, turns);
    }
  return hash;
}

/* --- y += a x and x . y on packed floats, over 32 KiB: what a first-level cache holds. */

#define FLOATS 4096
#define PASSES 16

static float xs[FLOATS] __attribute__((aligned(16))), ys[FLOATS] __attribute__((aligned(16)));

static void saxpy(float a) {
  __m128 factor = _mm_set1_ps(a);
  for (int i = 0; i < FLOATS; i += 4)
    _mm_store_ps(ys + i, _mm_add_ps(_mm_load_ps(ys + i), _mm_mul_ps(factor, _mm_load_ps(xs + i))));
}

static float dot(void) {
  __m128 even = _mm_setzero_ps(), odd = _mm_setzero_ps();
  for (int i = 0; i < FLOATS; i += 8) {
    even = _mm_add_ps(even, _mm_mul_ps(_mm_load_ps(xs + i), _mm_load_ps(ys + i)));
    odd = _mm_add_ps(odd, _mm_mul_ps(_mm_load_ps(xs + i + 4), _mm_load_ps(ys + i + 4)));
  }
  float sums[4];
  _mm_storeu_ps(sums, _mm_add_ps(even, odd));
  return sums[0] + sums[1] + sums[2] + sums[3];
}

uint64_t simd(void) {
  uint64_t hash = HASH_START;
  for (int i = 0; i < FLOATS; i++) {
    xs[i] = (i % 97) * 0.25f;
    ys[i] = (i % 89) * 0.125f;
  }
  for (int i = 0; i < PASSES; i++) {
    saxpy(i % 2 ? -0.75f : 0.8f);
    hash = mixed(hash, bits(dot()));
  }
  return hash;
}
