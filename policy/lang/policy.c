/* SPDX-License-Identifier: Apache-2.0 */
/* What a compiled policy is asked. */
#include <stdatomic.h>

#include <portreeve/clock.h>
#include <portreeve/dn.h>

#include "load.h"
#include "zone.h"

#define DAY  INT64_C(86400)
#define WEEK (7 * DAY)

struct pr_policy *
pr_policy_ref(struct pr_policy *p)
{
	atomic_fetch_add_explicit(&p->refs, 1, memory_order_relaxed);
	return p;
}

void
pr_policy_unref(struct pr_policy *p)
{
	if (p != NULL &&
	    atomic_fetch_sub_explicit(&p->refs, 1, memory_order_acq_rel) == 1)
		pr_arena_free(p->arena); /* it holds p itself */
}

void
pr_policy_unrefp(struct pr_policy **p)
{
	pr_policy_unref(*p);
	*p = NULL;
}

/* The first member of each of these structs is its name, or id. */
struct named {
	const char *base;
	size_t n, size;
};

static struct named
section_of(const struct pr_policy *p, enum section s)
{
	switch (s) {
	case SEC_TEAMS:
		return (struct named){
		    (const char *)p->teams, p->n_teams, sizeof *p->teams};
	case SEC_PHASES:
		return (struct named){
		    (const char *)p->phases, p->n_phases, sizeof *p->phases};
	case SEC_ROLES:
		return (struct named){
		    (const char *)p->roles, p->n_roles, sizeof *p->roles};
	case SEC_PROFILES: /* [0] is built in, and not in order */
		if (p->n_profiles == 0)
			break;
		return (struct named){(const char *)(p->profiles + 1),
		    p->n_profiles - 1, sizeof *p->profiles};
	case SEC_GRANTS:
		return (struct named){
		    (const char *)p->grants, p->n_grants, sizeof *p->grants};
	case SEC_HOSTS:
	case SEC_GUARDS:
	case SEC_RESPONSES:
	case SEC_QUOTAS:
	case SEC_TESTS:
	case SEC_COUNT:
		break;
	}
	return (struct named){NULL, 0, 0};
}

int
load_find(const struct pr_policy *p, enum section s, struct pr_str name)
{
	struct named all = section_of(p, s);
	size_t lo = 0, hi = all.n;

	if (s == SEC_PROFILES && pr_str_is(name, "unrestricted"))
		return p->n_profiles > 0 ? 0 : -1;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		const void *at = all.base + mid * all.size;
		int c = pr_str_cmp(name, *(const struct pr_str *)at);

		if (c == 0)
			return (int)mid + (s == SEC_PROFILES);
		if (c < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return -1;
}

int
pr_policy_team(const struct pr_policy *p, struct pr_str name)
{
	return load_find(p, SEC_TEAMS, name);
}

int
pr_policy_phase(const struct pr_policy *p, struct pr_str name)
{
	return load_find(p, SEC_PHASES, name);
}

int
pr_policy_role(const struct pr_policy *p, struct pr_str name)
{
	return load_find(p, SEC_ROLES, name);
}

int
pr_policy_profile(const struct pr_policy *p, struct pr_str name)
{
	return load_find(p, SEC_PROFILES, name);
}

int
pr_policy_grant(const struct pr_policy *p, struct pr_str id)
{
	return load_find(p, SEC_GRANTS, id);
}

pr_phase_mask
pr_policy_host(const struct pr_policy *p, struct pr_str host)
{
	const struct pr_host *best = NULL;
	size_t best_len = 0;

	for (size_t i = 0; i < p->n_hosts; i++) {
		const struct pr_host *h = &p->hosts[i];
		size_t len = pr_str_find(h->pattern, '*');

		if (len == h->pattern.n) {
			if (pr_str_eq(h->pattern, host))
				return h->phases;
			continue;
		}
		if ((best == NULL || len > best_len) &&
		    pr_glob(h->pattern, host, '\0')) {
			best = h;
			best_len = len;
		}
	}
	return best != NULL ? best->phases : 0;
}

bool
pr_phase_frozen(const struct pr_phase *phase, int64_t wall)
{
	int64_t t = wall / (int64_t)PR_SEC - (wall % (int64_t)PR_SEC < 0);

	for (size_t i = 0; i < phase->n_freeze; i++) {
		const struct pr_window *w = &phase->freeze[i];
		int64_t begin = (int64_t)w->begin * 60;
		int64_t end = (int64_t)w->end * 60;
		/* 1970-01-01 was a Thursday, three days after a Monday */
		int64_t at = (t + zone_offset(w->tz, t) + 3 * DAY) % WEEK;

		if (at < 0)
			at += WEEK;
		if (begin < end ? at >= begin && at < end
				: at >= begin || at < end)
			return true;
	}
	return false;
}

struct pr_str
pr_dn_normal(struct pr_arena *a, struct pr_str dn)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf b = PR_BUF_INIT;

	if (!pr_dn_normalise(dn, &b))
		return (struct pr_str){NULL, 0};
	return pr_str_of(pr_arena_strdup(a, pr_buf_view(&b)));
}
