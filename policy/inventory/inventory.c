/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may use which answer for how long: the cache, look-ups that are shared,
 * and the generations that make answers stale.
 */
#include <sys/eventfd.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <portreeve/clock.h>

#include "local.h"
#include "places.h"

#define CACHE_BUCKETS 1024
#define CACHE_ENTRIES 4096
#define MAX_MUTATIONS 65536
#define LAST_MUTATION (60 * PR_SEC)
#define STOPPED       ((uint64_t)1)

struct pr_object_ref {
	atomic_uint refs;
	struct pr_object object;
	struct answer *answer;
	struct pr_ledger_owner owner;
};

struct cached {
	struct cached *next;          /* in the bucket */
	struct cached *newer, *older; /* by use */
	struct answer *answer;
	enum pr_named_by by;
	bool ambiguous;
	uint64_t generation, born;
	size_t bytes;
	enum pr_kind kind;
	size_t n;
	char ref[];
};

struct flight { /* a look-up under way */
	struct flight *next;
	enum pr_kind kind;
	struct pr_str ref; /* of the caller that flies it */
	uint64_t generation;
	bool done;
	unsigned waiting; /* callers that share it */
	struct finding found;
};

/* ---- answers ---- */

struct answer *
answer_new(size_t first)
{
	struct pr_arena *arena = pr_arena_new(first);
	struct answer *a = pr_arena_alloc(arena, sizeof *a);

	atomic_init(&a->refs, 1);
	a->arena = arena;
	return a;
}

struct answer *
answer_ref(struct answer *a)
{
	atomic_fetch_add_explicit(&a->refs, 1, memory_order_relaxed);
	return a;
}

void
answer_unref(struct answer *a)
{
	if (a != NULL &&
	    atomic_fetch_sub_explicit(&a->refs, 1, memory_order_acq_rel) == 1)
		pr_arena_free(a->arena);
}

struct answer *
answer_unknown(enum pr_kind kind, const char *why)
{
	struct answer *a = answer_new(512);

	a->object = (struct pr_object){.kind = kind,
	    .presence = PR_PRESENCE_UNKNOWN,
	    .why = pr_arena_strdup(a->arena, pr_str_of(why))};
	return a;
}

/* ---- references ---- */

/* Whose it is: an exec is its container's. */
static bool
owner_of(struct pr_inventory *inv, const struct pr_object *o,
    struct pr_ledger_owner *owner)
{
	if (inv->ledger == NULL || o->presence != PR_PRESENT)
		return false;
	if (o->kind == PR_KIND_EXEC)
		return pr_ledger_get(inv->ledger, PR_KIND_CONTAINER,
		    o->container, PR_STR(""), owner);
	return pr_ledger_get(inv->ledger, o->kind, o->id, o->created, owner);
}

/* Takes the finding's answer over. */
static struct pr_object_ref *
make_ref(struct pr_inventory *inv, struct finding f)
{
	struct pr_object_ref *r = pr_xcalloc(1, sizeof *r);

	atomic_init(&r->refs, 1);
	r->answer = f.answer;
	r->object = f.answer->object;
	r->object.by = f.by;
	r->object.ambiguous = f.ambiguous;
	r->object.in_ledger = owner_of(inv, &r->object, &r->owner);
	if (r->object.in_ledger) {
		r->object.ledger_team = pr_str_of(r->owner.team);
		r->object.ledger_phase = pr_str_of(r->owner.phase);
	}
	return r;
}

static struct pr_object_ref *
unknown_ref(struct pr_inventory *inv, enum pr_kind kind, const char *why,
    bool ambiguous)
{
	return make_ref(inv,
	    (struct finding){
		answer_unknown(kind, why), PR_BY_NOTHING, ambiguous});
}

const struct pr_object *
pr_object_of(const struct pr_object_ref *r)
{
	return &r->object;
}

struct pr_object_ref *
pr_object_ref(struct pr_object_ref *r)
{
	atomic_fetch_add_explicit(&r->refs, 1, memory_order_relaxed);
	return r;
}

void
pr_object_unref(struct pr_object_ref *r)
{
	if (r == NULL ||
	    atomic_fetch_sub_explicit(&r->refs, 1, memory_order_acq_rel) != 1)
		return;
	answer_unref(r->answer);
	free(r);
}

void
pr_object_unrefp(struct pr_object_ref **r)
{
	pr_object_unref(*r);
	*r = NULL;
}

/* ---- what is stale ---- */

void
inv_stale(struct pr_inventory *inv, enum pr_kind kind)
{
	inv->generation[kind]++;
}

void
inv_stale_all(struct pr_inventory *inv)
{
	for (unsigned k = 0; k < PR_KIND_COUNT; k++)
		inv_stale(inv, (enum pr_kind)k);
}

static void
mutation_remove(struct pr_inventory *inv, size_t i)
{
	enum pr_kind kind = inv->mutations[i].kind;

	inv->mutating[kind]--;
	inv->mutations[i] = inv->mutations[--inv->n_mutations];
	inv_stale(inv, kind);
}

static void
sweep_mutations(struct pr_inventory *inv)
{
	uint64_t now = pr_clock_now();

	for (size_t i = inv->n_mutations; i > 0; i--)
		if (inv->mutations[i - 1].expires < now)
			mutation_remove(inv, i - 1);
}

bool
inv_steady(struct pr_inventory *inv, enum pr_kind kind)
{
	if (inv->mutating[kind] > 0)
		sweep_mutations(inv);
	return inv->events && inv->mutating[kind] == 0;
}

uint64_t
pr_inventory_mutating_begin(
    struct pr_inventory *inv, enum pr_kind kind, uint64_t expires)
{
	uint64_t token;

	if (kind == PR_KIND_NONE || kind >= PR_KIND_COUNT)
		return 0;
	if (expires == 0)
		expires = pr_clock_now() + LAST_MUTATION;
	pthread_mutex_lock(&inv->lock);
	if (inv->n_mutations >= MAX_MUTATIONS)
		mutation_remove(inv, 0);
	inv->mutations = pr_grow(inv->mutations, inv->n_mutations,
	    &inv->cap_mutations, sizeof *inv->mutations);
	token = ++inv->last_token;
	inv->mutations[inv->n_mutations++] =
	    (struct mutation){token, expires, kind};
	inv->mutating[kind]++;
	inv_stale(inv, kind);
	pthread_mutex_unlock(&inv->lock);
	return token;
}

void
pr_inventory_mutating_end(struct pr_inventory *inv, uint64_t token)
{
	if (token == 0)
		return;
	pthread_mutex_lock(&inv->lock);
	for (size_t i = 0; i < inv->n_mutations; i++)
		if (inv->mutations[i].token == token) {
			mutation_remove(inv, i);
			break;
		}
	pthread_mutex_unlock(&inv->lock);
}

/* ---- the cache; all of it with the lock held ---- */

static struct cached **
cache_slot(struct pr_inventory *inv, enum pr_kind kind, struct pr_str ref)
{
	uint64_t h = pr_hash(PR_HASH_SEED + (uint64_t)kind, ref.p, ref.n);
	struct cached **at = &inv->buckets[h % CACHE_BUCKETS];

	while (*at != NULL &&
	    ((*at)->kind != kind ||
		!pr_str_eq((struct pr_str){(*at)->ref, (*at)->n}, ref)))
		at = &(*at)->next;
	return at;
}

static void
use_unlink(struct pr_inventory *inv, struct cached *c)
{
	*(c->newer != NULL ? &c->newer->older : &inv->newest) = c->older;
	*(c->older != NULL ? &c->older->newer : &inv->oldest) = c->newer;
}

static void
use_first(struct pr_inventory *inv, struct cached *c)
{
	c->newer = NULL;
	c->older = inv->newest;
	*(inv->newest != NULL ? &inv->newest->newer : &inv->oldest) = c;
	inv->newest = c;
}

static void
cache_remove(struct pr_inventory *inv, struct cached **at)
{
	struct cached *c = *at;

	*at = c->next;
	use_unlink(inv, c);
	inv->stats.cached--;
	inv->stats.cached_bytes -= c->bytes;
	answer_unref(c->answer);
	free(c);
}

static void
cache_remove_oldest(struct pr_inventory *inv)
{
	struct cached *c = inv->oldest;

	cache_remove(
	    inv, cache_slot(inv, c->kind, (struct pr_str){c->ref, c->n}));
}

static void
cache_put(struct pr_inventory *inv, enum pr_kind kind, struct pr_str ref,
    const struct finding *f, uint64_t generation)
{
	struct cached **at = cache_slot(inv, kind, ref);
	size_t bytes = pr_arena_used(f->answer->arena) + sizeof **at + ref.n;

	if (*at != NULL)
		cache_remove(inv, at);
	if (bytes > inv->cache_bytes / 4)
		return;
	while (inv->oldest != NULL &&
	    (inv->stats.cached >= CACHE_ENTRIES ||
		inv->stats.cached_bytes + bytes > inv->cache_bytes))
		cache_remove_oldest(inv);

	struct cached *c = pr_xcalloc(1, sizeof *c + ref.n);

	c->answer = answer_ref(f->answer);
	c->by = f->by;
	c->ambiguous = f->ambiguous;
	c->generation = generation;
	c->born = pr_clock_now();
	c->bytes = bytes;
	c->kind = kind;
	c->n = ref.n;
	memcpy(c->ref, ref.p, ref.n);
	at = cache_slot(inv, kind, ref);
	*at = c;
	use_first(inv, c);
	inv->stats.cached++;
	inv->stats.cached_bytes += bytes;
}

/*
 * A finding that is surely still right.  While something that may change
 * names is on its way only full ids count, read after it had begun.
 */
static bool
cache_find(struct pr_inventory *inv, enum pr_kind kind, struct pr_str ref,
    struct finding *f)
{
	struct cached **at = cache_slot(inv, kind, ref), *c = *at;

	if (c == NULL)
		return false;
	if (c->generation != inv->generation[kind] || !inv->events ||
	    pr_clock_now() - c->born > inv->max_age) {
		cache_remove(inv, at);
		return false;
	}
	if (c->by != PR_BY_ID && !inv_steady(inv, kind))
		return false;
	/* inv_steady may have found an expired mutation */
	if (c->generation != inv->generation[kind])
		return false;
	use_unlink(inv, c);
	use_first(inv, c);
	inv->stats.hits++;
	*f = (struct finding){answer_ref(c->answer), c->by, c->ambiguous};
	return true;
}

/* What was found, under the reference and under the full id. */
static void
cache_store(struct pr_inventory *inv, const struct flight *fl)
{
	const struct pr_object *o = &fl->found.answer->object;
	struct finding by_id = {fl->found.answer, PR_BY_ID, false};

	if (o->presence != PR_PRESENT || !inv->events ||
	    inv->generation[fl->kind] != fl->generation)
		return;
	cache_put(inv, fl->kind, fl->ref, &fl->found, fl->generation);
	if (fl->found.by != PR_BY_ID && fl->kind != PR_KIND_VOLUME)
		cache_put(inv, fl->kind, o->id, &by_id, fl->generation);
}

/* ---- look-ups ---- */

bool
inv_wait(struct pr_inventory *inv, uint64_t deadline)
{
	uint64_t now = pr_clock_now();
	struct timespec until;

	if (now >= deadline)
		return false;
	/* the condition's clock is another than deadlines have */
	clock_gettime(CLOCK_MONOTONIC, &until);
	uint64_t left = deadline - now;

	if (left > 3600 * PR_SEC)
		left = 3600 * PR_SEC;
	left += (uint64_t)until.tv_nsec;
	until.tv_sec += (time_t)(left / PR_SEC);
	until.tv_nsec = (long)(left % PR_SEC);
	pthread_cond_timedwait(&inv->changed, &inv->lock, &until);
	return true;
}

/* A look-up under way whose result will be right for a caller of now. */
static struct flight *
joinable(struct pr_inventory *inv, enum pr_kind kind, struct pr_str ref)
{
	if (!inv_steady(inv, kind))
		return NULL;
	for (struct flight *f = inv->flights; f != NULL; f = f->next)
		if (f->kind == kind && !f->done &&
		    f->generation == inv->generation[kind] &&
		    pr_str_eq(f->ref, ref))
			return f;
	return NULL;
}

/* False: the flight did not land in time, or found nothing out. */
static bool
join(struct pr_inventory *inv, struct flight *f, uint64_t deadline,
    struct finding *found)
{
	bool ok;

	f->waiting++;
	while (!f->done && inv_wait(inv, deadline))
		;
	ok = f->done && f->found.answer->object.presence != PR_PRESENCE_UNKNOWN;
	if (ok) {
		*found = f->found;
		answer_ref(found->answer);
		inv->stats.shared++;
	}
	f->waiting--;
	pthread_cond_broadcast(&inv->changed);
	return ok;
}

static void
flight_unlink(struct pr_inventory *inv, struct flight *f)
{
	struct flight **at = &inv->flights;

	while (*at != f)
		at = &(*at)->next;
	*at = f->next;
}

/* Asks the daemon; lock held before and after, not while it waits. */
static struct finding
fly(struct pr_inventory *inv, enum pr_kind kind, struct pr_str ref,
    uint64_t deadline)
{
	struct flight f = {.next = inv->flights,
	    .kind = kind,
	    .ref = ref,
	    .generation = inv->generation[kind]};

	inv->flights = &f;
	inv->in_flight++;
	inv->stats.lookups++;
	pthread_mutex_unlock(&inv->lock);
	struct finding found;

	resolve(inv, kind, ref, deadline, &found);
	pthread_mutex_lock(&inv->lock);
	f.found = found;
	f.done = true;
	inv->in_flight--;
	if (found.answer->object.presence == PR_PRESENCE_UNKNOWN)
		inv->stats.failed++;
	cache_store(inv, &f);
	pthread_cond_broadcast(&inv->changed);
	/* they look at f, which is on this stack; they need only the lock */
	while (f.waiting > 0)
		pthread_cond_wait(&inv->changed, &inv->lock);
	flight_unlink(inv, &f);
	return found;
}

/* Lock held before and after.  False: *why. */
static bool
find(struct pr_inventory *inv, enum pr_kind kind, struct pr_str ref,
    uint64_t deadline, struct finding *found, const char **why)
{
	bool alone = false; /* what was shared found nothing out */

	*why = "the look-up took too long";
	for (;;) {
		struct flight *f;

		if (cache_find(inv, kind, ref, found))
			return true;
		f = alone ? NULL : joinable(inv, kind, ref);
		if (f != NULL) {
			if (join(inv, f, deadline, found))
				return true;
			alone = true;
		} else if (inv->in_flight < inv->max_lookups) {
			*found = fly(inv, kind, ref, deadline);
			return true;
		} else {
			*why = "too many look-ups at the same time";
			inv_wait(inv, deadline);
		}
		if (pr_clock_now() >= deadline) {
			inv->stats.refused++;
			return false;
		}
	}
}

struct pr_object_ref *
pr_inventory_get(struct pr_inventory *inv, enum pr_kind kind, struct pr_str ref,
    uint64_t deadline)
{
	const char *why = reference_fault(kind, ref);
	struct finding found;
	bool ok;

	if (why != NULL)
		return unknown_ref(inv, kind, why,
		    (kind == PR_KIND_CONTAINER || kind == PR_KIND_NETWORK) &&
			pr_str_find(ref, '/') < ref.n);
	pthread_mutex_lock(&inv->lock);
	ok = find(inv, kind, ref, deadline, &found, &why);
	pthread_mutex_unlock(&inv->lock);
	return ok ? make_ref(inv, found) : unknown_ref(inv, kind, why, false);
}

struct pr_object_ref *
pr_inventory_peek(
    struct pr_inventory *inv, enum pr_kind kind, struct pr_str ref)
{
	struct finding found;
	bool ok;

	if (reference_fault(kind, ref) != NULL)
		return NULL;
	pthread_mutex_lock(&inv->lock);
	ok = cache_find(inv, kind, ref, &found);
	pthread_mutex_unlock(&inv->lock);
	return ok ? make_ref(inv, found) : NULL;
}

/* ---- life ---- */

static void
copy_protected(
    struct pr_inventory *inv, const struct pr_inventory_config *config)
{
	inv->n_protect = config->n_protect;
	inv->protect = pr_xcalloc(config->n_protect + 1, sizeof(char *));
	for (size_t i = 0; i < config->n_protect; i++)
		inv->protect[i] = pr_xstrdup(config->protect[i]);
}

static void
init_locks(struct pr_inventory *inv)
{
	pthread_condattr_t attr;

	pthread_mutex_init(&inv->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&inv->changed, &attr);
	pthread_condattr_destroy(&attr);
}

static void
inv_free(struct pr_inventory *inv)
{
	while (inv->oldest != NULL)
		cache_remove_oldest(inv);
	pr_list_unref(inv->list);
	answer_unref(inv->version);
	answer_unref(inv->info);
	docker_free(inv->docker);
	pr_nonces_free(inv->nonces);
	path_places_free(inv->places);
	for (size_t i = 0; i < inv->n_protect; i++)
		free(inv->protect[i]);
	free(inv->protect);
	free(inv->buckets);
	free(inv->mutations);
	free(inv->socket);
	if (inv->pid_fd >= 0)
		close(inv->pid_fd);
	if (inv->wake >= 0)
		close(inv->wake);
	pthread_cond_destroy(&inv->changed);
	pthread_mutex_destroy(&inv->lock);
	free(inv);
}

struct pr_inventory *
pr_inventory_open(const struct pr_inventory_config *config,
    struct pr_ledger *ledger, struct pr_err **err)
{
	struct pr_inventory *inv = pr_xcalloc(1, sizeof *inv);

	init_locks(inv);
	inv->ledger = ledger;
	inv->socket = pr_xstrdup(
	    config->socket != NULL ? config->socket : "/var/run/docker.sock");
	inv->max_lookups = config->max_lookups > 0 ? config->max_lookups : 64;
	inv->cache_bytes =
	    config->cache_bytes > 0 ? config->cache_bytes : (size_t)4 << 20;
	inv->max_age = config->max_age > 0 ? config->max_age : 5 * PR_SEC;
	inv->buckets = pr_xcalloc(CACHE_BUCKETS, sizeof(struct cached *));
	/* those of look-ups that were given up linger for a while */
	inv->nonces = pr_nonces_new(inv->max_lookups * 2 + 16);
	inv->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	inv->docker = docker_new(inv->socket, inv->nonces, inv->wake);
	inv->pid_fd = -1;
	copy_protected(inv, config);
	inv->places = path_places_new(inv);
	if (inv->wake < 0 ||
	    pthread_create(&inv->thread, NULL, events_run, inv) != 0) {
		pr_err_set(err, PR_ERR_IO, errno,
		    "inventory: cannot start its thread");
		inv_free(inv);
		return NULL;
	}
	return inv;
}

void
pr_inventory_close(struct pr_inventory *inv)
{
	if (inv == NULL)
		return;
	/* an eventfd takes this, or is awake already */
	(void)!write(inv->wake, &(uint64_t){STOPPED}, sizeof(uint64_t));
	pthread_join(inv->thread, NULL);
	inv_free(inv);
}

struct pr_nonces *
pr_inventory_nonces(struct pr_inventory *inv)
{
	return inv->nonces;
}

void
pr_inventory_stats(struct pr_inventory *inv, struct pr_inventory_stats *out)
{
	pthread_mutex_lock(&inv->lock);
	*out = inv->stats;
	out->events = inv->events;
	out->in_flight = inv->in_flight;
	pthread_mutex_unlock(&inv->lock);
}
