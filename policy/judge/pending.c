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

#define SLOTS       4096
#define CAP         65536                /* entries; the oldest goes first */
#define GIVEN_FOR   (60 * PR_SEC)        /* a name that is being given */
#define USED_FOR    (10 * PR_SEC)        /* a name that a handler resolves */
#define MAX_SECONDS UINT64_C(9000000000) /* fit in int64_t as ns */
#define TURN        (25 * PR_MS) /* a thread is not kept longer than this */
#define SPARE       64           /* entries that are kept for the next ones */
#define CHANGES     4096         /* slots; two names in one cost a look-up */

struct name {
	struct name *next;
	uint64_t handle; /* of the entry that holds it */
	uint64_t until;
	int64_t since; /* wall time */
	enum pr_kind kind;
	bool given; /* changes what the name means; else only uses it */
	bool claim; /* by one that waits for it: those who come later do too */
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
	struct entry *spare; /* by next; taken and given once a request */
	size_t n_spare;
	uint64_t next_handle;
	struct name *names;
	size_t n_names;
	uint64_t clock;            /* counts the names that were given */
	uint64_t changed[CHANGES]; /* the clock when one of the slot was */
};

void
pending_entry_fini(struct pending_entry *e)
{
	free(e->volumes);
	e->volumes = NULL;
	e->n_volumes = 0;
}

/* The entry's own memory: what it owned is somebody else's, or freed. */
static void
entry_drop(struct pending *p, struct entry *e)
{
	if (p->n_spare == SPARE) {
		free(e);
		return;
	}
	e->next = p->spare;
	p->spare = e;
	p->n_spare++;
}

static struct entry *
entry_take(struct pending *p)
{
	struct entry *e = p->spare;

	if (e == NULL)
		return pr_xmalloc(sizeof *e);
	p->spare = e->next;
	p->n_spare--;
	return e;
}

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
		pending_entry_fini(&e->e);
		free(e);
	}
	while (p->spare != NULL)
		free(entry_take(p));
	while (p->names != NULL) {
		struct name *n = p->names;

		p->names = n->next;
		free(n);
	}
	pthread_cond_destroy(&p->freed);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

/*
 * Hashes of certificates that were seen last by this thread: the same few
 * come with each call, and comparing them costs less than hashing does.
 */
#define SEEN_TEXT 2560

struct seen {
	size_t n;
	uint8_t hash[PR_KEYED_HASH_LEN];
	char text[SEEN_TEXT];
};
static __thread struct seen seen[4];

static struct pr_str
certificate_hash(struct pr_str text)
{
	struct seen *s;
	uint64_t middle;

	if (text.n < 16 || text.n > SEEN_TEXT)
		return text;
	memcpy(&middle, text.p + text.n / 2, sizeof middle);
	s = &seen[middle * UINT64_C(0x9e3779b97f4a7c15) >> 62];
	if (s->n != text.n || memcmp(s->text, text.p, text.n) != 0) {
		pr_keyed_hash(&text, 1, s->hash);
		memcpy(s->text, text.p, text.n);
		s->n = text.n;
	}
	return (struct pr_str){(const char *)s->hash, sizeof s->hash};
}

/*
 * Parts of the request that tell it from others; the team that is asked for
 * is one, since it says whose the object will be.
 */
void
pending_key(const struct pr_judge_call *call, struct pending_key *key)
{
	const struct pr_str none = {NULL, 0};
	bool repeated = false;
	const struct pr_str *team = pr_header_get(call->call.headers,
	    call->call.n_headers, "X-Portreeve-Team", &repeated);
	struct pr_str parts[] = {call->call.method, call->call.target,
	    call->call.body, call->caller.user, call->caller.method,
	    call->caller.n_chain > 0 ? certificate_hash(call->caller.chain[0])
				     : none,
	    team != NULL ? *team : none, call->ticket};

	pr_keyed_hash(parts, PR_COUNT(parts), key->bytes);
}

static size_t
slot_of(const struct pending_key *key)
{
	return (size_t)(key->bytes[0] | key->bytes[1] << 8) % SLOTS;
}

static uint64_t *
changed_of(struct pending *p, enum pr_kind kind, const char *name, size_t n)
{
	return &p->changed[pr_hash(PR_HASH_SEED + (uint64_t)kind, name, n) %
	    CHANGES];
}

static void
free_names(struct pending *p, uint64_t handle, uint64_t now)
{
	struct name **at = &p->names;
	bool any = false;

	while (*at != NULL) {
		struct name *n = *at;

		if (n->handle == handle || n->until < now) {
			if (n->given && !n->claim)
				*changed_of(p, n->kind, n->bytes, n->n) =
				    ++p->clock;
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
 * When an object was made.  The mark of a local volume is the inode of its
 * directory and the time of its birth, "12:1700000000.000000001"; the daemon's
 * own time moves when files come and go.
 */
static bool
made_at(enum pr_kind kind, struct pr_str mark, int64_t *made)
{
	struct pr_str birth = mark, ns;
	uint64_t s, n = 0;

	if (kind != PR_KIND_VOLUME || pr_str_find(mark, 'T') < mark.n)
		return pr_clock_parse(mark, made);
	pr_str_cut(&birth, ':');
	ns = birth;
	birth = pr_str_cut(&ns, '.');
	/* of the fraction the digits behind its leading zeros */
	while (ns.n > 1 && ns.p[0] == '0')
		ns = pr_str_sub(ns, 1, ns.n);
	if (!pr_str_u64(birth, &s) || !pr_str_u64(ns, &n) || s > MAX_SECONDS ||
	    n >= PR_SEC)
		return false;
	*made = (int64_t)(s * PR_SEC + n);
	return true;
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
	    made_at(r->kind, r->object->created, &made) && made > n->since;
}

/* The request gives the name to something: it means another thing then. */
static bool
gives(const struct pr_ref *r)
{
	return r->role == PR_REF_NEW_NAME ||
	    (r->role == PR_REF_VOLUME && r->object != NULL &&
		r->object->presence == PR_ABSENT);
}

static bool
same_name(const struct name *n, const struct pr_ref *r)
{
	return n->kind == r->kind && n->n == r->name.n &&
	    memcmp(n->bytes, r->name.p, n->n) == 0;
}

/* Claims count if they are older than `turn`; every one, if that is 0. */
static bool
in_use(const struct pending *p, const struct pr_ref *r, uint64_t turn,
    uint64_t now)
{
	bool given = gives(r);

	for (const struct name *n = p->names; n != NULL; n = n->next) {
		if (n->until < now || (!n->given && !given) || !same_name(n, r))
			continue;
		if (n->claim ? turn == 0 || n->handle < turn
			     : !n->given || given || !is_settled(n, r))
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
	return r->role == PR_REF_NEW_NAME ||
	    (r->object != NULL && r->object->by != PR_BY_ID);
}

static bool
names_free(
    const struct pending *p, const struct pr_ref *refs, size_t n, uint64_t turn)
{
	uint64_t now;

	if (p->names == NULL)
		return true;
	now = pr_clock_now();
	for (size_t i = 0; i < n; i++) {
		if (holds_name(&refs[i]) && in_use(p, &refs[i], turn, now))
			return false;
	}
	return true;
}

/* Was one of the names given since the references were looked up? */
static bool
names_stale(
    struct pending *p, const struct pr_ref *refs, size_t n, uint64_t since)
{
	for (size_t i = 0; i < n; i++) {
		if (holds_name(&refs[i]) &&
		    *changed_of(p, refs[i].kind, refs[i].name.p,
			refs[i].name.n) > since)
			return true;
	}
	return false;
}

/* until 0: as long as a handler needs; else a claim. */
static void
take_names(struct pending *p, const struct pr_ref *refs, size_t n,
    uint64_t handle, uint64_t until)
{
	uint64_t now = 0;

	for (size_t i = 0; i < n; i++) {
		const struct pr_ref *r = &refs[i];
		struct name *name;

		if (!holds_name(r))
			continue;
		if (now == 0)
			now = pr_clock_now();
		name = pr_xcalloc(1, sizeof *name + r->name.n);
		name->handle = handle;
		name->kind = r->kind;
		name->given = gives(r);
		name->claim = until != 0;
		name->until = until != 0
		    ? until
		    : now + (name->given ? GIVEN_FOR : USED_FOR);
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
	left = deadline - now;
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
	struct entry *e = entry_take(p);
	size_t slot = slot_of(&src->key);

	e->e = *src;
	e->handle = handle;
	e->newer = NULL;
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
		pending_entry_fini(&old->e);
		entry_drop(p, old);
	}
}

uint64_t
pending_clock(struct pending *p)
{
	uint64_t clock;

	pthread_mutex_lock(&p->lock);
	clock = p->clock;
	pthread_mutex_unlock(&p->lock);
	return clock;
}

/* Waits a little for the names, in turn; with the lock held. */
static bool
wait_free(struct pending *p, const struct pr_ref *refs, size_t n,
    uint64_t deadline, uint64_t *turn)
{
	uint64_t now = pr_clock_now(), until = now + TURN;

	if (until > deadline)
		until = deadline;
	if (*turn == 0)
		*turn = p->next_handle++;
	else
		free_names(p, *turn, now); /* what is named may have changed */
	take_names(p, refs, n, *turn, deadline);
	while (!names_free(p, refs, n, *turn)) {
		if (!wait_freed(p, until))
			return false;
		free_names(p, 0, pr_clock_now());
	}
	return true;
}

int
pending_add(struct pending *p, const struct pending_entry *e,
    const struct pr_ref *refs, size_t n_refs, uint64_t since, bool may_wait,
    uint64_t deadline, uint64_t *turn, uint64_t *handle)
{
	int rc = 0;

	pthread_mutex_lock(&p->lock);
	if (p->names != NULL)
		free_names(p, 0, pr_clock_now());
	if (!names_free(p, refs, n_refs, *turn) &&
	    (!may_wait || !wait_free(p, refs, n_refs, deadline, turn)))
		rc = -1;
	if (rc == 0 && names_stale(p, refs, n_refs, since))
		rc = 1;
	if (rc == 0) {
		*handle = p->next_handle++;
		take_names(p, refs, n_refs, *handle, 0);
		add_entry(p, e, *handle);
	}
	pthread_mutex_unlock(&p->lock);
	return rc;
}

/*
 * Is one of the names used by the references being given just now?  Whose its
 * object is, is written down at the end of that.
 */
static bool
being_given(const struct pending *p, const struct pr_ref *refs, size_t n_refs)
{
	uint64_t now = pr_clock_now();

	for (size_t i = 0; i < n_refs; i++) {
		if (!holds_name(&refs[i]) || gives(&refs[i]))
			continue;
		for (const struct name *n = p->names; n != NULL; n = n->next) {
			if (n->given && !n->claim && n->until >= now &&
			    same_name(n, &refs[i]))
				return true;
		}
	}
	return false;
}

int
pending_unsettled(struct pending *p, const struct pr_ref *refs, size_t n_refs,
    uint64_t since, bool may_wait, uint64_t deadline)
{
	uint64_t until = pr_clock_now() + TURN;
	int rc;

	if (until > deadline)
		until = deadline;
	pthread_mutex_lock(&p->lock);
	free_names(p, 0, pr_clock_now());
	for (;;) {
		rc = names_stale(p, refs, n_refs, since) ? 1
		    : being_given(p, refs, n_refs)       ? -1
							 : 0;
		if (rc >= 0 || !may_wait || !wait_freed(p, until))
			break;
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
			entry_drop(p, e);
			break;
		}
	}
	free_names(p, handle, 0);
	pthread_mutex_unlock(&p->lock);
}

bool
pending_op(struct pending *p, const struct pending_key *key, enum pr_op *op,
    char id[PR_UUID_LEN])
{
	bool found = false;

	pthread_mutex_lock(&p->lock);
	/* the last one that matches is the oldest: it will end first */
	for (struct entry *e = p->slots[slot_of(key)]; e != NULL; e = e->next) {
		if (memcmp(&e->e.key, key, sizeof *key) != 0)
			continue;
		found = true;
		*op = e->e.op;
		memcpy(id, e->e.id, PR_UUID_LEN);
	}
	pthread_mutex_unlock(&p->lock);
	return found;
}

bool
pending_end(struct pending *p, const struct pending_key *key,
    struct pending_entry *out, uint64_t *handle)
{
	struct entry *found = NULL;

	*handle = 0;
	pthread_mutex_lock(&p->lock);
	for (struct entry *e = p->slots[slot_of(key)]; e != NULL; e = e->next) {
		/* the last one that matches is the oldest */
		if (memcmp(&e->e.key, key, sizeof *key) == 0)
			found = e;
	}
	if (found != NULL) {
		*out = found->e;
		*handle = found->handle;
		unlink_entry(p, found);
		entry_drop(p, found);
	}
	pthread_mutex_unlock(&p->lock);
	return found != NULL;
}

void
pending_release(struct pending *p, uint64_t handle)
{
	pthread_mutex_lock(&p->lock);
	free_names(p, handle, 0);
	pthread_mutex_unlock(&p->lock);
}
