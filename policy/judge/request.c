/* SPDX-License-Identifier: Apache-2.0 */
/* The request stage: read, identify, extract, resolve, decide. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <portreeve/clock.h>

#include "local.h"
#include "view.h"

#define LAST_MOMENT (100 * PR_MS)

/* One judgement under way. */
struct work {
	struct pr_judge *j;
	struct pr_arena *a;
	const struct pr_judge_call *call;
	bool may_wait;
	struct pr_judgement *out;
	struct pr_request rq;
	struct pr_judgement_held *held;
	struct pr_lookup lookup;
	struct pr_facts facts;
	struct pr_object_ref **objects; /* held until the judgement ends */
	size_t n_objects, cap_objects;
	struct pr_spec *spec;
	struct pr_who who;
	struct pr_question q;
	struct pr_decision d;
	bool narrow;    /* asked about the caller's own objects alone */
	uint64_t since; /* time of names, before the last look-up */
	struct usage_view usage;
	bool counts; /* quotas may be asked */
	uint64_t reserved;
	enum {
		AS_IT_IS = 0,
		ANEW,
		LATER
	} again; /* names change meanwhile */
};

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

static void
set_who(struct work *w)
{
	w->who.teams = w->held->teams->v;
	w->who.n_teams = w->held->teams->n;
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

/* The host's phases, as far as the listener takes them. */
static pr_phase_mask
served(const struct work *w)
{
	const struct pr_policy *p = w->held->snapshot->policy;
	pr_phase_mask mask = 0;

	if (w->call->n_phases == 0)
		return w->held->snapshot->served;
	for (size_t i = 0; i < w->call->n_phases; i++) {
		int phase = pr_policy_phase(p, w->call->phases[i]);

		if (phase >= 0)
			mask |= (pr_phase_mask)1 << phase;
	}
	return w->held->snapshot->served & mask;
}

/* Here, or at one whose word the grant takes (semantics 11.8). */
static bool
ran(void *arg, const struct pr_grant *g, struct pr_str digest, uint64_t *ns)
{
	const struct work *w = arg;
	const struct snapshot *s = w->held->snapshot;
	struct pr_str phase = s->policy->phases[g->promoted_phase].name;
	bool found = runs_watch_longest(w->j->runs, phase, digest, ns);

	for (size_t i = 0; i < g->promoted_via.n; i++) {
		uint64_t other;

		if (!pr_promotions_find(s->promotions, g->promoted_via.v[i],
			phase, digest, &other))
			continue;
		found = true;
		if (other > *ns)
			*ns = other;
	}
	return found;
}

static void
ask(struct work *w)
{
	struct pr_daemon_facts daemon = {0};
	const struct pr_str *team;
	bool repeated = false;

	w->q = (struct pr_question){
	    .policy = w->held->snapshot->policy,
	    .request = &w->rq,
	    .who = &w->who,
	    .door = w->j->door,
	    .served = served(w),
	    .host = w->held->snapshot->served,
	    .now = pr_clock_wall(),
	    .refs = w->facts.refs,
	    .n_refs = w->facts.n_refs,
	    .spec = w->spec,
	    .stored = w->facts.stored,
	    .stored_known = w->facts.stored_known,
	    .used = w->counts ? usage_used : NULL,
	    .used_arg = &w->usage,
	    .ran = ran,
	    .ran_arg = w,
	};
	team = pr_header_get(w->call->call.headers, w->call->call.n_headers,
	    "X-Portreeve-Team", &repeated);
	if (team != NULL && !repeated)
		w->q.wanted_team = *team;
	if (w->spec != NULL || w->facts.stored != NULL) {
		if (pr_inventory_daemon(w->j->inventory, w->a, &daemon)) {
			w->q.env.default_runtime = daemon.default_runtime;
			w->q.env.default_log_driver = daemon.default_log_driver;
			w->q.env.default_cgroupns =
			    pr_str_is(daemon.cgroup_version, "1")
			    ? PR_STR("host")
			    : PR_STR("private");
		}
	}
	w->q.narrow = w->narrow;
	pr_decide(w->a, &w->q, &w->d);
	/* everybody's objects are out of reach: the caller's own may not be */
	if ((w->j->door == PR_DOOR_PROXY || w->call->forwarded) && !w->narrow &&
	    w->d.verdict != PR_ALLOW && w->d.reason == PR_REASON_OWNER &&
	    pr_decide_narrows(w->rq.op->op)) {
		w->narrow = w->q.narrow = true;
		pr_decide(w->a, &w->q, &w->d);
	}
}

/*
 * A denial that one more team would turn into an allow is worth one more
 * look into the directory (DESIGN 8); its failure leaves the denial.
 */
static bool
worth_another_look(const struct work *w)
{
	const struct pr_membership *m = w->held->teams->membership;

	switch (w->d.reason) {
	case PR_REASON_NO_GRANT:
	case PR_REASON_ROLE:
	case PR_REASON_PHASE:
	case PR_REASON_OWNER:
		break;
	default:
		return false;
	}
	return w->d.verdict != PR_ALLOW && m != NULL &&
	    pr_clock_now() - m->fetched_at >=
	    w->j->config->directory.cache.negative_ttl;
}

static bool
more_teams(struct work *w)
{
	enum pr_reason reason;
	char text[8];
	struct teams *again =
	    judge_teams(w->j, w->held->snapshot, w->held->subject, true, true,
		w->call->deadline, &reason, text, sizeof text);

	if (again == NULL)
		return false;
	teams_unref(w->held->teams);
	w->held->teams = again;
	set_who(w);
	return true;
}

/* A wait for a name leaves time to say that it was in vain. */
static uint64_t
wait_until(const struct pr_judge_call *call)
{
	uint64_t margin = (call->deadline - call->received) / 8;

	return call->deadline > call->received ? call->deadline - margin
					       : call->deadline;
}

/* ---- what an allow holds ---- */

static void
remember_volumes(const struct work *w, struct pending_entry *e)
{
	struct pr_buf b = PR_BUF_INIT;

	for (size_t i = 0; w->spec != NULL && i < w->spec->n_refs; i++) {
		const struct pr_ref *r = &w->spec->refs[i];

		if (r->role != PR_REF_VOLUME || r->object == NULL ||
		    r->object->presence != PR_ABSENT)
			continue;
		pr_buf_str(&b, r->name);
		pr_buf_char(&b, '\0');
	}
	e->volumes = b.p;
	e->n_volumes = b.n;
}

static bool
names_volume(const struct pr_spec *spec)
{
	/* what cannot be read may name one */
	if (spec == NULL || spec->body != PR_SPEC_VOLUME)
		return true;
	for (size_t i = 0; i < spec->n_refs; i++) {
		if (spec->refs[i].role == PR_REF_VOLUME)
			return true;
	}
	return false;
}

static void
copy_name(char to[PR_LEDGER_NAME + 1], struct pr_str s)
{
	size_t n = s.n <= PR_LEDGER_NAME ? s.n : 0;

	if (n > 0)
		memcpy(to, s.p, n);
	to[n] = '\0';
}

/* What the request changes once it is let through. */
static enum pr_kind
changes(const struct pr_request *rq)
{
	if (rq->op->risk == PR_RISK_READ)
		return PR_KIND_NONE;
	switch (rq->op->op) {
	case PR_OP_CONTAINER_EXEC:
	case PR_OP_CONTAINER_EXEC_START:
	case PR_OP_CONTAINER_EXEC_RESIZE:
	case PR_OP_CONTAINER_RESIZE:
	case PR_OP_CONTAINER_ATTACH:
	case PR_OP_CONTAINER_ATTACH_WS:
	case PR_OP_CONTAINER_WAIT:
		return PR_KIND_NONE; /* neither names nor specs */
	case PR_OP_CONTAINER_COMMIT:
		return PR_KIND_IMAGE;
	default:
		break;
	}
	switch (rq->op->resource) {
	case PR_RES_CONTAINER:
		return PR_KIND_CONTAINER;
	case PR_RES_IMAGE:
	case PR_RES_BUILD:
		return PR_KIND_IMAGE;
	case PR_RES_NETWORK:
		return PR_KIND_NETWORK;
	case PR_RES_VOLUME:
		return PR_KIND_VOLUME;
	case PR_RES_SERVICE:
		return PR_KIND_SERVICE;
	case PR_RES_SECRET:
		return PR_KIND_SECRET;
	case PR_RES_CONFIG:
		return PR_KIND_CONFIG;
	default:
		return PR_KIND_NONE;
	}
}

/* And what besides: volumes come and go with containers. */
static enum pr_kind
changes_too(const struct pr_request *rq, const struct pending_entry *e)
{
	switch (rq->op->op) {
	case PR_OP_CONTAINER_CREATE:
		return e->n_volumes > 0 ? PR_KIND_VOLUME : PR_KIND_NONE;
	case PR_OP_CONTAINER_REMOVE:
	case PR_OP_CONTAINER_PRUNE:
		return PR_KIND_VOLUME;
	case PR_OP_NETWORK_CONNECT:
	case PR_OP_NETWORK_DISCONNECT:
	case PR_OP_NETWORK_REMOVE:
		return PR_KIND_CONTAINER;
	default:
		return PR_KIND_NONE;
	}
}

static void
begin_changes(
    struct pr_judge *j, const enum pr_kind kinds[2], struct pending_entry *e)
{
	for (size_t i = 0; i < 2; i++) {
		if (kinds[i] != PR_KIND_NONE)
			e->token[i] = e->owned ? pr_inventory_naming_begin(
						     j->inventory, kinds[i], 0)
					       : pr_inventory_mutating_begin(
						     j->inventory, kinds[i], 0);
	}
}

void
end_changes(struct pr_judge *j, const struct pending_entry *e)
{
	for (size_t i = 0; i < PR_COUNT(e->token); i++) {
		if (e->token[i] != 0)
			pr_inventory_mutating_end(j->inventory, e->token[i]);
	}
}

static bool
target_absent(const struct work *w)
{
	return w->facts.n_refs > 0 && w->facts.refs[0].role == PR_REF_TARGET &&
	    w->facts.refs[0].object != NULL &&
	    w->facts.refs[0].object->presence == PR_ABSENT;
}

static void
let_go(struct work *w)
{
	usage_release(w->j->usage, w->reserved);
	w->reserved = 0;
}

/*
 * Sees only what is not there: names need not hold still for it, because an
 * answer that shows something after all is withheld.
 */
static bool
is_vain_look(const struct work *w)
{
	return w->rq.op->risk == PR_RISK_READ &&
	    w->rq.op->stream == PR_STREAM_NONE && target_absent(w);
}

/*
 * Updates of one container are judged one after the other: what each leaves
 * is what the next one begins with (semantics 10.6).  The turn is a name that
 * nothing can have, given by each of them.
 */
static const struct pr_ref *
with_turn(const struct work *w, size_t *n_refs)
{
	const struct pr_object *o = NULL;
	struct pr_ref *refs;

	if (w->rq.op->op != PR_OP_CONTAINER_UPDATE || *n_refs == 0)
		return w->facts.refs;
	o = w->facts.refs[0].object;
	if (o == NULL || o->presence != PR_PRESENT)
		return w->facts.refs;
	refs = pr_arena_array(w->a, *n_refs + 1, sizeof *refs);
	memcpy(refs, w->facts.refs, *n_refs * sizeof *refs);
	refs[(*n_refs)++] = (struct pr_ref){.kind = PR_KIND_CONTAINER,
	    .role = PR_REF_NEW_NAME,
	    .name = pr_str_of(
		pr_arena_printf(w->a, "update %.*s", PR_STRF(o->id)))};
	return refs;
}

/* As pending_add; n_refs of the references keep their names. */
static int
hold(struct work *w, size_t n_refs)
{
	const struct pr_policy *p = w->q.policy;
	struct pending_entry e = {.since = pr_clock_now(),
	    .op = w->rq.op->op,
	    .absent = target_absent(w)};
	const struct pr_ref *refs;
	enum pr_kind kinds[2];
	int rc;

	e.reserved = w->reserved;
	memcpy(e.id, w->out->id, sizeof e.id);
	pending_key(w->call, &e.key);
	if (w->rq.op->creates != PR_KIND_NONE &&
	    w->rq.op->scope == PR_SCOPE_OWNED) {
		e.owned = true;
		if (w->d.owner_team >= 0)
			copy_name(e.team, p->teams[w->d.owner_team].name);
		if (w->d.owner_phase >= 0)
			copy_name(e.phase, p->phases[w->d.owner_phase].name);
		remember_volumes(w, &e);
		e.unnamed = w->rq.op->creates == PR_KIND_VOLUME &&
		    !names_volume(w->spec);
	}
	kinds[0] = changes(&w->rq);
	kinds[1] = changes_too(&w->rq, &e);
	begin_changes(w->j, kinds, &e);
	refs = with_turn(w, &n_refs);
	rc = pending_add(w->j->pending, &e, refs, n_refs, w->since, w->may_wait,
	    wait_until(w->call), &w->out->turn, &w->held->pending);
	if (rc == 0)
		w->held->holds = true;
	else
		end_changes(w->j, &e);
	if (rc != 0) {
		pending_entry_fini(&e);
		let_go(w);
	}
	return rc;
}

/*
 * Some other request is giving, or has just given, a name of this one to
 * something: what this one would be denied for may not be so any more.
 */
static int
unsettled(struct work *w)
{
	switch (w->d.reason) {
	case PR_REASON_OWNER:
	case PR_REASON_PHASE:
	case PR_REASON_PHASE_MISMATCH:
	case PR_REASON_NO_SUCH_OBJECT:
	case PR_REASON_CANNOT_TELL:
		return pending_unsettled(w->j->pending, w->facts.refs,
		    w->facts.n_refs, w->since, w->may_wait, w->call->deadline);
	default:
		return 0;
	}
}

/* The last moment for an answer of our own. */
static bool
time_is_up(const struct work *w)
{
	return pr_clock_now() + LAST_MOMENT >= w->call->deadline;
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
	f->absent = target_absent(w);
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
	rc = w->d.verdict == PR_ALLOW ? hold(w, w->facts.n_refs) : unsettled(w);
	if (rc > 0 || (rc < 0 && !time_is_up(w))) {
		w->again = rc > 0 ? ANEW : LATER;
		return w->may_wait ? PR_JUDGE_LATER : PR_JUDGE_WOULD_WAIT;
	}
	if (rc < 0 && w->d.verdict == PR_ALLOW && is_vain_look(w))
		rc = hold(w, 0);
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

/* ---- quotas ---- */

static void
count_for(struct work *w)
{
	const struct pr_policy *p = w->held->snapshot->policy;

	w->counts = p->n_quotas > 0 &&
	    (w->rq.op->op == PR_OP_CONTAINER_CREATE ||
		w->rq.op->op == PR_OP_CONTAINER_UPDATE);
	if (!w->counts)
		return;
	w->usage.usage = w->j->usage;
	w->usage.inventory = w->j->inventory;
	w->usage.ledger = w->j->ledger;
	w->usage.policy = p;
	w->usage.served = w->held->snapshot->served;
	for (size_t i = 0; i < p->n_quotas && !w->usage.amounts; i++)
		w->usage.amounts = pr_quota_wants_amounts(&p->quotas[i]);
}

/* Sums move while others make things: asks until they stood still. */
static enum pr_judge_answer
ask_counted(struct work *w)
{
	enum usage_state state = USAGE_SURE;

	do {
		w->usage.unsettled = false;
		if (w->counts)
			state = usage_prepare(
			    &w->usage, w->may_wait, wait_until(w->call));
		if (state == USAGE_WOULD_WAIT)
			return PR_JUDGE_WOULD_WAIT;
		ask(w);
	} while (w->usage.unsettled && state == USAGE_SURE);
	return PR_JUDGED;
}

/*
 * Before a quota is said to be used up, the daemon is asked once what is
 * there: a container may have gone a moment ago.
 */
static enum pr_judge_answer
recount(struct work *w)
{
	if (w->d.verdict == PR_ALLOW || w->d.reason != PR_REASON_QUOTA ||
	    w->usage.counted)
		return PR_JUDGED;
	if (!w->may_wait)
		return PR_JUDGE_WOULD_WAIT;
	if (usage_recount(&w->usage, wait_until(w->call)) == USAGE_SURE)
		return ask_counted(w);
	return PR_JUDGED;
}

/* ---- the decision ---- */

/* Decides with all that is known, and then with what only matters now. */
static enum pr_judge_answer
decide_once(struct work *w)
{
	if (ask_counted(w) == PR_JUDGE_WOULD_WAIT)
		return PR_JUDGE_WOULD_WAIT;
	if ((w->d.verdict != PR_ALLOW || w->d.would_deny) &&
	    pr_resolve_lazy(&w->facts, w->spec)) {
		if (w->facts.would_wait ||
		    ask_counted(w) == PR_JUDGE_WOULD_WAIT)
			return PR_JUDGE_WOULD_WAIT;
	}
	if (worth_another_look(w)) {
		if (!w->may_wait)
			return PR_JUDGE_WOULD_WAIT;
		if (more_teams(w))
			return ask_counted(w);
	}
	return PR_JUDGED;
}

/* An allow takes from the quotas what it was allowed by, or is none. */
static enum pr_judge_answer
decide(struct work *w)
{
	count_for(w);
	for (;;) {
		enum usage_taken taken;

		if (decide_once(w) == PR_JUDGE_WOULD_WAIT ||
		    recount(w) == PR_JUDGE_WOULD_WAIT)
			return PR_JUDGE_WOULD_WAIT;
		if (w->d.verdict != PR_ALLOW || !w->counts)
			return PR_JUDGED;
		taken = usage_reserve(&w->usage, &w->d.reserve, &w->reserved);
		if (taken == USAGE_TAKEN)
			return PR_JUDGED;
		if (!w->may_wait)
			return PR_JUDGE_WOULD_WAIT;
		if (pr_clock_now() >= w->call->deadline)
			return PR_JUDGED; /* nothing is reserved, see finish */
	}
}

static void
facts_init(struct work *w)
{
	w->facts = (struct pr_facts){.arena = w->a,
	    .lookup = &w->lookup,
	    .plugin = w->j->door == PR_DOOR_PLUGIN};
}

/* A service runs wherever its swarm has a node. */
static bool
swarm_is_one_node(struct work *w)
{
	struct pr_daemon_facts daemon = {0};

	return w->spec != NULL &&
	    (w->spec->body == PR_SPEC_SERVICE || w->spec->rolls_back) &&
	    pr_inventory_daemon(w->j->inventory, w->a, &daemon) &&
	    daemon.swarm_nodes == 1;
}

/* Looks up, decides and holds; w->again: on facts that are none any more. */
static enum pr_judge_answer
judge_once(struct work *w)
{
	w->again = AS_IT_IS;
	w->since = pending_clock(w->j->pending);
	w->facts.one_node = swarm_is_one_node(w);
	pr_resolve(&w->facts, &w->rq, w->spec);
	if (w->facts.would_wait || decide(w) == PR_JUDGE_WOULD_WAIT)
		return PR_JUDGE_WOULD_WAIT;
	if (pr_clock_now() >= w->call->deadline) {
		let_go(w);
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
	if (!find_teams(w, &answer))
		return answer;
	set_who(w);
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
	return pr_object_of(r);
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
