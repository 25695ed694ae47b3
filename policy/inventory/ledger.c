/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <portreeve/arena.h>
#include <portreeve/clock.h>
#include <portreeve/ledger.h>
#include <portreeve/log.h>

#include "ledger_db.h"
#include "ledger_runs.h"
#include "ledger_table.h"

#define MAX_ENTRIES ((size_t)262144)
#define MAX_QUEUE   ((size_t)65536)
#define MAX_BATCH   1024
#define MAX_STRING  512          /* an id, a name, a mark */
#define POLL_TIME   (1 * PR_SEC) /* for what other processes wrote */
#define GATHER_TIME (20 * PR_MS)
#define RETRY_TIME  (5 * PR_SEC) /* after a write that failed */

struct op {
	struct op *next;
	uint64_t seq;
	bool forget; /* only e.kind and e.id are read */
	struct entry *entry;
	struct run_row *run; /* instead of an entry */
};

struct pr_ledger {
	struct ledger_db *db; /* the thread's, once it runs */
	int64_t version;      /* of the file that the table was read from */
	pthread_t thread;

	pthread_rwlock_t table_lock; /* taken after lock where both are */
	struct table table;
	atomic_ullong generation;
	struct runs *runs;

	pthread_mutex_t lock;
	pthread_cond_t work, done;
	struct op *first, **last; /* queue */
	size_t queued;
	uint64_t seq, done_seq, failed_seq;
	bool stop;
	bool ill;
	uint64_t retry_at;
	char trouble[256]; /* text of the last failure */
};

static void
table_add_row(void *arg, const struct pr_ledger_entry *e)
{
	table_put(arg, entry_copy(e, 0));
}

static void
touch(struct pr_ledger *l)
{
	atomic_fetch_add(&l->generation, 1);
}

/* ---- the writer's thread ---- */

static void
op_free(struct op *op)
{
	free(op->entry);
	free(op->run);
	free(op);
}

/* Takes up to MAX_BATCH operations off the queue; lock held. */
static struct op *
take_batch(struct pr_ledger *l)
{
	struct op *batch = l->first, **end = &l->first;
	size_t n = 0;

	while (*end != NULL && n < MAX_BATCH) {
		end = &(*end)->next;
		n++;
	}
	l->first = *end;
	*end = NULL;
	if (l->first == NULL)
		l->last = &l->first;
	l->queued -= n;
	return batch;
}

static int
write_batch(struct pr_ledger *l, const struct op *batch, struct pr_err **err)
{
	int rc = ledger_db_begin(l->db, err);

	for (const struct op *op = batch; op != NULL && rc == 0; op = op->next)
		rc = op->run != NULL ? ledger_db_run(l->db, op->run, err)
		    : op->forget ? ledger_db_forget(l->db, op->entry->e.kind,
				       op->entry->e.id, err)
				 : ledger_db_put(l->db, &op->entry->e, err);
	if (rc == 0)
		rc = ledger_db_commit(l->db, err);
	if (rc != 0)
		ledger_db_rollback(l->db);
	return rc;
}

/* What the disk did not take is nobody's in memory either. */
static void
take_back(struct pr_ledger *l, const struct op *batch)
{
	pthread_rwlock_wrlock(&l->table_lock);
	for (const struct op *op = batch; op != NULL; op = op->next) {
		/* a running time is true, and is written again each minute */
		if (op->run != NULL)
			continue;

		struct entry **at =
		    table_slot(&l->table, op->entry->e.kind, op->entry->e.id);

		if (!op->forget && *at != NULL && (*at)->seq == op->seq)
			table_remove(&l->table, at);
	}
	touch(l);
	pthread_rwlock_unlock(&l->table_lock);
}

/* lock held */
static void
note_trouble(struct pr_ledger *l, const struct pr_err *err)
{
	if (!l->ill)
		pr_log(PR_LOG_ERROR,
		    "%s; what is made from now on is nobody's until it "
		    "recovers",
		    pr_err_text(err));
	l->ill = true;
	l->retry_at = pr_clock_now() + RETRY_TIME;
	snprintf(l->trouble, sizeof l->trouble, "%s", pr_err_text(err));
}

/* After a failure: forgets stay in the queue's front, puts are dropped. */
static void
drop_puts(struct pr_ledger *l, struct op *batch)
{
	struct op *stay = NULL, **end = &stay;
	size_t n = 0;

	for (struct op *op = batch, *next; op != NULL; op = next) {
		next = op->next;
		if (!op->forget) {
			op_free(op);
			continue;
		}
		op->next = NULL;
		*end = op;
		end = &op->next;
		n++;
	}
	if (n == 0)
		return;
	*end = l->first;
	if (l->first == NULL)
		l->last = end;
	l->first = stay;
	l->queued += n;
}

static void
finish_batch(
    struct pr_ledger *l, struct op *batch, int rc, const struct pr_err *err)
{
	uint64_t seq = 0;

	for (const struct op *op = batch; op != NULL; op = op->next)
		seq = op->seq > seq ? op->seq : seq;
	if (rc != 0)
		take_back(l, batch);

	pthread_mutex_lock(&l->lock);
	if (seq > l->done_seq)
		l->done_seq = seq;
	if (rc != 0) {
		l->failed_seq = seq;
		note_trouble(l, err);
		drop_puts(l, batch);
		batch = NULL;
	}
	pthread_cond_broadcast(&l->done);
	pthread_mutex_unlock(&l->lock);
	for (struct op *next; batch != NULL; batch = next) {
		next = batch->next;
		op_free(batch);
	}
}

/* Replays what is queued on a table read from disk; lock held. */
static void
replay(const struct pr_ledger *l, struct table *t)
{
	for (const struct op *op = l->first; op != NULL; op = op->next) {
		if (op->run != NULL)
			continue;

		struct entry **at =
		    table_slot(t, op->entry->e.kind, op->entry->e.id);

		if (!op->forget)
			table_put(t, entry_copy(&op->entry->e, op->seq));
		else if (*at != NULL)
			table_remove(t, at);
	}
}

/* Another process (portreeve adopt) has written: reads all again. */
static void
reload(struct pr_ledger *l)
{
	PR_CLEANUP(pr_err_freep) struct pr_err *err = NULL;
	struct table fresh, old;

	table_init(&fresh);
	if (ledger_db_each(l->db, table_add_row, &fresh, &err) < 0 ||
	    ledger_db_each_run(l->db, l->runs, false, &err) < 0) {
		pr_log(
		    PR_LOG_ERROR, "%s; what was known stays", pr_err_text(err));
		table_fini(&fresh);
		return;
	}
	pthread_mutex_lock(&l->lock);
	replay(l, &fresh);
	pthread_rwlock_wrlock(&l->table_lock);
	old = l->table;
	l->table = fresh;
	touch(l);
	pthread_rwlock_unlock(&l->table_lock);
	pthread_mutex_unlock(&l->lock);
	table_fini(&old);
}

static void
recover(struct pr_ledger *l)
{
	PR_CLEANUP(pr_err_freep) struct pr_err *err = NULL;
	int rc = ledger_db_probe(l->db, &err);

	pthread_mutex_lock(&l->lock);
	if (rc == 0) {
		l->ill = false;
		pr_log(PR_LOG_NOTICE, "the ledger can be written again");
	} else {
		note_trouble(l, err);
	}
	pthread_mutex_unlock(&l->lock);
}

/* Waits for work, for at most POLL_TIME.  Lock held. */
static void
await_work(struct pr_ledger *l)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += (time_t)(POLL_TIME / PR_SEC);
	while (!l->stop && (l->first == NULL || l->ill))
		if (pthread_cond_timedwait(&l->work, &l->lock, &until) != 0)
			break;
}

/*
 * Lets a batch gather for a moment: one commit for many.  Nobody waits for
 * it but pr_ledger_flush, which can.  Lock held.
 */
static void
gather(struct pr_ledger *l)
{
	struct timespec until;
	uint64_t ns;

	if (l->first == NULL || l->stop)
		return;
	clock_gettime(CLOCK_MONOTONIC, &until);
	ns = (uint64_t)until.tv_nsec + GATHER_TIME;
	until.tv_sec += (time_t)(ns / PR_SEC);
	until.tv_nsec = (long)(ns % PR_SEC);
	while (
	    !l->stop && pthread_cond_timedwait(&l->work, &l->lock, &until) == 0)
		continue;
}

static void *
writer(void *arg)
{
	struct pr_ledger *l = arg;
	bool stop = false;

	while (!stop) {
		PR_CLEANUP(pr_err_freep) struct pr_err *err = NULL;

		pthread_mutex_lock(&l->lock);
		await_work(l);
		gather(l);
		bool ill = l->ill && pr_clock_now() < l->retry_at;
		bool probe = l->ill && !ill;
		struct op *batch = ill || probe ? NULL : take_batch(l);

		stop = l->stop && (l->first == NULL || l->ill);
		pthread_mutex_unlock(&l->lock);

		if (batch != NULL) {
			int rc = write_batch(l, batch, &err);

			finish_batch(l, batch, rc, err);
		}
		if (probe)
			recover(l);
		int64_t now = ledger_db_version(l->db);

		if (now != l->version) {
			l->version = now;
			reload(l);
		}
	}
	return NULL;
}

/* ---- the outside ---- */

static void
init_locks(struct pr_ledger *l)
{
	pthread_condattr_t attr;

	pthread_mutex_init(&l->lock, NULL);
	pthread_rwlock_init(&l->table_lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&l->work, &attr);
	pthread_cond_init(&l->done, &attr);
	pthread_condattr_destroy(&attr);
}

static void
ledger_free(struct pr_ledger *l)
{
	for (struct op *next; l->first != NULL; l->first = next) {
		next = l->first->next;
		op_free(l->first);
	}
	table_fini(&l->table);
	runs_free(l->runs);
	ledger_db_close(l->db);
	pthread_mutex_destroy(&l->lock);
	pthread_rwlock_destroy(&l->table_lock);
	pthread_cond_destroy(&l->work);
	pthread_cond_destroy(&l->done);
	free(l);
}

struct pr_ledger *
pr_ledger_open(const char *path, struct pr_err **err)
{
	struct ledger_db *db = ledger_db_open(path, err);

	if (db == NULL)
		return NULL;
	struct pr_ledger *l = pr_xcalloc(1, sizeof *l);

	l->db = db;
	l->last = &l->first;
	init_locks(l);
	table_init(&l->table);
	l->runs = runs_new();
	l->version = ledger_db_version(db);
	if (ledger_db_each(db, table_add_row, &l->table, err) < 0 ||
	    ledger_db_each_run(db, l->runs, true, err) < 0) {
		ledger_free(l);
		return NULL;
	}
	if (pthread_create(&l->thread, NULL, writer, l) != 0) {
		pr_err_set(err, PR_ERR_IO, 0, "ledger: cannot start a thread");
		ledger_free(l);
		return NULL;
	}
	return l;
}

void
pr_ledger_close(struct pr_ledger *l)
{
	if (l == NULL)
		return;
	pthread_mutex_lock(&l->lock);
	l->stop = true;
	pthread_cond_signal(&l->work);
	pthread_mutex_unlock(&l->lock);
	pthread_join(l->thread, NULL);
	ledger_free(l);
}

/* Puts an operation in the queue, taking the entry over; lock held. */
static void
enqueue_op(struct pr_ledger *l, struct op *op)
{
	op->seq = ++l->seq;
	/* the writer sleeps only while there is nothing to do */
	if (l->first == NULL)
		pthread_cond_signal(&l->work);
	*l->last = op;
	l->last = &op->next;
	l->queued++;
}

static void
enqueue(struct pr_ledger *l, struct entry *e, bool forget)
{
	struct op *op = pr_xcalloc(1, sizeof *op);

	op->forget = forget;
	op->entry = e;
	enqueue_op(l, op);
	e->seq = op->seq;
}

static bool
has_nul(struct pr_str s)
{
	return s.n > 0 && memchr(s.p, '\0', s.n) != NULL;
}

static int
check_entry(const struct pr_ledger_entry *e, struct pr_err **err)
{
	const struct pr_str all[] = {
	    e->id, e->name, e->created, e->team, e->phase, e->decision};

	for (size_t i = 0; i < PR_COUNT(all); i++)
		if (all[i].n > MAX_STRING || has_nul(all[i]))
			return pr_err_set(err, PR_ERR_INVALID, 0,
			    "ledger: a string that it does not take");
	if (e->kind == PR_KIND_NONE || e->kind >= PR_KIND_COUNT ||
	    e->id.n == 0 || e->team.n > PR_LEDGER_NAME ||
	    e->phase.n > PR_LEDGER_NAME)
		return pr_err_set(err, PR_ERR_INVALID, 0,
		    "ledger: an object without kind or id, or a name that is "
		    "too long");
	return 0;
}

/* lock held */
static int
check_room(struct pr_ledger *l, struct pr_err **err)
{
	if (l->ill)
		return pr_err_set(err, PR_ERR_IO, 0, "%s", l->trouble);
	if (l->queued >= MAX_QUEUE)
		return pr_err_set(
		    err, PR_ERR_IO, 0, "ledger: the disk does not keep up");
	pthread_rwlock_rdlock(&l->table_lock);
	bool full = l->table.count >= MAX_ENTRIES;

	pthread_rwlock_unlock(&l->table_lock);
	if (full)
		return pr_err_set(err, PR_ERR_IO, 0,
		    "ledger: full (%zu entries)", MAX_ENTRIES);
	return 0;
}

int
pr_ledger_put(struct pr_ledger *l, const struct pr_ledger_entry *given,
    struct pr_err **err)
{
	struct pr_ledger_entry e = *given;

	if (check_entry(&e, err) < 0)
		return -1;
	if (e.time == 0)
		e.time = pr_clock_wall();

	pthread_mutex_lock(&l->lock);
	int rc = check_room(l, err);

	if (rc == 0) {
		enqueue(l, entry_copy(&e, 0), false);
		pthread_rwlock_wrlock(&l->table_lock);
		table_put(&l->table, entry_copy(&e, l->seq));
		touch(l);
		pthread_rwlock_unlock(&l->table_lock);
	}
	pthread_mutex_unlock(&l->lock);
	return rc;
}

/* Both locks held; at points at an entry. */
static void
forget_at(struct pr_ledger *l, struct entry **at)
{
	struct pr_ledger_entry key = {.kind = (*at)->e.kind, .id = (*at)->e.id};

	enqueue(l, entry_copy(&key, 0), true);
	table_remove(&l->table, at);
}

void
pr_ledger_forget(
    struct pr_ledger *l, enum pr_kind kind, struct pr_str id, int64_t before)
{
	pthread_mutex_lock(&l->lock);
	pthread_rwlock_wrlock(&l->table_lock);
	struct entry **at = table_slot(&l->table, kind, id);

	if (*at != NULL && (*at)->e.time < before) {
		forget_at(l, at);
		touch(l);
	}
	pthread_rwlock_unlock(&l->table_lock);
	pthread_mutex_unlock(&l->lock);
}

void
pr_ledger_prune(struct pr_ledger *l, enum pr_kind kind, int64_t before,
    bool (*exists)(void *arg, struct pr_str id), void *arg)
{
	pthread_mutex_lock(&l->lock);
	pthread_rwlock_wrlock(&l->table_lock);
	for (size_t i = 0; i < l->table.n_buckets; i++) {
		struct entry **at = &l->table.buckets[i];

		while (*at != NULL) {
			const struct pr_ledger_entry *e = &(*at)->e;

			if (e->kind == kind && e->time < before &&
			    !exists(arg, e->id))
				forget_at(l, at);
			else
				at = &(*at)->next;
		}
	}
	touch(l);
	pthread_rwlock_unlock(&l->table_lock);
	pthread_mutex_unlock(&l->lock);
}

/* Kinds whose ids are names that can be used again. */
static bool
id_is_a_name(enum pr_kind kind)
{
	return kind == PR_KIND_VOLUME || kind == PR_KIND_PLUGIN;
}

/* An adopted name gets the mark of the object that bears it now. */
static void
pin(struct pr_ledger *l, enum pr_kind kind, struct pr_str id,
    struct pr_str created)
{
	pthread_mutex_lock(&l->lock);
	pthread_rwlock_wrlock(&l->table_lock);
	struct entry *old = *table_slot(&l->table, kind, id);

	if (old != NULL && old->e.created.n == 0) {
		struct pr_ledger_entry e = old->e;

		e.created = created;
		enqueue(l, entry_copy(&e, 0), false);
		table_put(&l->table, entry_copy(&e, l->seq));
	}
	pthread_rwlock_unlock(&l->table_lock);
	pthread_mutex_unlock(&l->lock);
}

bool
pr_ledger_get(struct pr_ledger *l, enum pr_kind kind, struct pr_str id,
    struct pr_str created, struct pr_ledger_owner *out)
{
	bool found = false, unpinned = false;

	pthread_rwlock_rdlock(&l->table_lock);
	const struct entry *e = *table_slot(&l->table, kind, id);

	if (e != NULL) {
		unpinned = id_is_a_name(kind) && e->e.created.n == 0 &&
		    created.n > 0 && created.n <= MAX_STRING;
		found = !id_is_a_name(kind) || unpinned ||
		    pr_str_eq(e->e.created, created);
	}
	if (found) {
		memset(out, 0, sizeof *out);
		memcpy(out->team, e->e.team.p, e->e.team.n);
		memcpy(out->phase, e->e.phase.p, e->e.phase.n);
		out->how = e->e.how;
	}
	pthread_rwlock_unlock(&l->table_lock);
	if (unpinned)
		pin(l, kind, id, created);
	return found;
}

int
pr_ledger_flush(struct pr_ledger *l, struct pr_err **err)
{
	int rc = 0;

	pthread_mutex_lock(&l->lock);
	uint64_t until = l->seq, before = l->done_seq;

	pthread_cond_signal(&l->work);
	while (l->done_seq < until && !l->ill)
		pthread_cond_wait(&l->done, &l->lock);
	if (l->ill || l->failed_seq > before)
		rc = pr_err_set(err, PR_ERR_IO, 0, "%s", l->trouble);
	pthread_mutex_unlock(&l->lock);
	return rc;
}

void
pr_ledger_each(struct pr_ledger *l,
    void (*row)(void *arg, const struct pr_ledger_entry *e), void *arg)
{
	pthread_rwlock_rdlock(&l->table_lock);
	for (size_t i = 0; i < l->table.n_buckets; i++)
		for (struct entry *e = l->table.buckets[i]; e != NULL;
		     e = e->next)
			row(arg, &e->e);
	pthread_rwlock_unlock(&l->table_lock);
}

uint64_t
pr_ledger_generation(struct pr_ledger *l)
{
	return atomic_load(&l->generation);
}

bool
pr_ledger_healthy(struct pr_ledger *l)
{
	pthread_mutex_lock(&l->lock);
	bool ok = !l->ill;

	pthread_mutex_unlock(&l->lock);
	return ok;
}

size_t
pr_ledger_count(struct pr_ledger *l)
{
	pthread_rwlock_rdlock(&l->table_lock);
	size_t n = l->table.count;

	pthread_rwlock_unlock(&l->table_lock);
	return n;
}

/* ---- runs ---- */

/* Takes the row over. */
static int
put_run(struct pr_ledger *l, struct run_row *row, struct pr_err **err)
{
	struct op *op;
	int rc = 0;

	if (!runs_take(l->runs, row)) {
		free(row);
		return 0;
	}
	pthread_mutex_lock(&l->lock);
	if (l->queued >= MAX_QUEUE || l->ill) {
		rc = pr_err_set(
		    err, PR_ERR_IO, 0, "ledger: the disk does not keep up");
		free(row);
	} else {
		op = pr_xcalloc(1, sizeof *op);
		op->run = row;
		/* an end must reach the disk, as a forgetting must */
		op->forget = row->what == RUN_ENDS;
		enqueue_op(l, op);
	}
	pthread_mutex_unlock(&l->lock);
	return rc;
}

static bool
is_text(struct pr_str s)
{
	return s.n > 0 && s.n <= MAX_STRING && !has_nul(s);
}

int
pr_ledger_run_put(
    struct pr_ledger *l, const struct pr_ledger_run *run, struct pr_err **err)
{
	if (!is_text(run->phase) || !is_text(run->digest) ||
	    !is_text(run->container) || run->ns > INT64_MAX)
		return pr_err_set(
		    err, PR_ERR_INVALID, 0, "ledger: a run that is none");
	return put_run(l, run_row_new(RUN_BEST, run, NULL), err);
}

int
pr_ledger_running_put(
    struct pr_ledger *l, const struct pr_ledger_running *r, struct pr_err **err)
{
	if (!is_text(r->container) || !is_text(r->started) ||
	    !is_text(r->boot) || r->since > INT64_MAX)
		return pr_err_set(
		    err, PR_ERR_INVALID, 0, "ledger: a run that is none");
	return put_run(l, run_row_new(RUN_BEGINS, NULL, r), err);
}

void
pr_ledger_running_end(struct pr_ledger *l, struct pr_str container)
{
	struct pr_ledger_running r = {.container = container};

	/* a row that stays names a run that will not be met again */
	(void)put_run(l, run_row_new(RUN_ENDS, NULL, &r), NULL);
}

bool
pr_ledger_ran(struct pr_ledger *l, struct pr_str phase, struct pr_str digest,
    uint64_t *ns)
{
	return runs_best(l->runs, phase, digest, ns);
}

void
pr_ledger_runs_each(struct pr_ledger *l,
    void (*row)(void *arg, const struct pr_ledger_run *run), void *arg)
{
	runs_each(l->runs, row, arg);
}

bool
pr_ledger_running_since(struct pr_ledger *l, struct pr_str container,
    struct pr_str started, struct pr_str boot, uint64_t *since)
{
	return runs_running(l->runs, container, started, boot, since);
}
