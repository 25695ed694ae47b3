/* SPDX-License-Identifier: Apache-2.0 */
#include "body.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

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
 * The field of a struct that Go would fill for this key.  `hint` is where the
 * last one was found: bodies mostly come in the table's order.
 */
static int
find_field(enum body_struct st, struct pr_str key, unsigned *hint)
{
	unsigned from, to;

	range(st, &from, &to);
	for (unsigned i = *hint + 1; i < to && i > from && i < *hint + 4; i++) {
		if (pr_str_eq(rows[i].name, key))
			return (int)(*hint = i);
	}
	for (unsigned i = from; i < to; i++) {
		if (pr_str_eq(rows[i].name, key))
			return (int)(*hint = i);
	}
	for (unsigned i = from; i < to; i++) {
		if (pr_json_fold_eq(rows[i].name, key))
			return (int)(*hint = i);
	}
	return -1;
}

static const char *
place(const struct body_walk *w, const char *path, struct pr_str key)
{
	size_t n = strlen(path);
	char *p;

	if (key.n > 64 || !pr_str_printable(key))
		key = PR_STR("?");
	p = pr_arena_bytes(w->arena, n + 1 + key.n + 1);
	memcpy(p, path, n);
	if (n > 0)
		p[n++] = '.';
	if (key.n > 0)
		memcpy(p + n, key.p, key.n);
	p[n + key.n] = '\0';
	return p;
}

static int
wrong_type(struct body_walk *w, const char *path, const char *want,
    const struct pr_json *v)
{
	return body_refuse(w->why, PR_REASON_AMBIGUOUS,
	    "%s is %s, the daemon wants %s", path, pr_json_type_name(v), want);
}

static int
check_str(
    struct body_walk *w, const char *path, const struct pr_json *v, bool nul)
{
	if (v->type == PR_JSON_NULL)
		return 0;
	if (v->type != PR_JSON_STRING)
		return wrong_type(w, path, "a string", v);
	if (!nul && (v->flags & PR_JSON_HAS_NUL) != 0)
		return body_refuse(w->why, PR_REASON_AMBIGUOUS,
		    "%s holds a NUL character", path);
	return 0;
}

/* Elements of a list of strings; null elements are nobody's habit. */
static int
check_strs(
    struct body_walk *w, const char *path, const struct pr_json *v, bool nul)
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
check_int(
    struct body_walk *w, const char *path, const struct pr_json *v, bool sign)
{
	if (v->type != PR_JSON_NUMBER || (v->flags & PR_JSON_INT) == 0)
		return wrong_type(w, path, "a whole number", v);
	if (!sign && v->i < 0)
		return wrong_type(w, path, "a number that is not negative", v);
	return 0;
}

static int
check_map_strs(
    struct body_walk *w, const char *path, const struct pr_json *v, bool nul)
{
	if (v->type != PR_JSON_OBJECT)
		return wrong_type(w, path, "an object", v);
	for (uint32_t i = 0; i < v->n; i++) {
		const struct pr_json_member *m = &v->members[i];

		if (m->key.n > 0 && memchr(m->key.p, '\0', m->key.n) != NULL)
			return body_refuse(w->why, PR_REASON_AMBIGUOUS,
			    "a key of %s holds a NUL character", path);
		if (check_str(w, path, &m->value, nul) < 0)
			return -1;
	}
	return 0;
}

static int
check_list(struct body_walk *w, const struct row *r, const struct pr_json *v,
    const char *path)
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
			rc = body_walk(w, r->sub, e,
			    pr_arena_printf(w->arena, "%s[%u]", path, i), NULL);
		if (rc < 0)
			return -1;
	}
	return 0;
}

static int
check_map(struct body_walk *w, const struct row *r, const struct pr_json *v,
    const char *path)
{
	if (v->type != PR_JSON_OBJECT)
		return wrong_type(w, path, "an object", v);
	for (uint32_t i = 0; i < v->n; i++) {
		const struct pr_json_member *m = &v->members[i];
		const char *at = place(w, path, m->key);

		if (m->key.n > 0 && memchr(m->key.p, '\0', m->key.n) != NULL)
			return body_refuse(w->why, PR_REASON_AMBIGUOUS,
			    "a key of %s holds a NUL character", path);
		if (r->type == BODY_MAP_OBJS) {
			if (check_list(w, r, &m->value, at) < 0)
				return -1;
		} else if (body_walk(w, r->sub, &m->value, at, NULL) < 0) {
			return -1;
		}
	}
	return 0;
}

static int
check_value(struct body_walk *w, const struct row *r, const struct pr_json *v,
    const char *path)
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
		return body_walk(w, r->sub, v, path, NULL);
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

static int
check_member(struct body_walk *w, const enum body_struct *st, size_t n,
    enum body_struct shadow, const struct pr_json_member *m, const char *path,
    struct body_slots *slots, unsigned *hints)
{
	const char *at;
	unsigned hint = 0;

	for (size_t s = 0; s < n; s++) {
		int f = find_field(st[s], m->key, &hints[s]);

		if (f < 0)
			continue;
		/* most values are scalars: no name is built for them */
		at = m->value.type < PR_JSON_STRING
		    ? rows[f].name.p
		    : place(w, path, rows[f].name);
		if (check_value(w, &rows[f], &m->value, at) < 0)
			return -1;
		if (rows[f].class == BODY_DEFAULT &&
		    !body_is_zero(&m->value, true) && w->must_default == NULL)
			w->must_default = place(w, path, rows[f].name);
		if (slots != NULL && m->value.type != PR_JSON_NULL)
			slots->f[f] = &m->value;
		return 0;
	}
	at = place(w, path, m->key);
	if (shadow != BODY_NONE && find_field(shadow, m->key, &hint) >= 0) {
		if (body_is_zero(&m->value, false))
			return 0;
		return body_refuse(w->why, PR_REASON_AMBIGUOUS,
		    "%s stands beside HostConfig; some engines obey it there: "
		    "write HostConfig.%s",
		    at, at);
	}
	if (w->unknown_field == NULL &&
	    !(w->stored && body_is_zero(&m->value, true)))
		w->unknown_field = at;
	return 0;
}

int
body_walk_any(struct body_walk *w, const enum body_struct *st, size_t n,
    enum body_struct shadow, const struct pr_json *v, const char *path,
    struct body_slots *slots)
{
	unsigned hints[4] = {0};

	assert(n <= PR_COUNT(hints));
	if (v == NULL || v->type == PR_JSON_NULL)
		return 0;
	if (v->type != PR_JSON_OBJECT)
		return wrong_type(
		    w, path[0] != '\0' ? path : "the body", "an object", v);
	if ((v->flags & PR_JSON_TWINS) != 0)
		return body_refuse(w->why, PR_REASON_AMBIGUOUS,
		    "two keys of %s are the same field to the daemon",
		    path[0] != '\0' ? path : "the body");
	if ((v->flags & PR_JSON_ODD_KEY) != 0)
		return body_refuse(w->why, PR_REASON_AMBIGUOUS,
		    "a key of %s is spelled with characters that the daemon "
		    "folds to others",
		    path[0] != '\0' ? path : "the body");
	for (size_t s = 0; s < n; s++) {
		unsigned to;

		range(st[s], &hints[s], &to);
	}
	for (uint32_t i = 0; i < v->n; i++) {
		if (check_member(w, st, n, shadow, &v->members[i], path, slots,
			hints) < 0)
			return -1;
	}
	return 0;
}

int
body_walk(struct body_walk *w, enum body_struct st, const struct pr_json *v,
    const char *path, struct body_slots *slots)
{
	return body_walk_any(w, &st, 1, BODY_NONE, v, path, slots);
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
