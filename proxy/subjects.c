/* SPDX-License-Identifier: Apache-2.0 */
#include "subjects.h"

#include <pthread.h>
#include <stdlib.h>

#include <portreeve/arena.h>
#include <portreeve/clock.h>
#include <portreeve/digest.h>

#define SLOTS 4096

struct subject {
	struct subject *next; /* of the slot */
	uint8_t key[PR_KEYED_HASH_LEN];
	unsigned connections;
	/* requests that may be made at once, in thousandths; filled up with
	 * time, to a second's worth */
	uint64_t tokens;
	uint64_t filled;
};

struct subjects {
	pthread_mutex_t lock;
	unsigned most, rate;
	struct subject *slots[SLOTS];
};

struct subjects *
subjects_new(unsigned connections, unsigned rate)
{
	struct subjects *ss = pr_xcalloc(1, sizeof *ss);

	pthread_mutex_init(&ss->lock, NULL);
	ss->most = connections;
	ss->rate = rate;
	return ss;
}

void
subjects_free(struct subjects *ss)
{
	if (ss == NULL)
		return;
	for (size_t i = 0; i < SLOTS; i++) {
		while (ss->slots[i] != NULL) {
			struct subject *s = ss->slots[i];

			ss->slots[i] = s->next;
			free(s);
		}
	}
	pthread_mutex_destroy(&ss->lock);
	free(ss);
}

static struct subject **
slot_of(struct subjects *ss, const uint8_t key[PR_KEYED_HASH_LEN])
{
	return &ss->slots[(size_t)(key[0] | key[1] << 8) % SLOTS];
}

static struct subject *
find(struct subjects *ss, const uint8_t key[PR_KEYED_HASH_LEN])
{
	struct subject *s = *slot_of(ss, key);

	while (s != NULL && !pr_equal_secret(s->key, key, PR_KEYED_HASH_LEN))
		s = s->next;
	return s;
}

struct subject *
subjects_enter(struct subjects *ss, struct pr_str key)
{
	uint8_t hash[PR_KEYED_HASH_LEN];
	struct subject *s;

	pr_keyed_hash(&key, 1, hash);
	pthread_mutex_lock(&ss->lock);
	s = find(ss, hash);
	if (s == NULL) {
		struct subject **slot = slot_of(ss, hash);

		s = pr_xcalloc(1, sizeof *s);
		for (size_t i = 0; i < sizeof hash; i++)
			s->key[i] = hash[i];
		s->tokens = (uint64_t)ss->rate * 1000;
		s->next = *slot;
		*slot = s;
	}
	if (s->connections >= ss->most)
		s = NULL;
	else
		s->connections++;
	pthread_mutex_unlock(&ss->lock);
	return s;
}

void
subjects_leave(struct subjects *ss, struct subject *s)
{
	struct subject **at;

	if (s == NULL)
		return;
	pthread_mutex_lock(&ss->lock);
	/* with a rate it is remembered: a new connection is no new second */
	if (--s->connections == 0 && ss->rate == 0) {
		for (at = slot_of(ss, s->key); *at != s;)
			at = &(*at)->next;
		*at = s->next;
		free(s);
	}
	pthread_mutex_unlock(&ss->lock);
}

bool
subjects_may(struct subjects *ss, struct subject *s, uint64_t now)
{
	uint64_t full = (uint64_t)ss->rate * 1000, more;
	bool may;

	if (ss->rate == 0 || s == NULL)
		return true;
	pthread_mutex_lock(&ss->lock);
	more = now > s->filled ? now - s->filled : 0;
	more = more > PR_SEC ? full : more * ss->rate / (PR_SEC / 1000);
	if (more > 0)
		s->filled = now;
	s->tokens = s->tokens + more > full ? full : s->tokens + more;
	may = s->tokens >= 1000;
	if (may)
		s->tokens -= 1000;
	pthread_mutex_unlock(&ss->lock);
	return may;
}
