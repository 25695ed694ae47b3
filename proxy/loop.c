/* SPDX-License-Identifier: Apache-2.0 */
#include "loop.h"

#include <sys/eventfd.h>
#include <sys/socket.h>

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <portreeve/clock.h>
#include <portreeve/log.h>

#include "conn.h"
#include "flow.h"
#include "up.h"

#define SAY_MOST 20 /* lines a second */
#define EVENTS   256
#define TICK     (250 * PR_MS)
#define ACCEPTS  64 /* at once: the others wait for their turn, too */

/* ---- what epoll knows ---- */

int
loop_watch(struct loop *l, int fd, struct source *s)
{
	struct epoll_event e = {
	    .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = s};

	return epoll_ctl(l->epoll, EPOLL_CTL_ADD, fd, &e);
}

void
loop_bury(struct loop *l, struct source *s)
{
	s->kind = SOURCE_DEAD;
	s->next_dead = l->dead;
	l->dead = s;
}

void
loop_queue(struct loop *l, struct conn *c)
{
	if (c->waits)
		return;
	TAILQ_INSERT_TAIL(&l->shaking, c, turn);
	c->waits = true;
}

void
loop_unqueue(struct loop *l, struct conn *c)
{
	if (c->waits)
		TAILQ_REMOVE(&l->shaking, c, turn);
	c->waits = false;
}

static void
shake_one(struct loop *l)
{
	struct conn *c = TAILQ_FIRST(&l->shaking);

	if (c == NULL)
		return;
	loop_unqueue(l, c);
	conn_run(c);
}

static void
free_dead(struct loop *l)
{
	while (l->dead != NULL) {
		struct source *s = l->dead;

		l->dead = s->next_dead;
		free(s); /* the source is the first member */
	}
}

bool
loop_may_say(struct loop *l)
{
	if (l->now - l->said_since >= PR_SEC) {
		if (l->said > SAY_MOST)
			pr_log(PR_LOG_INFO, "%u more like these",
			    l->said - SAY_MOST);
		l->said_since = l->now;
		l->said = 0;
	}
	return ++l->said <= SAY_MOST;
}

/* ---- coming in ---- */

static void
open_gate(struct loop *l, struct gate *g)
{
	/* only one of the loops is woken for a connection */
	struct epoll_event e = {
	    .events = EPOLLIN | EPOLLEXCLUSIVE, .data.ptr = &g->source};

	if (!g->in && g->listener->fd >= 0 &&
	    epoll_ctl(l->epoll, EPOLL_CTL_ADD, g->listener->fd, &e) == 0)
		g->in = true;
}

static void
shut_gate(struct loop *l, struct gate *g)
{
	if (g->in)
		epoll_ctl(l->epoll, EPOLL_CTL_DEL, g->listener->fd, NULL);
	g->in = false;
}

static void
shut_gates(struct loop *l)
{
	for (size_t i = 0; i < l->proxy->n_listeners; i++)
		shut_gate(l, &l->gates[i]);
	l->gates_shut = true;
}

static void
open_gates(struct loop *l)
{
	struct proxy *p = l->proxy;

	if (p->draining || p->connections >= p->config.proxy.max_connections)
		return;
	for (size_t i = 0; i < p->n_listeners; i++)
		open_gate(l, &l->gates[i]);
	l->gates_shut = false;
}

static void
take_in(struct loop *l, struct gate *g)
{
	struct proxy *p = l->proxy;
	int one = 1;

	for (int i = 0; i < ACCEPTS; i++) {
		struct sockaddr_in6 from = {0};
		socklen_t len = sizeof from;
		int fd;

		if (p->connections >= p->config.proxy.max_connections) {
			p->count.refused++;
			shut_gates(l); /* they wait in the backlog */
			return;
		}
		fd = accept4(g->listener->fd, (void *)&from, &len,
		    SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0) {
			if (errno == EMFILE || errno == ENFILE ||
			    errno == ENOMEM || errno == ENOBUFS) {
				pr_log(PR_LOG_WARNING,
				    "no connection can be taken: %s",
				    strerror(errno));
				shut_gates(l);
			}
			return;
		}
		if (g->listener->config->address != NULL)
			setsockopt(
			    fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
		p->count.accepted++;
		conn_new(l, g->listener, fd, &from);
	}
}

/* ---- what others ask of us ---- */

void
loop_order(struct loop *l, enum loop_order order)
{
	uint64_t one = 1;

	pthread_mutex_lock(&l->in.lock);
	l->in.orders |= order;
	pthread_mutex_unlock(&l->in.lock);
	(void)!write(l->event, &one, sizeof one);
}

void
loop_post(struct loop *l, struct flow *f)
{
	uint64_t one = 1;
	bool first;

	pthread_mutex_lock(&l->in.lock);
	first = l->in.head == NULL;
	f->next = NULL;
	*l->in.tail = f;
	l->in.tail = &f->next;
	pthread_mutex_unlock(&l->in.lock);
	if (first)
		(void)!write(l->event, &one, sizeof one);
}

/* What came back; returns the orders. */
static unsigned
take_orders(struct loop *l)
{
	uint64_t ignored;
	struct flow *f;
	unsigned orders;

	(void)!read(l->event, &ignored, sizeof ignored);
	pthread_mutex_lock(&l->in.lock);
	f = l->in.head;
	l->in.head = NULL;
	l->in.tail = &l->in.head;
	orders = l->in.orders;
	l->in.orders = 0;
	pthread_mutex_unlock(&l->in.lock);
	while (f != NULL) {
		struct flow *next = f->next;

		flow_back(f);
		f = next;
	}
	return orders;
}

/* ---- the rounds ---- */

void
loop_join_round(struct loop *l, struct flow *f)
{
	f->next = NULL;
	*l->round.tail = f;
	l->round.tail = &f->next;
	l->round.allows++;
}

/*
 * What was judged in a round of events is written by one write(2), and only
 * then sent on.
 */
static void
begin_round(struct loop *l)
{
	l->round.head = NULL;
	l->round.tail = &l->round.head;
	l->round.allows = 0;
	l->round.open = pr_audit_round(l->proxy->audit);
}

static void
end_round(struct loop *l)
{
	struct flow *f = l->round.head;
	bool ok;

	if (!l->round.open)
		return;
	ok = pr_audit_round_end(l->proxy->audit, l->round.allows);
	l->round.open = false;
	while (f != NULL) {
		struct flow *next = f->next;

		f->recorded = ok;
		flow_back(f);
		f = next;
	}
}

static void
tick(struct loop *l)
{
	struct conn *c = l->conns;

	l->ticked = l->now;
	while (c != NULL) {
		struct conn *next = conn_next(c);

		conn_tick(c);
		c = next;
	}
	up_tick(l);
	if (l->gates_shut)
		open_gates(l);
}

static void
each_conn(struct loop *l, void (*what)(struct conn *c))
{
	struct conn *c = l->conns;

	while (c != NULL) {
		struct conn *next = conn_next(c);

		what(c);
		c = next;
	}
}

static bool
obey(struct loop *l, unsigned orders)
{
	if ((orders & LOOP_LOOK) != 0)
		each_conn(l, conn_look);
	if ((orders & LOOP_DRAIN) != 0) {
		shut_gates(l);
		each_conn(l, conn_drain);
	}
	return (orders & LOOP_STOP) == 0;
}

static unsigned
dispatch(struct loop *l, const struct epoll_event *e)
{
	struct source *s = e->data.ptr;

	switch (s->kind) {
	case SOURCE_WAKE:
		return take_orders(l);
	case SOURCE_LISTENER:
		take_in(l, (struct gate *)(void *)s);
		break;
	case SOURCE_CONN:
		conn_event((struct conn *)(void *)s, e->events);
		break;
	case SOURCE_UP:
		up_event((struct up *)(void *)s, e->events);
		break;
	case SOURCE_DEAD:
	default:
		break;
	}
	return 0;
}

static void *
run(void *arg)
{
	struct loop *l = arg;
	struct epoll_event events[EVENTS];
	bool go = true;

	while (go) {
		bool shakes = !TAILQ_EMPTY(&l->shaking);
		int n = epoll_wait(
		    l->epoll, events, EVENTS, shakes ? 0 : (int)(TICK / PR_MS));

		l->now = pr_clock_now();
		if (n > 0 || shakes)
			begin_round(l);
		for (int i = 0; i < n; i++)
			go = obey(l, dispatch(l, &events[i])) && go;
		shake_one(l);
		end_round(l);
		if (l->now - l->ticked >= TICK)
			tick(l);
		free_dead(l);
	}
	return NULL;
}

/* ---- start and end ---- */

static int
failed(struct pr_err **err, const char *what)
{
	return pr_err_set(
	    err, PR_ERR_IO, errno, "%s: %s", what, strerror(errno));
}

struct loop *
loop_start(struct proxy *p, struct pr_err **err)
{
	struct loop *l = pr_xcalloc(1, sizeof *l);
	struct epoll_event e = {.events = EPOLLIN, .data.ptr = &l->wake};
	int rc;

	l->proxy = p;
	l->wake.kind = SOURCE_WAKE;
	l->now = l->ticked = pr_clock_now();
	l->epoll = epoll_create1(EPOLL_CLOEXEC);
	l->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	pthread_mutex_init(&l->in.lock, NULL);
	l->in.tail = &l->in.head;
	TAILQ_INIT(&l->shaking);
	l->gates = pr_xcalloc(p->n_listeners, sizeof *l->gates);
	for (size_t i = 0; i < p->n_listeners; i++)
		l->gates[i] = (struct gate){
		    .source.kind = SOURCE_LISTENER,
		    .listener = &p->listeners[i],
		};
	if (l->epoll < 0 || l->event < 0 ||
	    epoll_ctl(l->epoll, EPOLL_CTL_ADD, l->event, &e) < 0) {
		failed(err, "epoll");
		loop_free(l);
		return NULL;
	}
	open_gates(l);
	rc = pthread_create(&l->thread, NULL, run, l);
	if (rc == 0) {
		l->started = true;
		return l;
	}
	errno = rc;
	failed(err, "cannot start a thread");
	loop_free(l);
	return NULL;
}

void
loop_halt(struct loop *l)
{
	if (l->started)
		pthread_join(l->thread, NULL);
	l->started = false;
	while (l->conns != NULL)
		conn_close(l->conns);
	while (l->idle != NULL)
		up_close(l->idle);
	free_dead(l);
}

void
loop_free(struct loop *l)
{
	loop_halt(l);
	if (l->event >= 0)
		(void)!take_orders(l); /* what came back since */
	flow_free_spare(l);
	if (l->epoll >= 0)
		close(l->epoll);
	if (l->event >= 0)
		close(l->event);
	pthread_mutex_destroy(&l->in.lock);
	free(l->gates);
	free(l);
}
