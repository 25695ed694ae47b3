/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One thread and its epoll: all that happens to a connection happens in its
 * loop's thread.  Others (workers, the log) hand flows back by loop_post.
 */
#ifndef LOOP_H
#define LOOP_H

#include <sys/epoll.h>
#include <sys/queue.h>

#include <pthread.h>

#include "proxy.h"

enum source_kind {
	SOURCE_DEAD = 0, /* closed in this round: events are stale */
	SOURCE_WAKE,
	SOURCE_LISTENER,
	SOURCE_CONN,
	SOURCE_UP,
};

/* First member of whatever epoll knows. */
struct source {
	enum source_kind kind;
	struct source *next_dead;
};

struct conn;
struct flow;
struct up;

struct gate { /* a listener in one loop */
	struct source source;
	struct listener *listener;
	bool in; /* epoll watches it */
};

struct loop {
	struct proxy *proxy;
	struct source wake;
	int epoll, event;
	pthread_t thread;
	bool started;
	uint64_t now; /* pr_clock_now() of this round */
	uint64_t ticked;
	uint64_t said_since; /* what strangers cause is said so often */
	unsigned said;
	struct gate *gates;
	bool gates_shut; /* out of descriptors, or too many */

	struct conn *conns; /* all */
	unsigned n_conns;
	struct up *idle; /* upstream connections without a request */
	unsigned n_idle;
	struct flow *spare;
	unsigned n_spare;
	struct source *dead; /* freed at the end of the round */

	/* a handshake costs more than many requests: one of them in a round,
	 * after those who are in already */
	TAILQ_HEAD(shaking, conn) shaking;

	struct { /* what the log writes at the end of this round */
		bool open;
		struct flow *head, **tail;
		size_t allows;
	} round;

	struct {
		pthread_mutex_t lock;
		struct flow *head, **tail;
		unsigned orders; /* enum loop_order */
	} in;
	_Atomic unsigned flows; /* in use */
};

enum loop_order {
	LOOP_STOP = 1,
	LOOP_DRAIN = 2, /* take no more, end what is idle */
	LOOP_LOOK = 4,  /* policy or certificates have changed */
};

struct loop *loop_start(struct proxy *p, struct pr_err **err) PR_NODISCARD;
/* From any thread. */
void loop_order(struct loop *l, enum loop_order order);
void loop_post(struct loop *l, struct flow *f);
/* After LOOP_STOP: waits for its thread, ends its connections.  What workers
 * and the log have of it comes back still, until loop_free. */
void loop_halt(struct loop *l);
void loop_free(struct loop *l);

/* For its own thread. */
/* Whether a line about what a stranger did may be logged: not in a flood. */
bool loop_may_say(struct loop *l);
int loop_watch(struct loop *l, int fd, struct source *s) PR_NODISCARD;
/* Its record is written, and it comes back, at the end of the round. */
void loop_join_round(struct loop *l, struct flow *f);
/* Its handshake goes on when it is its turn; and no more, it is closed. */
void loop_queue(struct loop *l, struct conn *c);
void loop_unqueue(struct loop *l, struct conn *c);
/* To be freed when no event of this round can be for it any more. */
void loop_bury(struct loop *l, struct source *s);

#endif /* LOOP_H */
