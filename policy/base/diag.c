/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/stat.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <portreeve/arena.h>
#include <portreeve/buf.h>
#include <portreeve/diag.h>
#include <portreeve/str.h>

struct diag {
	enum pr_severity sev;
	struct pr_loc loc;
	char *text;
	char *hint; /* or NULL */
	char *line; /* the source line, or NULL */
};

struct pr_diags {
	struct pr_arena *arena;
	struct diag *v;
	size_t n, cap;
};

struct pr_diags *
pr_diags_new(void)
{
	struct pr_diags *ds = pr_xcalloc(1, sizeof *ds);

	ds->arena = pr_arena_new(4096);
	return ds;
}

void
pr_diags_free(struct pr_diags *ds)
{
	if (ds == NULL)
		return;
	pr_arena_free(ds->arena);
	free(ds->v);
	free(ds);
}

void
pr_diags_freep(struct pr_diags **ds)
{
	pr_diags_free(*ds);
	*ds = NULL;
}

void
pr_diags_add(struct pr_diags *ds, enum pr_severity sev, struct pr_loc loc,
    const char *hint, const char *fmt, ...)
{
	struct diag *d;
	va_list ap;

	ds->v = pr_grow(ds->v, ds->n, &ds->cap, sizeof *ds->v);
	d = &ds->v[ds->n];
	*d = (struct diag){.sev = sev, .loc = loc};
	ds->n++;
	if (loc.file != NULL)
		d->loc.file = pr_arena_strdup(ds->arena, pr_str_of(loc.file));
	va_start(ap, fmt);
	d->text = pr_arena_vprintf(ds->arena, fmt, ap);
	va_end(ap);
	if (hint != NULL)
		d->hint = pr_arena_strdup(ds->arena, pr_str_of(hint));
}

size_t
pr_diags_count(const struct pr_diags *ds, enum pr_severity sev)
{
	size_t n = 0;

	for (size_t i = 0; i < ds->n; i++)
		n += ds->v[i].sev >= sev;
	return n;
}

static struct pr_str
source_line(struct pr_str text, unsigned line)
{
	while (line > 1 && text.p != NULL) {
		pr_str_cut(&text, '\n');
		line--;
	}
	return pr_str_cut(&text, '\n');
}

void
pr_diags_source(struct pr_diags *ds, const char *file, const char *text)
{
	for (size_t i = 0; i < ds->n; i++) {
		struct diag *d = &ds->v[i];

		if (d->line != NULL || d->loc.line == 0 ||
		    d->loc.file == NULL || strcmp(d->loc.file, file) != 0)
			continue;
		d->line = pr_arena_strdup(
		    ds->arena, source_line(pr_str_of(text), d->loc.line));
	}
}

/* Bytes of the character at i that a terminal may obey or hide; or 0. */
static size_t
unsafe_at(const unsigned char *p, size_t n)
{
	if ((p[0] < 0x20 && p[0] != '\t') || p[0] == 0x7f)
		return 1;
	if (n > 1 && p[0] == 0xc2 && p[1] < 0xa0)
		return 2;
	/* U+2028 to U+202E, U+2066 to U+2069; the byte order mark */
	if (n > 2 && p[0] == 0xe2 &&
	    ((p[1] == 0x80 && p[2] >= 0xa8 && p[2] <= 0xae) ||
		(p[1] == 0x81 && p[2] >= 0xa6 && p[2] <= 0xa9)))
		return 3;
	return n > 2 && p[0] == 0xef && p[1] == 0xbb && p[2] == 0xbf ? 3 : 0;
}

/* The text with a '?' for each of those. */
static void
print_safe(struct pr_buf *out, const char *text)
{
	size_t n = strlen(text);

	for (size_t i = 0; i < n;) {
		size_t bad = unsafe_at((const unsigned char *)text + i, n - i);

		if (bad > 0)
			pr_buf_char(out, '?');
		else
			pr_buf_char(out, text[i]);
		i += bad > 0 ? bad : 1;
	}
}

/* Columns are bytes; what is printed is characters. */
static void
pad(struct pr_buf *out, const char *line, size_t from, size_t to, char c)
{
	while (from < to) {
		const unsigned char *p = (const unsigned char *)line + from;
		size_t bad = unsafe_at(p, to - from);

		if (c == ' ' && p[0] == '\t')
			pr_buf_char(out, '\t');
		else if (bad > 0 || (p[0] & 0xc0) != 0x80)
			pr_buf_char(out, c);
		from += bad > 0 ? bad : 1;
	}
}

static void
print_caret(struct pr_buf *out, const struct diag *d)
{
	size_t n = strlen(d->line);
	size_t col = d->loc.col > 0 ? d->loc.col - 1 : 0;
	size_t end = col + d->loc.len;

	if (col > n)
		col = n;
	if (end > n)
		end = n;
	pr_buf_cstr(out, "    ");
	print_safe(out, d->line);
	pr_buf_cstr(out, "\n    ");
	pad(out, d->line, 0, col, ' ');
	pr_buf_char(out, '^');
	/* the caret stands for the first character */
	do
		col++;
	while (col < end && ((unsigned char)d->line[col] & 0xc0) == 0x80);
	pad(out, d->line, col, end, '~');
	pr_buf_char(out, '\n');
}

static void
print_head(struct pr_buf *out, const struct diag *d)
{
	static const char *const names[] = {"note", "warning", "error"};

	if (d->loc.file != NULL) {
		print_safe(out, d->loc.file);
		if (d->loc.line > 0)
			pr_buf_printf(out, ":%u:%u", d->loc.line, d->loc.col);
		pr_buf_cstr(out, ": ");
	}
	pr_buf_printf(out, "%s: ", names[d->sev]);
	print_safe(out, d->text);
}

static void
format_one(struct pr_buf *out, const struct diag *d)
{
	print_head(out, d);
	pr_buf_char(out, '\n');
	if (d->line != NULL)
		print_caret(out, d);
	if (d->hint != NULL) {
		pr_buf_cstr(out, "hint: ");
		print_safe(out, d->hint);
		pr_buf_char(out, '\n');
	}
}

/* A line of a journal stands alone, and begins with its level (sd-daemon). */
static void
format_for_journal(struct pr_buf *out, const struct diag *d)
{
	static const char *const levels[] = {"<5>", "<4>", "<3>"};

	pr_buf_cstr(out, levels[d->sev]);
	print_head(out, d);
	if (d->hint != NULL) {
		pr_buf_cstr(out, " (");
		print_safe(out, d->hint);
		pr_buf_char(out, ')');
	}
	pr_buf_char(out, '\n');
}

bool
pr_diags_get(const struct pr_diags *ds, size_t i, struct pr_diag *out)
{
	if (i >= ds->n)
		return false;
	*out = (struct pr_diag){
	    ds->v[i].sev, ds->v[i].loc, ds->v[i].text, ds->v[i].hint};
	return true;
}

void
pr_diags_format(const struct pr_diags *ds, struct pr_buf *out)
{
	for (size_t i = 0; i < ds->n; i++)
		format_one(out, &ds->v[i]);
}

/* systemd.exec(5): $JOURNAL_STREAM is inherited; is it this very stream? */
static bool
is_journal(FILE *out)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char mine[64];
	struct stat st;

	if (stream == NULL || fstat(fileno(out), &st) < 0)
		return false;
	snprintf(mine, sizeof mine, "%ju:%ju", (uintmax_t)st.st_dev,
	    (uintmax_t)st.st_ino);
	return strcmp(stream, mine) == 0;
}

void
pr_diags_print(const struct pr_diags *ds, FILE *out)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf text = PR_BUF_INIT;

	if (is_journal(out))
		for (size_t i = 0; i < ds->n; i++)
			format_for_journal(&text, &ds->v[i]);
	else
		pr_diags_format(ds, &text);
	if (text.n > 0)
		fwrite(text.p, 1, text.n, out);
}
