/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Group DN -> teams.  Patterns without a wildcard, which are nearly all, are
 * found by hash; the others are tried one after the other.
 */
#include <string.h>

#include <portreeve/dn.h>

#include "load.h"

struct group {
	struct pr_str dn; /* normal form */
	unsigned team;
	uint32_t next; /* index + 1 of the next in the slot, or in `globs` */
};

struct pr_group_index {
	struct group *v;
	size_t n, max;
	uint32_t *slots; /* index + 1 */
	size_t n_slots;  /* a power of two */
	uint32_t globs;
};

struct pr_group_index *
group_index_new(struct pr_arena *a, size_t n_patterns)
{
	struct pr_group_index *g = pr_arena_alloc(a, sizeof *g);

	g->max = n_patterns;
	g->v = pr_arena_array(a, n_patterns, sizeof *g->v);
	g->n_slots = 4;
	while (g->n_slots < n_patterns * 2)
		g->n_slots *= 2;
	g->slots = pr_arena_array(a, g->n_slots, sizeof *g->slots);
	return g;
}

static uint32_t *
slot_of(const struct pr_group_index *g, struct pr_str dn)
{
	return &g->slots[pr_hash(PR_HASH_SEED, dn.p, dn.n) & (g->n_slots - 1)];
}

void
group_index_add(struct pr_arena *a, struct pr_group_index *g,
    struct pr_str pattern, unsigned team)
{
	bool glob = pr_str_find(pattern, '*') < pattern.n;
	uint32_t *head = glob ? &g->globs : slot_of(g, pattern);

	if (g->n == g->max)
		return; /* not reached: counted before */
	g->v[g->n] = (struct group){pr_arena_str(a, pattern), team, *head};
	*head = (uint32_t)++g->n;
}

void
pr_policy_teams_of_group(const struct pr_policy *p, struct pr_str dn,
    void (*hit)(void *arg, unsigned team), void *arg)
{
	const struct pr_group_index *g = p->groups;

	for (uint32_t i = *slot_of(g, dn); i != 0; i = g->v[i - 1].next) {
		if (pr_str_eq(g->v[i - 1].dn, dn))
			hit(arg, g->v[i - 1].team);
	}
	for (uint32_t i = g->globs; i != 0; i = g->v[i - 1].next) {
		if (pr_dn_match(g->v[i - 1].dn, dn))
			hit(arg, g->v[i - 1].team);
	}
}
