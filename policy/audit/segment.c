/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files of a chain.  A segment is made under a name that no reader looks
 * at, with its first line, synced, then named, then the directory is synced:
 * so every segment that has a name has its header.  After an error a file is
 * never written or trusted again; the next header says how much of it counts.
 */
#include "segment.h"

#include <sys/file.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <portreeve/clock.h>
#include <portreeve/version.h>

void
pr_segment_init(struct segment *s)
{
	s->dirfd = s->lockfd = s->fd = -1;
}

static void
shut(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static int
open_dir(struct segment *s, struct pr_err **err)
{
	if (s->dirfd >= 0)
		return 0;
	if (mkdir(s->dir, 0700) != 0 && errno != EEXIST && errno != EROFS)
		return pr_err_set(err, PR_ERR_IO, errno, "%s: mkdir: %s",
		    s->dir, strerror(errno));
	s->dirfd = open(s->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->dirfd < 0)
		return pr_err_set(
		    err, PR_ERR_IO, errno, "%s: %s", s->dir, strerror(errno));
	return 0;
}

/* One writer a chain: two would break it without noticing. */
static int
take_lock(struct segment *s, struct pr_err **err)
{
	char name[64];

	if (s->lockfd >= 0)
		return 0;
	(void)snprintf(name, sizeof name, ".%s.lock", s->door);
	s->lockfd = openat(
	    s->dirfd, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (s->lockfd < 0)
		return pr_err_set(err, PR_ERR_IO, errno, "%s/%s: %s", s->dir,
		    name, strerror(errno));
	if (flock(s->lockfd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	shut(&s->lockfd);
	return pr_err_set(err, PR_ERR_DENIED, errno,
	    "%s: another process writes the log of door %s", s->dir, s->door);
}

int
pr_segment_write(struct segment *s, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t got = write(s->fd, p, n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) {
			if (got == 0)
				errno = ENOSPC;
			return -1;
		}
		p += got;
		n -= (size_t)got;
	}
	return 0;
}

/* Is the file that we write the one that a reader would find? */
static int
in_place(const struct segment *s)
{
	char path[4096];
	struct stat ours, theirs;
	int n = snprintf(path, sizeof path, "%s/%s", s->dir, s->name);

	if (n < 0 || (size_t)n >= sizeof path) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if (fstat(s->fd, &ours) != 0 || stat(path, &theirs) != 0)
		return -1;
	if (ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino)
		return 0;
	errno = ESTALE;
	return -1;
}

void
pr_segment_put(struct segment *s, struct pr_buf *out, enum line_type type,
    struct pr_str body)
{
	uint64_t mark = s->durable != s->marked ? s->durable : 0;
	char *p = pr_buf_reserve(out, LINE_HEADROOM + body.n + 1);
	size_t n = pr_line_head(p, type, s->at.seq + 1, s->at.hash, mark);

	s->marked = s->durable;
	memcpy(p + n, body.p, body.n);
	n += body.n;
	pr_sha256(p, n, s->at.hash);
	p[n++] = '\n';
	pr_buf_grew(out, n);
	s->at.seq++;
	s->at.offset += n;
}

void
pr_segment_put_signed(struct segment *s, struct pr_buf *out, struct pr_str body,
    const struct pr_private_key *k)
{
	uint64_t mark = s->durable != s->marked ? s->durable : 0;
	char text[4 * ((PR_SIGNATURE_LEN + 2) / 3) + 1], head[LINE_HEADROOM];
	uint8_t sig[PR_SIGNATURE_LEN];
	size_t from = out->n;

	pr_buf_add(out, head,
	    pr_line_head(
		head, LINE_CHECKPOINT, s->at.seq + 1, s->at.hash, mark));
	pr_buf_str(out, body);
	s->marked = s->durable;
	pr_sign(k, (struct pr_str){out->p + from, out->n - from}, sig);
	pr_base64_encode(sig, sizeof sig, text);
	pr_buf_printf(out, ",\"signature\":\"%s\"}", text);
	pr_sha256(out->p + from, out->n - from, s->at.hash);
	pr_buf_char(out, '\n');
	s->at.seq++;
	s->at.offset += out->n - from;
}

int
pr_segment_sync(const struct segment *s)
{
	while (fdatasync(s->fd) != 0) {
		if (errno != EINTR)
			return -1;
	}
	return in_place(s);
}

void
pr_segment_commit(struct segment *s)
{
	s->good = s->at;
	s->used = true;
}

static void
put_previous(const struct segment *s, struct pr_buf *b)
{
	char hex[PR_SHA256_HEX];

	if (s->previous.file[0] == '\0') {
		pr_buf_cstr(b, ",\"previous\":null");
		return;
	}
	pr_buf_cstr(b, ",\"previous\":{\"file\":");
	pr_buf_json(b, pr_str_of(s->previous.file));
	pr_buf_cstr(b, ",\"bytes\":");
	pr_buf_u64(b, s->previous.bytes);
	pr_buf_cstr(b, ",\"state\":");
	pr_buf_json(b, pr_str_of(s->previous.state));
	if (s->previous.tail > 0) {
		pr_hex(s->previous.tail_hash, PR_SHA256_LEN, hex);
		pr_buf_cstr(b, ",\"tail\":");
		pr_buf_u64(b, s->previous.tail);
		pr_buf_cstr(b, ",\"tail_sha256\":");
		pr_buf_json(b, pr_str_of(hex));
	}
	pr_buf_char(b, '}');
}

/* The first line of a segment; `at` becomes the chain's end after it. */
static void
put_header(const struct segment *s, int64_t wall, struct pr_buf *b,
    struct chain_end *at)
{
	char time[28] = "", head[LINE_HEADROOM];
	size_t n = pr_line_head(
	    head, LINE_SEGMENT, s->good.seq + 1, s->good.hash, s->durable);

	pr_record_time(wall, time);
	pr_buf_add(b, head, n);
	pr_buf_cstr(b, "\"time\":\"");
	pr_buf_cstr(b, time);
	pr_buf_char(b, '"');
	pr_buf_str(b, s->constants);
	pr_buf_cstr(b, ",\"format\":\"portreeve.decision/1\",\"version\":");
	pr_buf_json(b, PR_STR(PR_VERSION));
	pr_buf_cstr(b, ",\"chain\":");
	pr_buf_json(b, pr_str_of(s->chain));
	put_previous(s, b);
	pr_buf_char(b, '}');
	at->seq = s->good.seq + 1;
	pr_sha256(b->p, b->n, at->hash);
	pr_buf_char(b, '\n');
	at->offset = b->n;
}

/* The file under its passing name, with its header on the disk; or -1. */
static int
make_file(struct segment *s, const char *passing, struct pr_str header)
{
	unlinkat(s->dirfd, passing, 0); /* of a process that died here */
	s->fd = openat(s->dirfd, passing,
	    O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC | O_NOFOLLOW,
	    0600);
	if (s->fd < 0)
		return -1;
	if (pr_segment_write(s, header.p, header.n) != 0 ||
	    fdatasync(s->fd) != 0 ||
	    renameat(s->dirfd, passing, s->dirfd, s->name) != 0) {
		int saved = errno;

		unlinkat(s->dirfd, passing, 0);
		errno = saved;
		return -1;
	}
	/* the name must be as durable as the lines that will stand under it */
	if (fsync(s->dirfd) != 0 || in_place(s) != 0) {
		int saved = errno;

		unlinkat(s->dirfd, s->name, 0);
		errno = saved;
		return -1;
	}
	return 0;
}

static int
create(struct segment *s, struct pr_err **err)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf header = PR_BUF_INIT;
	int64_t wall = pr_clock_wall();
	char time[28] = "", passing[64];
	struct chain_end at;

	put_header(s, wall, &header, &at);
	pr_record_time(wall, time);
	/* numbers first: names sort as the chain goes, whatever the clock does */
	(void)snprintf(s->name, sizeof s->name,
	    "%s-%012llu-%.4s%.2s%.2sT%.2s%.2s%.2s.%.6sZ" SEGMENT_EXT, s->door,
	    (unsigned long long)at.seq, time, time + 5, time + 8, time + 11,
	    time + 14, time + 17, time + 20);
	(void)snprintf(passing, sizeof passing, ".%s.new", s->door);
	if (make_file(s, passing, pr_buf_view(&header)) != 0) {
		int saved = errno;

		shut(&s->fd);
		return pr_err_set(err, PR_ERR_IO, saved, "%s/%s: %s", s->dir,
		    s->name, strerror(saved));
	}
	s->at = s->good = at;
	s->marked = s->durable;
	s->durable = at.seq;
	s->used = false;
	return 0;
}

int
pr_segment_begin(struct segment *s, struct pr_err **err)
{
	if (open_dir(s, err) != 0 || take_lock(s, err) != 0)
		return -1;
	if (!s->found && pr_segment_find_end(s, err) != 0)
		return -1;
	s->found = true;
	if (s->chain[0] == '\0')
		pr_uuid7(pr_clock_wall(), s->chain);
	return create(s, err);
}

static void
end(struct segment *s, const char *state)
{
	shut(&s->fd);
	memcpy(s->previous.file, s->name, sizeof s->name);
	s->previous.bytes = s->good.offset;
	s->previous.state = state;
	s->previous.tail = 0;
}

void
pr_segment_finish(struct segment *s)
{
	end(s, "closed");
}

void
pr_segment_abandon(struct segment *s)
{
	if (s->fd >= 0)
		end(s, "abandoned");
	/* the directory itself may be another one by now */
	shut(&s->lockfd);
	shut(&s->dirfd);
}

void
pr_segment_close(struct segment *s)
{
	shut(&s->fd);
	shut(&s->lockfd);
	shut(&s->dirfd);
}
