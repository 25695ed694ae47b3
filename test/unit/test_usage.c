/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What teams use of their quotas, against a daemon that this file plays: its
 * list, its look-ups and its clock stand here in place of the inventory's.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <portreeve/clock.h>

#include "eval_kit.h"
#include "usage.h"

#define POLICY                                                          \
	"version: 1\n"                                                  \
	"labels: {team: t, phase: p}\n"                                 \
	"teams: {pay: {}, ml: {}}\n"                                    \
	"hosts: {h: [dev, test]}\n"                                     \
	"phases: {dev: {}, test: {}}\n"                                 \
	"roles: {r: {allow: {container: [create]}}}\n"                  \
	"grants: [{id: g, team: pay, role: r, phases: [dev], profile: " \
	"unrestricted}]\n"                                              \
	"quotas:\n"                                                     \
	"  - {team: pay, phases: [dev], containers: 10, memory: 1000}\n"

/* ---- the daemon ---- */

struct pr_list_ref {
	struct pr_arena *arena;
	struct pr_listed *items;
	size_t n;
};
struct pr_object_ref {
	struct pr_object object;
	struct pr_arena *arena;
};

#define THERE 512

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
	char id[65];
	const char *labels; /* JSON with ' */
	int64_t memory;
} there[THERE];
static size_t n_there;
static bool silent; /* it does not answer */
static unsigned lists, looks;
static _Atomic uint64_t moved; /* how far the clock was put on */

/* Stands in for pr_clock_now (--wrap of the linker). */
uint64_t __real_pr_clock_now(void); /* NOLINT(bugprone-reserved-identifier) */
uint64_t __wrap_pr_clock_now(void); /* NOLINT(bugprone-reserved-identifier) */

uint64_t
__wrap_pr_clock_now(void)
{
	return __real_pr_clock_now() + moved;
}

static const struct pr_json *
labels_json(struct pr_arena *a, const char *text)
{
	struct kit k = {.arena = a};

	return kit_json(&k, text);
}

struct pr_list_ref *
pr_inventory_list_containers(
    struct pr_inventory *inv, uint64_t deadline, const char **why)
{
	struct pr_list_ref *l;

	(void)inv;
	(void)deadline;
	*why = "silent";
	pthread_mutex_lock(&lock);
	lists++;
	if (silent) {
		pthread_mutex_unlock(&lock);
		return NULL;
	}
	l = pr_xcalloc(1, sizeof *l);
	l->arena = pr_arena_new(1024);
	l->items = pr_arena_array(l->arena, n_there, sizeof *l->items);
	l->n = n_there;
	for (size_t i = 0; i < n_there; i++) {
		l->items[i].id = pr_arena_str(l->arena, pr_str_of(there[i].id));
		l->items[i].labels = labels_json(l->arena, there[i].labels);
	}
	pthread_mutex_unlock(&lock);
	return l;
}

const struct pr_listed *
pr_list_items(const struct pr_list_ref *l, size_t *n)
{
	*n = l->n;
	return l->items;
}

void
pr_list_unref(struct pr_list_ref *l)
{
	pr_arena_free(l->arena);
	free(l);
}

struct pr_object_ref *
pr_inventory_get(struct pr_inventory *inv, enum pr_kind kind, struct pr_str ref,
    uint64_t deadline)
{
	struct pr_object_ref *r = pr_xcalloc(1, sizeof *r);
	char json[160];

	(void)inv;
	(void)deadline;
	r->arena = pr_arena_new(1024);
	r->object.kind = kind;
	pthread_mutex_lock(&lock);
	looks++;
	r->object.presence = silent ? PR_PRESENCE_UNKNOWN : PR_ABSENT;
	for (size_t i = 0; !silent && i < n_there; i++) {
		if (!pr_str_is(ref, there[i].id))
			continue;
		r->object.presence = PR_PRESENT;
		r->object.labels = labels_json(r->arena, there[i].labels);
		snprintf(json, sizeof json, "{'HostConfig':{'Memory':%lld}}",
		    (long long)there[i].memory);
		r->object.inspect = labels_json(r->arena, json);
	}
	pthread_mutex_unlock(&lock);
	return r;
}

const struct pr_object *
pr_object_of(const struct pr_object_ref *r)
{
	return &r->object;
}

void
pr_object_unref(struct pr_object_ref *r)
{
	pr_arena_free(r->arena);
	free(r);
}

/* ---- what the tests do ---- */

static struct usage *usage;
static struct kit k;

static void
setup(void)
{
	k = kit_new(POLICY);
	usage = usage_new();
	usage_event(usage, PR_CONTAINER_MISSED, PR_STR(""));
	n_there = lists = looks = 0;
	silent = false;
}

static void
teardown(void)
{
	usage_free(usage);
	kit_free(&k);
}

static struct usage_view
view(void)
{
	return (struct usage_view){.usage = usage,
	    .policy = k.policy,
	    .served = pr_policy_host(k.policy, PR_STR("h")),
	    .amounts = true};
}

static const char *
id_of(unsigned i, char buf[65])
{
	snprintf(buf, 65, "%064x", i);
	return buf;
}

/* The daemon has it; nobody was told yet. */
static void
make(unsigned i, const char *labels, int64_t memory)
{
	pthread_mutex_lock(&lock);
	ck_assert_uint_lt(n_there, THERE);
	id_of(i, there[n_there].id);
	there[n_there].labels = labels;
	there[n_there++].memory = memory;
	pthread_mutex_unlock(&lock);
}

static void
tell(enum pr_container_event what, unsigned i)
{
	char id[65];

	usage_event(usage, what, pr_str_of(id_of(i, id)));
}

static void
done(uint64_t handle, unsigned i)
{
	char id[65];

	usage_done(usage, handle, pr_str_of(id_of(i, id)));
}

static struct pr_reserve
wants(int64_t memory)
{
	return (struct pr_reserve){.wanted = true,
	    .team = pr_policy_team(k.policy, PR_STR("pay")),
	    .phase = pr_policy_phase(k.policy, PR_STR("dev")),
	    .ask = {.after = {{1, memory, 0, 0}}}};
}

static uint64_t
later(void)
{
	return pr_clock_now() + 60 * PR_SEC;
}

static void
settle(struct usage_view *v)
{
	ck_assert_int_eq(usage_prepare(v, true, later()), USAGE_SURE);
}

/* Containers and memory that the first quota counts. */
static struct pr_used
used(void)
{
	struct usage_view v = view();
	struct pr_used u;

	settle(&v);
	ck_assert(
	    usage_used(&v, 0, pr_policy_team(k.policy, PR_STR("pay")), &u));
	return u;
}

static enum usage_taken
reserve(int64_t memory, uint64_t *handle)
{
	struct usage_view v = view();
	struct pr_reserve r = wants(memory);

	settle(&v);
	return usage_reserve(&v, &r, handle);
}

static void
holds(int64_t containers, int64_t memory)
{
	struct pr_used u = used();

	ck_assert_int_eq(u.v[PR_LIMIT_CONTAINERS], containers);
	ck_assert_int_eq(u.v[PR_LIMIT_MEMORY], memory);
}

#define PAY "{'t':'pay','p':'dev'}"

START_TEST(what_is_there_is_counted_before_anything_is_judged)
{
	struct usage_view v = view();

	make(1, PAY, 5);
	make(2, "{'t':'ml','p':'dev'}", 7);
	make(3, "{'t':'pay','p':'test'}", 11);
	make(4, "{'t':'pay'}", 13);
	make(5, "{}", 17);
	ck_assert_int_eq(usage_prepare(&v, false, later()), USAGE_WOULD_WAIT);
	holds(2, 18);
	ck_assert_uint_eq(lists, 1);
	ck_assert_uint_eq(looks, 5);
	/* and not again while events tell the rest */
	ck_assert_int_eq(usage_prepare(&v, false, later()), USAGE_SURE);
	make(6, PAY, 1);
	tell(PR_CONTAINER_MADE, 6);
	holds(3, 19);
	ck_assert_uint_eq(lists, 1);
	tell(PR_CONTAINER_GONE, 1);
	holds(2, 14);
}
END_TEST

START_TEST(one_without_bound_makes_the_sum_unbound)
{
	struct pr_used u;

	make(0xabc, PAY, 0);
	u = used();
	ck_assert(u.unbound[PR_LIMIT_MEMORY]);
	ck_assert_str_eq(u.holder[PR_LIMIT_MEMORY], "000000000000");
}
END_TEST

START_TEST(what_was_missed_is_counted_anew)
{
	make(1, PAY, 5);
	make(2, PAY, 5);
	holds(2, 10);
	usage_event(usage, PR_CONTAINER_UNSEEN, PR_STR(""));
	n_there = 1;
	make(3, PAY, 100);
	make(4, PAY, 100);
	holds(3, 205);
	/* without events every judgement counts */
	n_there = 1;
	holds(1, 5);
	usage_event(usage, PR_CONTAINER_MISSED, PR_STR(""));
	lists = 0;
	holds(1, 5);
	holds(1, 5);
	ck_assert_uint_eq(lists, 1);
}
END_TEST

START_TEST(a_daemon_that_is_silent_cannot_be_counted)
{
	struct usage_view v = view();
	struct pr_reserve r = wants(1);
	struct pr_used u;
	uint64_t handle;

	silent = true;
	ck_assert_int_eq(usage_prepare(&v, true, later()), USAGE_UNKNOWN);
	ck_assert(!usage_used(&v, 0, 0, &u));
	ck_assert(v.unsettled);
	ck_assert_int_eq(usage_reserve(&v, &r, &handle), USAGE_AGAIN);
	ck_assert_uint_eq(handle, 0);
	silent = false;
	make(1, PAY, 5);
	holds(1, 5);
	/* nor one that it will not describe */
	tell(PR_CONTAINER_CHANGED, 1);
	silent = true;
	v = view();
	ck_assert_int_eq(usage_prepare(&v, true, later()), USAGE_UNKNOWN);
	ck_assert_int_eq(usage_reserve(&v, &r, &handle), USAGE_AGAIN);
	/* and the deadline ends the attempts */
	v = view();
	ck_assert_int_eq(usage_prepare(&v, true, 1), USAGE_UNKNOWN);
}
END_TEST

START_TEST(a_reservation_becomes_its_container_or_nothing)
{
	uint64_t a, b, c;

	ck_assert_int_eq(reserve(100, &a), USAGE_TAKEN);
	ck_assert_int_eq(reserve(100, &b), USAGE_TAKEN);
	ck_assert_int_eq(reserve(801, &c), USAGE_FULL);
	ck_assert_int_eq(reserve(800, &c), USAGE_TAKEN);
	holds(3, 1000);
	usage_release(usage, c);
	holds(2, 200);
	make(1, PAY, 100);
	/* the event comes first, and is not one more */
	tell(PR_CONTAINER_MADE, 1);
	holds(2, 200);
	done(a, 1);
	holds(2, 200);
	/* it comes later, or twice */
	make(2, PAY, 100);
	done(b, 2);
	tell(PR_CONTAINER_MADE, 2);
	tell(PR_CONTAINER_MADE, 1);
	holds(2, 200);
	ck_assert_uint_eq(looks, 0);
	usage_release(usage, a);
	usage_done(usage, b, PR_STR("odd"));
	holds(2, 200);
}
END_TEST

/* A list that is read while creates are under way counts none twice. */
START_TEST(a_recount_does_not_count_what_is_promised_again)
{
	struct usage_view v = view();
	uint64_t a, b;

	holds(0, 0);
	ck_assert_int_eq(reserve(10, &a), USAGE_TAKEN);
	ck_assert_int_eq(reserve(10, &b), USAGE_TAKEN);
	make(1, PAY, 10);
	ck_assert_int_eq(usage_recount(&v, later()), USAGE_SURE);
	holds(2, 20);
	done(a, 1);
	ck_assert_int_eq(usage_recount(&v, later()), USAGE_SURE);
	holds(2, 20);
	usage_release(usage, b);
	holds(1, 10);
}
END_TEST

/* Somebody else's container counts as soon as no create can claim it. */
START_TEST(a_container_that_nobody_claims_counts)
{
	uint64_t a, b;

	holds(0, 0);
	ck_assert_int_eq(reserve(10, &a), USAGE_TAKEN);
	make(7, PAY, 70);
	tell(PR_CONTAINER_MADE, 7);
	ck_assert_int_eq(reserve(10, &b), USAGE_TAKEN);
	holds(2, 20);
	make(1, PAY, 10);
	done(a, 1);
	/* b began after it was there */
	holds(3, 90);
	usage_release(usage, b);
	holds(2, 80);
}
END_TEST

START_TEST(a_reservation_ends_by_time)
{
	uint64_t a, b;

	ck_assert_int_eq(reserve(600, &a), USAGE_TAKEN);
	moved += 59 * PR_SEC;
	ck_assert_int_eq(reserve(600, &b), USAGE_FULL);
	moved += 2 * PR_SEC;
	ck_assert_int_eq(reserve(600, &b), USAGE_TAKEN);
	/* its container comes after all: it counts by what is seen */
	usage_release(usage, b);
	make(1, PAY, 600);
	tell(PR_CONTAINER_MADE, 1);
	done(a, 1);
	holds(1, 600);
}
END_TEST

START_TEST(an_update_counts_the_higher_until_it_is_seen)
{
	struct usage_view v = view();
	struct pr_reserve r = wants(0);
	uint64_t handle;
	char id[65];

	make(1, PAY, 300);
	make(2, PAY, 300);
	holds(2, 600);
	r.container = pr_str_of(id_of(1, id));
	r.ask.before = (struct pr_amounts){{1, 300, 0, 0}};
	r.ask.after = (struct pr_amounts){{1, 701, 0, 0}};
	ck_assert_int_eq(usage_reserve(&v, &r, &handle), USAGE_FULL);
	r.ask.after.v[PR_LIMIT_MEMORY] = 700;
	ck_assert_int_eq(usage_reserve(&v, &r, &handle), USAGE_TAKEN);
	holds(2, 1000);
	usage_release(usage, handle);
	holds(2, 600);
	/* a smaller one frees nothing before it has happened */
	r.ask.after.v[PR_LIMIT_MEMORY] = 100;
	ck_assert_int_eq(usage_reserve(&v, &r, &handle), USAGE_TAKEN);
	holds(2, 600);
	there[0].memory = 100;
	done(handle, 0);
	holds(2, 400);
	ck_assert_uint_eq(looks, 3);
}
END_TEST

/* ---- many at once ---- */

#define CREATES 200

static atomic_uint taken, made, next_id, most;
static pthread_barrier_t gate;

static void
finish(unsigned i, uint64_t handle)
{
	unsigned id = atomic_fetch_add(&next_id, 1) + 1, n;

	if (i % 5 == 4) { /* the daemon could not */
		usage_release(usage, handle);
		return;
	}
	make(id, PAY, 10);
	n = atomic_fetch_add(&made, 1) + 1;
	if (n > most)
		most = n;
	if (i % 2 == 0)
		tell(PR_CONTAINER_MADE, id);
	done(handle, id);
	if (i % 2 == 1)
		tell(PR_CONTAINER_MADE, id);
}

static void *
create(void *arg)
{
	unsigned i = (unsigned)(uintptr_t)arg;

	pthread_barrier_wait(&gate);
	for (;;) {
		struct usage_view v = view();
		struct pr_reserve r = wants(10);
		uint64_t handle;

		settle(&v);
		if (i % 7 == 0)
			ck_assert_int_eq(
			    usage_recount(&v, later()), USAGE_SURE);
		switch (usage_reserve(&v, &r, &handle)) {
		case USAGE_AGAIN:
			continue;
		case USAGE_FULL:
			return NULL;
		case USAGE_TAKEN:
			atomic_fetch_add(&taken, 1);
			finish(i, handle);
			return NULL;
		}
	}
}

/* Whoever is early fills it; every failure lets another in. */
START_TEST(two_hundred_at_once_end_with_exactly_ten)
{
	pthread_t threads[CREATES];
	struct usage_view v = view();

	taken = made = next_id = most = 0;
	pthread_barrier_init(&gate, NULL, CREATES);
	for (unsigned i = 0; i < CREATES; i++)
		pthread_create(&threads[i], NULL, create, (void *)(uintptr_t)i);
	for (unsigned i = 0; i < CREATES; i++)
		pthread_join(threads[i], NULL);
	pthread_barrier_destroy(&gate);
	ck_assert_uint_le(most, 10);
	/* failures may have come too late for the others: the rest fits now */
	while (made < 10) {
		uint64_t handle;

		ck_assert_int_eq(reserve(10, &handle), USAGE_TAKEN);
		finish(0, handle);
	}
	ck_assert_int_eq(usage_recount(&v, later()), USAGE_SURE);
	holds(10, 100);
	ck_assert_uint_eq(n_there, 10);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("usage");
	TCase *t = tcase_create("usage");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 120);
	tcase_add_test(t, what_is_there_is_counted_before_anything_is_judged);
	tcase_add_test(t, one_without_bound_makes_the_sum_unbound);
	tcase_add_test(t, what_was_missed_is_counted_anew);
	tcase_add_test(t, a_daemon_that_is_silent_cannot_be_counted);
	tcase_add_test(t, a_reservation_becomes_its_container_or_nothing);
	tcase_add_test(t, a_recount_does_not_count_what_is_promised_again);
	tcase_add_test(t, a_container_that_nobody_claims_counts);
	tcase_add_test(t, a_reservation_ends_by_time);
	tcase_add_test(t, an_update_counts_the_higher_until_it_is_seen);
	tcase_add_loop_test(t, two_hundred_at_once_end_with_exactly_ten, 0, 10);
	suite_add_tcase(suite, t);
	return unit_run(suite);
}
