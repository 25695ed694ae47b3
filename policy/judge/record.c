/* SPDX-License-Identifier: Apache-2.0 */
/* The record of a decision, from what is known of it (DESIGN 11). */
#include <string.h>

#include <portreeve/clock.h>

#include "local.h"

static struct pr_str
kept(struct pr_arena *a, const char *s)
{
	return pr_arena_str(a, pr_str_of(s));
}

static void
fill_subject(struct pr_record *r, const struct pr_subject *s)
{
	if (s == NULL)
		return;
	r->subject.name = s->id.n > 0 ? s->id : PR_STR("unmapped");
	r->subject.how = pr_str_of(pr_subject_how_name(s->how));
	r->subject.fingerprint = s->fingerprint;
	r->subject.serial = s->serial;
	r->subject.has_uid = s->has_uid;
	r->subject.uid = s->uid;
}

static void
fill_teams(struct pr_arena *a, struct pr_record *r, const struct snapshot *s,
    const struct teams *t, uint64_t now)
{
	struct pr_record_team *teams;
	struct pr_str source = PR_STR("cert");
	int64_t age = -1;

	if (t == NULL || s == NULL)
		return;
	if (t->membership != NULL) {
		source = t->membership->source;
		age = (int64_t)((now - t->membership->fetched_at) / PR_MS);
	}
	teams = pr_arena_array(a, t->n, sizeof *teams);
	for (size_t i = 0; i < t->n; i++)
		teams[i] = (struct pr_record_team){
		    s->policy->teams[t->v[i]].name, source, age};
	r->teams = teams;
	r->n_teams = t->n;
}

static void
fill_resource(struct pr_record *r, const struct pr_request *rq,
    const struct pr_question *q)
{
	enum pr_kind kind =
	    rq->op->kind != PR_KIND_NONE ? rq->op->kind : rq->op->creates;
	const struct pr_object *o;

	if (kind != PR_KIND_NONE)
		r->resource.kind = pr_str_of(pr_kind_name(kind));
	r->resource.name = rq->name;
	if (rq->op->kind == PR_KIND_NONE && rq->op->creates != PR_KIND_NONE) {
		const struct pr_str *name = pr_query_get(rq, "name");

		if (name != NULL)
			r->resource.name = *name;
	}
	o = q != NULL && q->n_refs > 0 && q->refs[0].role == PR_REF_TARGET
	    ? q->refs[0].object
	    : NULL;
	if (o == NULL || o->presence != PR_PRESENT)
		return;
	r->resource.id = o->id;
	if (o->name.n > 0)
		r->resource.name = o->name;
	if (o->in_ledger)
		r->resource.owner = o->ledger_team;
	else if (o->labels != NULL && q->policy->label_team.n > 0) {
		const struct pr_json *v =
		    pr_json_get(o->labels, q->policy->label_team);

		if (v != NULL && v->type == PR_JSON_STRING)
			r->resource.owner = v->str;
	}
}

static void
fill_decision(struct pr_arena *a, struct pr_record *r,
    const struct pr_policy *p, const struct pr_decision *d)
{
	r->would_deny = d->would_deny;
	r->level = d->audit;
	if (d->team >= 0)
		r->team = p->teams[d->team].name;
	if (d->phase >= 0)
		r->phase = p->phases[d->phase].name;
	if (d->grant >= 0)
		r->grant = p->grants[d->grant].id;
	if (d->guard >= 0)
		r->guard = p->guards[d->guard].id;
	if (d->role >= 0)
		r->role = p->roles[d->role].name;
	if (d->profile >= 0 && d->key >= 0)
		r->profile_key = pr_str_of(pr_arena_printf(a, "%.*s.%s",
		    PR_STRF(p->profiles[d->profile].name),
		    pr_profile_key((enum pr_profile_key)d->key)->path));
	if (d->loc.line > 0 && d->loc.file != NULL) {
		r->file = pr_str_of(d->loc.file);
		r->line = d->loc.line;
	}
}

static void
fill_facts(struct pr_arena *a, struct pr_record *r, const struct pr_decision *d)
{
	struct pr_record_fact *fact;

	if (d->what[0] == '\0' || d->verdict == PR_ALLOW)
		return;
	fact = pr_arena_array(a, 1, sizeof *fact);
	fact->name = PR_STR("why");
	fact->value = kept(a, d->what);
	r->facts = fact;
	r->n_facts = 1;
}

void
record_fill(struct pr_judge *j, struct pr_arena *a,
    const struct pr_judge_call *call, const struct pr_request *rq,
    const struct pr_subject *subject, const struct teams *teams,
    const struct snapshot *s, const struct pr_question *q,
    const struct pr_decision *d, struct pr_judgement *out)
{
	struct pr_record *r = &out->record;
	uint64_t now = pr_clock_now();

	(void)j;
	r->time = pr_clock_wall();
	r->id = pr_str_of(out->id);
	r->correlation = r->id;
	r->stage = PR_STR("request");
	r->level = PR_AUDIT_LEVEL_METADATA;
	fill_subject(r, subject);
	fill_teams(a, r, s, teams, now);
	r->method = call->call.method;
	r->target = call->call.target;
	if (rq != NULL) {
		r->action = pr_str_of(rq->op->action);
		r->canonical = rq->canonical;
		fill_resource(r, rq, q);
	}
	r->verdict = d->verdict;
	r->break_glass = q != NULL && q->env.break_glass;
	r->reason = d->reason;
	if (s != NULL) {
		fill_decision(a, r, s->policy, d);
		r->policy = pr_str_of(s->policy->hash);
	}
	fill_facts(a, r, d);
	if (d->verdict != PR_ALLOW)
		r->message = pr_str_of(out->message);
	if (r->level == PR_AUDIT_LEVEL_REQUEST && call->call.body.n > 0) {
		uint8_t *digest = pr_arena_alloc(a, PR_SHA256_LEN);

		pr_sha256(call->call.body.p, call->call.body.n, digest);
		r->body_sha256 = digest;
	}
	r->latency_us =
	    now > call->received ? (now - call->received) / 1000 : 0;
}
