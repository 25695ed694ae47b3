/* SPDX-License-Identifier: Apache-2.0 */
/* The writer of the decision log, on files of a private folder. */
#include <sys/resource.h>
#include <sys/stat.h>

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include <portreeve/arena.h>
#include <portreeve/audit.h>
#include <portreeve/audit_read.h>
#include <portreeve/clock.h>
#include <portreeve/log.h>

#include "unit.h"

static char dir[256], logdir[300];

static void
setup(void)
{
	const char *tmp = getenv("TMPDIR");

	pr_log_set_level((enum pr_log_level)0);
	snprintf(dir, sizeof dir, "%s/pr-audit-XXXXXX",
	    tmp != NULL && strlen(tmp) < 200 ? tmp : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(logdir, sizeof logdir, "%s/log", dir);
}

static void
empty(const char *path)
{
	DIR *d = opendir(path);
	const struct dirent *e;
	char name[700];

	if (d == NULL)
		return;
	while ((e = readdir(d)) != NULL) {
		snprintf(name, sizeof name, "%s/%s", path, e->d_name);
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			unlink(name);
	}
	closedir(d);
	rmdir(path);
}

static void
teardown(void)
{
	empty(logdir);
	empty(dir);
}

static struct pr_audit *
open_log(enum pr_audit_sync sync, uint64_t segment)
{
	struct pr_err *err = NULL;
	struct pr_audit *a =
	    pr_audit_open(&(struct pr_audit_config){.dir = logdir,
			      .door = "plugin",
			      .daemon = "prod-1",
			      .sync = sync,
			      .segment = segment},
		&err);

	ck_assert_msg(a != NULL, "%s", pr_err_text(err));
	return a;
}

static struct pr_record
record(enum pr_verdict verdict)
{
	static const struct pr_record_team teams[] = {
	    {PR_STR("payments"), PR_STR("ldap"), 1200},
	    {PR_STR("ci"), PR_STR("cert"), -1}};
	static const struct pr_record_fact facts[] = {
	    {PR_STR("HostConfig.Privileged"), PR_STR("true")}};
	static __thread char id[PR_UUID_LEN];

	pr_uuid7(pr_clock_wall(), id);
	return (struct pr_record){
	    .level = PR_AUDIT_LEVEL_REQUEST,
	    .id = pr_str_of(id),
	    .correlation = PR_STR("c-1"),
	    .stage = PR_STR("request"),
	    .subject = {.name = PR_STR("alice"), .how = PR_STR("san-email")},
	    .teams = teams,
	    .n_teams = PR_COUNT(teams),
	    .team = PR_STR("payments"),
	    .phase = PR_STR("production"),
	    .action = PR_STR("container.create"),
	    .method = PR_STR("POST"),
	    .target = PR_STR("/v1.41/containers/create?name=x"),
	    .canonical = PR_STR("/v1.41/containers/create?name=x"),
	    .resource = {.kind = PR_STR("container"), .name = PR_STR("x")},
	    .verdict = verdict,
	    .reason = verdict == PR_ALLOW ? PR_REASON_GRANT : PR_REASON_PROFILE,
	    .grant = PR_STR("pay-prod"),
	    .profile_key = PR_STR("restricted.privileged"),
	    .file = PR_STR("policy.d/10-pay.yaml"),
	    .line = 41,
	    .policy = PR_STR("0123abcd"),
	    .facts = facts,
	    .n_facts = PR_COUNT(facts),
	    .latency_us = 7,
	};
}

static bool
allow(struct pr_audit *a)
{
	struct pr_record r = record(PR_ALLOW);

	return pr_audit_append_wait(a, &r, pr_clock_now() + 20 * PR_SEC);
}

static void
deny(struct pr_audit *a, const char *name)
{
	struct pr_record r = record(PR_DENY);

	r.subject.name = pr_str_of(name);
	ck_assert_int_eq(pr_audit_append(a, &r, NULL, NULL), PR_AUDIT_DONE);
}

static struct pr_log_report
prove(void)
{
	struct pr_log_report r;
	struct pr_err *err = NULL;
	int rc = pr_log_verify(logdir, "plugin", false, NULL, &r, &err);

	ck_assert_msg(rc == 0, "%s", pr_err_text(err));
	return r;
}

static void
expect_intact(uint64_t decisions, uint64_t segments)
{
	struct pr_log_report r = prove();

	ck_assert_msg(r.intact, "%s: %s", r.file, r.what);
	ck_assert_uint_eq(r.decisions, decisions);
	if (segments != 0)
		ck_assert_uint_eq(r.segments, segments);
	pr_log_report_fini(&r);
}

static void
segment_path(size_t i, char out[512])
{
	struct pr_log_files f;

	ck_assert_int_eq(pr_log_files(logdir, "plugin", &f, NULL), 0);
	ck_assert_uint_gt(f.n, i);
	snprintf(out, 512, "%s/%s", logdir, f.names[i]);
	pr_log_files_free(&f);
}

/* Line `n` (0: the header) of segment `i` as JSON. */
static json_t *
line(size_t i, size_t n)
{
	char path[512];
	struct pr_log_stream *s;
	struct pr_str text;
	uint64_t offset;
	json_t *v;

	segment_path(i, path);
	s = pr_log_stream_open(path, NULL);
	ck_assert_ptr_nonnull(s);
	for (size_t k = 0; k <= n; k++)
		ck_assert_int_eq(pr_log_stream_next(s, &text, &offset, NULL),
		    PR_LOG_GOT_LINE);
	ck_assert_ptr_null(pr_log_line_fault(text));
	v = json_loadb(
	    text.p, text.n, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
	ck_assert_ptr_nonnull(v);
	pr_log_stream_free(s);
	return v;
}

static const char *
text(json_t *v, const char *key)
{
	const char *s = json_string_value(json_object_get(v, key));

	return s != NULL ? s : "";
}

START_TEST(an_allow_is_in_the_log_when_the_caller_is_told)
{
	struct pr_audit *a =
	    open_log(_i != 0 ? PR_AUDIT_SYNC_NONE : PR_AUDIT_SYNC_GROUP, 0);

	for (unsigned i = 1; i <= 20; i++) {
		ck_assert(allow(a));
		expect_intact(i, 1); /* while the writer runs */
	}
	pr_audit_close(a);
	expect_intact(20, 1);
}
END_TEST

START_TEST(a_record_has_its_fields)
{
	struct pr_audit *a = open_log(PR_AUDIT_SYNC_GROUP, 0);
	uint8_t hash[PR_SHA256_LEN] = {1, 2};
	struct pr_record r = record(PR_ALLOW);
	json_t *v;

	r.body_sha256 = hash;
	r.would_deny = true;
	r.subject.has_uid = true;
	r.subject.uid = 1000;
	ck_assert(pr_audit_append_wait(a, &r, pr_clock_now() + 20 * PR_SEC));
	pr_audit_close(a);
	v = line(0, 1);
	ck_assert_str_eq(text(v, "type"), "decision");
	ck_assert_str_eq(text(v, "verdict"), "would-deny");
	ck_assert_str_eq(text(v, "reason"), "grant");
	ck_assert_str_eq(text(v, "daemon"), "prod-1");
	ck_assert_str_eq(text(v, "door"), "plugin");
	ck_assert_str_eq(text(v, "file"), "policy.d/10-pay.yaml");
	ck_assert_uint_eq(strlen(text(v, "boot")), 36);
	ck_assert_uint_eq(strlen(text(v, "body_sha256")), 64);
	ck_assert_str_eq(text(json_object_get(v, "ids"), "profile"),
	    "restricted.privileged");
	ck_assert_str_eq(text(json_object_get(v, "subject"), "name"), "alice");
	ck_assert_int_eq(json_integer_value(json_object_get(
			     json_object_get(v, "subject"), "uid")),
	    1000);
	ck_assert_uint_eq(json_array_size(json_object_get(v, "teams")), 2);
	ck_assert_uint_eq(json_array_size(json_object_get(v, "facts")), 1);
	json_decref(v);
}
END_TEST

START_TEST(level_none_drops_facts_and_never_the_record)
{
	struct pr_audit *a = open_log(PR_AUDIT_SYNC_GROUP, 0);
	struct pr_record r = record(PR_ALLOW);
	json_t *v;

	r.level = PR_AUDIT_LEVEL_NONE;
	ck_assert(pr_audit_append_wait(a, &r, pr_clock_now() + 20 * PR_SEC));
	r.level = PR_AUDIT_LEVEL_METADATA;
	ck_assert(pr_audit_append_wait(a, &r, pr_clock_now() + 20 * PR_SEC));
	pr_audit_close(a);
	v = line(0, 1);
	ck_assert_str_eq(text(v, "verdict"), "allow");
	ck_assert_ptr_null(json_object_get(v, "facts"));
	ck_assert_ptr_null(json_object_get(v, "canonical"));
	ck_assert_ptr_null(json_object_get(v, "teams"));
	json_decref(v);
	v = line(0, 2);
	ck_assert_ptr_null(json_object_get(v, "facts"));
	ck_assert_str_eq(
	    text(v, "canonical"), "/v1.41/containers/create?name=x");
	json_decref(v);
}
END_TEST

/* Every byte at every place of the eight that are looked at together. */
START_TEST(any_bytes_make_one_line_of_json)
{
	struct pr_audit *a = open_log(PR_AUDIT_SYNC_NONE, 0);
	char name[24];

	for (unsigned c = 0; c < 256; c++) {
		for (unsigned at = 0; at < 17; at += 4) {
			struct pr_record r = record(PR_ALLOW);

			memset(name, 'x', sizeof name);
			name[at] = (char)c;
			r.subject.name = (struct pr_str){name, 17};
			r.target = r.subject.name;
			ck_assert(pr_audit_append_wait(a, &r, 0));
		}
	}
	pr_audit_close(a);
	expect_intact(256 * 5, 1);
}
END_TEST

START_TEST(long_strings_are_clipped_and_counted)
{
	struct pr_audit *a = open_log(PR_AUDIT_SYNC_NONE, 0);
	struct pr_record r = record(PR_ALLOW);
	struct pr_record_team teams[100];
	char *big = pr_xmalloc(100000);
	json_t *v;

	for (size_t i = 0; i < 100000; i++)
		big[i] = "\xe2\x80\xa8"[i % 3]; /* each becomes six bytes */
	for (size_t i = 0; i < PR_COUNT(teams); i++)
		teams[i] = (struct pr_record_team){
		    {big, 100000}, {big, 100000}, INT64_MAX};
	r.target = r.canonical = r.message = r.subject.name =
	    (struct pr_str){big, 100000};
	r.teams = teams;
	r.n_teams = PR_COUNT(teams);
	ck_assert(pr_audit_append_wait(a, &r, 0));
	pr_audit_close(a);
	v = line(0, 1);
	ck_assert_int_gt(json_integer_value(json_object_get(v, "clipped")), 60);
	ck_assert_uint_le(strlen(text(v, "canonical")), 4096);
	json_decref(v);
	free(big);
}
END_TEST

START_TEST(denials_leave_first_and_are_written)
{
	struct pr_audit *a = open_log(PR_AUDIT_SYNC_GROUP, 0);
	char name[16];

	for (int i = 0; i < 200; i++) {
		snprintf(name, sizeof name, "user%d", i);
		deny(a, name);
	}
	pr_audit_close(a);
	expect_intact(200, 1);
}
END_TEST

START_TEST(a_flood_is_folded_into_a_count)
{
	struct pr_audit *a =
	    open_log(_i != 0 ? PR_AUDIT_SYNC_NONE : PR_AUDIT_SYNC_GROUP, 0);
	struct pr_audit_stats st;
	json_int_t folded = 0;
	struct pr_log_report r;

	for (int i = 0; i < 5000; i++)
		deny(a, "mallory");
	deny(a, "eve");
	pr_audit_stats(a, &st);
	pr_audit_close(a);
	r = prove();
	ck_assert(r.intact);
	ck_assert_uint_gt(st.folded, 0);
	ck_assert_uint_lt(r.decisions, 5001);
	for (size_t i = 1; i < r.lines; i++) {
		json_t *v = line(0, i);

		folded += json_integer_value(
		    json_object_get(json_object_get(v, "folded"), "count"));
		if (json_object_get(v, "folded") == NULL)
			folded++;
		json_decref(v);
	}
	ck_assert_int_eq(folded, 5001); /* none is forgotten */
	pr_log_report_fini(&r);
}
END_TEST

START_TEST(outcomes_are_records)
{
	struct pr_audit *a = open_log(PR_AUDIT_SYNC_GROUP, 0);
	json_t *v;

	pr_audit_outcome(a,
	    &(struct pr_outcome){.id = PR_STR("d-1"),
		.correlation = PR_STR("c-1"),
		.status = 201,
		.has_bytes = true,
		.bytes = 88,
		.duration_us = 1234,
		.resource = PR_STR("abc")});
	pr_audit_close(a);
	v = line(0, 1);
	ck_assert_str_eq(text(v, "type"), "outcome");
	ck_assert_int_eq(json_integer_value(json_object_get(v, "status")), 201);
	json_decref(v);
}
END_TEST

START_TEST(segments_rotate_and_stay_one_chain)
{
	struct pr_audit *a =
	    open_log(_i != 0 ? PR_AUDIT_SYNC_NONE : PR_AUDIT_SYNC_GROUP, 4096);
	struct pr_log_report r;

	for (int i = 0; i < 60; i++)
		ck_assert(allow(a));
	pr_audit_close(a);
	a = open_log(PR_AUDIT_SYNC_GROUP, 4096);
	ck_assert(allow(a));
	pr_audit_close(a);
	r = prove();
	ck_assert_msg(r.intact, "%s: %s", r.file, r.what);
	ck_assert_uint_gt(r.segments, 2);
	ck_assert_uint_eq(r.decisions, 61);
	ck_assert_uint_eq(r.lines, r.last.seq);
	pr_log_report_fini(&r);
}
END_TEST

START_TEST(one_writer_a_chain)
{
	struct pr_audit *a = open_log(PR_AUDIT_SYNC_GROUP, 0);
	struct pr_err *err = NULL;
	struct pr_audit_config c = {.dir = logdir, .door = "plugin"};

	ck_assert_ptr_null(pr_audit_open(&c, &err));
	ck_assert_int_eq(err->code, PR_ERR_DENIED);
	pr_err_free(err);
	err = NULL;
	c.door = "proxy"; /* another chain in the same folder */

	struct pr_audit *b = pr_audit_open(&c, &err);

	ck_assert_ptr_nonnull(b);
	ck_assert(allow(b));
	pr_audit_close(b);
	pr_audit_close(a);
	expect_intact(0, 1);
}
END_TEST

static const struct pr_audit_config bad_configs[] = {
    {.door = "plugin"},
    {.dir = "relative", .door = "plugin"},
    {.dir = "/nowhere"},
    {.dir = "/nowhere", .door = "../x"},
    {.dir = "/nowhere", .door = ""},
    {.dir = "/nowhere", .door = "plugin", .segment = 100},
};

START_TEST(a_wrong_configuration_is_refused)
{
	struct pr_err *err = NULL;

	ck_assert_ptr_null(pr_audit_open(&bad_configs[_i], &err));
	ck_assert_int_eq(err->code, PR_ERR_INVALID);
	pr_err_free(err);
}
END_TEST

/* The folder's parent is a file: nothing can be written, not even by root. */
START_TEST(without_a_log_nothing_is_allowed_and_it_recovers_alone)
{
	char key[300], inside[340];
	struct pr_audit_config c = {.door = "plugin",
	    .failure =
		_i != 0 ? PR_AUDIT_FAILURE_ALLOW : PR_AUDIT_FAILURE_DENY};
	struct pr_audit_stats st;
	struct pr_audit *a;
	uint64_t until = pr_clock_now() + 30 * PR_SEC;
	bool ok = false;
	FILE *f = fopen(logdir, "w");

	ck_assert_ptr_nonnull(f);
	fclose(f);
	snprintf(key, sizeof key, "%s/k", dir);
	snprintf(inside, sizeof inside, "%s/in", logdir);
	c.dir = inside;
	c.key_file = key;
	a = pr_audit_open(&c, NULL);
	ck_assert_ptr_nonnull(a);
	ck_assert(!pr_audit_healthy(a));
	ck_assert(allow(a) == (_i != 0));
	deny(a, "bob");
	pr_audit_stats(a, &st);
	ck_assert_uint_eq(st.refused, _i == 0);
	ck_assert_uint_eq(st.lost, _i != 0);
	unlink(logdir);
	ck_assert_int_eq(mkdir(logdir, 0700), 0);
	while (!ok && pr_clock_now() < until) {
		ok = pr_audit_healthy(a) && allow(a);
		usleep(1000);
	}
	ck_assert(ok);
	pr_audit_close(a);

	struct pr_log_report r;

	ck_assert_int_eq(
	    pr_log_verify(inside, "plugin", false, NULL, &r, NULL), 0);
	ck_assert(r.intact);
	ck_assert_uint_eq(r.decisions, 2); /* the denial was kept */
	ck_assert_ptr_nonnull(strstr(r.notes.p, "loss"));
	pr_log_report_fini(&r);
	empty(inside);
}
END_TEST

START_TEST(a_removed_folder_is_noticed_before_the_next_allow)
{
	struct pr_audit *a = open_log(PR_AUDIT_SYNC_GROUP, 0);
	struct pr_log_report r;

	ck_assert(allow(a));
	empty(logdir);
	ck_assert(allow(a)); /* in a new folder, or it would be refused */
	pr_audit_close(a);
	ck_assert_int_eq(
	    pr_log_verify(logdir, "plugin", true, NULL, &r, NULL), 0);
	ck_assert(r.intact);
	ck_assert_uint_eq(r.decisions, 1);
	pr_log_report_fini(&r);
	r = prove(); /* what is gone is missed */
	ck_assert(!r.intact);
	pr_log_report_fini(&r);
}
END_TEST

/* Cuts the last two records at every byte, as a crash might. */
START_TEST(a_torn_tail_is_declared_and_the_chain_goes_on)
{
	struct pr_audit *a = open_log(PR_AUDIT_SYNC_GROUP, 0);
	char path[512];
	struct stat st;
	PR_CLEANUP(pr_buf_fini) struct pr_buf whole = PR_BUF_INIT;
	size_t begin = 0, ends[4], n = 0;
	FILE *f;

	for (int i = 0; i < 3; i++)
		ck_assert(allow(a));
	pr_audit_close(a);
	segment_path(0, path);
	ck_assert_int_eq(stat(path, &st), 0);
	f = fopen(path, "r");
	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fread(pr_buf_reserve(&whole, (size_t)st.st_size), 1,
			      (size_t)st.st_size, f),
	    (size_t)st.st_size);
	pr_buf_grew(&whole, (size_t)st.st_size);
	fclose(f);
	for (size_t i = 0; i < whole.n && n < 4; i++) {
		if (whole.p[i] == '\n')
			ends[n++] = i + 1;
	}
	begin = ends[1];
	for (size_t cut = begin; cut <= whole.n; cut++) {
		uint64_t kept = cut >= ends[3] ? 3 : cut >= ends[2] ? 2 : 1;

		empty(logdir);
		ck_assert_int_eq(mkdir(logdir, 0700), 0);
		f = fopen(path, "w");
		ck_assert_ptr_nonnull(f);
		fwrite(whole.p, 1, cut, f);
		fclose(f);
		a = open_log(PR_AUDIT_SYNC_NONE, 0);
		ck_assert(allow(a));
		pr_audit_close(a);
		expect_intact(kept + 1, 2);
	}
}
END_TEST

/* A changed byte in front of durable records is no crash. */
START_TEST(damage_is_never_declared_as_a_torn_tail)
{
	struct pr_audit *a = open_log(PR_AUDIT_SYNC_GROUP, 0);
	struct pr_log_report r;
	char path[512];
	int fd;

	for (int i = 0; i < 5; i++)
		ck_assert(allow(a));
	pr_audit_close(a);
	segment_path(0, path);
	fd = open(path, O_RDWR);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(pwrite(fd, "X", 1, 900), 1);
	close(fd);
	a = open_log(PR_AUDIT_SYNC_GROUP, 0);
	ck_assert(allow(a)); /* it serves, and the break stays to be seen */
	pr_audit_close(a);
	r = prove();
	ck_assert(!r.intact);
	ck_assert_uint_le(r.offset, 900);
	pr_log_report_fini(&r);
}
END_TEST

START_TEST(equal_values_have_equal_masks)
{
	struct pr_audit *a = open_log(PR_AUDIT_SYNC_NONE, 0);
	char one[PR_AUDIT_MASK_LEN], two[PR_AUDIT_MASK_LEN];
	char other[PR_AUDIT_MASK_LEN], key[400];
	struct stat st;

	pr_audit_mask(a, PR_STR("s3cret"), one);
	pr_audit_mask(a, PR_STR("other"), other);
	pr_audit_close(a);
	a = open_log(PR_AUDIT_SYNC_NONE, 0);
	pr_audit_mask(a, PR_STR("s3cret"), two);
	ck_assert_str_eq(one, two);
	ck_assert_str_ne(one, other);
	ck_assert_ptr_null(strstr(one, "s3cret"));
	ck_assert_uint_eq(strlen(one), 37);
	snprintf(key, sizeof key, "%s/hmac.key", logdir);
	ck_assert_int_eq(stat(key, &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0600);
	pr_audit_close(a);
	ck_assert_int_eq(chmod(key, 0644), 0);
	a = open_log(PR_AUDIT_SYNC_NONE, 0);
	pr_audit_mask(a, PR_STR("s3cret"), two);
	ck_assert_str_eq(two, "hmac:unavailable");
	pr_audit_close(a);
}
END_TEST

static void
count_done(void *arg, bool ok)
{
	_Atomic unsigned *n = arg;

	if (ok)
		++*n;
}

/* --- rounds ---------------------------------------------------------------- */

static void
round_of_three(struct pr_audit *a)
{
	struct pr_record r = record(PR_ALLOW);

	ck_assert(pr_audit_round(a));
	ck_assert_int_eq(
	    pr_audit_append(a, &r, count_done, NULL), PR_AUDIT_ROUND);
	deny(a, "bob");
	pr_audit_outcome(
	    a, &(struct pr_outcome){.id = PR_STR("id"), .status = 200});
}

START_TEST(a_round_is_written_at_its_end)
{
	struct pr_audit *group = open_log(PR_AUDIT_SYNC_GROUP, 0), *a;
	struct pr_audit_stats st;

	ck_assert(!pr_audit_round(group));
	pr_audit_close(group);
	a = open_log(PR_AUDIT_SYNC_NONE, 0);
	round_of_three(a);
	ck_assert(pr_audit_round_end(a, 1));
	expect_intact(2, 2);
	ck_assert(allow(a)); /* at once again */
	expect_intact(3, 2);
	pr_audit_stats(a, &st);
	ck_assert_uint_eq(st.records, 5);
	ck_assert_uint_eq(st.dropped, 0);
	pr_audit_close(a);
	expect_intact(3, 2);
}
END_TEST

/* A file that takes no more bytes: the round's allows get no answer. */
START_TEST(a_round_that_cannot_be_written_is_told_and_declared)
{
	struct pr_audit *a = open_log(PR_AUDIT_SYNC_NONE, 0);
	uint64_t until = pr_clock_now() + 30 * PR_SEC;
	struct pr_audit_stats st;
	struct rlimit old, low = {.rlim_cur = 1100};
	bool ok = false;

	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &old), 0);
	low.rlim_max = old.rlim_max;
	round_of_three(a);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &low), 0);
	ck_assert(!pr_audit_round_end(a, 1));
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &old), 0);
	pr_audit_stats(a, &st);
	ck_assert_uint_eq(st.refused, 1);
	ck_assert_uint_eq(st.dropped, 2);
	while (!ok && pr_clock_now() < until) {
		ok = pr_audit_healthy(a) && allow(a);
		usleep(1000);
	}
	ck_assert(ok);
	pr_audit_close(a);
	expect_intact(1, 2);
}
END_TEST

/* --- many callers ---------------------------------------------------------- */

struct caller {
	pthread_t thread;
	struct pr_audit *a;
	_Atomic unsigned *done;
	unsigned n, now;
	bool rounds;
};

static void *
call(void *arg)
{
	struct caller *c = arg;
	unsigned in_round = 0;
	char name[32];

	for (unsigned i = 0; i < 200; i++) {
		struct pr_record r = record(PR_DENY);

		/* half of them write in rounds, if the log has such */
		if (c->n % 2 == 0 && i % 5 == 0) {
			ck_assert(
			    !c->rounds || pr_audit_round_end(c->a, in_round));
			c->now += in_round;
			in_round = 0;
			c->rounds = pr_audit_round(c->a);
		}
		r.id = PR_STR("id");
		snprintf(name, sizeof name, "%u-%u", c->n, i);
		r.subject.name = pr_str_of(name);
		ck_assert_int_eq(
		    pr_audit_append(c->a, &r, NULL, NULL), PR_AUDIT_DONE);
		r.verdict = PR_ALLOW;
		switch (pr_audit_append(c->a, &r, count_done, c->done)) {
		case PR_AUDIT_DONE:
			c->now++;
			break;
		case PR_AUDIT_WAIT:
			break;
		case PR_AUDIT_ROUND:
			in_round++;
			break;
		case PR_AUDIT_FAILED:
			ck_abort_msg("refused");
		}
		pr_audit_outcome(c->a,
		    &(struct pr_outcome){.id = PR_STR("id"), .status = 200});
	}
	if (c->rounds)
		ck_assert(pr_audit_round_end(c->a, in_round));
	c->now += in_round;
	return NULL;
}

START_TEST(many_callers_share_one_chain)
{
	enum {
		CALLERS = 8
	};
	struct pr_audit *a =
	    open_log(_i != 0 ? PR_AUDIT_SYNC_NONE : PR_AUDIT_SYNC_GROUP, 65536);
	struct caller callers[CALLERS];
	_Atomic unsigned done = 0;
	unsigned now = 0;
	struct pr_log_report r;

	for (unsigned i = 0; i < CALLERS; i++) {
		callers[i] = (struct caller){.a = a, .done = &done, .n = i};
		ck_assert_int_eq(
		    pthread_create(&callers[i].thread, NULL, call, &callers[i]),
		    0);
	}
	for (unsigned i = 0; i < CALLERS; i++) {
		pthread_join(callers[i].thread, NULL);
		now += callers[i].now;
	}
	pr_audit_close(a);
	ck_assert_uint_eq(done + now, CALLERS * 200);
	r = prove();
	ck_assert_msg(r.intact, "%s: %s", r.file, r.what);
	ck_assert_uint_eq(r.decisions, CALLERS * 400);
	ck_assert_uint_eq(r.outcomes, CALLERS * 200);
	pr_log_report_fini(&r);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("audit");
	TCase *tc = tcase_create("writer");

	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(
	    tc, an_allow_is_in_the_log_when_the_caller_is_told, 0, 2);
	tcase_add_test(tc, a_record_has_its_fields);
	tcase_add_test(tc, level_none_drops_facts_and_never_the_record);
	tcase_add_test(tc, any_bytes_make_one_line_of_json);
	tcase_add_test(tc, long_strings_are_clipped_and_counted);
	tcase_add_test(tc, denials_leave_first_and_are_written);
	tcase_add_loop_test(tc, a_flood_is_folded_into_a_count, 0, 2);
	tcase_add_test(tc, outcomes_are_records);
	tcase_add_loop_test(tc, segments_rotate_and_stay_one_chain, 0, 2);
	tcase_add_test(tc, one_writer_a_chain);
	tcase_add_loop_test(tc, a_wrong_configuration_is_refused, 0,
	    (int)PR_COUNT(bad_configs));
	tcase_add_loop_test(
	    tc, without_a_log_nothing_is_allowed_and_it_recovers_alone, 0, 2);
	tcase_add_test(tc, a_removed_folder_is_noticed_before_the_next_allow);
	tcase_add_test(tc, a_torn_tail_is_declared_and_the_chain_goes_on);
	tcase_add_test(tc, damage_is_never_declared_as_a_torn_tail);
	tcase_add_test(tc, equal_values_have_equal_masks);
	tcase_add_test(tc, a_round_is_written_at_its_end);
	tcase_add_test(tc, a_round_that_cannot_be_written_is_told_and_declared);
	tcase_add_loop_test(tc, many_callers_share_one_chain, 0, 2);
	suite_add_tcase(s, tc);
	return unit_run(s);
}
