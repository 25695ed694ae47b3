/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Certificates already read, by their text.  Sets of a few entries, each
 * under its own lock; a keyed hash chooses the set, the bytes decide.  The
 * oldest of a set makes room.  Nothing is read under a lock.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "rules.h"

#define SETS     16
/* A text above this is read anew each time: sixteen of them are not kept. */
#define MAX_TEXT ((size_t)16384)

struct entry {
	uint64_t hash;
	uint64_t used;                  /* the set's clock at the last hit */
	struct pr_subject_owner *owner; /* NULL: free */
};

struct set {
	pthread_mutex_t lock;
	uint64_t clock;
	struct entry *v;
} __attribute__((aligned(64)));

struct pr_identity_cache {
	struct set sets[SETS];
	size_t per_set;
	uint64_t key[4];
	pthread_rwlock_t rules_lock; /* of the two below */
	struct pr_identity *rules;
	uint64_t generation;
};

__extension__ typedef unsigned __int128 wide;

static uint64_t
fold(uint64_t a, uint64_t b)
{
	wide r = (wide)a * b;

	return (uint64_t)r ^ (uint64_t)(r >> 64);
}

static uint64_t
load(const char *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof v);
	return v;
}

/*
 * Multiply and fold, two lanes of 16 bytes, with a secret key: only to spread.
 * The tail is read again from the end, so short texts are padded first.
 */
static uint64_t
hash_text(const uint64_t key[4], struct pr_str s)
{
	uint64_t a = key[0] ^ s.n, b = key[1];
	char tail[32] = {0};
	const char *p = s.p;
	size_t n = s.n;

	for (; n > 32; n -= 32, p += 32) {
		a = fold(load(p) ^ key[2] ^ a, load(p + 8) ^ key[3]);
		b = fold(load(p + 16) ^ key[3] ^ b, load(p + 24) ^ key[2]);
	}
	if (n > 0)
		memcpy(tail, p, n);
	a = fold(load(tail) ^ key[2] ^ a, load(tail + 8) ^ key[3]);
	b = fold(load(tail + 16) ^ key[3] ^ b, load(tail + 24) ^ key[2]);
	return fold(a ^ key[1], b ^ key[0]);
}

struct pr_identity_cache *
pr_identity_cache_new(struct pr_identity *id, size_t max)
{
	struct pr_identity_cache *c;

	if ((c = aligned_alloc(64, sizeof *c)) == NULL)
		abort();
	memset(c, 0, sizeof *c);
	c->per_set = max < SETS ? 1 : (max + SETS - 1) / SETS;
	for (size_t i = 0; i < SETS; i++) {
		pthread_mutex_init(&c->sets[i].lock, NULL);
		c->sets[i].v = pr_xcalloc(c->per_set, sizeof *c->sets[i].v);
	}
	pr_random(c->key, sizeof c->key);
	pthread_rwlock_init(&c->rules_lock, NULL);
	c->rules = pr_identity_ref(id);
	return c;
}

static void
forget(struct pr_identity_cache *c)
{
	for (size_t i = 0; i < SETS; i++) {
		struct set *s = &c->sets[i];

		pthread_mutex_lock(&s->lock);
		for (size_t k = 0; k < c->per_set; k++) {
			if (s->v[k].owner != NULL)
				owner_unref(s->v[k].owner);
			s->v[k] = (struct entry){0};
		}
		pthread_mutex_unlock(&s->lock);
	}
}

void
pr_identity_cache_free(struct pr_identity_cache *c)
{
	if (c == NULL)
		return;
	forget(c);
	for (size_t i = 0; i < SETS; i++) {
		pthread_mutex_destroy(&c->sets[i].lock);
		free(c->sets[i].v);
	}
	pthread_rwlock_destroy(&c->rules_lock);
	pr_identity_unref(c->rules);
	free(c);
}

void
pr_identity_cache_reload(struct pr_identity_cache *c, struct pr_identity *id)
{
	struct pr_identity *old;

	pthread_rwlock_wrlock(&c->rules_lock);
	old = c->rules;
	c->rules = pr_identity_ref(id);
	c->generation++;
	/* under the lock: nobody puts in what the old rules said */
	forget(c);
	pthread_rwlock_unlock(&c->rules_lock);
	pr_identity_unref(old);
}

/* A reference to what is known of that text, or NULL. */
static struct pr_subject_owner *
look_up(struct pr_identity_cache *c, uint64_t hash, struct pr_str text)
{
	struct set *s = &c->sets[hash % SETS];
	struct pr_subject_owner *found = NULL;

	pthread_mutex_lock(&s->lock);
	for (size_t i = 0; i < c->per_set && found == NULL; i++) {
		struct entry *e = &s->v[i];

		if (e->hash != hash || e->owner == NULL ||
		    !pr_str_eq(e->owner->text, text))
			continue;
		e->used = ++s->clock;
		found = e->owner;
		owner_ref(found);
	}
	pthread_mutex_unlock(&s->lock);
	return found;
}

static void
put(struct pr_identity_cache *c, uint64_t hash, struct pr_subject_owner *o)
{
	struct set *s = &c->sets[hash % SETS];
	struct entry *to = &s->v[0];
	struct pr_subject_owner *old;

	owner_ref(o);
	pthread_mutex_lock(&s->lock);
	for (size_t i = 0; i < c->per_set; i++) {
		struct entry *e = &s->v[i];

		if (e->owner != NULL && e->hash == hash &&
		    pr_str_eq(e->owner->text, o->text)) {
			to = e; /* another thread was faster */
			break;
		}
		if (e->owner == NULL || e->used < to->used)
			to = e;
	}
	old = to->owner;
	*to = (struct entry){hash, ++s->clock, o};
	pthread_mutex_unlock(&s->lock);
	if (old != NULL)
		owner_unref(old);
}

/* Reads the certificate under the rules of now, and remembers. */
static struct pr_subject_owner *
read_new(struct pr_identity_cache *c, uint64_t hash, struct pr_str text)
{
	struct pr_subject_owner *o;
	struct pr_identity *rules;
	uint64_t generation;

	pthread_rwlock_rdlock(&c->rules_lock);
	rules = pr_identity_ref(c->rules);
	generation = c->generation;
	pthread_rwlock_unlock(&c->rules_lock);

	o = owner_of_certificate(rules, text);
	pr_identity_unref(rules);
	if (text.n > MAX_TEXT)
		return o;
	/* the call's text goes away */
	o->text = pr_arena_str(o->arena, text);
	pthread_rwlock_rdlock(&c->rules_lock);
	if (generation == c->generation)
		put(c, hash, o);
	pthread_rwlock_unlock(&c->rules_lock);
	return o;
}

static int
map_uncached(struct pr_identity_cache *c, const struct pr_identity_call *call,
    const struct pr_subject **out, struct pr_identity_why *why)
{
	struct pr_identity *rules;
	int rc;

	pthread_rwlock_rdlock(&c->rules_lock);
	rules = pr_identity_ref(c->rules);
	pthread_rwlock_unlock(&c->rules_lock);
	rc = pr_identity_map(rules, call, out, why);
	pr_identity_unref(rules);
	return rc;
}

int
pr_identity_find(struct pr_identity_cache *c,
    const struct pr_identity_call *call, const struct pr_subject **out,
    struct pr_identity_why *why)
{
	struct pr_subject_owner *o;
	struct pr_str text;
	uint64_t hash;
	int rc;

	if (call->n_chain == 0 || call->chain[0].n > MAX_TEXT)
		return map_uncached(c, call, out, why);
	why->text[0] = '\0';
	text = call->chain[0];
	hash = hash_text(c->key, text);
	o = look_up(c, hash, text);
	if (o == NULL)
		o = read_new(c, hash, text);
	rc = owner_judge(o, call, out, why);
	owner_unref(o);
	return rc;
}
