/* SPDX-License-Identifier: Apache-2.0 */
#include "flow.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <portreeve/caps.h>
#include <portreeve/clock.h>

#include "conn.h"
#include "jobs.h"

#define ARENA_FIRST 8192
#define SPARE_MOST  64
#define BUF_KEEP    ((size_t)65536)

/* ---- flows are used again ---- */

static void
forget_buf(struct pr_buf *b)
{
	if (b->cap > BUF_KEEP)
		pr_buf_fini(b);
	else
		pr_buf_reset(b);
}

struct flow *
flow_new(struct loop *l, struct conn *c, struct peer *peer)
{
	static _Atomic uint64_t serial;
	struct flow *f = l->spare;

	if (f != NULL) {
		l->spare = f->next;
		l->n_spare--;
	} else {
		f = pr_xcalloc(1, sizeof *f);
		f->keep = pr_arena_new(ARENA_FIRST);
		f->work = pr_arena_new(ARENA_FIRST);
		f->work2 = pr_arena_new(1024);
	}
	f->next = NULL;
	f->loop = l;
	f->conn = c;
	f->peer = peer;
	peer->refs++;
	f->began = l->now;
	f->serial = ++serial;
	snprintf(
	    f->ticket, sizeof f->ticket, "%llu", (unsigned long long)f->serial);
	l->flows++;
	return f;
}

static void
really_free(struct flow *f)
{
	pr_arena_free(f->keep);
	pr_arena_free(f->work);
	pr_arena_free(f->work2);
	pr_buf_fini(&f->body);
	pr_buf_fini(&f->json);
	pr_buf_fini(&f->answer);
	pr_buf_fini(&f->view);
	pr_buf_fini(&f->answer_head);
	free(f);
}

static void
release(struct flow *f)
{
	struct loop *l = f->loop;
	struct flow clean = {.keep = f->keep,
	    .work = f->work,
	    .work2 = f->work2,
	    .body = f->body,
	    .json = f->json,
	    .answer = f->answer,
	    .view = f->view,
	    .answer_head = f->answer_head};

	pr_judgement_end(&f->out);
	pr_judgement_end(&f->after);
	peer_unref(f->peer);
	l->proxy->held -= f->body.n + f->answer.n;
	l->flows--;
	if (l->n_spare >= SPARE_MOST) {
		really_free(f);
		return;
	}
	forget_buf(&clean.body);
	forget_buf(&clean.json);
	forget_buf(&clean.answer);
	forget_buf(&clean.view);
	forget_buf(&clean.answer_head);
	pr_arena_reset(clean.keep, ARENA_FIRST);
	pr_arena_reset(clean.work, ARENA_FIRST);
	pr_arena_reset(clean.work2, ARENA_FIRST);
	*f = clean;
	f->next = l->spare;
	l->spare = f;
	l->n_spare++;
}

void
flow_free_spare(struct loop *l)
{
	while (l->spare != NULL) {
		struct flow *f = l->spare;

		l->spare = f->next;
		really_free(f);
	}
}

void
peer_unref(struct peer *p)
{
	if (p == NULL || --p->refs > 0)
		return;
	tls_cert_unref(p->cert);
	free(p);
}

/* ---- the log ---- */

static void
stamp(const struct flow *f, struct pr_record *r)
{
	r->latency_us = (pr_clock_now() - f->call.received) / 1000;
}

static void
record_denial(struct flow *f, struct pr_judgement *out)
{
	enum pr_audit_answer ignored;

	stamp(f, &out->record);
	f->loop->proxy->count.denied++;
	ignored =
	    pr_audit_append(f->loop->proxy->audit, &out->record, NULL, NULL);
	(void)ignored; /* always DONE for a denial */
}

void
flow_refuse(struct flow *f, enum pr_reason reason, const char *text)
{
	pr_judgement_end(&f->out);
	f->out = (struct pr_judgement){0};
	pr_arena_reset(f->work, ARENA_FIRST);
	pr_judge_refuse(
	    f->loop->proxy->judge, f->work, &f->call, reason, text, &f->out);
	record_denial(f, &f->out);
	f->stage = FLOW_DENIED;
}

void
flow_withdraw(struct flow *f, enum pr_reason reason)
{
	pr_judge_withdraw(f->loop->proxy->judge, &f->out, reason);
	record_denial(f, &f->out);
	f->stage = FLOW_DENIED;
}

/* pr_audit_done: the committer's thread. */
static void
recorded(void *arg, bool ok)
{
	struct flow *f = arg;

	f->recorded = ok;
	loop_post(f->loop, f);
}

static void
conclude_record(struct flow *f)
{
	if (f->recorded)
		f->stage = FLOW_ALLOWED;
	else
		flow_withdraw(f, PR_REASON_AUDIT);
}

bool
flow_record(struct flow *f)
{
	struct proxy *p = f->loop->proxy;

	if (f->out.verdict != PR_ALLOW) {
		record_denial(f, &f->out);
		f->stage = FLOW_DENIED;
		return true;
	}
	stamp(f, &f->out.record);
	f->stage = FLOW_RECORDING;
	f->away = true;
	switch (pr_audit_append(p->audit, &f->out.record, recorded, f)) {
	case PR_AUDIT_WAIT:
		return false;
	case PR_AUDIT_DONE:
		f->recorded = true;
		break;
	case PR_AUDIT_ROUND:
		loop_join_round(f->loop, f);
		return false;
	case PR_AUDIT_FAILED:
	default:
		f->recorded = false;
		break;
	}
	f->away = false;
	conclude_record(f);
	return true;
}

/* ---- judging ---- */

bool
flow_judge(struct flow *f)
{
	struct proxy *p = f->loop->proxy;

	if (pr_judge_request(p->judge, f->work, &f->call, false, &f->out) ==
	    PR_JUDGED) {
		f->stage = FLOW_JUDGED;
		return true;
	}
	p->count.waited++;
	pr_judgement_end(&f->out);
	f->out = (struct pr_judgement){0};
	pr_arena_reset(f->work, ARENA_FIRST);
	f->stage = FLOW_JUDGING;
	f->away = true;
	if (jobs_push(p->jobs, f))
		return false;
	f->away = false;
	flow_refuse(f, PR_REASON_BUSY,
	    "too many requests wait for answers of the daemon");
	return true;
}

/* What its caller may see of it, then its outcome. */
static enum pr_judge_answer
respond(struct flow *f, bool may_wait)
{
	struct pr_judge *j = f->loop->proxy->judge;

	if (f->views && f->result.body_shown && !f->viewed) {
		if (pr_judge_view(j, f->work2, &f->call, &f->out,
			f->result.body, may_wait, &f->view,
			&f->withheld) != PR_JUDGED)
			return PR_JUDGE_WOULD_WAIT;
		f->viewed = true;
	}
	return pr_judge_response(j, f->work2, &f->call, &f->result, may_wait,
	    &f->after, &f->outcome);
}

static void
conclude_response(struct flow *f)
{
	struct pr_outcome *o = &f->outcome;

	o->status = f->status;
	o->has_bytes = true;
	o->bytes = f->bytes;
	/* what is out is out: a rule that is newer than it says nothing */
	if (f->note != NULL)
		o->note = pr_str_of(f->note);
	else if (f->delivered)
		o->note = (struct pr_str){NULL, 0};
	else if (f->after.verdict != PR_ALLOW || f->withheld != NULL)
		f->loop->proxy->count.withheld++;
	if (f->withheld != NULL && f->note == NULL)
		o->note = PR_STR("denied-by-response-rule");
	pr_audit_outcome(f->loop->proxy->audit, o);
	f->stage = FLOW_OVER;
}

bool
flow_respond(struct flow *f, bool shown)
{
	f->result.status = f->status;
	f->result.body_shown = shown;
	f->result.body =
	    shown ? pr_buf_view(&f->answer) : (struct pr_str){NULL, 0};
	f->call.deadline =
	    pr_clock_now() + f->loop->proxy->config.proxy.deadline;
	if (respond(f, false) == PR_JUDGED) {
		conclude_response(f);
		return true;
	}
	f->stage = FLOW_RESPONDING;
	f->away = true;
	if (jobs_push(f->loop->proxy->jobs, f))
		return false;
	f->away = false;
	/* nobody has time to ask the directory: the answer is withheld */
	f->call.deadline = 0;
	(void)!flow_work(f);
	conclude_response(f);
	return true;
}

bool
flow_work(struct flow *f)
{
	struct proxy *p = f->loop->proxy;

	if (f->stage == FLOW_RESPONDING) {
		(void)!respond(f, true);
		return true;
	}
	switch (pr_judge_request(p->judge, f->work, &f->call, true, &f->out)) {
	case PR_JUDGED:
		return true;
	case PR_JUDGE_LATER:
		pr_arena_reset(f->work, ARENA_FIRST);
		return false;
	case PR_JUDGE_WOULD_WAIT:
	default:
		pr_judgement_end(&f->out);
		f->out = (struct pr_judgement){0};
		return true; /* a denial without a word: never seen */
	}
}

void
flow_late(struct flow *f)
{
	PR_CLEANUP(pr_arena_freep) struct pr_arena *a = pr_arena_new(4096);
	struct pr_judgement out = {0};

	pr_judge_refuse(f->loop->proxy->judge, a, &f->call, PR_REASON_DEADLINE,
	    "no decision in time; try again", &out);
	record_denial(f, &out);
	pr_judgement_end(&out);
}

/* ---- after a reload ---- */

static struct pr_header *
copy_headers(struct pr_arena *a, const struct pr_call *call)
{
	struct pr_header *h = pr_arena_array(a, call->n_headers, sizeof *h);

	for (size_t i = 0; i < call->n_headers; i++) {
		h[i].name = pr_arena_str(a, call->headers[i].name);
		h[i].value = pr_arena_str(a, call->headers[i].value);
	}
	return h;
}

void
flow_review(const struct flow *f)
{
	struct loop *l = f->loop;
	struct flow *g;

	if (f->stage != FLOW_SENT)
		return;
	g = flow_new(l, NULL, f->peer);
	g->reviews = f->serial;
	g->call = f->call;
	g->call.call.method = pr_arena_str(g->keep, f->call.call.method);
	g->call.call.target = pr_arena_str(g->keep, f->call.call.target);
	g->call.call.headers = copy_headers(g->keep, &f->call.call);
	g->call.call.body = pr_arena_str(g->keep, f->call.call.body);
	g->call.ticket = pr_str_of(g->ticket);
	g->call.received = pr_clock_now();
	g->call.deadline = g->call.received + l->proxy->config.proxy.deadline;
	g->stage = FLOW_REVIEW;
	g->away = true;
	if (jobs_push(l->proxy->jobs, g))
		return;
	g->away = false;
	flow_back(g); /* it could not be judged: that is no allow */
}

static void
reviewed(struct flow *g)
{
	struct conn *c = g->loop->conns;

	if (g->out.verdict == PR_ALLOW) {
		pr_judge_withdraw(
		    g->loop->proxy->judge, &g->out, PR_REASON_NONE);
		return;
	}
	while (c != NULL && (c->flow == NULL || c->flow->serial != g->reviews))
		c = conn_next(c);
	if (c != NULL)
		conn_cut(c, g->out.message);
}

/* ---- the end ---- */

/* What is still owed, of a flow that nobody waits for.  True: it is away. */
static bool
settle(struct flow *f)
{
	switch (f->stage) {
	case FLOW_JUDGED:
		if (f->out.verdict == PR_ALLOW)
			flow_withdraw(f, PR_REASON_BAD_CALL);
		break;
	case FLOW_ALLOWED:
		flow_withdraw(f, PR_REASON_BAD_CALL);
		break;
	case FLOW_SENT:
		/* the effect may have happened: no outcome is known */
		return !flow_respond(f, false);
	default:
		break;
	}
	return false;
}

void
flow_drop(struct flow *f)
{
	f->conn = NULL;
	if (f->away || settle(f))
		return;
	release(f);
}

void
flow_back(struct flow *f)
{
	f->away = false;
	switch (f->stage) {
	case FLOW_JUDGING:
		f->stage = FLOW_JUDGED;
		break;
	case FLOW_RECORDING:
		conclude_record(f);
		break;
	case FLOW_RESPONDING:
		conclude_response(f);
		break;
	case FLOW_REVIEW:
		reviewed(f);
		break;
	default:
		break;
	}
	if (f->conn != NULL)
		conn_run(f->conn);
	else
		flow_drop(f);
}
