/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The proof on small logs with one thing done to them each; everything that
 * can be done to a larger one is test/integration/audit_tamper.sh.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <portreeve/audit_read.h>

#include "unit.h"

#define HEAD   ",\"format\":\"portreeve.decision/1\",\"version\":\"0\",\"chain\":"
#define CHAIN  "\"01a202e6-4011-7000-a06b-e3c8345a9e71\""
#define SPLICE "\"01a202e6-4011-7000-a06b-e3c8345a9e72\""
#define ONE    "plugin-000000000001-20261122T101637.123456Z.jsonl"
#define TWO    "plugin-000000000004-20261122T101638.123456Z.jsonl"

static const char decision[] = ",\"latency_us\":1,\"subject\":{},\"verdict\":"
			       "\"allow\",\"reason\":\"grant\","
			       "\"ids\":{}";

static char dir[300];

struct chain {
	uint64_t seq;
	char hash[PR_SHA256_HEX];
	struct pr_buf b; /* of the segment at hand */
};

static void
setup(void)
{
	const char *tmp = getenv("TMPDIR");

	(void)snprintf(dir, sizeof dir, "%s/pr-verify-XXXXXX",
	    tmp != NULL && strlen(tmp) < 200 ? tmp : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(dir));
}

static void
remove_file(const char *name)
{
	char path[400];

	(void)snprintf(path, sizeof path, "%s/%s", dir, name);
	unlink(path);
}

static void
teardown(void)
{
	remove_file(ONE);
	remove_file(TWO);
	rmdir(dir);
}

static void
add(struct chain *c, const char *type, const char *rest)
{
	uint8_t hash[PR_SHA256_LEN];
	size_t from = c->b.n;

	if (c->seq == 0)
		memset(c->hash, '0', sizeof c->hash - 1);
	pr_buf_printf(&c->b,
	    "{\"type\":\"%s\",\"seq\":%llu,\"prev\":\"%s\",\"time\":\"t\","
	    "\"door\":\"plugin\"%s}",
	    type, (unsigned long long)++c->seq, c->hash, rest);
	pr_sha256(c->b.p + from, c->b.n - from, hash);
	pr_hex(hash, sizeof hash, c->hash);
	pr_buf_char(&c->b, '\n');
}

static void
store(const char *name, struct pr_str bytes)
{
	char path[400];
	int fd;

	(void)snprintf(path, sizeof path, "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, bytes.p, bytes.n), (ssize_t)bytes.n);
	close(fd);
}

/* Two segments of three lines each; `tail` behind the first one's lines. */
struct spec {
	const char *state, *extra; /* of previous */
	const char *tail;
	const char *chain;       /* of the second segment */
	const char *type, *rest; /* of its last line */
	long bytes;              /* more than there are */
	bool intact;
	const char *says; /* part of what, or of the notes */
};

static const struct spec specs[] = {
    {"closed", "", "", CHAIN, "decision", decision, 0, true, NULL},
    {"closed", "", "x", CHAIN, "decision", decision, 0, false, "added"},
    {"closed", "", "", CHAIN, "decision", decision, 9, false, "ends here"},
    {"closed", "", "", CHAIN, "decision", decision, -9, false, ""},
    {"closed", "", "", SPLICE, "decision", decision, 0, false, "another chain"},
    {"abandoned", "", "half a li", CHAIN, "decision", decision, 0, true,
	"gave the segment up"},
    {"torn",
	",\"tail\":1,\"tail_sha256\":\"2d711642b726b04401627ca9fbac32f5c853"
	"0fb1903cc4db02258717921a4881\"",
	"x", CHAIN, "decision", decision, 0, true, "a crash tore"},
    {"torn",
	",\"tail\":1,\"tail_sha256\":\"2d711642b726b04401627ca9fbac32f5c853"
	"0fb1903cc4db02258717921a4881\"",
	"y", CHAIN, "decision", decision, 0, false, "added or changed"},
    {"torn", "", "x", CHAIN, "decision", decision, 0, false, "added"},
    {"damaged", "", "", CHAIN, "decision", decision, 0, false, "damaged"},
    {"whatever", "", "", CHAIN, "decision", decision, 0, false, ""},
    {"closed", "", "", CHAIN, "checkpoint", decision, 0, false,
	"no checkpoint"},
    {"closed", "", "", CHAIN, "seal", decision, 0, false, "no line of the log"},
    {"closed", "", "", CHAIN, "segment", "", 0, false, "first line"},
    {"closed", "", "", CHAIN, "decision", "", 0, false, "missing"},
    {"closed", "", "", CHAIN, "decision", ",\"verdict\":1", 0, false, ""},
    {"closed", "", "", CHAIN, "outcome", ",\"status\":\"x\"", 0, false, ""},
    {"closed", "", "", CHAIN, "loss", ",\"refused\":1,\"lost\":2,\"dropped\":3",
	0, true, "loss"},
};

static struct chain
write_two(const struct spec *s)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf head = PR_BUF_INIT;
	struct chain c = {0};
	long bytes;

	add(&c, "segment", HEAD CHAIN ",\"previous\":null");
	add(&c, "decision", decision);
	add(&c, "decision", decision);
	bytes = (long)c.b.n + s->bytes;
	pr_buf_cstr(&c.b, s->tail);
	store(ONE, pr_buf_view(&c.b));
	pr_buf_reset(&c.b);
	pr_buf_printf(&head,
	    HEAD "%s,\"previous\":{\"file\":\"" ONE
		 "\",\"bytes\":%ld,\"state\":\"%s\"%s}",
	    s->chain, bytes, s->state, s->extra);
	add(&c, "segment", head.p);
	add(&c, "decision", decision);
	add(&c, s->type, s->rest);
	store(TWO, pr_buf_view(&c.b));
	return c;
}

static struct pr_log_report
prove(bool partial, const struct pr_log_head *head)
{
	struct pr_log_report r;

	ck_assert_int_eq(
	    pr_log_verify(dir, "plugin", partial, head, &r, NULL), 0);
	return r;
}

START_TEST(what_is_behind_a_segment_must_be_what_the_next_one_says)
{
	const struct spec *s = &specs[_i];
	struct chain c = write_two(s);
	struct pr_log_report r = prove(false, NULL);
	const char *said = r.intact ? r.notes.p : r.what;

	ck_assert_msg(r.intact == s->intact, "%d: %s", _i, r.what);
	if (s->says != NULL)
		ck_assert_msg(said != NULL && strstr(said, s->says) != NULL,
		    "%d: %s", _i, said);
	pr_log_report_fini(&r);
	pr_buf_fini(&c.b);
}
END_TEST

START_TEST(a_changed_record_is_named_with_file_and_byte)
{
	struct chain c = write_two(&specs[0]);
	char path[400];
	struct pr_log_report r;
	int fd;

	(void)snprintf(path, sizeof path, "%s/%s", dir, TWO);
	fd = open(path, O_RDWR);
	ck_assert_int_eq(
	    pwrite(fd, "T", 1, (off_t)(strchr(c.b.p, '\n') - c.b.p) + 120), 1);
	close(fd);
	r = prove(false, NULL);
	ck_assert(!r.intact);
	ck_assert_uint_eq(r.seq, 5);
	ck_assert_str_eq(r.file, TWO);
	ck_assert_uint_eq(
	    r.offset, (uint64_t)(strchr(c.b.p, '\n') - c.b.p) + 1);
	pr_log_report_fini(&r);
	pr_buf_fini(&c.b);
}
END_TEST

START_TEST(a_missing_first_segment_must_be_meant)
{
	struct chain c = write_two(&specs[0]);
	struct pr_log_report r;

	remove_file(ONE);
	r = prove(false, NULL);
	ck_assert(!r.intact);
	pr_log_report_fini(&r);
	r = prove(true, NULL);
	ck_assert(r.intact);
	ck_assert_uint_eq(r.first_seq, 4);
	pr_log_report_fini(&r);
	pr_buf_fini(&c.b);
}
END_TEST

START_TEST(a_head_that_was_kept_finds_a_log_cut_short)
{
	struct chain c = write_two(&specs[0]);
	struct pr_log_report r = prove(false, NULL);
	struct pr_log_head head = r.last;

	ck_assert(r.intact);
	ck_assert_uint_eq(head.seq, 6);
	ck_assert_str_eq(head.hash, c.hash);
	pr_log_report_fini(&r);
	remove_file(TWO); /* whole segments: the rest is a chain still */
	r = prove(false, NULL);
	ck_assert(r.intact);
	ck_assert_uint_eq(r.last.seq, 3);
	pr_log_report_fini(&r);
	r = prove(false, &head);
	ck_assert(!r.intact);
	pr_log_report_fini(&r);
	pr_buf_fini(&c.b);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("audit_verify");
	TCase *tc = tcase_create("proof");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc,
	    what_is_behind_a_segment_must_be_what_the_next_one_says, 0,
	    (int)PR_COUNT(specs));
	tcase_add_test(tc, a_changed_record_is_named_with_file_and_byte);
	tcase_add_test(tc, a_missing_first_segment_must_be_meant);
	tcase_add_test(tc, a_head_that_was_kept_finds_a_log_cut_short);
	suite_add_tcase(s, tc);
	return unit_run(s);
}
