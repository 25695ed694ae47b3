/* SPDX-License-Identifier: Apache-2.0 */
/* Signed checkpoints, their copies, and what somebody who may write the log
 * but has no key can still do to it; segments that end by age. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <portreeve/arena.h>
#include <portreeve/audit.h>
#include <portreeve/audit_read.h>
#include <portreeve/clock.h>
#include <portreeve/file.h>

#include "unit.h"

static char dir[64], logdir[96], key_file[96], other_file[96], copies[96];
static struct pr_public_key key, other;
static struct pr_err *err;

static struct pr_public_key
make_key(const char *path)
{
	struct pr_private_key *k = pr_private_key_make(path, &err);
	struct pr_public_key public;

	ck_assert_msg(k != NULL, "%s", pr_err_text(err));
	pr_private_key_public(k, &public);
	pr_private_key_free(k);
	return public;
}

static void
setup(void)
{
	strcpy(dir, "/tmp/checkpoint.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(logdir, sizeof logdir, "%s/log", dir);
	snprintf(key_file, sizeof key_file, "%s/key", dir);
	snprintf(other_file, sizeof other_file, "%s/other", dir);
	snprintf(copies, sizeof copies, "%s/copies", dir);
	key = make_key(key_file);
	other = make_key(other_file);
}

static void
teardown(void)
{
	char command[128];

	snprintf(command, sizeof command, "rm -rf '%s'", dir);
	ck_assert_int_eq(system(command), 0);
	pr_err_freep(&err);
}

static struct pr_audit_config
config(const char *with)
{
	return (struct pr_audit_config){.dir = logdir,
	    .door = "plugin",
	    .checkpoint_key = with,
	    .checkpoint_records = 5,
	    .checkpoint_interval = 3600 * PR_SEC,
	    .checkpoint_copy = copies};
}

static void
append(struct pr_audit *a, unsigned n)
{
	struct pr_record r = {
	    .id = PR_STR("x"), .verdict = PR_ALLOW, .reason = PR_REASON_GRANT};

	for (unsigned i = 0; i < n; i++)
		ck_assert(
		    pr_audit_append_wait(a, &r, pr_clock_now() + 20 * PR_SEC));
}

static void
write_with(const struct pr_audit_config *c, unsigned n)
{
	struct pr_audit *a = pr_audit_open(c, &err);

	ck_assert_msg(a != NULL, "%s", pr_err_text(err));
	append(a, n);
	pr_audit_close(a);
}

static void
write_log(const char *with, unsigned n)
{
	struct pr_audit_config c = config(with);

	write_with(&c, n);
}

static char *
read_text(const char *path)
{
	struct pr_arena *a = pr_arena_new(1024);
	struct pr_str s;
	char *out;

	ck_assert_msg(pr_file_read(a, path, 1 << 24, &s, &err) == 0, "%s",
	    pr_err_text(err));
	out = pr_xcalloc(s.n + 1, 1);
	memcpy(out, s.p, s.n);
	pr_arena_free(a);
	return out;
}

static void
write_text(const char *path, const char *text, size_t n)
{
	FILE *f = fopen(path, "w");

	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(text, 1, n, f), n);
	fclose(f);
}

/* The path of segment i, in order; how many there are. */
static size_t
segment(size_t i, char out[256])
{
	struct pr_log_files f;
	size_t n;

	ck_assert_int_eq(pr_log_files(logdir, "plugin", &f, &err), 0);
	n = f.n;
	if (i < n)
		snprintf(out, 256, "%s/%s", logdir, f.names[i]);
	pr_log_files_free(&f);
	return n;
}

static struct pr_log_report
prove(const struct pr_public_key *by, bool with_copies)
{
	struct pr_log_demand d = {.keys = by, .n_keys = by != NULL};
	struct pr_log_report r;
	char *text = with_copies ? read_text(copies) : NULL;

	d.copies = pr_str_of(text);
	ck_assert_msg(pr_log_prove(logdir, "plugin", &d, &r, &err) == 0, "%s",
	    pr_err_text(err));
	free(text);
	pr_log_report_fini(&r);
	return r;
}

START_TEST(what_is_signed_is_proved)
{
	struct pr_log_report r;

	write_log(key_file, 23);
	r = prove(&key, true);
	ck_assert_msg(r.intact, "%s", r.what);
	/* each five lines, and at the end */
	ck_assert_uint_ge(r.checkpoints, 4);
	ck_assert_uint_eq(r.copies, r.checkpoints);
	ck_assert_uint_eq(r.sealed.seq, r.last.seq);
	/* the chain goes on in another process */
	write_log(key_file, 3);
	r = prove(&key, true);
	ck_assert_msg(r.intact, "%s", r.what);
	ck_assert_uint_eq(r.decisions, 26);
	ck_assert_uint_eq(r.sealed.seq, r.last.seq);
	ck_assert(prove(NULL, false).intact);
}
END_TEST

START_TEST(another_key_proves_nothing)
{
	struct pr_log_report r;

	write_log(other_file, 7);
	ck_assert(prove(NULL, false).intact);
	r = prove(&key, false);
	ck_assert(!r.intact);
	ck_assert(strstr(r.what, "not among") != NULL);
}
END_TEST

START_TEST(a_log_without_checkpoints_is_nobodys)
{
	struct pr_log_report r;

	write_log(NULL, 7);
	ck_assert(prove(NULL, false).intact);
	r = prove(&key, false);
	ck_assert(!r.intact);
	ck_assert(strstr(r.what, "nothing proves") != NULL);
}
END_TEST

/* Whoever can write the files makes the chain anew, as it should have been. */
static void
forge(char *text, const char *from, const char *to)
{
	char hash[PR_SHA256_HEX] = "";

	for (char *line = text; *line != '\0';) {
		char *end = strchr(line, '\n'), *prev, *at;
		uint8_t digest[PR_SHA256_LEN];

		ck_assert_ptr_nonnull(end);
		*end = '\0';
		at = strstr(line, from);
		if (at != NULL)
			memcpy(at, to, strlen(to));
		prev = strstr(line, "\"prev\":\"");
		if (hash[0] != '\0')
			memcpy(prev + 8, hash, 64);
		pr_sha256(line, strlen(line), digest);
		pr_hex(digest, sizeof digest, hash);
		*end = '\n';
		line = end + 1;
	}
}

START_TEST(a_chain_made_anew_breaks_at_its_checkpoint)
{
	struct pr_log_report r;
	char path[256];
	char *text;

	write_log(key_file, 12);
	ck_assert_uint_eq(segment(0, path), 1);
	text = read_text(path);
	forge(text, "\"verdict\":\"allow\"", "\"verdict\":\"allox\"");
	write_text(path, text, strlen(text));
	free(text);
	r = prove(&key, false);
	ck_assert(!r.intact);
	ck_assert_msg(strstr(r.what, "signature") != NULL, "%s", r.what);
	/* without a known key it is found all the same */
	ck_assert(!prove(NULL, false).intact);
}
END_TEST

/* The log as it was after a checkpoint is a whole log: copies know better. */
START_TEST(a_log_that_was_cut_off_misses_a_copy)
{
	struct pr_log_report r;
	char path[256];
	char *text, *at;

	write_log(key_file, 12);
	segment(0, path);
	text = read_text(path);
	at = strstr(text, "{\"type\":\"checkpoint\"");
	ck_assert_ptr_nonnull(at);
	at = strchr(at, '\n') + 1;
	ck_assert(*at != '\0');
	write_text(path, text, (size_t)(at - text));
	free(text);
	ck_assert(prove(&key, false).intact);
	r = prove(&key, true);
	ck_assert(!r.intact);
	ck_assert_msg(strstr(r.what, "cut off") != NULL, "%s", r.what);
}
END_TEST

START_TEST(a_log_exchanged_as_a_whole_misses_them_all)
{
	struct pr_log_report r;
	char command[256];
	char *old;

	write_log(key_file, 12);
	old = read_text(copies);
	snprintf(command, sizeof command, "rm -rf '%s' '%s'", logdir, copies);
	ck_assert_int_eq(system(command), 0);
	/* by somebody who has the key, even */
	write_log(key_file, 12);
	ck_assert(prove(&key, true).intact);
	write_text(copies, old, strlen(old));
	free(old);
	r = prove(&key, true);
	ck_assert(!r.intact);
	ck_assert_uint_eq(r.copies, 0);
}
END_TEST

/* A checkpoint of another chain, or of another place, does not fit. */
START_TEST(a_checkpoint_cannot_be_moved)
{
	char path[256], *text, *line, *end, *last;
	PR_CLEANUP(pr_buf_fini) struct pr_buf b = PR_BUF_INIT;

	write_log(key_file, 12);
	segment(0, path);
	text = read_text(path);
	line = strstr(text, "{\"type\":\"checkpoint\"");
	end = strchr(line, '\n') + 1;
	last = strstr(end, "{\"type\":\"checkpoint\"");
	ck_assert_ptr_nonnull(last);
	pr_buf_add(&b, text, (size_t)(last - text));
	pr_buf_add(&b, line, (size_t)(end - line));
	write_text(path, b.p, b.n);
	free(text);
	ck_assert(!prove(&key, false).intact);
}
END_TEST

START_TEST(a_sink_that_fails_keeps_nobody_waiting)
{
	struct pr_audit_config c = config(key_file);
	char nowhere[128];
	struct pr_log_report r;

	snprintf(nowhere, sizeof nowhere, "%s/no/such/folder", dir);
	c.checkpoint_copy = nowhere;
	write_with(&c, 12);
	r = prove(&key, false);
	ck_assert_msg(r.intact, "%s", r.what);
	ck_assert_uint_ge(r.checkpoints, 2);
}
END_TEST

START_TEST(a_bad_copy_is_said_to_be_one)
{
	struct pr_log_demand d = {.copies = PR_STR("{\"type\":\"loss\"}\n")};
	struct pr_log_report r;

	write_log(key_file, 3);
	ck_assert_int_eq(pr_log_prove(logdir, "plugin", &d, &r, &err), -1);
	pr_log_report_fini(&r);
}
END_TEST

/* What a syslog puts before a line does not matter; twice is once. */
START_TEST(copies_come_as_sinks_keep_them)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf b = PR_BUF_INIT;
	struct pr_log_report r;
	char *text;

	write_log(key_file, 12);
	text = read_text(copies);
	for (int i = 0; i < 2; i++) {
		struct pr_str rest = pr_str_of(text);

		while (rest.p != NULL && rest.n > 0) {
			pr_buf_cstr(&b, "Nov 22 10:00:00 host portreeve[1]: ");
			pr_buf_str(&b, pr_str_cut(&rest, '\n'));
			pr_buf_char(&b, '\n');
		}
	}
	free(text);
	write_text(copies, b.p, b.n);
	r = prove(&key, true);
	ck_assert_msg(r.intact, "%s", r.what);
	ck_assert_uint_eq(r.copies, r.checkpoints);
}
END_TEST

START_TEST(without_a_good_key_nothing_opens)
{
	struct pr_audit_config c = config("/nowhere/key");

	ck_assert_ptr_null(pr_audit_open(&c, &err));
	ck_assert(strstr(pr_err_text(err), "audit.checkpoint") != NULL);
}
END_TEST

static void
wait_segments(size_t n)
{
	char path[256];

	while (segment(0, path) < n)
		usleep(20000);
}

/* Each segment ends in a checkpoint, however short its life. */
START_TEST(an_old_segment_ends)
{
	struct pr_audit_config c = config(key_file);
	struct pr_audit *a;
	struct pr_log_report r;

	c.age = 200 * PR_MS;
	c.sync = _i == 0 ? PR_AUDIT_SYNC_GROUP : PR_AUDIT_SYNC_NONE;
	a = pr_audit_open(&c, &err);
	ck_assert_msg(a != NULL, "%s", pr_err_text(err));
	append(a, 1);
	wait_segments(2);
	append(a, 1);
	wait_segments(3);
	pr_audit_close(a);
	r = prove(&key, true);
	ck_assert_msg(r.intact, "%s", r.what);
	ck_assert_uint_ge(r.segments, 3);
	ck_assert_uint_ge(r.checkpoints, 2);
}
END_TEST

/* By time: what stands there for long enough is signed. */
START_TEST(an_interval_signs_what_is_left)
{
	struct pr_audit_config c = config(key_file);
	struct pr_log_report r = {0};
	struct pr_audit *a;

	c.checkpoint_interval = 100 * PR_MS;
	c.sync = _i == 0 ? PR_AUDIT_SYNC_GROUP : PR_AUDIT_SYNC_NONE;
	a = pr_audit_open(&c, &err);
	ck_assert_msg(a != NULL, "%s", pr_err_text(err));
	append(a, 1);
	while (r.sealed.seq < 2) {
		usleep(20000);
		r = prove(NULL, false);
		ck_assert_msg(r.intact, "%s", r.what);
	}
	pr_audit_close(a);
	ck_assert(prove(&key, true).intact);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("audit checkpoint");
	TCase *t = tcase_create("checkpoint");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 120);
	tcase_add_test(t, what_is_signed_is_proved);
	tcase_add_test(t, another_key_proves_nothing);
	tcase_add_test(t, a_log_without_checkpoints_is_nobodys);
	tcase_add_test(t, a_chain_made_anew_breaks_at_its_checkpoint);
	tcase_add_test(t, a_log_that_was_cut_off_misses_a_copy);
	tcase_add_test(t, a_log_exchanged_as_a_whole_misses_them_all);
	tcase_add_test(t, a_checkpoint_cannot_be_moved);
	tcase_add_test(t, a_sink_that_fails_keeps_nobody_waiting);
	tcase_add_test(t, a_bad_copy_is_said_to_be_one);
	tcase_add_test(t, copies_come_as_sinks_keep_them);
	tcase_add_test(t, without_a_good_key_nothing_opens);
	tcase_add_loop_test(t, an_old_segment_ends, 0, 2);
	tcase_add_loop_test(t, an_interval_signs_what_is_left, 0, 2);
	suite_add_tcase(suite, t);
	return unit_run(suite);
}
