/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Watches which images run, in which phase and for how long (docs/semantics.md
 * 11.8 to 11.10), and writes it into the ledger.  A thread of its own asks the
 * daemon; events only put work into its queue.
 *
 * Time is CLOCK_MONOTONIC of one boot: dates have no say.  What was not seen
 * does not count: a run begins when its event, or the list that shows it, came.
 */
#ifndef JUDGE_RUNS_H
#define JUDGE_RUNS_H

#include <portreeve/inventory.h>
#include <portreeve/policy.h>

struct runs_watch; /* opaque */

struct runs_source {
	struct pr_inventory *inventory;
	struct pr_ledger *ledger;
	/* The phase of a container that is there, copied; false: unknown. */
	bool (*phase)(void *arg, const struct pr_object *o,
	    char phase[PR_LEDGER_NAME + 1]);
	/* Called by the thread after events were missed; may wait; may be
	 * NULL. */
	void (*missed)(void *arg);
	void *arg;
};

/* Before the inventory is opened: events may come at once. */
struct runs_watch *runs_watch_new(void) PR_NODISCARD;
/* Starts the thread. */
int runs_watch_start(struct runs_watch *w, const struct runs_source *source,
    struct pr_err **err) PR_NODISCARD;
/* Writes what runs into the ledger, which must still be open. */
void runs_watch_stop(struct runs_watch *w);
void runs_watch_free(struct runs_watch *w); /* NULL is fine */

/* From the inventory's thread; never waits. */
void runs_watch_event(
    struct runs_watch *w, enum pr_container_event what, struct pr_str id);

/*
 * Has the daemon been looked at since the start?  Before that a run that goes
 * on may not be known.  Waits until then or the deadline (0: not at all).
 */
bool runs_watch_looked(struct runs_watch *w, uint64_t deadline);
/* The longest run that is known, those under way included. */
bool runs_watch_longest(struct runs_watch *w, struct pr_str phase,
    struct pr_str digest, uint64_t *ns);

#endif /* JUDGE_RUNS_H */
