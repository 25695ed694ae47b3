/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys that are equal, or that Go holds for equal.  Who sends 16,384 keys
 * must not make us compare each with each, so keys are hashed, and with a
 * seed of this process, so that nobody can choose them to collide.
 */
#include <pthread.h>
#include <string.h>

#include <portreeve/compiler.h>
#include <portreeve/digest.h>
#include <portreeve/json.h>

#include "reader.h"

#define FEW       ((size_t)8) /* so few are compared each with each */
#define HIGH_BITS UINT64_C(0x8080808080808080)
#define ONES      UINT64_C(0x0101010101010101)

static uint64_t seed[2];
static pthread_once_t seeded = PTHREAD_ONCE_INIT;

static void
seed_take(void)
{
	pr_random(seed, sizeof seed);
	seed[1] |= 1;
}

/* Eight bytes at once: 'A' to 'Z' made small, everything else kept. */
static uint64_t
lower8(uint64_t w)
{
	uint64_t low = w & ~HIGH_BITS;
	uint64_t from_a = low + (0x80 - 'A') * ONES;
	uint64_t past_z = low + (0x7f - 'Z') * ONES;
	uint64_t upper = (from_a ^ past_z) & ~w & HIGH_BITS;

	return w | upper >> 2;
}

static uint64_t
mix(uint64_t h, uint64_t w)
{
	unsigned __int128 m = (unsigned __int128)(h ^ w) * seed[1];

	return (uint64_t)m ^ (uint64_t)(m >> 64) ^ seed[0];
}

/* *high collects the high bits of the bytes. */
static uint32_t
hash_bytes(const char *p, size_t n, bool fold, uint64_t *high)
{
	uint64_t h = mix(seed[0], n), w;

	*high = 0;
	for (; n > 0; p += 8, n -= 8) {
		w = 0;
		if (n >= 8) {
			memcpy(&w, p, 8);
		} else {
			for (size_t i = 0; i < n; i++)
				w |= (uint64_t)(unsigned char)p[i] << (8 * i);
		}
		*high |= w;
		h = mix(h, fold ? lower8(w) : w);
		if (n < 8)
			break;
	}
	*high &= HIGH_BITS;
	return (uint32_t)(h ^ h >> 32);
}

static size_t
put_rune(char *o, uint32_t c)
{
	/* not UTF-8, but as good here: as many bytes as UTF-8 or fewer */
	size_t n = 0;

	if (c < 0x80) {
		o[n++] = (char)c;
		return n;
	}
	for (; c > 0; c >>= 7)
		o[n++] = (char)(0x80 | (c & 0x7f));
	return n;
}

/* Folding makes nothing longer, so s.n bytes on the stack are enough. */
static uint32_t
hash_wide(struct reader *r, struct pr_str s)
{
	size_t used = r->used, n = 0;
	uint64_t high;
	char *o = reader_push(r, s.n + 8);
	uint32_t h;

	while (s.n > 0) {
		unsigned char c = (unsigned char)*s.p;

		if (c < 0x80) {
			o[n++] = (char)ascii_lower(c);
			s = (struct pr_str){s.p + 1, s.n - 1};
		} else {
			n += put_rune(o + n, fold_next(&s));
		}
	}
	h = hash_bytes(o, n, true, &high);
	r->used = used;
	return h;
}

static uint32_t
hash_key(struct reader *r, struct pr_str key, bool fold)
{
	uint64_t high;
	uint32_t h = hash_bytes(key.p, key.n, fold, &high);

	return fold && high != 0 ? hash_wide(r, key) : h;
}

static bool
keys_equal(struct pr_str a, struct pr_str b, bool fold)
{
	return fold ? pr_json_fold_eq(a, b) : pr_str_eq(a, b);
}

/* The pair found: the later one of two keys, and the earlier. */
struct pair {
	const struct pr_json_member *later, *earlier;
};

static struct pair
find_few(
    struct reader *r, const struct pr_json_member *m, uint32_t n, bool fold)
{
	uint32_t hash[FEW];

	for (uint32_t i = 0; i < n; i++) {
		hash[i] = hash_key(r, m[i].key, fold);
		for (uint32_t k = 0; k < i; k++) {
			if (hash[k] == hash[i] &&
			    keys_equal(m[k].key, m[i].key, fold))
				return (struct pair){&m[i], &m[k]};
		}
	}
	return (struct pair){NULL, NULL};
}

/* An open hash table of hash << 32 | index + 1, on the reader's stack. */
static struct pair
find_many(
    struct reader *r, const struct pr_json_member *m, uint32_t n, bool fold)
{
	size_t base = r->used, slots = 4 * FEW;

	while (slots < 2 * (size_t)n)
		slots *= 2;
	memset(reader_push(r, slots * sizeof(uint64_t)), 0,
	    slots * sizeof(uint64_t));
	for (uint32_t i = 0; i < n; i++) {
		uint32_t hash = hash_key(r, m[i].key, fold);
		/* only now: hashing may have moved the stack */
		uint64_t *table = (void *)(r->stack + base);
		size_t at = hash & (slots - 1);

		for (; table[at] != 0; at = (at + 1) & (slots - 1)) {
			uint32_t k = (uint32_t)table[at] - 1;

			if (table[at] >> 32 == hash &&
			    keys_equal(m[k].key, m[i].key, fold)) {
				r->used = base;
				return (struct pair){&m[i], &m[k]};
			}
		}
		table[at] = (uint64_t)hash << 32 | (i + 1);
	}
	r->used = base;
	return (struct pair){NULL, NULL};
}

static struct pair
find_pair(
    struct reader *r, const struct pr_json_member *m, uint32_t n, bool fold)
{
	return n <= FEW ? find_few(r, m, n, fold) : find_many(r, m, n, fold);
}

/* --- the common case: not too many keys, all of them ASCII -------------- */

#define COMMON  128 /* even if all collide they are soon compared */
#define HANDFUL 12  /* compared each with each, by a glance */

static uint64_t
load(const char *p, size_t n)
{
	uint64_t w = 0;

	memcpy(&w, p, n); /* NOLINT: no string */
	return w;
}

/* Equal for keys that are equal but for case; else mostly different. */
static uint32_t
hash_ascii(struct pr_str s)
{
	uint64_t a, b;

	if (s.n >= 8) {
		a = load(s.p, 8);
		b = load(s.p + s.n - 8, 8);
	} else if (s.n >= 4) {
		a = load(s.p, 4);
		b = load(s.p + s.n - 4, 4);
	} else {
		a = s.n > 0 ? load(s.p, 1) | load(s.p + s.n / 2, 1) << 8 : 0;
		b = s.n > 0 ? load(s.p + s.n - 1, 1) : 0;
	}
	a = (lower8(a) ^ s.n) * UINT64_C(0x9e3779b97f4a7c15);
	b = (lower8(b) ^ a >> 29) * UINT64_C(0xbf58476d1ce4e5b9);
	return (uint32_t)((a ^ b) >> 32);
}

/* Length, first and last letter. */
static uint32_t
glance(struct pr_str s)
{
	if (s.n == 0)
		return 0;
	return (uint32_t)s.n << 16 | ((unsigned char)s.p[0] & 0x5fU) << 8 |
	    ((unsigned char)s.p[s.n - 1] & 0x5fU);
}

static bool
handful_may_hold_pair(const struct pr_json_member *m, uint32_t n)
{
	uint32_t seen[HANDFUL] PR_UNINITIALIZED;

	for (uint32_t i = 0; i < n; i++) {
		seen[i] = glance(m[i].key);
		for (uint32_t k = 0; k < i; k++) {
			if (seen[k] == seen[i] &&
			    pr_json_fold_eq(m[k].key, m[i].key))
				return true;
		}
	}
	return false;
}

/* False: no two keys are equal, folded or not; true: look closer. */
static bool
may_hold_pair(const struct pr_json_member *m, uint32_t n)
{
	uint8_t slot[2 * COMMON] PR_UNINITIALIZED; /* index + 1 */
	uint32_t hash[COMMON] PR_UNINITIALIZED, slots = 8;

	if (n <= HANDFUL)
		return handful_may_hold_pair(m, n);
	while (slots < 2 * n)
		slots *= 2;
	memset(slot, 0, slots);
	for (uint32_t i = 0; i < n; i++) {
		uint32_t h = hash_ascii(m[i].key), at = h & (slots - 1);

		for (; slot[at] != 0; at = (at + 1) & (slots - 1)) {
			uint32_t k = slot[at] - 1U;

			/* k went this way before: its hash is there */
			/* cppcheck-suppress uninitvar */
			if (hash[k] == h && pr_json_fold_eq(m[k].key, m[i].key))
				return true;
		}
		slot[at] = (uint8_t)(i + 1);
		hash[i] = h;
	}
	return false;
}

const struct pr_json_member *
judge_keys(struct reader *r, const struct pr_json_member *members, uint32_t n,
    bool wide, bool *twins)
{
	struct pair found;

	*twins = false;
	if (n < 2 || (!wide && n <= COMMON && !may_hold_pair(members, n)))
		return NULL;
	pthread_once(&seeded, seed_take);
	found = find_pair(r, members, n, true);
	if (found.later == NULL ||
	    pr_str_eq(found.later->key, found.earlier->key))
		return found.later;
	/* Twins; thousands of them fold together, so look again without. */
	*twins = true;
	return find_pair(r, members, n, false).later;
}
