/* SPDX-License-Identifier: Apache-2.0 */
/* Segments by name, and their lines. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <portreeve/audit_read.h>

#include "local.h"

static bool
digits(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (s[i] < '0' || s[i] > '9')
			return false;
	}
	return true;
}

bool
pr_log_is_segment(const char *name, const char *door)
{
	/* -000000000001-20261122T103228.123456Z.jsonl */
	static const char rest[] =
	    "-000000000000-00000000T000000.000000Z" SEGMENT_EXT;
	const char *dash = strchr(name, '-');

	if (dash == NULL || dash == name || dash - name > 32 ||
	    strlen(dash) != sizeof rest - 1 ||
	    (door != NULL &&
		((size_t)(dash - name) != strlen(door) ||
		    memcmp(name, door, strlen(door)) != 0)))
		return false;
	for (size_t i = 0; i < sizeof rest - 1; i++) {
		if (rest[i] == '0' ? !digits(dash + i, 1) : dash[i] != rest[i])
			return false;
	}
	return true;
}

void
pr_log_door(const char *name, char out[64])
{
	size_t n = strcspn(name, "-");

	if (n > 32 || !pr_log_is_segment(name, NULL))
		n = 0;
	memcpy(out, name, n);
	out[n] = '\0';
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int
pr_log_files(const char *dir, const char *door, struct pr_log_files *out,
    struct pr_err **err)
{
	DIR *d = opendir(dir);
	const struct dirent *e;
	size_t cap = 0;

	*out = (struct pr_log_files){0};
	if (d == NULL)
		return pr_err_set(
		    err, PR_ERR_IO, errno, "%s: %s", dir, strerror(errno));
	while ((e = readdir(d)) != NULL) {
		if (!pr_log_is_segment(e->d_name, door))
			continue;
		out->names =
		    pr_grow(out->names, out->n, &cap, sizeof *out->names);
		out->names[out->n++] = pr_xstrdup(e->d_name);
	}
	closedir(d);
	if (out->n > 0)
		qsort(out->names, out->n, sizeof *out->names, by_name);
	return 0;
}

void
pr_log_files_free(struct pr_log_files *f)
{
	for (size_t i = 0; i < f->n; i++)
		free(f->names[i]);
	free(f->names);
	*f = (struct pr_log_files){0};
}

/* --- lines --------------------------------------------------------------- */

struct pr_log_stream {
	int fd;
	char *p;
	size_t from, to, cap; /* p[from..to) was read and not yet given */
	uint64_t offset;      /* of p[from] in the file */
	size_t given;         /* bytes of the line that is borrowed out */
};

struct pr_log_stream *
pr_log_stream_open(const char *path, struct pr_err **err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct pr_log_stream *s;

	if (fd < 0) {
		pr_err_set(
		    err, PR_ERR_IO, errno, "%s: %s", path, strerror(errno));
		return NULL;
	}
	s = pr_xcalloc(1, sizeof *s);
	s->fd = fd;
	return s;
}

void
pr_log_stream_free(struct pr_log_stream *s)
{
	if (s == NULL)
		return;
	close(s->fd);
	free(s->p);
	free(s);
}

/* Reads more; 1: some, 0: there is none, -1. */
static int
fill(struct pr_log_stream *s, struct pr_err **err)
{
	ssize_t got;

	if (s->from > 0 && s->p != NULL) {
		memmove(s->p, s->p + s->from, s->to - s->from);
		s->to -= s->from;
		s->from = 0;
	}
	if (s->to == s->cap) {
		s->cap = s->cap == 0 ? 65536 : s->cap * 2;
		s->p = pr_xrealloc(s->p, s->cap);
	}
	do
		got = read(s->fd, s->p + s->to, s->cap - s->to);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return pr_err_set(
		    err, PR_ERR_IO, errno, "read: %s", strerror(errno));
	s->to += (size_t)got;
	return got > 0;
}

enum pr_log_got
pr_log_stream_next(struct pr_log_stream *s, struct pr_str *line,
    uint64_t *offset, struct pr_err **err)
{
	size_t seen = 0;

	s->from += s->given;
	s->offset += s->given;
	s->given = 0;
	for (;;) {
		size_t n = s->to - s->from;
		const char *at = s->p != NULL ? s->p + s->from : NULL;
		const char *end = at != NULL && n > seen
		    ? memchr(at + seen, '\n', n - seen)
		    : NULL;
		int more;

		*offset = s->offset;
		if (end != NULL) {
			*line = (struct pr_str){at, (size_t)(end - at)};
			s->given = line->n + 1;
			return line->n <= PR_CAP_LOG_LINE ? PR_LOG_GOT_LINE
							  : PR_LOG_GOT_TAIL;
		}
		seen = n;
		more = n > PR_CAP_LOG_LINE ? 0 : fill(s, err);
		if (more < 0)
			return PR_LOG_GOT_ERROR;
		if (more == 0) {
			*line = (struct pr_str){
			    s->p != NULL ? s->p + s->from : NULL, n};
			return n > 0 ? PR_LOG_GOT_TAIL : PR_LOG_GOT_END;
		}
	}
}
