/* The line to the host: a console, and memory that is shared with the host where the guest's kernel can do that. One at a time. */
#ifndef LINE_H
#define LINE_H

#include "sys.h"

#define RING 'R' /* a frame about the change from one to the other */

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
/* Fills in what to wait for; how many entries that are, one or two. */
int line_poll(struct pollfd *p);
/* Whether something can be read right now, whatever poll says. */
int line_pending(void);
/* The host's answer to an offer of memory. */
void line_switch(int accepted);

#endif
