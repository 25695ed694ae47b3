/* SPDX-License-Identifier: Apache-2.0 */
/* Look-ups that are shared and bounded, references, and the inventory's life. */
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

#define STOPPED ((uint64_t)1)

struct flight { /* a look-up under way; with the lock held */
	struct flight *next;
	unsigned refs; /* callers */
	enum pr_kind kind;
	uint64_t generation, facts;
	bool done;
	struct finding found;
	size_t n;
	char ref[];
};

struct pr_object_ref {
	atomic_uint refs;
	struct pr_object object;
	struct answer *answer;
	struct pr_ledger_owner owner;
};

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

static void
flight_unref(struct flight *f)
{
	if (--f->refs > 0)
		return;
	answer_unref(f->found.answer);
	free(f);
}

/* A look-up under way whose result will be right for a caller of now. */
static struct flight *
joinable(struct pr_inventory *inv, enum pr_kind kind, struct pr_str ref)
{
	if (!inv_steady(inv, kind))
		return NULL;
	for (struct flight *f = inv->flights; f != NULL; f = f->next)
		if (f->kind == kind && f->generation == inv->generation[kind] &&
		    pr_str_eq((struct pr_str){f->ref, f->n}, ref))
			return f;
	return NULL;
}

/* False: the flight did not land in time, or found nothing out. */
static bool
join(struct pr_inventory *inv, struct flight *f, uint64_t deadline,
    struct finding *found)
{
	bool ok;

	f->refs++;
	while (!f->done && inv_wait(inv, deadline))
		;
	ok = f->done && f->found.answer->object.presence != PR_PRESENCE_UNKNOWN;
	if (ok) {
		*found = f->found;
		answer_ref(found->answer);
		inv->stats.shared++;
	}
	flight_unref(f);
	return ok;
}

static struct flight *
flight_begin(struct pr_inventory *inv, enum pr_kind kind, struct pr_str ref)
{
	struct flight *f = pr_xcalloc(1, sizeof *f + ref.n);

	f->refs = 1;
	f->kind = kind;
	f->generation = inv->generation[kind];
	f->facts = inv->facts[kind];
	f->n = ref.n;
	memcpy(f->ref, ref.p, ref.n);
	f->next = inv->flights;
	inv->flights = f;
	inv->in_flight++;
	inv->stats.lookups++;
	return f;
}

/* Takes one reference of the answer for the flight's own. */
static void
flight_land(struct pr_inventory *inv, struct flight *f, struct finding found)
{
	struct flight **at = &inv->flights;

	while (*at != f)
		at = &(*at)->next;
	*at = f->next;
	f->found = found;
	answer_ref(found.answer);
	f->done = true;
	inv->in_flight--;
	if (found.answer->object.presence == PR_PRESENCE_UNKNOWN)
		inv->stats.failed++;
	else
		cache_store(inv, f->kind, (struct pr_str){f->ref, f->n}, &found,
		    f->generation, f->facts);
	pthread_cond_broadcast(&inv->changed);
	flight_unref(f);
}

/* Asks the daemon; lock held before and after, not while it waits. */
static struct finding
fly(struct pr_inventory *inv, enum pr_kind kind, struct pr_str ref,
    uint64_t deadline)
{
	struct flight *f = flight_begin(inv, kind, ref);
	struct finding found;

	pthread_mutex_unlock(&inv->lock);
	resolve(inv, kind, ref, deadline, &found);
	pthread_mutex_lock(&inv->lock);
	flight_land(inv, f, found);
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
	cache_fini(inv);
	pr_list_unref(inv->list);
	answer_unref(inv->volumes);
	answer_unref(inv->version);
	answer_unref(inv->info);
	docker_free(inv->docker);
	pr_nonces_free(inv->nonces);
	path_places_free(inv->places);
	for (size_t i = 0; i < inv->n_protect; i++)
		free(inv->protect[i]);
	free(inv->protect);
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
	inv->watch = config->watch;
	inv->watch_arg = config->watch_arg;
	cache_init(inv);
	/* those of look-ups that were given up linger for a while */
	inv->nonces = pr_nonces_new(inv->max_lookups * 2 + 16);
	inv->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	inv->docker =
	    docker_new(inv->socket, inv->nonces, config->asserter, inv->wake);
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
pr_inventory_stop(struct pr_inventory *inv)
{
	/* an eventfd takes this, or is awake already */
	if (inv != NULL)
		(void)!write(inv->wake, &(uint64_t){STOPPED}, sizeof(uint64_t));
}

void
pr_inventory_close(struct pr_inventory *inv)
{
	if (inv == NULL)
		return;
	pr_inventory_stop(inv);
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
