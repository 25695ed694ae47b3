/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LDIF content records (RFC 2849), as ldapadd takes them.  Change records
 * other than "changetype: add" describe no state and are refused, and so is
 * "attr:< URL": a directory does not read other people's files.
 */
#include <stdlib.h>
#include <string.h>

#include <portreeve/digest.h>

#include "local.h"

#define COMPLAINTS_MAX 100 /* more say nothing more */

struct reader {
	struct pr_arena *a;
	struct pr_diags *ds;
	const char *file;
	struct pr_str text;
	size_t at; /* the next physical line */
	unsigned line_no;
	struct pr_str line; /* the logical line that was read */
	unsigned line_at;   /* where it starts */
	bool failed;
	size_t complaints;
	struct ldif_value *values; /* of the entry being read */
	size_t n_values, cap_values;
	struct ldif_entry *entries;
	size_t n_entries, cap_entries;
};

static void PR_PRINTF(5, 6) complain(struct reader *r, size_t col, size_t len,
    const char *hint, const char *fmt, ...)
{
	struct pr_loc loc = {r->file, r->line_at, (unsigned)col + 1,
	    len > 200 ? 200 : (unsigned)len};
	char text[300];
	va_list ap;

	r->failed = true;
	if (++r->complaints > COMPLAINTS_MAX)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	pr_diags_add(r->ds, PR_ERROR, loc, hint, "%s", text);
}

/* What a person may be shown of a value. */
static const char *
shown(struct reader *r, struct pr_str s)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf b = PR_BUF_INIT;

	pr_buf_json(&b, pr_str_sub(s, 0, 80));
	return pr_arena_strdup(r->a, pr_buf_view(&b));
}

static bool
physical_line(struct reader *r, struct pr_str *out)
{
	struct pr_str rest;

	if (r->at >= r->text.n)
		return false;
	rest = pr_str_sub(r->text, r->at, r->text.n);
	*out = pr_str_sub(rest, 0, pr_str_find(rest, '\n'));
	r->at += out->n + 1;
	r->line_no++;
	if (out->n > 0 && out->p[out->n - 1] == '\r')
		out->n--;
	return true;
}

static bool
is_continued(const struct reader *r)
{
	return r->at < r->text.n && r->text.p[r->at] == ' ';
}

/* A logical line: what is folded is joined.  False at the end. */
static bool
next_line(struct reader *r)
{
	struct pr_str part;

	if (!physical_line(r, &r->line))
		return false;
	r->line_at = r->line_no;
	if (!is_continued(r))
		return true;

	PR_CLEANUP(pr_buf_fini) struct pr_buf joined = PR_BUF_INIT;

	pr_buf_str(&joined, r->line);
	while (is_continued(r) && physical_line(r, &part))
		pr_buf_str(&joined, pr_str_sub(part, 1, part.n));
	r->line = pr_arena_str(r->a, pr_buf_view(&joined));
	return true;
}

/* The same without comments. */
static bool
next_meant(struct reader *r)
{
	while (next_line(r)) {
		if (r->line.n == 0 || r->line.p[0] != '#')
			return true;
	}
	return false;
}

static bool
decode_base64(struct reader *r, size_t col, struct pr_str *value)
{
	char *out;
	ptrdiff_t n;

	out = pr_arena_bytes(r->a, value->n / 4 * 3 + 4);
	n = pr_base64_decode(*value, out);
	if (n < 0) {
		complain(r, col, value->n, NULL, "this is not base64");
		return false;
	}
	*value = (struct pr_str){out, (size_t)n};
	return true;
}

/* "type: value", "type:: base64"; *col is where the value stands. */
static bool
split_line(
    struct reader *r, struct pr_str *type, struct pr_str *value, size_t *col)
{
	size_t colon = pr_str_find(r->line, ':');
	size_t at = colon + 1;
	bool base64 = false;

	if (colon == r->line.n || colon == 0) {
		complain(r, 0, r->line.n, NULL,
		    "not \"attribute: value\": a colon is missing");
		return false;
	}
	*type = pr_str_sub(r->line, 0, colon);
	if (at < r->line.n && r->line.p[at] == '<') {
		complain(r, colon, 2,
		    "write the value itself, in base64 after ::",
		    "values from URLs are not read");
		return false;
	}
	if (at < r->line.n && r->line.p[at] == ':') {
		base64 = true;
		at++;
	}
	while (at < r->line.n && r->line.p[at] == ' ')
		at++;
	*value = pr_str_sub(r->line, at, r->line.n);
	*col = at;
	if (base64)
		return decode_base64(r, at, value);
	if (value->n > 0 && memchr(value->p, '\0', value->n) != NULL) {
		complain(r, at, 1, NULL, "a NUL byte in a value");
		return false;
	}
	return true;
}

static const char *
type_name(struct reader *r, struct pr_str type)
{
	char name[PR_DN_TYPE_MAX];

	if (pr_dn_type(type, name))
		return pr_arena_strdup(r->a, pr_str_of(name));
	complain(r, 0, type.n, NULL, "%s is not an attribute's name",
	    shown(r, type));
	return NULL;
}

static void
add_value(struct reader *r, const char *type, struct pr_str value)
{
	r->values =
	    pr_grow(r->values, r->n_values, &r->cap_values, sizeof *r->values);
	r->values[r->n_values++] = (struct ldif_value){type, value};
}

/* What stands after "dn:"; false: not an entry that we can keep. */
static bool
read_dn(struct reader *r, struct ldif_entry *e)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf normal = PR_BUF_INIT;
	struct pr_str type;
	size_t col;

	e->line = r->line_at;
	if (!split_line(r, &type, &e->dn, &col))
		return false;
	if (!pr_str_is_nocase(type, "dn")) {
		complain(r, 0, type.n, "records are parted by an empty line",
		    "a record begins with \"dn:\", not with %s",
		    shown(r, type));
		return false;
	}
	if (!pr_dn_normalise(e->dn, &normal) || normal.n == 0) {
		complain(r, col, e->dn.n, NULL,
		    "%s is not a distinguished name (RFC 4514)",
		    shown(r, e->dn));
		return false;
	}
	e->normal = pr_arena_str(r->a, pr_buf_view(&normal));
	return true;
}

static void
read_changetype(struct reader *r, struct pr_str value, size_t col)
{
	if (pr_str_is_nocase(value, "add"))
		return;
	complain(r, col, value.n,
	    "export the entries as they are now (slapcat)",
	    "changetype %s: this file says what is, not what changes",
	    shown(r, value));
}

static void
read_attribute(struct reader *r)
{
	struct pr_str type, value;
	const char *name;
	size_t col;

	if (!split_line(r, &type, &value, &col))
		return;
	if (pr_str_is_nocase(type, "changetype")) {
		read_changetype(r, value, col);
		return;
	}
	if (pr_str_is_nocase(type, "control") || pr_str_is_nocase(type, "dn")) {
		complain(r, 0, type.n, "records are parted by an empty line",
		    "%s has no place inside a record", shown(r, type));
		return;
	}
	name = type_name(r, type);
	if (name == NULL)
		return;
	if (dir_attribute_syntax(name) == SYNTAX_DN) {
		PR_CLEANUP(pr_buf_fini) struct pr_buf normal = PR_BUF_INIT;

		if (!pr_dn_normalise(value, &normal)) {
			complain(r, col, value.n, NULL,
			    "%s of %s is not a distinguished name",
			    shown(r, value), name);
			return;
		}
	}
	add_value(r, name, value);
}

/* The values of the RDN are values of the entry (slapd adds them as well). */
static void
add_rdn(struct reader *r, const struct ldif_entry *e)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf value = PR_BUF_INIT;
	char type[PR_DN_TYPE_MAX];

	for (unsigned i = 0; pr_dn_rdn(e->dn, i, type, &value); i++) {
		bool there = false;

		for (size_t k = 0; k < r->n_values && !there; k++)
			there = strcmp(r->values[k].type, type) == 0;
		if (!there)
			add_value(r, pr_arena_strdup(r->a, pr_str_of(type)),
			    pr_arena_str(r->a, pr_buf_view(&value)));
		pr_buf_reset(&value);
	}
}

static void
keep_entry(struct reader *r, struct ldif_entry *e)
{
	struct ldif_value *v;
	bool classed = false;

	for (size_t i = 0; i < r->n_values; i++)
		classed |= strcmp(r->values[i].type, "objectclass") == 0;
	if (!classed) {
		r->line_at = e->line;
		complain(r, 0, 0, "a directory server refuses it, too",
		    "this entry has no objectClass");
		return;
	}
	add_rdn(r, e);
	v = pr_arena_array(r->a, r->n_values, sizeof *v);
	memcpy(v, r->values, r->n_values * sizeof *v);
	e->v = v;
	e->n = r->n_values;
	r->entries = pr_grow(
	    r->entries, r->n_entries, &r->cap_entries, sizeof *r->entries);
	r->entries[r->n_entries++] = *e;
}

/* One record; its first line has been read. */
static void
read_record(struct reader *r)
{
	struct ldif_entry e = {0};
	bool known = read_dn(r, &e);

	r->n_values = 0;
	while (next_meant(r) && r->line.n > 0) {
		if (known)
			read_attribute(r);
	}
	if (known)
		keep_entry(r, &e);
}

static void
read_version(struct reader *r)
{
	struct pr_str type, value;
	size_t col;

	if (split_line(r, &type, &value, &col) && !pr_str_is(value, "1"))
		complain(r, col, value.n, NULL,
		    "LDIF version %s; there is only version 1",
		    shown(r, value));
}

static void
read_all(struct reader *r)
{
	bool first = true;

	while (next_meant(r)) {
		if (r->line.n == 0)
			continue;
		if (r->line.p[0] == ' ') {
			complain(
			    r, 0, 1, NULL, "this line continues no other line");
			continue;
		}
		if (first && r->line.n >= 8 &&
		    pr_str_is_nocase(pr_str_sub(r->line, 0, 8), "version:"))
			read_version(r);
		else
			read_record(r);
		first = false;
	}
}

static int
by_normal(const void *a, const void *b)
{
	const struct ldif_entry *x = a, *y = b;
	int c = pr_str_cmp(x->normal, y->normal);

	return c != 0 ? c : x->line < y->line ? -1 : x->line > y->line;
}

static void
find_twins(struct reader *r)
{
	qsort(r->entries, r->n_entries, sizeof *r->entries, by_normal);
	for (size_t i = 1; i < r->n_entries; i++) {
		const struct ldif_entry *e = &r->entries[i];
		struct pr_loc first = {r->file, e[-1].line, 1, 0};

		if (!pr_str_eq(e[-1].normal, e->normal))
			continue;
		r->line_at = e->line;
		complain(
		    r, 0, 0, NULL, "%s stands here twice", shown(r, e->dn));
		if (r->complaints <= COMPLAINTS_MAX)
			pr_diags_add(
			    r->ds, PR_NOTE, first, NULL, "first defined here");
	}
}

bool
dir_ldif_read(struct pr_arena *a, const char *file, struct pr_str text,
    struct ldif *out, struct pr_diags *ds)
{
	struct reader r = {.a = a, .ds = ds, .file = file, .text = text};

	read_all(&r);
	if (r.n_entries > 0)
		find_twins(&r);
	if (r.complaints > COMPLAINTS_MAX)
		pr_diags_add(ds, PR_NOTE, (struct pr_loc){.file = file}, NULL,
		    "and %zu more", r.complaints - COMPLAINTS_MAX);
	out->n = r.n_entries;
	out->v = pr_arena_array(a, r.n_entries, sizeof *out->v);
	if (r.n_entries > 0)
		memcpy(out->v, r.entries, r.n_entries * sizeof *out->v);
	free(r.values);
	free(r.entries);
	return !r.failed;
}
