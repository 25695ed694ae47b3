/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Quotas (docs/semantics.md 11): what a container counts, what a request asks
 * for, and whether that fits.  Pure: who counts hands the sums in, and the
 * same comparison decides and reserves, so that the two cannot differ.
 */
#ifndef PR_QUOTA_H
#define PR_QUOTA_H

#include <portreeve/policy.h>
#include <portreeve/request.h>

enum pr_limit {
	PR_LIMIT_CONTAINERS = 0,
	PR_LIMIT_MEMORY, /* bytes */
	PR_LIMIT_CPUS,   /* 1e-9 */
	PR_LIMIT_PORTS,
	PR_LIMITS
};

#define PR_UNBOUND (-1) /* without limit, so without sum */

/* What one container counts; each 0 or more, or PR_UNBOUND. */
struct pr_amounts {
	int64_t v[PR_LIMITS];
};

#define PR_HOLDER_LEN 13 /* twelve digits of an id, with NUL */

/* What a team has: sums that stop at INT64_MAX. */
struct pr_used {
	int64_t v[PR_LIMITS];
	bool unbound[PR_LIMITS];
	char holder[PR_LIMITS][PR_HOLDER_LEN]; /* some container that is */
};

/* What a request would change; of a create `before` is nothing. */
struct pr_quota_ask {
	struct pr_amounts before, after;
};

/* Adds one container to the sums; id may be empty. */
void pr_used_add(
    struct pr_used *u, const struct pr_amounts *a, struct pr_str id);

/*
 * Does the request fit beside what is used (for an update `used` counts the
 * container as it is)?  False: *text says why: used/limit.
 */
bool pr_quota_fits(const struct pr_quota *q, const struct pr_used *used,
    const struct pr_quota_ask *ask, char *text, size_t len);

/* Is the quota for this team and phase (index; -1: unknown, in every one)? */
bool pr_quota_is_for(const struct pr_quota *q, int team, int phase);
/* Does it count anything but containers, so that specs must be known? */
bool pr_quota_wants_amounts(const struct pr_quota *q);

/* ---- what is asked for, from bodies (policy/api/usage.c) ---- */

struct pr_spec;

/* Of a create, or of a stored spec. */
void pr_amounts_of_spec(const struct pr_spec *s, struct pr_amounts *out);
/* Of a container, from its inspect answer; -1: not understood. */
int pr_amounts_of_container(struct pr_arena *a, const struct pr_json *inspect,
    struct pr_amounts *out) PR_NODISCARD;
/* Of a container.update; -1: body or inspect answer is not understood. */
int pr_quota_ask_of_update(struct pr_arena *a, const struct pr_request *rq,
    const struct pr_json *inspect, struct pr_quota_ask *out) PR_NODISCARD;

#endif /* PR_QUOTA_H */
