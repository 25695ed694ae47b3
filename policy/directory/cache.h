/* SPDX-License-Identifier: Apache-2.0 */
/* Subjects and what was last read about them: a table in shards. */
#ifndef DIRECTORY_CACHE_H
#define DIRECTORY_CACHE_H

#include <pthread.h>

#include "local.h"

#define SHARDS         32
#define SHARD_SUBJECTS 512 /* more push out those not used for longest */
#define SHARD_BUCKETS  256

struct entry {
	struct entry *next;   /* in the bucket */
	struct entry *queued; /* in the queue; itself at its end */
	uint64_t hash;
	struct pr_str name, filter;    /* in bytes[] */
	const struct pr_membership *m; /* or NULL: never read */
	uint64_t used_at;
	uint64_t failed_at;     /* a failure that asking again will not mend */
	struct pr_err *failure; /* that one */
	uint64_t reread_at;
	uint64_t ahead_at; /* when it was last queued */
	unsigned failures; /* counted, so that waiters see a new one */
	unsigned reads;    /* the same for answers */
	unsigned pins;     /* threads that hold a pointer without the lock */
	bool busy;         /* somebody asks */
	char bytes[];
};

struct shard {
	_Alignas(64) pthread_mutex_t lock;
	pthread_cond_t answered; /* an entry is busy no more */
	struct entry *bucket[SHARD_BUCKETS];
	size_t n;
};

uint64_t dir_cache_hash(struct pr_str name, struct pr_str filter);
struct shard *dir_cache_shard(struct shard *shards, uint64_t hash);
/* Under the shard's lock, as all that follows.  NULL: not there. */
struct entry *dir_cache_find(
    struct shard *s, uint64_t hash, struct pr_str name, struct pr_str filter);
struct entry *dir_cache_add(
    struct shard *s, uint64_t hash, struct pr_str name, struct pr_str filter);
/* Forgets what was read; pinned entries stay, empty, unless closing. */
void dir_cache_forget(struct shard *s, bool closing);

#endif /* DIRECTORY_CACHE_H */
