/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client's connection: which step it is in, and what it holds for that.
 *
 *   HANDSHAKE ─► HEAD ─► BODY ─► JUDGE ─► RECORD ─► CONNECT ─► RELAY ─┬► HEAD
 *                  ▲                │ denied            │             ├► TUNNEL
 *                  └── ANSWER ◄─────┴───────────────────┘   RESPOND ◄─┘
 *
 * Each step ends in another one or waits for an event; whatever goes wrong
 * ends in ANSWER (an error that the client can read, then LINGER) or CLOSE.
 */
#ifndef CONN_H
#define CONN_H

#include <sys/queue.h>

#include <netinet/in.h>

#include "chan.h"
#include "flow.h"
#include "http.h"
#include "loop.h"
#include "subjects.h"
#include "up.h"

enum step {
	STEP_HANDSHAKE = 0,
	STEP_HEAD,    /* reads a request's head, or waits for one */
	STEP_BODY,    /* reads a body that is judged */
	STEP_JUDGE,   /* a worker judges */
	STEP_RECORD,  /* the log writes */
	STEP_CONNECT, /* to the daemon */
	STEP_RELAY,   /* request up, answer down, both at once */
	STEP_RESPOND, /* a worker judges the answer */
	STEP_ANSWER,  /* what is left to be written */
	STEP_TUNNEL,
	STEP_LINGER, /* lets the client read the end before it is cut off */
	STEP_CLOSE,
	STEP_COUNT
};

enum go { /* what a step says */
	WAIT = 0,
	NEXT,
};

struct conn {
	struct source source; /* first */
	struct loop *loop;
	struct listener *listener;
	struct conn *next, *prev; /* of the loop's */
	TAILQ_ENTRY(conn) turn;   /* of those that wait for a handshake */
	bool waits;               /* in that queue */
	struct chan ch;
	struct peer *peer; /* NULL: not known yet */
	enum step step;
	bool running;
	bool last;               /* close after this answer */
	struct subject *subject; /* NULL: not known, or one too many */
	uint64_t due;   /* this step must be over by then; 0: whenever */
	uint64_t moved; /* bytes did, last */
	struct http_scan scan;
	struct flow *flow; /* the request, or NULL */
	struct up *up;
	size_t lingered;          /* bytes thrown away */
	struct sockaddr_in6 from; /* or sockaddr_in, as its family says */
};

void conn_new(struct loop *l, struct listener *listener, int fd,
    const struct sockaddr_in6 *from);
struct conn *conn_next(const struct conn *c);
/* Something happened: goes on as far as it can. */
void conn_event(struct conn *c, unsigned events);
void conn_run(struct conn *c);
void conn_tick(struct conn *c);
/* Policy or certificates changed: is it still right that it is there? */
void conn_look(struct conn *c);
/* The program ends: what is idle ends now, what is not ends after it. */
void conn_drain(struct conn *c);
void conn_close(struct conn *c);
/* What it does would be denied now, says `why`. */
void conn_cut(struct conn *c, const char *why);
/* Where it comes from, for the log: "tcp 10.0.0.7:4711". */
const char *conn_from(const struct conn *c, char buf[80]);

/* ---- between conn.c, request.c, relay.c, tunnel.c ---- */

enum go conn_goto(struct conn *c, enum step step);
/* An error of ours as JSON; with `last` the connection ends after it. */
enum go conn_error(struct conn *c, int status, const char *text, bool last);
/* The request is over: the next one, or the end. */
enum go conn_done(struct conn *c);
void conn_drop_up(struct conn *c, bool whole);

enum go request_head(struct conn *c);
enum go request_body(struct conn *c);
enum go request_judged(struct conn *c);
enum go request_recorded(struct conn *c);
enum go request_connect(struct conn *c);
enum go relay_run(struct conn *c);
enum go relay_responded(struct conn *c);
enum go tunnel_run(struct conn *c);

#endif /* CONN_H */
