/* The line to the host: a console. */
#ifndef LINE_H
#define LINE_H

#include "sys.h"

/* Opens the console, for nobody else; whether it could. */
int line_open(const char *device);
void line_close(void);
/* Reads what has come, at most n bytes; 0 for nothing, negative when the line is broken. */
long line_get(void *to, size_t n);
/* Puts bytes into the outbox, which has room as long as everybody asks line_room() before large frames. */
void line_put(const void *from, size_t n);
/* Whether a frame of any size has room. */
int line_room(void);
/* Sends what it can of the outbox; false when the line is broken. */
int line_push(void);
/* Fills in what to wait for; how many entries that are. */
int line_poll(struct pollfd *p);

#endif
