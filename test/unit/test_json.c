/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include <portreeve/arena.h>
#include <portreeve/buf.h>
#include <portreeve/caps.h>
#include <portreeve/json.h>
#include <portreeve/jsonout.h>
#include <portreeve/version.h>

#include "unit.h"

static struct pr_arena *arena;

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

static const struct pr_json *
read_ok(struct pr_str text)
{
	struct pr_json_fault fault;
	const struct pr_json *v = pr_json_read(arena, text, &fault);

	ck_assert_msg(
	    v != NULL, "%u: %s in %.*s", fault.at, fault.text, PR_STRF(text));
	ck_assert_int_eq(fault.error, PR_JSON_OK);
	return v;
}

/* Texts with NUL inside are given as literals. */
#define ROW(s)                   \
	{                        \
		s, sizeof(s) - 1 \
	}

static const struct {
	struct pr_str text;
	enum pr_json_error error;
	uint32_t at;
} refused[] = {
    {ROW(""), PR_JSON_SYNTAX, 0},
    {ROW("  "), PR_JSON_SYNTAX, 2},
    {ROW("{"), PR_JSON_SYNTAX, 1},
    {ROW("["), PR_JSON_SYNTAX, 1},
    {ROW("[1"), PR_JSON_SYNTAX, 2},
    {ROW("[1,"), PR_JSON_SYNTAX, 3},
    {ROW("{\"a"), PR_JSON_SYNTAX, 3},
    {ROW("{\"a\""), PR_JSON_SYNTAX, 4},
    {ROW("{\"a\":"), PR_JSON_SYNTAX, 5},
    {ROW("{\"a\":1"), PR_JSON_SYNTAX, 6},
    {ROW("{\"a\":1,"), PR_JSON_SYNTAX, 7},
    {ROW("{\"a\":1,}"), PR_JSON_SYNTAX, 7},
    {ROW("{,}"), PR_JSON_SYNTAX, 1},
    {ROW("{a:1}"), PR_JSON_SYNTAX, 1},
    {ROW("{'a':1}"), PR_JSON_SYNTAX, 1},
    {ROW("{1:1}"), PR_JSON_SYNTAX, 1},
    {ROW("{\"a\" 1}"), PR_JSON_SYNTAX, 5},
    {ROW("{\"a\":1 \"b\":2}"), PR_JSON_SYNTAX, 7},
    {ROW("{\"a\":1]"), PR_JSON_SYNTAX, 6},
    {ROW("[1}"), PR_JSON_SYNTAX, 2},
    {ROW("[1,]"), PR_JSON_SYNTAX, 3},
    {ROW("[,1]"), PR_JSON_SYNTAX, 1},
    {ROW("[1 2]"), PR_JSON_SYNTAX, 3},
    {ROW("]"), PR_JSON_SYNTAX, 0},
    {ROW("tru"), PR_JSON_SYNTAX, 0},
    {ROW("True"), PR_JSON_SYNTAX, 0},
    {ROW("nul"), PR_JSON_SYNTAX, 0},
    {ROW("falsy"), PR_JSON_SYNTAX, 0},
    {ROW("NaN"), PR_JSON_SYNTAX, 0},
    {ROW("[Infinity]"), PR_JSON_SYNTAX, 1},
    {ROW("-Infinity"), PR_JSON_SYNTAX, 1},
    {ROW("01"), PR_JSON_SYNTAX, 1},
    {ROW("-01"), PR_JSON_SYNTAX, 2},
    {ROW("00"), PR_JSON_SYNTAX, 1},
    {ROW("+1"), PR_JSON_SYNTAX, 0},
    {ROW("-"), PR_JSON_SYNTAX, 1},
    {ROW("."), PR_JSON_SYNTAX, 0},
    {ROW(".5"), PR_JSON_SYNTAX, 0},
    {ROW("1."), PR_JSON_SYNTAX, 2},
    {ROW("1.e5"), PR_JSON_SYNTAX, 2},
    {ROW("1e"), PR_JSON_SYNTAX, 2},
    {ROW("1e+"), PR_JSON_SYNTAX, 3},
    {ROW("0x10"), PR_JSON_TRAILING, 1},
    {ROW("1_000"), PR_JSON_TRAILING, 1},
    {ROW("\"a"), PR_JSON_SYNTAX, 2},
    {ROW("\"a\\"), PR_JSON_SYNTAX, 2},
    {ROW("\"\\x41\""), PR_JSON_SYNTAX, 1},
    {ROW("\"\\'\""), PR_JSON_SYNTAX, 1},
    {ROW("\"\\\0\""), PR_JSON_SYNTAX, 1},
    {ROW("\"\\U0041\""), PR_JSON_SYNTAX, 1},
    {ROW("\"\\u004\""), PR_JSON_SYNTAX, 1},
    {ROW("\"\\u004g\""), PR_JSON_SYNTAX, 1},
    {ROW("\"\\u 041\""), PR_JSON_SYNTAX, 1},
    {ROW("\"a\nb\""), PR_JSON_SYNTAX, 2},
    {ROW("\"a\tb\""), PR_JSON_SYNTAX, 2},
    {ROW("\"a\0b\""), PR_JSON_SYNTAX, 2},
    {ROW("\"0123456789abcdefghi\x1fjklmnopqrstuv\""), PR_JSON_SYNTAX, 20},
    {ROW("[\"\xff\"]"), PR_JSON_ENCODING, 2},
    {ROW("[\"\xc0\x80\"]"), PR_JSON_ENCODING, 2},
    {ROW("[\"a\xe0\x80\x80\"]"), PR_JSON_ENCODING, 3},
    {ROW("[\"\xed\xa0\x80\"]"), PR_JSON_ENCODING, 2},
    {ROW("[\"\xf4\x90\x80\x80\"]"), PR_JSON_ENCODING, 2},
    {ROW("[\"\xc3\"]"), PR_JSON_ENCODING, 2},
    {ROW("[\"\xc3"), PR_JSON_ENCODING, 2},
    {ROW("{\"\xc3\":1}"), PR_JSON_ENCODING, 2},
    {ROW("\"\\ud800\""), PR_JSON_ENCODING, 1},
    {ROW("\"\\udc00\""), PR_JSON_ENCODING, 1},
    {ROW("\"\\udc00\\ud800\""), PR_JSON_ENCODING, 1},
    {ROW("\"\\ud800\\ud800\\udc00\""), PR_JSON_ENCODING, 1},
    {ROW("\"\\ud800x\""), PR_JSON_ENCODING, 1},
    {ROW("\"\\ud800\\u0041\""), PR_JSON_ENCODING, 1},
    {ROW("{\"\\ud800\":1}"), PR_JSON_ENCODING, 2},
    {ROW("\xef\xbb\xbf{}"), PR_JSON_ENCODING, 0},
    {ROW(" \xef\xbb\xbf{}"), PR_JSON_SYNTAX, 1},
    {ROW("\xff\xfe{\0}\0"), PR_JSON_SYNTAX, 0},
    {ROW("\xc2\xa0{}"), PR_JSON_SYNTAX, 0},
    {ROW("\f{}"), PR_JSON_SYNTAX, 0},
    {ROW("// a\n{}"), PR_JSON_SYNTAX, 0},
    {ROW("{}/**/"), PR_JSON_TRAILING, 2},
    {ROW("{} {}"), PR_JSON_TRAILING, 3},
    {ROW("{}}"), PR_JSON_TRAILING, 2},
    {ROW("{}]"), PR_JSON_TRAILING, 2},
    {ROW("{}\0"), PR_JSON_TRAILING, 2},
    {ROW("{}\n,"), PR_JSON_TRAILING, 3},
    {ROW("1 2"), PR_JSON_TRAILING, 2},
    {ROW("{\"a\":1,\"a\":1}"), PR_JSON_DUPLICATE, 7},
    {ROW("{\"a\":1,\"\\u0061\":1}"), PR_JSON_DUPLICATE, 7},
    {ROW("{\"\":1,\"\":1}"), PR_JSON_DUPLICATE, 6},
    {ROW("{\"a\":1,\"A\":2,\"b\":3,\"a\":4}"), PR_JSON_DUPLICATE, 19},
    {ROW("[{\"x\":{\"\xc3\xa9\":1,\"\\u00e9\":2}}]"), PR_JSON_DUPLICATE, 14},
};

START_TEST(refuses)
{
	struct pr_json_fault fault;
	const struct pr_json *v = pr_json_read(arena, refused[_i].text, &fault);

	ck_assert_msg(v == NULL, "took %.*s", PR_STRF(refused[_i].text));
	ck_assert_msg(
	    fault.error == refused[_i].error && fault.at == refused[_i].at,
	    "%.*s: %d at %u (%s)", PR_STRF(refused[_i].text), fault.error,
	    fault.at, fault.text);
	ck_assert_uint_gt(strlen(fault.text), 0);
}
END_TEST

static const struct {
	const char *text;
	bool whole;
	int64_t i;
} numbers[] = {
    {"0", true, 0},
    {"-0", true, 0},
    {"7", true, 7},
    {"-12", true, -12},
    {"9223372036854775807", true, INT64_MAX},
    {"-9223372036854775808", true, INT64_MIN},
    {"9223372036854775808", false, 0},
    {"-9223372036854775809", false, 0},
    {"18446744073709551616", false, 0},
    {"100000000000000000000000", false, 0},
    {"1.0", false, 0},
    {"0.5", false, 0},
    {"1e7", false, 0},
    {"1E0", false, 0},
    {"-1.5e-10", false, 0},
    {"0e+1", false, 0},
};

START_TEST(numbers_are_int64_or_not)
{
	char text[64];
	const struct pr_json *v;
	size_t n = strlen(numbers[_i].text);

	snprintf(text, sizeof text, " [%s ]", numbers[_i].text);
	v = read_ok(pr_str_of(text))->items;
	ck_assert_int_eq(v->type, PR_JSON_NUMBER);
	ck_assert_int_eq(v->flags, numbers[_i].whole ? PR_JSON_INT : 0);
	ck_assert_int_eq(v->i, numbers[_i].i);
	ck_assert_uint_eq(v->begin, 2);
	ck_assert_uint_eq(v->end, 2 + n);
}
END_TEST

static const struct {
	struct pr_str text, want;
	uint8_t flags;
} strings[] = {
    {ROW("\"\""), ROW(""), 0},
    {ROW("\"abc\""), ROW("abc"), 0},
    {ROW("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""), ROW("\"\\/\b\f\n\r\t"), 0},
    {ROW("\"\\u0041\\u00e9\\u20AC\""), ROW("A\xc3\xa9\xe2\x82\xac"), 0},
    {ROW("\"x\\ud83d\\ude00y\""), ROW("x\xf0\x9f\x98\x80y"), 0},
    {ROW("\"\\udbff\\udfff\""), ROW("\xf4\x8f\xbf\xbf"), 0},
    {ROW("\"\\u0000\""), ROW("\0"), PR_JSON_HAS_NUL},
    {ROW("\"a\\u0000b\\u0000\""), ROW("a\0b\0"), PR_JSON_HAS_NUL},
    {ROW("\"\x7f\xc3\xa9\xf0\x9f\x98\x80\""),
	ROW("\x7f\xc3\xa9\xf0\x9f\x98\x80"), 0},
    {ROW("\"\\ufeff\\uffff\""), ROW("\xef\xbb\xbf\xef\xbf\xbf"), 0},
    {ROW("\"0123456789abcdef0123456789abcdef\\n0123456789abcdef!\""),
	ROW("0123456789abcdef0123456789abcdef\n0123456789abcdef!"), 0},
};

START_TEST(strings_are_decoded)
{
	const struct pr_json *v = read_ok(strings[_i].text);

	ck_assert_int_eq(v->type, PR_JSON_STRING);
	ck_assert_int_eq(v->flags, strings[_i].flags);
	ck_assert(pr_str_eq(v->str, strings[_i].want));
	ck_assert_uint_eq(v->begin, 0);
	ck_assert_uint_eq(v->end, strings[_i].text.n);
}
END_TEST

START_TEST(strings_without_escapes_are_borrowed)
{
	static const char text[] = "[\"plain\",\"es\\u0063aped\"]";
	const struct pr_json *v = read_ok(PR_STR(text));

	ck_assert_ptr_eq(v->items[0].str.p, text + 2);
	ck_assert(
	    v->items[1].str.p < text || v->items[1].str.p > text + sizeof text);
	ck_assert(pr_str_is(v->items[1].str, "escaped"));
}
END_TEST

/* What is to be said of byte c at `at` in a string of a's; n: where it ends. */
static struct pr_json_fault
expected(unsigned c, uint32_t at, uint32_t n)
{
	if (c == '\\') /* \a is none, \" leaves no end */
		return (struct pr_json_fault){
		    PR_JSON_SYNTAX, at + 2 == n ? n : at, ""};
	if (c == '"')
		return (struct pr_json_fault){PR_JSON_TRAILING, at + 1, ""};
	if (c < 0x20)
		return (struct pr_json_fault){PR_JSON_SYNTAX, at, ""};
	if (c >= 0x80)
		return (struct pr_json_fault){PR_JSON_ENCODING, at, ""};
	return (struct pr_json_fault){PR_JSON_OK, 0, ""};
}

/* Every byte, at every place of a string longer than some vectors. */
START_TEST(every_byte_is_found_everywhere)
{
	char text[70];
	const uint32_t n = sizeof text;

	for (uint32_t at = 1; at + 1 < n; at++) {
		for (unsigned c = 0; c < 256; c++) {
			struct pr_json_fault fault;
			struct pr_json_fault want = expected(c, at, n);
			const struct pr_json *v;

			memset(text, 'a', n);
			text[0] = text[n - 1] = '"';
			text[at] = (char)c;
			v = pr_json_read(
			    arena, (struct pr_str){text, n}, &fault);
			if (fault.error != want.error || fault.at != want.at ||
			    (v != NULL) != (want.error == PR_JSON_OK) ||
			    (v != NULL && v->str.n != n - 2))
				ck_abort_msg("%02x at %u: %d at %u", c, at,
				    fault.error, fault.at);
			pr_arena_reset(arena, 4096);
		}
	}
}
END_TEST

static const struct {
	struct pr_str text;
	uint8_t flags;
} objects[] = {
    {ROW("{}"), 0},
    {ROW("{\"a\":1}"), 0},
    {ROW("{\"a\":1,\"b\":1}"), 0},
    {ROW("{\"a\":1,\"A\":1}"), PR_JSON_TWINS},
    {ROW("{\"HostConfig\":1,\"x\":2,\"hostconfig\":1}"), PR_JSON_TWINS},
    {ROW("{\"HostConfig\":1,\"\\u0048ostConfi\\u0047\":1}"), PR_JSON_TWINS},
    {ROW("{\"s\":1,\"\xc5\xbf\":1}"), PR_JSON_TWINS | PR_JSON_ODD_KEY},
    {ROW("{\"K\":1,\"\\u212a\":1}"), PR_JSON_TWINS | PR_JSON_ODD_KEY},
    {ROW("{\"Ho\xc5\xbftConfig\":1}"), PR_JSON_ODD_KEY},
    {ROW("{\"Networ\\u212aMode\":1}"), PR_JSON_ODD_KEY},
    {ROW("{\"\xc5\xbf\xc3\xa9\":1}"), 0},
    {ROW("{\"\xc5\xbf\xc3\xa9\":1,\"S\xc3\x89\":2}"), PR_JSON_TWINS},
    {ROW("{\"\xc3\xa9\":1,\"\xc3\x89\":2}"), PR_JSON_TWINS},
    {ROW("{\"\xc3\xa9\":1,\"\xc3\xa8\":2}"), 0},
    {ROW("{\"\xce\xbc\":1,\"\xc2\xb5\":2}"), PR_JSON_TWINS},
    {ROW("{\"\xcf\x83\":1,\"\xcf\x82\":2}"), PR_JSON_TWINS},
    {ROW("{\"\xc3\x9f\":1,\"ss\":2}"), 0},
    {ROW("{\"\xc4\xb0\":1,\"i\":2}"), 0},
    {ROW("{\"\xc4\xb1\":1,\"i\":2}"), 0},
    {ROW("{\"a\\u0000\":1}"), PR_JSON_ODD_KEY},
    {ROW("{\"a\\u0000b\":1,\"a\\u0000c\":2}"), PR_JSON_ODD_KEY},
    {ROW("{\"@\":1,\"`\":2,\"[\":3,\"{\":4,\"_\":5,\"\x7f\":6}"), 0},
    {ROW("{\"a\":1,\"b\":2,\"c\":3,\"d\":4,\"e\":5,\"f\":6,\"g\":7,\"h\":8,"
	 "\"i\":9,\"C\":10}"),
	PR_JSON_TWINS},
    {ROW("{\"a\":1,\"b\":2,\"c\":3,\"d\":4,\"e\":5,\"f\":6,\"g\":7,\"h\":8,"
	 "\"s\":9,\"\xc5\xbf\":10}"),
	PR_JSON_TWINS | PR_JSON_ODD_KEY},
    {ROW("{\"a\":{\"b\":1,\"B\":2},\"c\":3}"), 0},
    {ROW("{\"ABCDEFGHIJKLMNOPQRSTUVWXYZ\":1,"
	 "\"abcdefghijklmnopqrstuvwxyz\":2}"),
	PR_JSON_TWINS},
    {ROW("{\"@[`{\\u007f\\u0040Z\":1,\"@[`{\\u007f\\u0040z\":2}"),
	PR_JSON_TWINS},
};

START_TEST(odd_keys_are_marked)
{
	ck_assert_int_eq(read_ok(objects[_i].text)->flags, objects[_i].flags);
}
END_TEST

static const struct {
	const char *a, *b;
	bool want;
} foldings[] = {
    {"", "", true},
    {"a", "", false},
    {"HostConfig", "hOSTcONFIG", true},
    {"HostConfig", "HostConfi", false},
    {"NetworkMode", "networ\xe2\x84\xaamode", true},
    {"HostConfig", "ho\xc5\xbftconfig", true},
    {"s", "\xc5\xbf", true},
    {"k", "\xe2\x84\xaa", true},
    {"k", "\xc5\xbf", false},
    {"@", "`", false},
    {"[", "{", false},
    {"\xc3\x85", "\xe2\x84\xab", true}, /* ring, Angstrom */
    {"\xc3\xa5", "\xe2\x84\xab", true},
    {"\xf0\x90\x90\x80", "\xf0\x90\x90\xa8", true}, /* Deseret */
    {"\xc3\x9f", "\xe1\xba\x9e", true},             /* sharp s */
    {"\xc3", "\xc3", true},
    {"\xc3", "\xe3", false},
};

START_TEST(folding_is_the_one_of_go)
{
	struct pr_str a = pr_str_of(foldings[_i].a);
	struct pr_str b = pr_str_of(foldings[_i].b);

	ck_assert(pr_json_fold_eq(a, b) == foldings[_i].want);
	ck_assert(pr_json_fold_eq(b, a) == foldings[_i].want);
}
END_TEST

START_TEST(fields_are_found)
{
	const struct pr_json *v = read_ok(
	    PR_STR("{\"Image\":\"x\",\"hostconfig\":{},\"\\u212aind\":true,"
		   "\"\":null}"));

	ck_assert_int_eq(pr_json_field(v, "Image")->type, PR_JSON_STRING);
	ck_assert_int_eq(pr_json_field(v, "HostConfig")->type, PR_JSON_OBJECT);
	ck_assert_int_eq(pr_json_field(v, "Kind")->type, PR_JSON_TRUE);
	ck_assert_int_eq(pr_json_field(v, "")->type, PR_JSON_NULL);
	ck_assert_ptr_null(pr_json_field(v, "Imag"));
	ck_assert_ptr_null(pr_json_field(v, "Images"));
	ck_assert_ptr_null(pr_json_field(&v->members[0].value, "Image"));
	ck_assert_ptr_null(pr_json_field(NULL, "Image"));
	ck_assert_ptr_nonnull(pr_json_get(v, PR_STR("hostconfig")));
	ck_assert_ptr_null(pr_json_get(v, PR_STR("HostConfig")));
	ck_assert_ptr_null(pr_json_get(NULL, PR_STR("HostConfig")));
	ck_assert_str_eq(
	    pr_json_type_name(pr_json_field(v, "kind")), "boolean");
	ck_assert_str_eq(pr_json_type_name(NULL), "nothing");
}
END_TEST

START_TEST(places_are_kept)
{
	static const char text[] = " { \"a\" : [ 1 , {\"b\":null} ] } \n";
	const struct pr_json *v = read_ok(PR_STR(text)), *list;

	ck_assert_uint_eq(v->begin, 1);
	ck_assert_uint_eq(v->end, strlen(text) - 2);
	ck_assert_uint_eq(v->n, 1);
	ck_assert_uint_eq(v->members[0].at, 3);
	list = &v->members[0].value;
	ck_assert_int_eq(list->type, PR_JSON_ARRAY);
	ck_assert_uint_eq(list->n, 2);
	ck_assert_mem_eq(text + list->begin, "[ 1 , {\"b\":null} ]",
	    list->end - list->begin);
	ck_assert_uint_eq(list->items[1].members[0].at, 16);
}
END_TEST

static void
nested(struct pr_buf *b, size_t depth, bool objects_too)
{
	pr_buf_reset(b);
	for (size_t i = 0; i < depth; i++)
		pr_buf_cstr(b, objects_too && i % 2 ? "{\"a\":" : "[");
	pr_buf_cstr(b, "0");
	for (size_t i = depth; i-- > 0;)
		pr_buf_cstr(b, objects_too && i % 2 ? "}" : "]");
}

START_TEST(depth_is_bounded)
{
	struct pr_buf b PR_CLEANUP(pr_buf_fini) = PR_BUF_INIT;
	struct pr_json_fault fault;

	nested(&b, PR_CAP_JSON_DEPTH, _i);
	read_ok(pr_buf_view(&b));
	nested(&b, PR_CAP_JSON_DEPTH + 1, _i);
	ck_assert_ptr_null(pr_json_read(arena, pr_buf_view(&b), &fault));
	ck_assert_int_eq(fault.error, PR_JSON_DEPTH);
	ck_assert_uint_eq(
	    fault.at, _i ? PR_CAP_JSON_DEPTH / 2 * 6 : PR_CAP_JSON_DEPTH);
	nested(&b, 100000, _i);
	ck_assert_ptr_null(pr_json_read(arena, pr_buf_view(&b), &fault));
	ck_assert_int_eq(fault.error, PR_JSON_DEPTH);
}
END_TEST

START_TEST(values_are_counted)
{
	struct pr_buf b PR_CLEANUP(pr_buf_fini) = PR_BUF_INIT;
	struct pr_json_fault fault;

	/* the array is one value, too */
	pr_buf_char(&b, '[');
	for (size_t i = 2; i < PR_CAP_JSON_NODES; i++)
		pr_buf_cstr(&b, "0,");
	pr_buf_cstr(&b, "0]");
	ck_assert_uint_eq(read_ok(pr_buf_view(&b))->n, PR_CAP_JSON_NODES - 1);
	b.p[b.n - 1] = ',';
	pr_buf_cstr(&b, "0]");
	ck_assert_ptr_null(pr_json_read(arena, pr_buf_view(&b), &fault));
	ck_assert_int_eq(fault.error, PR_JSON_SIZE);
	ck_assert_uint_eq(fault.at, b.n - 2);
}
END_TEST

/* An object of n members, key i printed by `format`. */
static void
many_keys(struct pr_buf *b, size_t n, const char *prefix)
{
	pr_buf_reset(b);
	pr_buf_char(b, '{');
	for (size_t i = 0; i < n; i++)
		pr_buf_printf(b, "%s\"%s%zu\":0", i > 0 ? "," : "", prefix, i);
	pr_buf_char(b, '}');
}

START_TEST(keys_are_counted)
{
	struct pr_buf b PR_CLEANUP(pr_buf_fini) = PR_BUF_INIT;
	struct pr_json_fault fault;
	const struct pr_json *v;

	many_keys(&b, PR_CAP_JSON_KEYS, "k\xc3\xa9");
	v = read_ok(pr_buf_view(&b));
	ck_assert_uint_eq(v->n, PR_CAP_JSON_KEYS);
	ck_assert_int_eq(v->flags, 0);
	many_keys(&b, PR_CAP_JSON_KEYS + 1, "k");
	ck_assert_ptr_null(pr_json_read(arena, pr_buf_view(&b), &fault));
	ck_assert_int_eq(fault.error, PR_JSON_SIZE);
}
END_TEST

START_TEST(the_last_of_many_keys_is_judged)
{
	static const struct {
		const char *last;
		enum pr_json_error error;
		uint8_t flags;
	} rows[] = {
	    {",\"key17\":1}", PR_JSON_DUPLICATE, 0},
	    {",\"KEY17\":1}", PR_JSON_OK, PR_JSON_TWINS},
	    {",\"KEY17\":1,\"Key9999\":1,\"key18\":1}", PR_JSON_DUPLICATE, 0},
	    {",\"\xe2\x84\xaa"
	     "ey17\":1}",
		PR_JSON_OK, PR_JSON_TWINS | PR_JSON_ODD_KEY},
	    {",\"key17x\":1}", PR_JSON_OK, 0},
	};
	struct pr_buf b PR_CLEANUP(pr_buf_fini) = PR_BUF_INIT;

	for (size_t i = 0; i < PR_COUNT(rows); i++) {
		struct pr_json_fault fault;
		const struct pr_json *v;

		many_keys(&b, 10000, "key");
		b.n--;
		pr_buf_cstr(&b, rows[i].last);
		v = pr_json_read(arena, pr_buf_view(&b), &fault);
		ck_assert_int_eq(fault.error, rows[i].error);
		if (v != NULL)
			ck_assert_int_eq(v->flags, rows[i].flags);
	}
}
END_TEST

/*
 * Few keys and many are judged in different ways; these are alike in the
 * bytes that the quick way looks at.
 */
START_TEST(alike_keys_are_told_apart)
{
	static const size_t counts[] = {2, 3, 7, 8, 9, 33, 127, 128, 129, 200};
	struct pr_buf b PR_CLEANUP(pr_buf_fini) = PR_BUF_INIT;
	struct pr_json_fault fault;
	const struct pr_json *v;

	for (size_t c = 0; c < PR_COUNT(counts); c++) {
		size_t n = counts[c];

		for (size_t twin = 0; twin < n; twin += 1 + n / 7) {
			pr_buf_reset(&b);
			pr_buf_char(&b, '{');
			for (size_t i = 0; i < n; i++)
				pr_buf_printf(
				    &b, "\"HostConf%03zuSettings\":0,", i);
			b.n--;
			pr_buf_char(&b, '}');
			v = read_ok(pr_buf_view(&b));
			ck_assert_int_eq(v->flags, 0);
			b.n--;
			pr_buf_printf(
			    &b, ",\"HostConf%03zusettings\":1}", twin);
			v = read_ok(pr_buf_view(&b));
			ck_assert_int_eq(v->flags, PR_JSON_TWINS);
			b.n--;
			pr_buf_printf(
			    &b, ",\"HostConf%03zuSettings\":1}", twin);
			ck_assert_ptr_null(
			    pr_json_read(arena, pr_buf_view(&b), &fault));
			ck_assert_int_eq(fault.error, PR_JSON_DUPLICATE);
		}
	}
	v = read_ok(PR_STR("{\"\":0,\"a\":0,\"ab\":0,\"abc\":0,\"abcd\":0}"));
	ck_assert_int_eq(v->flags, 0);
	v = read_ok(PR_STR("{\"ab\":0,\"a\":0,\"aB\":0}"));
	ck_assert_int_eq(v->flags, PR_JSON_TWINS);
	v = read_ok(PR_STR("{\"Kind\":0,\"\xe2\x84\xaaind\":0}"));
	ck_assert_int_eq(v->flags, PR_JSON_TWINS | PR_JSON_ODD_KEY);
}
END_TEST

/* Fourteen letters in all spellings: as many twins as there may be keys. */
START_TEST(all_keys_may_be_twins)
{
	struct pr_buf b PR_CLEANUP(pr_buf_fini) = PR_BUF_INIT;
	const struct pr_json *v;

	pr_buf_char(&b, '{');
	for (unsigned i = 0; i < PR_CAP_JSON_KEYS; i++) {
		pr_buf_cstr(&b, i > 0 ? ",\"" : "\"");
		for (unsigned k = 0; k < 14; k++)
			pr_buf_char(&b, i >> k & 1 ? 'S' : 's');
		pr_buf_cstr(&b, "\":0");
	}
	pr_buf_char(&b, '}');
	v = read_ok(pr_buf_view(&b));
	ck_assert_uint_eq(v->n, PR_CAP_JSON_KEYS);
	ck_assert_int_eq(v->flags, PR_JSON_TWINS);
}
END_TEST

/* The text in the middle of a page that ends where the text does. */
START_TEST(every_prefix_is_refused)
{
	static const char text[] =
	    "{\"a\":[true,false,null,-1.5e+3,\"\\ud83d\\ude00\\n\xc3\xa9\"],"
	    "\"b\":{\"c\":\"0123456789abcdefghijklmnopqrstuvwxyz\"}}";
	struct pr_json_fault fault;

	for (size_t n = 0; n < sizeof text - 1; n++) {
		char *copy = pr_xmalloc(n);

		memcpy(copy, text, n);
		ck_assert_ptr_null(
		    pr_json_read(arena, (struct pr_str){copy, n}, &fault));
		ck_assert_uint_le(fault.at, n);
		free(copy);
	}
	read_ok(PR_STR(text));
}
END_TEST

/* A document of the generator, valid, without equal keys. */
static void
generate(struct pr_buf *b, unsigned depth)
{
	static const char *const words[] = {"true", "false", "null", "{}", "[]",
	    "\"\"", "1.25", "-0", "1e3", "\"a\\u00e9\\n\\/\"",
	    "\"\xe2\x82\xac and \xf0\x9f\x98\x80\"",
	    "\"\\ud83d\\ude00 0123456789abcdefghij\""};
	long pick = random() % 8;
	long n = random() % 12;

	if (depth == 0 || pick > 4) {
		if (pick % 2)
			pr_buf_printf(b, "%ld", random() - random());
		else
			pr_buf_cstr(
			    b, words[(size_t)random() % PR_COUNT(words)]);
		return;
	}
	pr_buf_char(b, pick % 2 ? '[' : '{');
	for (long i = 0; i < n; i++) {
		pr_buf_cstr(b, i > 0 ? " ,\t" : "\n");
		if (pick % 2 == 0)
			pr_buf_printf(b, "\"%s%ld\":",
			    random() % 2 ? "key" : "\xc3\xa9\\u0041", i);
		generate(b, depth - 1);
	}
	pr_buf_char(b, pick % 2 ? ']' : '}');
}

static bool same(const struct pr_json *v, json_t *j);

static bool
same_children(const struct pr_json *v, json_t *j)
{
	bool array = v->type == PR_JSON_ARRAY;
	bool ok = v->n == (array ? json_array_size(j) : json_object_size(j));

	for (uint32_t i = 0; ok && i < v->n; i++) {
		if (array)
			ok = same(&v->items[i], json_array_get(j, i));
		else
			ok = same(&v->members[i].value,
			    json_object_get(
				j, pr_arena_strdup(arena, v->members[i].key)));
	}
	return ok;
}

/* A tree is what jansson makes of the same text. */
static bool
same(const struct pr_json *v, json_t *j)
{
	static const json_type types[] = {
	    [PR_JSON_NULL] = JSON_NULL,
	    [PR_JSON_FALSE] = JSON_FALSE,
	    [PR_JSON_TRUE] = JSON_TRUE,
	    [PR_JSON_STRING] = JSON_STRING,
	    [PR_JSON_ARRAY] = JSON_ARRAY,
	    [PR_JSON_OBJECT] = JSON_OBJECT,
	};

	if (j == NULL)
		return false;
	if (v->type == PR_JSON_NUMBER && (v->flags & PR_JSON_INT))
		return json_is_integer(j) && v->i == json_integer_value(j);
	if (v->type == PR_JSON_NUMBER)
		return json_is_real(j);
	if (types[v->type] != json_typeof(j))
		return false;
	if (v->type == PR_JSON_STRING)
		return pr_str_eq(v->str,
		    (struct pr_str){
			json_string_value(j), json_string_length(j)});
	return v->type < PR_JSON_ARRAY || same_children(v, j);
}

/* Other documents in every release, the same within it. */
static unsigned
release_seed(void)
{
	unsigned seed = 0, part = 0;

	for (const char *p = PR_VERSION; *p != '\0'; p++) {
		if (*p == '.') {
			seed = (seed + part) * 1000;
			part = 0;
		} else if (*p >= '0' && *p <= '9') {
			part = part * 10 + (unsigned)(*p - '0');
		}
	}
	return seed + part;
}

START_TEST(agrees_with_jansson)
{
	struct pr_buf b PR_CLEANUP(pr_buf_fini) = PR_BUF_INIT;
	const char *given = getenv("JSON_SEED");
	unsigned seed =
	    given != NULL ? (unsigned)strtoul(given, NULL, 10) : release_seed();

	printf("agrees_with_jansson: JSON_SEED=%u\n", seed);
	fflush(stdout);
	srandom(seed);
	for (int i = 0; i < 5000; i++) {
		const struct pr_json *v;
		struct pr_json_fault fault;
		json_t *j;

		pr_buf_reset(&b);
		generate(&b, 4);
		j = json_loadb(
		    b.p, b.n, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
		v = pr_json_read(arena, pr_buf_view(&b), &fault);
		if (v == NULL || !same(v, j))
			ck_abort_msg(
			    "JSON_SEED=%u, document %d: %s", seed, i, b.p);
		json_decref(j);
		pr_arena_reset(arena, 1 << 20);
	}
}
END_TEST

START_TEST(jansson_is_strict)
{
	static const char *const bad[] = {
	    "", "{", "{} {}", "{\"a\":1,\"a\":2}", "[1,]", "\xff"};
	struct pr_err *err PR_CLEANUP(pr_err_freep) = NULL;
	json_t *v PR_CLEANUP(pr_jansson_freep) = NULL;

	for (size_t i = 0; i < PR_COUNT(bad); i++) {
		ck_assert_ptr_null(pr_jansson_load(pr_str_of(bad[i]), &err));
		ck_assert_int_eq(err->code, PR_ERR_INVALID);
	}
	ck_assert_msg(strncmp(err->text, "1:", 2) == 0, "%s", pr_err_text(err));
	v = pr_jansson_load(PR_STR("[17]"), &err);
	ck_assert_int_eq(json_integer_value(json_array_get(v, 0)), 17);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("json");
	TCase *tc = tcase_create("read");

	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, refuses, 0, (int)PR_COUNT(refused));
	tcase_add_loop_test(
	    tc, numbers_are_int64_or_not, 0, (int)PR_COUNT(numbers));
	tcase_add_loop_test(tc, strings_are_decoded, 0, (int)PR_COUNT(strings));
	tcase_add_test(tc, strings_without_escapes_are_borrowed);
	tcase_add_test(tc, every_byte_is_found_everywhere);
	tcase_add_loop_test(tc, odd_keys_are_marked, 0, (int)PR_COUNT(objects));
	tcase_add_loop_test(
	    tc, folding_is_the_one_of_go, 0, (int)PR_COUNT(foldings));
	tcase_add_test(tc, fields_are_found);
	tcase_add_test(tc, places_are_kept);
	tcase_add_loop_test(tc, depth_is_bounded, 0, 2);
	tcase_add_test(tc, values_are_counted);
	tcase_add_test(tc, keys_are_counted);
	tcase_add_test(tc, the_last_of_many_keys_is_judged);
	tcase_add_test(tc, alike_keys_are_told_apart);
	tcase_add_test(tc, all_keys_may_be_twins);
	tcase_add_test(tc, every_prefix_is_refused);
	tcase_add_test(tc, agrees_with_jansson);
	tcase_add_test(tc, jansson_is_strict);
	suite_add_tcase(s, tc);
	return s;
}

int
main(void)
{
	return unit_run(suite());
}
