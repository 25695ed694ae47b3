/* SPDX-License-Identifier: Apache-2.0 */
#include "log_source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <portreeve/arena.h>
#include <portreeve/config.h>

/* One door's chain. */
struct cursor {
	char door[64];
	char file[96];  /* the segment that is read */
	uint64_t limit; /* bytes of it that count */
	struct pr_log_stream *stream;
	bool has;           /* a line waits: */
	struct pr_buf line; /* a copy */
	char time[28];
};

struct log_source {
	char *dir;
	char *door; /* or NULL */
	struct cursor *cursors;
	size_t n, cap;
	struct pr_buf given;
};

const char *
log_dir(
    struct pr_arena *a, const char *dir, const char *config, FILE *complaints)
{
	PR_CLEANUP(pr_diags_freep) struct pr_diags *ds = NULL;
	struct pr_config c;

	if (dir != NULL)
		return dir;
	if (config == NULL && access(PR_CONFIG_PATH, F_OK) != 0)
		return LOG_DEFAULT_DIR;
	ds = pr_diags_new();
	if (pr_config_load(
		config != NULL ? config : PR_CONFIG_PATH, a, &c, ds) < 0) {
		pr_diags_print(ds, complaints);
		return NULL;
	}
	return c.audit.dir;
}

struct pr_str
log_line_time(struct pr_str line)
{
	static const char key[] = "\"time\":\"";
	const char *at =
	    line.n > 0 ? memmem(line.p, line.n, key, sizeof key - 1) : NULL;
	size_t from;

	if (at == NULL)
		return (struct pr_str){NULL, 0};
	from = (size_t)(at - line.p) + sizeof key - 1;
	return pr_str_sub(line, from, from + 27);
}

static struct cursor *
cursor_of(struct log_source *s, const char *door)
{
	struct cursor *c;

	for (size_t i = 0; i < s->n; i++) {
		if (strcmp(s->cursors[i].door, door) == 0)
			return &s->cursors[i];
	}
	s->cursors = pr_grow(s->cursors, s->n, &s->cap, sizeof *s->cursors);
	c = &s->cursors[s->n++];
	*c = (struct cursor){0};
	(void)snprintf(c->door, sizeof c->door, "%s", door);
	return c;
}

/* A cursor for each door that has files. */
static int
find_doors(struct log_source *s, struct pr_err **err)
{
	PR_CLEANUP(pr_log_files_free) struct pr_log_files f = {0};
	char door[64];

	if (pr_log_files(s->dir, s->door, &f, err) != 0)
		return -1;
	for (size_t i = 0; i < f.n; i++) {
		pr_log_door(f.names[i], door);
		cursor_of(s, door);
	}
	return 0;
}

/* Moves to the segment after c->file: 1, 0: there is none, -1. */
static int
next_segment(struct log_source *s, struct cursor *c, struct pr_err **err)
{
	PR_CLEANUP(pr_log_files_free) struct pr_log_files f = {0};
	PR_CLEANUP(pr_buf_fini) struct pr_buf path = PR_BUF_INIT;
	uint64_t *limits;
	size_t i = 0;

	if (pr_log_files(s->dir, c->door, &f, err) != 0)
		return -1;
	while (i < f.n && strcmp(f.names[i], c->file) <= 0)
		i++;
	if (i == f.n)
		return 0;
	limits = pr_xcalloc(f.n, sizeof *limits);
	if (pr_log_limits(s->dir, &f, limits, err) != 0) {
		free(limits);
		return -1;
	}
	c->limit = limits[i];
	free(limits);
	(void)snprintf(c->file, sizeof c->file, "%s", f.names[i]);
	pr_buf_printf(&path, "%s/%s", s->dir, c->file);
	pr_log_stream_free(c->stream);
	c->stream = pr_log_stream_open(path.p, err);
	return c->stream != NULL ? 1 : -1;
}

/* Reads a line into the cursor: 1, 0: the segment has no more, -1. */
static int
read_line(struct cursor *c, struct pr_err **err)
{
	struct pr_str line, time;
	uint64_t offset;
	enum pr_log_got got =
	    pr_log_stream_next(c->stream, &line, &offset, err);

	if (got == PR_LOG_GOT_ERROR)
		return -1;
	if (got != PR_LOG_GOT_LINE || offset >= c->limit)
		return 0;
	pr_buf_reset(&c->line);
	pr_buf_str(&c->line, line);
	time = log_line_time(line);
	(void)snprintf(c->time, sizeof c->time, "%.*s", PR_STRF(time));
	c->has = true;
	return 1;
}

static int
advance(struct log_source *s, struct cursor *c, struct pr_err **err)
{
	for (;;) {
		int rc = c->stream != NULL ? read_line(c, err) : 0;

		if (rc != 0)
			return rc;
		rc = next_segment(s, c, err);
		if (rc <= 0)
			return rc;
	}
}

struct log_source *
log_source_open(const char *dir, const char *door, struct pr_err **err)
{
	struct log_source *s = pr_xcalloc(1, sizeof *s);

	s->dir = pr_xstrdup(dir);
	s->door = door != NULL ? pr_xstrdup(door) : NULL;
	if (find_doors(s, err) != 0) {
		log_source_free(s);
		return NULL;
	}
	return s;
}

void
log_source_free(struct log_source *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->n; i++) {
		pr_log_stream_free(s->cursors[i].stream);
		pr_buf_fini(&s->cursors[i].line);
	}
	free(s->cursors);
	pr_buf_fini(&s->given);
	free(s->dir);
	free(s->door);
	free(s);
}

int
log_source_next(
    struct log_source *s, bool follow, struct pr_str *line, struct pr_err **err)
{
	struct cursor *first = NULL;

	if (follow && find_doors(s, err) != 0)
		return -1;
	for (size_t i = 0; i < s->n; i++) {
		struct cursor *c = &s->cursors[i];

		if (!c->has && advance(s, c, err) < 0)
			return -1;
		if (c->has &&
		    (first == NULL || strcmp(c->time, first->time) < 0))
			first = c;
	}
	if (first == NULL)
		return 0;
	first->has = false;
	/* the copy changes hands, so that the cursor may read on */
	struct pr_buf swap = s->given;

	s->given = first->line;
	first->line = swap;
	*line = pr_buf_view(&s->given);
	return 1;
}
