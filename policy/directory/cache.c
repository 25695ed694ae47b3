/* SPDX-License-Identifier: Apache-2.0 */
#include "cache.h"

#include <stdlib.h>
#include <string.h>

uint64_t
dir_cache_hash(struct pr_str name, struct pr_str filter)
{
	uint64_t h = pr_hash(PR_HASH_SEED, name.p, name.n);

	if (filter.n > 0)
		h = pr_hash(h + 1, filter.p, filter.n);
	return h ^ h >> 29;
}

struct shard *
dir_cache_shard(struct shard *shards, uint64_t hash)
{
	return &shards[hash % SHARDS];
}

static struct entry **
bucket_of(struct shard *s, uint64_t hash)
{
	return &s->bucket[hash / SHARDS % SHARD_BUCKETS];
}

struct entry *
dir_cache_find(
    struct shard *s, uint64_t hash, struct pr_str name, struct pr_str filter)
{
	struct entry *e = *bucket_of(s, hash);

	while (e != NULL &&
	    (e->hash != hash || !pr_str_eq(e->name, name) ||
		!pr_str_eq(e->filter, filter)))
		e = e->next;
	return e;
}

static void
entry_free(struct entry *e)
{
	pr_membership_unref(e->m);
	pr_err_free(e->failure);
	free(e);
}

/* The one that was not used for longest makes room; O(n), and rare. */
static void
evict(struct shard *s)
{
	struct entry **oldest = NULL;

	for (size_t i = 0; i < SHARD_BUCKETS; i++) {
		for (struct entry **p = &s->bucket[i]; *p != NULL;
		     p = &(*p)->next) {
			if ((*p)->pins == 0 &&
			    (oldest == NULL ||
				(*p)->used_at < (*oldest)->used_at))
				oldest = p;
		}
	}
	if (oldest == NULL)
		return;

	struct entry *e = *oldest;

	*oldest = e->next;
	s->n--;
	entry_free(e);
}

struct entry *
dir_cache_add(
    struct shard *s, uint64_t hash, struct pr_str name, struct pr_str filter)
{
	struct entry *e = pr_xcalloc(1, sizeof *e + name.n + filter.n + 1);
	struct entry **bucket = bucket_of(s, hash);

	if (s->n >= SHARD_SUBJECTS)
		evict(s);
	memcpy(e->bytes, name.p, name.n);
	if (filter.n > 0)
		memcpy(e->bytes + name.n, filter.p, filter.n);
	e->name = (struct pr_str){e->bytes, name.n};
	e->filter = (struct pr_str){e->bytes + name.n, filter.n};
	e->hash = hash;
	e->next = *bucket;
	*bucket = e;
	s->n++;
	return e;
}

void
dir_cache_forget(struct shard *s, bool closing)
{
	for (size_t i = 0; i < SHARD_BUCKETS; i++) {
		struct entry **p = &s->bucket[i];

		while (*p != NULL) {
			struct entry *e = *p;

			if (e->pins > 0 && !closing) {
				pr_membership_unref(pr_take(&e->m));
				pr_err_freep(&e->failure);
				e->failed_at = e->reread_at = 0;
				p = &e->next;
				continue;
			}
			*p = e->next;
			s->n--;
			entry_free(e);
		}
	}
}
