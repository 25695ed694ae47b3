/* SPDX-License-Identifier: Apache-2.0 */
#include "body.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <portreeve/buf.h>

struct row {
	struct pr_str name;
	enum body_type type;
	enum body_struct sub;
	enum body_class class;
};

/* A struct's rows are rows[first[st] .. first[st + 1]). */
static const struct row rows[] = {
#define BODY_STRUCT(id)
#define BODY_FIELD(st, id, name, type, sub, class) \
	[F_##id] = {                               \
	    {name, sizeof(name) - 1}, BODY_##type, BODY_##sub, BODY_##class},
#include "body_fields.def"
#undef BODY_STRUCT
#undef BODY_FIELD
};

static const uint8_t struct_of[] = {
#define BODY_STRUCT(id)
#define BODY_FIELD(st, id, ...) [F_##id] = BODY_##st,
#include "body_fields.def"
#undef BODY_STRUCT
#undef BODY_FIELD
};

_Static_assert(PR_COUNT(rows) == BODY_FIELD_COUNT, "a row per field");

int
body_refuse(struct pr_refusal *why, enum pr_reason reason, const char *fmt, ...)
{
	va_list ap;

	why->reason = reason;
	va_start(ap, fmt);
	vsnprintf(why->text, sizeof why->text, fmt, ap);
	va_end(ap);
	return -1;
}

/* first[st]: the first row of a struct; set up before main(). */
static uint16_t first[BODY_STRUCT_COUNT + 1];

__attribute__((constructor)) static void
range_setup(void)
{
	unsigned i = BODY_FIELD_COUNT;

	/* backwards, so that an empty struct gets an empty range */
	for (unsigned s = BODY_STRUCT_COUNT; s > 0; s--) {
		first[s] = (uint16_t)i;
		while (i > 0 && struct_of[i - 1] == s - 1)
			i--;
	}
}

/* First and one-past-last row of a struct. */
static void
range(enum body_struct st, unsigned *from, unsigned *to)
{
	*from = first[st];
	*to = first[st + 1];
}

/*
 * Names as they are mostly spelt: struct and name to row + 1, with open
 * addressing.  It is written before main() and then only read.
 */
#define BY_NAME 2048
static uint16_t by_name[BY_NAME];
_Static_assert(BODY_FIELD_COUNT * 3 < BY_NAME * 2, "room between the rows");

static inline size_t
name_slot(enum body_struct st, struct pr_str name)
{
	uint64_t a = 0, b = 0;

	if (name.n >= 8) {
		memcpy(&a, name.p, 8);
		memcpy(&b, name.p + name.n - 8, 8);
	} else if (name.n >= 4) {
		memcpy(&a, name.p, 4);
		memcpy(&b, name.p + name.n - 4, 4);
	} else if (name.n > 0) {
		a = (unsigned char)name.p[0];
		b = (unsigned char)name.p[name.n - 1];
	}
	a = (a ^ (name.n << 32 | (unsigned)st)) * UINT64_C(0x9e3779b97f4a7c15);
	b = (b ^ a >> 31) * UINT64_C(0xbf58476d1ce4e5b9);
	return (size_t)((a ^ b) >> 40) % BY_NAME;
}

__attribute__((constructor)) static void
by_name_setup(void)
{
	for (unsigned i = 0; i < BODY_FIELD_COUNT; i++) {
		size_t at = name_slot(struct_of[i], rows[i].name);

		while (by_name[at] != 0)
			at = (at + 1) % BY_NAME;
		by_name[at] = (uint16_t)(i + 1);
	}
}

static int
find_exactly(enum body_struct st, struct pr_str key)
{
	size_t at = name_slot(st, key);

	for (; by_name[at] != 0; at = (at + 1) % BY_NAME) {
		unsigned i = by_name[at] - 1U;

		if (struct_of[i] == st && pr_str_eq(rows[i].name, key))
			return (int)i;
	}
	return -1;
}

static int
find_folded(enum body_struct st, struct pr_str key)
{
	unsigned from, to;

	range(st, &from, &to);
	for (unsigned i = from; i < to; i++) {
		if (pr_json_fold_eq(rows[i].name, key))
			return (int)i;
	}
	return -1;
}

/*
 * The field of one of the structs that Go would fill for this key: its exact
 * name goes before one that only folds to it.
 */
static int
find_field(const enum body_struct *st, size_t n, struct pr_str key)
{
	int f = -1;

	for (size_t s = 0; s < n && f < 0; s++)
		f = find_exactly(st[s], key);
	for (size_t s = 0; s < n && f < 0; s++)
		f = find_folded(st[s], key);
	return f;
}

/*
 * Where we are, for messages only: most walks never say it, so it is written
 * out when somebody asks.
 */
struct place {
	const struct place *up; /* NULL: `text` is the whole */
	struct pr_str name;     /* a field, if n > 0 */
	uint32_t index;         /* else an element */
	const char *text;
};

/*
 * What follows calls itself as deep as the table of structs is (a handful)
 * and never deeper than the reader lets a document be (PR_CAP_JSON_DEPTH).
 */
/* NOLINTBEGIN(misc-no-recursion) */
static void
render(struct pr_buf *b, const struct place *at)
{
	if (at->up == NULL) {
		pr_buf_cstr(b, at->text);
		return;
	}
	render(b, at->up); /* as deep as the table of structs */
	if (at->name.p == NULL) {
		pr_buf_printf(b, "[%u]", at->index);
		return;
	}
	if (b->n > 0)
		pr_buf_char(b, '.');
	if (at->name.n == 0)
		pr_buf_cstr(b, "\"\"");
	else if (at->name.n > 64 || !pr_str_printable(at->name))
		pr_buf_char(b, '?');
	else
		pr_buf_str(b, at->name);
}

static const char *
place_text(const struct body_walk *w, const struct place *at)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf b = PR_BUF_INIT;

	render(&b, at);
	return pr_arena_strdup(w->arena, pr_buf_view(&b));
}

static int walk_any(struct body_walk *w, const enum body_struct *st, size_t n,
    enum body_struct shadow, const struct pr_json *v, const struct place *path,
    struct body_slots *slots);

static struct place
below(const struct place *up, struct pr_str name)
{
	return (struct place){
	    .up = up, .name = name.p != NULL ? name : PR_STR("")};
}

static int
wrong_type(struct body_walk *w, const struct place *path, const char *want,
    const struct pr_json *v)
{
	return body_refuse(w->why, PR_REASON_AMBIGUOUS,
	    "%s is %s, the daemon wants %s", place_text(w, path),
	    pr_json_type_name(v), want);
}

static int
check_str(struct body_walk *w, const struct place *path,
    const struct pr_json *v, bool nul)
{
	if (v->type == PR_JSON_NULL)
		return 0;
	if (v->type != PR_JSON_STRING)
		return wrong_type(w, path, "a string", v);
	if (!nul && (v->flags & PR_JSON_HAS_NUL) != 0)
		return body_refuse(w->why, PR_REASON_AMBIGUOUS,
		    "%s holds a NUL character", place_text(w, path));
	return 0;
}

/* Elements of a list of strings; null elements are nobody's habit. */
static int
check_strs(struct body_walk *w, const struct place *path,
    const struct pr_json *v, bool nul)
{
	if (v->type != PR_JSON_ARRAY)
		return wrong_type(w, path, "a list of strings", v);
	for (uint32_t i = 0; i < v->n; i++) {
		if (v->items[i].type == PR_JSON_NULL)
			return wrong_type(
			    w, path, "strings in it", &v->items[i]);
		if (check_str(w, path, &v->items[i], nul) < 0)
			return -1;
	}
	return 0;
}

static int
check_int(struct body_walk *w, const struct place *path,
    const struct pr_json *v, bool sign)
{
	if (v->type != PR_JSON_NUMBER)
		return wrong_type(w, path, "a whole number", v);
	if ((v->flags & PR_JSON_INT) == 0)
		return body_refuse(w->why, PR_REASON_AMBIGUOUS,
		    "%s is too large, or not a whole number",
		    place_text(w, path));
	if (!sign && v->i < 0)
		return wrong_type(w, path, "a number that is not negative", v);
	return 0;
}

static int
check_map_strs(struct body_walk *w, const struct place *path,
    const struct pr_json *v, bool nul)
{
	if (v->type != PR_JSON_OBJECT)
		return wrong_type(w, path, "an object", v);
	for (uint32_t i = 0; i < v->n; i++) {
		const struct pr_json_member *m = &v->members[i];

		if (m->key.n > 0 && memchr(m->key.p, '\0', m->key.n) != NULL)
			return body_refuse(w->why, PR_REASON_AMBIGUOUS,
			    "a key of %s holds a NUL character",
			    place_text(w, path));
		if (check_str(w, path, &m->value, nul) < 0)
			return -1;
	}
	return 0;
}

static int
check_list(struct body_walk *w, const struct row *r, const struct pr_json *v,
    const struct place *path)
{
	if (v->type == PR_JSON_NULL)
		return 0;
	if (v->type != PR_JSON_ARRAY)
		return wrong_type(w, path, "a list", v);
	for (uint32_t i = 0; i < v->n; i++) {
		const struct pr_json *e = &v->items[i];
		int rc;

		if (e->type == PR_JSON_NULL)
			return wrong_type(w, path, "no null in it", e);
		if (r->type == BODY_INTS)
			rc = check_int(w, path, e, true);
		else if (r->type == BODY_STRSS)
			rc = check_strs(w, path, e, false);
		else
			rc = walk_any(w, &r->sub, 1, BODY_NONE, e,
			    &(struct place){.up = path, .index = i}, NULL);
		if (rc < 0)
			return -1;
	}
	return 0;
}

static int
check_map(struct body_walk *w, const struct row *r, const struct pr_json *v,
    const struct place *path)
{
	if (v->type != PR_JSON_OBJECT)
		return wrong_type(w, path, "an object", v);
	for (uint32_t i = 0; i < v->n; i++) {
		const struct pr_json_member *m = &v->members[i];
		const struct place at = below(path, m->key);

		if (m->key.n > 0 && memchr(m->key.p, '\0', m->key.n) != NULL)
			return body_refuse(w->why, PR_REASON_AMBIGUOUS,
			    "a key of %s holds a NUL character",
			    place_text(w, path));
		if (r->type == BODY_MAP_OBJS) {
			if (check_list(w, r, &m->value, &at) < 0)
				return -1;
		} else if (walk_any(w, &r->sub, 1, BODY_NONE, &m->value, &at,
			       NULL) < 0) {
			return -1;
		}
	}
	return 0;
}

static int
check_value(struct body_walk *w, const struct row *r, const struct pr_json *v,
    const struct place *path, struct body_slots *slots)
{
	if (v->type == PR_JSON_NULL)
		return 0;
	switch (r->type) {
	case BODY_STR:
		return check_str(w, path, v, false);
	case BODY_BOOL:
		if (v->type != PR_JSON_TRUE && v->type != PR_JSON_FALSE)
			return wrong_type(w, path, "true or false", v);
		return 0;
	case BODY_INT:
		return check_int(w, path, v, true);
	case BODY_UINT:
		return check_int(w, path, v, false);
	case BODY_FLOAT:
		return v->type == PR_JSON_NUMBER
		    ? 0
		    : wrong_type(w, path, "a number", v);
	case BODY_STRSLICE:
	case BODY_STRSLICE_NUL:
		if (v->type == PR_JSON_STRING)
			return check_str(
			    w, path, v, r->type == BODY_STRSLICE_NUL);
		return check_strs(w, path, v, r->type == BODY_STRSLICE_NUL);
	case BODY_STRS:
	case BODY_STRS_NUL:
		return check_strs(w, path, v, r->type == BODY_STRS_NUL);
	case BODY_MAP_STR:
	case BODY_MAP_STR_NUL:
		return check_map_strs(w, path, v, r->type == BODY_MAP_STR_NUL);
	case BODY_OBJ:
		return walk_any(
		    w, &r->sub, 1, BODY_NONE, v, path, w->deep ? slots : NULL);
	case BODY_INTS:
	case BODY_STRSS:
	case BODY_OBJS:
		return check_list(w, r, v, path);
	case BODY_MAP_OBJ:
	case BODY_MAP_OBJS:
		return check_map(w, r, v, path);
	}
	return wrong_type(w, path, "something else", v);
}

/* A query key that a client has written into the body too. */
static bool
is_echo(const struct body_walk *w, const struct place *at)
{
	if (at->up->up != NULL)
		return false;
	for (size_t i = 0; i < w->echoes.n; i++) {
		if (pr_str_eq(w->echoes.v[i], at->name))
			return true;
	}
	return false;
}

/*
 * A key that is no field here: a field of `shadow`, or of nothing.  null is
 * no value to any engine (docker-java writes every field that ever was, and
 * docker's SDK for Python {"NetworkingConfig": {"<network>": null}}).
 */
static int
check_stranger(struct body_walk *w, enum body_struct shadow,
    const struct pr_json_member *m, const struct place *at)
{
	if (m->value.type == PR_JSON_NULL)
		return 0;
	if (shadow != BODY_NONE && find_field(&shadow, 1, m->key) >= 0) {
		if (body_is_zero(&m->value, false))
			return 0;
		return body_refuse(w->why, PR_REASON_AMBIGUOUS,
		    "%s stands beside HostConfig; some engines obey it there: "
		    "write it into HostConfig",
		    place_text(w, at));
	}
	if (w->unknown_field == NULL && !is_echo(w, at) &&
	    !(w->stored && body_is_zero(&m->value, true)))
		w->unknown_field = place_text(w, at);
	return 0;
}

static int
check_member(struct body_walk *w, const enum body_struct *st, size_t n,
    enum body_struct shadow, const struct pr_json_member *m,
    const struct place *path, struct body_slots *slots)
{
	struct place at = below(path, m->key);
	const char *unknown = w->unknown_field;

	int f = find_field(st, n, m->key);

	if (f < 0)
		return check_stranger(w, shadow, m, &at);
	at.name = rows[f].name;
	if (!w->checked && check_value(w, &rows[f], &m->value, &at, slots) < 0)
		return -1;
	if (rows[f].class == BODY_DEFAULT) {
		/* whatever is in it, it must not be there */
		w->unknown_field = unknown;
		if (w->must_default == NULL && !body_is_zero(&m->value, true))
			w->must_default = place_text(w, &at);
	}
	if (slots != NULL && m->value.type != PR_JSON_NULL)
		slots->f[f] = &m->value;
	return 0;
}

static const char *
whole(const struct body_walk *w, const struct place *at)
{
	const char *text = place_text(w, at);

	return text[0] != '\0' ? text : "the body";
}

static int
walk_any(struct body_walk *w, const enum body_struct *st, size_t n,
    enum body_struct shadow, const struct pr_json *v, const struct place *path,
    struct body_slots *slots)
{
	if (v == NULL || v->type == PR_JSON_NULL)
		return 0;
	if (v->type != PR_JSON_OBJECT)
		return body_refuse(w->why, PR_REASON_AMBIGUOUS,
		    "%s is %s, the daemon wants an object", whole(w, path),
		    pr_json_type_name(v));
	if ((v->flags & PR_JSON_TWINS) != 0)
		return body_refuse(w->why, PR_REASON_AMBIGUOUS,
		    "two keys of %s are the same field to the daemon",
		    whole(w, path));
	if ((v->flags & PR_JSON_ODD_KEY) != 0)
		return body_refuse(w->why, PR_REASON_AMBIGUOUS,
		    "a key of %s holds a NUL, or characters that the daemon "
		    "folds to others",
		    whole(w, path));
	for (uint32_t i = 0; i < v->n; i++) {
		if (check_member(
			w, st, n, shadow, &v->members[i], path, slots) < 0)
			return -1;
	}
	return 0;
}

/* NOLINTEND(misc-no-recursion) */

int
body_walk_any(struct body_walk *w, const enum body_struct *st, size_t n,
    enum body_struct shadow, const struct pr_json *v, const char *path,
    struct body_slots *slots)
{
	return walk_any(
	    w, st, n, shadow, v, &(struct place){.text = path}, slots);
}

int
body_walk(struct body_walk *w, enum body_struct st, const struct pr_json *v,
    const char *path, struct body_slots *slots)
{
	return body_walk_any(w, &st, 1, BODY_NONE, v, path, slots);
}

const char *
body_name(enum body_field f)
{
	return rows[f].name.p;
}

struct pr_str
body_str(const struct pr_json *v)
{
	return v != NULL && v->type == PR_JSON_STRING
	    ? v->str
	    : (struct pr_str){NULL, 0};
}

bool
body_bool(const struct pr_json *v)
{
	return v != NULL && v->type == PR_JSON_TRUE;
}

int64_t
body_int(const struct pr_json *v)
{
	return v != NULL && v->type == PR_JSON_NUMBER ? v->i : 0;
}

size_t
body_count(const struct pr_json *v)
{
	return v != NULL &&
		(v->type == PR_JSON_ARRAY || v->type == PR_JSON_OBJECT)
	    ? v->n
	    : 0;
}

struct pr_strs
body_strs(struct pr_arena *a, const struct pr_json *v)
{
	struct pr_strs out = {NULL, 0};
	struct pr_str *list;

	if (v == NULL || v->type == PR_JSON_NULL)
		return out;
	out.n = v->type == PR_JSON_ARRAY ? v->n : 1;
	list = pr_arena_array(a, out.n, sizeof *list);
	for (size_t i = 0; i < out.n; i++)
		list[i] = body_str(v->type == PR_JSON_ARRAY ? &v->items[i] : v);
	out.v = list;
	return out;
}

struct pr_kvs
body_map(struct pr_arena *a, const struct pr_json *v)
{
	struct pr_kvs out = {NULL, 0};
	struct pr_kv *list;

	if (body_count(v) == 0 || v->type != PR_JSON_OBJECT)
		return out;
	list = pr_arena_array(a, v->n, sizeof *list);
	for (uint32_t i = 0; i < v->n; i++)
		list[i] = (struct pr_kv){
		    v->members[i].key, body_str(&v->members[i].value)};
	return (struct pr_kvs){list, v->n};
}

bool
body_is_zero(const struct pr_json *v, bool empty)
{
	if (v == NULL)
		return true;
	switch ((enum pr_json_type)v->type) {
	case PR_JSON_NULL:
	case PR_JSON_FALSE:
		return true;
	case PR_JSON_NUMBER:
		return (v->flags & PR_JSON_INT) != 0 && v->i == 0;
	case PR_JSON_STRING:
		return v->str.n == 0;
	case PR_JSON_ARRAY:
	case PR_JSON_OBJECT:
		return empty && v->n == 0;
	case PR_JSON_TRUE:
		break;
	}
	return false;
}
