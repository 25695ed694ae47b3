/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dockerd's own files, wherever they are: paths in the arguments that it runs
 * with and in its configuration (certificates, keys, sockets, runtimes).  Who
 * can write one of them is the daemon's master.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <portreeve/buf.h>

#include "local.h"
#include "places.h"

#define MAX_ARGS   ((size_t)128 << 10)
#define MAX_CONFIG ((size_t)1 << 20)
#define MAX_FILES  ((size_t)64)
#define MAX_NESTED 4 /* runtimes: {x: {options: {BinaryName: "/…"}}} */

struct found {
	struct pr_arena *arena;
	struct pr_str *v;
	size_t n;
};

static void
take(struct found *f, struct pr_str value)
{
	if (pr_str_starts(value, "unix://"))
		value = pr_str_sub(value, 7, value.n);
	while (value.n > 1 && value.p[value.n - 1] == '/')
		value.n--;
	/* "/" is nobody's file, and would be everything */
	if (value.n < 2 || value.p[0] != '/' || f->n >= MAX_FILES)
		return;
	f->v[f->n++] = pr_arena_str(f->arena, value);
}

static void
slurp(int fd, struct pr_buf *text, size_t max)
{
	ssize_t n = 1;

	while (fd >= 0 && n > 0 && text->n < max) {
		n = read(fd, pr_buf_reserve(text, 16384), 16384);
		if (n > 0)
			pr_buf_grew(text, (size_t)n);
	}
	if (fd >= 0)
		close(fd);
}

/* "--tlscert=/x", "--tlscert" "/x", "-H" "unix:///x"; finds --config-file. */
static void
read_arguments(struct found *f, struct pr_str text, struct pr_str *config)
{
	bool is_config = false;

	while (text.p != NULL && text.n > 0) {
		struct pr_str arg = pr_str_cut(&text, '\0'), value = arg;

		if (pr_str_starts(arg, "-")) {
			struct pr_str name = pr_str_cut(&value, '=');

			is_config = pr_str_is(name, "--config-file");
		}
		if (value.p == NULL)
			continue; /* the value comes next */
		if (is_config)
			*config = pr_arena_str(f->arena, value);
		is_config = false;
		take(f, value);
	}
}

/* As deep as MAX_NESTED. */
static void
/* NOLINTNEXTLINE(misc-no-recursion) */
read_value(struct found *f, const struct pr_json *v, unsigned depth)
{
	if (v->type == PR_JSON_STRING)
		take(f, v->str);
	if (depth == 0)
		return;
	for (uint32_t i = 0; v->type == PR_JSON_ARRAY && i < v->n; i++)
		read_value(f, &v->items[i], depth - 1);
	for (uint32_t i = 0; v->type == PR_JSON_OBJECT && i < v->n; i++)
		read_value(f, &v->members[i].value, depth - 1);
}

static void
read_config(struct found *f, struct pr_inventory *inv, struct pr_str path)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf text = PR_BUF_INIT;
	struct pr_json_fault fault;
	const struct pr_json *v;
	const char *why;

	take(f, path);
	slurp(inv_open(inv, PR_EYES_CONFIG, &why), &text, MAX_CONFIG);
	if (text.n == 0)
		return;
	v = pr_json_read(
	    f->arena, pr_arena_str(f->arena, pr_buf_view(&text)), &fault);
	if (v != NULL)
		read_value(f, v, MAX_NESTED);
}

/* The program itself. */
static void
read_program(struct found *f, struct pr_inventory *inv)
{
	const char *why;
	int fd = inv_open(inv, PR_EYES_PROGRAM, &why);
	char link[64], path[4096];
	ssize_t n;

	if (fd < 0)
		return;
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof path);
	close(fd);
	if (n > 0 && (size_t)n < sizeof path)
		take(f, (struct pr_str){path, (size_t)n});
}

struct pr_strs
daemon_files(struct pr_inventory *inv, struct pr_arena *a)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf args = PR_BUF_INIT;
	struct found f = {a, pr_arena_array(a, MAX_FILES, sizeof *f.v), 0};
	struct pr_str config = PR_STR("/etc/docker/daemon.json");
	const char *why;

	slurp(inv_open(inv, PR_EYES_ARGUMENTS, &why), &args, MAX_ARGS);
	read_arguments(&f, pr_buf_view(&args), &config);
	read_config(&f, inv, config);
	read_program(&f, inv);
	return (struct pr_strs){f.v, f.n};
}
