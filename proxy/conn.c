/* SPDX-License-Identifier: Apache-2.0 */
#include "conn.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <portreeve/clock.h>
#include <portreeve/log.h>

#include "message.h"

#define LINGER_TIME (2 * PR_SEC)
#define LINGER_MOST ((size_t)1 << 20)
#define LATE        (200 * PR_MS) /* a worker's own denial may still come */

static enum go linger(struct conn *c);
static enum go handshake(struct conn *c);
static enum go answer(struct conn *c);
static enum go wait_more(struct conn *c);

/* What each step does when something happened. */
static const struct {
	const char *name;
	enum go (*run)(struct conn *c);
} steps[STEP_COUNT] = {
    [STEP_HANDSHAKE] = {"HANDSHAKE", handshake},
    [STEP_HEAD] = {"HEAD", request_head},
    [STEP_BODY] = {"BODY", request_body},
    [STEP_JUDGE] = {"JUDGE", request_judged},
    [STEP_RECORD] = {"RECORD", request_recorded},
    [STEP_CONNECT] = {"CONNECT", request_connect},
    [STEP_RELAY] = {"RELAY", relay_run},
    [STEP_RESPOND] = {"RESPOND", relay_responded},
    [STEP_ANSWER] = {"ANSWER", answer},
    [STEP_TUNNEL] = {"TUNNEL", tunnel_run},
    [STEP_LINGER] = {"LINGER", linger},
    [STEP_CLOSE] = {"CLOSE", wait_more},
};

/* ---- coming and going ---- */

/* The peer is known: it has so many connections, or one too many. */
static void
count_peer(struct conn *c)
{
	const struct peer *p = c->peer;
	char uid[24];

	snprintf(uid, sizeof uid, "uid %u", (unsigned)p->uid);
	c->subject = subjects_enter(c->loop->proxy->subjects,
	    p->has_uid ? pr_str_of(uid) : p->certificate);
}

static void
know_local(struct conn *c)
{
	struct peer *p = pr_xcalloc(1, sizeof *p);

	p->refs = 1;
	c->peer = p;
	p->has_uid = true;
	/* a uid that cannot be told is one without a name */
	if (!peer_uid(c->ch.fd, &p->uid))
		p->uid = (uid_t)-2;
	else if (!uid_name(p->uid, p->name, sizeof p->name))
		p->name[0] = '\0';
	count_peer(c);
}

static bool
know_certificate(struct conn *c)
{
	struct peer *p = pr_xcalloc(1, sizeof *p);

	p->refs = 1;
	c->peer = p;
	p->cert = tls_peer(c->ch.tls);
	if (p->cert == NULL)
		return false;
	p->certificate = tls_cert_text(p->cert);
	count_peer(c);
	return true;
}

void
conn_new(struct loop *l, struct listener *listener, int fd,
    const struct sockaddr_in6 *from)
{
	struct tls_ctx *ctx = listener_tls(listener);
	struct conn *c = pr_xcalloc(1, sizeof *c);

	c->source.kind = SOURCE_CONN;
	c->loop = l;
	c->listener = listener;
	c->from = *from;
	chan_init(&c->ch, fd, ctx != NULL ? tls_new(ctx, fd) : NULL);
	tls_ctx_unref(ctx);
	c->next = l->conns;
	if (c->next != NULL)
		c->next->prev = c;
	l->conns = c;
	l->n_conns++;
	l->proxy->connections++;
	c->moved = l->now;
	if (c->ch.tls == NULL) {
		know_local(c);
		conn_goto(c, STEP_HEAD);
	} else {
		conn_goto(c, STEP_HANDSHAKE);
	}
	if (loop_watch(l, fd, &c->source) < 0) {
		conn_close(c);
		return;
	}
	if (c->step == STEP_HANDSHAKE)
		loop_queue(l, c);
	else
		conn_run(c);
}

struct conn *
conn_next(const struct conn *c)
{
	return c->next;
}

void
conn_drop_up(struct conn *c, bool whole)
{
	struct up *u = c->up;

	c->up = NULL;
	if (u == NULL)
		return;
	if (whole)
		up_give(u);
	else
		up_close(u);
}

void
conn_close(struct conn *c)
{
	struct loop *l = c->loop;

	loop_unqueue(l, c);
	conn_drop_up(c, false);
	if (c->flow != NULL)
		flow_drop(pr_take(&c->flow));
	chan_close(&c->ch);
	subjects_leave(l->proxy->subjects, c->subject);
	peer_unref(pr_take(&c->peer));
	if (c->prev != NULL)
		c->prev->next = c->next;
	else
		l->conns = c->next;
	if (c->next != NULL)
		c->next->prev = c->prev;
	l->n_conns--;
	l->proxy->connections--;
	loop_bury(l, &c->source);
}

const char *
conn_from(const struct conn *c, char buf[80])
{
	char host[INET6_ADDRSTRLEN] = "?";
	const char *name = c->listener->config->name;
	const struct sockaddr_in *in = (const void *)&c->from;
	unsigned port = 0;

	if (c->from.sin6_family == AF_INET) {
		inet_ntop(AF_INET, &in->sin_addr, host, sizeof host);
		port = ntohs(in->sin_port);
	} else if (c->from.sin6_family == AF_INET6) {
		inet_ntop(AF_INET6, &c->from.sin6_addr, host, sizeof host);
		port = ntohs(c->from.sin6_port);
	}
	if (c->peer != NULL && c->peer->has_uid)
		snprintf(buf, 80, "%.30s uid %u", name, (unsigned)c->peer->uid);
	else
		snprintf(buf, 80, "%.20s %s port %u", name, host, port);
	return buf;
}

/* ---- steps ---- */

static uint64_t
time_of(const struct conn *c, enum step step)
{
	const struct pr_config *config = &c->loop->proxy->config;

	switch (step) {
	case STEP_HANDSHAKE:
		return config->proxy.timeouts.handshake;
	case STEP_HEAD:
		return iobuf_len(&c->ch.rx) > 0 || c->subject == NULL
		    ? config->proxy.timeouts.head
		    : config->proxy.timeouts.idle;
	case STEP_BODY:
		return config->proxy.timeouts.body;
	case STEP_JUDGE:
	case STEP_RECORD:
	case STEP_RESPOND:
	case STEP_CONNECT:
		return config->proxy.deadline + LATE;
	case STEP_ANSWER:
		return config->proxy.timeouts.stall;
	case STEP_LINGER:
		return LINGER_TIME;
	default:
		return 0;
	}
}

enum go
conn_goto(struct conn *c, enum step step)
{
	uint64_t time = time_of(c, step);

	c->step = step;
	c->due = time != 0 ? c->loop->now + time : 0;
	return NEXT;
}

static enum go
wait_more(struct conn *c)
{
	(void)c;
	return WAIT;
}

void
conn_run(struct conn *c)
{
	if (c->running)
		return;
	c->running = true;
	while (c->step != STEP_CLOSE) {
		pr_log(PR_LOG_DEBUG, "fd %d %s", c->ch.fd, steps[c->step].name);
		if (steps[c->step].run(c) == WAIT)
			break;
	}
	c->running = false;
	if (c->step == STEP_CLOSE) {
		conn_close(c);
		return;
	}
	chan_rest(&c->ch);
	if (c->up != NULL)
		chan_rest(&c->up->ch);
}

void
conn_event(struct conn *c, unsigned events)
{
	chan_event(&c->ch, events);
	if (c->step == STEP_HANDSHAKE)
		loop_queue(c->loop, c);
	else
		conn_run(c);
}

static enum go
handshake(struct conn *c)
{
	struct proxy *p = c->loop->proxy;
	char from[80];

	switch (tls_handshake(c->ch.tls)) {
	case TLS_OK:
		p->count.handshakes++;
		if (!know_certificate(c))
			return conn_goto(c, STEP_CLOSE);
		return conn_goto(c, STEP_HEAD);
	case TLS_WANT_READ:
	case TLS_WANT_WRITE:
		return WAIT;
	case TLS_EOF:
	case TLS_FAILED:
	default:
		p->count.handshakes_failed++;
		if (loop_may_say(c->loop))
			pr_log(PR_LOG_INFO, "%s: no TLS connection: %s",
			    conn_from(c, from), tls_why(c->ch.tls));
		return conn_goto(c, STEP_CLOSE);
	}
}

/* Writes the rest; then the next request, or the end. */
static enum go
answer(struct conn *c)
{
	if (chan_flush(&c->ch))
		c->due =
		    c->loop->now + c->loop->proxy->config.proxy.timeouts.stall;
	if (c->ch.failed)
		return conn_goto(c, STEP_CLOSE);
	if (iobuf_len(&c->ch.tx) > 0)
		return WAIT;
	return c->last ? conn_goto(c, STEP_LINGER) : conn_goto(c, STEP_HEAD);
}

/*
 * Closing a socket in which unread bytes wait resets it, and the client loses
 * what it has not read yet: so what still comes is thrown away for a while.
 */
static enum go
linger(struct conn *c)
{
	c->ch.ending = true;
	chan_flush(&c->ch);
	while (!c->ch.failed && c->ch.can_read && c->lingered < LINGER_MOST) {
		if (!chan_fill(&c->ch, CHAN_SMALL))
			break;
		c->lingered += iobuf_len(&c->ch.rx);
		iobuf_take(&c->ch.rx, iobuf_len(&c->ch.rx));
	}
	if (c->ch.failed || c->lingered >= LINGER_MOST ||
	    (c->ch.eof && c->ch.ended))
		return conn_goto(c, STEP_CLOSE);
	if (c->ch.ended && c->ch.tls != NULL && c->ch.fd >= 0)
		shutdown(c->ch.fd, SHUT_WR);
	return WAIT;
}

enum go
conn_error(struct conn *c, int status, const char *text, bool last)
{
	struct pr_buf out = PR_BUF_INIT;
	bool head = c->flow != NULL && pr_str_is(c->flow->head.method, "HEAD");

	c->last = c->last || last || c->loop->proxy->draining ||
	    (c->flow != NULL && c->flow->head.close);
	message_error(&out, status, text, head, c->last);
	chan_send(&c->ch, out.p, out.n);
	pr_buf_fini(&out);
	conn_drop_up(c, false);
	if (c->flow != NULL)
		flow_drop(pr_take(&c->flow));
	return conn_goto(c, STEP_ANSWER);
}

enum go
conn_done(struct conn *c)
{
	if (c->flow != NULL)
		flow_drop(pr_take(&c->flow));
	return conn_goto(c, STEP_ANSWER);
}

/* ---- time ---- */

/* Somebody must move while a message is under way. */
static bool
stalls(const struct conn *c)
{
	const struct pr_config *config = &c->loop->proxy->config;
	uint64_t stall = config->proxy.timeouts.stall;
	uint64_t idle = config->proxy.timeouts.idle;
	uint64_t quiet = c->loop->now - c->moved;
	const struct flow *f = c->flow;

	if (f == NULL || c->step != STEP_RELAY)
		return false;
	/* it does not send what it announced */
	if (f->streams && !f->reader.done)
		return stall != 0 && quiet >= stall;
	/* it does not read: somebody may look at a pager */
	return iobuf_len(&c->ch.tx) > 0 && idle != 0 && quiet >= idle;
}

static bool
is_too_long(const struct conn *c)
{
	uint64_t total = c->loop->proxy->config.proxy.timeouts.total;

	return total != 0 && c->flow != NULL &&
	    c->loop->now - c->flow->began >= total;
}

static void
expire(struct conn *c)
{
	struct flow *f = c->flow;

	c->loop->proxy->count.expired++;
	switch (c->step) {
	case STEP_BODY:
		conn_error(c, 408, "the body did not come in time", true);
		break;
	case STEP_JUDGE:
	case STEP_RECORD:
		/* the worker or the log hangs: its allow is withdrawn when it
		 * comes back */
		flow_late(f);
		conn_error(c, 403,
		    "authorization denied by portreeve: deadline: no decision "
		    "in time; try again",
		    true);
		break;
	case STEP_CONNECT:
		f->note = "daemon-unreachable";
		f->status = 504;
		f->stage = FLOW_SENT;
		conn_error(c, 504, "the daemon takes no connections", true);
		break;
	case STEP_RESPOND:
		conn_error(
		    c, 504, "the answer could not be judged in time", true);
		break;
	case STEP_HEAD:
		if (iobuf_len(&c->ch.rx) > 0) {
			conn_error(
			    c, 408, "the head did not come in time", true);
			break;
		}
		conn_goto(c, STEP_CLOSE);
		break;
	default:
		conn_goto(c, STEP_CLOSE);
		break;
	}
	conn_run(c);
}

void
conn_tick(struct conn *c)
{
	if (c->step == STEP_CONNECT && c->due > c->loop->now)
		conn_run(c);
	else if (c->due != 0 && c->loop->now >= c->due)
		expire(c);
	else if ((c->step == STEP_RELAY || c->step == STEP_TUNNEL) &&
	    (stalls(c) || is_too_long(c)))
		expire(c);
}

/* ---- reload and end ---- */

void
conn_look(struct conn *c)
{
	struct tls_ctx *ctx = listener_tls(c->listener);
	char from[80];
	bool good = c->ch.tls == NULL || c->step == STEP_HANDSHAKE ||
	    c->ch.failed || tls_still_good(c->ch.tls, ctx);

	tls_ctx_unref(ctx);
	if (!good) {
		pr_log(PR_LOG_NOTICE,
		    "%s: cut off, its certificate is not good any more",
		    conn_from(c, from));
		c->loop->proxy->count.cut++;
		conn_goto(c, STEP_CLOSE);
		conn_run(c);
		return;
	}
	if (c->step == STEP_TUNNEL || c->step == STEP_RELAY)
		flow_review(c->flow);
}

void
conn_cut(struct conn *c, const char *why)
{
	char from[80];

	pr_log(PR_LOG_NOTICE, "%s: cut off: %s", conn_from(c, from), why);
	c->loop->proxy->count.cut++;
	if (c->flow != NULL)
		c->flow->note = "cut-off-by-reload";
	conn_goto(c, STEP_CLOSE);
	conn_run(c);
}

void
conn_drain(struct conn *c)
{
	c->last = true;
	if (c->step == STEP_HANDSHAKE ||
	    (c->step == STEP_HEAD && iobuf_len(&c->ch.rx) == 0)) {
		conn_goto(c, STEP_LINGER);
		conn_run(c);
	}
}
