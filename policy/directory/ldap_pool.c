/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connections, shared.  Callers never connect themselves: a name that does
 * not resolve or a server that is a black hole would hold them longer than
 * they may be held.  One thread connects; callers wait until their deadline.
 *
 *            connected                    every server failed
 *   START ────────────► UP ◄──────────────────────────────────┐
 *     └───────────────► DOWN: callers fail at once, the thread tries again
 *                             every negative_ttl, at most 2 s ┘
 */
#include <stdlib.h>
#include <string.h>

#include <portreeve/clock.h>
#include <portreeve/log.h>

#include "ldap_local.h"

#define CONNS_MAX  4
#define RETRY_MAX  (2 * PR_SEC)
#define CLOSE_WAIT (3 * PR_SEC)

struct pool {
	struct pr_arena *arena;
	const struct pr_directory_config *c; /* our own copy */
	uint64_t retry;
	pthread_mutex_t lock; /* of all that follows */
	pthread_cond_t come;  /* for callers */
	pthread_cond_t work;  /* for the thread */
	pthread_cond_t gone;  /* the thread has ended */
	struct conn *idle;
	unsigned n_idle, n_all; /* n_all: idle and taken */
	unsigned waiters;
	unsigned generation;
	uint64_t *bad_until; /* for each URI */
	uint64_t next_try;   /* not before, after a failure */
	bool wanted;         /* connect although nobody waits */
	bool down;
	struct pr_err *why; /* why it is down */
	bool closing, ended;
};

static void
pool_free(struct pool *p)
{
	pthread_mutex_destroy(&p->lock);
	pthread_cond_destroy(&p->come);
	pthread_cond_destroy(&p->work);
	pthread_cond_destroy(&p->gone);
	pr_err_free(p->why);
	free(p->bad_until);
	pr_arena_free(p->arena);
	free(p);
}

/* Takes idle connections out that `uri` says (n_uri: all), to be closed. */
static struct conn *
take_idle(struct pool *p, size_t uri)
{
	struct conn *out = NULL, **at = &p->idle;

	while (*at != NULL) {
		struct conn *c = *at;

		if (uri != p->c->n_uri && c->uri != uri) {
			at = &c->next;
			continue;
		}
		*at = c->next;
		c->next = out;
		out = c;
		p->n_idle--;
		p->n_all--;
	}
	return out;
}

static void
close_list(struct conn *c)
{
	while (c != NULL) {
		struct conn *next = c->next;

		dir_conn_close(c);
		c = next;
	}
}

/* An idle connection that works, or NULL. */
static struct conn *
pop_idle(struct pool *p)
{
	while (p->idle != NULL) {
		struct conn *c = p->idle;

		p->idle = c->next;
		p->n_idle--;
		if (c->generation == p->generation && dir_conn_is_alive(c))
			return c;
		p->n_all--;
		dir_conn_close(c);
	}
	return NULL;
}

struct conn *
dir_pool_take(struct pool *p, uint64_t deadline, struct pr_err **err)
{
	struct conn *c = NULL;
	bool late = false;

	pthread_mutex_lock(&p->lock);
	for (;;) {
		c = pop_idle(p);
		if (c != NULL || p->down || late || p->closing)
			break;
		p->waiters++;
		pthread_cond_signal(&p->work);
		late = dir_wait_until(&p->come, &p->lock, deadline) < 0;
		p->waiters--;
	}
	if (c == NULL && p->down)
		pr_err_set(
		    err, p->why->code, p->why->errnum, "%s", p->why->text);
	else if (c == NULL)
		pr_err_set(err, PR_ERR_TIMEOUT, 0,
		    "no connection to a directory server in time");
	pthread_mutex_unlock(&p->lock);
	return c;
}

void
dir_pool_put(struct pool *p, struct conn *c)
{
	struct conn *close = NULL;

	pthread_mutex_lock(&p->lock);
	if (c->dead || c->generation != p->generation || p->closing) {
		p->n_all--;
		if (c->timed_out) {
			/* its other connections would time out as well */
			p->bad_until[c->uri] = pr_clock_now() + p->retry;
			close = take_idle(p, c->uri);
		}
		c->next = close;
		close = c;
		pthread_cond_signal(&p->work);
	} else {
		c->next = p->idle;
		p->idle = c;
		p->n_idle++;
		pthread_cond_signal(&p->come);
	}
	pthread_mutex_unlock(&p->lock);
	close_list(close);
}

void
dir_pool_renew(struct pool *p)
{
	struct conn *close;

	pthread_mutex_lock(&p->lock);
	p->generation++;
	memset(p->bad_until, 0, p->c->n_uri * sizeof *p->bad_until);
	p->next_try = 0;
	p->wanted = true;
	close = take_idle(p, p->c->n_uri);
	pthread_cond_signal(&p->work);
	pthread_mutex_unlock(&p->lock);
	close_list(close);
}

bool
dir_pool_ready(struct pool *p, struct pr_buf *why)
{
	bool ok;

	pthread_mutex_lock(&p->lock);
	ok = !p->down && !(p->wanted && p->n_all == 0);
	if (p->down)
		pr_buf_printf(why, "directory: %s", p->why->text);
	else if (!ok)
		pr_buf_cstr(why, "directory: not connected yet");
	pthread_mutex_unlock(&p->lock);
	return ok;
}

/* Tries one URI, without the lock. */
static struct conn *
try_uri(struct pool *p, size_t i, struct pr_buf *texts, struct pr_err **err)
{
	struct conn *c;

	pr_err_freep(err);
	c = dir_conn_open(p->c, i, err);
	pthread_mutex_lock(&p->lock);
	p->bad_until[i] = c != NULL ? 0 : pr_clock_now() + p->retry;
	pthread_mutex_unlock(&p->lock);
	if (c != NULL)
		return c;
	if (texts->n > 0)
		pr_buf_cstr(texts, "; ");
	pr_buf_cstr(texts, pr_err_text(*err));
	return NULL;
}

/* In order of preference, those that failed a moment ago last. */
static struct conn *
try_all(struct pool *p, struct pr_err **err)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf texts = PR_BUF_INIT;
	bool *tried = pr_xcalloc(p->c->n_uri, sizeof *tried);
	struct conn *c = NULL;

	for (int round = 0; round < 2 && c == NULL; round++) {
		for (size_t i = 0; i < p->c->n_uri && c == NULL; i++) {
			bool bad;

			pthread_mutex_lock(&p->lock);
			bad = p->bad_until[i] > pr_clock_now() || p->closing;
			pthread_mutex_unlock(&p->lock);
			if (tried[i] || (round == 0 && bad))
				continue;
			tried[i] = true;
			c = try_uri(p, i, &texts, err);
		}
	}
	free(tried);
	if (c == NULL)
		pr_err_set(err, *err != NULL ? (*err)->code : PR_ERR_OFFLINE, 0,
		    "%s", texts.n > 0 ? texts.p : "closing");
	return c;
}

static void
went_down(struct pool *p, struct pr_err *err)
{
	p->next_try = pr_clock_now() + p->retry;
	if (p->n_all > 0) {
		/* callers share the connections that there are */
		pr_log(PR_LOG_WARNING, "directory: %s", pr_err_text(err));
		pr_err_free(err);
		return;
	}
	if (!p->down)
		pr_log(PR_LOG_ERROR, "directory is not reachable: %s",
		    pr_err_text(err));
	p->down = true;
	pr_err_free(p->why);
	p->why = err;
}

static void
came_up(struct pool *p, struct conn *c)
{
	if (p->down)
		pr_log(PR_LOG_NOTICE, "directory is reachable again: %s",
		    p->c->uri[c->uri].s);
	p->down = p->wanted = false;
	pr_err_freep(&p->why);
	p->n_all++;
	p->n_idle++;
	c->next = p->idle;
	p->idle = c;
}

/* 0: connect now; else when to look again (UINT64_MAX: when told). */
static uint64_t
when_to_connect(const struct pool *p)
{
	bool want = p->down || p->wanted ||
	    (p->waiters > p->n_idle && p->n_all < CONNS_MAX);

	if (!want)
		return UINT64_MAX;
	return p->next_try > pr_clock_now() ? p->next_try : 0;
}

static void *
keep_connected(void *arg)
{
	struct pool *p = arg;
	bool free_it;

	pthread_mutex_lock(&p->lock);
	while (!p->closing) {
		uint64_t when = when_to_connect(p);
		unsigned generation = p->generation;
		struct pr_err *err = NULL;
		struct conn *c;

		if (when > 0) {
			if (when == UINT64_MAX)
				pthread_cond_wait(&p->work, &p->lock);
			else
				dir_wait_until(&p->work, &p->lock, when);
			continue;
		}
		pthread_mutex_unlock(&p->lock);
		c = try_all(p, &err);
		pthread_mutex_lock(&p->lock);
		if (c != NULL) {
			c->generation = generation;
			pr_err_free(err);
			came_up(p, c);
		} else {
			went_down(p, err);
		}
		pthread_cond_broadcast(&p->come);
	}
	p->ended = true;
	free_it = p->waiters == UINT32_MAX; /* nobody waits for us any more */
	pthread_cond_broadcast(&p->gone);
	pthread_mutex_unlock(&p->lock);
	if (free_it)
		pool_free(p);
	return NULL;
}

struct pool *
dir_pool_new(const struct pr_directory_config *c)
{
	struct pool *p = pr_xcalloc(1, sizeof *p);
	pthread_t thread;

	p->arena = pr_arena_new(1024);
	p->c = dir_config_copy(p->arena, c);
	p->retry = c->cache.negative_ttl < RETRY_MAX ? c->cache.negative_ttl
						     : RETRY_MAX;
	p->bad_until = pr_xcalloc(c->n_uri, sizeof *p->bad_until);
	p->wanted = true;
	pthread_mutex_init(&p->lock, NULL);
	dir_cond_init(&p->come);
	dir_cond_init(&p->work);
	dir_cond_init(&p->gone);
	if (dir_thread_start(&thread, keep_connected, p) != 0) {
		pool_free(p);
		return NULL;
	}
	pthread_detach(thread);
	return p;
}

/*
 * The thread may be in a name server's hands for long; after CLOSE_WAIT it
 * is left to clean up alone.
 */
void
dir_pool_close(struct pool *p)
{
	uint64_t until = pr_clock_now() + CLOSE_WAIT;
	struct conn *close;
	bool ended;

	pthread_mutex_lock(&p->lock);
	p->closing = true;
	close = take_idle(p, p->c->n_uri);
	pthread_cond_broadcast(&p->work);
	while (!p->ended && dir_wait_until(&p->gone, &p->lock, until) == 0)
		;
	ended = p->ended;
	if (!ended)
		p->waiters = UINT32_MAX;
	pthread_mutex_unlock(&p->lock);
	close_list(close);
	if (ended)
		pool_free(p);
}
