/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cache in front of a directory, and the thread that keeps it fresh.
 *
 *   lookup ── fresh, or stale enough ──────────────► answer
 *      └───── else: one caller asks the backend, the others of the same
 *             subject wait for it; the lock of the shard is not held then
 *   use in the last quarter of a ttl, or of a stale answer
 *      └───── queue ── thread ── backend ── cache
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <portreeve/clock.h>
#include <portreeve/log.h>

#include "cache.h"
#include "local.h"

#define REREADS_A_SECOND 20
#define RETRY_MAX        (2 * PR_SEC)
/* An answer younger than this is not improved by asking again. */
#define REREAD_MIN_AGE   (500 * PR_MS)

struct pr_directory {
	struct pr_arena *arena;
	const struct pr_directory_config *c;
	const struct backend_ops *ops;
	void *backend;
	unsigned _Atomic epoch; /* answers of an older one are not kept */
	struct shard shard[SHARDS];
	/* the queue of the thread */
	pthread_mutex_t lock;
	pthread_cond_t work;
	struct entry *first, *last;
	bool closing;
	pthread_t thread;
	/* the global rate of re-reads, under lock */
	uint64_t reread_second;
	unsigned rereads;
};

static uint64_t
ttl_of(const struct pr_directory *d, const struct pr_membership *m)
{
	return m->found ? d->c->cache.ttl : d->c->cache.negative_ttl;
}

/* ns since the end of its ttl; 0: fresh. */
static uint64_t
staleness(
    const struct pr_directory *d, const struct pr_membership *m, uint64_t now)
{
	uint64_t age = now > m->fetched_at ? now - m->fetched_at : 0;
	uint64_t ttl = ttl_of(d, m);

	return age > ttl ? age - ttl : 0;
}

/*
 * Under the shard's lock, when a cached answer is used: read again in the
 * background what is stale or in the last quarter of its ttl, so that who
 * works all day never waits.
 */
static void
read_ahead(struct pr_directory *d, struct entry *e, uint64_t now)
{
	uint64_t ttl = ttl_of(d, e->m), retry = d->c->cache.negative_ttl;

	if (retry > RETRY_MAX)
		retry = RETRY_MAX;
	if (e->queued != NULL || e->busy ||
	    now < e->m->fetched_at + ttl - ttl / 4 ||
	    (e->ahead_at > 0 && now < e->ahead_at + retry))
		return;
	e->pins++;
	e->ahead_at = now;
	e->queued = e;
	pthread_mutex_lock(&d->lock);
	if (d->last != NULL)
		d->last->queued = e;
	else
		d->first = e;
	d->last = e;
	pthread_cond_signal(&d->work);
	pthread_mutex_unlock(&d->lock);
}

static int
take_fresh(struct entry *e, struct pr_directory_answer *out)
{
	e->used_at = e->m->fetched_at;
	out->m = pr_membership_ref(e->m);
	out->stale = 0;
	return 0;
}

/* A failure of the subject, not of the servers: asking at once is no use. */
static bool
will_fail_again(const struct pr_err *err)
{
	return err->code == PR_ERR_INVALID;
}

static int
copy_error(struct pr_err **err, const struct pr_err *from)
{
	return pr_err_set(err, from->code, from->errnum, "%s", from->text);
}

static int
too_late(struct pr_err **err)
{
	return pr_err_set(err, PR_ERR_TIMEOUT, 0,
	    "the directory did not answer before the deadline");
}

/* The subject's own filter must be whole before it is put beside ours. */
static int
check_filter(struct pr_str filter, struct pr_err **err)
{
	PR_CLEANUP(pr_arena_freep) struct pr_arena *a = NULL;
	struct filter f;
	const char *why;
	size_t at;

	if (filter.n == 0)
		return 0;
	a = pr_arena_new(1024);
	if (dir_filter_parse(a, filter, &f, &at, &why))
		return 0;
	return pr_err_set(err, PR_ERR_INVALID, 0,
	    "the subject's search filter, after %zu bytes: %s", at, why);
}

/* An answer from before a reload is asked for again. */
static int
fetch(struct pr_directory *d, const struct entry *e, uint64_t deadline,
    const struct pr_membership **m, struct pr_err **err)
{
	if (check_filter(e->filter, err) < 0)
		return -1;
	for (;;) {
		unsigned epoch = d->epoch;

		if (d->ops->fetch(
			d->backend, e->name, e->filter, deadline, m, err) < 0)
			return -1;
		if (epoch == d->epoch)
			return 0;
		pr_membership_unrefp(m);
		if (pr_clock_now() >= deadline)
			return too_late(err);
	}
}

/*
 * Asks the backend for an entry that is pinned and not busy.  The shard's
 * lock is held on entry and on return.  A failure leaves what is known.
 */
static int
ask(struct pr_directory *d, struct shard *s, struct entry *e, uint64_t deadline,
    struct pr_err **err)
{
	const struct pr_membership *m = NULL;
	struct pr_err *failure = NULL;
	int rc;

	e->busy = true;
	pthread_mutex_unlock(&s->lock);
	rc = fetch(d, e, deadline, &m, &failure);
	pthread_mutex_lock(&s->lock);
	e->busy = false;
	pthread_cond_broadcast(&s->answered);
	pr_err_freep(&e->failure);
	e->failed_at = 0;
	if (rc == 0) {
		pr_membership_unref(e->m);
		e->m = m;
		e->reads++;
		return 0;
	}
	e->failures++;
	if (will_fail_again(failure))
		e->failed_at = pr_clock_now();
	copy_error(err, failure);
	e->failure = failure;
	return -1;
}

/* Waits until the entry is not busy.  -1: the deadline passed. */
static int
wait_for_other(struct shard *s, const struct entry *e, uint64_t deadline)
{
	while (e->busy) {
		if (dir_wait_until(&s->answered, &s->lock, deadline) < 0)
			return -1;
	}
	return 0;
}

/* lookup, for a pinned entry under the shard's lock */
static int
answer(struct pr_directory *d, struct shard *s, struct entry *e,
    uint64_t stale_ok, uint64_t deadline, struct pr_directory_answer *out,
    struct pr_err **err)
{
	unsigned failures = e->failures, reads = e->reads;

	for (;;) {
		uint64_t now = pr_clock_now();

		if (e->m != NULL && staleness(d, e->m, now) <= stale_ok) {
			e->used_at = now;
			out->m = pr_membership_ref(e->m);
			out->stale = staleness(d, e->m, now);
			read_ahead(d, e, now);
			return 0;
		}
		if (e->m != NULL && e->reads != reads)
			return take_fresh(e, out);
		if (e->failure != NULL &&
		    (e->failures != failures ||
			(e->failed_at > 0 &&
			    now < e->failed_at + d->c->cache.negative_ttl)))
			return copy_error(err, e->failure);
		if (now >= deadline)
			return too_late(err);
		if (e->busy) {
			if (wait_for_other(s, e, deadline) < 0)
				return too_late(err);
			continue;
		}
		if (ask(d, s, e, deadline, err) < 0)
			return -1;
		return take_fresh(e, out);
	}
}

static struct entry *
pin(struct pr_directory *d, struct pr_str name, struct pr_str filter,
    struct shard **s)
{
	uint64_t hash = dir_cache_hash(name, filter);
	struct entry *e;

	*s = dir_cache_shard(d->shard, hash);
	pthread_mutex_lock(&(*s)->lock);
	e = dir_cache_find(*s, hash, name, filter);
	if (e == NULL)
		e = dir_cache_add(*s, hash, name, filter);
	e->pins++;
	return e;
}

static void
unpin(struct shard *s, struct entry *e)
{
	e->pins--;
	pthread_mutex_unlock(&s->lock);
}

int
pr_directory_lookup(struct pr_directory *d, struct pr_str name,
    struct pr_str filter, uint64_t stale_ok, uint64_t deadline,
    struct pr_directory_answer *out, struct pr_err **err)
{
	struct shard *s;
	struct entry *e;
	int rc;

	*out = (struct pr_directory_answer){0};
	if (!dir_name_is_sane(name)) {
		out->m = dir_membership_none(PR_STR("not asked"), false);
		return 0;
	}
	e = pin(d, name, filter, &s);
	rc = answer(d, s, e, stale_ok, deadline, out, err);
	unpin(s, e);
	return rc;
}

const struct pr_membership *
pr_directory_peek(
    struct pr_directory *d, struct pr_str name, struct pr_str filter)
{
	const struct pr_membership *m = NULL;
	uint64_t hash = dir_cache_hash(name, filter);
	uint64_t now = pr_clock_now();
	struct shard *s = dir_cache_shard(d->shard, hash);
	struct entry *e;

	pthread_mutex_lock(&s->lock);
	e = dir_cache_find(s, hash, name, filter);
	if (e != NULL && e->m != NULL && staleness(d, e->m, now) == 0) {
		e->used_at = now;
		m = pr_membership_ref(e->m);
		read_ahead(d, e, now);
	}
	pthread_mutex_unlock(&s->lock);
	return m;
}

static bool
reread_allowed(struct pr_directory *d, uint64_t now)
{
	bool ok;

	pthread_mutex_lock(&d->lock);
	if (d->reread_second != now / PR_SEC) {
		d->reread_second = now / PR_SEC;
		d->rereads = 0;
	}
	ok = d->rereads < REREADS_A_SECOND;
	d->rereads += ok;
	pthread_mutex_unlock(&d->lock);
	return ok;
}

/* Somebody asks right now: the answer is as new as ours would be. */
static int
share_reread(struct shard *s, struct entry *e, uint64_t deadline,
    struct pr_directory_answer *out, struct pr_err **err)
{
	unsigned reads = e->reads;

	if (wait_for_other(s, e, deadline) < 0)
		return too_late(err);
	if (e->m != NULL && e->reads != reads)
		return take_fresh(e, out);
	return e->failure != NULL ? copy_error(err, e->failure) : 1;
}

/* refresh, for a pinned entry under the shard's lock */
static int
reread(struct pr_directory *d, struct shard *s, struct entry *e,
    uint64_t deadline, struct pr_directory_answer *out, struct pr_err **err)
{
	uint64_t now = pr_clock_now();

	if (e->busy)
		return share_reread(s, e, deadline, out, err);
	if ((e->reread_at > 0 &&
		now < e->reread_at + d->c->cache.negative_ttl) ||
	    (e->m != NULL && now < e->m->fetched_at + REREAD_MIN_AGE) ||
	    !reread_allowed(d, now))
		return 1;
	e->reread_at = now;
	if (ask(d, s, e, deadline, err) < 0)
		return -1;
	return take_fresh(e, out);
}

int
pr_directory_refresh(struct pr_directory *d, struct pr_str name,
    struct pr_str filter, uint64_t deadline, struct pr_directory_answer *out,
    struct pr_err **err)
{
	struct shard *s;
	struct entry *e;
	int rc;

	*out = (struct pr_directory_answer){0};
	if (!dir_name_is_sane(name)) {
		out->m = dir_membership_none(PR_STR("not asked"), false);
		return 0;
	}
	e = pin(d, name, filter, &s);
	rc = reread(d, s, e, deadline, out, err);
	unpin(s, e);
	return rc;
}

bool
pr_directory_ready(struct pr_directory *d, struct pr_buf *why)
{
	return d->ops->ready(d->backend, why);
}

/* The next entry to read again, with its pin; NULL when closing. */
static struct entry *
next_queued(struct pr_directory *d)
{
	struct entry *e = NULL;

	pthread_mutex_lock(&d->lock);
	while (!d->closing && d->first == NULL)
		pthread_cond_wait(&d->work, &d->lock);
	if (!d->closing) {
		e = d->first;
		d->first = e == d->last ? NULL : e->queued;
		if (d->first == NULL)
			d->last = NULL;
	}
	pthread_mutex_unlock(&d->lock);
	return e;
}

static void *
keep_fresh(void *arg)
{
	struct pr_directory *d = arg;
	struct entry *e;

	while ((e = next_queued(d)) != NULL) {
		struct shard *s = dir_cache_shard(d->shard, e->hash);
		uint64_t patience =
		    d->c->timeouts.connect + 4 * d->c->timeouts.search;

		pthread_mutex_lock(&s->lock);
		e->queued = NULL;
		if (!e->busy &&
		    ask(d, s, e, pr_clock_now() + patience, NULL) < 0)
			pr_log(PR_LOG_DEBUG, "directory: %s",
			    pr_err_text(e->failure));
		unpin(s, e);
	}
	return NULL;
}

static void
init_locks(struct pr_directory *d)
{
	for (size_t i = 0; i < SHARDS; i++) {
		pthread_mutex_init(&d->shard[i].lock, NULL);
		dir_cond_init(&d->shard[i].answered);
	}
	pthread_mutex_init(&d->lock, NULL);
	dir_cond_init(&d->work);
}

static struct pr_directory *
open_with(const struct pr_directory_config *c, const struct pr_str *text,
    struct pr_diags *ds)
{
	struct pr_directory *d = aligned_alloc(64, (sizeof *d + 63) / 64 * 64);

	if (d == NULL)
		abort();
	memset(d, 0, sizeof *d);
	d->arena = pr_arena_new(4096);
	d->c = dir_config_copy(d->arena, c);
	init_locks(d);
	if (text != NULL || c->type == PR_DIRECTORY_LDIF) {
		d->ops = &dir_people_backend;
		d->backend = text != NULL
		    ? dir_people_open_text(d->c, *text, ds)
		    : dir_people_open(d->c, ds);
	} else {
		d->ops = &dir_ldap_backend;
		d->backend = dir_ldap_open(d->c, ds);
	}
	if (d->backend != NULL &&
	    dir_thread_start(&d->thread, keep_fresh, d) != 0) {
		pr_diags_add(ds, PR_ERROR, c->loc, NULL,
		    "directory: no thread can be started");
		d->ops->close(pr_take(&d->backend));
	}
	if (d->backend == NULL) {
		pr_arena_free(d->arena);
		free(d);
		return NULL;
	}
	return d;
}

struct pr_directory *
pr_directory_open(const struct pr_directory_config *c, struct pr_diags *ds)
{
	return open_with(c, NULL, ds);
}

struct pr_directory *
pr_directory_open_ldif(const struct pr_directory_config *c, struct pr_str text,
    struct pr_diags *ds)
{
	return open_with(c, &text, ds);
}

int
pr_directory_reload(struct pr_directory *d, struct pr_diags *ds)
{
	if (d->ops->reload(d->backend, ds) < 0)
		return -1;
	d->epoch++;
	for (size_t i = 0; i < SHARDS; i++) {
		pthread_mutex_lock(&d->shard[i].lock);
		dir_cache_forget(&d->shard[i], false);
		pthread_mutex_unlock(&d->shard[i].lock);
	}
	return 0;
}

void
pr_directory_close(struct pr_directory *d)
{
	if (d == NULL)
		return;
	pthread_mutex_lock(&d->lock);
	d->closing = true;
	pthread_cond_signal(&d->work);
	pthread_mutex_unlock(&d->lock);
	pthread_join(d->thread, NULL);
	d->ops->close(d->backend);
	for (size_t i = 0; i < SHARDS; i++) {
		dir_cache_forget(&d->shard[i], true);
		pthread_mutex_destroy(&d->shard[i].lock);
		pthread_cond_destroy(&d->shard[i].answered);
	}
	pthread_mutex_destroy(&d->lock);
	pthread_cond_destroy(&d->work);
	pr_arena_free(d->arena);
	free(d);
}
