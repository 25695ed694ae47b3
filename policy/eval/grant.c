/* SPDX-License-Identifier: Apache-2.0 */
/* One grant, for one acting team (docs/semantics.md 3.3, 4.6, 4.7). */
#include <stdio.h>
#include <string.h>

#include "eval.h"

struct pr_judge_env
judge_env(const struct matter *m, int team)
{
	const struct pr_policy *p = m->q->policy;
	struct pr_judge_env env = m->q->env;

	env.user = m->q->who->name;
	env.team = team >= 0 ? p->teams[team].name : (struct pr_str){NULL, 0};
	env.phase = m->phase.kind == PHASE_ONE ? p->phases[m->phase.index].name
					       : (struct pr_str){NULL, 0};
	return env;
}

/*
 * One spec.  A grant is placed by what fails first; what fails later only
 * takes away that complain mode could soften it.
 */
void
judge_spec(const struct matter *m, const struct pr_grant *g, int team,
    const struct pr_spec *spec, struct opinion *o)
{
	const struct pr_profile *profile = &m->q->policy->profiles[g->profile];
	struct pr_judge_env env = judge_env(m, team);
	struct pr_shortfall why;
	enum pr_tri answer = pr_profile_judge(profile, spec, &env, &why);
	bool soft = answer == PR_NO && why.all_soft && !why.must_default;

	if (answer == PR_YES)
		return;
	if (o->answer == PR_NO || answer == o->answer) {
		o->soft = o->soft && soft;
		return;
	}
	o->soft = soft && o->answer == PR_YES;
	o->key = why.names_key ? (int)why.key : -1;
	opinion_say(o, answer, spec->stored ? STAGE_STORED : STAGE_PROFILE,
	    answer == PR_CANNOT_TELL ? PR_REASON_CANNOT_TELL
		: why.must_default   ? PR_REASON_MUST_DEFAULT
		: spec->stored       ? PR_REASON_STORED_SPEC
				     : PR_REASON_PROFILE,
	    why.text);
}

static void
judge_stored(const struct matter *m, const struct pr_grant *g, int team,
    struct opinion *o)
{
	if (!m->stored || g->stored_specs_any || m->target_absent)
		return;
	if (!m->q->stored_known || m->q->stored == NULL) {
		o->soft = false;
		if (o->answer == PR_YES)
			opinion_say(o, PR_CANNOT_TELL, STAGE_STORED,
			    PR_REASON_CANNOT_TELL,
			    "the container's stored spec is not known");
		return;
	}
	judge_spec(m, g, team, m->q->stored, o);
}

static void
judge_shape(const struct matter *m, const struct pr_grant *g, int team,
    struct opinion *o)
{
	if (!m->spec) {
		judge_plain(m, g, team, o);
		return;
	}
	if (g->profile < 0) {
		opinion_say(o, PR_NO, STAGE_NO_PROFILE, PR_REASON_NO_PROFILE,
		    "the grant names no profile");
		return;
	}
	judge_quotas(m, team, o);
	if (o->answer == PR_NO)
		return;
	judge_promotion(m, g, o);
	judge_service_promotion(m, g, o);
	if (m->q->spec != NULL)
		judge_spec(m, g, team, m->q->spec, o);
	else if (!m->q->policy->profiles[g->profile].unrestricted)
		opinion_say(o, PR_CANNOT_TELL, STAGE_PROFILE,
		    PR_REASON_CANNOT_TELL,
		    "what the request asks for is not known");
	judge_stored(m, g, team, o);
}

void
judge_grant(const struct matter *m, unsigned grant, int team, struct opinion *o)
{
	const struct pr_policy *p = m->q->policy;
	const struct pr_grant *g = &p->grants[grant];

	*o = (struct opinion){.answer = PR_YES,
	    .stage = STAGE_ALL,
	    .reason = PR_REASON_GRANT,
	    .grant = grant,
	    .team = team,
	    .key = -1,
	    .quota = -1};
	if (!pr_opset_has(&p->roles[g->role].allow, m->op->op) ||
	    pr_opset_has(&p->roles[g->role].deny, m->op->op)) {
		/* most grants end here: the sentence is written when it is
		 * the one that is told (decide.c) */
		opinion_say(o, PR_NO, STAGE_ROLE, PR_REASON_ROLE, "");
		return;
	}
	if (phase_covered(m, g) == PR_NO) {
		opinion_say(o, PR_NO, STAGE_PHASE, PR_REASON_PHASE,
		    m->phase.kind == PHASE_UNKNOWN
			? "the object's phase is not known"
			: "the grant does not cover this phase");
		return;
	}
	judge_cluster(m, g, o);
	if (o->answer == PR_NO)
		return;
	judge_scope(m, g, team, o);
	if (o->answer != PR_NO)
		judge_shape(m, g, team, o);
}

static int
acting_team(const struct pr_policy *p, unsigned team)
{
	return p->teams[team].acts_for >= 0 ? p->teams[team].acts_for
					    : (int)team;
}

void
each_grant(const struct matter *m,
    void (*f)(void *arg, const struct matter *m, unsigned grant, int team),
    void *arg)
{
	const struct pr_policy *p = m->q->policy;
	const struct pr_who *who = m->q->who;

	for (size_t t = 0; t < who->n_teams; t++) {
		unsigned team = who->teams[t];

		for (size_t i = 0; i < p->grants_of[team].n; i++)
			f(arg, m, p->grants_of[team].v[i],
			    acting_team(p, team));
	}
	if (who->anonymous) /* "*" means every identified subject */
		return;
	for (size_t i = 0; i < p->grants_of[p->n_teams].n; i++) {
		unsigned grant = p->grants_of[p->n_teams].v[i];

		for (size_t t = 0; t < who->n_teams; t++)
			f(arg, m, grant, acting_team(p, who->teams[t]));
		/* without teams: ownerless operations only (semantics 1.4) */
		if (who->n_teams == 0 && m->op->scope == PR_SCOPE_OWNERLESS)
			f(arg, m, grant, -1);
	}
}
