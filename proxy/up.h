/* SPDX-License-Identifier: Apache-2.0 */
/* Connections to the daemon's socket: one request at a time, used again. */
#ifndef UP_H
#define UP_H

#include "chan.h"
#include "loop.h"

struct up {
	struct source source; /* first */
	struct loop *loop;
	struct conn *conn; /* whose request it carries; NULL: idle */
	struct chan ch;
	struct up *next, *prev; /* among the idle */
	uint64_t since;         /* idle */
};

/* One for this connection's request.  NULL: errno; EAGAIN: a little later. */
struct up *up_take(struct loop *l, struct conn *c) PR_NODISCARD;
/* The request is over and the daemon's answer was whole: for the next one. */
void up_give(struct up *u);
void up_close(struct up *u);
void up_event(struct up *u, unsigned events);
void up_tick(struct loop *l);

#endif /* UP_H */
