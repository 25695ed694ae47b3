/* SPDX-License-Identifier: Apache-2.0 */
#include "runs.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <portreeve/clock.h>
#include <portreeve/log.h>

#define TICK      (60 * PR_SEC) /* between two writes of what runs */
#define ASK_TIME  (5 * PR_SEC)
#define RETRY     (2 * PR_SEC)
#define MAX_QUEUE 4096
#define ID_LEN    64
#define BUCKETS   256

struct event {
	struct event *next;
	enum pr_container_event what;
	uint64_t at; /* monotonic */
	char id[ID_LEN + 1];
};

struct running { /* a container that was seen to run */
	struct running *next;
	char id[ID_LEN + 1];
	char started[64];
	char phase[PR_LEDGER_NAME + 1];
	uint64_t since, until; /* monotonic; until: it ran then, surely */
	uint64_t pass;         /* of the last look at all */
	size_t n;
	char (*digests)[72]; /* "sha256:..." */
};

struct runs_watch {
	pthread_mutex_t lock;
	pthread_cond_t work, looked_cond;
	struct event *first, **last;
	size_t queued;
	bool missed; /* all must be looked at */
	bool unseen; /* no events */
	bool blind;  /* nor a look since: what runs may have stopped */
	bool stop, started, looked;
	struct running *buckets[BUCKETS];
	uint64_t passes;
	struct runs_source source;
	char boot[64];
	pthread_t thread;
};

static void
read_boot(char out[64])
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, out, 63) : -1;

	if (fd >= 0)
		close(fd);
	out[n > 0 ? n : 0] = '\0';
	out[strcspn(out, "\n")] = '\0';
}

struct runs_watch *
runs_watch_new(void)
{
	struct runs_watch *w = pr_xcalloc(1, sizeof *w);
	pthread_condattr_t attr;

	pthread_mutex_init(&w->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&w->work, &attr);
	pthread_cond_init(&w->looked_cond, &attr);
	pthread_condattr_destroy(&attr);
	w->last = &w->first;
	w->blind = w->unseen = true;
	read_boot(w->boot);
	return w;
}

static void
running_free(struct running *r)
{
	free(r->digests);
	free(r);
}

void
runs_watch_free(struct runs_watch *w)
{
	if (w == NULL)
		return;
	for (struct event *e = w->first, *next; e != NULL; e = next) {
		next = e->next;
		free(e);
	}
	for (size_t i = 0; i < BUCKETS; i++) {
		for (struct running *r = w->buckets[i], *next; r != NULL;
		     r = next) {
			next = r->next;
			running_free(r);
		}
	}
	pthread_cond_destroy(&w->work);
	pthread_cond_destroy(&w->looked_cond);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

/* ---- the queue ---- */

static void
push(struct runs_watch *w, enum pr_container_event what, struct pr_str id,
    uint64_t at)
{
	struct event *e;

	if (id.n != ID_LEN)
		return;
	if (w->queued >= MAX_QUEUE) { /* a look at all says the same */
		w->missed = true;
		return;
	}
	e = pr_xcalloc(1, sizeof *e);
	e->what = what;
	e->at = at;
	memcpy(e->id, id.p, id.n);
	*w->last = e;
	w->last = &e->next;
	w->queued++;
}

/* What runs is known to run until now, and no further.  Lock held. */
static void
draw_line(struct runs_watch *w, uint64_t now)
{
	for (size_t i = 0; i < BUCKETS; i++) {
		for (struct running *r = w->buckets[i]; r != NULL; r = r->next)
			r->until = now;
	}
}

void
runs_watch_event(
    struct runs_watch *w, enum pr_container_event what, struct pr_str id)
{
	uint64_t now = pr_clock_monotonic();

	pthread_mutex_lock(&w->lock);
	switch (what) {
	case PR_CONTAINER_RUNS:
	case PR_CONTAINER_STOPS:
	case PR_CONTAINER_GONE:
		push(w, what, id, now);
		break;
	case PR_CONTAINER_UNSEEN:
		if (!w->blind)
			draw_line(w, now);
		w->blind = w->unseen = true;
		break;
	case PR_CONTAINER_MISSED:
		if (!w->blind)
			draw_line(w, now);
		w->missed = w->blind = true;
		w->unseen = false;
		break;
	case PR_CONTAINER_MADE:
	case PR_CONTAINER_CHANGED:
		break;
	}
	pthread_cond_signal(&w->work);
	pthread_mutex_unlock(&w->lock);
}

/* ---- what runs; all with the lock held ---- */

static struct running **
slot(struct runs_watch *w, const char *id)
{
	struct running **at =
	    &w->buckets[pr_hash(PR_HASH_SEED, id, strlen(id)) % BUCKETS];

	while (*at != NULL && strcmp((*at)->id, id) != 0)
		at = &(*at)->next;
	return at;
}

static void
note(struct pr_err *err)
{
	if (err != NULL)
		pr_log(PR_LOG_WARNING,
		    "a running time is not in the ledger: %s",
		    pr_err_text(err));
}

/* The ledger keeps the longest. */
static void
credit(struct runs_watch *w, const struct running *r, uint64_t until)
{
	PR_CLEANUP(pr_err_freep) struct pr_err *err = NULL;
	struct pr_ledger_run run = {.phase = pr_str_of(r->phase),
	    .container = pr_str_of(r->id),
	    .ns = until > r->since ? until - r->since : 0,
	    .time = pr_clock_wall()};

	for (size_t i = 0; i < r->n; i++) {
		run.digest = pr_str_of(r->digests[i]);
		if (pr_ledger_run_put(w->source.ledger, &run, &err) < 0)
			break;
	}
	note(err);
}

static void
end(struct runs_watch *w, struct running **at, uint64_t when)
{
	struct running *r = *at;

	credit(w, r, when);
	pr_ledger_running_end(w->source.ledger, pr_str_of(r->id));
	*at = r->next;
	running_free(r);
}

/* ---- a look at one ---- */

static void
copy_digests(struct running *r, const struct pr_json *all)
{
	if (all == NULL || all->type != PR_JSON_ARRAY || all->n == 0)
		return;
	r->digests = pr_xcalloc(all->n, sizeof *r->digests);
	for (uint32_t i = 0; i < all->n; i++) {
		struct pr_str s = all->items[i].str;
		size_t at;

		if (all->items[i].type != PR_JSON_STRING)
			continue;
		at = pr_str_find(s, '@') + 1;
		s = pr_str_sub(s, at, s.n);
		if (s.n == 71 && pr_str_starts(s, "sha256:"))
			memcpy(r->digests[r->n++], s.p, s.n);
	}
}

static struct pr_str
started_at(const struct pr_object *o, bool *runs)
{
	const struct pr_json *state, *v;

	*runs = false;
	if (o->presence != PR_PRESENT || o->inspect == NULL)
		return (struct pr_str){NULL, 0};
	state = pr_json_get(o->inspect, PR_STR("State"));
	if (state == NULL || state->type != PR_JSON_OBJECT)
		return (struct pr_str){NULL, 0};
	v = pr_json_get(state, PR_STR("Running"));
	*runs = v != NULL && v->type == PR_JSON_TRUE;
	v = pr_json_get(state, PR_STR("Paused"));
	*runs = *runs && (v == NULL || v->type == PR_JSON_FALSE);
	v = pr_json_get(state, PR_STR("StartedAt"));
	return v != NULL && v->type == PR_JSON_STRING && v->str.n < 64
	    ? v->str
	    : (struct pr_str){NULL, 0};
}

/*
 * Asks the daemon about a container; NULL: it does not run a known image in a
 * known phase.  *sure is false if the daemon did not answer.
 */
static struct running *
look(struct runs_watch *w, const char *id, bool *runs, bool *sure)
{
	uint64_t deadline = pr_clock_now() + ASK_TIME;
	PR_CLEANUP(pr_object_unrefp)
	struct pr_object_ref *c = pr_inventory_get(
	    w->source.inventory, PR_KIND_CONTAINER, pr_str_of(id), deadline);
	PR_CLEANUP(pr_object_unrefp) struct pr_object_ref *i = NULL;
	const struct pr_object *o = pr_object_of(c);
	struct pr_str started = started_at(o, runs);
	struct running *r;

	*sure = o->presence != PR_PRESENCE_UNKNOWN;
	if (started.n == 0 || o->image_id.n == 0)
		return NULL;
	i = pr_inventory_get(
	    w->source.inventory, PR_KIND_IMAGE, o->image_id, deadline);
	if (pr_object_of(i)->presence != PR_PRESENT) {
		*sure = pr_object_of(i)->presence == PR_ABSENT;
		return NULL;
	}
	r = pr_xcalloc(1, sizeof *r);
	memcpy(r->id, id, ID_LEN);
	memcpy(r->started, started.p, started.n);
	copy_digests(r, pr_object_of(i)->repo_digests);
	if (r->n > 0 && w->source.phase(w->source.arg, o, r->phase))
		return r;
	running_free(r);
	return NULL;
}

/* Takes r over; it is there already if it is the same run.  Lock held. */
static void
begin(struct runs_watch *w, struct running *r, uint64_t since)
{
	PR_CLEANUP(pr_err_freep) struct pr_err *err = NULL;
	struct running **at = slot(w, r->id);
	struct pr_ledger_running row = {.container = pr_str_of(r->id),
	    .started = pr_str_of(r->started),
	    .boot = pr_str_of(w->boot)};

	if (*at != NULL && strcmp((*at)->started, r->started) == 0) {
		(*at)->pass = w->passes;
		running_free(r);
		return;
	}
	if (*at != NULL)
		end(w, at, (*at)->until);
	at = slot(w, r->id);
	r->since = r->until = since;
	r->pass = w->passes;
	r->next = *at;
	*at = r;
	row.since = since;
	if (pr_ledger_running_put(w->source.ledger, &row, &err) < 0)
		note(err);
	credit(w, r, since);
}

static void
take_event(struct runs_watch *w, const struct event *e)
{
	struct running *r = NULL;
	bool runs, sure = true;

	if (e->what == PR_CONTAINER_RUNS)
		r = look(w, e->id, &runs, &sure);
	pthread_mutex_lock(&w->lock);
	if (!sure)
		w->missed = true;
	if (r != NULL) {
		begin(w, r, e->at);
	} else if (e->what != PR_CONTAINER_RUNS) {
		struct running **at = slot(w, e->id);

		if (*at != NULL)
			end(w, at, w->blind ? (*at)->until : e->at);
	}
	pthread_mutex_unlock(&w->lock);
}

/* ---- a look at all ---- */

/* A run that goes on since before this process (semantics 11.10). */
static uint64_t
since_of(struct runs_watch *w, const struct running *r, uint64_t now)
{
	uint64_t since;

	if (w->boot[0] != '\0' &&
	    pr_ledger_running_since(w->source.ledger, pr_str_of(r->id),
		pr_str_of(r->started), pr_str_of(w->boot), &since) &&
	    since <= now)
		return since;
	return now;
}

static bool
look_at(struct runs_watch *w, struct pr_str id)
{
	char text[ID_LEN + 1] = "";
	struct running *r;
	bool runs, sure;

	if (id.n != ID_LEN)
		return true;
	memcpy(text, id.p, id.n);
	r = look(w, text, &runs, &sure);
	if (r != NULL && !runs) {
		running_free(r);
		r = NULL;
	}
	if (r != NULL) {
		pthread_mutex_lock(&w->lock);
		begin(w, r, since_of(w, r, pr_clock_monotonic()));
		pthread_mutex_unlock(&w->lock);
	}
	return sure;
}

/* Those that the list does not show running have stopped unseen. */
static void
drop_unseen(struct runs_watch *w, uint64_t begun)
{
	for (size_t i = 0; i < BUCKETS; i++) {
		for (struct running **at = &w->buckets[i]; *at != NULL;) {
			if ((*at)->pass < w->passes && (*at)->since <= begun)
				end(w, at, (*at)->until);
			else
				at = &(*at)->next;
		}
	}
}

/* False: not all could be looked at; once more, later. */
static bool
look_at_all(struct runs_watch *w)
{
	struct pr_list_ref *list;
	const struct pr_listed *items;
	uint64_t begun = pr_clock_monotonic();
	bool sure = true;
	const char *why;
	size_t n;

	list = pr_inventory_list_containers(
	    w->source.inventory, pr_clock_now() + ASK_TIME, &why);
	if (list == NULL)
		return false;
	pthread_mutex_lock(&w->lock);
	w->passes++;
	pthread_mutex_unlock(&w->lock);
	items = pr_list_items(list, &n);
	for (size_t i = 0; i < n && sure; i++) {
		if (pr_str_is(items[i].state, "running"))
			sure = look_at(w, items[i].id);
	}
	pr_list_unref(list);
	if (sure) {
		pthread_mutex_lock(&w->lock);
		drop_unseen(w, begun);
		w->blind = w->unseen;
		w->looked = true;
		pthread_cond_broadcast(&w->looked_cond);
		pthread_mutex_unlock(&w->lock);
	}
	return sure;
}

/* ---- the thread ---- */

/* Lock held. */
static void
write_running(struct runs_watch *w)
{
	uint64_t now = pr_clock_monotonic();

	if (!w->blind)
		draw_line(w, now);
	for (size_t i = 0; i < BUCKETS; i++) {
		for (struct running *r = w->buckets[i]; r != NULL; r = r->next)
			credit(w, r, r->until);
	}
}

/* Until there is work, or the time comes; lock held. */
static void
await_work(struct runs_watch *w, uint64_t until)
{
	struct timespec ts = {(time_t)(until / PR_SEC), (long)(until % PR_SEC)};

	bool missed = w->missed;

	while (!w->stop && w->first == NULL && w->missed == missed &&
	    pr_clock_monotonic() < until)
		if (pthread_cond_timedwait(&w->work, &w->lock, &ts) ==
		    ETIMEDOUT)
			break;
}

static struct event *
pop(struct runs_watch *w)
{
	struct event *e = w->first;

	if (e == NULL)
		return NULL;
	w->first = e->next;
	if (w->first == NULL)
		w->last = &w->first;
	w->queued--;
	return e;
}

static void
look_again(struct runs_watch *w)
{
	bool ok = look_at_all(w);

	if (ok && w->source.missed != NULL)
		w->source.missed(w->source.arg);
	if (ok)
		return;
	pthread_mutex_lock(&w->lock);
	w->missed = true;
	pthread_mutex_unlock(&w->lock);
}

static void *
watch(void *arg)
{
	struct runs_watch *w = arg;
	uint64_t tick = pr_clock_monotonic() + TICK, retry = 0;

	pthread_mutex_lock(&w->lock);
	while (!w->stop) {
		struct event *e = pop(w);
		uint64_t now = pr_clock_monotonic();

		if (e != NULL) {
			pthread_mutex_unlock(&w->lock);
			take_event(w, e);
			free(e);
			pthread_mutex_lock(&w->lock);
		} else if (w->missed && now >= retry) {
			w->missed = false;
			pthread_mutex_unlock(&w->lock);
			look_again(w);
			pthread_mutex_lock(&w->lock);
			retry = pr_clock_monotonic() + RETRY;
		} else if (now >= tick) {
			write_running(w);
			tick = now + TICK;
		} else {
			await_work(w, w->missed && retry < tick ? retry : tick);
		}
	}
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

int
runs_watch_start(
    struct runs_watch *w, const struct runs_source *source, struct pr_err **err)
{
	w->source = *source;
	if (pthread_create(&w->thread, NULL, watch, w) != 0)
		return pr_err_set(
		    err, PR_ERR_IO, errno, "cannot start a thread");
	w->started = true;
	return 0;
}

void
runs_watch_stop(struct runs_watch *w)
{
	if (!w->started)
		return;
	pthread_mutex_lock(&w->lock);
	w->stop = true;
	pthread_cond_signal(&w->work);
	pthread_mutex_unlock(&w->lock);
	pthread_join(w->thread, NULL);
	w->started = false;
	pthread_mutex_lock(&w->lock);
	write_running(w);
	pthread_mutex_unlock(&w->lock);
}

bool
runs_watch_looked(struct runs_watch *w, uint64_t deadline)
{
	uint64_t now;
	bool looked;

	pthread_mutex_lock(&w->lock);
	while (!w->looked && (now = pr_clock_now()) < deadline) {
		uint64_t until = pr_clock_monotonic() + (deadline - now);
		struct timespec ts = {
		    (time_t)(until / PR_SEC), (long)(until % PR_SEC)};

		pthread_cond_timedwait(&w->looked_cond, &w->lock, &ts);
	}
	looked = w->looked;
	pthread_mutex_unlock(&w->lock);
	return looked;
}

bool
runs_watch_longest(struct runs_watch *w, struct pr_str phase,
    struct pr_str digest, uint64_t *ns)
{
	uint64_t now = pr_clock_monotonic();
	bool ran = pr_ledger_ran(w->source.ledger, phase, digest, ns);

	pthread_mutex_lock(&w->lock);
	for (size_t i = 0; i < BUCKETS; i++) {
		for (const struct running *r = w->buckets[i]; r != NULL;
		     r = r->next) {
			uint64_t until = w->blind ? r->until : now;

			if (!pr_str_is(phase, r->phase))
				continue;
			for (size_t k = 0; k < r->n; k++) {
				if (!pr_str_is(digest, r->digests[k]))
					continue;
				ran = true;
				if (until > r->since && until - r->since > *ns)
					*ns = until - r->since;
			}
		}
	}
	pthread_mutex_unlock(&w->lock);
	return ran;
}
