/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reader: a loop over values with a stack of what is open; it never
 * calls itself.
 */
#include <stdlib.h>
#include <string.h>

#include <portreeve/compiler.h>
#include <portreeve/json.h>

#include "reader.h"

#define FIRST_STACK 8192 /* enough for the body of a docker run */

_Static_assert(
    sizeof(struct pr_json) % 8 == 0 && sizeof(struct pr_json_member) % 8 == 0,
    "what lies on the stack stays contiguous");

enum step {
	FAILED,
	MORE, /* something was opened, or goes on: a value must follow */
	DONE, /* a value is complete */
};

bool
reader_fail(struct reader *r, enum pr_json_error error, const char *at,
    const char *text)
{
	*r->fault =
	    (struct pr_json_fault){error, (uint32_t)(at - r->begin), text};
	return false;
}

static enum step
fail(struct reader *r, enum pr_json_error error, const char *text)
{
	reader_fail(r, error, r->p, text);
	return FAILED;
}

/* Off the caller's stack, with its first bytes, to the heap. */
static void
grow(struct reader *r, size_t n)
{
	char *was = r->heap == NULL ? r->stack : NULL;

	while (n > r->cap - r->used)
		r->cap *= 2;
	r->heap = pr_xrealloc(r->heap, r->cap);
	if (was != NULL && r->used > 0)
		memcpy(r->heap, was, r->used);
	r->stack = r->heap;
}

void *
reader_push(struct reader *r, size_t n)
{
	char *p;

	n = (n + 7) & ~(size_t)7;
	if (n > r->cap - r->used)
		grow(r, n);
	p = r->stack + r->used;
	r->used += n;
	return p;
}

static uint32_t
offset(const struct reader *r)
{
	return (uint32_t)(r->p - r->begin);
}

/* Skips blanks; returns the byte there, or -1 at the end. */
static inline int
next(struct reader *r)
{
	while (r->p < r->end) {
		unsigned char c = (unsigned char)*r->p;

		if (c > ' ' ||
		    (c != ' ' && c != '\t' && c != '\n' && c != '\r'))
			return c;
		r->p++;
	}
	return -1;
}

/* r->p is where a key must be. */
static enum step
key(struct reader *r)
{
	struct frame *f = &r->frames[r->depth - 1];
	struct pr_json_member *m;
	struct text t;
	int c = next(r);
	uint32_t at = offset(r);

	if (c != '"')
		return fail(r, PR_JSON_SYNTAX,
		    c < 0 ? "the text ends in an object"
			  : "a key must be here");
	if (f->n >= PR_CAP_JSON_KEYS)
		return fail(r, PR_JSON_SIZE, "too many keys in one object");
	if (!read_string(r, &t))
		return FAILED;
	if (t.nul || (t.wide && folds_to_ascii(t.s)))
		f->flags |= PR_JSON_ODD_KEY;
	if (t.wide)
		f->flags |= FRAME_WIDE_KEY;
	if (next(r) != ':')
		return fail(r, PR_JSON_SYNTAX, "a colon must be here");
	r->p++;
	m = reader_push(r, sizeof *m);
	m->key = t.s;
	m->at = at;
	return MORE;
}

static enum step
close_object(struct reader *r, const struct frame *f, struct pr_json *v)
{
	const struct pr_json_member *twice;
	bool twins;

	v->members = pr_arena_copy(
	    r->arena, r->stack + f->base, f->n * sizeof *v->members);
	r->used = f->base;
	twice = judge_keys(
	    r, v->members, f->n, (f->flags & FRAME_WIDE_KEY) != 0, &twins);
	if (twice != NULL) {
		reader_fail(r, PR_JSON_DUPLICATE, r->begin + twice->at,
		    "this key is there twice");
		return FAILED;
	}
	v->flags = (uint8_t)((f->flags & ~FRAME_WIDE_KEY) |
	    (twins ? PR_JSON_TWINS : 0));
	return DONE;
}

/* r->p is at the closing bracket of the innermost that is open. */
static enum step
close_container(struct reader *r, struct pr_json *v)
{
	const struct frame *f = &r->frames[--r->depth];

	r->p++;
	*v = (struct pr_json){
	    .type = f->type, .n = f->n, .begin = f->begin, .end = offset(r)};
	if (f->n == 0)
		return DONE;
	if (f->type == PR_JSON_OBJECT)
		return close_object(r, f, v);
	v->items = pr_arena_copy(
	    r->arena, r->stack + f->base, f->n * sizeof *v->items);
	r->used = f->base;
	return DONE;
}

static enum step
open_container(struct reader *r, struct pr_json *v, enum pr_json_type type)
{
	struct frame *f;
	int c;

	if (r->depth == PR_CAP_JSON_DEPTH)
		return fail(r, PR_JSON_DEPTH, "nested too deep");
	f = &r->frames[r->depth++];
	*f = (struct frame){
	    .base = r->used, .begin = offset(r), .type = (uint8_t)type};
	r->p++;
	c = next(r);
	if (c == (type == PR_JSON_OBJECT ? '}' : ']'))
		return close_container(r, v);
	return type == PR_JSON_OBJECT ? key(r) : MORE;
}

/* v is complete: puts it where it belongs and sees what follows. */
static enum step
after(struct reader *r, struct pr_json *v)
{
	struct frame *f = &r->frames[r->depth - 1];
	bool object = f->type == PR_JSON_OBJECT;
	int c;

	if (object) {
		struct pr_json_member *m =
		    (void *)(r->stack + (r->used - sizeof *m));

		m->value = *v;
	} else {
		struct pr_json *slot = reader_push(r, sizeof *slot);

		*slot = *v;
	}
	f->n++;
	c = next(r);
	if (c == ',') {
		r->p++;
		return object ? key(r) : MORE;
	}
	if (c == (object ? '}' : ']'))
		return close_container(r, v);
	return fail(r, PR_JSON_SYNTAX,
	    c < 0 ? "the text ends too early"
		  : "a comma or a closing bracket must be here");
}

static enum step
string(struct reader *r, struct pr_json *v)
{
	struct text t;

	if (!read_string(r, &t))
		return FAILED;
	v->type = PR_JSON_STRING;
	v->flags = t.nul ? PR_JSON_HAS_NUL : 0;
	v->str = t.s;
	v->end = offset(r);
	return DONE;
}

static enum step
number(struct reader *r, struct pr_json *v)
{
	v->type = PR_JSON_NUMBER;
	if (!read_number(r, v))
		return FAILED;
	v->end = offset(r);
	return DONE;
}

static enum step
word(struct reader *r, struct pr_json *v, enum pr_json_type type)
{
	static const struct pr_str words[] = {
	    [PR_JSON_NULL] = {"null", 4},
	    [PR_JSON_FALSE] = {"false", 5},
	    [PR_JSON_TRUE] = {"true", 4},
	};
	struct pr_str w = words[type];

	if ((size_t)(r->end - r->p) < w.n || memcmp(r->p, w.p, w.n) != 0)
		return fail(r, PR_JSON_SYNTAX, "no such word in JSON");
	r->p += w.n;
	v->type = (uint8_t)type;
	v->end = offset(r);
	return DONE;
}

static enum step
value(struct reader *r, struct pr_json *v)
{
	int c = next(r);

	if (c < 0)
		return fail(r, PR_JSON_SYNTAX, "the text ends too early");
	if (r->nodes++ == PR_CAP_JSON_NODES)
		return fail(r, PR_JSON_SIZE, "too many values");
	*v = (struct pr_json){.begin = offset(r)};
	switch (c) {
	case '"':
		return string(r, v);
	case '{':
		return open_container(r, v, PR_JSON_OBJECT);
	case '[':
		return open_container(r, v, PR_JSON_ARRAY);
	case 'n':
		return word(r, v, PR_JSON_NULL);
	case 'f':
		return word(r, v, PR_JSON_FALSE);
	case 't':
		return word(r, v, PR_JSON_TRUE);
	default:
		if (c == '-' || (c >= '0' && c <= '9'))
			return number(r, v);
		return fail(r, PR_JSON_SYNTAX, "a value must be here");
	}
}

static enum step
document(struct reader *r, struct pr_json *v)
{
	enum step s;

	if (r->end - r->begin >= 3 && memcmp(r->begin, "\xef\xbb\xbf", 3) == 0)
		return fail(r, PR_JSON_ENCODING, "a byte order mark");
	do {
		s = value(r, v);
		while (s == DONE && r->depth > 0)
			s = after(r, v);
	} while (s == MORE);
	if (s == DONE && next(r) >= 0)
		return fail(r, PR_JSON_TRAILING, "something after the value");
	return s;
}

const struct pr_json *
pr_json_read(
    struct pr_arena *a, struct pr_str text, struct pr_json_fault *fault)
{
	/* all that is used of these is set; zeroing them costs more than a
	 * small document does */
	_Alignas(16) char first[FIRST_STACK] PR_UNINITIALIZED;
	struct reader r PR_UNINITIALIZED;
	struct pr_json *v;
	enum step s;

	*fault = (struct pr_json_fault){PR_JSON_OK, 0, ""};
	if (text.n > UINT32_MAX) {
		*fault = (struct pr_json_fault){
		    PR_JSON_SIZE, UINT32_MAX, "longer than 4 GiB"};
		return NULL;
	}
	if (text.p == NULL)
		text = PR_STR("");
	r.begin = r.p = text.p;
	r.end = text.p + text.n;
	r.arena = a;
	r.fault = fault;
	r.nodes = r.used = 0;
	r.depth = 0;
	r.cap = sizeof first;
	r.stack = first;
	r.heap = NULL;
	v = pr_arena_alloc(a, sizeof *v);
	s = document(&r, v);
	free(r.heap);
	return s == DONE ? v : NULL;
}
