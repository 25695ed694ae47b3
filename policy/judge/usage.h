/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What teams use of their quotas (docs/semantics.md 11): every container with
 * owner and amounts, and what was promised to creates and updates that the
 * daemon has not finished.  Counted from the daemon's list, then kept by
 * events and outcomes; a sum that is not sure is never told.
 *
 * A container is counted once: as a reservation until its outcome names its
 * id, from then on by the id.  One that the event stream shows before that is
 * held back while a create is under way that may have made it.
 */
#ifndef JUDGE_USAGE_H
#define JUDGE_USAGE_H

#include <portreeve/decide.h>
#include <portreeve/inventory.h>

struct usage; /* opaque; for any number of threads */

struct usage *usage_new(void) PR_NODISCARD;
void usage_free(struct usage *u); /* NULL is fine */

/* From the inventory's thread; never waits. */
void usage_event(
    struct usage *u, enum pr_container_event what, struct pr_str id);

/* Where counts come from, for one judgement. */
struct usage_view {
	struct usage *usage;
	struct pr_inventory *inventory;
	struct pr_ledger *ledger;
	const struct pr_policy *policy;
	pr_phase_mask served;
	bool amounts;   /* some quota counts more than containers */
	bool counted;   /* the list was asked for, for this judgement */
	bool unsettled; /* a sum was asked for that was not sure just then */
};

enum usage_state {
	USAGE_SURE = 0,
	USAGE_WOULD_WAIT,
	USAGE_UNKNOWN, /* the daemon does not tell, or not in time */
};

/* Makes sums sure; waits for the daemon if may_wait. */
enum usage_state usage_prepare(
    struct usage_view *v, bool may_wait, uint64_t deadline);
/* The same after asking for the list anew, once for a judgement. */
enum usage_state usage_recount(struct usage_view *v, uint64_t deadline);

/* pr_question.used; arg is a struct usage_view. */
bool usage_used(void *view, unsigned quota, int team, struct pr_used *out);

enum usage_taken {
	USAGE_TAKEN = 0,
	USAGE_FULL,  /* decide again: a sum has grown */
	USAGE_AGAIN, /* prepare again */
};
/* Compares and reserves in one step; *handle is 0 if nothing was wanted. */
enum usage_taken usage_reserve(
    struct usage_view *v, const struct pr_reserve *r, uint64_t *handle);
/* It will not happen, or did not. */
void usage_release(struct usage *u, uint64_t handle);
/* It has: of a create `id` is the container; of an update it is ignored. */
void usage_done(struct usage *u, uint64_t handle, struct pr_str id);

#endif /* JUDGE_USAGE_H */
