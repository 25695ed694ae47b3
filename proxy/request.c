/* SPDX-License-Identifier: Apache-2.0 */
/* From a request's first byte to the daemon: read, judge, record, send. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <portreeve/caps.h>
#include <portreeve/clock.h>
#include <portreeve/log.h>

#include "conn.h"
#include "message.h"

#define IGNORED_MOST ((size_t)65536) /* of a body that nobody reads */

static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";

/* Not HTTP as we take it: said once in our log, and to the client. */
static enum go
malformed(struct conn *c, const struct http_fault *why)
{
	char from[80];

	c->loop->proxy->count.malformed++;
	if (loop_may_say(c->loop))
		pr_log(PR_LOG_INFO, "%s: refused: %s", conn_from(c, from),
		    why->text);
	return conn_error(c, why->status, why->text, true);
}

/* ---- the head ---- */

static void
fill_caller(struct conn *c, struct pr_identity_call *caller)
{
	const struct peer *p = c->peer;

	if (p->has_uid) {
		caller->has_uid = true;
		caller->uid = p->uid;
		caller->local = pr_str_of(c->listener->config->name);
		caller->local_name = pr_str_of(p->name);
		return;
	}
	caller->verified = true;
	caller->chain = &p->certificate;
	caller->n_chain = 1;
}

static void
fill_call(struct conn *c, struct flow *f)
{
	struct pr_judge_call *j = &f->call;

	*j = (struct pr_judge_call){
	    .call = {.method = f->head.method,
		.target = f->head.target,
		.headers = f->head.headers,
		.n_headers = f->head.n_headers,
		.body_shown = true,
		.max_body = PR_CAP_PROXY_BODY},
	    .ticket = pr_str_of(f->ticket),
	    .phases = c->listener->config->phases,
	    .n_phases = c->listener->config->n_phases,
	};
	fill_caller(c, &j->caller);
}

static enum go
judge(struct conn *c)
{
	struct flow *f = c->flow;

	f->call.received = pr_clock_now();
	f->call.deadline =
	    f->call.received + c->loop->proxy->config.proxy.deadline;
	f->stage = FLOW_READING;
	conn_goto(c, STEP_JUDGE);
	if (!flow_judge(f))
		return WAIT;
	return NEXT;
}

/* What the operation does with a body: read for the judge, or let by. */
static enum go
classify(struct conn *c)
{
	struct flow *f = c->flow;
	struct pr_call head = f->call.call;
	struct pr_request rq;
	struct pr_refusal why;

	http_body_begin(&f->reader, &f->head);
	if (f->head.framing == HTTP_FRAME_NONE)
		return judge(c);
	head.body_shown = false;
	(void)!pr_request_read(f->work, &head, &rq, &why);
	f->op = rq.op;
	pr_arena_reset(f->work, CHAN_SMALL);
	if (f->op->body == PR_BODY_KIND_OPAQUE || f->op->op == PR_OP_UNKNOWN) {
		f->streams = true;
		f->call.call.body_shown = false;
		return judge(c);
	}
	if (f->head.expects)
		chan_send(&c->ch, go_on, sizeof go_on - 1);
	return conn_goto(c, STEP_BODY);
}

static enum go
limited(struct conn *c, const char *text)
{
	c->loop->proxy->count.limited++;
	return conn_error(c, 429, text, true);
}

static enum go
take_head(struct conn *c, size_t size)
{
	struct flow *f = flow_new(c->loop, c, c->peer);
	char *p = pr_arena_copy(f->keep, c->ch.rx.p + c->ch.rx.begin, size);
	struct http_fault why;

	c->flow = f;
	c->scan = (struct http_scan){0, 0};
	iobuf_take(&c->ch.rx, size);
	if (http_read_request(p, size, &f->head, &why) < 0)
		return malformed(c, &why);
	c->loop->proxy->count.requests++;
	c->last = c->last || f->head.close;
	if (c->subject == NULL)
		return limited(c, "too many connections of yours");
	if (!subjects_may(c->loop->proxy->subjects, c->subject, c->loop->now))
		return limited(c, "too many requests of yours in a second");
	fill_call(c, f);
	return classify(c);
}

enum go
request_head(struct conn *c)
{
	struct iobuf *rx = &c->ch.rx;
	struct http_fault why;
	size_t size = 0;

	for (;;) {
		enum http_answer got = iobuf_len(rx) > 0
		    ? http_scan(&c->scan, rx->p + rx->begin, iobuf_len(rx),
			  &size, &why)
		    : HTTP_MORE;

		if (got == HTTP_BAD)
			return malformed(c, &why);
		if (got == HTTP_DONE)
			return take_head(c, size);
		if (c->ch.failed || c->ch.eof)
			return conn_goto(c, STEP_CLOSE);
		if (iobuf_len(rx) == 0)
			c->due = 0;
		if (!chan_fill(&c->ch, HTTP_HEAD_MAX))
			break;
		if (c->due == 0) /* the first byte: the clock runs */
			conn_goto(c, STEP_HEAD);
	}
	if (c->ch.failed || c->ch.eof)
		return conn_goto(c, STEP_CLOSE);
	if (c->due == 0)
		conn_goto(c, STEP_HEAD);
	return WAIT;
}

/* ---- a body that is judged ---- */

static size_t
most_of(const struct flow *f)
{
	return f->op->body == PR_BODY_KIND_NONE ? IGNORED_MOST
						: PR_CAP_PROXY_BODY;
}

static enum go
body_complete(struct conn *c)
{
	struct flow *f = c->flow;

	f->call.call.body = pr_buf_view(&f->body);
	return judge(c);
}

enum go
request_body(struct conn *c)
{
	struct flow *f = c->flow;
	struct iobuf *rx = &c->ch.rx;
	struct proxy *p = c->loop->proxy;
	struct http_fault why;

	chan_flush(&c->ch);
	for (;;) {
		struct pr_str data;
		size_t used;
		enum http_answer got = http_body_read(&f->reader,
		    rx->p + rx->begin, iobuf_len(rx), &used, &data, &why);

		if (got == HTTP_BAD)
			return malformed(c, &why);
		if (f->body.n + data.n > most_of(f))
			return conn_error(c, 413,
			    "the body is longer than what is judged here",
			    true);
		if (p->held + data.n > PROXY_HELD_MOST)
			return conn_error(c, 503,
			    "too many large bodies are being judged", true);
		p->held += data.n;
		pr_buf_add(&f->body, data.p, data.n);
		iobuf_take(rx, used);
		if (got == HTTP_DONE)
			return body_complete(c);
		if (iobuf_len(rx) > 0)
			continue;
		if (c->ch.failed || c->ch.eof)
			return conn_goto(c, STEP_CLOSE);
		if (!chan_fill(&c->ch, CHAN_LARGE))
			return c->ch.failed || c->ch.eof
			    ? conn_goto(c, STEP_CLOSE)
			    : WAIT;
	}
}

/* ---- judged ---- */

/* An upgrade is asked for where the daemon knows one, and only there. */
static bool
upgrade_fits(const struct flow *f)
{
	const struct pr_op_info *op = f->out.forward.op;

	switch (f->head.upgrade) {
	case HTTP_UPGRADE_NONE:
		return true;
	case HTTP_UPGRADE_TCP:
		return op->stream == PR_STREAM_HIJACK;
	case HTTP_UPGRADE_WEBSOCKET:
		return op->op == PR_OP_CONTAINER_ATTACH_WS;
	case HTTP_UPGRADE_H2C:
		return op->stream == PR_STREAM_UPGRADE &&
		    op->op != PR_OP_CONTAINER_ATTACH_WS;
	default:
		return false;
	}
}

/* The body for the daemon; what was set in it stands in the record. */
static void
write_body(struct flow *f)
{
	const struct pr_judge_forward *fw = &f->out.forward;
	struct pr_record *r = &f->out.record;
	struct pr_record_fact *facts;
	unsigned set = 0;

	if (fw->json != NULL && fw->op->body != PR_BODY_KIND_NONE)
		pr_judge_body(&f->json, fw, pr_buf_view(&f->body), &set);
	set += fw->set;
	if (set == 0)
		return;
	facts = pr_arena_array(f->work, r->n_facts + 2, sizeof *facts);
	if (r->n_facts > 0)
		memcpy(facts, r->facts, r->n_facts * sizeof *facts);
	if (fw->team.n > 0)
		facts[r->n_facts++] = (struct pr_record_fact){
		    PR_STR("set:owner-label"), fw->team};
	if (fw->phase.n > 0)
		facts[r->n_facts++] = (struct pr_record_fact){
		    PR_STR("set:phase-label"), fw->phase};
	r->facts = facts;
}

enum go
request_judged(struct conn *c)
{
	struct flow *f = c->flow;

	if (f->away)
		return WAIT;
	if (f->stage == FLOW_JUDGED && f->out.verdict == PR_ALLOW) {
		if (!upgrade_fits(f)) {
			pr_judge_withdraw(c->loop->proxy->judge, &f->out,
			    PR_REASON_AMBIGUOUS);
			flow_refuse(f, PR_REASON_AMBIGUOUS,
			    "Upgrade asks for a protocol that this operation "
			    "does not have");
		} else {
			write_body(f);
		}
	}
	conn_goto(c, STEP_RECORD);
	if (f->stage == FLOW_JUDGED && !flow_record(f))
		return WAIT;
	return NEXT;
}

static enum go
deny(struct conn *c)
{
	struct flow *f = c->flow;
	char text[PR_CAP_MESSAGE + 64];

	snprintf(text, sizeof text, "authorization denied by portreeve: %s",
	    f->out.message);
	return conn_error(c, 403, text, !f->reader.done);
}

enum go
request_recorded(struct conn *c)
{
	struct flow *f = c->flow;

	if (f->away)
		return WAIT;
	if (f->stage != FLOW_ALLOWED)
		return deny(c);
	c->loop->proxy->count.allowed++;
	return conn_goto(c, STEP_CONNECT);
}

/* ---- sent ---- */

/* Allowed and recorded, and the daemon cannot be asked. */
static enum go
no_daemon(struct conn *c, int error)
{
	char text[160];

	c->loop->proxy->count.upstream_failed++;
	pr_log(PR_LOG_ERROR, "%s: %s", c->loop->proxy->config.daemon.socket,
	    strerror(error));
	c->flow->note = "daemon-unreachable";
	c->flow->status = 502;
	c->flow->stage = FLOW_SENT; /* its outcome is what we say */
	snprintf(text, sizeof text, "the daemon is not to be reached: %s",
	    strerror(error));
	return conn_error(c, 502, text, !c->flow->reader.done);
}

enum go
request_connect(struct conn *c)
{
	struct flow *f = c->flow;

	c->up = up_take(c->loop, c);
	if (c->up == NULL)
		return errno == EAGAIN ? WAIT : no_daemon(c, errno);
	f->stage = FLOW_SENT;
	message_request(&c->up->ch.tx, f);
	if (!f->streams)
		iobuf_add(&c->up->ch.tx, f->json.p, f->json.n);
	if (f->streams && f->head.expects)
		chan_send(&c->ch, go_on, sizeof go_on - 1);
	c->moved = c->loop->now;
	return conn_goto(c, STEP_RELAY);
}
