/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the chain ended when the last process did.  A crash can only have
 * hurt what was written after the last fdatasync; the first line written
 * after one names the last durable line ("durable").  So a break behind which
 * no line claims to have been durable is a torn tail: it is declared in the
 * next header (with its digest) and left where it lies.  A break in front of
 * such a line is no crash: nothing is declared, and the verifier finds it.
 */
#include <sys/mman.h>
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <portreeve/audit_read.h>
#include <portreeve/log.h>

#include "segment.h"

struct scan {
	struct chain_end good; /* end of the unbroken front */
	struct chain_end last; /* end of the last line that reads as one */
	bool any, any_last;
	uint64_t durable;        /* the highest that a line claims */
	uint64_t claimed_behind; /* the same, of lines behind the break */
};

static void
line_end(struct chain_end *e, const struct line_head *h, struct pr_str line,
    uint64_t offset)
{
	e->seq = h->seq;
	e->offset = offset + line.n + 1;
	pr_sha256(line.p, line.n, e->hash);
}

static bool
follows(const struct chain_end *e, const struct line_head *h)
{
	char hex[PR_SHA256_HEX];

	pr_hex(e->hash, PR_SHA256_LEN, hex);
	return h->seq == e->seq + 1 && strcmp(hex, h->prev) == 0;
}

static struct scan
scan_segment(struct pr_str text)
{
	struct scan sc = {0};
	uint64_t offset = 0;
	bool broken = false;

	while (offset < text.n) {
		struct pr_str rest = pr_str_sub(text, offset, text.n);
		struct pr_str line =
		    pr_str_sub(rest, 0, pr_str_find(rest, '\n'));
		struct line_head h;

		if (line.n == rest.n)
			break; /* no newline: torn */
		if (!pr_line_read(line, &h)) {
			broken = true;
		} else {
			if (sc.any && !broken && !follows(&sc.good, &h))
				broken = true;
			line_end(&sc.last, &h, line, offset);
			sc.any_last = true;
			if (!broken) {
				sc.good = sc.last;
				sc.any = true;
				if (h.durable > sc.durable)
					sc.durable = h.durable;
			} else if (h.durable > sc.claimed_behind) {
				sc.claimed_behind = h.durable;
			}
		}
		offset += line.n + 1;
	}
	return sc;
}

static void
declare_tail(struct segment *s, struct pr_str text)
{
	struct pr_str tail = pr_str_sub(text, s->good.offset, text.n);

	s->previous.tail = tail.n;
	if (tail.n == 0) {
		s->previous.state = "closed";
		return;
	}
	s->previous.state = "torn";
	pr_sha256(tail.p, tail.n, s->previous.tail_hash);
	pr_log(PR_LOG_WARNING,
	    "%s/%s: torn tail: %llu bytes after record %llu do not count; "
	    "the next segment says so",
	    s->dir, s->previous.file, (unsigned long long)tail.n,
	    (unsigned long long)s->good.seq);
}

/* The chain's id from the header, so that two logs cannot be spliced. */
static void
adopt_chain(struct segment *s, struct pr_str text)
{
	static const char key[] = "\"chain\":\"";
	struct pr_str line = pr_str_sub(text, 0, pr_str_find(text, '\n'));
	const char *at =
	    line.n > 0 ? memmem(line.p, line.n, key, sizeof key - 1) : NULL;

	if (at == NULL ||
	    (size_t)(line.p + line.n - at) < sizeof key - 1 + PR_UUID_LEN)
		return; /* a new id is made: the verifier sees the break */
	memcpy(s->chain, at + sizeof key - 1, PR_UUID_LEN - 1);
	s->chain[PR_UUID_LEN - 1] = '\0';
	for (size_t i = 0; i < PR_UUID_LEN - 1; i++) {
		if (strchr("0123456789abcdef-", s->chain[i]) == NULL) {
			s->chain[0] = '\0';
			return;
		}
	}
}

/* The number in a segment's name: what sorts it. */
static uint64_t
name_seq(const struct segment *s)
{
	return strtoull(s->previous.file + strlen(s->door) + 1, NULL, 10);
}

static void
conclude(struct segment *s, struct pr_str text)
{
	struct scan sc = scan_segment(text);
	bool crash = sc.any && sc.claimed_behind < sc.good.seq + 1;

	adopt_chain(s, text);
	if (crash) {
		s->good = sc.good;
		s->durable = s->good.seq;
		s->previous.bytes = s->good.offset;
		declare_tail(s, text);
		return;
	}
	s->previous.state = "damaged";
	if (sc.any_last)
		s->good = sc.last;
	if (s->good.seq < name_seq(s))
		s->good.seq = name_seq(s);
	s->durable = 0;
	s->previous.bytes = s->good.offset;
	pr_log(PR_LOG_ERROR,
	    "%s/%s: this segment was damaged after it was written; run "
	    "`portreeve log verify`. A new segment is begun",
	    s->dir, s->previous.file);
}

static int
read_end(struct segment *s, struct pr_err **err)
{
	int fd = openat(s->dirfd, s->previous.file, O_RDONLY | O_CLOEXEC);
	struct stat st;
	char *p = NULL;

	if (fd < 0 || fstat(fd, &st) != 0) {
		pr_err_set(err, PR_ERR_IO, errno, "%s/%s: %s", s->dir,
		    s->previous.file, strerror(errno));
		if (fd >= 0)
			close(fd);
		return -1;
	}
	if (st.st_size > 0) {
		/* ours alone (the lock): nobody cuts it under the mapping */
		p = mmap(
		    NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
		if (p == MAP_FAILED) {
			close(fd);
			return pr_err_set(err, PR_ERR_IO, errno,
			    "%s/%s: mmap: %s", s->dir, s->previous.file,
			    strerror(errno));
		}
	}
	conclude(s, (struct pr_str){p, (size_t)st.st_size});
	if (p != NULL)
		munmap(p, (size_t)st.st_size);
	/* what we build on shall be on the disk before we do */
	if (fdatasync(fd) != 0) {
		pr_err_set(err, PR_ERR_IO, errno, "%s/%s: fdatasync: %s",
		    s->dir, s->previous.file, strerror(errno));
		close(fd);
		return -1;
	}
	close(fd);
	return 0;
}

int
pr_segment_find_end(struct segment *s, struct pr_err **err)
{
	DIR *d = opendir(s->dir);
	const struct dirent *e;

	if (d == NULL)
		return pr_err_set(
		    err, PR_ERR_IO, errno, "%s: %s", s->dir, strerror(errno));
	s->previous.file[0] = '\0';
	s->good = (struct chain_end){0};
	s->durable = 0;
	while ((e = readdir(d)) != NULL) {
		size_t n = strlen(e->d_name);

		if (pr_log_is_segment(e->d_name, s->door) &&
		    n < sizeof s->previous.file &&
		    strcmp(e->d_name, s->previous.file) > 0)
			memcpy(s->previous.file, e->d_name, n + 1);
	}
	closedir(d);
	return s->previous.file[0] != '\0' ? read_end(s, err) : 0;
}
