/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests between AuthZReq and AuthZRes: which decision an outcome belongs
 * to, whose an object will be, and which names may not change their meaning
 * meanwhile (docs/semantics.md 2.2, 6.3).
 *
 * A response repeats its request, so the key of an entry is a hash of it;
 * of equal requests the oldest ends first, which is the same for all.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <portreeve/clock.h>

#include "local.h"

#define SLOTS     4096
#define CAP       65536         /* entries; the oldest goes first */
#define GIVEN_FOR (60 * PR_SEC) /* a name that is being given */
#define USED_FOR  (10 * PR_SEC) /* a name that a handler resolves */

struct name {
	struct name *next;
	uint64_t handle; /* of the entry that holds it */
	uint64_t until;
	int64_t since; /* wall time */
	enum pr_kind kind;
	bool given; /* changes what the name means; else only uses it */
	size_t n;
	char bytes[];
};

struct entry {
	struct entry *next;          /* of the slot, oldest last */
	struct entry *newer, *older; /* of all */
	uint64_t handle;
	struct pending_entry e;
};

struct pending {
	pthread_mutex_t lock;
	pthread_cond_t freed; /* some name became free */
	struct entry *slots[SLOTS];
	struct entry *newest, *oldest;
	size_t n;
	uint64_t next_handle;
	struct name *names;
	size_t n_names;
};

struct pending *
pending_new(void)
{
	struct pending *p = pr_xcalloc(1, sizeof *p);
	pthread_condattr_t attr;

	pthread_mutex_init(&p->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&p->freed, &attr);
	pthread_condattr_destroy(&attr);
	p->next_handle = 1;
	return p;
}

void
pending_free(struct pending *p)
{
	if (p == NULL)
		return;
	while (p->oldest != NULL) {
		struct entry *e = p->oldest;

		p->oldest = e->newer;
		free(e);
	}
	while (p->names != NULL) {
		struct name *n = p->names;

		p->names = n->next;
		free(n);
	}
	pthread_cond_destroy(&p->freed);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

/* Parts of the request that tell it from others. */
void
pending_key(const struct pr_judge_call *call, struct pending_key *key)
{
	struct pr_str parts[] = {call->call.method, call->call.target,
	    call->call.body, call->caller.user, call->caller.method,
	    call->caller.n_chain > 0 ? call->caller.chain[0]
				     : (struct pr_str){NULL, 0}};

	pr_keyed_hash(parts, PR_COUNT(parts), key->bytes);
}

static size_t
slot_of(const struct pending_key *key)
{
	return (size_t)(key->bytes[0] | key->bytes[1] << 8) % SLOTS;
}

static void
free_names(struct pending *p, uint64_t handle, uint64_t now)
{
	struct name **at = &p->names;
	bool any = false;

	while (*at != NULL) {
		struct name *n = *at;

		if (n->handle == handle || n->until < now) {
			*at = n->next;
			free(n);
			p->n_names--;
			any = true;
		} else {
			at = &n->next;
		}
	}
	if (any)
		pthread_cond_broadcast(&p->freed);
}

static void
unlink_entry(struct pending *p, struct entry *e)
{
	struct entry **at = &p->slots[slot_of(&e->e.key)];

	while (*at != e)
		at = &(*at)->next;
	*at = e->next;
	if (e->newer != NULL)
		e->newer->older = e->older;
	else
		p->newest = e->older;
	if (e->older != NULL)
		e->older->newer = e->newer;
	else
		p->oldest = e->newer;
	p->n--;
}

/*
 * The object that bears the name now was made after the name was reserved: so
 * the request that reserved it has made it, or must fail with a conflict.
 */
static bool
is_settled(const struct name *n, const struct pr_ref *r)
{
	int64_t made;

	return r->object != NULL && r->object->presence == PR_PRESENT &&
	    pr_clock_parse(r->object->created, &made) && made > n->since;
}

static bool
in_use(const struct pending *p, const struct pr_ref *r, uint64_t now)
{
	bool gives = r->role == PR_REF_NEW_NAME;

	for (const struct name *n = p->names; n != NULL; n = n->next) {
		if (n->until >= now && n->kind == r->kind &&
		    (n->given || gives) && n->n == r->name.n &&
		    memcmp(n->bytes, r->name.p, n->n) == 0 &&
		    !(n->given && !gives && is_settled(n, r)))
			return true;
	}
	return false;
}

/* A name only: a full id means the same always. */
static bool
holds_name(const struct pr_ref *r)
{
	if (r->name.n == 0 || r->kind == PR_KIND_IMAGE ||
	    r->kind == PR_KIND_EXEC)
		return false;
	if (r->role == PR_REF_NEW_NAME)
		return true;
	if (r->kind == PR_KIND_VOLUME)
		return r->object != NULL && r->object->presence == PR_ABSENT;
	return r->object != NULL && r->object->by != PR_BY_ID;
}

static bool
names_free(const struct pending *p, const struct pr_ref *refs, size_t n)
{
	uint64_t now = pr_clock_now();

	for (size_t i = 0; i < n; i++) {
		if (holds_name(&refs[i]) && in_use(p, &refs[i], now))
			return false;
	}
	return true;
}

static void
take_names(
    struct pending *p, const struct pr_ref *refs, size_t n, uint64_t handle)
{
	uint64_t now = pr_clock_now();

	for (size_t i = 0; i < n; i++) {
		const struct pr_ref *r = &refs[i];
		struct name *name;

		if (!holds_name(r))
			continue;
		name = pr_xcalloc(1, sizeof *name + r->name.n);
		name->handle = handle;
		name->kind = r->kind;
		name->given =
		    r->role == PR_REF_NEW_NAME || r->kind == PR_KIND_VOLUME;
		name->until = now + (name->given ? GIVEN_FOR : USED_FOR);
		name->since = pr_clock_wall();
		name->n = r->name.n;
		memcpy(name->bytes, r->name.p, r->name.n);
		name->next = p->names;
		p->names = name;
		p->n_names++;
	}
}

static bool
wait_freed(struct pending *p, uint64_t deadline)
{
	uint64_t now = pr_clock_now(), left;
	struct timespec ts;

	if (now >= deadline)
		return false;
	/* names end by time as well: look again every 50 ms */
	left = deadline - now < 50 * PR_MS ? deadline - now : 50 * PR_MS;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	left += (uint64_t)ts.tv_nsec;
	ts.tv_sec += (time_t)(left / PR_SEC);
	ts.tv_nsec = (long)(left % PR_SEC);
	pthread_cond_timedwait(&p->freed, &p->lock, &ts);
	return true;
}

static void
add_entry(struct pending *p, const struct pending_entry *src, uint64_t handle)
{
	struct entry *e = pr_xcalloc(1, sizeof *e);
	size_t slot = slot_of(&src->key);

	e->e = *src;
	e->handle = handle;
	e->next = p->slots[slot];
	p->slots[slot] = e;
	e->older = p->newest;
	if (p->newest != NULL)
		p->newest->newer = e;
	else
		p->oldest = e;
	p->newest = e;
	p->n++;
	if (p->n > CAP) {
		struct entry *old = p->oldest;

		free_names(p, old->handle, 0);
		unlink_entry(p, old);
		free(old);
	}
}

int
pending_add(struct pending *p, const struct pending_entry *e,
    const struct pr_ref *refs, size_t n_refs, bool may_wait, uint64_t deadline,
    uint64_t *handle)
{
	int rc = 0;

	pthread_mutex_lock(&p->lock);
	free_names(p, 0, pr_clock_now());
	while (!names_free(p, refs, n_refs)) {
		if (!may_wait || !wait_freed(p, deadline)) {
			rc = -1;
			break;
		}
	}
	if (rc == 0) {
		*handle = p->next_handle++;
		take_names(p, refs, n_refs, *handle);
		add_entry(p, e, *handle);
	}
	pthread_mutex_unlock(&p->lock);
	return rc;
}

void
pending_drop(struct pending *p, uint64_t handle, struct pending_entry *out)
{
	pthread_mutex_lock(&p->lock);
	for (struct entry *e = p->newest; e != NULL; e = e->older) {
		if (e->handle == handle) {
			*out = e->e;
			unlink_entry(p, e);
			free(e);
			break;
		}
	}
	free_names(p, handle, 0);
	pthread_mutex_unlock(&p->lock);
}

bool
pending_op(struct pending *p, const struct pending_key *key, enum pr_op *op)
{
	bool found = false;

	pthread_mutex_lock(&p->lock);
	for (struct entry *e = p->slots[slot_of(key)]; e != NULL && !found;
	     e = e->next) {
		found = memcmp(&e->e.key, key, sizeof *key) == 0;
		if (found)
			*op = e->e.op;
	}
	pthread_mutex_unlock(&p->lock);
	return found;
}

bool
pending_end(
    struct pending *p, const struct pending_key *key, struct pending_entry *out)
{
	struct entry *found = NULL;

	pthread_mutex_lock(&p->lock);
	for (struct entry *e = p->slots[slot_of(key)]; e != NULL; e = e->next) {
		/* the last one that matches is the oldest */
		if (memcmp(&e->e.key, key, sizeof *key) == 0)
			found = e;
	}
	if (found != NULL) {
		*out = found->e;
		free_names(p, found->handle, 0);
		unlink_entry(p, found);
		free(found);
	}
	pthread_mutex_unlock(&p->lock);
	return found != NULL;
}
