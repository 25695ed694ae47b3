/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger_runs.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <portreeve/arena.h>

#define MAX_BEST    ((size_t)65536)
#define MAX_RUNNING ((size_t)65536)
#define BUCKETS     1024

struct kept {
	struct kept *next;
	struct run_row *row;
};

struct runs {
	pthread_rwlock_t lock;
	struct kept *best[BUCKETS], *running[BUCKETS];
	size_t n_best, n_running;
};

struct runs *
runs_new(void)
{
	struct runs *r = pr_xcalloc(1, sizeof *r);

	pthread_rwlock_init(&r->lock, NULL);
	return r;
}

static void
free_all(struct kept **buckets)
{
	for (size_t i = 0; i < BUCKETS; i++) {
		for (struct kept *k = buckets[i], *next; k != NULL; k = next) {
			next = k->next;
			free(k->row);
			free(k);
		}
	}
}

void
runs_free(struct runs *r)
{
	if (r == NULL)
		return;
	free_all(r->best);
	free_all(r->running);
	pthread_rwlock_destroy(&r->lock);
	free(r);
}

/* Copies a string behind the row. */
static void
put_text(char **at, struct pr_str *s)
{
	if (s->n > 0)
		memcpy(*at, s->p, s->n);
	s->p = *at;
	*at += s->n;
}

struct run_row *
run_row_new(enum run_what what, const struct pr_ledger_run *run,
    const struct pr_ledger_running *running)
{
	struct run_row row = {.what = what};
	struct run_row *out;
	char *at;

	if (run != NULL)
		row.run = *run;
	if (running != NULL)
		row.running = *running;
	out = pr_xcalloc(1,
	    sizeof *out + row.run.phase.n + row.run.digest.n +
		row.run.container.n + row.running.container.n +
		row.running.started.n + row.running.boot.n);
	*out = row;
	at = out->text;
	put_text(&at, &out->run.phase);
	put_text(&at, &out->run.digest);
	put_text(&at, &out->run.container);
	put_text(&at, &out->running.container);
	put_text(&at, &out->running.started);
	put_text(&at, &out->running.boot);
	return out;
}

static struct kept **
best_slot(struct runs *r, struct pr_str phase, struct pr_str digest)
{
	struct kept **at =
	    &r->best[pr_hash(PR_HASH_SEED, digest.p, digest.n) % BUCKETS];

	while (*at != NULL &&
	    (!pr_str_eq((*at)->row->run.digest, digest) ||
		!pr_str_eq((*at)->row->run.phase, phase)))
		at = &(*at)->next;
	return at;
}

static struct kept **
running_slot(struct runs *r, struct pr_str container)
{
	struct kept **at =
	    &r->running[pr_hash(PR_HASH_SEED, container.p, container.n) %
		BUCKETS];

	while (
	    *at != NULL && !pr_str_eq((*at)->row->running.container, container))
		at = &(*at)->next;
	return at;
}

static struct run_row *
copy(const struct run_row *row)
{
	return run_row_new(row->what, &row->run, &row->running);
}

static bool
put(struct kept **at, size_t *n, size_t most, const struct run_row *row)
{
	if (*at == NULL) {
		if (*n >= most)
			return false;
		*at = pr_xcalloc(1, sizeof **at);
		++*n;
	}
	free((*at)->row);
	(*at)->row = copy(row);
	return true;
}

static bool
take_best(struct runs *r, const struct run_row *row)
{
	struct kept **at = best_slot(r, row->run.phase, row->run.digest);

	/* the longest stays the longest, whoever writes */
	if (*at != NULL && (*at)->row->run.ns >= row->run.ns)
		return false;
	return put(at, &r->n_best, MAX_BEST, row);
}

static bool
take_end(struct runs *r, const struct run_row *row)
{
	struct kept **at = running_slot(r, row->running.container), *k = *at;

	if (k == NULL)
		return false;
	*at = k->next;
	free(k->row);
	free(k);
	r->n_running--;
	return true;
}

bool
runs_take(struct runs *r, const struct run_row *row)
{
	bool took;

	pthread_rwlock_wrlock(&r->lock);
	if (row->what == RUN_BEST)
		took = take_best(r, row);
	else if (row->what == RUN_ENDS)
		took = take_end(r, row);
	else
		took = put(running_slot(r, row->running.container),
		    &r->n_running, MAX_RUNNING, row);
	pthread_rwlock_unlock(&r->lock);
	return took;
}

bool
runs_best(
    struct runs *r, struct pr_str phase, struct pr_str digest, uint64_t *ns)
{
	struct kept *k;

	pthread_rwlock_rdlock(&r->lock);
	k = *best_slot(r, phase, digest);
	*ns = k != NULL ? k->row->run.ns : 0;
	pthread_rwlock_unlock(&r->lock);
	return k != NULL;
}

bool
runs_running(struct runs *r, struct pr_str container, struct pr_str started,
    struct pr_str boot, uint64_t *since)
{
	struct kept *k;
	bool same;

	pthread_rwlock_rdlock(&r->lock);
	k = *running_slot(r, container);
	same = k != NULL && pr_str_eq(k->row->running.started, started) &&
	    pr_str_eq(k->row->running.boot, boot);
	*since = same ? k->row->running.since : 0;
	pthread_rwlock_unlock(&r->lock);
	return same;
}

void
runs_each(struct runs *r, void (*row)(void *arg, const struct pr_ledger_run *),
    void *arg)
{
	pthread_rwlock_rdlock(&r->lock);
	for (size_t i = 0; i < BUCKETS; i++) {
		for (struct kept *k = r->best[i]; k != NULL; k = k->next)
			row(arg, &k->row->run);
	}
	pthread_rwlock_unlock(&r->lock);
}
