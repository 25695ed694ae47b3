/* SPDX-License-Identifier: Apache-2.0 */
/* The request's body to the daemon and its answer to the client. */
#include <stdio.h>
#include <string.h>

#include <portreeve/caps.h>
#include <portreeve/log.h>

#include "conn.h"
#include "message.h"

#define ANSWER_MOST ((size_t)16 << 20) /* of an answer that is judged */
#define EVENT_MOST  ((size_t)1 << 20)
#define BUF_MOST    CHAN_LARGE

/* The daemon is gone, or spoke nonsense: no truncated success. */
static enum go
up_failed(struct conn *c, const char *text)
{
	struct flow *f = c->flow;
	char from[80];

	c->loop->proxy->count.upstream_failed++;
	pr_log(PR_LOG_WARNING, "%s: %.*s: %s", conn_from(c, from),
	    PR_STRF(f->out.forward.target), text);
	f->note = "daemon-failed";
	if (f->delivered)
		return conn_goto(c, STEP_CLOSE);
	f->status = 502;
	return conn_error(c, 502, text, !f->reader.done);
}

static void
moved(struct conn *c)
{
	c->moved = c->loop->now;
}

/* ---- up ---- */

static void
send_up(struct conn *c, struct pr_str data)
{
	struct chan *up = &c->up->ch;

	if (c->flow->head.framing == HTTP_FRAME_CHUNKED)
		message_chunk(&up->tx, data);
	else
		chan_send(up, data.p, data.n);
}

/* A client that breaks off takes the daemon's connection with it. */
static enum go
body_broken(struct conn *c, const struct http_fault *why)
{
	struct flow *f = c->flow;
	char from[80];

	f->note = "body-broken";
	if (why == NULL)
		return conn_goto(c, STEP_CLOSE);
	c->loop->proxy->count.malformed++;
	if (loop_may_say(c->loop))
		pr_log(PR_LOG_INFO, "%s: refused: %s", conn_from(c, from),
		    why->text);
	if (f->delivered)
		return conn_goto(c, STEP_CLOSE);
	f->status = why->status;
	return conn_error(c, why->status, why->text, true);
}

/* Moves some of the request's body.  NEXT: c is in another step now. */
static enum go
relay_up(struct conn *c)
{
	struct flow *f = c->flow;
	struct iobuf *rx = &c->ch.rx;
	struct chan *up = &c->up->ch;
	struct http_fault why;

	while (f->streams && !f->reader.done && !up->failed) {
		struct pr_str data;
		size_t used;
		enum http_answer got;

		if (iobuf_len(&up->tx) >= BUF_MOST && !chan_flush(up))
			return WAIT;
		if (iobuf_len(rx) == 0 && !chan_fill(&c->ch, BUF_MOST)) {
			if (c->ch.failed || c->ch.eof)
				return body_broken(c, NULL);
			return WAIT;
		}
		got = http_body_read(&f->reader, rx->p + rx->begin,
		    iobuf_len(rx), &used, &data, &why);
		if (got == HTTP_BAD)
			return body_broken(c, &why);
		send_up(c, data);
		iobuf_take(rx, used);
		if (got == HTTP_DONE && f->head.framing == HTTP_FRAME_CHUNKED)
			iobuf_add(&up->tx, "0\r\n\r\n", 5);
		/* pieces that came at once leave at once */
		if (iobuf_len(rx) == 0 || got == HTTP_DONE)
			chan_flush(up);
		moved(c);
	}
	return WAIT;
}

/* ---- down ---- */

static void
send_head(struct conn *c, const char *framing)
{
	struct flow *f = c->flow;

	pr_buf_cstr(&f->answer_head, framing);
	if (c->last || c->loop->proxy->draining ||
	    (f->streams && !f->reader.done)) {
		c->last = true;
		pr_buf_cstr(&f->answer_head, "Connection: close\r\n");
	}
	pr_buf_cstr(&f->answer_head, "\r\n");
	/* with what follows it, if that is there already: one record of TLS */
	iobuf_add(&c->ch.tx, f->answer_head.p, f->answer_head.n);
	f->delivered = true;
}

static void
send_head_length(struct conn *c, uint64_t length)
{
	char text[64];

	snprintf(text, sizeof text, "Content-Length: %llu\r\n",
	    (unsigned long long)length);
	send_head(c, text);
}

static bool
says_nothing_of_length(const struct flow *f)
{
	return f->status < 200 || f->status == 204 || f->status == 304 ||
	    pr_str_is(f->head.method, "HEAD");
}

/* The head goes out now, the body as it comes. */
static void
deliver_head(struct conn *c, enum http_framing framing, uint64_t length)
{
	struct flow *f = c->flow;

	f->chunks = framing == HTTP_FRAME_CHUNKED;
	if (f->chunks)
		send_head(c, "Transfer-Encoding: chunked\r\n");
	else if (says_nothing_of_length(f))
		send_head(c, "");
	else
		send_head_length(c, length);
}

static enum go
withhold(struct conn *c, const char *text)
{
	return conn_error(c, 502, text, !c->flow->reader.done);
}

/* Never unfiltered: what cannot be filtered is not shown at all. */
static enum go
withhold_view(struct conn *c)
{
	char text[240];

	snprintf(text, sizeof text,
	    "the answer is withheld: it cannot be shown in part: %s; what was "
	    "asked has been done. decision %s",
	    c->flow->withheld, c->flow->out.id);
	return withhold(c, text);
}

/* The answer was judged, whole. */
static enum go
deliver_held(struct conn *c)
{
	struct flow *f = c->flow;
	const struct pr_buf *body = &f->answer;

	if (f->after.verdict != PR_ALLOW)
		return withhold(c, f->after.message);
	if (f->withheld != NULL)
		return withhold_view(c);
	if (f->viewed)
		body = &f->view;
	deliver_head(c, HTTP_FRAME_LENGTH, body->n);
	if (!says_nothing_of_length(f))
		chan_send(&c->ch, body->p, body->n);
	return conn_done(c);
}

enum go
relay_responded(struct conn *c)
{
	struct flow *f = c->flow;

	if (f->away)
		return WAIT;
	if (f->holds)
		return deliver_held(c);
	if (f->after.verdict != PR_ALLOW)
		return withhold(c, f->after.message);
	deliver_head(c, f->answer_reader.framing, f->answer_reader.left);
	return conn_goto(c, STEP_RELAY);
}

/* Judged by its head alone: a stream that a rule may forbid. */
static enum go
respond_early(struct conn *c)
{
	conn_goto(c, STEP_RESPOND);
	return flow_respond(c->flow, false) ? NEXT : WAIT;
}

static bool
is_success(const struct flow *f)
{
	return f->status >= 200 && f->status < 300;
}

static enum go
tunnel(struct conn *c)
{
	struct flow *f = c->flow;

	pr_buf_cstr(&f->answer_head, "");
	if (f->status == 101)
		pr_buf_printf(&f->answer_head,
		    "Connection: Upgrade\r\nUpgrade: %s\r\n",
		    http_upgrade_name(f->head.upgrade));
	pr_buf_cstr(&f->answer_head, "\r\n");
	chan_send(&c->ch, f->answer_head.p, f->answer_head.n);
	f->delivered = true;
	c->last = true;
	c->loop->proxy->count.tunnels++;
	conn_goto(c, STEP_TUNNEL);
	return NEXT;
}

/* 101 as it was asked for, or the old way: 200 without a length. */
static bool
is_tunnel(const struct flow *f, const struct http_head *h)
{
	enum pr_stream stream = f->out.forward.op->stream;

	if (h->status == 101)
		return f->head.upgrade != HTTP_UPGRADE_NONE &&
		    h->upgrade == f->head.upgrade;
	return h->status == 200 && h->framing == HTTP_FRAME_RAW &&
	    stream == PR_STREAM_HIJACK;
}

/* The answer's head is there: what becomes of what follows. */
static enum go
answer_begins(struct conn *c, const struct http_head *h)
{
	struct flow *f = c->flow;
	const struct pr_judge_forward *fw = &f->out.forward;

	f->answered = true;
	f->status = h->status;
	message_answer(&f->answer_head, h, f->head.method);
	http_body_begin(&f->answer_reader, h);
	if (h->close)
		c->up->since = 1; /* not to be used again */
	if (is_tunnel(f, h)) {
		if (fw->rules || fw->absent) {
			f->withheld = "it is a tunnel";
			return withhold_view(c);
		}
		return tunnel(c);
	}
	if (h->status == 101 || h->framing == HTTP_FRAME_RAW)
		return up_failed(c, "the daemon's answer has no length");
	if (is_success(f) && fw->absent)
		return respond_early(c);
	f->views = is_success(f) && (fw->rules || fw->narrow || fw->images);
	f->events = f->views && fw->op->op == PR_OP_SYSTEM_EVENTS;
	if (f->views && !f->events && fw->op->stream != PR_STREAM_NONE) {
		f->withheld = "it is a stream";
		return withhold_view(c);
	}
	f->holds = !f->events &&
	    (f->views ||
		(fw->op->creates != PR_KIND_NONE &&
		    fw->op->scope == PR_SCOPE_OWNED));
	if (f->events)
		deliver_head(c, HTTP_FRAME_CHUNKED, 0);
	else if (!f->holds)
		deliver_head(c, h->framing, h->length);
	return WAIT;
}

static enum go
read_answer_head(struct conn *c)
{
	struct flow *f = c->flow;
	struct iobuf *rx = &c->up->ch.rx;
	struct http_head h;
	struct http_fault why;
	size_t size = 0;

	switch (http_scan(
	    &f->scan, rx->p + rx->begin, iobuf_len(rx), &size, &why)) {
	case HTTP_MORE:
		return WAIT;
	case HTTP_BAD:
		return up_failed(c, why.text);
	default:
		break;
	}
	if (http_read_answer(
		rx->p + rx->begin, size, f->head.method, &h, &why) < 0)
		return up_failed(c, why.text);
	f->scan = (struct http_scan){0, 0};
	if (h.status < 200 && h.status != 101) {
		iobuf_take(rx, size); /* news on the way: not for anybody */
		return WAIT;
	}
	/* its strings are of rx: used before it is taken */
	enum go go = answer_begins(c, &h);
	if (c->up != NULL)
		iobuf_take(rx, size);
	return go;
}

/* All of the answer was read. */
static enum go
answer_ends(struct conn *c)
{
	struct flow *f = c->flow;
	bool again = c->up->since != 1 && (!f->streams || f->reader.done);

	conn_drop_up(c, again);
	if (f->holds) {
		conn_goto(c, STEP_RESPOND);
		return flow_respond(f, true) ? NEXT : WAIT;
	}
	if (f->chunks)
		chan_send(&c->ch, "0\r\n\r\n", 5);
	return conn_done(c);
}

/* Whole lines of the stream, each shown or not. */
static enum go
take_events(struct conn *c, struct pr_str data)
{
	struct flow *f = c->flow;
	struct pr_str rest;

	pr_buf_add(&f->answer, data.p, data.n);
	c->loop->proxy->held += data.n;
	rest = pr_buf_view(&f->answer);
	for (size_t end; (end = pr_str_find(rest, '\n')) < rest.n;) {
		bool good;

		pr_buf_reset(&f->view);
		good = end == 0 ||
		    pr_judge_view_event(c->loop->proxy->judge, f->work2,
			&f->call, &f->out, pr_str_sub(rest, 0, end), &f->view);
		pr_arena_reset(f->work2, CHAN_SMALL);
		if (!good)
			return up_failed(c, "an event that is none");
		message_chunk(&c->ch.tx, pr_buf_view(&f->view));
		rest = pr_str_sub(rest, end + 1, rest.n);
	}
	c->loop->proxy->held -= f->answer.n - rest.n;
	memmove(f->answer.p, rest.p, rest.n);
	f->answer.n = rest.n;
	return rest.n > EVENT_MOST ? up_failed(c, "an event that is too long")
				   : WAIT;
}

static enum go
take_answer(struct conn *c, struct pr_str data)
{
	struct flow *f = c->flow;

	f->bytes += data.n;
	if (f->events)
		return take_events(c, data);
	if (!f->holds) {
		if (!f->chunks)
			chan_send(&c->ch, data.p, data.n);
		else
			message_chunk(&c->ch.tx, data);
		return WAIT;
	}
	if (f->answer.n + data.n > ANSWER_MOST ||
	    c->loop->proxy->held + data.n > PROXY_HELD_MOST) {
		f->note = "answer-too-long";
		return withhold(c,
		    "the answer is longer than what can be judged; what was "
		    "asked has been done");
	}
	c->loop->proxy->held += data.n;
	pr_buf_add(&f->answer, data.p, data.n);
	return WAIT;
}

/* Moves some of the answer.  NEXT: c is in another step now. */
static enum go
relay_down(struct conn *c)
{
	struct flow *f = c->flow;
	struct chan *up = &c->up->ch;

	for (;;) {
		struct http_fault why;
		struct pr_str data;
		size_t used;
		enum http_answer got;

		if (f->answered && f->answer_reader.done)
			return answer_ends(c);
		if (c->ch.failed)
			iobuf_free(&c->ch.tx); /* seen through, for nobody */
		if (iobuf_len(&c->ch.tx) >= BUF_MOST && !chan_flush(&c->ch))
			return WAIT;
		if (iobuf_len(&up->rx) == 0 && !chan_fill(up, BUF_MOST)) {
			if (up->failed || up->eof)
				return up_failed(c,
				    f->answered
					? "the daemon broke off its answer"
					: "the daemon gave no answer");
			return WAIT;
		}
		moved(c);
		if (!f->answered) {
			size_t before = iobuf_len(&up->rx);

			if (read_answer_head(c) == NEXT)
				return NEXT;
			if (c->step != STEP_RELAY)
				return WAIT; /* judged by its head first */
			if (!f->answered && iobuf_len(&up->rx) == before &&
			    !chan_fill(up, HTTP_HEAD_MAX)) {
				if (up->failed || up->eof)
					return up_failed(
					    c, "the daemon gave no answer");
				return WAIT;
			}
			continue;
		}
		got = http_body_read(&f->answer_reader, up->rx.p + up->rx.begin,
		    iobuf_len(&up->rx), &used, &data, &why);
		if (got == HTTP_BAD)
			return up_failed(c, "the daemon's chunks are none");
		if (take_answer(c, data) == NEXT)
			return NEXT;
		iobuf_take(&up->rx, used);
	}
}

/* ---- both ---- */

/*
 * The client has said that it is done, or is gone: a daemon's server ends
 * what streams then, and so do we; what changes something is seen through.
 */
static bool
client_left(struct conn *c)
{
	const struct pr_op_info *op = c->flow->out.forward.op;

	if (c->flow->streams && !c->flow->reader.done)
		return c->ch.failed;
	if (!c->ch.failed && !c->ch.eof && iobuf_len(&c->ch.rx) < CHAN_SMALL)
		chan_fill(&c->ch, CHAN_SMALL); /* what it sends now waits */
	if (!c->ch.failed && (!c->ch.eof || iobuf_len(&c->ch.rx) > 0))
		return false;
	switch (op->stream) {
	case PR_STREAM_CHUNKED:
		return true;
	case PR_STREAM_NONE:
		return op->op == PR_OP_CONTAINER_WAIT ||
		    (c->ch.failed && op->risk == PR_RISK_READ);
	default:
		return c->ch.failed;
	}
}

enum go
relay_run(struct conn *c)
{
	chan_flush(&c->up->ch);
	if (chan_flush(&c->ch))
		moved(c);
	if (client_left(c)) {
		c->flow->note = "client-left";
		return conn_goto(c, STEP_CLOSE);
	}
	if (relay_up(c) == NEXT)
		return NEXT;
	if (relay_down(c) == NEXT)
		return NEXT;
	if (c->step != STEP_RELAY)
		return WAIT; /* a worker judges the answer */
	chan_flush(&c->up->ch);
	chan_flush(&c->ch);
	return WAIT;
}
