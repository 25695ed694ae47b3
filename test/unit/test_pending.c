/* SPDX-License-Identifier: Apache-2.0 */
/* Names between AuthZReq and AuthZRes: who may use which, on which facts. */
#include <stdlib.h>
#include <string.h>

#include <portreeve/clock.h>

#include "local.h"
#include "unit.h"

#define LATER (pr_clock_now() + 600 * PR_SEC)

static struct pending *p;
static const struct pr_object absent = {.presence = PR_ABSENT};
static const struct pr_object by_name = {.presence = PR_PRESENT,
    .by = PR_BY_NAME};
static const struct pr_object by_id = {.presence = PR_PRESENT, .by = PR_BY_ID};

static void
setup(void)
{
	p = pending_new();
}

static void
teardown(void)
{
	pending_free(p);
}

static struct pr_ref
ref(enum pr_kind kind, enum pr_ref_role role, const struct pr_object *o)
{
	return (struct pr_ref){
	    .kind = kind, .role = role, .name = PR_STR("web"), .object = o};
}

static struct pr_ref
volume(const struct pr_object *o)
{
	return ref(PR_KIND_VOLUME, PR_REF_VOLUME, o);
}

static struct pr_ref
use(void)
{
	return ref(PR_KIND_CONTAINER, PR_REF_TARGET, &by_name);
}

static struct pr_ref
give(void)
{
	return ref(PR_KIND_CONTAINER, PR_REF_NEW_NAME, NULL);
}

/* As a thread that must not wait. */
static int
add(struct pr_ref r, uint64_t since, uint64_t *handle)
{
	struct pending_entry e = {.since = 1};
	uint64_t turn = 0;

	return pending_add(p, &e, &r, 1, since, false, LATER, &turn, handle);
}

/* As a worker, with its turn. */
static int
wait_add(struct pr_ref r, uint64_t *turn, uint64_t deadline, uint64_t *handle)
{
	struct pending_entry e = {.since = 1};

	return pending_add(
	    p, &e, &r, 1, pending_clock(p), true, deadline, turn, handle);
}

static void
end(uint64_t handle)
{
	struct pending_entry e;

	pending_drop(p, handle, &e);
}

START_TEST(many_use_one_gives)
{
	uint64_t a, b, c;

	ck_assert_int_eq(add(use(), 0, &a), 0);
	ck_assert_int_eq(add(use(), 0, &b), 0);
	ck_assert_int_eq(add(give(), 0, &c), -1);
	end(a);
	end(b);
	ck_assert_int_eq(add(give(), 0, &c), 0);
	ck_assert_int_eq(add(use(), 0, &a), -1);
	ck_assert_int_eq(add(give(), 0, &a), -1);
	end(c);
}
END_TEST

START_TEST(facts_from_before_a_giving_are_none)
{
	uint64_t since = pending_clock(p), a;
	struct pr_ref r = use();

	ck_assert_int_eq(add(give(), since, &a), 0);
	ck_assert_int_eq(pending_unsettled(p, &r, 1, since, false, LATER), -1);
	end(a);
	ck_assert_int_eq(add(use(), since, &a), 1);
	ck_assert_int_eq(pending_unsettled(p, &r, 1, since, false, LATER), 1);
	since = pending_clock(p);
	ck_assert_int_eq(pending_unsettled(p, &r, 1, since, false, LATER), 0);
	ck_assert_int_eq(add(use(), since, &a), 0);
}
END_TEST

START_TEST(what_was_just_made_may_be_used_but_is_not_yet_somebodys)
{
	uint64_t since = pending_clock(p), a, b;
	struct pr_object made = by_name;
	struct pr_ref r;

	made.created = PR_STR("2200-01-01T00:00:00Z");
	r = ref(PR_KIND_CONTAINER, PR_REF_TARGET, &made);
	ck_assert_int_eq(add(give(), since, &a), 0);
	ck_assert_int_eq(pending_unsettled(p, &r, 1, since, false, LATER), -1);
	ck_assert_int_eq(add(r, since, &b), 0);
	end(a);
	ck_assert_int_eq(pending_unsettled(p, &r, 1, since, false, LATER), 1);
}
END_TEST

/* Two teams make one volume: the second must see that it is there now. */
START_TEST(a_volume_is_made_once)
{
	uint64_t since = pending_clock(p), a, b;

	ck_assert_int_eq(add(volume(&absent), since, &a), 0);
	ck_assert_int_eq(add(volume(&absent), since, &b), -1);
	end(a);
	ck_assert_int_eq(add(volume(&absent), since, &b), 1);
}
END_TEST

/* One that is used may not become another before its handler runs. */
START_TEST(a_volume_that_is_there_is_in_use)
{
	uint64_t a, b;

	ck_assert_int_eq(add(volume(&by_name), 0, &a), 0);
	ck_assert_int_eq(add(volume(&by_name), 0, &b), 0);
	ck_assert_int_eq(add(volume(&absent), 0, &b), -1);
}
END_TEST

/* A local volume is known by the birth of its directory. */
START_TEST(a_volume_is_settled_by_its_birth)
{
	static const struct {
		const char *mark;
		int rc;
	} rows[] = {
	    {"12:7000000000.000000001", 0},
	    {"12:7000000000.000000000", 0},
	    {"2200-01-01T00:00:00Z", 0},
	    {"12:1500000000.999999999", -1},
	    {"12:-1.000000000", -1},
	    {"12:7000000000", -1},
	    {"12:", -1},
	    {"", -1},
	    {"12:99999999999999.000000000", -1},
	};
	struct pr_object made = by_name;
	uint64_t a, b;

	ck_assert_int_eq(add(volume(&absent), 0, &a), 0);
	for (size_t i = 0; i < PR_COUNT(rows); i++) {
		made.created = pr_str_of(rows[i].mark);
		ck_assert_msg(add(volume(&made), 0, &b) == rows[i].rc, "%s",
		    rows[i].mark);
	}
}
END_TEST

START_TEST(full_ids_and_other_kinds_are_free)
{
	uint64_t a;

	ck_assert_int_eq(add(give(), 0, &a), 0);
	ck_assert_int_eq(
	    add(ref(PR_KIND_CONTAINER, PR_REF_TARGET, &by_id), 0, &a), 0);
	ck_assert_int_eq(
	    add(ref(PR_KIND_NETWORK, PR_REF_NETWORK, &by_name), 0, &a), 0);
	ck_assert_int_eq(
	    add(ref(PR_KIND_IMAGE, PR_REF_IMAGE, &by_name), 0, &a), 0);
}
END_TEST

/* The one who waits comes before those who come later, though they could. */
START_TEST(waiting_is_in_turn)
{
	uint64_t a, b, c, mine = 0, other = 0;

	ck_assert_int_eq(add(use(), 0, &a), 0);
	ck_assert_int_eq(wait_add(give(), &mine, LATER, &b), -1);
	ck_assert_uint_ne(mine, 0);
	/* the claim stands: readers wait behind it */
	ck_assert_int_eq(add(use(), pending_clock(p), &c), -1);
	ck_assert_int_eq(wait_add(use(), &other, LATER, &c), -1);
	end(a);
	ck_assert_int_eq(wait_add(give(), &mine, LATER, &b), 0);
	pending_release(p, mine);
	end(b);
	ck_assert_int_eq(wait_add(use(), &other, LATER, &c), 0);
	pending_release(p, other);
}
END_TEST

/* Claims are wishes: they change no facts and delay no denial. */
START_TEST(a_claim_is_no_giving)
{
	uint64_t since = pending_clock(p), a, b, turn = 0;
	struct pr_ref r = use();

	ck_assert_int_eq(add(use(), since, &a), 0);
	ck_assert_int_eq(wait_add(give(), &turn, LATER, &b), -1);
	ck_assert_int_eq(pending_unsettled(p, &r, 1, since, false, LATER), 0);
	pending_release(p, turn);
	ck_assert_uint_eq(pending_clock(p), since);
}
END_TEST

/* The names stay taken until the ledger knows what became of them. */
START_TEST(an_end_keeps_its_names_until_released)
{
	struct pending_entry e = {.since = 1}, out;
	struct pr_ref r = give();
	uint64_t a, handle, turn = 0;

	memset(e.key.bytes, 7, sizeof e.key.bytes);
	ck_assert_int_eq(
	    pending_add(p, &e, &r, 1, 0, false, LATER, &turn, &a), 0);
	ck_assert(pending_end(p, &e.key, &out, &handle));
	ck_assert_uint_eq(handle, a);
	ck_assert(!pending_end(p, &e.key, &out, &a));
	ck_assert_int_eq(add(use(), 0, &a), -1);
	pending_release(p, handle);
	ck_assert_int_eq(add(use(), pending_clock(p), &a), 0);
}
END_TEST

/* ---- which judgement an outcome belongs to ---- */

static struct pr_judge_call
call_of(const char *method, const char *target, const char *body)
{
	return (struct pr_judge_call){.call = {.method = pr_str_of(method),
					  .target = pr_str_of(target),
					  .body = pr_str_of(body)}};
}

static bool
same_key(const struct pr_judge_call *a, const struct pr_judge_call *b)
{
	struct pending_key x, y;

	pending_key(a, &x);
	pending_key(b, &y);
	return memcmp(&x, &y, sizeof x) == 0;
}

START_TEST(a_request_is_told_by_all_of_it)
{
	static const struct pr_header team[] = {
	    {{"X-Portreeve-Team", 16}, {"ml", 2}}};
	struct pr_str chain[] = {PR_STR("leaf"), PR_STR("other")};
	struct pr_judge_call a = call_of("POST", "/x", "body"), b = a;

	ck_assert(same_key(&a, &b));
	b.call.body = PR_STR("body2");
	ck_assert(!same_key(&a, &b));
	/* what ends one part does not begin the next */
	b = call_of("POS", "T/x", "body");
	ck_assert(!same_key(&a, &b));
	b = call_of("POST", "/xb", "ody");
	ck_assert(!same_key(&a, &b));
	b = a;
	b.caller.user = PR_STR("bob");
	ck_assert(!same_key(&a, &b));
	b = a;
	b.caller.method = PR_STR("TLS");
	ck_assert(!same_key(&a, &b));
	b = a;
	b.caller.chain = chain;
	b.caller.n_chain = 2;
	ck_assert(!same_key(&a, &b));
	a = b;
	b.caller.n_chain = 1; /* only the leaf says who it is */
	ck_assert(same_key(&a, &b));
	/* whose the object will be */
	b = a;
	b.call.headers = team;
	b.call.n_headers = 1;
	ck_assert(!same_key(&a, &b));
}
END_TEST

static struct pending_entry
numbered(unsigned i, unsigned key)
{
	struct pending_entry e = {.since = i, .owned = true};

	memset(e.key.bytes, (int)key, sizeof e.key.bytes);
	return e;
}

static int
add_entry(unsigned i, unsigned key, uint64_t *handle)
{
	struct pending_entry e = numbered(i, key);
	uint64_t turn = 0;

	return pending_add(p, &e, NULL, 0, 0, false, LATER, &turn, handle);
}

START_TEST(of_equal_requests_the_oldest_ends_first)
{
	struct pending_key one = numbered(0, 1).key, two = numbered(0, 2).key;
	struct pending_entry e;
	uint64_t h;

	for (unsigned i = 1; i <= 6; i++)
		ck_assert_int_eq(add_entry(i, i % 2 + 1, &h), 0);
	for (unsigned i = 2; i <= 6; i += 2) {
		ck_assert(pending_end(p, &one, &e, &h));
		ck_assert_uint_eq(e.since, i);
		pending_release(p, h);
	}
	ck_assert(!pending_end(p, &one, &e, &h));
	for (unsigned i = 1; i <= 5; i += 2) {
		ck_assert(pending_end(p, &two, &e, &h));
		ck_assert_uint_eq(e.since, i);
	}
	ck_assert(!pending_end(p, &two, &e, &h));
}
END_TEST

START_TEST(what_is_dropped_is_gone)
{
	struct pending_key one = numbered(0, 1).key;
	struct pending_entry e;
	uint64_t a, b, h;

	ck_assert_int_eq(add_entry(1, 1, &a), 0);
	ck_assert_int_eq(add_entry(2, 1, &b), 0);
	pending_drop(p, a, &e);
	ck_assert_uint_eq(e.since, 1);
	ck_assert(pending_end(p, &one, &e, &h));
	ck_assert_uint_eq(e.since, 2);
	ck_assert(!pending_end(p, &one, &e, &h));
	/* twice is nothing */
	e.since = 77;
	pending_drop(p, a, &e);
	ck_assert_uint_eq(e.since, 77);
}
END_TEST

/* A flood of requests that never end pushes out the oldest, no more. */
START_TEST(the_table_is_bounded)
{
	struct pending_key first = numbered(0, 1).key,
			   last = numbered(0, 3).key;
	struct pending_entry e;
	uint64_t h;

	ck_assert_int_eq(add_entry(1, 1, &h), 0);
	for (unsigned i = 0; i < 65536; i++)
		ck_assert_int_eq(add_entry(2, 2, &h), 0);
	ck_assert(!pending_end(p, &first, &e, &h));
	ck_assert_int_eq(add_entry(3, 3, &h), 0);
	ck_assert(pending_end(p, &last, &e, &h));
}
END_TEST

/* ---- from many threads ---- */

#define THREADS 4
#define ROUNDS  300

static _Atomic unsigned inside, most, made, busy;

static void *
giver(void *arg)
{
	uint64_t turn = 0, handle, since;
	struct pr_ref r = give();
	struct pending_entry e = numbered(1, *(unsigned *)arg);
	unsigned n;

	for (unsigned i = 0; i < ROUNDS; i++) {
		int rc;

		turn = 0;
		do {
			since = pending_clock(p);
			rc = pending_add(
			    p, &e, &r, 1, since, true, LATER, &turn, &handle);
			busy += rc != 0;
		} while (rc != 0);
		pending_release(p, turn);
		n = ++inside;
		if (n > most)
			most = n;
		made++;
		inside--;
		if (i % 2 == 0) {
			ck_assert(pending_end(p, &e.key, &e, &handle));
			pending_release(p, handle);
		} else {
			pending_drop(p, handle, &e);
		}
	}
	return NULL;
}

/* Nobody gives a name while another does, and everybody has a turn. */
START_TEST(a_name_is_given_by_one_at_a_time)
{
	pthread_t threads[THREADS];
	unsigned keys[THREADS];

	for (unsigned i = 0; i < THREADS; i++) {
		keys[i] = i + 1;
		ck_assert_int_eq(
		    pthread_create(&threads[i], NULL, giver, &keys[i]), 0);
	}
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	ck_assert_uint_eq(most, 1);
	ck_assert_uint_eq(made, THREADS * ROUNDS);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("pending");
	TCase *t = tcase_create("names"), *u = tcase_create("outcomes");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, many_use_one_gives);
	tcase_add_test(t, facts_from_before_a_giving_are_none);
	tcase_add_test(
	    t, what_was_just_made_may_be_used_but_is_not_yet_somebodys);
	tcase_add_test(t, a_volume_is_made_once);
	tcase_add_test(t, a_volume_that_is_there_is_in_use);
	tcase_add_test(t, a_volume_is_settled_by_its_birth);
	tcase_add_test(t, full_ids_and_other_kinds_are_free);
	tcase_add_test(t, waiting_is_in_turn);
	tcase_add_test(t, a_claim_is_no_giving);
	tcase_add_test(t, an_end_keeps_its_names_until_released);
	suite_add_tcase(s, t);
	tcase_add_checked_fixture(u, setup, teardown);
	tcase_set_timeout(u, 60);
	tcase_add_test(u, a_request_is_told_by_all_of_it);
	tcase_add_test(u, of_equal_requests_the_oldest_ends_first);
	tcase_add_test(u, what_is_dropped_is_gone);
	tcase_add_test(u, the_table_is_bounded);
	tcase_add_test(u, a_name_is_given_by_one_at_a_time);
	suite_add_tcase(s, u);
	return unit_run(s);
}
