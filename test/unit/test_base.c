/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/stat.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <portreeve/arena.h>
#include <portreeve/buf.h>
#include <portreeve/clock.h>
#include <portreeve/diag.h>
#include <portreeve/digest.h>
#include <portreeve/str.h>

#include "unit.h"

static const struct {
	const char *pattern, *s;
	char sep;
	bool want;
} globs[] = {
    {"/srv/a/**", "/srv/a", '/', true},
    {"/srv/a/**", "/srv/a/", '/', true},
    {"/srv/a/**", "/srv/a/b/c", '/', true},
    {"/srv/a/**", "/srv/ab", '/', false},
    {"/srv/*", "/srv/a", '/', true},
    {"/srv/*", "/srv/a/b", '/', false},
    {"/srv/*/x", "/srv/a/x", '/', true},
    {"**/x", "a/b/x", '/', true},
    {"a/**/x", "a/b/c/x", '/', true},
    {"a/**/x", "a/b/c/y", '/', false},
    {"**", "", '/', true},
    {"*", "", '/', true},
    {"", "", '/', true},
    {"", "a", '/', false},
    {"*a*b*c", "xxaxxbxxc", '/', true},
    {"*a*b*c", "xxaxxbxx", '/', false},
    {"**a*b", "x/a/y/ab", '/', true},
    {"*", "a/b", '\0', true},
    {"*TOKEN*", "MY_TOKEN_2", '\0', true},
    {"a?c", "abc", '/', false},
    {"spiffe://acme.com/ci/*", "spiffe://acme.com/ci/a", '/', true},
    {"spiffe://acme.com/ci/*", "spiffe://acme.com/ci/a/b", '/', false},
};

START_TEST(glob_matches)
{
	ck_assert_int_eq(pr_glob(pr_str_of(globs[_i].pattern),
			     pr_str_of(globs[_i].s), globs[_i].sep),
	    globs[_i].want);
}
END_TEST

START_TEST(glob_ignores_case_when_asked)
{
	ck_assert(pr_glob_nocase(PR_STR("*token*"), PR_STR("A_TOKEN"), 0));
	ck_assert(!pr_glob(PR_STR("*token*"), PR_STR("A_TOKEN"), 0));
}
END_TEST

START_TEST(suggestions_are_near)
{
	static const char *const verbs[] = {"start", "stop", "stats"};

	ck_assert_str_eq(pr_suggest(PR_STR("strat"), verbs, 3), "start");
	ck_assert_ptr_null(pr_suggest(PR_STR("whatever"), verbs, 3));
	ck_assert_ptr_null(pr_suggest(PR_STR(""), verbs, 3));
}
END_TEST

static const struct {
	const char *s;
	size_t n;
	bool want;
} utf8[] = {
    {"abc", 3, true},
    {"\xc3\xa9", 2, true},
    {"\xc0\x80", 2, false},
    {"\xed\xa0\x80", 3, false},
    {"\xe0\x9f\xbf", 3, false},
    {"\xf0\x9f\x98\x80", 4, true},
    {"\xf4\x90\x80\x80", 4, false},
    {"\xe2\x80", 2, false},
    {"\xff", 1, false},
};

START_TEST(utf8_is_well_formed)
{
	ck_assert_int_eq(pr_str_utf8((struct pr_str){utf8[_i].s, utf8[_i].n}),
	    utf8[_i].want);
}
END_TEST

START_TEST(json_strings_are_one_line)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf b = PR_BUF_INIT;

	pr_buf_json(
	    &b, PR_STR("a\"\\\n\x1b\x7f\xc3\xa9\xff\xc2\x85\xe2\x80\xa8"));
	ck_assert_str_eq(
	    b.p, "\"a\\\"\\\\\\n\\u001b\\u007f\xc3\xa9\\u00ff\\u0085\\u2028\"");
}
END_TEST

static const struct {
	const char *in, *out;
	int n;
} base64[] = {
    {"", "", 0},
    {"QQ==", "A", 1},
    {"QUI=", "AB", 2},
    {"QUJD", "ABC", 3},
    {"QUJD\n", NULL, -1},
    {"QR==", NULL, -1},
    {"Q===", NULL, -1},
    {"QQ", NULL, -1},
    {"Q=QQ", NULL, -1},
    {"QQ==QQ==", NULL, -1},
    {"QU_D", NULL, -1},
};

START_TEST(base64_is_strict)
{
	char out[16];
	ptrdiff_t n = pr_base64_decode(pr_str_of(base64[_i].in), out);

	ck_assert_int_eq(n, base64[_i].n);
	if (n > 0)
		ck_assert_mem_eq(out, base64[_i].out, (size_t)n);
}
END_TEST

START_TEST(uuids_are_version_7_and_in_order)
{
	char a[PR_UUID_LEN], b[PR_UUID_LEN];

	pr_uuid7(pr_clock_wall(), a);
	pr_uuid7(pr_clock_wall(), b);
	ck_assert_int_eq(strlen(a), 36);
	ck_assert_int_eq(a[14], '7');
	ck_assert_int_lt(strcmp(a, b), 0);
}
END_TEST

START_TEST(sha256_of_abc)
{
	uint8_t d[PR_SHA256_LEN];
	char hex[PR_SHA256_HEX];

	pr_sha256("abc", 3, d);
	pr_hex(d, sizeof d, hex);
	ck_assert_str_eq(hex,
	    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}
END_TEST

static bool
hashes_alike(const char *a, size_t na, const char *b, size_t nb)
{
	struct pr_str x = {a, na}, y = {b, nb};
	uint8_t hx[PR_KEYED_HASH_LEN], hy[PR_KEYED_HASH_LEN];

	pr_keyed_hash(&x, 1, hx);
	pr_keyed_hash(&y, 1, hy);
	return memcmp(hx, hy, sizeof hx) == 0;
}

START_TEST(keyed_hashes_tell_texts_apart)
{
	enum {
		LEN = 300
	};
	char text[LEN + 1] = {0}, copy[LEN + 9];

	for (size_t i = 0; i < LEN; i++)
		text[i] = (char)(i * 7);
	for (size_t n = 0; n <= LEN; n++) {
		size_t shift = n % 8;

		/* a block of its own, so that a byte too many is seen */
		char *exact = pr_xmalloc(n);

		memcpy(exact, text, n);
		memcpy(copy + shift, text, n);
		ck_assert(hashes_alike(exact, n, copy + shift, n));
		ck_assert(!hashes_alike(text, n, text, n + 1));
		for (size_t at = 0; at < n; at += 5) {
			copy[shift + at] ^= (char)(1 << at % 8);
			ck_assert(!hashes_alike(text, n, copy + shift, n));
			copy[shift + at] ^= (char)(1 << at % 8);
		}
		free(exact);
	}
}
END_TEST

START_TEST(keyed_hashes_know_where_a_part_ends)
{
	struct pr_str a[] = {PR_STR("ab"), PR_STR("c"), PR_STR("")};
	struct pr_str b[] = {PR_STR("a"), PR_STR("bc"), PR_STR("")};
	struct pr_str c[] = {PR_STR("ab"), PR_STR(""), PR_STR("c")};
	uint8_t h[4][PR_KEYED_HASH_LEN];

	pr_keyed_hash(a, 3, h[0]);
	pr_keyed_hash(b, 3, h[1]);
	pr_keyed_hash(c, 3, h[2]);
	pr_keyed_hash(a, 2, h[3]);
	for (int i = 0; i < 4; i++)
		for (int k = 0; k < i; k++)
			ck_assert(memcmp(h[i], h[k], sizeof h[i]) != 0);
}
END_TEST

START_TEST(arena_hands_out_zeroed_memory)
{
	struct pr_arena *a = pr_arena_new(256);

	for (int i = 0; i < 1000; i++) {
		char *p = pr_arena_alloc(a, 100);

		for (int k = 0; k < 100; k++)
			ck_assert_int_eq(p[k], 0);
		memset(p, 0xff, 100);
		if (i % 100 == 0)
			pr_arena_reset(a, 512);
	}
	pr_arena_free(a);
}
END_TEST

START_TEST(clock_formats_utc)
{
	char text[28];

	pr_clock_format(INT64_C(1795318075000001000), text);
	ck_assert_str_eq(text, "2026-11-22T03:27:55.000001Z");
}
END_TEST

START_TEST(clock_reads_what_dockerd_writes)
{
	int64_t t;

	ck_assert(pr_clock_parse(PR_STR("2026-11-22T03:27:55.000001Z"), &t));
	ck_assert_int_eq(t, INT64_C(1795318075000001000));
	ck_assert(pr_clock_parse(PR_STR("2026-11-22T04:27:55+01:00"), &t));
	ck_assert_int_eq(t, INT64_C(1795318075000000000));
	ck_assert(!pr_clock_parse(PR_STR("2026-11-22T04:27:55"), &t));
	ck_assert(!pr_clock_parse(PR_STR("2026-11-22 04:27:55Z"), &t));
	ck_assert(!pr_clock_parse(PR_STR(""), &t));
	ck_assert(!pr_clock_parse(PR_STR("2026-11-22T04:27:55+0100"), &t));
}
END_TEST

START_TEST(diagnostics_show_the_place)
{
	struct pr_diags *ds = pr_diags_new();
	PR_CLEANUP(pr_buf_fini) struct pr_buf b = PR_BUF_INIT;

	pr_diags_add(ds, PR_ERROR, (struct pr_loc){"p.yaml", 2, 4, 5},
	    "did you mean \"start\"?", "unknown action \"%s\"", "strat");
	pr_diags_source(ds, "p.yaml", "one\ntwostrat\n");
	pr_diags_format(ds, &b);
	ck_assert_str_eq(b.p,
	    "p.yaml:2:4: error: unknown action \"strat\"\n"
	    "    twostrat\n       ^~~~~\n"
	    "hint: did you mean \"start\"?\n");
	ck_assert_uint_eq(pr_diags_count(ds, PR_ERROR), 1);
	pr_diags_free(ds);
}
END_TEST

/* What a stream says that is the journal's, or that only inherited its name. */
static void
print_to_stream(bool journal, char *out, size_t size)
{
	struct pr_diags *ds = pr_diags_new();
	FILE *f = tmpfile();
	char stream[64];
	struct stat st;
	size_t n;

	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(fstat(fileno(f), &st), 0);
	snprintf(stream, sizeof stream, "%ju:%ju", (uintmax_t)st.st_dev,
	    (uintmax_t)st.st_ino + (journal ? 0 : 1));
	setenv("JOURNAL_STREAM", stream, 1);
	pr_diags_add(ds, PR_WARNING, (struct pr_loc){"p.yaml", 2, 4, 5},
	    "did you mean \"start\"?", "unknown action \"%s\"", "strat");
	pr_diags_source(ds, "p.yaml", "one\ntwostrat\n");
	pr_diags_print(ds, f);
	unsetenv("JOURNAL_STREAM");
	rewind(f);
	n = fread(out, 1, size - 1, f);
	out[n] = '\0';
	fclose(f);
	pr_diags_free(ds);
}

START_TEST(diagnostics_are_a_line_each_in_the_journal)
{
	char said[512];

	print_to_stream(true, said, sizeof said);
	ck_assert_str_eq(said,
	    "<4>p.yaml:2:4: warning: unknown action \"strat\" "
	    "(did you mean \"start\"?)\n");
	print_to_stream(false, said, sizeof said);
	ck_assert_ptr_nonnull(strstr(said, "\n       ^~~~~\n"));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("base");
	TCase *tc = tcase_create("base");

	tcase_add_loop_test(tc, glob_matches, 0, (int)PR_COUNT(globs));
	tcase_add_test(tc, glob_ignores_case_when_asked);
	tcase_add_test(tc, suggestions_are_near);
	tcase_add_loop_test(tc, utf8_is_well_formed, 0, (int)PR_COUNT(utf8));
	tcase_add_test(tc, json_strings_are_one_line);
	tcase_add_loop_test(tc, base64_is_strict, 0, (int)PR_COUNT(base64));
	tcase_add_test(tc, uuids_are_version_7_and_in_order);
	tcase_add_test(tc, sha256_of_abc);
	tcase_add_test(tc, keyed_hashes_tell_texts_apart);
	tcase_add_test(tc, keyed_hashes_know_where_a_part_ends);
	tcase_add_test(tc, arena_hands_out_zeroed_memory);
	tcase_add_test(tc, clock_formats_utc);
	tcase_add_test(tc, clock_reads_what_dockerd_writes);
	tcase_add_test(tc, diagnostics_show_the_place);
	tcase_add_test(tc, diagnostics_are_a_line_each_in_the_journal);
	suite_add_tcase(s, tc);
	return unit_run(s);
}
