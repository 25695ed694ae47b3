/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The question, its facts that change by themselves (quotas, running times,
 * teams), and the decision.
 */
#include <stdio.h>
#include <string.h>

#include <portreeve/clock.h>

#include "work.h"

void
work_set_who(struct work *w)
{
	w->who.teams = w->held->teams->v;
	w->who.n_teams = w->held->teams->n;
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

/* After a start it takes a moment until it is known what runs already. */
static bool
must_look(const struct work *w)
{
	switch (w->rq.op->op) {
	case PR_OP_CONTAINER_CREATE:
	case PR_OP_CONTAINER_START:
	case PR_OP_CONTAINER_RESTART:
	case PR_OP_CONTAINER_UNPAUSE:
		return w->held->snapshot->promotes &&
		    !runs_watch_looked(
			w->j->runs, w->may_wait ? work_wait_until(w->call) : 0);
	default:
		return false;
	}
}

/*
 * Root's own file on the host lifts the built-in guards (DESIGN 9); what is
 * denied then too stays denied for its first reason.
 */
static void
lift_guards(struct work *w)
{
	struct pr_decision d;

	if (!pr_decide_lifted(w->a, &w->q, &w->d, &d) ||
	    !break_glass(w->j->config->break_glass, w->q.now))
		return;
	w->q.env.break_glass = true;
	w->d = d;
}

/* What the daemon fills in (semantics 5.6). */
static void
set_defaults(struct work *w)
{
	struct pr_judge_env *env = &w->q.env;

	if (w->spec == NULL && w->facts.stored == NULL)
		return;
	env->daemon_unknown = !work_knows_daemon(w);
	if (env->daemon_unknown)
		return;
	env->default_runtime = w->daemon.default_runtime;
	env->default_log_driver = w->daemon.default_log_driver;
	env->default_cgroupns = pr_str_is(w->daemon.cgroup_version, "1")
	    ? PR_STR("host")
	    : PR_STR("private");
}

static void
ask(struct work *w)
{
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
	set_defaults(w);
	w->q.narrow = w->narrow;
	pr_decide(w->a, &w->q, &w->d);
	/* everybody's objects are out of reach: the caller's own may not be */
	if ((w->j->door == PR_DOOR_PROXY || w->call->forwarded) && !w->narrow &&
	    w->d.verdict != PR_ALLOW && w->d.reason == PR_REASON_OWNER &&
	    pr_decide_narrows(w->rq.op->op)) {
		w->narrow = w->q.narrow = true;
		pr_decide(w->a, &w->q, &w->d);
	}
	lift_guards(w);
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
	work_set_who(w);
	return true;
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
			    &w->usage, w->may_wait, work_wait_until(w->call));
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
	if (usage_recount(&w->usage, work_wait_until(w->call)) == USAGE_SURE)
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
	if (w->q.env.daemon_unknown && w->d.verdict != PR_ALLOW &&
	    w->d.reason == PR_REASON_CANNOT_TELL) {
		if (work_await(w, work_knows_daemon) == PR_JUDGE_WOULD_WAIT)
			return PR_JUDGE_WOULD_WAIT;
		if (w->daemon_known && ask_counted(w) == PR_JUDGE_WOULD_WAIT)
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
enum pr_judge_answer
work_decide(struct work *w)
{
	if (must_look(w) && !w->may_wait)
		return PR_JUDGE_WOULD_WAIT;
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
