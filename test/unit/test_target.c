/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <portreeve/arena.h>
#include <portreeve/caps.h>
#include <portreeve/request.h>

#include "unit.h"

static struct pr_arena *arena;
static struct pr_refusal why;

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

/* ---- targets that are read ---- */

static const struct {
	const char *raw, *path;
	unsigned major, minor;
	const char *query;
} targets[] = {
    {"/_ping", "/_ping", 0, 0, ""},
    {"/v1.41/_ping", "/_ping", 1, 41, ""},
    {"/v1.24/info", "/info", 1, 24, ""},
    {"/v1.56/info", "/info", 1, 56, ""},
    {"/v1.99/info", "/info", 1, 99, ""},
    {"/v2.0/info", "/info", 2, 0, ""},
    {"/v1.100/info", "/info", 1, 100, ""},
    {"/v9999.9999/info", "/info", 9999, 9999, ""},
    {"/%76%31%2e%34%31/info", "/info", 1, 41, ""},
    {"/%761.41%2Finfo", "/info", 1, 41, ""},
    /* what the daemon would not take for a version */
    {"/v1.41", "/v1.41", 0, 0, ""},
    {"/V1.41/info", "/V1.41/info", 0, 0, ""},
    {"/v/info", "/v/info", 0, 0, ""},
    {"/v1.41x/info", "/v1.41x/info", 0, 0, ""},
    {"/v-1.41/info", "/v-1.41/info", 0, 0, ""},
    {"/volumes/v", "/volumes/v", 0, 0, ""},
    {"/version", "/version", 0, 0, ""},
    {"/v1.41/v1.40/info", "/v1.40/info", 1, 41, ""},
    {"/v1.41/", "/", 1, 41, ""},
    {"/", "/", 0, 0, ""},
    /* one decoding */
    {"/%5fping", "/_ping", 0, 0, ""},
    {"/%5Fping", "/_ping", 0, 0, ""},
    {"/containers%2fjson", "/containers/json", 0, 0, ""},
    {"/containers%2Fjson", "/containers/json", 0, 0, ""},
    {"/containers/a%2fb/json", "/containers/a/b/json", 0, 0, ""},
    {"/containers/a%252fb/json", "/containers/a%2fb/json", 0, 0, ""},
    {"/containers/%6dine/json", "/containers/mine/json", 0, 0, ""},
    {"/containers/a%20b/json", "/containers/a b/json", 0, 0, ""},
    {"/containers/a+b/json", "/containers/a+b/json", 0, 0, ""},
    {"/containers/a;b/json", "/containers/a;b/json", 0, 0, ""},
    {"/containers/a%23b/json", "/containers/a#b/json", 0, 0, ""},
    {"/containers/a%3fb/json", "/containers/a?b/json", 0, 0, ""},
    {"/containers/a%25b/json", "/containers/a%b/json", 0, 0, ""},
    {"/v1.41\\containers", "/v1.41\\containers", 0, 0, ""},
    {"/images/a:5000/b@sha256:0/json", "/images/a:5000/b@sha256:0/json", 0, 0,
	""},
    {"/containers/.../json", "/containers/.../json", 0, 0, ""},
    {"/containers/.a/json", "/containers/.a/json", 0, 0, ""},
    {"/containers/a./json", "/containers/a./json", 0, 0, ""},
    {"/containers/..a/json", "/containers/..a/json", 0, 0, ""},
    {"/containers/json/", "/containers/json/", 0, 0, ""},
    {"/a%7eb", "/a~b", 0, 0, ""},
    /* queries are left for later */
    {"/info?", "/info", 0, 0, ""},
    {"/info?a", "/info", 0, 0, "a"},
    {"/info?a=b&c=d", "/info", 0, 0, "a=b&c=d"},
    {"/info??a", "/info", 0, 0, "?a"},
    {"/info?a=/../x", "/info", 0, 0, "a=/../x"},
    {"/info?a=%zz", "/info", 0, 0, "a=%zz"},
    {"/v1.41/info?/v1.40/x", "/info", 1, 41, "/v1.40/x"},
    {"/info%3fa", "/info?a", 0, 0, ""},
};

START_TEST(target_is_read)
{
	struct pr_str raw = pr_str_of(targets[_i].raw);
	struct pr_target t;

	ck_assert_msg(pr_target_read(arena, raw, &t, &why) == 0, "%s: %s",
	    targets[_i].raw, why.text);
	ck_assert_msg(pr_str_is(t.path, targets[_i].path), "%s: path %.*s",
	    targets[_i].raw, PR_STRF(t.path));
	ck_assert_msg(pr_str_is(t.query, targets[_i].query), "%s: query %.*s",
	    targets[_i].raw, PR_STRF(t.query));
	ck_assert_uint_eq(t.version.major, targets[_i].major);
	ck_assert_uint_eq(t.version.minor, targets[_i].minor);
}
END_TEST

/* ---- targets that are refused ---- */

static const char *const ambiguous[] = {
    /* not origin form */
    "",
    "*",
    "info",
    "v1.41/info",
    "http://x/info",
    "HTTP://x/info",
    "http:/_ping",
    "x://y/_ping",
    "unix:///info",
    "?a=b",
    "http:_ping",
    "\\info",
    "%2finfo",
    /* bytes */
    "/in fo",
    "/in\tfo",
    "/info ",
    "/in\nfo",
    "/in\rfo",
    "/\001",
    "/info\177",
    "/inf\xc3\xb6",
    "/\xff",
    "/\xef\xbf\xbd",
    "/info?a=\xc3\xb6",
    "/info?a=\xef\xbf\xbd",
    "/info?a b",
    "/info?a=\001",
    /* fragments */
    "/info#",
    "/info#x",
    "/info?a=1#2",
    "/#/info",
    "/info?#%zz",
    /* bad escapes */
    "/%",
    "/%2",
    "/info%",
    "/info%2",
    "/info%zz",
    "/info%2g",
    "/info%g2",
    "/%%25",
    "/% 2",
    /* what escapes may not hide */
    "/info%00",
    "/%00info",
    "/containers/a%00b/json",
    "/info%0a",
    "/info%0d",
    "/info%09",
    "/info%1f",
    "/info%7f",
    "/info%80",
    "/info%c3%b6",
    "/info%ff",
    "/%c1%a3ontainers",
    "/%e2%84%aa",
    "/info%C2%A0",
    /* what the router cleans */
    "//",
    "//info",
    "/info//",
    "/containers//json",
    "///",
    "/./info",
    "/info/.",
    "/info/./",
    "/../info",
    "/info/..",
    "/info/../",
    "/..",
    "/.",
    "/../",
    "/a/../info",
    "/a/./info",
    "/%2e/info",
    "/%2e%2e/info",
    "/.%2e/info",
    "/%2e./info",
    "/a/%2e%2e/info",
    "/%2finfo",
    "/%2Finfo",
    "/info%2f%2f",
    "/a%2f%2fb",
    "/a%2f..%2fb",
    "/a/..%2fb",
    "/containers/%2fmine/json",
    "/containers/mine%2f/json",
    "/v1.41//info",
    "/v1.41/../v1.40/info",
    "/_ping/../containers/create",
    "/v1.41/auth%2F..%2Fcontainers/create",
    "/containers/../json",
    /* versions */
    "/v1/info",
    "/v1./info",
    "/v.1/info",
    "/v./info",
    "/v../info",
    "/v.../info",
    "/v1..41/info",
    "/v1.41./info",
    "/v1.41.0/info",
    "/v1.41.9/info",
    "/v1.041/info",
    "/v01.41/info",
    "/v001.41/info",
    "/v1.00041/info",
    "/v00.41/info",
    "/v1.99999/info",
    "/v99999.1/info",
    "/v1.18446744073709551657/info",
    "/v0.041/info",
    "/v41/info",
    "/v1.4.1/info",
    "/v1%2e041/info",
};

START_TEST(target_is_ambiguous)
{
	struct pr_str raw = pr_str_of(ambiguous[_i]);
	struct pr_target t;

	ck_assert_msg(pr_target_read(arena, raw, &t, &why) < 0,
	    "\"%s\" was read", ambiguous[_i]);
	ck_assert_msg(why.reason == PR_REASON_AMBIGUOUS, "\"%s\": %s",
	    ambiguous[_i], pr_reason_code(why.reason));
	ck_assert_uint_gt(strlen(why.text), 10);
	ck_assert_uint_eq(t.version.major, 0);
	ck_assert(pr_str_printable(pr_str_of(why.text)));
}
END_TEST

static const char *const too_old[] = {"/v1.23/info", "/v1.0/info",
    "/v0.99/info", "/v1.12/containers/create", "/v1.11/x", "/v0.0/info",
    "/v1.9/info", "/v1.2/info"};

START_TEST(version_is_too_old)
{
	struct pr_str raw = pr_str_of(too_old[_i]);
	struct pr_target t;

	ck_assert(pr_target_read(arena, raw, &t, &why) < 0);
	ck_assert_int_eq(why.reason, PR_REASON_UNSUPPORTED_VERSION);
	ck_assert_msg(strstr(why.text, "1.24") != NULL, "%s", why.text);
	ck_assert_msg(t.path.p[0] == '/', "the path is there for the log");
}
END_TEST

START_TEST(nul_bytes_are_refused)
{
	struct pr_target t;

	ck_assert(pr_target_read(arena, PR_STR("/in\0fo"), &t, &why) < 0);
	ck_assert(pr_target_read(arena, PR_STR("/info\0"), &t, &why) < 0);
	ck_assert(pr_target_read(arena, PR_STR("/info?a=\0"), &t, &why) < 0);
	ck_assert(
	    pr_target_read(arena, (struct pr_str){NULL, 0}, &t, &why) < 0);
}
END_TEST

START_TEST(length_is_capped)
{
	size_t n = PR_CAP_TARGET;
	char *raw = pr_xmalloc(n + 1);
	struct pr_target t;

	memset(raw, 'a', n + 1);
	raw[0] = '/';
	ck_assert_int_eq(
	    pr_target_read(arena, (struct pr_str){raw, n}, &t, &why), 0);
	ck_assert_uint_eq(t.path.n, n);
	ck_assert(
	    pr_target_read(arena, (struct pr_str){raw, n + 1}, &t, &why) < 0);
	ck_assert_int_eq(why.reason, PR_REASON_AMBIGUOUS);
	free(raw);
}
END_TEST

/* ---- every byte, raw and escaped ---- */

START_TEST(byte_is_printable_ascii_or_refused)
{
	char raw[] = {'/', 'a', (char)_i, 'b'}, escaped[16];
	bool printable = _i > 0x20 && _i < 0x7f;
	struct pr_target t;
	int rc = pr_target_read(arena, (struct pr_str){raw, 4}, &t, &why);

	ck_assert_int_eq(rc == 0, printable && _i != '#' && _i != '%');
	snprintf(escaped, sizeof escaped, "/a%%%02xb", (unsigned)_i);
	rc = pr_target_read(arena, pr_str_of(escaped), &t, &why);
	ck_assert_int_eq(rc == 0, printable || _i == ' ');
	if (rc == 0)
		ck_assert(t.path.n == 4 && t.path.p[2] == (char)_i);
}
END_TEST

/* ---- queries ---- */

struct query_row {
	const char *raw;
	const char *pairs; /* "key=value|key=value" as decoded */
};

static const struct query_row queries[] = {
    {"", ""},
    {"a=b", "a=b"},
    {"a=b&c=d", "a=b|c=d"},
    {"a", "a="},
    {"a=", "a="},
    {"a&b", "a=|b="},
    {"a=b=c", "a=b=c"},
    {"a==", "a=="},
    {"&a=b", "a=b"},
    {"a=b&", "a=b"},
    {"&&&a=b&&c=d&&", "a=b|c=d"},
    {"&", ""},
    {"&&&", ""},
    {"a=%41", "a=A"},
    {"%61=b", "a=b"},
    {"%72epo=x", "repo=x"},
    {"a=b+c", "a=b c"},
    {"a=b%2Bc", "a=b+c"},
    {"a=b%2bc", "a=b+c"},
    {"a=%26b%3Dc", "a=&b=c"},
    {"a=%3B", "a=;"},
    {"a=%25zz", "a=%zz"},
    {"a=%2541", "a=%41"},
    {"a=%23", "a=#"},
    {"a=b?c", "a=b?c"},
    {"?a=b", "?a=b"},
    {"a=/../", "a=/../"},
    {"a=%C3%B6", "a=\xc3\xb6"},
    {"a=%E2%82%AC", "a=\xe2\x82\xac"},
    {"a=%EF%BF%BD", "a=\xef\xbf\xbd"},
    {"a=%0A", "a=\n"},
    {"a=%09b%0D%0A", "a=\tb\r\n"},
    {"filters=%7B%22label%22%3A%7B%22a%3Db%22%3Atrue%7D%7D",
	"filters={\"label\":{\"a=b\":true}}"},
    {"t=a&t=b", "t=a|t=b"},
    {"t=a&x=1&t=a", "t=a|x=1|t=a"},
    {"changes=a&changes=b&changes=c", "changes=a|changes=b|changes=c"},
    {"names=a&names=b", "names=a|names=b"},
    {"platform=a&platform=b", "platform=a|platform=b"},
    {"platforms=a&platforms=b", "platforms=a|platforms=b"},
    {"extrahosts=a&extrahosts=b", "extrahosts=a|extrahosts=b"},
    {"type=a&type=b", "type=a|type=b"},
    {"a=1&A=2", "a=1|A=2"},
    {"path=a&paths=b", "path=a|paths=b"},
};

static void
show_pairs(const struct pr_query_pair *pairs, size_t n, char *out, size_t size)
{
	size_t used = 0;

	out[0] = '\0';
	for (size_t i = 0; i < n; i++)
		used += (size_t)snprintf(out + used, size - used, "%s%.*s=%.*s",
		    i > 0 ? "|" : "", PR_STRF(pairs[i].key),
		    PR_STRF(pairs[i].value));
}

START_TEST(query_is_read)
{
	const struct query_row *row = &queries[_i];
	const struct pr_query_pair *pairs;
	char got[512];
	size_t n;

	ck_assert_msg(
	    pr_query_read(arena, pr_str_of(row->raw), &pairs, &n, &why) == 0,
	    "%s: %s", row->raw, why.text);
	show_pairs(pairs, n, got, sizeof got);
	ck_assert_str_eq(got, row->pairs);
}
END_TEST

static const char *const bad_queries[] = {
    /* what one handler skips and the next stops at */
    ";",
    "a;b",
    "a=b;c=d",
    "a=b;",
    "a;=b",
    "%",
    "a=%",
    "a=%2",
    "a=%zz",
    "%zz",
    "%zz=1&networkmode=host",
    "a=b&%zz",
    "a=%2&b=c",
    "a=%g0",
    "a=%0g",
    "a=b%",
    "x=%zz&remote=a;y&remote=b",
    /* keys */
    "=",
    "=b",
    "a=b&=c",
    "%00=b",
    "a%00=b",
    "a+b=c",
    "a%20=c",
    "%0a=c",
    "a%0a=c",
    "%c3%b6=c",
    "%e2%84%aa=c",
    "%ff=c",
    "a%7f=b",
    /* values */
    "a=%00",
    "a=b%00c",
    "a=%01",
    "a=%1b",
    "a=%7f",
    "a=%08",
    "a=%0b",
    "a=%ff",
    "a=%c3",
    "a=%c3%28",
    "a=%c0%af",
    "a=%ed%a0%80",
    "a=%f4%90%80%80",
    "a=%c2%80",
    "a=%c2%85",
    "a=%c2%9f",
    "a=%e2%82",
    /* the same key again, however spelt */
    "a=1&a=2",
    "a=1&a=1",
    "a&a",
    "a=1&b=2&a=3",
    "a=1&%61=2",
    "fromImage=a&fromImage=b",
    "fromSrc=-&fromSrc=-",
    "repo=a&tag=b&repo=c",
    "container=a&container=b",
    "networkmode=none&networkmode=host",
    "remote=a&remote=b",
    "path=/a&path=/b",
    "name=a&name=b",
    "T=a&T=b",
    "version=1&version=2",
    "force=1&force=0",
    "filters={}&filters={}",
    "signal=a&signal=b",
    "Changes=a&Changes=b",
    "stdin=0&stdin=1",
};

START_TEST(query_is_ambiguous)
{
	const struct pr_query_pair *pairs;
	size_t n;

	ck_assert_msg(pr_query_read(arena, pr_str_of(bad_queries[_i]), &pairs,
			  &n, &why) < 0,
	    "%s was read", bad_queries[_i]);
	ck_assert_int_eq(why.reason, PR_REASON_AMBIGUOUS);
	ck_assert(pr_str_printable(pr_str_of(why.text)));
}
END_TEST

START_TEST(number_of_parameters_is_capped)
{
	size_t n, max = PR_CAP_QUERY_PAIRS;
	char *raw = pr_xcalloc(max + 2, 4);
	const struct pr_query_pair *pairs;
	size_t used = 0;

	for (size_t i = 0; i < max; i++, used += 4)
		memcpy(raw + used, "t=x&", 4);
	ck_assert_int_eq(pr_query_read(arena, (struct pr_str){raw, used - 1},
			     &pairs, &n, &why),
	    0);
	ck_assert_uint_eq(n, max);
	memcpy(raw + used, "t=x&", 4);
	ck_assert(pr_query_read(arena, (struct pr_str){raw, used + 3}, &pairs,
		      &n, &why) < 0);
	free(raw);
}
END_TEST

/* ---- media types ---- */

static const struct {
	const char *type;
	enum pr_media media;
} types[] = {
    {"", PR_MEDIA_NONE},
    {" ", PR_MEDIA_NONE},
    {"application/json", PR_MEDIA_JSON},
    {"Application/JSON", PR_MEDIA_JSON},
    {"application/json;", PR_MEDIA_JSON},
    {"application/json; ", PR_MEDIA_JSON},
    {"application/json ; x=y", PR_MEDIA_JSON},
    {"application/json;charset=UTF-16", PR_MEDIA_JSON},
    {"application/json; charset=utf-8", PR_MEDIA_JSON},
    {"application/json; charset=\"utf-8\"", PR_MEDIA_JSON},
    {"application/json; a=\"\"", PR_MEDIA_JSON},
    {"application/json; a=\"b;c\"", PR_MEDIA_JSON},
    {"application/json; a=b; c=d;", PR_MEDIA_JSON},
    {"application/json\t", PR_MEDIA_JSON},
    {"application/x-www-form-urlencoded", PR_MEDIA_FORM},
    {"application/X-WWW-form-urlencoded; charset=utf-8", PR_MEDIA_FORM},
    {"multipart/form-data; boundary=x", PR_MEDIA_FORM},
    {"Multipart/Mixed; boundary=\"x y\"", PR_MEDIA_FORM},
    {"multipart/x", PR_MEDIA_FORM},
    {"application/x-tar", PR_MEDIA_TAR},
    {"application/tar", PR_MEDIA_TAR},
    {"application/octet-stream", PR_MEDIA_TAR},
    {"text/plain", PR_MEDIA_TAR},
    {"text/plain; charset=utf-8", PR_MEDIA_TAR},
    {"text/json", PR_MEDIA_OTHER},
    {"application/jsonx", PR_MEDIA_OTHER},
    {"application/json5", PR_MEDIA_OTHER},
    {"application/vnd.docker.raw-stream", PR_MEDIA_OTHER},
    {"xapplication/json", PR_MEDIA_OTHER},
    {"application/ld+json", PR_MEDIA_OTHER},
    {"application/json; charset", PR_MEDIA_BAD},
    {"application/json; charset=", PR_MEDIA_BAD},
    {"application/json;;", PR_MEDIA_BAD},
    {"application/json; ;", PR_MEDIA_BAD},
    {"application/json; =x", PR_MEDIA_BAD},
    {"application/json; a=b c", PR_MEDIA_BAD},
    {"application/json; a =b", PR_MEDIA_BAD},
    {"application/json; a=\"b", PR_MEDIA_BAD},
    {"application/json; a=\"b\"c", PR_MEDIA_BAD},
    {"application/json; a=\"\\\"\"", PR_MEDIA_BAD},
    {"application/json; a=b; a=c", PR_MEDIA_BAD},
    {"application/json; a=b; A=b", PR_MEDIA_BAD},
    {"application/json; a*=b", PR_MEDIA_BAD},
    {"application/json; a*0=b", PR_MEDIA_BAD},
    {"application/json, application/json", PR_MEDIA_BAD},
    {"application/json text/plain", PR_MEDIA_BAD},
    {"application /json", PR_MEDIA_BAD},
    {"application/ json", PR_MEDIA_BAD},
    {"application", PR_MEDIA_BAD},
    {"application/", PR_MEDIA_BAD},
    {"/json", PR_MEDIA_BAD},
    {"application/json/x", PR_MEDIA_BAD},
    {";application/json", PR_MEDIA_BAD},
    {"; charset=utf-8", PR_MEDIA_BAD},
    {"application/js\xc3\xb6n", PR_MEDIA_BAD},
    {"application/json; a=\xff", PR_MEDIA_BAD},
    {"application/json; a=\"\x01\"", PR_MEDIA_BAD},
    {"application/json\x01", PR_MEDIA_BAD},
    {"application/json\xc2\xa0", PR_MEDIA_BAD},
    {"application/x-www-form-urlencoded; a", PR_MEDIA_BAD},
    {"multipart/form-data; boundary=", PR_MEDIA_BAD},
    {"application/json;a=1;b=1;c=1;d=1;e=1;f=1;g=1;h=1", PR_MEDIA_JSON},
    {"application/json;a=1;b=1;c=1;d=1;e=1;f=1;g=1;h=1;i=1", PR_MEDIA_BAD},
};

START_TEST(media_type_is_classed)
{
	ck_assert_msg(pr_media_of(pr_str_of(types[_i].type)) == types[_i].media,
	    "\"%s\" is %d", types[_i].type,
	    pr_media_of(pr_str_of(types[_i].type)));
}
END_TEST

START_TEST(media_type_with_nul_is_bad)
{
	ck_assert_int_eq(
	    pr_media_of(PR_STR("application/json\0")), PR_MEDIA_BAD);
	ck_assert_int_eq(
	    pr_media_of(PR_STR("application\0/json")), PR_MEDIA_BAD);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("target");
	TCase *tc = tcase_create("target");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, target_is_read, 0, PR_COUNT(targets));
	tcase_add_loop_test(tc, target_is_ambiguous, 0, PR_COUNT(ambiguous));
	tcase_add_loop_test(tc, version_is_too_old, 0, PR_COUNT(too_old));
	tcase_add_test(tc, nul_bytes_are_refused);
	tcase_add_test(tc, length_is_capped);
	tcase_add_loop_test(tc, byte_is_printable_ascii_or_refused, 0, 256);
	suite_add_tcase(s, tc);
	tc = tcase_create("query");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, query_is_read, 0, PR_COUNT(queries));
	tcase_add_loop_test(tc, query_is_ambiguous, 0, PR_COUNT(bad_queries));
	tcase_add_test(tc, number_of_parameters_is_capped);
	suite_add_tcase(s, tc);
	tc = tcase_create("media");
	tcase_add_loop_test(tc, media_type_is_classed, 0, PR_COUNT(types));
	tcase_add_test(tc, media_type_with_nul_is_bad);
	suite_add_tcase(s, tc);
	return unit_run(s);
}
