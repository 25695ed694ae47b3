/* SPDX-License-Identifier: Apache-2.0 */
/* Owner and phase of what a request touches (docs/semantics.md 2). */
#include <stdio.h>
#include <string.h>

#include "eval.h"

static struct pr_str
label_of(const struct pr_object *o, struct pr_str key)
{
	const struct pr_json *v;

	if (key.n == 0 || o->labels == NULL ||
	    o->labels->type != PR_JSON_OBJECT)
		return (struct pr_str){NULL, 0};
	v = pr_json_get(o->labels, key);
	return v != NULL && v->type == PR_JSON_STRING
	    ? v->str
	    : (struct pr_str){NULL, 0};
}

struct belonging
belongs_to(const struct pr_question *q, const struct pr_object *o)
{
	if (o->in_ledger)
		return (struct belonging){o->ledger_team, o->ledger_phase};
	return (struct belonging){label_of(o, q->policy->label_team),
	    label_of(o, q->policy->label_phase)};
}

static bool
is_single(pr_phase_mask mask)
{
	return mask != 0 && (mask & (mask - 1)) == 0;
}

struct phase
host_phase(const struct pr_question *q)
{
	pr_phase_mask host = q->host != 0 ? q->host : q->served;

	if (is_single(host))
		return (struct phase){PHASE_ONE, __builtin_ctzll(host)};
	return (struct phase){PHASE_UNKNOWN, -1};
}

struct phase
phase_of(const struct pr_question *q, const struct pr_object *o)
{
	struct phase only = host_phase(q);
	int index;

	if (only.kind == PHASE_ONE)
		return only;
	index = pr_policy_phase(q->policy, belongs_to(q, o).phase);
	if (index < 0)
		return (struct phase){PHASE_UNKNOWN, -1};
	return (struct phase){PHASE_ONE, index};
}

bool
has_no_owner(const struct pr_ref *r)
{
	if (r->role == PR_REF_NEW_NAME || r->kind == PR_KIND_IMAGE)
		return true;
	/* an exec is its container's, a task its service's, and those are
	 * references of their own */
	if ((r->kind == PR_KIND_EXEC ||
		(r->kind == PR_KIND_TASK && r->object != NULL &&
		    r->object->container.n > 0)) &&
	    r->object != NULL && r->object->presence == PR_PRESENT)
		return true;
	return r->kind == PR_KIND_NETWORK && r->object != NULL &&
	    r->object->presence == PR_PRESENT && r->object->builtin;
}

bool
owner_in_scope(const struct pr_policy *p, const struct pr_grant *g, int team,
    struct pr_str owner)
{
	switch (g->owner) {
	case PR_OWNER_ANY:
		return true;
	case PR_OWNER_OWN:
		return team >= 0 && owner.n > 0 &&
		    pr_str_eq(p->teams[team].name, owner);
	case PR_OWNER_TEAMS:
		for (size_t i = 0; i < g->n_owner_teams; i++) {
			if (owner.n > 0 &&
			    pr_str_eq(p->teams[g->owner_teams[i]].name, owner))
				return true;
		}
		return false;
	}
	return false;
}

static enum pr_tri
tri(bool yes)
{
	return yes ? PR_YES : PR_NO;
}

enum pr_tri
phase_covered(const struct matter *m, const struct pr_grant *g)
{
	if (g->all_phases &&
	    (m->phase.kind != PHASE_UNKNOWN || m->target_unknown))
		return PR_YES;
	switch (m->phase.kind) {
	case PHASE_ONE:
		return tri((g->phases >> m->phase.index & 1) != 0);
	case PHASE_SET:
		return tri((g->phases & m->q->served) != 0);
	case PHASE_UNKNOWN:
		if (m->target_unknown)
			return PR_CANNOT_TELL;
		return tri(g->all_phases && g->owner == PR_OWNER_ANY);
	}
	return PR_NO;
}

void
opinion_say(struct opinion *o, enum pr_tri answer, enum stage stage,
    enum pr_reason reason, const char *text)
{
	o->answer = answer;
	o->stage = stage;
	o->reason = reason;
	if (text[0] == '\0')
		o->text[0] = '\0';
	else
		snprintf(o->text, sizeof o->text, "%s", text);
}

/* "container web", short and printable. */
static void
name_ref(const struct pr_ref *r, char buf[96])
{
	struct pr_str s = r->name;
	size_t n;

	n = (size_t)snprintf(buf, 32, "%s ", pr_kind_name(r->kind));
	for (size_t i = 0; i < s.n && i < 48; i++) {
		char c = s.p[i];

		if (c <= 0x20 || c >= 0x7f)
			c = '?';
		buf[n++] = c;
	}
	buf[n] = '\0';
}

/* The object is of the request's phase, or the grant covers both (2.7). */
static bool
phase_agrees(const struct matter *m, const struct pr_grant *g,
    const struct pr_object *obj)
{
	struct phase of = phase_of(m->q, obj);

	if (of.kind == PHASE_UNKNOWN)
		return g->owner == PR_OWNER_ANY && g->all_phases;
	if (m->phase.kind == PHASE_ONE && m->phase.index == of.index)
		return true;
	/* the request is of no phase itself, so the grant's must do */
	if (m->phase.kind == PHASE_SET)
		return g->all_phases || (g->phases >> of.index & 1) != 0;
	return g->owner == PR_OWNER_ANY &&
	    (g->all_phases || (g->phases >> of.index & 1) != 0);
}

static void
judge_present(const struct matter *m, const struct pr_grant *g, int team,
    const struct pr_ref *r, struct opinion *o)
{
	const struct pr_policy *p = m->q->policy;
	struct belonging b = belongs_to(m->q, r->object);
	char name[96], text[200];

	if (!owner_in_scope(p, g, team, b.team)) {
		name_ref(r, name);
		if (b.team.n > 0 && b.team.n < 64 && pr_str_printable(b.team))
			snprintf(text, sizeof text, "%s belongs to team %.*s",
			    name, PR_STRF(b.team));
		else
			snprintf(
			    text, sizeof text, "%s belongs to nobody", name);
		opinion_say(o, PR_NO, STAGE_OWNER, PR_REASON_OWNER, text);
	} else if (r != m->target && !phase_agrees(m, g, r->object)) {
		name_ref(r, name);
		snprintf(text, sizeof text, "%s is of another phase", name);
		opinion_say(
		    o, PR_NO, STAGE_OWNER, PR_REASON_PHASE_MISMATCH, text);
	}
}

/* The target that may be absent; a connect names its network twice. */
static bool
is_absent_target(const struct matter *m, const struct pr_ref *r)
{
	return m->target_absent && r->kind == m->target->kind &&
	    pr_str_eq(r->name, m->target->name);
}

/*
 * One reference: first what is surely wrong.  An object that is not there is
 * fine where the request makes it (a volume) or only reads (semantics 2.8).
 */
static void
judge_ref(const struct matter *m, const struct pr_grant *g, int team,
    const struct pr_ref *r, struct opinion *o)
{
	char name[96], text[200];

	if (has_no_owner(r))
		return;
	if (r->object == NULL || r->object->presence == PR_PRESENCE_UNKNOWN) {
		const char *why = r->object != NULL ? r->object->why : NULL;

		name_ref(r, name);
		snprintf(text, sizeof text, "%s cannot be looked up%s%s", name,
		    why != NULL ? ": " : "", why != NULL ? why : "");
		opinion_say(o, PR_CANNOT_TELL, STAGE_OWNER,
		    PR_REASON_CANNOT_TELL, text);
	} else if (r->object->presence == PR_PRESENT) {
		judge_present(m, g, team, r, o);
	} else if (r->role != PR_REF_VOLUME && !is_absent_target(m, r)) {
		name_ref(r, name);
		snprintf(text, sizeof text, "there is no %s", name);
		opinion_say(o, PR_NO, STAGE_NO_SUCH_OBJECT,
		    PR_REASON_NO_SUCH_OBJECT, text);
	}
}

/* A label in the body of a create says whose the object will be (2.2). */
static void
judge_claim(const struct matter *m, const struct pr_grant *g, int team,
    struct pr_str claim, struct opinion *o)
{
	const struct pr_policy *p = m->q->policy;
	char text[200];

	if (pr_policy_team(p, claim) >= 0 && owner_in_scope(p, g, team, claim))
		return;
	snprintf(text, sizeof text, "the label %.*s names another team",
	    p->label_team.n < 80 ? (int)p->label_team.n : 80, p->label_team.p);
	opinion_say(o, PR_NO, STAGE_OWNER, PR_REASON_OWNER, text);
}

/* A phase that the request is of, as far as that is settled. */
static bool
phase_claimed(
    const struct matter *m, const struct pr_grant *g, struct pr_str claim)
{
	int phase = pr_policy_phase(m->q->policy, claim);

	if (phase < 0)
		return false;
	if (m->phase.kind == PHASE_ONE)
		return m->phase.index == phase;
	return m->phase.kind == PHASE_SET && (m->q->served >> phase & 1) != 0 &&
	    (g->all_phases || (g->phases >> phase & 1) != 0);
}

/* Each value of the owner's label is a team that the grant may name. */
void
judge_team_labels(const struct matter *m, const struct pr_grant *g, int team,
    struct pr_kvs labels, struct opinion *o)
{
	const struct pr_policy *p = m->q->policy;

	for (size_t i = 0; i < labels.n && o->answer != PR_NO; i++) {
		const struct pr_kv *l = &labels.v[i];

		if (p->label_team.n > 0 && pr_str_eq(l->key, p->label_team))
			judge_claim(m, g, team, l->value, o);
	}
}

/*
 * Labels of what is made beside or without an owner: of an image, which
 * containers inherit (2.9), and of volumes that mounts make.  They say
 * nothing else than what the request may say.  The team is named before the
 * phase, however the labels are ordered.
 */
void
judge_labels(const struct matter *m, const struct pr_grant *g, int team,
    struct pr_kvs labels, struct opinion *o)
{
	const struct pr_policy *p = m->q->policy;

	judge_team_labels(m, g, team, labels, o);
	for (size_t i = 0; i < labels.n && o->answer != PR_NO; i++) {
		const struct pr_kv *l = &labels.v[i];

		if (p->label_phase.n > 0 && pr_str_eq(l->key, p->label_phase) &&
		    !phase_claimed(m, g, l->value))
			opinion_say(o, PR_NO, STAGE_OWNER,
			    PR_REASON_PHASE_MISMATCH,
			    "the phase's label names another phase");
	}
}

/* What the labels of the body claim. */
static void
judge_label(const struct matter *m, const struct pr_grant *g, int team,
    struct opinion *o)
{
	const struct pr_spec *s = m->q->spec;

	if (m->creates && m->has_label_team)
		judge_claim(m, g, team, m->label_team, o);
	if (s == NULL)
		return;
	if (m->op->creates == PR_KIND_IMAGE)
		judge_labels(m, g, team, s->labels, o);
	for (size_t i = 0;
	     (m->creates || s->body == PR_SPEC_SERVICE) && i < s->n_mounts; i++)
		judge_labels(m, g, team, s->mounts[i].labels, o);
	if (o->answer != PR_NO)
		judge_cluster_labels(m, g, team, o);
}

void
judge_scope(const struct matter *m, const struct pr_grant *g, int team,
    struct opinion *o)
{
	struct opinion worst = *o, one;

	if (m->op->scope == PR_SCOPE_GLOBAL && g->owner != PR_OWNER_ANY &&
	    (!m->q->narrow || !pr_decide_narrows(m->op->op))) {
		opinion_say(o, PR_NO, STAGE_OWNER, PR_REASON_OWNER,
		    "this concerns everybody's objects; it needs owner: any");
		return;
	}
	judge_label(m, g, team, &worst);
	for (size_t i = 0; i < m->q->n_refs && worst.answer != PR_NO; i++) {
		one = *o;
		judge_ref(m, g, team, &m->q->refs[i], &one);
		if (one.answer == PR_NO ||
		    (one.answer == PR_CANNOT_TELL && worst.answer == PR_YES))
			worst = one;
		/* an owner that is wrong is nearer the door than an object
		 * that is not there: look on for one */
		if (worst.stage == STAGE_NO_SUCH_OBJECT)
			break;
	}
	for (size_t i = 0;
	     i < m->q->n_refs && worst.stage == STAGE_NO_SUCH_OBJECT; i++) {
		one = *o;
		judge_ref(m, g, team, &m->q->refs[i], &one);
		if (one.answer == PR_NO && one.stage == STAGE_OWNER)
			worst = one;
	}
	*o = worst;
}

enum pr_tri
scope_covers(const struct matter *m, const struct pr_grant *g, int team)
{
	const struct pr_object *o;

	if (g->owner == PR_OWNER_ANY || m->op->scope == PR_SCOPE_OWNERLESS)
		return PR_YES;
	if (m->op->scope == PR_SCOPE_GLOBAL)
		return PR_NO;
	if (m->creates)
		return !m->has_label_team ||
			owner_in_scope(m->q->policy, g, team, m->label_team)
		    ? PR_YES
		    : PR_NO;
	if (m->target == NULL)
		return PR_YES;
	o = m->target->object;
	if (has_no_owner(m->target))
		return PR_YES;
	if (o == NULL || o->presence == PR_PRESENCE_UNKNOWN)
		return PR_CANNOT_TELL;
	if (o->presence == PR_ABSENT)
		return PR_YES;
	return owner_in_scope(m->q->policy, g, team, belongs_to(m->q, o).team)
	    ? PR_YES
	    : PR_NO;
}
