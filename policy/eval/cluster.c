/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Services, secrets and configs: what is said of them runs on other hosts,
 * of other phases, and is changed by bodies that bear labels (docs/semantics.md
 * 2.9, 13).
 */
#include <stdio.h>

#include "eval.h"

pr_phase_mask
cluster_of(const struct matter *m)
{
	if (m->op->scope != PR_SCOPE_OWNED ||
	    (m->op->resource != PR_RES_SERVICE &&
		m->op->resource != PR_RES_TASK))
		return 0;
	return m->q->policy->cluster_phases;
}

void
judge_cluster(
    const struct matter *m, const struct pr_grant *g, struct opinion *o)
{
	pr_phase_mask cluster = cluster_of(m);

	if (cluster == 0)
		return;
	if (!g->all_phases && (g->phases & cluster) != cluster)
		opinion_say(o, PR_NO, STAGE_PHASE, PR_REASON_PHASE,
		    "the grant does not cover every phase of cluster_phases");
	else if (m->phase.kind == PHASE_ONE &&
	    (cluster >> m->phase.index & 1) == 0)
		opinion_say(o, PR_NO, STAGE_PHASE, PR_REASON_PHASE,
		    "the service's phase is not one of cluster_phases");
}

static bool
installs(const struct matter *m)
{
	return m->q->spec != NULL && m->q->spec->installs_plugin;
}

/* One label of a body against what it must be; `now`: what the object has. */
struct claim {
	struct pr_str key;
	struct pr_str now;
	bool kept; /* it stays so without the label */
	enum pr_reason reason;
	const char *what; /* "team" */
};

/* True: nothing is wrong, as far as the owner is settled. */
static bool
claim_agrees(const struct claim *c, const struct pr_kvs *labels, bool must,
    struct opinion *o)
{
	char text[200];

	for (size_t i = 0; c->key.n > 0 && i < labels->n; i++) {
		if (!pr_str_eq(labels->v[i].key, c->key))
			continue;
		if (c->now.n == 0 || pr_str_eq(labels->v[i].value, c->now))
			return true;
		snprintf(text, sizeof text,
		    "the label %.*s names another %s than the object's",
		    c->key.n < 80 ? (int)c->key.n : 80, c->key.p, c->what);
		opinion_say(o, PR_NO, STAGE_OWNER, c->reason, text);
		return false;
	}
	if (!must || c->now.n == 0 || c->kept || c->key.n == 0)
		return true;
	snprintf(text, sizeof text,
	    "without the label %.*s the object would be nobody's",
	    c->key.n < 80 ? (int)c->key.n : 80, c->key.p);
	opinion_say(o, PR_NO, STAGE_OWNER, c->reason, text);
	return false;
}

static struct pr_str
phase_name(const struct matter *m)
{
	return m->phase.kind == PHASE_ONE
	    ? m->q->policy->phases[m->phase.index].name
	    : (struct pr_str){NULL, 0};
}

static bool
updates(const struct matter *m)
{
	switch (m->op->op) {
	case PR_OP_SERVICE_UPDATE:
	case PR_OP_SECRET_UPDATE:
	case PR_OP_CONFIG_UPDATE:
		return true;
	default:
		return false;
	}
}

/* An update leaves owner and phase as they are (semantics 2.9). */
static bool
kept_as_it_is(const struct matter *m, struct belonging b, bool in_ledger,
    struct opinion *o)
{
	const struct pr_policy *p = m->q->policy;
	bool one = host_phase(m->q).kind == PHASE_ONE;
	const struct claim team = {
	    p->label_team, b.team, in_ledger, PR_REASON_OWNER, "team"};
	const struct claim phase = {p->label_phase,
	    one ? phase_name(m) : b.phase, in_ledger || one,
	    PR_REASON_PHASE_MISMATCH, "phase"};

	return claim_agrees(&team, &m->q->spec->labels, true, o) &&
	    claim_agrees(&phase, &m->q->spec->labels, true, o);
}

/* What the containers of a service say they are, they are (2.9). */
static void
judge_task_labels(const struct matter *m, struct pr_str team,
    struct pr_str phase, struct opinion *o)
{
	const struct pr_policy *p = m->q->policy;
	const struct claim owner = {
	    p->label_team, team, true, PR_REASON_OWNER, "team"};
	const struct claim of = {
	    p->label_phase, phase, true, PR_REASON_PHASE_MISMATCH, "phase"};

	if (claim_agrees(&owner, &m->q->spec->task_labels, false, o))
		(void)claim_agrees(&of, &m->q->spec->task_labels, false, o);
}

/*
 * Labels of nobody's object are a claim like those of a create; the label
 * of its phase says nothing that is checked elsewhere, so it is served.  Where
 * the host has one phase the object's is known, and all teams come first.
 */
static void
judge_nobodys(const struct matter *m, const struct pr_grant *g, int team,
    struct opinion *o)
{
	const struct pr_spec *s = m->q->spec;

	if ((m->q->served & (m->q->served - 1)) == 0) {
		judge_team_labels(m, g, team, s->labels, o);
		judge_team_labels(m, g, team, s->task_labels, o);
	}
	judge_labels(m, g, team, s->labels, o);
	judge_labels(m, g, team, s->task_labels, o);
}

static void
judge_update(const struct matter *m, const struct pr_grant *g, int team,
    struct opinion *o)
{
	const struct pr_object *obj =
	    m->target != NULL ? m->target->object : NULL;
	struct belonging b;

	/* an object that cannot be seen, or is not there, is said elsewhere;
	 * so is a rollback to what cannot be told */
	if (obj == NULL || obj->presence != PR_PRESENT ||
	    (m->q->spec->rolls_back && m->q->spec->body == PR_SPEC_UNREAD))
		return;
	b = belongs_to(m->q, obj);
	if (b.team.n == 0 && b.phase.n == 0) {
		judge_nobodys(m, g, team, o);
		return;
	}
	if (b.team.n == 0) { /* nobody's, but of a phase */
		judge_team_labels(m, g, team, m->q->spec->labels, o);
		judge_team_labels(m, g, team, m->q->spec->task_labels, o);
	}
	if (o->answer == PR_YES && kept_as_it_is(m, b, obj->in_ledger, o))
		judge_task_labels(m, b.team,
		    m->phase.kind == PHASE_ONE ? phase_name(m) : b.phase, o);
}

void
judge_cluster_labels(const struct matter *m, const struct pr_grant *g, int team,
    struct opinion *o)
{
	const struct pr_policy *p = m->q->policy;
	struct pr_str owner = {NULL, 0};

	if (m->q->spec == NULL)
		return;
	if (installs(m) && g->owner != PR_OWNER_ANY) {
		opinion_say(o, PR_NO, STAGE_OWNER, PR_REASON_OWNER,
		    "this installs a plugin on every node; it needs owner: "
		    "any");
		return;
	}
	if (updates(m)) {
		judge_update(m, g, team, o);
		return;
	}
	if (m->op->op != PR_OP_SERVICE_CREATE)
		return;
	if (m->has_label_team)
		owner = m->label_team;
	else if (team >= 0)
		owner = p->teams[team].name;
	judge_task_labels(m, owner, phase_name(m), o);
}

/* Where an image ran before it ran as a service cannot be told. */
static bool
wants_promotion(const struct matter *m, const struct pr_grant *g)
{
	return g->promoted_phase >= 0 &&
	    (m->op->op == PR_OP_SERVICE_CREATE ||
		m->op->op == PR_OP_SERVICE_UPDATE);
}

void
judge_service_promotion(
    const struct matter *m, const struct pr_grant *g, struct opinion *o)
{
	if (o->answer == PR_YES && wants_promotion(m, g))
		opinion_say(o, PR_CANNOT_TELL, STAGE_PROFILE,
		    PR_REASON_CANNOT_TELL,
		    "where the image of a service ran before is not known");
}

/*
 * A body that needs no profile is judged by the grant's, or, where it has
 * none, as by one that says nothing.
 */
void
judge_plain(const struct matter *m, const struct pr_grant *g, int team,
    struct opinion *o)
{
	const struct pr_spec *s = m->q->spec;
	char text[200];

	if (s == NULL || s->body != PR_SPEC_PLAIN || o->answer == PR_NO)
		return;
	if (g->profile >= 0) {
		judge_spec(m, g, team, s, o);
	} else if (s->must_default != NULL) {
		snprintf(text, sizeof text,
		    "%s is set; it must have its default value",
		    s->must_default);
		opinion_say(
		    o, PR_NO, STAGE_PROFILE, PR_REASON_MUST_DEFAULT, text);
	} else if (s->unknown_field != NULL) {
		snprintf(text, sizeof text,
		    "%s is a field that no known engine has", s->unknown_field);
		opinion_say(o, PR_NO, STAGE_PROFILE, PR_REASON_PROFILE, text);
		o->key = PR_KEY_UNKNOWN_FIELDS;
	}
}
