/* SPDX-License-Identifier: Apache-2.0 */
/* The request stage: read, identify, extract, resolve, decide. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <portreeve/clock.h>

#include "view.h"
#include "work.h"

static void
set_message(struct work *w)
{
	struct pr_question q = w->q;

	q.request = &w->rq;
	q.who = &w->who;
	q.policy = w->held->snapshot != NULL ? w->held->snapshot->policy : NULL;
	pr_decision_message(&q, &w->d, w->out->id, w->out->message);
}

/* Ends in a denial that policy was not asked about. */
static enum pr_judge_answer
deny(struct work *w, enum pr_reason reason, const char *text)
{
	w->d = (struct pr_decision){.verdict = PR_DENY,
	    .reason = reason,
	    .grant = -1,
	    .guard = -1,
	    .role = -1,
	    .team = -1,
	    .key = -1,
	    .profile = -1,
	    .phase = -1,
	    .owner_team = -1,
	    .owner_phase = -1,
	    .audit = PR_AUDIT_LEVEL_METADATA};
	snprintf(w->d.what, sizeof w->d.what, "%s", text);
	set_message(w);
	w->out->verdict = PR_DENY;
	record_fill(w->j, w->a, w->call, &w->rq, w->held->subject,
	    w->held->teams, w->held->snapshot, NULL, &w->d, w->out);
	return PR_JUDGED;
}

/* ---- who ---- */

/* Names the caller, for the log too; unmapped is denied a little later. */
static int
identify(struct work *w, struct pr_identity_why *why)
{
	int rc = pr_identity_find(
	    w->j->identities, &w->call->caller, &w->held->subject, why);
	const struct pr_subject *s = w->held->subject;

	w->who.name = s->name.n > 0 ? s->name : PR_STR("an unmapped caller");
	w->who.source = s->source;
	w->who.anonymous = s->how == PR_SUBJECT_ANONYMOUS;
	return rc < 0 || s->how == PR_SUBJECT_UNMAPPED ? -1 : 0;
}

enum pr_reason
anonymous_refused(const struct pr_who *who, enum pr_door door,
    size_t n_anonymous, bool accept_plain_tcp, enum pr_tri plain)
{
	if (!who->anonymous || door != PR_DOOR_PLUGIN || n_anonymous == 0 ||
	    accept_plain_tcp || plain == PR_NO)
		return PR_REASON_NONE;
	return plain == PR_YES ? PR_REASON_NO_GRANT : PR_REASON_CANNOT_TELL;
}

static enum pr_reason
refused(const struct work *w, enum pr_tri plain)
{
	return anonymous_refused(&w->who, w->j->door,
	    w->held->snapshot->n_anonymous,
	    w->j->config->plugin.accept_plain_tcp, plain);
}

/*
 * An anonymous caller of the unix socket looks like one of an unencrypted TCP
 * listener (semantics 1.2).  True: there is none, or it is accepted.
 */
static bool
may_be_anonymous(struct work *w, enum pr_judge_answer *answer)
{
	enum pr_reason reason = refused(w, PR_YES);

	if (reason == PR_REASON_NONE)
		return true;
	*answer = work_await(w, work_knows_listeners);
	if (*answer == PR_JUDGE_WOULD_WAIT)
		return false;
	reason = refused(w, w->plain_tcp);
	if (reason == PR_REASON_NO_GRANT)
		*answer = deny(w, reason,
		    "the daemon listens on TCP and asks for no certificate, so "
		    "a caller without one may be anybody "
		    "(plugin.accept_plain_tcp)");
	else if (reason != PR_REASON_NONE)
		*answer = deny(w, reason,
		    "the daemon was not seen, and may listen on TCP without "
		    "certificates");
	return reason == PR_REASON_NONE;
}

static bool
find_teams(struct work *w, enum pr_judge_answer *answer)
{
	enum pr_reason reason;
	char text[200] = "";

	w->held->teams = judge_teams(w->j, w->held->snapshot, w->held->subject,
	    w->may_wait, false, w->call->deadline, &reason, text, sizeof text);
	if (w->held->teams == NULL)
		*answer = reason == PR_REASON_NONE ? PR_JUDGE_WOULD_WAIT
						   : deny(w, reason, text);
	return w->held->teams != NULL;
}

/* ---- what ---- */

static bool
read_request(struct work *w, enum pr_judge_answer *answer)
{
	struct pr_refusal why = {0};
	struct pr_extract x = {w->a, w->j->door == PR_DOOR_PLUGIN};

	if (pr_request_read(w->a, &w->call->call, &w->rq, &why) < 0 ||
	    pr_spec_read(&x, &w->rq, &w->spec, &why) < 0) {
		*answer = deny(w, why.reason, why.text);
		return false;
	}
	return true;
}

/*
 * Sees only what is not there: names need not hold still for it, because an
 * answer that shows something after all is withheld.
 */
static bool
is_vain_look(const struct work *w)
{
	return w->rq.op->risk == PR_RISK_READ &&
	    w->rq.op->stream == PR_STREAM_NONE && work_target_absent(w);
}

/* Kinds that the daemon finds by id wherever it takes a name. */
static bool
goes_by_id(enum pr_kind kind)
{
	switch (kind) {
	case PR_KIND_CONTAINER:
	case PR_KIND_EXEC:
	case PR_KIND_NETWORK:
	case PR_KIND_SERVICE:
	case PR_KIND_TASK:
	case PR_KIND_SECRET:
	case PR_KIND_CONFIG:
		return true;
	default:
		return false;
	}
}

static bool
has_response_rule(const struct work *w)
{
	const struct pr_policy *p = w->q.policy;

	for (size_t i = 0; i < p->n_responses; i++) {
		if (view_rule_applies(w->held, &p->responses[i], w->rq.op->op))
			return true;
	}
	return false;
}

/* What the labels of a create are to say; indexes of the policy, or < 0. */
static void
set_labels(struct work *w, int team, int phase)
{
	const struct pr_policy *p = w->q.policy;
	struct pr_judge_forward *f = &w->out->forward;

	if (team >= 0 && p->label_team.n > 0) {
		f->team_label = p->label_team;
		f->team = p->teams[team].name;
	}
	if (phase >= 0 && p->label_phase.n > 0) {
		f->phase_label = p->label_phase;
		f->phase = p->phases[phase].name;
	}
}

/* What the proxy writes to the daemon. */
static void
fill_forward(struct work *w)
{
	struct pr_judge_forward *f = &w->out->forward;
	const struct pr_ref *r = &w->facts.refs[0];
	struct pr_str id = {NULL, 0};

	f->op = w->rq.op;
	f->json = w->rq.json;
	f->rules = has_response_rule(w);
	f->narrow = w->narrow;
	f->images =
	    (f->op->op == PR_OP_IMAGE_LIST || f->op->op == PR_OP_SYSTEM_DF) &&
	    !pr_decide_shows_image(w->a, &w->q, NULL);
	f->absent = work_target_absent(w);
	if (w->facts.n_refs > 0 && r->role == PR_REF_TARGET &&
	    r->object != NULL && r->object->presence == PR_PRESENT &&
	    !r->object->builtin && goes_by_id(r->kind))
		id = r->object->id;
	f->target = pr_request_target(w->a, &w->rq, id);
	if (w->rq.op->op == PR_OP_BUILD_RUN) {
		/* a build is of the host's phases: of its only one, or none */
		set_labels(w, w->d.team,
		    __builtin_popcountll(w->q.served) == 1
			? __builtin_ctzll(w->q.served)
			: -1);
		forward_build_labels(w->a, &w->rq, f);
	} else if (w->rq.op->creates != PR_KIND_NONE &&
	    w->rq.op->scope == PR_SCOPE_OWNED) {
		set_labels(w, w->d.owner_team, w->d.owner_phase);
	}
}

/* For the answer: the question outlives this call. */
static void
keep_question(struct work *w)
{
	struct pr_question *q = &w->held->question;

	*q = w->q;
	q->request = pr_arena_copy(w->a, &w->rq, sizeof w->rq);
	q->who = pr_arena_copy(w->a, &w->who, sizeof w->who);
	/* what was counted for this call is not for another */
	q->used = NULL;
	q->ran = NULL;
	q->used_arg = q->ran_arg = NULL;
}

/* The proxy's own part of an allow. */
static enum pr_judge_answer
prepare_forward(struct work *w, int *rc)
{
	char why[200];

	*rc = 1;
	if (w->j->door != PR_DOOR_PROXY || w->d.verdict != PR_ALLOW)
		return PR_JUDGED;
	fill_forward(w);
	keep_question(w);
	if (w->narrow)
		*rc =
		    narrow_request(w->j, w->a, &w->q, &w->rq, w->call->deadline,
			w->may_wait, &w->out->forward, why, sizeof why);
	if (*rc < 0)
		return deny(w, PR_REASON_OWNER, why);
	return *rc > 0 ? PR_JUDGED : PR_JUDGE_WOULD_WAIT;
}

static enum pr_judge_answer
finish(struct work *w)
{
	int rc;
	enum pr_judge_answer answer = prepare_forward(w, &rc);

	if (rc <= 0)
		return answer;
	rc = w->d.verdict == PR_ALLOW ? work_hold(w, w->facts.n_refs)
				      : work_unsettled(w);
	if (rc > 0 || (rc < 0 && !work_time_is_up(w))) {
		w->again = rc > 0 ? ANEW : LATER;
		return w->may_wait ? PR_JUDGE_LATER : PR_JUDGE_WOULD_WAIT;
	}
	if (rc < 0 && w->d.verdict == PR_ALLOW && is_vain_look(w))
		rc = work_hold(w, 0);
	if (rc < 0 && w->d.verdict == PR_ALLOW)
		return deny(w, PR_REASON_BUSY,
		    "another request is about to change what a name in this "
		    "one means; try again");
	if (w->d.verdict != PR_ALLOW)
		set_message(w);
	w->out->verdict = w->d.verdict;
	record_fill(w->j, w->a, w->call, &w->rq, w->held->subject,
	    w->held->teams, w->held->snapshot, &w->q, &w->d, w->out);
	return PR_JUDGED;
}

static void
facts_init(struct work *w)
{
	w->facts = (struct pr_facts){.arena = w->a,
	    .lookup = &w->lookup,
	    .plugin = w->j->door == PR_DOOR_PLUGIN};
}

/* A service runs wherever its swarm has a node; JUDGED or WOULD_WAIT. */
static enum pr_judge_answer
count_nodes(struct work *w)
{
	if (w->spec == NULL ||
	    (w->spec->body != PR_SPEC_SERVICE && !w->spec->rolls_back))
		return PR_JUDGED;
	if (work_await(w, work_knows_daemon) == PR_JUDGE_WOULD_WAIT)
		return PR_JUDGE_WOULD_WAIT;
	w->facts.one_node = w->daemon_known && w->daemon.swarm_nodes == 1;
	return PR_JUDGED;
}

/* Looks up, decides and holds; w->again: on facts that are none any more. */
static enum pr_judge_answer
judge_once(struct work *w)
{
	w->again = AS_IT_IS;
	w->since = pending_clock(w->j->pending);
	if (count_nodes(w) == PR_JUDGE_WOULD_WAIT)
		return PR_JUDGE_WOULD_WAIT;
	pr_resolve(&w->facts, &w->rq, w->spec);
	if (w->facts.would_wait || work_decide(w) == PR_JUDGE_WOULD_WAIT)
		return PR_JUDGE_WOULD_WAIT;
	if (pr_clock_now() >= w->call->deadline) {
		work_let_go(w);
		return deny(
		    w, PR_REASON_DEADLINE, "it could not be judged in time");
	}
	return finish(w);
}

static enum pr_judge_answer
judge(struct work *w)
{
	struct pr_identity_why why = {{0}};
	enum pr_judge_answer answer;
	int known = identify(w, &why);

	if (!read_request(w, &answer))
		return answer;
	if (known < 0)
		return deny(w, PR_REASON_UNMAPPED_IDENTITY, why.text);
	if (!may_be_anonymous(w, &answer) || !find_teams(w, &answer))
		return answer;
	work_set_who(w);
	answer = judge_once(w);
	while (w->again == ANEW && w->may_wait) {
		/* a spec takes its facts in: read it anew as well */
		facts_init(w);
		if (!read_request(w, &answer))
			return answer;
		answer = judge_once(w);
	}
	return answer;
}

/* ---- where facts come from ---- */

static const struct pr_object *
object_of(void *arg, enum pr_kind kind, struct pr_str name, bool lazy)
{
	struct work *w = arg;
	struct pr_object_ref *r =
	    pr_inventory_peek(w->j->inventory, kind, name);

	if (r == NULL && w->may_wait && !lazy)
		r = pr_inventory_get(
		    w->j->inventory, kind, name, w->call->deadline);
	if (r == NULL)
		return NULL;
	if (w->n_objects == w->cap_objects) {
		size_t cap = w->cap_objects > 0 ? w->cap_objects * 2 : 8;
		struct pr_object_ref **all =
		    pr_arena_array(w->a, cap, sizeof(struct pr_object_ref *));

		if (w->n_objects > 0)
			memcpy(all, w->objects,
			    w->n_objects * sizeof(struct pr_object_ref *));
		w->objects = all;
		w->cap_objects = cap;
	}
	w->objects[w->n_objects++] = r;
	return volume_of_containers(w->j, w->a, w->held->snapshot->policy,
	    pr_object_of(r), w->may_wait, w->call->deadline);
}

static const struct pr_path_fact *
path_of(void *arg, struct pr_str path, bool writes, struct pr_str except)
{
	struct work *w = arg;
	struct pr_path_fact *fact;

	if (!w->may_wait)
		return NULL;
	fact = pr_arena_alloc(w->a, sizeof *fact);
	pr_inventory_path(w->j->inventory, w->a, path, writes, except,
	    w->call->deadline, fact);
	return fact;
}

static void
begin(struct work *w)
{
	*w->out = (struct pr_judgement){.turn = w->out->turn};
	w->held = pr_arena_alloc(w->a, sizeof *w->held);
	w->held->judge = w->j;
	w->held->snapshot = judge_snapshot(w->j);
	w->out->held = w->held;
	pr_uuid7(pr_clock_wall(), w->out->id);
	w->lookup = (struct pr_lookup){w, object_of, path_of};
	facts_init(w);
	w->rq.op = pr_api_op(PR_OP_UNKNOWN);
}

enum pr_judge_answer
pr_judge_request(struct pr_judge *j, struct pr_arena *a,
    const struct pr_judge_call *call, bool may_wait, struct pr_judgement *out)
{
	struct work w = {
	    .j = j, .a = a, .call = call, .may_wait = may_wait, .out = out};
	enum pr_judge_answer answer;

	begin(&w);
	answer = judge(&w);
	w.held->objects = w.objects;
	w.held->n_objects = w.n_objects;
	if (answer != PR_JUDGED) {
		pr_judgement_end(out);
		*out = (struct pr_judgement){.turn = out->turn};
	} else if (out->turn != 0) {
		pending_release(j->pending, out->turn);
	}
	return answer;
}

void
pr_judge_refuse(struct pr_judge *j, struct pr_arena *a,
    const struct pr_judge_call *call, enum pr_reason reason, const char *text,
    struct pr_judgement *out)
{
	struct work w = {.j = j, .a = a, .call = call, .out = out};
	struct pr_call head = call->call;
	struct pr_identity_why why;
	struct pr_refusal ignored;

	begin(&w);
	/* for the log, as far as it can be known: who, and what */
	identify(&w, &why);
	head.body_shown = false;
	head.body = (struct pr_str){NULL, 0};
	if (pr_request_read(a, &head, &w.rq, &ignored) < 0)
		w.rq.json = NULL; /* op is set either way */
	deny(&w, reason, text);
}

void
pr_judge_withdraw(
    struct pr_judge *j, struct pr_judgement *out, enum pr_reason reason)
{
	struct pr_judgement_held *held = out->held;
	struct pending_entry e = {.since = 0};

	if (held != NULL && held->holds) {
		pending_drop(j->pending, held->pending, &e);
		usage_release(j->usage, e.reserved);
		end_changes(j, &e);
		pending_entry_fini(&e);
		held->holds = false;
	}
	out->verdict = PR_DENY;
	out->record.verdict = PR_DENY;
	out->record.would_deny = false;
	out->record.reason = reason;
	snprintf(out->message, sizeof out->message, "%s: %s decision %s",
	    pr_reason_code(reason),
	    reason == PR_REASON_AUDIT
		? "the decision could not be written to the log; nothing is "
		  "allowed that is not written;"
		: "the request could not be answered in time;",
	    out->id);
	out->record.message = pr_str_of(out->message);
}

void
pr_judgement_end(struct pr_judgement *out)
{
	struct pr_judgement_held *held = out->held;

	if (held == NULL)
		return;
	for (size_t i = 0; i < held->n_objects; i++)
		pr_object_unref(held->objects[i]);
	teams_unref(held->teams);
	pr_subject_unref(held->subject);
	snapshot_unref(held->snapshot);
	out->held = NULL; /* it lies in the arena */
}
