/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Operations on many objects at once, which the proxy narrows to those that
 * the subject may see (docs/semantics.md 2.1).
 */
#include "eval.h"
#include "profile.h"

static const enum pr_op narrow[] = {
    PR_OP_CONTAINER_LIST,
    PR_OP_CONTAINER_PRUNE,
    PR_OP_VOLUME_LIST,
    PR_OP_VOLUME_PRUNE,
    PR_OP_NETWORK_LIST,
    PR_OP_NETWORK_LIST_SLASH,
    PR_OP_NETWORK_PRUNE,
    PR_OP_SERVICE_LIST,
    PR_OP_TASK_LIST,
    PR_OP_SECRET_LIST,
    PR_OP_CONFIG_LIST,
    PR_OP_SYSTEM_EVENTS,
    PR_OP_SYSTEM_DF,
};

bool
pr_decide_narrows(enum pr_op op)
{
	for (size_t i = 0; i < PR_COUNT(narrow); i++) {
		if (narrow[i] == op)
			return true;
	}
	return false;
}

struct keeping {
	struct pr_str owner;
	int phase; /* index, or -1: not known */
	bool yes;
};

static bool
phase_in(const struct pr_grant *g, int phase)
{
	return g->all_phases || (phase >= 0 && (g->phases >> phase & 1) != 0);
}

static void
ask(void *arg, const struct matter *m, unsigned grant, int team)
{
	const struct pr_policy *p = m->q->policy;
	const struct pr_grant *g = &p->grants[grant];
	const struct pr_role *role = &p->roles[g->role];
	struct keeping *k = arg;

	if (pr_opset_has(&role->allow, m->op->op) &&
	    !pr_opset_has(&role->deny, m->op->op) && phase_in(g, k->phase) &&
	    owner_in_scope(p, g, team, k->owner))
		k->yes = true;
}

bool
pr_decide_keeps(struct pr_arena *a, const struct pr_question *q,
    struct pr_str owner, struct pr_str phase)
{
	struct matter m;
	struct phase only = host_phase(q);
	struct keeping k = {.owner = owner,
	    .phase = only.kind == PHASE_ONE
		? only.index
		: pr_policy_phase(q->policy, phase)};

	/* what may not come in by this listener is not seen from it either */
	if ((q->host & ~q->served) != 0 &&
	    (k.phase < 0 || (q->served >> k.phase & 1) == 0))
		return false;
	matter_init(&m, a, q);
	each_grant(&m, ask, &k);
	return k.yes;
}

/* ---- images: nobody's, and shown by the rules about their names ---- */

struct showing {
	const struct pr_image *image; /* NULL: is every image shown? */
	bool yes;
};

static void
ask_image(void *arg, const struct matter *m, unsigned grant, int team)
{
	const struct pr_policy *p = m->q->policy;
	const struct pr_grant *g = &p->grants[grant];
	const struct pr_role *role = &p->roles[g->role];
	const struct pr_profile *profile =
	    g->profile >= 0 ? &p->profiles[g->profile] : NULL;
	struct pr_judge_env env = judge_env(m, team);
	struct showing *s = arg;

	if (!pr_opset_has(&role->allow, m->op->op) ||
	    pr_opset_has(&role->deny, m->op->op) ||
	    (!g->all_phases && (g->phases & m->q->served) == 0))
		return;
	if (profile == NULL || profile->unrestricted ||
	    (s->image != NULL && profile_names_image(profile, &env, s->image)))
		s->yes = true;
}

bool
pr_decide_shows_image(struct pr_arena *a, const struct pr_question *q,
    const struct pr_image *image)
{
	struct matter m;
	struct showing s = {.image = image};

	matter_init(&m, a, q);
	each_grant(&m, ask_image, &s);
	return s.yes;
}
