/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parts of the proxy that need no socket: what it writes for the daemon, what
 * it signs for the plugin, how many of one peer it takes.
 */
#include <sys/stat.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <portreeve/assertion.h>
#include <portreeve/clock.h>
#include <portreeve/judge.h>

#include "subjects.h"
#include "unit.h"

/* ---- bodies ---- */

static const struct {
	enum pr_op op;
	const char *body, *want;
	unsigned set;
} bodies[] = {
    {PR_OP_CONTAINER_CREATE, "{\"Image\":\"a\"}",
	"{\"Image\":\"a\",\"Labels\":{\"t\":\"pay\",\"p\":\"dev\"}}", 2},
    {PR_OP_CONTAINER_CREATE, "{ \"labels\" : {\"x\":\"1\"}, \"n\": 1.50 }",
	"{\"labels\":{\"x\":\"1\",\"t\":\"pay\",\"p\":\"dev\"},\"n\":1.50}", 2},
    {PR_OP_CONTAINER_CREATE, "{\"Labels\":null}",
	"{\"Labels\":{\"t\":\"pay\",\"p\":\"dev\"}}", 2},
    {PR_OP_CONTAINER_CREATE, "{\"Labels\":{\"t\":\"pay\"}}",
	"{\"Labels\":{\"t\":\"pay\",\"p\":\"dev\"}}", 1},
    {PR_OP_CONTAINER_CREATE, "{\"Labels\":{\"p\":\"dev\",\"t\":\"pay\"}}",
	"{\"Labels\":{\"p\":\"dev\",\"t\":\"pay\"}}", 0},
    {PR_OP_CONTAINER_CREATE, "{}", "{\"Labels\":{\"t\":\"pay\",\"p\":\"dev\"}}",
	2},
    {PR_OP_CONTAINER_CREATE, "{\"A\":[1,true,null,\"\\u0000\\n\"]}",
	"{\"A\":[1,true,null,\"\\u0000\\n\"],"
	"\"Labels\":{\"t\":\"pay\",\"p\":\"dev\"}}",
	2},
    {PR_OP_SERVICE_CREATE,
	"{\"TaskTemplate\":{\"ContainerSpec\":{\"Image\":\"a\"}}}",
	"{\"TaskTemplate\":{\"ContainerSpec\":{\"Image\":\"a\","
	"\"Labels\":{\"t\":\"pay\",\"p\":\"dev\"}}},"
	"\"Labels\":{\"t\":\"pay\",\"p\":\"dev\"}}",
	4},
    {PR_OP_CONTAINER_EXEC, "{\"Cmd\":[\"a\"]}", "{\"Cmd\":[\"a\"]}", 0},
};

START_TEST(a_create_gets_labels)
{
	struct pr_arena *a = pr_arena_new(4096);
	struct pr_buf out = PR_BUF_INIT;
	struct pr_str text = pr_str_of(bodies[_i].body);
	struct pr_json_fault fault;
	unsigned set;
	struct pr_judge_forward f = {.op = pr_api_op(bodies[_i].op),
	    .json = pr_json_read(a, text, &fault),
	    .team_label = PR_STR("t"),
	    .team = PR_STR("pay"),
	    .phase_label = PR_STR("p"),
	    .phase = PR_STR("dev")};

	ck_assert_ptr_nonnull(f.json);
	pr_judge_body(&out, &f, text, &set);
	ck_assert_str_eq(out.p, bodies[_i].want);
	ck_assert_uint_eq(set, bodies[_i].set);
	pr_buf_fini(&out);
	pr_arena_free(a);
}
END_TEST

/* ---- assertions ---- */

static struct pr_asserter *
asserter(const char *key)
{
	char path[] = "/tmp/portreeve-key-XXXXXX";
	int fd = mkstemp(path);
	struct pr_asserter *as;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, key, strlen(key)), (ssize_t)strlen(key));
	close(fd);
	as = pr_asserter_open(path, NULL);
	unlink(path);
	return as;
}

static const char key_a[] = "0123456789abcdef0123456789abcdef";
static const char key_b[] = "0123456789abcdef0123456789abcdeF";

START_TEST(an_assertion_is_good_once)
{
	struct pr_arena *a = pr_arena_new(4096);
	struct pr_asserter *as = asserter(key_a), *other = asserter(key_b);
	struct pr_str cert = PR_STR("bm8=");
	struct pr_identity_call caller = {.chain = &cert, .n_chain = 1}, got;
	struct pr_assertion about = {.method = PR_STR("POST"),
	    .target = PR_STR("/v1.41/containers/create"),
	    .content_type = PR_STR("application/json"),
	    .body = PR_STR("{}"),
	    .caller = &caller,
	    .decision = PR_STR("x"),
	    .policy = PR_STR("y")};
	const struct pr_header type = {
	    PR_STR("Content-Type"), PR_STR("application/json")};
	struct pr_call call = {.method = about.method,
			   .target = about.target,
			   .headers = &type,
			   .n_headers = 1,
			   .body = about.body,
			   .body_shown = true},
		       wrong;
	struct pr_buf b = PR_BUF_INIT;
	enum pr_assertion_kind kind;
	const char *why;

	pr_assertion_write(as, &about, &b);
#define READ(as, call, response) \
	pr_assertion_read(       \
	    as, a, pr_buf_view(&b), call, response, &kind, &got, &why)
	ck_assert_int_eq(READ(other, &call, false), -1);
	wrong = call;
	wrong.target = PR_STR("/v1.41/containers/create?name=x");
	ck_assert_int_eq(READ(as, &wrong, false), -1);
	wrong = call;
	wrong.method = PR_STR("PUT");
	ck_assert_int_eq(READ(as, &wrong, false), -1);
	wrong = call;
	wrong.n_headers = 0;
	ck_assert_int_eq(READ(as, &wrong, false), -1);
	ck_assert_int_eq(READ(as, &call, false), 0);
	ck_assert_int_eq(kind, PR_ASSERT_REQUEST);
	ck_assert(got.verified && got.n_chain == 1);
	ck_assert(pr_str_is(got.chain[0], "bm8="));
	ck_assert_int_eq(READ(as, &call, false), -1);
	ck_assert_str_eq(why, "the assertion was used before");
	ck_assert_int_eq(READ(as, &call, true), 0);
	pr_buf_reset(&b);
	pr_assertion_write(as, &about, &b);
	wrong = call;
	wrong.body = PR_STR("{\"Privileged\":true}");
	ck_assert_int_eq(READ(as, &wrong, false), -1);
	/* a bit of it is another */
	for (size_t i = 0; i < b.n; i++) {
		b.p[i] ^= 1;
		ck_assert_int_eq(READ(as, &call, true), -1);
		b.p[i] ^= 1;
	}
#undef READ
	pr_buf_fini(&b);
	pr_asserter_close(as);
	pr_asserter_close(other);
	pr_arena_free(a);
}
END_TEST

START_TEST(a_local_user_is_asserted)
{
	struct pr_arena *a = pr_arena_new(4096);
	struct pr_asserter *as = asserter(key_a);
	struct pr_identity_call caller = {.has_uid = true,
	    .uid = 1000,
	    .local = PR_STR("local"),
	    .local_name = PR_STR("a;mac=b")};
	struct pr_identity_call got;
	struct pr_assertion about = {.method = PR_STR("GET"),
	    .target = PR_STR("/_ping"),
	    .caller = &caller};
	struct pr_call call = {
	    .method = about.method, .target = about.target, .body_shown = true};
	struct pr_buf b = PR_BUF_INIT;
	enum pr_assertion_kind kind;
	const char *why;

	pr_assertion_write(as, &about, &b);
	ck_assert_int_eq(pr_assertion_read(as, a, pr_buf_view(&b), &call, false,
			     &kind, &got, &why),
	    0);
	ck_assert(got.has_uid && got.uid == 1000);
	ck_assert(pr_str_is(got.local, "local"));
	ck_assert(pr_str_is(got.local_name, "a;mac=b"));
	pr_buf_fini(&b);
	pr_asserter_close(as);
	pr_arena_free(a);
}
END_TEST

START_TEST(a_short_key_is_none)
{
	ck_assert_ptr_null(asserter("short\n"));
}
END_TEST

/* ---- peers ---- */

START_TEST(one_peer_has_so_many_connections)
{
	struct subjects *ss = subjects_new(2, 0);
	struct subject *a = subjects_enter(ss, PR_STR("a"));
	struct subject *b = subjects_enter(ss, PR_STR("a"));

	ck_assert_ptr_nonnull(a);
	ck_assert_ptr_eq(a, b);
	ck_assert_ptr_null(subjects_enter(ss, PR_STR("a")));
	ck_assert_ptr_nonnull(subjects_enter(ss, PR_STR("b")));
	subjects_leave(ss, a);
	ck_assert_ptr_nonnull(subjects_enter(ss, PR_STR("a")));
	ck_assert(subjects_may(ss, a, 1));
	subjects_free(ss);
}
END_TEST

START_TEST(one_peer_has_so_many_requests)
{
	struct subjects *ss = subjects_new(10, 5);
	struct subject *s = subjects_enter(ss, PR_STR("a"));
	uint64_t now = 1000 * PR_SEC;

	for (int i = 0; i < 5; i++)
		ck_assert(subjects_may(ss, s, now));
	ck_assert(!subjects_may(ss, s, now));
	ck_assert(!subjects_may(ss, s, now + PR_SEC / 10));
	ck_assert(subjects_may(ss, s, now + PR_SEC / 5));
	ck_assert(!subjects_may(ss, s, now + PR_SEC / 5));
	for (int i = 0; i < 5; i++)
		ck_assert(subjects_may(ss, s, now + 100 * PR_SEC));
	ck_assert(!subjects_may(ss, s, now + 100 * PR_SEC));
	subjects_free(ss);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("proxy");
	TCase *t = tcase_create("proxy");

	tcase_add_loop_test(t, a_create_gets_labels, 0, (int)PR_COUNT(bodies));
	tcase_add_test(t, an_assertion_is_good_once);
	tcase_add_test(t, a_local_user_is_asserted);
	tcase_add_test(t, a_short_key_is_none);
	tcase_add_test(t, one_peer_has_so_many_connections);
	tcase_add_test(t, one_peer_has_so_many_requests);
	suite_add_tcase(s, t);
	return unit_run(s);
}
