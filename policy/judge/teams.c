/* SPDX-License-Identifier: Apache-2.0 */
/* Subject to teams (docs/semantics.md 1.3), remembered per policy. */
#include <stdlib.h>
#include <string.h>

#include <portreeve/dn.h>

#include "local.h"

static bool
pattern_hits(const struct pr_cert_pattern *p, const struct pr_subject *s)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf want = PR_BUF_INIT;
	PR_CLEANUP(pr_buf_fini) struct pr_buf have = PR_BUF_INIT;
	const struct {
		const struct pr_str *v;
		size_t n;
	} sans[] = {{s->uris, s->n_uris}, {s->emails, s->n_emails},
	    {s->dns, s->n_dns}, {s->upns, s->n_upns}};

	if (p->issuer.n > 0 &&
	    (!pr_dn_normalise(p->issuer, &want) ||
		!pr_dn_normalise(s->issuer, &have) ||
		!pr_str_eq(pr_buf_view(&want), pr_buf_view(&have))))
		return false;
	for (size_t k = 0; k < PR_COUNT(sans); k++) {
		for (size_t i = 0; i < sans[k].n; i++) {
			if (pr_glob(p->pattern, sans[k].v[i], '/'))
				return true;
		}
	}
	pr_buf_reset(&want);
	pr_buf_reset(&have);
	return pr_dn_pattern(p->pattern, &want) &&
	    pr_dn_normalise(s->subject, &have) &&
	    pr_dn_match(pr_buf_view(&want), pr_buf_view(&have));
}

static bool
some_pattern_hits(
    const struct pr_cert_pattern *v, size_t n, const struct pr_subject *s)
{
	if (s->how != PR_SUBJECT_CERT)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (pattern_hits(&v[i], s))
			return true;
	}
	return false;
}

struct gathering {
	const struct pr_policy *policy;
	const struct pr_subject *subject;
	unsigned *v;
	size_t n, cap;
};

static void
gather(void *arg, unsigned team)
{
	struct gathering *g = arg;
	const struct pr_team *t = &g->policy->teams[team];

	/* a second factor that is missing: the membership does not count */
	if (t->n_require > 0 &&
	    !some_pattern_hits(t->require, t->n_require, g->subject))
		return;
	g->v = pr_grow(g->v, g->n, &g->cap, sizeof *g->v);
	g->v[g->n++] = team;
}

static int
by_index(const void *a, const void *b)
{
	const unsigned *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static struct teams *
teams_find(struct snapshot *s, const struct pr_subject *subject,
    const struct pr_membership *m)
{
	struct gathering g = {.policy = s->policy, .subject = subject};
	struct teams *t;
	size_t n = 0;

	if (subject->how == PR_SUBJECT_ANONYMOUS) {
		for (size_t i = 0; i < s->n_anonymous; i++)
			gather(&g, s->anonymous[i]);
	} else {
		for (size_t i = 0; i < s->n_with_cert; i++) {
			const struct pr_team *team =
			    &s->policy->teams[s->with_cert[i]];

			if (some_pattern_hits(
				team->cert, team->n_cert, subject))
				gather(&g, s->with_cert[i]);
		}
		for (size_t i = 0;
		     m != NULL && m->found && !m->ambiguous && i < m->n_groups;
		     i++)
			pr_policy_teams_of_group(
			    s->policy, m->groups[i].dn, gather, &g);
	}
	if (g.n > 1)
		qsort(g.v, g.n, sizeof *g.v, by_index);
	t = pr_xcalloc(1, sizeof *t + g.n * sizeof *t->v);
	for (size_t i = 0; i < g.n; i++) {
		if (n == 0 || t->v[n - 1] != g.v[i])
			t->v[n++] = g.v[i];
	}
	free(g.v);
	t->n = n;
	t->refs = 1;
	t->subject = pr_subject_ref(subject);
	t->membership = m != NULL ? pr_membership_ref(m) : NULL;
	return t;
}

struct teams *
teams_ref(struct teams *t)
{
	atomic_fetch_add(&t->refs, 1);
	return t;
}

void
teams_unref(struct teams *t)
{
	if (t == NULL || atomic_fetch_sub(&t->refs, 1) != 1)
		return;
	pr_subject_unref(t->subject);
	pr_membership_unref(t->membership);
	free(t);
}

struct teams *
teams_of(struct snapshot *s, const struct pr_subject *subject,
    const struct pr_membership *m)
{
	uintptr_t mix = (uintptr_t)subject * 31 + (uintptr_t)m;
	size_t slot = pr_hash(PR_HASH_SEED, &mix, sizeof mix) % TEAMS_SLOTS;
	struct teams *t, *old;

	pthread_mutex_lock(&s->lock);
	t = s->known[slot];
	if (t != NULL && t->subject == subject && t->membership == m) {
		teams_ref(t);
		pthread_mutex_unlock(&s->lock);
		return t;
	}
	pthread_mutex_unlock(&s->lock);
	t = teams_find(s, subject, m);
	pthread_mutex_lock(&s->lock);
	old = s->known[slot];
	s->known[slot] = teams_ref(t);
	pthread_mutex_unlock(&s->lock);
	teams_unref(old);
	return t;
}

static void
list_special(struct snapshot *s)
{
	const struct pr_policy *p = s->policy;
	unsigned *cert = pr_arena_array(s->arena, p->n_teams, sizeof *cert);
	unsigned *anon = pr_arena_array(s->arena, p->n_teams, sizeof *anon);

	for (unsigned i = 0; i < p->n_teams; i++) {
		if (p->teams[i].n_cert > 0)
			cert[s->n_with_cert++] = i;
		if (p->teams[i].anonymous)
			anon[s->n_anonymous++] = i;
	}
	s->with_cert = cert;
	s->anonymous = anon;
}

struct snapshot *
snapshot_new(struct pr_policy *policy, struct pr_promotions *promotions,
    const struct pr_config *config, struct pr_diags *ds)
{
	struct snapshot *s = pr_xcalloc(1, sizeof *s);

	s->refs = 1;
	s->policy = policy;
	s->promotions = promotions;
	for (size_t i = 0; i < policy->n_grants; i++)
		s->promotes =
		    s->promotes || policy->grants[i].promoted_phase >= 0;
	s->arena = pr_arena_new(1024);
	pthread_mutex_init(&s->lock, NULL);
	s->served = pr_policy_host(policy, pr_str_of(config->daemon.name));
	if (s->served == 0)
		pr_diags_add(ds, PR_WARNING,
		    (struct pr_loc){config->policy, 0, 0, 0},
		    "add it under hosts:, or set daemon.name",
		    "no entry of hosts matches this host, \"%s\": every "
		    "request will be denied",
		    config->daemon.name);
	s->stale_ok = config->directory.cache.stale_ok;
	for (unsigned i = 0; i < policy->n_phases; i++) {
		uint64_t own = policy->phases[i].directory_stale_ok;

		if ((s->served >> i & 1) != 0 && own < s->stale_ok)
			s->stale_ok = own;
	}
	list_special(s);
	return s;
}

struct snapshot *
snapshot_ref(struct snapshot *s)
{
	atomic_fetch_add(&s->refs, 1);
	return s;
}

void
snapshot_unref(struct snapshot *s)
{
	if (s == NULL || atomic_fetch_sub(&s->refs, 1) != 1)
		return;
	for (size_t i = 0; i < TEAMS_SLOTS; i++)
		teams_unref(s->known[i]);
	pthread_mutex_destroy(&s->lock);
	pr_policy_unref(s->policy);
	pr_promotions_free(s->promotions);
	pr_arena_free(s->arena);
	free(s);
}
