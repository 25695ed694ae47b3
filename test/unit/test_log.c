/* SPDX-License-Identifier: Apache-2.0 */
/* What the daemons say of themselves: one line each, and never a flood. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <portreeve/json.h>
#include <portreeve/log.h>

#include "unit.h"

#define LONG_AGO UINT64_C(1)      /* a window that is always over */
#define FOR_EVER (UINT64_MAX / 2) /* one that never is */

static char said[1 << 20];
static FILE *out;
static int kept;

static void
setup(void)
{
	out = tmpfile();
	ck_assert_ptr_nonnull(out);
	kept = dup(STDERR_FILENO);
	ck_assert_int_ge(dup2(fileno(out), STDERR_FILENO), 0);
	unsetenv("JOURNAL_STREAM");
	pr_log_set_level(PR_LOG_INFO);
	pr_log_set_json(false);
	pr_log_set_limit(20, FOR_EVER);
}

static void
teardown(void)
{
	dup2(kept, STDERR_FILENO);
	close(kept);
	fclose(out);
}

static const char *
heard(void)
{
	ssize_t n = pread(fileno(out), said, sizeof said - 1, 0);

	ck_assert_int_ge(n, 0);
	said[n] = '\0';
	return said;
}

static unsigned
lines(const char *word)
{
	unsigned n = 0;

	for (const char *at = heard(); (at = strstr(at, word)) != NULL; at++)
		n++;
	return n;
}

static void
one_place(unsigned i)
{
	pr_log(PR_LOG_INFO, "refused %u", i);
}

START_TEST(a_place_is_held_back)
{
	for (unsigned i = 0; i < 1000; i++)
		one_place(i);
	ck_assert_uint_eq(lines("refused"), 20);
	ck_assert_uint_eq(lines("more of this is counted"), 1);
	/* another one is not */
	pr_log(PR_LOG_INFO, "something else");
	ck_assert_uint_eq(lines("something else"), 1);
}
END_TEST

START_TEST(what_was_held_back_is_counted)
{
	for (unsigned i = 0; i < 1000; i++)
		one_place(i);
	pr_log_set_limit(20, LONG_AGO);
	usleep(1);
	one_place(1000);
	ck_assert_ptr_nonnull(strstr(heard(),
	    "980 more of what follows were not written\n"
	    "info: refused 1000\n"));
	usleep(1);
	one_place(1001);
	ck_assert_uint_eq(lines("were not written"), 1);
}
END_TEST

START_TEST(what_was_asked_for_is_not_held_back)
{
	for (unsigned i = 0; i < 100; i++)
		pr_log_always(PR_LOG_NOTICE, "reload %u", i);
	ck_assert_uint_eq(lines("notice: reload"), 100);
	pr_log_set_level(PR_LOG_DEBUG);
	for (unsigned i = 0; i < 100; i++)
		pr_log(PR_LOG_DEBUG, "step %u", i);
	ck_assert_uint_eq(lines("debug: step"), 100);
}
END_TEST

START_TEST(levels_are_words_and_thresholds)
{
	static const struct {
		const char *word;
		int level;
	} words[] = {{"error", PR_LOG_ERROR}, {"warning", PR_LOG_WARNING},
	    {"notice", PR_LOG_NOTICE}, {"info", PR_LOG_INFO},
	    {"debug", PR_LOG_DEBUG}, {"loud", -1}, {"", -1}, {"Error", -1}};

	for (size_t i = 0; i < PR_COUNT(words); i++)
		ck_assert_int_eq(
		    pr_log_level_of(words[i].word), words[i].level);
	pr_log_set_level(PR_LOG_WARNING);
	pr_log(PR_LOG_NOTICE, "quiet");
	pr_log(PR_LOG_WARNING, "heard");
	ck_assert_str_eq(heard(), "warning: heard\n");
}
END_TEST

START_TEST(a_line_is_one_line)
{
	pr_log(PR_LOG_ERROR, "a\nb\x1b[31m");
	ck_assert_str_eq(heard(), "error: a\\x0ab\\x1b[31m\n");
}
END_TEST

START_TEST(journald_gets_its_level)
{
	setenv("JOURNAL_STREAM", "8:1", 1);
	pr_log(PR_LOG_WARNING, "w");
	ck_assert_str_eq(heard(), "<4>w\n");
	unsetenv("JOURNAL_STREAM");
}
END_TEST

START_TEST(json_has_time_level_and_text)
{
	struct pr_arena *a = pr_arena_new(1024);
	const struct pr_json *doc;
	struct pr_json_fault fault;
	struct pr_str line;

	pr_log_set_json(true);
	pr_log(PR_LOG_NOTICE, "of \"%s\"\n", "x");
	line = pr_str_of(heard());
	ck_assert_uint_gt(line.n, 0);
	ck_assert_int_eq(line.p[line.n - 1], '\n');
	doc = pr_json_read(a, line, &fault);
	ck_assert_ptr_nonnull(doc);
	ck_assert(pr_str_is(pr_json_get(doc, PR_STR("level"))->str, "notice"));
	ck_assert(
	    pr_str_is(pr_json_get(doc, PR_STR("text"))->str, "of \"x\"\n"));
	ck_assert_uint_eq(pr_json_get(doc, PR_STR("time"))->str.n, 27);
	pr_arena_free(a);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("log");
	TCase *tc = tcase_create("log");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_place_is_held_back);
	tcase_add_test(tc, what_was_held_back_is_counted);
	tcase_add_test(tc, what_was_asked_for_is_not_held_back);
	tcase_add_test(tc, levels_are_words_and_thresholds);
	tcase_add_test(tc, a_line_is_one_line);
	tcase_add_test(tc, journald_gets_its_level);
	tcase_add_test(tc, json_has_time_level_and_text);
	suite_add_tcase(s, tc);
	return unit_run(s);
}
