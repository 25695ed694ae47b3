/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Floods.  The first FULL equal denials of a second are written as they are,
 * the others of that second become one record with their number.  Equal
 * means equal bytes, not an equal hash: nobody hides a denial behind
 * another one.
 */
#include <string.h>

#include <portreeve/clock.h>

#include "local.h"

enum {
	FULL = 16
};
#define WINDOW PR_SEC

/* Appends the body of the slot's count and forgets the count. */
static void
emit(struct fold_slot *s, struct pr_buf *out)
{
	char first[28] = "", last[28] = "";

	if (s->count == 0)
		return;
	pr_record_time(s->first, first);
	pr_record_time(s->last, last);
	/* the body without its closing brace */
	pr_buf_add(out, s->body.p, s->body.n - 1);
	pr_buf_cstr(out, ",\"folded\":{\"count\":");
	pr_buf_u64(out, s->count);
	pr_buf_cstr(out, ",\"first\":\"");
	pr_buf_cstr(out, first);
	pr_buf_cstr(out, "\",\"last\":\"");
	pr_buf_cstr(out, last);
	pr_buf_cstr(out, "\"}}");
	s->count = 0;
}

static void
restart(struct fold_slot *s, uint64_t hash, struct pr_str stable, uint64_t now)
{
	s->hash = hash;
	s->since = now;
	s->written = 1;
	pr_buf_reset(&s->stable);
	pr_buf_str(&s->stable, stable);
}

bool
pr_fold_seen(struct fold *f, struct pr_str body, size_t stable, uint64_t now,
    int64_t wall, struct pr_buf *out)
{
	struct pr_str key = pr_str_sub(body, stable, body.n);
	uint64_t hash = pr_hash(PR_HASH_SEED, key.p, key.n);
	struct fold_slot *s = &f->slots[hash % FOLD_SLOTS];
	bool write = true;

	pthread_mutex_lock(&f->lock);
	if (s->written == 0 || s->hash != hash || now - s->since >= WINDOW ||
	    !pr_str_eq(pr_buf_view(&s->stable), key)) {
		emit(s, out);
		restart(s, hash, key, now);
	} else if (s->written < FULL) {
		s->written++;
	} else {
		if (s->count++ == 0) {
			s->first = wall;
			pr_buf_reset(&s->body);
			pr_buf_str(&s->body, body);
		}
		s->last = wall;
		write = false;
	}
	pthread_mutex_unlock(&f->lock);
	return write;
}

bool
pr_fold_due(
    struct fold *f, uint64_t now, bool force, size_t *at, struct pr_buf *out)
{
	bool found = false;

	pthread_mutex_lock(&f->lock);
	for (; *at < FOLD_SLOTS && !found; ++*at) {
		struct fold_slot *s = &f->slots[*at];

		if (s->count > 0 && (force || now - s->since >= WINDOW)) {
			emit(s, out);
			s->since = now;
			found = true;
		}
	}
	pthread_mutex_unlock(&f->lock);
	return found;
}

void
pr_fold_fini(struct fold *f)
{
	for (size_t i = 0; i < FOLD_SLOTS; i++) {
		pr_buf_fini(&f->slots[i].stable);
		pr_buf_fini(&f->slots[i].body);
	}
	pthread_mutex_destroy(&f->lock);
}
