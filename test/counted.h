/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Containers that are there and images that have run, from JSON, for whoever
 * asks pr_decide in a test:
 *   [{"team": "pay", "phase": "dev", "memory": 5, "cpus": 7, "ports": 1}]
 *   [{"digest": "sha256:...", "phase": "dev", "seconds": 60, "by": "<key>"}]
 * What is not given of memory and cpus is without bound; ports are then 0.
 */
#ifndef COUNTED_H
#define COUNTED_H

#include <portreeve/clock.h>
#include <portreeve/decide.h>

struct counted {
	const struct pr_policy *policy;
	pr_phase_mask served;
	const struct pr_json *containers, *ran; /* NULL: cannot tell */
};

static inline const struct pr_json *
counted_get(const struct pr_json *o, const char *key)
{
	const struct pr_json *v =
	    o->type == PR_JSON_OBJECT ? pr_json_get(o, pr_str_of(key)) : NULL;

	return v != NULL && v->type != PR_JSON_NULL ? v : NULL;
}

static inline struct pr_str
counted_str(const struct pr_json *o, const char *key)
{
	const struct pr_json *v = counted_get(o, key);

	return v != NULL && v->type == PR_JSON_STRING
	    ? v->str
	    : (struct pr_str){NULL, 0};
}

static inline int64_t
counted_int(const struct pr_json *o, const char *key, int64_t otherwise)
{
	const struct pr_json *v = counted_get(o, key);

	return v != NULL && v->type == PR_JSON_NUMBER ? v->i : otherwise;
}

static inline bool
counted_used(void *arg, unsigned quota, int team, struct pr_used *out)
{
	const struct counted *c = arg;
	const struct pr_quota *q = &c->policy->quotas[quota];
	bool single = (c->served & (c->served - 1)) == 0;

	*out = (struct pr_used){0};
	for (uint32_t i = 0; c->containers != NULL && i < c->containers->n;
	     i++) {
		const struct pr_json *v = &c->containers->items[i];
		int phase = single
		    ? __builtin_ctzll(c->served)
		    : pr_policy_phase(c->policy, counted_str(v, "phase"));
		struct pr_amounts a = {{1, counted_int(v, "memory", -1),
		    counted_int(v, "cpus", -1), counted_int(v, "ports", 0)}};

		if (pr_str_eq(
			counted_str(v, "team"), c->policy->teams[team].name) &&
		    pr_quota_is_for(q, team, phase))
			pr_used_add(out, &a, PR_STR("0123456789abcdef"));
	}
	return c->containers != NULL;
}

static inline bool
counted_by(const struct pr_grant *g, struct pr_str key)
{
	if (key.n == 0)
		return true;
	for (size_t i = 0; i < g->promoted_via.n; i++) {
		if (pr_str_eq(g->promoted_via.v[i], key))
			return true;
	}
	return false;
}

static inline bool
counted_ran(
    void *arg, const struct pr_grant *g, struct pr_str digest, uint64_t *ns)
{
	const struct counted *c = arg;
	bool ran = false;

	*ns = 0;
	for (uint32_t i = 0; c->ran != NULL && i < c->ran->n; i++) {
		const struct pr_json *v = &c->ran->items[i];
		uint64_t t = (uint64_t)counted_int(v, "seconds", 0) * PR_SEC;

		if (!pr_str_eq(counted_str(v, "digest"), digest) ||
		    !pr_str_eq(counted_str(v, "phase"),
			c->policy->phases[g->promoted_phase].name) ||
		    !counted_by(g, counted_str(v, "by")))
			continue;
		ran = true;
		*ns = t > *ns ? t : *ns;
	}
	return ran;
}

static inline void
counted_ask(struct pr_question *q, struct counted *c)
{
	c->policy = q->policy;
	c->served = q->host != 0 ? q->host : q->served;
	q->used = c->containers != NULL ? counted_used : NULL;
	q->ran = c->ran != NULL ? counted_ran : NULL;
	q->used_arg = q->ran_arg = c;
}

#endif /* COUNTED_H */
