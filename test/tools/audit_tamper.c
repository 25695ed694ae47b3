/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tampers with a log in every way that can be listed and asks the verifier
 * about each.
 *
 *   audit_tamper DIR [RECORDS]
 *
 * Each bit of it flipped; each line deleted, doubled, swapped with the next,
 * moved to the end; a line of another log put before each; the file cut at
 * each byte; each segment hidden, emptied, replaced by one of another log.
 * What is done to the last line alone, nothing vouches for: the verifier must
 * then name that line, or a shorter log, as the unsealed end, and the head
 * that was kept elsewhere must find it in every case.
 */
#include <sys/stat.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <portreeve/arena.h>
#include <portreeve/audit.h>
#include <portreeve/audit_read.h>
#include <portreeve/clock.h>
#include <portreeve/log.h>

enum {
	MAX_FILES = 64
};

/* A log as bytes. */
struct image {
	char names[MAX_FILES][96];
	struct pr_buf files[MAX_FILES];
	size_t n;
};

struct trial {
	const char *dir;
	struct image log, other;
	struct pr_log_head head;
	unsigned long tried, detected, unsealed, missed;
};

static void
fail(const char *what)
{
	perror(what);
	exit(1);
}

static void
write_log(const char *dir, unsigned records, uint64_t segment)
{
	struct pr_audit *a = pr_audit_open(&(struct pr_audit_config){.dir = dir,
					       .door = "plugin",
					       .sync = PR_AUDIT_SYNC_NONE,
					       .segment = segment},
	    NULL);
	char id[PR_UUID_LEN];

	if (a == NULL)
		fail(dir);
	for (unsigned i = 0; i < records; i++) {
		pr_uuid7(pr_clock_wall(), id);
		if (!pr_audit_append_wait(a,
			&(struct pr_record){.id = pr_str_of(id),
			    .subject = {.name = PR_STR("alice")},
			    .action = PR_STR("image.pull"),
			    .verdict = PR_ALLOW,
			    .reason = PR_REASON_GRANT},
			0))
			fail("append");
		if (segment != 0 && i % 3 == 2)
			usleep(3000); /* time for the committer to rotate */
	}
	pr_audit_close(a);
}

static void
load(const char *dir, struct image *m)
{
	struct pr_log_files f;

	if (pr_log_files(dir, "plugin", &f, NULL) != 0 || f.n > MAX_FILES)
		fail(dir);
	for (size_t i = 0; i < f.n; i++) {
		char path[4200];
		int fd;
		ssize_t got;

		snprintf(m->names[i], sizeof m->names[i], "%s", f.names[i]);
		snprintf(path, sizeof path, "%s/%s", dir, f.names[i]);
		fd = open(path, O_RDONLY);
		got = read(fd, pr_buf_reserve(&m->files[i], 1 << 20), 1 << 20);
		if (fd < 0 || got < 0)
			fail(path);
		pr_buf_grew(&m->files[i], (size_t)got);
		close(fd);
	}
	m->n = f.n;
	pr_log_files_free(&f);
}

static void
store(const char *dir, const char *name, struct pr_str bytes)
{
	char path[4200];
	int fd;

	snprintf(path, sizeof path, "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd < 0 || write(fd, bytes.p, bytes.n) != (ssize_t)bytes.n)
		fail(path);
	close(fd);
}

static void
hide(const char *dir, const char *name)
{
	char path[4200];

	snprintf(path, sizeof path, "%s/%s", dir, name);
	unlink(path);
}

/*
 * Asks the verifier about what lies in the folder now.  `last` is true when
 * only the last line, or what follows the lines before it, was touched.
 */
static void
judge(struct trial *t, bool last, const char *what, size_t at)
{
	struct pr_log_report r;

	t->tried++;
	if (pr_log_verify(t->dir, "plugin", false, NULL, &r, NULL) != 0)
		fail("verify");
	if (!r.intact) {
		t->detected++;
		pr_log_report_fini(&r);
		return;
	}
	/* intact: then the end that it names is not the one that was */
	if (last && strcmp(r.last.hash, t->head.hash) != 0)
		t->unsealed++;
	else {
		t->missed++;
		printf("not detected: %s at %zu\n", what, at);
	}
	pr_log_report_fini(&r);
	if (pr_log_verify(t->dir, "plugin", false, &t->head, &r, NULL) != 0)
		fail("verify");
	if (r.intact) {
		t->missed++;
		printf("not detected with the head: %s at %zu\n", what, at);
	}
	pr_log_report_fini(&r);
}

static size_t
last_line(struct pr_str s)
{
	size_t i = s.n - 1;

	while (i > 0 && s.p[i - 1] != '\n')
		i--;
	return i;
}

static void
flip_bits(struct trial *t, size_t file)
{
	struct pr_buf *b = &t->log.files[file];
	bool newest = file + 1 == t->log.n;
	size_t tail = last_line(pr_buf_view(b));

	for (size_t i = 0; i < b->n; i++) {
		for (unsigned bit = 0; bit < 8; bit++) {
			b->p[i] = (char)(b->p[i] ^ (1 << bit));
			store(t->dir, t->log.names[file], pr_buf_view(b));
			/* a newline gone or come changes where lines end */
			judge(t, newest && i + 1 >= tail, "bit", i);
			b->p[i] = (char)(b->p[i] ^ (1 << bit));
		}
	}
	store(t->dir, t->log.names[file], pr_buf_view(b));
}

static void
cut(struct trial *t, size_t file)
{
	const struct pr_buf *b = &t->log.files[file];
	bool newest = file + 1 == t->log.n;

	for (size_t i = 0; i < b->n; i++) {
		store(t->dir, t->log.names[file], (struct pr_str){b->p, i});
		/* a log that lost its end is a shorter log: see above */
		judge(t, newest, "cut", i);
	}
	store(t->dir, t->log.names[file], pr_buf_view(b));
}

/* Lines [a,b) and [b,c) of the file in another arrangement. */
enum edit {
	DELETE,
	DOUBLE,
	SWAP,
	MOVE,
	FOREIGN,
	EDITS
};

static void
edit_line(struct trial *t, size_t file, size_t a, size_t b, enum edit how)
{
	static const char *const names[] = {
	    "delete", "double", "swap", "move", "foreign line"};
	PR_CLEANUP(pr_buf_fini) struct pr_buf out = PR_BUF_INIT;
	struct pr_str all = pr_buf_view(&t->log.files[file]);
	struct pr_str front = pr_str_sub(all, 0, a);
	struct pr_str line = pr_str_sub(all, a, b);
	struct pr_str rest = pr_str_sub(all, b, all.n);
	size_t next = pr_str_find(rest, '\n') + 1;
	struct pr_str foreign = pr_buf_view(&t->other.files[0]);
	bool newest = file + 1 == t->log.n;

	if ((how == SWAP || how == MOVE) && rest.n == 0)
		return;
	pr_buf_str(&out, front);
	if (how == SWAP)
		pr_buf_str(&out, pr_str_sub(rest, 0, next));
	if (how == FOREIGN)
		pr_buf_str(
		    &out, pr_str_sub(foreign, last_line(foreign), foreign.n));
	if (how != DELETE && how != MOVE)
		pr_buf_str(&out, line);
	if (how == DOUBLE)
		pr_buf_str(&out, line);
	pr_buf_str(&out, how == SWAP ? pr_str_sub(rest, next, rest.n) : rest);
	if (how == MOVE)
		pr_buf_str(&out, line);
	store(t->dir, t->log.names[file], pr_buf_view(&out));
	judge(t, newest && how == DELETE && rest.n == 0, names[how], a);
}

static void
edit_lines(struct trial *t, size_t file)
{
	struct pr_str all = pr_buf_view(&t->log.files[file]);

	for (size_t a = 0, b; a < all.n; a = b) {
		b = a + pr_str_find(pr_str_sub(all, a, all.n), '\n') + 1;
		for (enum edit how = DELETE; how < EDITS; how++)
			edit_line(t, file, a, b, how);
	}
	store(t->dir, t->log.names[file], all);
}

static void
hide_segments(struct trial *t)
{
	for (size_t i = 0; i < t->log.n; i++) {
		struct pr_str all = pr_buf_view(&t->log.files[i]);
		bool newest = i + 1 == t->log.n;

		hide(t->dir, t->log.names[i]);
		judge(t, newest, "hidden segment", i);
		store(t->dir, t->log.names[i], (struct pr_str){"", 0});
		judge(t, false, "emptied segment", i);
		store(t->dir, t->log.names[i],
		    pr_buf_view(&t->other.files[i % t->other.n]));
		/* all of the log exchanged: only who signs could tell */
		judge(t, t->log.n == 1, "segment of another log", i);
		store(t->dir, t->log.names[i], all);
	}
}

static void
prepare(struct trial *t, const char *dir, const char *other, unsigned records,
    uint64_t segment)
{
	struct pr_log_report r;

	write_log(dir, records, segment);
	write_log(other, records, segment);
	load(dir, &t->log);
	load(other, &t->other);
	t->dir = dir;
	if (pr_log_verify(dir, "plugin", false, NULL, &r, NULL) != 0 ||
	    !r.intact)
		fail("the untouched log");
	t->head = r.last;
	printf("%zu segments, %llu lines\n", t->log.n,
	    (unsigned long long)r.lines);
	pr_log_report_fini(&r);
}

int
main(int argc, char **argv)
{
	static struct trial t;
	char dir[4096], other[4096];
	unsigned records =
	    argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 100;
	uint64_t segment = argc > 3 ? strtoull(argv[3], NULL, 10) : 0;

	if (argc < 2) {
		fputs("usage: audit_tamper DIR [RECORDS [SEGMENT]]\n", stderr);
		return 64;
	}
	pr_log_set_level(PR_LOG_ERROR);
	snprintf(dir, sizeof dir, "%s/log", argv[1]);
	snprintf(other, sizeof other, "%s/other", argv[1]);
	prepare(&t, dir, other, records, segment);
	for (size_t i = 0; i < t.log.n; i++) {
		flip_bits(&t, i);
		cut(&t, i);
		edit_lines(&t, i);
	}
	hide_segments(&t);
	printf("tried=%lu detected=%lu unsealed_tail=%lu not_detected=%lu\n",
	    t.tried, t.detected, t.unsealed, t.missed);
	return t.missed == 0 && t.detected > 0 ? 0 : 1;
}
