/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/stat.h>

#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <portreeve/clock.h>
#include <portreeve/ledger.h>

#include "unit.h"

#define ID_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static char dir[64], path[96];
static struct pr_err *err;

static void
setup(void)
{
	strcpy(dir, "/tmp/ledger.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/ledger.db", dir);
}

static void
teardown(void)
{
	static const char *const ends[] = {"", "-wal", "-shm"};

	for (size_t i = 0; i < PR_COUNT(ends); i++) {
		char name[128];

		snprintf(name, sizeof name, "%s%s", path, ends[i]);
		unlink(name);
	}
	rmdir(dir);
	pr_err_freep(&err);
}

static struct pr_ledger *
open_ledger(void)
{
	struct pr_ledger *l = pr_ledger_open(path, &err);

	ck_assert_msg(l != NULL, "%s", pr_err_text(err));
	return l;
}

static void
put(struct pr_ledger *l, enum pr_kind kind, const char *id, const char *created,
    const char *team, const char *phase)
{
	struct pr_ledger_entry e = {.kind = kind,
	    .id = pr_str_of(id),
	    .name = PR_STR("web"),
	    .created = pr_str_of(created),
	    .team = pr_str_of(team),
	    .phase = pr_str_of(phase),
	    .decision = PR_STR("01K8")};

	ck_assert_msg(pr_ledger_put(l, &e, &err) == 0, "%s", pr_err_text(err));
}

static bool
is(struct pr_ledger *l, enum pr_kind kind, const char *id, const char *created,
    const char *team, const char *phase)
{
	struct pr_ledger_owner o;

	return pr_ledger_get(l, kind, pr_str_of(id), pr_str_of(created), &o) &&
	    strcmp(o.team, team) == 0 && strcmp(o.phase, phase) == 0;
}

static bool
known(struct pr_ledger *l, enum pr_kind kind, const char *id)
{
	struct pr_ledger_owner o;

	return pr_ledger_get(l, kind, pr_str_of(id), PR_STR(""), &o);
}

START_TEST(what_was_put_is_there_again)
{
	struct pr_ledger *l = open_ledger();

	put(l, PR_KIND_CONTAINER, ID_A, "t1", "pay", "dev");
	ck_assert(is(l, PR_KIND_CONTAINER, ID_A, "", "pay", "dev"));
	ck_assert(!known(l, PR_KIND_NETWORK, ID_A));
	ck_assert_int_eq(pr_ledger_flush(l, &err), 0);
	pr_ledger_close(l);
	l = open_ledger();
	ck_assert_uint_eq(pr_ledger_count(l), 1);
	ck_assert(is(l, PR_KIND_CONTAINER, ID_A, "", "pay", "dev"));
	pr_ledger_close(l);
}
END_TEST

START_TEST(closing_writes_what_is_queued)
{
	struct pr_ledger *l = open_ledger();
	char id[16];

	for (int i = 0; i < 3000; i++) {
		snprintf(id, sizeof id, "n%d", i);
		put(l, PR_KIND_NETWORK, id, "", "pay", "");
	}
	pr_ledger_close(l);
	l = open_ledger();
	ck_assert_uint_eq(pr_ledger_count(l), 3000);
	ck_assert(is(l, PR_KIND_NETWORK, "n2999", "", "pay", ""));
	pr_ledger_close(l);
}
END_TEST

START_TEST(a_volume_made_again_is_another)
{
	struct pr_ledger *l = open_ledger();

	put(l, PR_KIND_VOLUME, "data", "11:1", "pay", "dev");
	ck_assert(is(l, PR_KIND_VOLUME, "data", "11:1", "pay", "dev"));
	ck_assert(!is(l, PR_KIND_VOLUME, "data", "11:2", "pay", "dev"));
	ck_assert(!is(l, PR_KIND_VOLUME, "data", "", "pay", "dev"));
	pr_ledger_close(l);
}
END_TEST

START_TEST(an_adopted_volume_is_pinned_to_the_first_that_is_seen)
{
	struct pr_ledger *l = open_ledger();

	put(l, PR_KIND_VOLUME, "data", "", "pay", "dev");
	ck_assert(is(l, PR_KIND_VOLUME, "data", "11:1", "pay", "dev"));
	ck_assert(!is(l, PR_KIND_VOLUME, "data", "11:2", "pay", "dev"));
	ck_assert(is(l, PR_KIND_VOLUME, "data", "11:1", "pay", "dev"));
	pr_ledger_close(l);
	l = open_ledger();
	ck_assert(!is(l, PR_KIND_VOLUME, "data", "11:2", "pay", "dev"));
	ck_assert(is(l, PR_KIND_VOLUME, "data", "11:1", "pay", "dev"));
	pr_ledger_close(l);
}
END_TEST

START_TEST(what_is_gone_is_forgotten_but_not_its_successor)
{
	struct pr_ledger *l = open_ledger();
	int64_t before = pr_clock_wall() - 1;

	put(l, PR_KIND_VOLUME, "data", "1", "pay", "dev");
	pr_ledger_forget(l, PR_KIND_VOLUME, PR_STR("data"), before);
	ck_assert(is(l, PR_KIND_VOLUME, "data", "1", "pay", "dev"));
	uint64_t generation = pr_ledger_generation(l);

	pr_ledger_forget(
	    l, PR_KIND_VOLUME, PR_STR("data"), pr_clock_wall() + 1);
	ck_assert(!is(l, PR_KIND_VOLUME, "data", "1", "pay", "dev"));
	ck_assert_uint_ne(pr_ledger_generation(l), generation);
	pr_ledger_forget(l, PR_KIND_VOLUME, PR_STR("other"), INT64_MAX);
	pr_ledger_close(l);
	l = open_ledger();
	ck_assert_uint_eq(pr_ledger_count(l), 0);
	pr_ledger_close(l);
}
END_TEST

static bool
only_n7(void *arg, struct pr_str id)
{
	++*(int *)arg;
	return pr_str_is(id, "n7");
}

START_TEST(pruning_keeps_what_exists)
{
	struct pr_ledger *l = open_ledger();
	char id[16];
	int asked = 0;

	for (int i = 0; i < 1000; i++) {
		snprintf(id, sizeof id, "n%d", i);
		put(l, PR_KIND_NETWORK, id, "", "pay", "");
	}
	put(l, PR_KIND_CONTAINER, ID_A, "", "pay", "");
	pr_ledger_prune(l, PR_KIND_NETWORK, 1, only_n7, &asked);
	ck_assert_int_eq(asked, 0);
	pr_ledger_prune(l, PR_KIND_NETWORK, INT64_MAX, only_n7, &asked);
	ck_assert_int_eq(asked, 1000);
	ck_assert_uint_eq(pr_ledger_count(l), 2);
	ck_assert(known(l, PR_KIND_NETWORK, "n7"));
	ck_assert(known(l, PR_KIND_CONTAINER, ID_A));
	pr_ledger_close(l);
}
END_TEST

START_TEST(the_file_is_ours_alone)
{
	struct stat st;

	umask(0);
	pr_ledger_close(open_ledger());
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(st.st_mode & 0777, 0600);
	chmod(path, 0620);
	ck_assert_ptr_null(pr_ledger_open(path, &err));
	ck_assert_int_eq(err->code, PR_ERR_INVALID);
	ck_assert_ptr_nonnull(strstr(err->text, "chmod 0600"));
}
END_TEST

static void
write_file(const char *text, size_t n, off_t at)
{
	int fd = open(path, O_WRONLY | O_CREAT, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(pwrite(fd, text, n, at), (ssize_t)n);
	close(fd);
}

START_TEST(a_damaged_file_is_refused_with_the_cure)
{
	struct pr_ledger *l = open_ledger();
	char id[80];
	char junk[8192];

	for (int i = 0; i < 2000; i++) {
		snprintf(id, sizeof id, "%064d", i);
		put(l, PR_KIND_CONTAINER, id, "", "pay", "");
	}
	pr_ledger_close(l);
	memset(junk, 'x', sizeof junk);
	write_file(junk, sizeof junk, _i == 0 ? 0 : 4096 * 5);
	ck_assert_ptr_null(pr_ledger_open(path, &err));
	ck_assert_int_eq(err->code, PR_ERR_INVALID);
	ck_assert_ptr_nonnull(strstr(err->text, "damaged"));
	ck_assert_ptr_nonnull(strstr(err->text, ".recover"));
}
END_TEST

static void
run_sql(const char *sql)
{
	sqlite3 *db;

	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

START_TEST(a_newer_schema_is_refused)
{
	pr_ledger_close(open_ledger());
	run_sql("PRAGMA user_version = 3");
	ck_assert_ptr_null(pr_ledger_open(path, &err));
	ck_assert_int_eq(err->code, PR_ERR_INVALID);
	ck_assert_ptr_nonnull(strstr(err->text, "newer"));
}
END_TEST

START_TEST(another_programs_database_is_refused)
{
	run_sql("CREATE TABLE x (y)");
	chmod(path, 0600);
	ck_assert_ptr_null(pr_ledger_open(path, &err));
	ck_assert_int_eq(err->code, PR_ERR_INVALID);
	ck_assert_ptr_nonnull(strstr(err->text, "another program"));
}
END_TEST

START_TEST(a_row_that_makes_no_sense_is_damage)
{
	pr_ledger_close(open_ledger());
	run_sql("INSERT INTO object VALUES"
		" ('spaceship', 'x', '', '', 'pay', '', 'request', '', 1)");
	ck_assert_ptr_null(pr_ledger_open(path, &err));
	ck_assert_int_eq(err->code, PR_ERR_INVALID);
}
END_TEST

START_TEST(no_folder_no_ledger)
{
	ck_assert_ptr_null(pr_ledger_open("/nonexistent/ledger.db", &err));
	ck_assert_int_eq(err->code, PR_ERR_IO);
}
END_TEST

START_TEST(what_the_disk_does_not_take_is_nobodys)
{
	struct pr_ledger *l = open_ledger();

	put(l, PR_KIND_CONTAINER, ID_A, "", "pay", "dev");
	ck_assert_int_eq(pr_ledger_flush(l, &err), 0);
	/* another writes and does not let go: BEGIN IMMEDIATE fails */
	sqlite3 *db;

	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	ck_assert_int_eq(
	    sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	put(l, PR_KIND_CONTAINER, "b", "", "pay", "dev");
	ck_assert(known(l, PR_KIND_CONTAINER, "b"));
	ck_assert_int_eq(pr_ledger_flush(l, &err), -1);
	ck_assert(!known(l, PR_KIND_CONTAINER, "b"));
	ck_assert(known(l, PR_KIND_CONTAINER, ID_A));
	ck_assert(!pr_ledger_healthy(l));
	struct pr_ledger_entry e = {
	    .kind = PR_KIND_CONTAINER, .id = PR_STR("c")};

	ck_assert_int_eq(pr_ledger_put(l, &e, &err), -1);
	ck_assert(!known(l, PR_KIND_CONTAINER, "c"));
	/* a forget is kept for later */
	pr_ledger_forget(l, PR_KIND_CONTAINER, PR_STR(ID_A), INT64_MAX);
	sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
	sqlite3_close(db);
	while (!pr_ledger_healthy(l))
		usleep(50000);
	put(l, PR_KIND_CONTAINER, "c", "", "pay", "dev");
	ck_assert_int_eq(pr_ledger_flush(l, &err), 0);
	pr_ledger_close(l);
	l = open_ledger();
	ck_assert_uint_eq(pr_ledger_count(l), 1);
	ck_assert(known(l, PR_KIND_CONTAINER, "c"));
	pr_ledger_close(l);
}
END_TEST

START_TEST(another_process_is_noticed)
{
	struct pr_ledger *plugin = open_ledger(), *command = open_ledger();

	put(plugin, PR_KIND_CONTAINER, "mine", "", "pay", "dev");
	put(command, PR_KIND_CONTAINER, ID_A, "", "ml", "test");
	ck_assert_int_eq(pr_ledger_flush(command, &err), 0);
	pr_ledger_close(command);
	while (!known(plugin, PR_KIND_CONTAINER, ID_A))
		usleep(20000);
	ck_assert(is(plugin, PR_KIND_CONTAINER, ID_A, "", "ml", "test"));
	ck_assert(is(plugin, PR_KIND_CONTAINER, "mine", "", "pay", "dev"));
	pr_ledger_close(plugin);
}
END_TEST

static const struct pr_ledger_entry bad[] = {
    {.kind = PR_KIND_CONTAINER},
    {.id = {"x", 1}},
    {.kind = PR_KIND_COUNT, .id = {"x", 1}},
    {.kind = PR_KIND_CONTAINER, .id = {"x\0y", 3}},
    {.kind = PR_KIND_CONTAINER, .id = {"x", 1}, .team = {"a\0b", 3}},
};

START_TEST(odd_entries_are_refused)
{
	struct pr_ledger *l = open_ledger();
	char longer[600];

	ck_assert_int_eq(pr_ledger_put(l, &bad[_i], &err), -1);
	memset(longer, 'a', sizeof longer);
	struct pr_ledger_entry e = {
	    .kind = PR_KIND_CONTAINER, .id = {longer, sizeof longer}};

	ck_assert_int_eq(pr_ledger_put(l, &e, &err), -1);
	e.id = PR_STR("x");
	e.team = (struct pr_str){longer, PR_LEDGER_NAME + 1};
	ck_assert_int_eq(pr_ledger_put(l, &e, &err), -1);
	e.team.n--;
	ck_assert_int_eq(pr_ledger_put(l, &e, &err), 0);
	ck_assert_uint_eq(pr_ledger_count(l), 1);
	pr_ledger_close(l);
}
END_TEST

static struct pr_ledger *shared;

static void *
hammer(void *arg)
{
	char id[32];

	for (int i = 0; i < 500; i++) {
		snprintf(id, sizeof id, "%s%d", (const char *)arg, i);
		put(shared, PR_KIND_SECRET, id, "", (const char *)arg, "dev");
		if (!is(shared, PR_KIND_SECRET, id, "", arg, "dev"))
			return NULL;
		if (i % 2 != 0)
			pr_ledger_forget(
			    shared, PR_KIND_SECRET, pr_str_of(id), INT64_MAX);
	}
	return arg;
}

START_TEST(threads_do_not_disturb_each_other)
{
	static char names[4][2] = {"a", "b", "c", "d"};
	pthread_t t[4];

	shared = open_ledger();
	for (int i = 0; i < 4; i++)
		pthread_create(&t[i], NULL, hammer, names[i]);
	for (int i = 0; i < 4; i++) {
		void *ok;

		pthread_join(t[i], &ok);
		ck_assert_ptr_eq(ok, names[i]);
	}
	ck_assert_uint_eq(pr_ledger_count(shared), 1000);
	pr_ledger_close(shared);
	shared = open_ledger();
	ck_assert_uint_eq(pr_ledger_count(shared), 1000);
	pr_ledger_close(shared);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("ledger");
	TCase *c = tcase_create("ledger");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_set_timeout(c, 60);
	tcase_add_test(c, what_was_put_is_there_again);
	tcase_add_test(c, closing_writes_what_is_queued);
	tcase_add_test(c, a_volume_made_again_is_another);
	tcase_add_test(
	    c, an_adopted_volume_is_pinned_to_the_first_that_is_seen);
	tcase_add_test(c, what_is_gone_is_forgotten_but_not_its_successor);
	tcase_add_test(c, pruning_keeps_what_exists);
	tcase_add_test(c, the_file_is_ours_alone);
	tcase_add_loop_test(c, a_damaged_file_is_refused_with_the_cure, 0, 2);
	tcase_add_test(c, a_newer_schema_is_refused);
	tcase_add_test(c, another_programs_database_is_refused);
	tcase_add_test(c, a_row_that_makes_no_sense_is_damage);
	tcase_add_test(c, no_folder_no_ledger);
	tcase_add_test(c, what_the_disk_does_not_take_is_nobodys);
	tcase_add_test(c, another_process_is_noticed);
	tcase_add_loop_test(c, odd_entries_are_refused, 0, (int)PR_COUNT(bad));
	tcase_add_test(c, threads_do_not_disturb_each_other);
	suite_add_tcase(s, c);
	return unit_run(s);
}
