/*
 * The suite: programs that run alike on a host's processor, in a guest and under partial
 * virtualisation, so that their times can be compared. suite.c is the command and the table of
 * programs; each other file holds programs of one kind.
 *
 * One call of a program is one round. A round starts from the same state every time and returns a
 * checksum, so that the work of any number of rounds is checked by one constant.
 */
#include <stdint.h>

typedef uint64_t (*program)(void);

/* integer.c */
uint64_t sieve(void);
uint64_t sha256(void);
/* mix.c */
uint64_t mix(void);
/* float.c */
uint64_t nbody(void);
uint64_t mandelbrot(void);
uint64_t simd(void);
/* kernel.c */
uint64_t null_call(void);
uint64_t fork_wait(void);
uint64_t pipe_turns(void);
uint64_t page_faults(void);

/* A program's failure that no checksum tells of: says what failed and why, and ends the process. */
_Noreturn void fail(const char *what);

/* Takes 64 bits into a hash: one step of FNV-1a, on words. */
static inline uint64_t mixed(uint64_t hash, uint64_t value) { return (hash ^ value) * 0x100000001b3; }
#define HASH_START 0xcbf29ce484222325
