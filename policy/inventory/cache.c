/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may use which answer for how long: counted answers, the generations
 * that make them stale, and the cache.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <portreeve/clock.h>

#include "local.h"

#define CACHE_BUCKETS 1024
#define CACHE_ENTRIES 4096
#define MAX_MUTATIONS 65536
#define LAST_MUTATION (60 * PR_SEC)

struct cached {
	struct cached *next;          /* in the bucket */
	struct cached *newer, *older; /* by use */
	struct answer *answer;
	enum pr_named_by by;
	bool ambiguous;
	uint64_t generation, facts, born;
	size_t bytes;
	enum pr_kind kind;
	size_t n;
	char ref[];
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

/* ---- what is stale ---- */

void
inv_stale(struct pr_inventory *inv, enum pr_kind kind)
{
	inv->generation[kind]++;
	inv->facts[kind]++;
}

void
inv_stale_all(struct pr_inventory *inv)
{
	for (unsigned k = 0; k < PR_KIND_COUNT; k++)
		inv_stale(inv, (enum pr_kind)k);
}

static void
mutation_stale(struct pr_inventory *inv, const struct mutation *m)
{
	if (m->names)
		inv->generation[m->kind]++;
	else
		inv_stale(inv, m->kind);
}

static void
mutation_remove(struct pr_inventory *inv, size_t i)
{
	struct mutation m = inv->mutations[i];

	inv->mutating[m.kind]--;
	inv->mutations[i] = inv->mutations[--inv->n_mutations];
	mutation_stale(inv, &m);
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

static uint64_t
mutation_begin(
    struct pr_inventory *inv, enum pr_kind kind, uint64_t expires, bool names)
{
	struct mutation m = {.kind = kind, .names = names};

	if (kind == PR_KIND_NONE || kind >= PR_KIND_COUNT)
		return 0;
	if (expires == 0)
		expires = pr_clock_now() + LAST_MUTATION;
	pthread_mutex_lock(&inv->lock);
	if (inv->n_mutations >= MAX_MUTATIONS)
		mutation_remove(inv, 0);
	inv->mutations = pr_grow(inv->mutations, inv->n_mutations,
	    &inv->cap_mutations, sizeof *inv->mutations);
	m.token = ++inv->last_token;
	m.expires = expires;
	inv->mutations[inv->n_mutations++] = m;
	inv->mutating[kind]++;
	mutation_stale(inv, &m);
	pthread_mutex_unlock(&inv->lock);
	return m.token;
}

uint64_t
pr_inventory_mutating_begin(
    struct pr_inventory *inv, enum pr_kind kind, uint64_t expires)
{
	return mutation_begin(inv, kind, expires, false);
}

uint64_t
pr_inventory_naming_begin(
    struct pr_inventory *inv, enum pr_kind kind, uint64_t expires)
{
	return mutation_begin(inv, kind, expires, true);
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
	struct cached **at =
	    cache_slot(inv, c->kind, (struct pr_str){c->ref, c->n});

	assert(*at == c);
	cache_remove(inv, at);
}

static void
cache_put(struct pr_inventory *inv, enum pr_kind kind, struct pr_str ref,
    const struct finding *f, uint64_t generation, uint64_t facts)
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
	c->facts = facts;
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

static bool
is_current(const struct pr_inventory *inv, const struct cached *c)
{
	return c->by == PR_BY_ID ? c->facts == inv->facts[c->kind]
				 : c->generation == inv->generation[c->kind];
}

bool
cache_find(struct pr_inventory *inv, enum pr_kind kind, struct pr_str ref,
    struct finding *f)
{
	struct cached **at = cache_slot(inv, kind, ref), *c = *at;

	if (c == NULL)
		return false;
	if (!is_current(inv, c) || !inv->events ||
	    pr_clock_now() - c->born > inv->max_age) {
		cache_remove(inv, at);
		return false;
	}
	if (c->by != PR_BY_ID && !inv_steady(inv, kind))
		return false;
	/* inv_steady may have found an expired mutation */
	if (!is_current(inv, c))
		return false;
	use_unlink(inv, c);
	use_first(inv, c);
	inv->stats.hits++;
	*f = (struct finding){answer_ref(c->answer), c->by, c->ambiguous};
	return true;
}

void
cache_store(struct pr_inventory *inv, enum pr_kind kind, struct pr_str ref,
    const struct finding *f, uint64_t generation, uint64_t facts)
{
	const struct pr_object *o = &f->answer->object;
	struct finding by_id = {f->answer, PR_BY_ID, false};

	if (o->presence != PR_PRESENT || !inv->events ||
	    inv->facts[kind] != facts)
		return;
	if (f->by != PR_BY_ID && inv->generation[kind] == generation)
		cache_put(inv, kind, ref, f, generation, facts);
	if (kind != PR_KIND_VOLUME)
		cache_put(inv, kind, o->id, &by_id, generation, facts);
}

void
cache_init(struct pr_inventory *inv)
{
	inv->buckets = pr_xcalloc(CACHE_BUCKETS, sizeof(struct cached *));
}

void
cache_fini(struct pr_inventory *inv)
{
	while (inv->oldest != NULL)
		cache_remove_oldest(inv);
	free(inv->buckets);
	free(inv->mutations);
}
