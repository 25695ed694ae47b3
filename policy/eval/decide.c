/* SPDX-License-Identifier: Apache-2.0 */
/* The decision, in the order of docs/semantics.md 4. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include <portreeve/decide.h>

#include "eval.h"

static bool
needs_stored_spec(enum pr_op op)
{
	switch (op) {
	case PR_OP_CONTAINER_START:
	case PR_OP_CONTAINER_RESTART:
	case PR_OP_CONTAINER_UNPAUSE:
	case PR_OP_CONTAINER_EXEC:
	case PR_OP_CONTAINER_EXEC_START:
	case PR_OP_CONTAINER_ATTACH:
	case PR_OP_CONTAINER_ATTACH_WS:
	case PR_OP_CONTAINER_ARCHIVE_WRITE:
	case PR_OP_CONTAINER_COMMIT:
	case PR_OP_CONTAINER_UPDATE:
	case PR_OP_CONTAINER_RENAME:
		return true;
	default:
		return false;
	}
}

bool
pr_decide_wants_stored(const struct pr_request *rq)
{
	return rq->spec && needs_stored_spec(rq->op->op);
}

/*
 * Whatever reason was named: another grant may have come further than the one
 * that a built-in guard stopped, and a create that it stopped has no phase
 * (semantics 9.3), so that the freeze of another phase was named.
 */
bool
pr_decide_lifted(struct pr_arena *a, const struct pr_question *q,
    const struct pr_decision *d, struct pr_decision *out)
{
	struct pr_question lifted = *q;

	if (d->verdict == PR_ALLOW)
		return false;
	lifted.env.break_glass = true;
	pr_decide(a, &lifted, out);
	return out->verdict == PR_ALLOW;
}

/* The object that is acted on: the path's, or the container of an exec. */
static const struct pr_ref *
find_target(const struct pr_question *q)
{
	const struct pr_ref *target = NULL;

	for (size_t i = 0; i < q->n_refs; i++) {
		if (q->refs[i].role == PR_REF_CONTAINER_OF)
			return &q->refs[i];
		if (q->refs[i].role == PR_REF_TARGET)
			target = &q->refs[i];
	}
	return target;
}

static bool
is_full_id(struct pr_str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (!((s.p[i] >= '0' && s.p[i] <= '9') ||
			(s.p[i] >= 'a' && s.p[i] <= 'f')))
			return false;
	}
	return s.n == 64;
}

void
matter_init(struct matter *m, struct pr_arena *a, const struct pr_question *q)
{
	const struct pr_object *o;

	*m = (struct matter){.q = q,
	    .arena = a,
	    .op = q->request->op,
	    .phase = {PHASE_SET, -1},
	    .spec = q->request->spec,
	    .stored = pr_decide_wants_stored(q->request)};
	if (m->op->scope != PR_SCOPE_OWNED)
		return;
	/* a commit makes an image, which nobody owns: it acts on a container */
	m->creates = m->op->creates != PR_KIND_NONE &&
	    m->op->creates != PR_KIND_IMAGE && m->op->kind == PR_KIND_NONE;
	if (m->creates) {
		m->phase = (struct phase){PHASE_UNKNOWN, -1};
		if (q->spec != NULL)
			m->has_label_team = pr_spec_label(
			    q->spec, q->policy->label_team, &m->label_team);
		if (!m->has_label_team && q->wanted_team.n > 0) {
			m->has_label_team = true;
			m->label_team = q->wanted_team;
		}
		return;
	}
	m->target = find_target(q);
	o = m->target != NULL ? m->target->object : NULL;
	if (o == NULL || o->presence == PR_PRESENCE_UNKNOWN) {
		m->target_unknown = true;
		m->phase = host_phase(q);
	} else if (o->presence == PR_PRESENT && !has_no_owner(m->target)) {
		m->phase = phase_of(q, o);
	} else if (o->presence == PR_ABSENT) {
		/* a read needs its 404; a change by full id gets one surely */
		m->target_absent = m->target->kind != PR_KIND_EXEC &&
		    m->target->role == PR_REF_TARGET &&
		    (m->op->risk == PR_RISK_READ ||
			((m->target->kind == PR_KIND_CONTAINER ||
			     m->target->kind == PR_KIND_NETWORK) &&
			    is_full_id(m->target->name)));
	}
}

/* ---- 3: guards ---- */

static bool
is_member(const struct pr_who *who, const unsigned *teams, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		for (size_t t = 0; t < who->n_teams; t++) {
			if (who->teams[t] == teams[i])
				return true;
		}
	}
	return false;
}

static bool
guard_matches(const struct matter *m, const struct pr_guard *g)
{
	bool phase = g->all_phases || m->phase.kind == PHASE_UNKNOWN ||
	    (m->phase.kind == PHASE_SET
		    ? (g->phases & m->q->served) != 0
		    : (g->phases >> m->phase.index & 1) != 0) ||
	    (g->phases & cluster_of(m)) != 0;

	return phase && pr_opset_has(&g->deny, m->op->op) &&
	    !is_member(m->q->who, g->except, g->n_except);
}

static bool
guarded(const struct matter *m, struct pr_decision *d)
{
	const struct pr_policy *p = m->q->policy;

	for (size_t i = 0; i < p->n_guards; i++) { /* sorted by id */
		const struct pr_guard *g = &p->guards[i];

		if (!guard_matches(m, g))
			continue;
		d->reason = PR_REASON_GUARD;
		d->guard = (int)i;
		d->loc = g->loc;
		snprintf(
		    d->what, sizeof d->what, "%s", "a guard forbids it to all");
		if (g->message.n > 0 && g->message.n < sizeof d->hint)
			snprintf(d->hint, sizeof d->hint, "%.*s",
			    PR_STRF(g->message));
		return true;
	}
	return false;
}

/* Managed plugins that bear our name are us: nobody takes us away. */
static bool
self_protected(const struct matter *m, struct pr_decision *d)
{
	switch (m->op->op) {
	case PR_OP_PLUGIN_DISABLE:
	case PR_OP_PLUGIN_REMOVE:
	case PR_OP_PLUGIN_SET:
	case PR_OP_PLUGIN_UPGRADE:
		break;
	default:
		return false;
	}
	d->reason = PR_REASON_GUARD;
	snprintf(d->what, sizeof d->what,
	    "built-in guard: plugins are changed or removed on the host, not "
	    "through the API that one of them guards");
	return true;
}

/*
 * Does a copy into a container reach what is protected?  Links of the
 * container, and of the tar itself, lead anywhere in it, so it does if
 * anything protected is mounted there at all (semantics 10.8).
 */
static enum pr_tri
reaches_protected(const struct matter *m, const struct pr_bind_source **what)
{
	const struct pr_spec *s = m->q->stored;
	enum pr_tri all = PR_NO;

	if (m->op->op != PR_OP_CONTAINER_ARCHIVE_WRITE || m->target == NULL)
		return PR_NO;
	if (!m->q->stored_known || s == NULL)
		return m->target->object != NULL &&
			m->target->object->presence == PR_ABSENT
		    ? PR_NO
		    : PR_CANNOT_TELL;
	for (size_t i = 0; i < s->n_binds; i++) {
		const struct pr_path_fact *fact = s->binds[i].fact;

		if (fact == NULL || !fact->known)
			all = PR_CANNOT_TELL;
		else if (fact->is_protected) {
			*what = &s->binds[i];
			return PR_YES;
		}
	}
	return all;
}

static bool
copy_guarded(const struct matter *m, struct pr_decision *d)
{
	const struct pr_bind_source *what = NULL;
	enum pr_tri answer = reaches_protected(m, &what);

	if (answer == PR_NO)
		return false;
	if (answer == PR_CANNOT_TELL) {
		d->reason = PR_REASON_CANNOT_TELL;
		snprintf(d->what, sizeof d->what,
		    "built-in guard: whether the container has protected "
		    "files of the host mounted is not known");
		return true;
	}
	d->reason = PR_REASON_GUARD;
	snprintf(d->what, sizeof d->what,
	    "built-in guard: the container has %.*s of the host mounted, which "
	    "is protected",
	    what->path.n < 96 ? (int)what->path.n : 96, what->path.p);
	return true;
}

/* ---- 4: role denies ---- */

struct role_deny {
	enum pr_tri answer;
	unsigned grant;
	int team;
};

static void
ask_role_deny(void *arg, const struct matter *m, unsigned grant, int team)
{
	const struct pr_grant *g = &m->q->policy->grants[grant];
	struct role_deny *worst = arg;
	enum pr_tri phase = phase_covered(m, g), t;

	if (!pr_opset_has(&m->q->policy->roles[g->role].deny, m->op->op) ||
	    (phase == PR_NO && (g->phases & cluster_of(m)) == 0))
		return;
	if (phase == PR_NO)
		phase = PR_YES;
	t = scope_covers(m, g, team);
	if (t == PR_YES)
		t = phase;
	/* a deny that is sure is named before one that is not */
	if (t == PR_NO || (worst->answer == PR_YES && t != PR_YES) ||
	    (worst->answer == t && worst->grant <= grant))
		return;
	*worst = (struct role_deny){t, grant, team};
}

static bool
role_denied(const struct matter *m, struct pr_decision *d)
{
	struct role_deny deny = {PR_NO, 0, -1};
	const struct pr_grant *g;

	each_grant(m, ask_role_deny, &deny);
	if (deny.answer == PR_NO)
		return false;
	g = &m->q->policy->grants[deny.grant];
	d->reason =
	    deny.answer == PR_YES ? PR_REASON_ROLE_DENY : PR_REASON_CANNOT_TELL;
	d->grant = (int)deny.grant;
	d->role = (int)g->role;
	d->team = deny.team;
	d->loc = m->q->policy->roles[g->role].loc;
	snprintf(d->what, sizeof d->what, "role %.*s denies it%s",
	    PR_STRF(m->q->policy->roles[g->role].name),
	    deny.answer == PR_YES
		? ""
		: " to some objects, and whether this is one cannot be told");
	return true;
}

/* ---- 5: freeze ---- */

static bool
phase_frozen(const struct matter *m, unsigned phase)
{
	const struct pr_phase *ph = &m->q->policy->phases[phase];

	return ph->n_freeze > 0 &&
	    !pr_opset_has(&ph->freeze_allow, m->op->op) &&
	    !is_member(m->q->who, ph->freeze_except, ph->n_freeze_except) &&
	    pr_phase_frozen(ph, m->q->now);
}

static bool
frozen(const struct matter *m, struct pr_decision *d)
{
	const struct pr_policy *p = m->q->policy;

	if (m->op->risk < PR_RISK_MUTATE)
		return false;
	for (unsigned i = 0; i < p->n_phases; i++) {
		bool concerned = (m->phase.kind == PHASE_ONE
					 ? (int)i == m->phase.index
					 : (m->q->served >> i & 1) != 0) ||
		    (cluster_of(m) >> i & 1) != 0;

		if (!concerned || !phase_frozen(m, i))
			continue;
		d->reason = PR_REASON_FREEZE;
		d->loc = p->phases[i].loc;
		snprintf(d->what, sizeof d->what, "phase %.*s is frozen now",
		    PR_STRF(p->phases[i].name));
		return true;
	}
	return false;
}

/* ---- 6 and 7: grants ---- */

struct poll {
	struct opinion yes, soft, undecided, nearest;
	bool has_yes, has_soft, has_undecided, has_nearest;
	int team; /* the acting team of the yeses */
	bool teams_differ;
};

static void
lowest(struct opinion *best, bool *has, const struct opinion *o)
{
	if (!*has || o->grant < best->grant ||
	    (o->grant == best->grant && o->team < best->team))
		*best = *o;
	*has = true;
}

static bool
is_nearer(const struct opinion *a, const struct opinion *b)
{
	if (a->stage != b->stage)
		return a->stage > b->stage;
	if (a->key != b->key && a->stage >= STAGE_PROFILE)
		return a->key > b->key;
	if (a->grant != b->grant)
		return a->grant < b->grant;
	return a->team < b->team;
}

static void
ask_grant(void *arg, const struct matter *m, unsigned grant, int team)
{
	struct poll *poll = arg;
	struct opinion o;

	judge_grant(m, grant, team, &o);
	if (o.answer == PR_YES) {
		if (poll->has_yes && poll->team != team)
			poll->teams_differ = true;
		poll->team = team;
		lowest(&poll->yes, &poll->has_yes, &o);
	} else if (o.answer == PR_CANNOT_TELL) {
		lowest(&poll->undecided, &poll->has_undecided, &o);
	} else {
		if (o.soft)
			lowest(&poll->soft, &poll->has_soft, &o);
		if (!poll->has_nearest || is_nearer(&o, &poll->nearest))
			poll->nearest = o;
		poll->has_nearest = true;
	}
}

static bool
complains(const struct matter *m)
{
	const struct pr_policy *p = m->q->policy;

	for (unsigned i = 0; i < p->n_phases; i++) {
		if ((cluster_of(m) >> i & 1) != 0 && !p->phases[i].complain)
			return false;
	}
	if (m->phase.kind == PHASE_ONE)
		return p->phases[m->phase.index].complain;
	if (m->phase.kind == PHASE_UNKNOWN)
		return false;
	for (unsigned i = 0; i < p->n_phases; i++) {
		if ((m->q->served >> i & 1) != 0 && !p->phases[i].complain)
			return false;
	}
	return true;
}

static void
take_opinion(
    const struct matter *m, const struct opinion *o, struct pr_decision *d)
{
	const struct pr_policy *p = m->q->policy;
	const struct pr_grant *g = &p->grants[o->grant];

	d->reason = o->reason;
	d->grant = (int)o->grant;
	d->role = (int)g->role;
	d->team = o->team;
	d->key = o->key;
	d->loc = g->loc;
	if (o->text[0] != '\0')
		snprintf(d->what, sizeof d->what, "%s", o->text);
	else if (o->stage == STAGE_ROLE)
		snprintf(d->what, sizeof d->what, "role %.*s does not allow it",
		    PR_STRF(p->roles[g->role].name));
	if (o->quota >= 0 && o->stage == STAGE_QUOTA)
		d->loc = p->quotas[o->quota].loc;
	if (o->stage >= STAGE_PROFILE && g->profile >= 0) {
		d->profile = g->profile;
		if (o->key >= 0 &&
		    p->profiles[g->profile].leaf[o->key].loc.line > 0)
			d->loc = p->profiles[g->profile].leaf[o->key].loc;
	}
}

/* What the object of a create will be, once it is allowed. */
static void
take_ownership(const struct matter *m, struct pr_decision *d)
{
	if (!m->creates)
		return;
	d->owner_team = m->has_label_team
	    ? pr_policy_team(m->q->policy, m->label_team)
	    : d->team;
	d->owner_phase = m->phase.kind == PHASE_ONE ? m->phase.index : -1;
}

/*
 * The one place that allows.  Everything else leaves PR_DENY, which is zero.
 */
static void
allow(const struct matter *m, const struct opinion *o, enum pr_reason reason,
    bool would_deny, struct pr_decision *d)
{
	if (o != NULL)
		take_opinion(m, o, d);
	if (!would_deny)
		d->reason = reason;
	d->would_deny = would_deny;
	take_ownership(m, d);
	take_reservation(m, d);
	d->verdict = PR_ALLOW;
}

/* True if the create's owner would be one of several (semantics 2.2). */
static bool
owner_unclear(const struct matter *m, const struct poll *poll)
{
	return m->creates && !m->has_label_team && poll->teams_differ;
}

static void
conclude(const struct matter *m, const struct poll *poll, struct pr_decision *d)
{
	if (poll->has_yes && owner_unclear(m, poll)) {
		take_opinion(m, &poll->yes, d);
		d->reason = PR_REASON_OWNER;
		snprintf(d->what, sizeof d->what,
		    "it could belong to several of your teams");
		snprintf(d->hint, sizeof d->hint,
		    "name one: the label %.*s or X-Portreeve-Team",
		    m->q->policy->label_team.n < 80
			? (int)m->q->policy->label_team.n
			: 80,
		    m->q->policy->label_team.p);
	} else if (poll->has_yes) {
		allow(m, &poll->yes, PR_REASON_GRANT, false, d);
	} else if (poll->has_undecided) {
		take_opinion(m, &poll->undecided, d);
	} else if (poll->has_soft && complains(m)) {
		allow(m, &poll->soft, PR_REASON_GRANT, true, d);
	} else if (poll->has_nearest) {
		take_opinion(m, &poll->nearest, d);
	} else {
		d->reason = PR_REASON_NO_GRANT;
		snprintf(d->what, sizeof d->what,
		    "no grant of the policy is for any of your teams");
	}
}

/* Steps 3 to 5 for a request whose phase is settled, or surely is not. */
static bool
barred(const struct matter *m, struct pr_decision *d)
{
	bool built_in = !m->q->env.break_glass &&
	    (self_protected(m, d) || copy_guarded(m, d));

	return built_in || guarded(m, d) || role_denied(m, d) || frozen(m, d);
}

/* ---- the phase of a create (semantics 2.4) ---- */

static bool
label_phase(const struct matter *m, struct pr_str *value)
{
	return m->q->spec != NULL &&
	    pr_spec_label(m->q->spec, m->q->policy->label_phase, value);
}

static void
deny_phase(const struct pr_policy *p, struct pr_decision *d,
    enum pr_reason reason, const char *text)
{
	d->reason = reason;
	d->grant = -1;
	snprintf(d->what, sizeof d->what, "%s", text);
	if (p->label_phase.n > 0 && p->label_phase.n < 80)
		snprintf(d->hint, sizeof d->hint,
		    "name one: --label %.*s=PHASE", PR_STRF(p->label_phase));
}

/*
 * No label on a host of several phases: each is tried; the request has the
 * one in which it would be allowed, if it is the only one.
 */
static void
decide_some_phase(struct matter *m, struct pr_decision *d)
{
	const struct pr_policy *p = m->q->policy;
	struct poll best = {0}, all = {0};
	int chosen = -1, yes = 0;
	bool nearest_set = false;

	for (unsigned i = 0; i < p->n_phases; i++) {
		struct poll poll = {0};

		if ((m->q->served >> i & 1) == 0)
			continue;
		m->phase = (struct phase){PHASE_ONE, (int)i};
		each_grant(m, ask_grant, &poll);
		if (poll.has_yes ||
		    (poll.has_soft && complains(m) && !poll.has_undecided)) {
			yes++;
			chosen = (int)i;
			best = poll;
		} else if (poll.has_undecided) {
			lowest(&all.undecided, &all.has_undecided,
			    &poll.undecided);
		} else if (poll.has_nearest &&
		    (!all.has_nearest ||
			is_nearer(&poll.nearest, &all.nearest))) {
			all.nearest = poll.nearest;
			all.has_nearest = true;
			nearest_set = true;
			chosen = yes > 0 ? chosen : (int)i;
		}
	}
	if (yes == 1 && !all.has_undecided) {
		m->phase = (struct phase){PHASE_ONE, chosen};
		d->phase = chosen;
		if (!barred(m, d))
			conclude(m, &best, d);
		return;
	}
	m->phase = (struct phase){PHASE_UNKNOWN, -1};
	if (barred(m, d))
		return;
	if (yes > 1) {
		deny_phase(p, d, PR_REASON_PHASE,
		    "it could be of several phases of this host");
		return;
	}
	if (nearest_set && !all.has_undecided) {
		m->phase = (struct phase){PHASE_ONE, chosen};
		d->phase = chosen;
	}
	conclude(m, &all, d);
}

static void
decide_create(struct matter *m, struct pr_decision *d)
{
	const struct pr_policy *p = m->q->policy;
	pr_phase_mask served = m->q->served;
	struct pr_str label;
	struct poll poll = {0};
	int index;

	if (label_phase(m, &label)) {
		index = pr_policy_phase(p, label);
		if (index < 0 || (served >> index & 1) == 0) {
			if (!barred(m, d))
				deny_phase(p, d, PR_REASON_PHASE_NOT_SERVED,
				    "the label names a phase that this host "
				    "does not serve");
			return;
		}
	} else if ((served & (served - 1)) != 0) {
		decide_some_phase(m, d);
		return;
	} else {
		index = __builtin_ctzll(served);
	}
	m->phase = (struct phase){PHASE_ONE, index};
	d->phase = index;
	if (barred(m, d))
		return;
	each_grant(m, ask_grant, &poll);
	conclude(m, &poll, d);
}

/* ---- all of it ---- */

/* References that mean several things at once (semantics 6.3). */
static bool
ambiguous(const struct pr_question *q, struct pr_decision *d)
{
	for (size_t i = 0; i < q->n_refs; i++) {
		const struct pr_ref *r = &q->refs[i];

		/* the proxy writes the full id in the place of the path's
		 * name, so that no name is taken for an id there */
		if ((q->door != PR_DOOR_PLUGIN &&
			(r->role == PR_REF_TARGET ||
			    r->role == PR_REF_NEW_NAME)) ||
		    r->object == NULL || !r->object->ambiguous ||
		    r->kind == PR_KIND_IMAGE)
			continue;
		d->reason = PR_REASON_AMBIGUOUS;
		snprintf(d->what, sizeof d->what,
		    r->role == PR_REF_NEW_NAME
			? "%s: this name could be taken for an id"
			: "%s: could be a name or the beginning of an id; use "
			  "the name, or 12 digits of the id",
		    r->field != NULL ? r->field : "the path");
		return true;
	}
	return false;
}

static void
set_phase(const struct matter *m, struct pr_decision *d)
{
	d->phase = m->phase.kind == PHASE_ONE ? m->phase.index
	    : m->phase.kind == PHASE_SET      ? -2
					      : -1;
	d->phases = m->q->served;
}

static void
set_audit(const struct pr_question *q, struct pr_decision *d)
{
	d->audit = PR_AUDIT_LEVEL_NONE;
	for (unsigned i = 0; i < q->policy->n_phases; i++) {
		bool concerned = d->phase >= 0 ? (int)i == d->phase
					       : (q->served >> i & 1) != 0;

		if (concerned && q->policy->phases[i].audit > d->audit)
			d->audit = q->policy->phases[i].audit;
	}
}

static bool
is_ping(const struct matter *m)
{
	switch (m->op->op) {
	case PR_OP_SYSTEM_PING:
	case PR_OP_SYSTEM_PING_HEAD:
	case PR_OP_SYSTEM_VERSION:
		return !m->q->who->anonymous;
	default:
		return false;
	}
}

/* The stages behind classification. */
static void
decide_op(struct matter *m, struct pr_decision *d)
{
	struct poll poll = {0};

	if (m->creates) {
		decide_create(m, d);
		return;
	}
	if (barred(m, d))
		return;
	if (is_ping(m)) {
		allow(m, NULL, PR_REASON_PING, false, d);
		return;
	}
	each_grant(m, ask_grant, &poll);
	conclude(m, &poll, d);
}

void
pr_decide(
    struct pr_arena *a, const struct pr_question *q, struct pr_decision *d)
{
	struct matter m;

	*d = (struct pr_decision){.verdict = PR_DENY,
	    .grant = -1,
	    .guard = -1,
	    .role = -1,
	    .team = -1,
	    .key = -1,
	    .profile = -1,
	    .phase = -1,
	    .owner_team = -1,
	    .owner_phase = -1};
	matter_init(&m, a, q);
	set_phase(&m, d);
	if (q->request->op->op == PR_OP_UNKNOWN) {
		d->reason = PR_REASON_UNKNOWN_OPERATION;
	} else if (q->served == 0) {
		d->reason = PR_REASON_PHASE_NOT_SERVED;
		snprintf(d->what, sizeof d->what,
		    "the policy gives this host no phase");
	} else if (m.phase.kind == PHASE_ONE && !m.creates &&
	    ((q->host & ~q->served) >> m.phase.index & 1) != 0) {
		d->reason = PR_REASON_PHASE_NOT_SERVED;
		snprintf(d->what, sizeof d->what,
		    "the object is of a phase that may not come in here");
	} else if (!ambiguous(q, d)) {
		decide_op(&m, d);
	}
	set_audit(q, d);
}
