/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <portreeve/arena.h>

#include "call.h"
#include "unit.h"

static struct pr_arena *arena;
static struct call call;
static struct call_fault why;

static void
setup(void)
{
	arena = pr_arena_new(4096);
}

static void
teardown(void)
{
	pr_arena_free(arena);
}

static int
read_text(const char *text, enum call_stage stage)
{
	struct pr_str s = pr_str_of(text);
	char *copy = pr_arena_copy(arena, s.p, s.n);

	return call_read(arena, copy, s.n, stage, &call, &why);
}

static void
is(struct pr_str got, const char *want)
{
	ck_assert_msg(pr_str_is(got, want), "got \"%.*s\", not \"%s\"",
	    PR_STRF(got), want);
}

START_TEST(a_whole_request)
{
	static const char text[] =
	    "{\"User\":\"alice\",\"UserAuthNMethod\":\"TLS\","
	    "\"RequestMethod\":\"POST\","
	    "\"RequestUri\":\"/v1.41/containers/create?name=a\\u0026b\","
	    "\"RequestBody\":\"eyJJbWFnZSI6ImJ1c3lib3gifQ==\","
	    "\"RequestHeaders\":{\"Content-Type\":\"application/json\","
	    "\"Content-Length\":\"19\"},"
	    "\"RequestPeerCertificates\":[\"QQ==\",\"Qg==\"]}";

	ck_assert_msg(read_text(text, CALL_REQUEST) == 0, "%s", why.text);
	is(call.judge.caller.user, "alice");
	is(call.judge.caller.method, "TLS");
	ck_assert_uint_eq(call.judge.caller.n_chain, 2);
	is(call.judge.caller.chain[0], "QQ==");
	is(call.judge.caller.chain[1], "Qg==");
	is(call.judge.call.method, "POST");
	is(call.judge.call.target, "/v1.41/containers/create?name=a&b");
	is(call.judge.call.body, "{\"Image\":\"busybox\"}");
	ck_assert(call.judge.call.body_shown);
	ck_assert_uint_eq(call.judge.call.max_body, PR_CAP_PLUGIN_BODY);
	ck_assert_uint_eq(call.judge.call.n_headers, 2);
	is(call.judge.call.headers[0].name, "Content-Type");
	is(call.judge.call.headers[0].value, "application/json");
	is(call.judge.call.headers[1].value, "19");
	ck_assert(!call.has_lookup && !call.result.body_shown);
}
END_TEST

START_TEST(a_whole_response)
{
	static const char text[] =
	    "{\"RequestMethod\":\"GET\",\"RequestUri\":\"/info\","
	    "\"ResponseStatusCode\":200,\"ResponseBody\":\"e30K\","
	    "\"ResponseHeaders\":{\"Content-Type\":\"application/json\"}}";

	ck_assert_msg(read_text(text, CALL_RESPONSE) == 0, "%s", why.text);
	ck_assert_int_eq(call.result.status, 200);
	is(call.result.body, "{}\n");
	ck_assert(call.result.body_shown);
	ck_assert(!call.judge.call.body_shown);
	is(call.judge.call.target, "/info");
}
END_TEST

START_TEST(what_is_absent_is_not_shown)
{
	static const char text[] =
	    "{\"RequestMethod\":\"GET\",\"RequestUri\":\"/_ping\"}";

	ck_assert_int_eq(read_text(text, CALL_RESPONSE), 0);
	ck_assert(!call.judge.call.body_shown && !call.result.body_shown);
	ck_assert_int_eq(call.result.status, 0);
	ck_assert_uint_eq(call.judge.call.n_headers, 0);
	ck_assert_uint_eq(call.judge.caller.n_chain, 0);
}
END_TEST

START_TEST(an_empty_body_is_not_shown)
{
	static const char text[] = "{\"RequestMethod\":\"GET\","
				   "\"RequestUri\":\"/_ping\","
				   "\"RequestBody\":\"\"}";

	ck_assert_int_eq(read_text(text, CALL_REQUEST), 0);
	ck_assert(!call.judge.call.body_shown);
}
END_TEST

START_TEST(the_lookup_header_is_found_in_any_case)
{
	static const char text[] =
	    "{\"RequestMethod\":\"GET\",\"RequestUri\":\"/info\","
	    "\"RequestHeaders\":{\"x-portreeve-LOOKUP\":\"ab\"}}";

	ck_assert_int_eq(read_text(text, CALL_REQUEST), 0);
	ck_assert(call.has_lookup);
	is(call.lookup, "ab");
}
END_TEST

START_TEST(what_came_before_the_mistake_is_kept_for_the_log)
{
	static const char text[] =
	    "{\"User\":\"alice\",\"RequestMethod\":\"POST\","
	    "\"RequestUri\":\"/x\",\"RequestBody\":\"!\"}";

	ck_assert_int_eq(read_text(text, CALL_REQUEST), -1);
	is(call.judge.caller.user, "alice");
	is(call.judge.call.target, "/x");
	ck_assert(!call.judge.call.body_shown);
}
END_TEST

#define HEAD "{\"RequestMethod\":\"GET\",\"RequestUri\":\"/info\""

static const struct {
	const char *text;
	enum call_stage stage;
	const char *why; /* part of it; NULL: taken */
} rows[] = {
    {HEAD "}", CALL_REQUEST, NULL},
    {HEAD ",\"Newer\":{\"a\":[1,null]}}", CALL_REQUEST, NULL},
    {HEAD ",\"RequestHeaders\":{}}", CALL_REQUEST, NULL},
    {HEAD ",\"RequestPeerCertificates\":[]}", CALL_REQUEST, NULL},
    {HEAD ",\"ResponseStatusCode\":404}", CALL_RESPONSE, NULL},
    {"", CALL_REQUEST, "came empty"},
    {"", CALL_RESPONSE, "came empty"},
    {" ", CALL_REQUEST, "not readable"},
    {"null", CALL_REQUEST, "the call is null, not an object"},
    {"[]", CALL_REQUEST, "the call is array, not an object"},
    {HEAD, CALL_REQUEST, "not readable"},
    {HEAD "}x", CALL_REQUEST, "not readable"},
    {HEAD "}{}", CALL_REQUEST, "not readable"},
    {"{}", CALL_REQUEST, "RequestMethod is missing"},
    {"{\"RequestMethod\":\"GET\"}", CALL_REQUEST, "RequestUri is missing"},
    {"{\"RequestMethod\":\"\",\"RequestUri\":\"/\"}", CALL_REQUEST,
	"RequestMethod is missing"},
    {"{\"RequestMethod\":\"GET\",\"RequestUri\":\"\"}", CALL_REQUEST,
	"RequestUri is missing"},
    {"{\"RequestMethod\":1,\"RequestUri\":\"/\"}", CALL_REQUEST,
	"RequestMethod is number, not a string"},
    {"{\"RequestMethod\":null,\"RequestUri\":\"/\"}", CALL_REQUEST,
	"RequestMethod is null"},
    {"{\"RequestMethod\":\"GET\",\"RequestUri\":\"/\\u0000\"}", CALL_REQUEST,
	"RequestUri holds a NUL"},
    {"{\"RequestMethod\":\"GET\\u0000\",\"RequestUri\":\"/\"}", CALL_REQUEST,
	"RequestMethod holds a NUL"},
    {"{\"RequestMethod\":\"GET\",\"requesturi\":\"/\"}", CALL_REQUEST,
	"RequestUri is spelt in another way"},
    {HEAD ",\"u\\u017fer\":\"root\"}", CALL_REQUEST, "an odd name"},
    {HEAD ",\"USER\":\"root\"}", CALL_REQUEST, "User is spelt in another way"},
    {HEAD ",\"RequestUri\":\"/x\"}", CALL_REQUEST, "not readable"},
    {HEAD ",\"REQUESTURI\":\"/x\"}", CALL_REQUEST, "twice"},
    {HEAD ",\"User\":false}", CALL_REQUEST, "User is boolean"},
    {HEAD ",\"User\":\"a\\u0000b\"}", CALL_REQUEST, "User holds a NUL"},
    {HEAD ",\"UserAuthNMethod\":[]}", CALL_REQUEST, "UserAuthNMethod is"},
    {HEAD ",\"RequestBody\":{}}", CALL_REQUEST, "RequestBody is object"},
    {HEAD ",\"RequestBody\":\"e30\"}", CALL_REQUEST,
	"RequestBody is not base64"},
    {HEAD ",\"RequestBody\":\"e3 0=\"}", CALL_REQUEST,
	"RequestBody is not base64"},
    {HEAD ",\"RequestHeaders\":[]}", CALL_REQUEST, "RequestHeaders is array"},
    {HEAD ",\"RequestHeaders\":{\"A\":[\"b\"]}}", CALL_REQUEST,
	"a header's value is array"},
    {HEAD ",\"RequestHeaders\":{\"A\":\"b\\u0000\"}}", CALL_REQUEST,
	"a header's value holds a NUL"},
    {HEAD ",\"RequestHeaders\":{\"A\":\"b\",\"a\":\"c\"}}", CALL_REQUEST,
	"names a header twice"},
    {HEAD ",\"RequestHeaders\":{\"A\":\"b\",\"A\":\"c\"}}", CALL_REQUEST,
	"not readable"},
    {HEAD ",\"RequestHeaders\":{\"A\\u0000\":\"b\"}}", CALL_REQUEST,
	"holds a name that is none"},
    {HEAD ",\"RequestPeerCertificates\":\"QQ==\"}", CALL_REQUEST,
	"RequestPeerCertificates is string"},
    {HEAD ",\"RequestPeerCertificates\":[null]}", CALL_REQUEST,
	"a peer certificate is null"},
    {HEAD ",\"ResponseStatusCode\":200}", CALL_REQUEST,
	"ResponseStatusCode in a request"},
    {HEAD ",\"ResponseBody\":\"\"}", CALL_REQUEST, "ResponseBody in a request"},
    {HEAD ",\"ResponseHeaders\":{}}", CALL_REQUEST,
	"ResponseHeaders in a request"},
    {HEAD ",\"ResponseStatusCode\":\"200\"}", CALL_RESPONSE,
	"ResponseStatusCode is no HTTP status"},
    {HEAD ",\"ResponseStatusCode\":2e2}", CALL_RESPONSE,
	"ResponseStatusCode is no HTTP status"},
    {HEAD ",\"ResponseStatusCode\":-1}", CALL_RESPONSE,
	"ResponseStatusCode is no HTTP status"},
    {HEAD ",\"ResponseStatusCode\":1000}", CALL_RESPONSE,
	"ResponseStatusCode is no HTTP status"},
    {HEAD ",\"ResponseBody\":\"?\"}", CALL_RESPONSE,
	"ResponseBody is not base64"},
    {HEAD ",\"ResponseHeaders\":1}", CALL_RESPONSE,
	"ResponseHeaders is number"},
};

START_TEST(a_row)
{
	int rc = read_text(rows[_i].text, rows[_i].stage);

	if (rows[_i].why == NULL) {
		ck_assert_msg(rc == 0, "%s: %s", rows[_i].text, why.text);
		ck_assert_str_eq(why.text, "");
		return;
	}
	ck_assert_msg(rc == -1, "%s was taken", rows[_i].text);
	ck_assert_msg(strstr(why.text, rows[_i].why) != NULL,
	    "%s: \"%s\" does not say \"%s\"", rows[_i].text, why.text,
	    rows[_i].why);
}
END_TEST

/* Every beginning of a good message is refused, and nothing is read past it. */
START_TEST(a_truncated_one)
{
	static const char text[] =
	    HEAD ",\"RequestBody\":\"e30=\",\"RequestHeaders\":{\"A\":\"b\"}}";

	for (size_t n = 0; n < sizeof text - 1; n++) {
		char *part = pr_xmalloc(n);

		memcpy(part, text, n);
		ck_assert_int_eq(
		    call_read(arena, part, n, CALL_REQUEST, &call, &why), -1);
		free(part);
	}
	ck_assert_int_eq(read_text(text, CALL_REQUEST), 0);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("call");
	TCase *t = tcase_create("call");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, a_whole_request);
	tcase_add_test(t, a_whole_response);
	tcase_add_test(t, what_is_absent_is_not_shown);
	tcase_add_test(t, an_empty_body_is_not_shown);
	tcase_add_test(t, the_lookup_header_is_found_in_any_case);
	tcase_add_test(t, what_came_before_the_mistake_is_kept_for_the_log);
	tcase_add_loop_test(t, a_row, 0, PR_COUNT(rows));
	tcase_add_test(t, a_truncated_one);
	suite_add_tcase(s, t);
	return unit_run(s);
}
