/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <string.h>

#include <portreeve/clock.h>
#include <portreeve/nonce.h>

#include "unit.h"

#define LATER (pr_clock_now() + 600 * PR_SEC)

static struct pr_nonces *ns;
static char value[PR_NONCE_HEX + 1];
static const struct pr_str target = {"/containers/web/json", 20};

static void
setup(void)
{
	ns = pr_nonces_new(8);
}

static void
teardown(void)
{
	pr_nonces_free(ns);
}

static bool
asks(const char *v, const char *method, const char *uri,
    enum pr_nonce_stage stage, bool empty)
{
	return pr_nonce_accept(
	    ns, pr_str_of(v), pr_str_of(method), pr_str_of(uri), stage, empty);
}

static bool
ours(enum pr_nonce_stage stage)
{
	return asks(value, "GET", target.p, stage, true);
}

START_TEST(good_for_one_request_and_one_response)
{
	ck_assert_uint_ne(pr_nonce_add(ns, target, LATER, LATER, value), 0);
	ck_assert_uint_eq(strlen(value), PR_NONCE_HEX);
	ck_assert_uint_eq(pr_nonces_live(ns), 1);
	ck_assert(ours(PR_NONCE_REQUEST));
	ck_assert(ours(PR_NONCE_RESPONSE));
	ck_assert_uint_eq(pr_nonces_live(ns), 0);
	ck_assert(!ours(PR_NONCE_RESPONSE));
	ck_assert(!ours(PR_NONCE_REQUEST));
}
END_TEST

START_TEST(a_second_request_burns_it)
{
	ck_assert_uint_ne(pr_nonce_add(ns, target, LATER, LATER, value), 0);
	ck_assert(ours(PR_NONCE_REQUEST));
	ck_assert(!ours(PR_NONCE_REQUEST));
	ck_assert(!ours(PR_NONCE_RESPONSE));
}
END_TEST

START_TEST(a_response_without_a_request_burns_it)
{
	ck_assert_uint_ne(pr_nonce_add(ns, target, LATER, LATER, value), 0);
	ck_assert(!ours(PR_NONCE_RESPONSE));
	ck_assert(!ours(PR_NONCE_REQUEST));
}
END_TEST

static const struct {
	const char *method, *uri;
	bool empty;
} wrong[] = {
    {"POST", "/containers/web/json", true},
    {"get", "/containers/web/json", true},
    {"HEAD", "/containers/web/json", true},
    {"GET", "/containers/web/json", false},
    {"GET", "/containers/web/json?size=1", true},
    {"GET", "/containers/web/jso", true},
    {"GET", "/containers/other/json", true},
    {"GET", "/v1.41/containers/web/json", true},
    {"GET", "", true},
    {"", "/containers/web/json", true},
};

START_TEST(anything_else_about_it_burns_it)
{
	ck_assert_uint_ne(pr_nonce_add(ns, target, LATER, LATER, value), 0);
	ck_assert(!asks(value, wrong[_i].method, wrong[_i].uri,
	    PR_NONCE_REQUEST, wrong[_i].empty));
	ck_assert(!ours(PR_NONCE_REQUEST));
	ck_assert_uint_eq(pr_nonces_live(ns), 0);
}
END_TEST

START_TEST(strangers_values_change_nothing)
{
	char other[PR_NONCE_HEX + 1];

	ck_assert_uint_ne(pr_nonce_add(ns, target, LATER, LATER, value), 0);
	memset(other, '0', PR_NONCE_HEX);
	other[PR_NONCE_HEX] = '\0';
	ck_assert(!asks(other, "GET", target.p, PR_NONCE_REQUEST, true));
	ck_assert(!asks("", "GET", target.p, PR_NONCE_REQUEST, true));
	memcpy(other, value, PR_NONCE_HEX);
	other[PR_NONCE_HEX - 1] = '\0';
	ck_assert(!asks(other, "GET", target.p, PR_NONCE_REQUEST, true));
	/* a freed slot's zeroed value is nobody's */
	ck_assert(!pr_nonce_accept(ns,
	    (struct pr_str){(const char[PR_NONCE_HEX]){0}, PR_NONCE_HEX},
	    PR_STR("GET"), target, PR_NONCE_REQUEST, true));
	ck_assert(ours(PR_NONCE_REQUEST));
}
END_TEST

START_TEST(expires_at_either_stage)
{
	uint64_t past = pr_clock_now() - 1;

	ck_assert_uint_ne(pr_nonce_add(ns, target, past, LATER, value), 0);
	ck_assert(!ours(PR_NONCE_REQUEST));
	ck_assert_uint_ne(pr_nonce_add(ns, target, LATER, past, value), 0);
	ck_assert(ours(PR_NONCE_REQUEST));
	ck_assert(!ours(PR_NONCE_RESPONSE));
}
END_TEST

START_TEST(dropped_is_void)
{
	uint64_t h = pr_nonce_add(ns, target, LATER, UINT64_MAX, value);

	ck_assert(ours(PR_NONCE_REQUEST));
	pr_nonce_drop(ns, h, LATER);
	ck_assert_uint_eq(pr_nonces_live(ns), 1);
	pr_nonce_drop(ns, h, 0);
	ck_assert(!ours(PR_NONCE_RESPONSE));
	pr_nonce_drop(ns, h, 0);
	pr_nonce_drop(ns, 0, 0);
}
END_TEST

START_TEST(bounded_and_expired_ones_make_room)
{
	uint64_t past = pr_clock_now() - 1;

	for (int i = 0; i < 7; i++)
		ck_assert_uint_ne(
		    pr_nonce_add(ns, target, LATER, LATER, value), 0);
	ck_assert_uint_ne(pr_nonce_add(ns, target, past, LATER, value), 0);
	ck_assert_uint_ne(pr_nonce_add(ns, target, LATER, LATER, value), 0);
	ck_assert_uint_eq(pr_nonce_add(ns, target, LATER, LATER, value), 0);
}
END_TEST

static const struct {
	const char *target;
	bool want;
} targets[] = {
    {"/version", true},
    {"/info", true},
    {"/events?since=1.5", true},
    {"/containers/json?all=1", true},
    {"/containers/a/json", true},
    {"/images/docker.io/library/a:b/json", true},
    {"/volumes/a", true},
    {"/volumes?filters=%7B%7D", true},
    {"/exec/a/json", true},
    {"/containers/a/logs", false},
    {"/containers/a/json?size=1", false},
    {"/containers//json", false},
    {"/containers/json", false},
    {"/containers/a/attach/ws", false},
    {"/volumes/", false},
    {"/volumes/a?x", false},
    {"/services/a/logs", false},
    {"/containers/a/b/json", false},
    {"/events", false},
    {"/images/a/get", false},
    {"/version?x", false},
    {"/containers/a b/json", false},
    {"/containers/a\r\nX: y/json", false},
    {"/containers/a\x80/json", false},
    {"", false},
    {"x", false},
};

START_TEST(only_harmless_targets)
{
	ck_assert_int_eq(pr_nonce_add(ns, pr_str_of(targets[_i].target), LATER,
			     LATER, value) != 0,
	    targets[_i].want);
}
END_TEST

static void *
race(void *arg)
{
	int *won = arg;

	if (ours(PR_NONCE_REQUEST))
		*won = 1;
	return NULL;
}

START_TEST(of_many_at_once_at_most_one_wins)
{
	for (int round = 0; round < 50; round++) {
		pthread_t t[4];
		int won[4] = {0}, sum = 0;

		ck_assert_uint_ne(
		    pr_nonce_add(ns, target, LATER, LATER, value), 0);
		for (int i = 0; i < 4; i++)
			pthread_create(&t[i], NULL, race, &won[i]);
		for (int i = 0; i < 4; i++) {
			pthread_join(t[i], NULL);
			sum += won[i];
		}
		ck_assert_int_eq(sum, 1);
	}
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("nonce");
	TCase *c = tcase_create("nonce");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, good_for_one_request_and_one_response);
	tcase_add_test(c, a_second_request_burns_it);
	tcase_add_test(c, a_response_without_a_request_burns_it);
	tcase_add_loop_test(
	    c, anything_else_about_it_burns_it, 0, (int)PR_COUNT(wrong));
	tcase_add_test(c, strangers_values_change_nothing);
	tcase_add_test(c, expires_at_either_stage);
	tcase_add_test(c, dropped_is_void);
	tcase_add_test(c, bounded_and_expired_ones_make_room);
	tcase_add_loop_test(
	    c, only_harmless_targets, 0, (int)PR_COUNT(targets));
	tcase_add_test(c, of_many_at_once_at_most_one_wins);
	suite_add_tcase(s, c);
	return unit_run(s);
}
