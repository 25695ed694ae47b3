/* SPDX-License-Identifier: Apache-2.0 */
/* How long images have run: the ledger's second table, in memory. */
#ifndef LEDGER_RUNS_H
#define LEDGER_RUNS_H

#include <portreeve/ledger.h>

struct runs; /* opaque; has its own lock */

enum run_what {
	RUN_BEST = 0, /* phase, digest: the longest run */
	RUN_BEGINS,   /* container: it runs since */
	RUN_ENDS,     /* container: it does not */
};

/* One row on its way to the disk, its strings in one allocation. */
struct run_row {
	enum run_what what;
	struct pr_ledger_run run;
	struct pr_ledger_running running;
	char text[];
};

struct runs *runs_new(void) PR_NODISCARD;
void runs_free(struct runs *r); /* NULL is fine */
struct run_row *run_row_new(enum run_what what, const struct pr_ledger_run *run,
    const struct pr_ledger_running *running) PR_NODISCARD;

/* Takes the row in; false: it says nothing new, or there is no room. */
bool runs_take(struct runs *r, const struct run_row *row);

bool runs_best(
    struct runs *r, struct pr_str phase, struct pr_str digest, uint64_t *ns);
bool runs_running(struct runs *r, struct pr_str container,
    struct pr_str started, struct pr_str boot, uint64_t *since);
void runs_each(struct runs *r,
    void (*row)(void *arg, const struct pr_ledger_run *run), void *arg);

#endif /* LEDGER_RUNS_H */
