/* SPDX-License-Identifier: Apache-2.0 */
/* Sums and limits (docs/semantics.md 11); no I/O, no state. */
#include <stdio.h>
#include <string.h>

#include <portreeve/quota.h>

#include "eval.h"

/* One row for each limit: how it is called, and how much of it is written. */
static const struct {
	const char *name;
	const char *unset; /* what the body should have set, or NULL */
	int64_t unit;      /* of a fraction; 0: a plain number */
	const char *suffix;
} limits[PR_LIMITS] = {
    [PR_LIMIT_CONTAINERS] = {"containers", NULL, 0, ""},
    [PR_LIMIT_MEMORY] = {"memory", "HostConfig.Memory is not set",
	INT64_C(1) << 20, "MiB"},
    [PR_LIMIT_CPUS] = {"cpus", "neither NanoCpus nor CpuQuota is set",
	INT64_C(1000000000), ""},
    [PR_LIMIT_PORTS] = {"ports", "PublishAllPorts names no ports", 0, ""},
};

static int64_t
limit_of(const struct pr_quota *q, unsigned k)
{
	switch (k) {
	case PR_LIMIT_CONTAINERS:
		return q->containers;
	case PR_LIMIT_MEMORY:
		return q->memory;
	case PR_LIMIT_CPUS:
		return q->cpus;
	default:
		return q->ports;
	}
}

static int64_t
plus(int64_t a, int64_t b)
{
	int64_t sum;

	return __builtin_add_overflow(a, b, &sum) ? INT64_MAX : sum;
}

void
pr_used_add(struct pr_used *u, const struct pr_amounts *a, struct pr_str id)
{
	for (unsigned k = 0; k < PR_LIMITS; k++) {
		if (a->v[k] >= 0) {
			u->v[k] = plus(u->v[k], a->v[k]);
		} else if (!u->unbound[k]) {
			u->unbound[k] = true;
			snprintf(u->holder[k], PR_HOLDER_LEN, "%.*s",
			    PR_STRF(pr_str_sub(id, 0, PR_HOLDER_LEN - 1)));
		}
	}
}

/* "10", "3.5GiB" as MiB with what is behind the point, "1.25" */
static const char *
amount(unsigned k, int64_t v, char buf[32])
{
	int64_t unit = limits[k].unit;
	int n;

	if (unit == 0) {
		snprintf(buf, 32, "%lld", (long long)v);
		return buf;
	}
	n = snprintf(buf, 24, "%lld.%03lld", (long long)(v / unit),
	    (long long)(v % unit * 1000 / unit));
	while (n > 0 && buf[n - 1] == '0')
		n--;
	if (n > 0 && buf[n - 1] == '.')
		n--;
	snprintf(buf + n, 8, "%s", limits[k].suffix);
	return buf;
}

static void
say_full(unsigned k, int64_t limit, const struct pr_used *used, int64_t more,
    char *text, size_t len)
{
	char u[32], l[32], m[32];

	if (used->unbound[k])
		snprintf(text, len,
		    "the quota counts %s, and container %s has no limit "
		    "(used/limit: unbound/%s)",
		    limits[k].name, used->holder[k], amount(k, limit, l));
	else
		snprintf(text, len,
		    "the quota of %s is used up: %s/%s used, %s more asked",
		    limits[k].name, amount(k, used->v[k], u),
		    amount(k, limit, l), amount(k, more, m));
}

static bool
limit_fits(unsigned k, int64_t limit, const struct pr_used *used,
    const struct pr_quota_ask *ask, char *text, size_t len)
{
	int64_t before = ask->before.v[k], after = ask->after.v[k];
	char u[32], l[32];

	/* what is raised by nothing passes, whatever is used */
	if (before < 0 || (after >= 0 && after <= before))
		return true;
	if (after < 0) {
		snprintf(text, len,
		    "%s, and the quota counts it (%s: %s/%s used)",
		    limits[k].unset, limits[k].name,
		    used->unbound[k] ? "unbound" : amount(k, used->v[k], u),
		    amount(k, limit, l));
		return false;
	}
	if (!used->unbound[k] && plus(used->v[k], after - before) <= limit &&
	    used->v[k] < INT64_MAX)
		return true;
	say_full(k, limit, used, after - before, text, len);
	return false;
}

bool
pr_quota_fits(const struct pr_quota *q, const struct pr_used *used,
    const struct pr_quota_ask *ask, char *text, size_t len)
{
	for (unsigned k = 0; k < PR_LIMITS; k++) {
		int64_t limit = limit_of(q, k);

		if (limit >= 0 && !limit_fits(k, limit, used, ask, text, len))
			return false;
	}
	return true;
}

bool
pr_quota_is_for(const struct pr_quota *q, int team, int phase)
{
	if (team < 0 || (q->team >= 0 && q->team != team))
		return false;
	return q->all_phases || phase < 0 || (q->phases >> phase & 1) != 0;
}

bool
pr_quota_wants_amounts(const struct pr_quota *q)
{
	return q->memory >= 0 || q->cpus >= 0 || q->ports >= 0;
}

/* ---- as part of a grant ---- */

/* Quotas count what the owner has (11.3), whoever asks. */
static int
owner_of(const struct matter *m, int team)
{
	const struct pr_policy *p = m->q->policy;

	if (m->creates)
		return m->has_label_team ? pr_policy_team(p, m->label_team)
					 : team;
	if (m->target == NULL || m->target->object == NULL)
		return -1;
	return pr_policy_team(p, belongs_to(m->q, m->target->object).team);
}

/* YES: *ask is filled; NO: quotas are not asked; CANNOT_TELL. */
static enum pr_tri
read_ask(const struct matter *m, struct pr_quota_ask *ask)
{
	const struct pr_question *q = m->q;

	*ask = (struct pr_quota_ask){0};
	switch (m->op->op) {
	case PR_OP_CONTAINER_CREATE:
		if (q->spec == NULL || q->spec->body != PR_SPEC_CONTAINER)
			return PR_CANNOT_TELL;
		pr_amounts_of_spec(q->spec, &ask->after);
		return PR_YES;
	case PR_OP_CONTAINER_UPDATE:
		if (m->target_absent)
			return PR_NO;
		if (m->target == NULL || m->target->object == NULL ||
		    pr_quota_ask_of_update(m->arena, q->request,
			m->target->object->inspect, ask) < 0)
			return PR_CANNOT_TELL;
		return PR_YES;
	case PR_OP_SERVICE_CREATE:
	case PR_OP_SERVICE_UPDATE:
		return PR_CANNOT_TELL;
	default:
		return PR_NO;
	}
}

static enum pr_tri
ask_quota(const struct pr_question *q, unsigned i, int team,
    const struct pr_quota_ask *ask, char *text, size_t len)
{
	struct pr_used used = {0};

	if (q->used == NULL || !q->used(q->used_arg, i, team, &used))
		return PR_CANNOT_TELL;
	return pr_quota_fits(&q->policy->quotas[i], &used, ask, text, len)
	    ? PR_YES
	    : PR_NO;
}

void
judge_quotas(const struct matter *m, int team, struct opinion *o)
{
	const struct pr_policy *p = m->q->policy;
	int phase = m->phase.kind == PHASE_ONE ? m->phase.index : -1;
	struct pr_quota_ask ask;
	enum pr_tri can;

	if (p->n_quotas == 0 || m->q->without_quotas)
		return;
	can = read_ask(m, &ask);
	if (can == PR_NO)
		return;
	team = owner_of(m, team);
	for (unsigned i = 0; i < p->n_quotas; i++) {
		char text[200] = "what the quota's team uses is not known";
		enum pr_tri answer = PR_CANNOT_TELL;

		if (!pr_quota_is_for(&p->quotas[i], team, phase))
			continue;
		if (can == PR_YES)
			answer =
			    ask_quota(m->q, i, team, &ask, text, sizeof text);
		if (answer == PR_YES)
			continue;
		if (answer == PR_NO || o->answer == PR_YES) {
			opinion_say(o, answer, STAGE_QUOTA,
			    answer == PR_NO ? PR_REASON_QUOTA
					    : PR_REASON_CANNOT_TELL,
			    text);
			o->quota = (int)i;
		}
		if (answer == PR_NO)
			return;
	}
}

/* What an allow must reserve: all that the quotas were asked for. */
void
take_reservation(const struct matter *m, struct pr_decision *d)
{
	const struct pr_policy *p = m->q->policy;
	struct pr_reserve *r = &d->reserve;

	if (p->n_quotas == 0 || read_ask(m, &r->ask) != PR_YES)
		return;
	r->team = owner_of(m, d->team);
	r->phase = m->phase.kind == PHASE_ONE ? m->phase.index : -1;
	for (size_t i = 0; i < p->n_quotas && !r->wanted; i++)
		r->wanted = pr_quota_is_for(&p->quotas[i], r->team, r->phase);
	if (!m->creates)
		r->container = m->target->object->id;
}
