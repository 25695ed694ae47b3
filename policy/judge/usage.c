/* SPDX-License-Identifier: Apache-2.0 */
#include "usage.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <portreeve/clock.h>

#define BUCKETS      4096
#define RESERVED_FOR (60 * PR_SEC)
#define OWNERS_FOR   (1 * PR_SEC) /* until an adoption is noticed */
#define ID_LEN       64
#define BATCH        32 /* look-ups between two looks at the table */

struct held { /* a container that is there */
	struct held *next;
	char id[ID_LEN + 1];
	char team[PR_LEDGER_NAME + 1], phase[PR_LEDGER_NAME + 1];
	struct pr_amounts amounts;
	bool owned, measured; /* team and phase, amounts are known */
	uint64_t since;       /* the table's clock when it came in */
	uint64_t seen;        /* the recount that saw it last */
	uint64_t changed;     /* the table's clock of its last change */
};

struct reservation {
	struct reservation *next;
	uint64_t handle;
	uint64_t until;
	char team[PR_LEDGER_NAME + 1], phase[PR_LEDGER_NAME + 1];
	char container[ID_LEN + 1]; /* of an update */
	struct pr_quota_ask ask;
};

/* Made by somebody while creates were under way: perhaps one of those. */
struct newcomer {
	struct newcomer *next;
	char id[ID_LEN + 1];
	uint64_t clock; /* reservations before it may have made it */
};

struct usage {
	pthread_mutex_t lock;
	struct held *buckets[BUCKETS];
	struct reservation *reserved;
	struct newcomer *newcomers;
	uint64_t clock;  /* counts reservations and changes */
	uint64_t passes; /* recounts begun */
	uint64_t missed; /* the clock when something was missed; 0: never */
	bool active;   /* some policy has quotas: before that nothing is kept */
	bool blind;    /* no events: every judgement counts anew */
	size_t unsure; /* held that are not owned or not measured */
	uint64_t ledger_generation, owners_read;
	char label_team[256], label_phase[256]; /* owners were read by these */
};

struct usage *
usage_new(void)
{
	struct usage *u = pr_xcalloc(1, sizeof *u);

	pthread_mutex_init(&u->lock, NULL);
	u->blind = true;
	u->missed = u->clock = 1;
	return u;
}

void
usage_free(struct usage *u)
{
	if (u == NULL)
		return;
	for (size_t i = 0; i < BUCKETS; i++) {
		for (struct held *h = u->buckets[i], *next; h != NULL;
		     h = next) {
			next = h->next;
			free(h);
		}
	}
	for (struct reservation *r = u->reserved, *next; r != NULL; r = next) {
		next = r->next;
		free(r);
	}
	for (struct newcomer *n = u->newcomers, *next; n != NULL; n = next) {
		next = n->next;
		free(n);
	}
	pthread_mutex_destroy(&u->lock);
	free(u);
}

/* ---- the table; all with the lock held ---- */

static void
copy_text(char *to, size_t size, struct pr_str s)
{
	size_t n = s.n < size ? s.n : 0; /* what is too long is none */

	if (n > 0)
		memcpy(to, s.p, n);
	to[n] = '\0';
}

static struct held **
slot(struct usage *u, struct pr_str id)
{
	struct held **at =
	    &u->buckets[pr_hash(PR_HASH_SEED, id.p, id.n) % BUCKETS];

	while (*at != NULL && !pr_str_is(id, (*at)->id))
		at = &(*at)->next;
	return at;
}

static bool
is_sure(const struct held *h)
{
	return h->owned && h->measured;
}

static struct held *
add(struct usage *u, struct pr_str id)
{
	struct held **at = slot(u, id);

	if (*at == NULL) {
		*at = pr_xcalloc(1, sizeof **at);
		copy_text((*at)->id, sizeof(*at)->id, id);
		(*at)->since = (*at)->changed = ++u->clock;
		u->unsure++;
	}
	return *at;
}

static void
drop(struct usage *u, struct held **at)
{
	struct held *h = *at;

	if (!is_sure(h))
		u->unsure--;
	*at = h->next;
	free(h);
}

static void
set_state(struct usage *u, struct held *h, bool owned, bool measured)
{
	bool was = is_sure(h);

	h->owned = owned;
	h->measured = measured;
	if (was && !is_sure(h))
		u->unsure++;
	else if (!was && is_sure(h))
		u->unsure--;
}

/* A create began before and has not ended. */
static bool
create_under_way(const struct usage *u, uint64_t before)
{
	for (const struct reservation *r = u->reserved; r != NULL;
	     r = r->next) {
		if (r->container[0] == '\0' && r->handle < before)
			return true;
	}
	return false;
}

static struct newcomer **
newcomer_slot(struct usage *u, struct pr_str id)
{
	struct newcomer **at = &u->newcomers;

	while (*at != NULL && !pr_str_is(id, (*at)->id))
		at = &(*at)->next;
	return at;
}

static void
drop_newcomer(struct newcomer **at)
{
	struct newcomer *n = *at;

	*at = n->next;
	free(n);
}

/* A container that no outcome has named yet. */
static void
come_in(struct usage *u, struct pr_str id)
{
	struct newcomer **at;

	if (id.n != ID_LEN || *slot(u, id) != NULL)
		return;
	at = newcomer_slot(u, id);
	if (*at != NULL)
		return;
	if (!create_under_way(u, UINT64_MAX)) {
		add(u, id);
		return;
	}
	*at = pr_xcalloc(1, sizeof **at);
	copy_text((*at)->id, sizeof(*at)->id, id);
	(*at)->clock = ++u->clock;
}

/* What time has ended, and newcomers that nobody can claim any more. */
static void
tidy(struct usage *u)
{
	uint64_t now = pr_clock_now();

	for (struct reservation **at = &u->reserved; *at != NULL;) {
		struct reservation *r = *at;

		if (r->until > now) {
			at = &r->next;
			continue;
		}
		*at = r->next;
		free(r);
	}
	for (struct newcomer **at = &u->newcomers; *at != NULL;) {
		if (create_under_way(u, (*at)->clock)) {
			at = &(*at)->next;
			continue;
		}
		add(u, pr_str_of((*at)->id));
		drop_newcomer(at);
	}
}

void
usage_event(struct usage *u, enum pr_container_event what, struct pr_str id)
{
	struct held **at;

	pthread_mutex_lock(&u->lock);
	if (!u->active)
		id = (struct pr_str){NULL, 0};
	at = slot(u, id);
	switch (what) {
	case PR_CONTAINER_MADE:
		come_in(u, id);
		break;
	case PR_CONTAINER_GONE:
		if (*at != NULL)
			drop(u, at);
		if (*newcomer_slot(u, id) != NULL)
			drop_newcomer(newcomer_slot(u, id));
		break;
	case PR_CONTAINER_CHANGED:
		if (*at != NULL) {
			set_state(u, *at, (*at)->owned, false);
			(*at)->changed = ++u->clock;
		}
		break;
	case PR_CONTAINER_UNSEEN:
		u->blind = true;
		break;
	case PR_CONTAINER_MISSED:
		u->blind = false;
		u->missed = ++u->clock;
		break;
	case PR_CONTAINER_RUNS:
	case PR_CONTAINER_STOPS:
		break;
	}
	pthread_mutex_unlock(&u->lock);
}

/* ---- owners ---- */

static struct pr_str
label(const struct pr_json *labels, const char *key)
{
	const struct pr_json *v;

	if (key[0] == '\0' || labels == NULL || labels->type != PR_JSON_OBJECT)
		return (struct pr_str){NULL, 0};
	v = pr_json_get(labels, pr_str_of(key));
	return v != NULL && v->type == PR_JSON_STRING
	    ? v->str
	    : (struct pr_str){NULL, 0};
}

static bool
ledger_owner(struct usage_view *v, struct held *h)
{
	struct pr_ledger_owner owner;

	if (v->ledger == NULL ||
	    !pr_ledger_get(v->ledger, PR_KIND_CONTAINER, pr_str_of(h->id),
		PR_STR(""), &owner))
		return false;
	memcpy(h->team, owner.team, sizeof h->team);
	memcpy(h->phase, owner.phase, sizeof h->phase);
	return true;
}

static void
own(struct usage_view *v, struct held *h, const struct pr_json *labels)
{
	struct usage *u = v->usage;

	if (!ledger_owner(v, h)) {
		copy_text(
		    h->team, sizeof h->team, label(labels, u->label_team));
		copy_text(
		    h->phase, sizeof h->phase, label(labels, u->label_phase));
	}
	set_state(u, h, true, h->measured);
}

/* Somebody may have been made an owner since (portreeve adopt). */
static void
read_owners(struct usage_view *v)
{
	struct usage *u = v->usage;
	uint64_t generation = v->ledger != NULL
	    ? pr_ledger_generation(v->ledger)
	    : u->ledger_generation;
	uint64_t now = pr_clock_now();

	if (generation == u->ledger_generation ||
	    now - u->owners_read < OWNERS_FOR)
		return;
	u->ledger_generation = generation;
	u->owners_read = now;
	for (size_t i = 0; i < BUCKETS; i++) {
		for (struct held *h = u->buckets[i]; h != NULL; h = h->next)
			(void)ledger_owner(v, h);
	}
}

/* Other labels say whose things are: all of it is read anew. */
static void
check_labels(struct usage_view *v)
{
	struct usage *u = v->usage;
	const struct pr_policy *p = v->policy;

	if (pr_str_is(p->label_team, u->label_team) &&
	    pr_str_is(p->label_phase, u->label_phase))
		return;
	copy_text(u->label_team, sizeof u->label_team, p->label_team);
	copy_text(u->label_phase, sizeof u->label_phase, p->label_phase);
	u->missed = ++u->clock;
}

/* ---- counting ---- */

/* The list is the truth about what is there, and about labels. */
static void
take_list(struct usage_view *v, const struct pr_list_ref *list, uint64_t pass,
    uint64_t begun)
{
	struct usage *u = v->usage;
	const struct pr_listed *items;
	size_t n;

	items = pr_list_items(list, &n);
	for (size_t i = 0; i < n; i++) {
		struct held *h;

		if (items[i].id.n != ID_LEN)
			continue;
		come_in(u, items[i].id);
		h = *slot(u, items[i].id);
		if (h == NULL)
			continue; /* held back */
		h->seen = pass;
		/* a list shows labels of the image as the container's: where
		 * they matter a look at the container tells them apart */
		if (label(items[i].labels, u->label_team).n == 0 ||
		    ledger_owner(v, h))
			own(v, h, NULL);
		else
			set_state(u, h, false, h->measured);
	}
	for (size_t i = 0; i < BUCKETS; i++) {
		for (struct held **at = &u->buckets[i]; *at != NULL;) {
			/* one that came in meanwhile was perhaps not listed */
			if ((*at)->seen < pass && (*at)->since <= begun)
				drop(u, at);
			else
				at = &(*at)->next;
		}
	}
	if (u->missed <= begun)
		u->missed = 0;
}

static enum usage_state
count(struct usage_view *v, uint64_t deadline)
{
	struct usage *u = v->usage;
	struct pr_list_ref *list;
	const char *why;
	uint64_t pass, begun;

	pthread_mutex_lock(&u->lock);
	pass = ++u->passes;
	begun = ++u->clock;
	pthread_mutex_unlock(&u->lock);
	list = pr_inventory_list_containers(v->inventory, deadline, &why);
	if (list == NULL)
		return USAGE_UNKNOWN;
	pthread_mutex_lock(&u->lock);
	take_list(v, list, pass, begun);
	pthread_mutex_unlock(&u->lock);
	pr_list_unref(list);
	v->counted = true;
	return USAGE_SURE;
}

/* One that is not known well enough; looked up without the lock. */
struct unsure {
	char id[ID_LEN + 1];
	uint64_t changed;
};

static size_t
find_unsure(const struct usage_view *v, struct unsure *out)
{
	const struct usage *u = v->usage;
	size_t n = 0;

	if (u->unsure == 0)
		return 0;
	for (size_t i = 0; i < BUCKETS; i++) {
		for (const struct held *h = u->buckets[i]; h != NULL;
		     h = h->next) {
			if (h->owned && (h->measured || !v->amounts))
				continue;
			memcpy(out[n].id, h->id, sizeof out[n].id);
			out[n].changed = h->changed;
			if (++n == BATCH)
				return n;
		}
	}
	return n;
}

/* What the daemon says of one, unless it has changed since it was asked. */
static bool
take_object(struct usage_view *v, const struct unsure *one,
    const struct pr_object *o, struct pr_arena *a)
{
	struct usage *u = v->usage;
	struct held **at = slot(u, pr_str_of(one->id));
	struct pr_amounts amounts;

	if (o->presence == PR_PRESENCE_UNKNOWN)
		return false;
	if (*at == NULL || (*at)->changed != one->changed)
		return true; /* the next look sees it */
	if (o->presence == PR_ABSENT) {
		drop(u, at);
		return true;
	}
	if (pr_amounts_of_container(a, o->inspect, &amounts) < 0)
		return false;
	own(v, *at, o->labels);
	(*at)->amounts = amounts;
	set_state(u, *at, true, true);
	return true;
}

static enum usage_state
measure(
    struct usage_view *v, const struct unsure *all, size_t n, uint64_t deadline)
{
	PR_CLEANUP(pr_arena_freep) struct pr_arena *a = pr_arena_new(16384);

	for (size_t i = 0; i < n; i++) {
		struct pr_object_ref *r = pr_inventory_get(v->inventory,
		    PR_KIND_CONTAINER, pr_str_of(all[i].id), deadline);
		bool ok;

		pthread_mutex_lock(&v->usage->lock);
		ok = take_object(v, &all[i], pr_object_of(r), a);
		pthread_mutex_unlock(&v->usage->lock);
		pr_object_unref(r);
		pr_arena_reset(a, 16384);
		if (!ok)
			return USAGE_UNKNOWN;
	}
	return USAGE_SURE;
}

enum usage_state
usage_prepare(struct usage_view *v, bool may_wait, uint64_t deadline)
{
	struct usage *u = v->usage;
	struct unsure all[BATCH];

	for (;;) {
		enum usage_state state;
		bool list;
		size_t n;

		pthread_mutex_lock(&u->lock);
		tidy(u);
		check_labels(v);
		read_owners(v);
		u->active = true;
		list = u->missed != 0 || (u->blind && !v->counted);
		n = list ? 0 : find_unsure(v, all);
		pthread_mutex_unlock(&u->lock);
		if (!list && n == 0)
			return USAGE_SURE;
		if (!may_wait)
			return USAGE_WOULD_WAIT;
		if (pr_clock_now() >= deadline)
			return USAGE_UNKNOWN;
		state =
		    list ? count(v, deadline) : measure(v, all, n, deadline);
		if (state != USAGE_SURE)
			return state;
	}
}

enum usage_state
usage_recount(struct usage_view *v, uint64_t deadline)
{
	enum usage_state state = count(v, deadline);

	return state == USAGE_SURE ? usage_prepare(v, true, deadline) : state;
}

/* ---- sums ---- */

static int
phase_index(const struct usage_view *v, const char *phase)
{
	pr_phase_mask m = v->served;

	if (m != 0 && (m & (m - 1)) == 0)
		return __builtin_ctzll(m);
	return pr_policy_phase(v->policy, pr_str_of(phase));
}

/* An update that may have happened already: the higher of both. */
static struct pr_amounts
at_most(const struct usage *u, const struct held *h)
{
	struct pr_amounts out = h->amounts;

	for (const struct reservation *r = u->reserved; r != NULL;
	     r = r->next) {
		if (strcmp(r->container, h->id) != 0)
			continue;
		for (unsigned k = 0; k < PR_LIMITS; k++) {
			int64_t then = r->ask.after.v[k];

			if (out.v[k] >= 0 && (then < 0 || then > out.v[k]))
				out.v[k] = then;
		}
	}
	return out;
}

/* Lock held.  False: some container is not known well enough. */
static bool
sum(const struct usage_view *v, const struct pr_quota *q, int team,
    struct pr_used *out)
{
	const struct usage *u = v->usage;
	struct pr_str name = v->policy->teams[team].name;
	bool amounts = pr_quota_wants_amounts(q);

	*out = (struct pr_used){0};
	if (u->missed != 0)
		return false;
	for (size_t i = 0; i < BUCKETS; i++) {
		for (const struct held *h = u->buckets[i]; h != NULL;
		     h = h->next) {
			struct pr_amounts a = {{1, 0, 0, 0}};

			if (!h->owned || (amounts && !h->measured))
				return false;
			if (!pr_str_is(name, h->team) ||
			    !pr_quota_is_for(q, team, phase_index(v, h->phase)))
				continue;
			if (amounts)
				a = at_most(u, h);
			pr_used_add(out, &a, pr_str_of(h->id));
		}
	}
	for (const struct reservation *r = u->reserved; r != NULL;
	     r = r->next) {
		if (r->container[0] == '\0' && pr_str_is(name, r->team) &&
		    pr_quota_is_for(q, team, phase_index(v, r->phase)))
			pr_used_add(out, &r->ask.after, PR_STR("(new)"));
	}
	return true;
}

bool
usage_used(void *view, unsigned quota, int team, struct pr_used *out)
{
	struct usage_view *v = view;
	bool sure;

	pthread_mutex_lock(&v->usage->lock);
	sure = sum(v, &v->policy->quotas[quota], team, out);
	pthread_mutex_unlock(&v->usage->lock);
	v->unsettled = v->unsettled || !sure;
	return sure;
}

/* ---- reservations ---- */

static enum usage_taken
all_fit(const struct usage_view *v, const struct pr_reserve *r)
{
	const struct pr_policy *p = v->policy;
	struct pr_used used;
	char text[200];

	for (size_t i = 0; i < p->n_quotas; i++) {
		const struct pr_quota *q = &p->quotas[i];

		if (!pr_quota_is_for(q, r->team, r->phase))
			continue;
		if (!sum(v, q, r->team, &used))
			return USAGE_AGAIN;
		if (!pr_quota_fits(q, &used, &r->ask, text, sizeof text))
			return USAGE_FULL;
	}
	return USAGE_TAKEN;
}

static uint64_t
take(struct usage_view *v, const struct pr_reserve *r)
{
	const struct pr_policy *p = v->policy;
	struct usage *u = v->usage;
	struct reservation *new = pr_xcalloc(1, sizeof *new);

	new->handle = ++u->clock;
	new->until = pr_clock_now() + RESERVED_FOR;
	new->ask = r->ask;
	copy_text(new->team, sizeof new->team, p->teams[r->team].name);
	if (r->phase >= 0)
		copy_text(
		    new->phase, sizeof new->phase, p->phases[r->phase].name);
	copy_text(new->container, sizeof new->container, r->container);
	new->next = u->reserved;
	u->reserved = new;
	return new->handle;
}

enum usage_taken
usage_reserve(
    struct usage_view *v, const struct pr_reserve *r, uint64_t *handle)
{
	enum usage_taken taken;

	*handle = 0;
	if (!r->wanted)
		return USAGE_TAKEN;
	pthread_mutex_lock(&v->usage->lock);
	tidy(v->usage);
	taken = all_fit(v, r);
	if (taken == USAGE_TAKEN)
		*handle = take(v, r);
	pthread_mutex_unlock(&v->usage->lock);
	return taken;
}

/* Takes it off the list; NULL: it has ended by time.  Lock held. */
static struct reservation *
unlink_reservation(struct usage *u, uint64_t handle)
{
	struct reservation **at = &u->reserved;

	while (*at != NULL && (*at)->handle != handle)
		at = &(*at)->next;
	if (*at == NULL)
		return NULL;

	struct reservation *r = *at;

	*at = r->next;
	return r;
}

void
usage_release(struct usage *u, uint64_t handle)
{
	if (handle == 0)
		return;
	pthread_mutex_lock(&u->lock);
	free(unlink_reservation(u, handle));
	pthread_mutex_unlock(&u->lock);
}

/* The reservation becomes the container.  Lock held. */
static void
settle(struct usage *u, const struct reservation *r, struct pr_str id)
{
	struct newcomer **seen = newcomer_slot(u, id);
	struct held *h;

	if (*seen != NULL)
		drop_newcomer(seen);
	h = add(u, id);
	if (is_sure(h))
		return;
	memcpy(h->team, r->team, sizeof h->team);
	memcpy(h->phase, r->phase, sizeof h->phase);
	h->amounts = r->ask.after;
	set_state(u, h, true, true);
}

void
usage_done(struct usage *u, uint64_t handle, struct pr_str id)
{
	struct reservation *r;

	if (handle == 0)
		return;
	pthread_mutex_lock(&u->lock);
	r = unlink_reservation(u, handle);
	if (r != NULL && r->container[0] != '\0') {
		struct held *h = *slot(u, pr_str_of(r->container));

		if (h != NULL) {
			set_state(u, h, h->owned, false);
			h->changed = ++u->clock;
		}
	} else if (r != NULL && id.n == ID_LEN) {
		settle(u, r, id);
	}
	free(r);
	pthread_mutex_unlock(&u->lock);
}
