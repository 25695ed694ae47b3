/* SPDX-License-Identifier: Apache-2.0 */
/* Limits and restart policies (docs/semantics.md 5.4, 5.8). */
#include <inttypes.h>
#include <stdint.h>

#include "profile.h"

/* Values at or below `unset` mean "not set" to dockerd. */
static enum pr_tri
in_range(struct judging *j, const struct pr_range *r, int64_t v, int64_t unset,
    const char *field)
{
	if (v <= unset && r->optional)
		return PR_YES;
	if (v <= unset && v < 0)
		return judge_no(
		    j, "%s is %" PRId64 ", that is unlimited", field, v);
	if (v <= unset)
		return judge_no(j, "%s is not set", field);
	if ((r->has_lo && v < r->lo) || (r->has_hi && v > r->hi))
		return judge_no(j, "%s is %" PRId64, field, v);
	return PR_YES;
}

static enum pr_tri
leaf_range(struct judging *j, int64_t v, const char *field)
{
	if (j->leaf->n_ranges == 0)
		return judge_no(j, "%s has no range", field);
	return in_range(j, &j->leaf->ranges[0], v, 0, field);
}

enum pr_tri
judge_memory(struct judging *j)
{
	return leaf_range(
	    j, j->spec->memory, field_in(j, "HostConfig.Memory", "memory"));
}

enum pr_tri
judge_cpus(struct judging *j)
{
	return leaf_range(j, j->spec->cpus,
	    field_in(j,
		j->spec->cpus_by_quota
		    ? "HostConfig.CpuQuota, in billionths of a CPU,"
		    : "HostConfig.NanoCpus",
		"cpuquota, in billionths of a CPU,"));
}

enum pr_tri
judge_pids(struct judging *j)
{
	return leaf_range(j, j->spec->pids, "HostConfig.PidsLimit");
}

enum pr_tri
judge_shm(struct judging *j)
{
	return leaf_range(
	    j, j->spec->shm, field_in(j, "HostConfig.ShmSize", "shmsize"));
}

enum pr_tri
judge_cpu_shares(struct judging *j)
{
	return leaf_range(j, j->spec->cpu_shares,
	    field_in(j, "HostConfig.CpuShares", "cpushares"));
}

/*
 * Without limits.swap: nothing said, or at most twice the memory; never
 * unlimited (-1).
 */
enum pr_tri
judge_swap(struct judging *j)
{
	int64_t swap = j->spec->swap, memory = j->spec->memory;
	const char *field = field_in(j, "HostConfig.MemorySwap", "memswap");

	if (j->leaf->made && swap >= 0)
		return leaf_range(j, swap, field);
	if (swap == 0 ||
	    (swap > 0 && memory > 0 &&
		(memory > INT64_MAX / 2 || swap <= 2 * memory)))
		return PR_YES;
	return judge_no(j, "%s is %" PRId64 "%s", field, swap,
	    swap < 0 ? ", that is unlimited" : "");
}

enum pr_tri
judge_ulimits(struct judging *j)
{
	for (size_t i = 0; i < j->leaf->n_ranges; i++) {
		const struct pr_range *r = &j->leaf->ranges[i];
		bool found = false;

		for (size_t k = 0; k < j->spec->n_ulimits; k++) {
			const struct pr_ulimit *u = &j->spec->ulimits[k];

			if (!pr_str_eq(u->name, r->name))
				continue;
			found = true;
			/* -1 is unlimited: outside of every range */
			if (u->soft < 0 || u->hard < 0)
				return judge_no(j, "ulimit %.*s is unlimited",
				    PR_STRF(r->name));
			if (in_range(j, r, u->soft, -1, "a soft ulimit") ==
				PR_NO ||
			    in_range(j, r, u->hard, -1, "a hard ulimit") ==
				PR_NO)
				return PR_NO;
		}
		if (!found && !r->optional)
			return judge_no(
			    j, "ulimit %.*s is not set", PR_STRF(r->name));
	}
	return PR_YES;
}

enum pr_tri
judge_oom_score(struct judging *j)
{
	const struct pr_range *r = j->leaf->ranges;
	int64_t v = j->spec->oom_score;

	if (j->leaf->n_ranges == 0)
		return judge_no(j, "HostConfig.OomScoreAdj has no range");
	if (v == 0 && r->optional)
		return PR_YES;
	if ((r->has_lo && v < r->lo) || (r->has_hi && v > r->hi))
		return judge_no(j, "HostConfig.OomScoreAdj is %" PRId64, v);
	return PR_YES;
}

/* "on-failure:5" takes counts of 1 to 5; "on-failure" any, unlimited too. */
static bool
restart_fits(struct pr_str want, struct pr_str name, int64_t max)
{
	struct pr_str count = want, word = pr_str_cut(&count, ':');
	uint64_t most;

	if (!pr_str_eq(word, name))
		return false;
	if (count.p == NULL)
		return true;
	return pr_str_u64(count, &most) && max > 0 && (uint64_t)max <= most;
}

enum pr_tri
judge_restart(struct judging *j)
{
	struct pr_str name =
	    j->spec->restart.n > 0 ? j->spec->restart : PR_STR("no");
	char shown_name[SHOWN + 4];

	for (size_t i = 0; i < j->leaf->list.n; i++) {
		if (restart_fits(
			j->leaf->list.v[i], name, j->spec->restart_max))
			return PR_YES;
	}
	if (j->spec->restart_max != 0)
		return judge_no(j, "HostConfig.RestartPolicy is %s:%" PRId64,
		    shown(name, shown_name), j->spec->restart_max);
	return judge_no(
	    j, "HostConfig.RestartPolicy is %s", shown(name, shown_name));
}
