/* SPDX-License-Identifier: Apache-2.0 */
/* The break-glass file: only root's, only for a time. */
#include <sys/stat.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <portreeve/arena.h>

#include "local.h"
#include "unit.h"

#define NOON (INT64_C(1795608000) * 1000000000) /* 2026-11-25T12:00:00Z */

static char dir[64], path[96];

static void
setup(void)
{
	strcpy(dir, "/tmp/break.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/glass", dir);
}

static void
teardown(void)
{
	unlink(path);
	rmdir(dir);
}

static void
put(const char *text, mode_t mode)
{
	int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	ck_assert_int_eq(fchmod(fd, mode), 0);
	close(fd);
}

/* Only what is root's counts: these rows are for who runs them as root. */
static bool
obeyed(void)
{
	return break_glass(path, NOON);
}

static const struct {
	const char *text;
	mode_t mode;
	bool obeyed;
} rows[] = {
    {"2026-11-25T12:00:01Z\n", 0600, true},
    {"2026-11-25T12:00:01Z", 0644, true},
    {"# why: the certificate has expired\n\n  2026-11-25T18:00:00+02:00 \n",
	0644, true},
    {"2026-11-26T12:00:00Z\n", 0600, true},
    {"2026-11-26T12:00:01Z\n", 0600, false}, /* more than a day */
    {"2026-11-25T12:00:00Z\n", 0600, false}, /* it has ended */
    {"2026-11-25T11:59:59Z\n", 0600, false},
    {"2026-11-25T12:30:00Z\n2026-11-25T12:40:00Z\n", 0600, false},
    {"2026-11-25T12:30:00Z for ever\n", 0600, false},
    {"for ever\n", 0600, false},
    {"# nothing\n", 0600, false},
    {"", 0600, false},
    {"2026-11-25T12:00:01Z\n", 0620, false}, /* others may write it */
    {"2026-11-25T12:00:01Z\n", 0602, false},
};

START_TEST(what_is_in_it)
{
	put(rows[_i].text, rows[_i].mode);
	ck_assert_msg(obeyed() == rows[_i].obeyed, "%s", rows[_i].text);
}
END_TEST

START_TEST(whose_it_is)
{
	char other[128];

	put("2026-11-25T12:00:01Z\n", 0600);
	ck_assert(obeyed());
	ck_assert(!break_glass(NULL, NOON));
	ck_assert(!break_glass("glass", NOON));
	/* two names: it lies where others may write, too */
	snprintf(other, sizeof other, "%s/other", dir);
	ck_assert_int_eq(link(path, other), 0);
	ck_assert(!obeyed());
	ck_assert_int_eq(unlink(other), 0);
	ck_assert(obeyed());
	/* a symlink leads to what somebody else wrote */
	ck_assert_int_eq(rename(path, other), 0);
	ck_assert_int_eq(symlink(other, path), 0);
	ck_assert(!obeyed());
	ck_assert_int_eq(rename(other, path), 0);
	ck_assert(obeyed());
	/* a folder in which others may put another in its place */
	ck_assert_int_eq(chmod(dir, 0777), 0);
	ck_assert(!obeyed());
	ck_assert_int_eq(chmod(dir, 0755), 0);
	ck_assert(obeyed());
	ck_assert_int_eq(chown(path, 1, 0), 0);
	ck_assert(!obeyed());
	ck_assert_int_eq(unlink(path), 0);
	ck_assert(!obeyed());
	ck_assert_int_eq(mkdir(path, 0700), 0);
	ck_assert(!obeyed());
	ck_assert_int_eq(rmdir(path), 0);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("break_glass");
	TCase *t = tcase_create("break_glass");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, what_is_in_it, 0, PR_COUNT(rows));
	tcase_add_test(t, whose_it_is);
	suite_add_tcase(s, t);
	return unit_run(s);
}
