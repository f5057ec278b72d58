/*
 * A mix in the manner of CoreMark: sorting and searching a linked list, multiplying matrices of small
 * integers, a state machine that reads numbers, and a bitwise CRC over what they find.
 */
#include <stddef.h>

#include "suite.h"

static uint16_t crc16(uint16_t crc, uint32_t value) {
  for (int bit = 0; bit < 32; bit++) {
    int carry = (crc ^ value) & 1;
    crc >>= 1;
    value >>= 1;
    if (carry) crc ^= 0xa001;
  }
  return crc;
}

static uint32_t random_state;

static uint32_t random_next(void) {
  random_state = random_state * 1664525 + 1013904223;
  return random_state >> 8;
}

/* --- The list. */

#define NODES 512

struct node {
  struct node *next;
  uint16_t key;
  uint16_t index;
};

static struct node nodes[NODES];

static int by_key(const struct node *a, const struct node *b) { return a->key - b->key; }
static int by_index(const struct node *a, const struct node *b) { return a->index - b->index; }

static struct node *merged(struct node *a, struct node *b, int (*order)(const struct node *, const struct node *)) {
  struct node head, *last = &head;
  while (a && b) {
    struct node **least = order(a, b) <= 0 ? &a : &b;
    last->next = *least;
    last = *least;
    *least = last->next;
  }
  last->next = a ? a : b;
  return head.next;
}

static struct node *sorted(struct node *list, int (*order)(const struct node *, const struct node *)) {
  if (!list || !list->next) return list;
  struct node *middle = list;
  for (struct node *end = list->next; end && end->next; end = end->next->next) middle = middle->next;
  struct node *rest = middle->next;
  middle->next = NULL;
  return merged(sorted(list, order), sorted(rest, order), order);
}

static struct node *reversed(struct node *list) {
  struct node *back = NULL;
  while (list) {
    struct node *next = list->next;
    list->next = back;
    back = list;
    list = next;
  }
  return back;
}

static uint16_t lists(uint16_t crc) {
  for (int i = 0; i < NODES; i++) {
    nodes[i].next = i + 1 < NODES ? &nodes[i + 1] : NULL;
    nodes[i].key = random_next();
    nodes[i].index = i;
  }
  struct node *list = sorted(nodes, by_key);
  for (int i = 0; i < 64; i++) {
    uint16_t wanted = random_next();
    struct node *at = list;
    while (at && at->key < wanted) at = at->next;
    crc = crc16(crc, at ? at->index : wanted);
  }
  list = reversed(list);
  crc = crc16(crc, list->key);
  list = sorted(list, by_index);
  for (struct node *at = list; at; at = at->next)
    if (at->index % 16 == 0) crc = crc16(crc, at->key);
  return crc;
}

/* --- The matrices. */

#define SIDE 32

static int16_t left[SIDE][SIDE], right[SIDE][SIDE];
static int32_t product[SIDE][SIDE];

static uint16_t matrices(uint16_t crc) {
  for (int i = 0; i < SIDE; i++)
    for (int j = 0; j < SIDE; j++) {
      left[i][j] = random_next() % 1000 - 500;
      right[i][j] = random_next() % 1000 - 500;
    }
  for (int i = 0; i < SIDE; i++)
    for (int j = 0; j < SIDE; j++) {
      int32_t sum = 0;
      for (int k = 0; k < SIDE; k++) sum += left[i][k] * right[k][j];
      product[i][j] = sum;
    }
  int32_t trace = 0;
  for (int i = 0; i < SIDE; i++) {
    int32_t most = INT32_MIN;
    for (int j = 0; j < SIDE; j++)
      if (product[i][j] > most) most = product[i][j];
    crc = crc16(crc, most);
    trace += product[i][i];
  }
  return crc16(crc, trace);
}

/* --- The state machine. */

enum state { START, SIGN, WHOLE, POINT, FRACTION, EXPONENT, EXPONENT_SIGN, POWER, HEX, WRONG, STATES };

#define TEXT_SIZE 2048

static char text[TEXT_SIZE];

static void write_text(void) {
  static const char *const words[] = {"5012", "-874", "+122", "35.54400", ".1234500", "-110.700", "0.64400", "5.500e+3",
                                      "-.123e-2", "0x1fA7", "T0.3e-1F", "-T.T++Tq", "1T3.4e4z", "34.0e-T^"};
  int at = 0;
  while (at < TEXT_SIZE - 16) {
    for (const char *c = words[random_next() % (sizeof words / sizeof *words)]; *c; c++) text[at++] = *c;
    text[at++] = ',';
  }
  text[at] = 0;
}

static enum state after(enum state state, char c) {
  int digit = c >= '0' && c <= '9';
  switch (state) {
    case START:
      if (c == '+' || c == '-') return SIGN;
      return digit ? WHOLE : c == '.' ? POINT : WRONG;
    case SIGN:
      return digit ? WHOLE : c == '.' ? POINT : WRONG;
    case WHOLE:
      if (c == 'x') return HEX;
      return digit ? WHOLE : c == '.' ? FRACTION : c == 'e' ? EXPONENT : WRONG;
    case POINT:
      return digit ? FRACTION : WRONG;
    case FRACTION:
      return digit ? FRACTION : c == 'e' ? EXPONENT : WRONG;
    case EXPONENT:
      return digit ? POWER : c == '+' || c == '-' ? EXPONENT_SIGN : WRONG;
    case EXPONENT_SIGN:
    case POWER:
      return digit ? POWER : WRONG;
    case HEX:
      return digit || ((c | 32) >= 'a' && (c | 32) <= 'f') ? HEX : WRONG;
    default:
      return WRONG;
  }
}

static uint16_t states(uint16_t crc) {
  uint32_t ends[STATES] = {0}, passed[STATES] = {0};
  write_text();
  for (int turn = 0; turn < 4; turn++) {
    enum state state = START;
    for (const char *c = text; *c; c++) {
      if (*c == ',') {
        ends[state]++;
        state = START;
      } else {
        state = after(state, *c);
        passed[state]++;
      }
    }
  }
  for (int i = 0; i < STATES; i++) crc = crc16(crc16(crc, ends[i]), passed[i]);
  return crc;
}

uint64_t mix(void) {
  uint64_t hash = HASH_START;
  uint16_t crc = 0xffff;
  random_state = 20;
  for (int i = 0; i < 4; i++) {
    crc = lists(crc);
    hash = mixed(hash, crc);
    crc = matrices(crc);
    hash = mixed(hash, crc);
    crc = states(crc);
    hash = mixed(hash, crc);
  }
  return hash;
}
