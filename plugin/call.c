/* SPDX-License-Identifier: Apache-2.0 */
#include "call.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <portreeve/json.h>

struct reading {
	struct pr_arena *a;
	enum call_stage stage;
	struct call *out;
	struct call_fault *why;
};

static int PR_PRINTF(2, 3) fault(struct reading *r, const char *fmt, ...)
{
	va_list ap;

	if (r->why->text[0] != '\0')
		return -1; /* the first one is told */
	va_start(ap, fmt);
	vsnprintf(r->why->text, sizeof r->why->text, fmt, ap);
	va_end(ap);
	return -1;
}

/* --- the types of members: each takes a value that is there ------------- */

static int
wrong_type(struct reading *r, const char *name, const struct pr_json *v,
    const char *want)
{
	return fault(r, "%s is %s, not %s", name, pr_json_type_name(v), want);
}

static int
read_text(struct reading *r, const char *name, const struct pr_json *v,
    struct pr_str *out)
{
	if (v->type != PR_JSON_STRING)
		return wrong_type(r, name, v, "a string");
	if ((v->flags & PR_JSON_HAS_NUL) != 0)
		return fault(r, "%s holds a NUL", name);
	*out = v->str;
	return 0;
}

/* Decoded where it stands: another megabyte is not touched for it. */
static int
read_bytes(struct reading *r, const char *name, const struct pr_json *v,
    struct pr_str *out, bool *shown)
{
	struct pr_str text = {NULL, 0};
	ptrdiff_t n;

	if (read_text(r, name, v, &text) != 0)
		return -1;
	n = pr_base64_decode(text, (void *)(uintptr_t)text.p);
	if (n < 0)
		return fault(r, "%s is not base64", name);
	*out = (struct pr_str){text.p, (size_t)n};
	/* to Go an empty one and none at all are the same */
	*shown = n > 0;
	return 0;
}

static int
read_user(struct reading *r, const char *name, const struct pr_json *v)
{
	return read_text(r, name, v, &r->out->judge.caller.user);
}

static int
read_authn(struct reading *r, const char *name, const struct pr_json *v)
{
	return read_text(r, name, v, &r->out->judge.caller.method);
}

static int
read_method(struct reading *r, const char *name, const struct pr_json *v)
{
	return read_text(r, name, v, &r->out->judge.call.method);
}

static int
read_uri(struct reading *r, const char *name, const struct pr_json *v)
{
	return read_text(r, name, v, &r->out->judge.call.target);
}

static int
read_body(struct reading *r, const char *name, const struct pr_json *v)
{
	return read_bytes(r, name, v, &r->out->judge.call.body,
	    &r->out->judge.call.body_shown);
}

static int
read_headers(struct reading *r, const char *name, const struct pr_json *v)
{
	struct pr_call *call = &r->out->judge.call;
	struct pr_header *h;

	if (v->type != PR_JSON_OBJECT)
		return wrong_type(r, name, v, "an object");
	if ((v->flags & PR_JSON_TWINS) != 0)
		return fault(r, "%s names a header twice", name);
	if ((v->flags & PR_JSON_ODD_KEY) != 0)
		return fault(r, "%s holds a name that is none", name);
	h = pr_arena_array(r->a, v->n, sizeof *h);
	for (uint32_t i = 0; i < v->n; i++) {
		const struct pr_json_member *m = &v->members[i];

		/* the header's name is not said: it is the client's text */
		if (read_text(r, "a header's value", &m->value, &h[i].value) !=
		    0)
			return -1;
		h[i].name = m->key;
		if (pr_str_is_nocase(m->key, PR_LOOKUP_HEADER)) {
			r->out->has_lookup = true;
			r->out->lookup = h[i].value;
		}
		if (pr_str_is_nocase(m->key, PR_ASSERTION_HEADER)) {
			r->out->has_assertion = true;
			r->out->assertion = h[i].value;
		}
	}
	call->headers = h;
	call->n_headers = v->n;
	return 0;
}

static int
read_chain(struct reading *r, const char *name, const struct pr_json *v)
{
	struct pr_identity_call *caller = &r->out->judge.caller;
	struct pr_str *chain;

	if (v->type != PR_JSON_ARRAY)
		return wrong_type(r, name, v, "an array");
	chain = pr_arena_array(r->a, v->n, sizeof *chain);
	for (uint32_t i = 0; i < v->n; i++)
		if (read_text(
			r, "a peer certificate", &v->items[i], &chain[i]) != 0)
			return -1;
	caller->chain = chain;
	caller->n_chain = v->n;
	return 0;
}

static int
read_status(struct reading *r, const char *name, const struct pr_json *v)
{
	if (v->type != PR_JSON_NUMBER || (v->flags & PR_JSON_INT) == 0 ||
	    v->i < 0 || v->i > 999)
		return fault(r, "%s is no HTTP status", name);
	r->out->result.status = (int)v->i;
	return 0;
}

static int
read_answer(struct reading *r, const char *name, const struct pr_json *v)
{
	return read_bytes(
	    r, name, v, &r->out->result.body, &r->out->result.body_shown);
}

/* Looked at, so that a message which is none of dockerd's does not pass. */
static int
read_answer_headers(
    struct reading *r, const char *name, const struct pr_json *v)
{
	if (v->type != PR_JSON_OBJECT)
		return wrong_type(r, name, v, "an object");
	return 0;
}

/* --- the message -------------------------------------------------------- */

static const struct field {
	struct pr_str name;
	int (*read)(
	    struct reading *r, const char *name, const struct pr_json *v);
	bool response; /* only in AuthZRes */
} fields[] = {
    {PR_STR("User"), read_user, false},
    {PR_STR("UserAuthNMethod"), read_authn, false},
    {PR_STR("RequestMethod"), read_method, false},
    {PR_STR("RequestUri"), read_uri, false},
    {PR_STR("RequestBody"), read_body, false},
    {PR_STR("RequestHeaders"), read_headers, false},
    {PR_STR("RequestPeerCertificates"), read_chain, false},
    {PR_STR("ResponseStatusCode"), read_status, true},
    {PR_STR("ResponseBody"), read_answer, true},
    {PR_STR("ResponseHeaders"), read_answer_headers, true},
};

/* The field of that name, NULL if there is none; -1: a near miss. */
static int
find_field(struct reading *r, const struct pr_str *key, size_t *hint,
    const struct field **out)
{
	*out = NULL;
	for (size_t i = *hint; i < PR_COUNT(fields) && i < *hint + 2; i++) {
		if (pr_str_eq(*key, fields[i].name)) {
			*hint = i + 1;
			*out = &fields[i];
			return 0;
		}
	}
	for (size_t i = 0; i < PR_COUNT(fields); i++) {
		if (pr_str_eq(*key, fields[i].name)) {
			*out = &fields[i];
			return 0;
		}
	}
	/* Go would read it all the same; no dockerd writes it */
	for (size_t i = 0; i < PR_COUNT(fields); i++)
		if (pr_json_fold_eq(*key, fields[i].name))
			return fault(
			    r, "%s is spelt in another way", fields[i].name.p);
	return 0;
}

static int
read_members(struct reading *r, const struct pr_json *doc)
{
	size_t hint = 0; /* dockerd writes them in the table's order */
	int bad = 0;

	for (uint32_t i = 0; i < doc->n; i++) {
		const struct pr_json_member *m = &doc->members[i];
		const struct field *f;

		if (find_field(r, &m->key, &hint, &f) != 0)
			return -1;
		if (f == NULL)
			continue;
		if (f->response && r->stage == CALL_REQUEST)
			return fault(r, "%s in a request", f->name.p);
		/* goes on, so that the log can name the others */
		if (f->read(r, f->name.p, &m->value) != 0)
			bad = -1;
	}
	return bad;
}

static int
read_document(struct reading *r, struct pr_str text)
{
	struct pr_json_fault f;
	const struct pr_json *doc;

	if (text.n == 0)
		return fault(r,
		    "the call came empty, as dockerd sends one again that was "
		    "broken off; try again");
	doc = pr_json_read(r->a, text, &f);
	if (doc == NULL)
		return fault(r,
		    "the call is not readable: %s at byte %u of %zu", f.text,
		    f.at, text.n);
	if (doc->type != PR_JSON_OBJECT)
		return wrong_type(r, "the call", doc, "an object");
	if ((doc->flags & PR_JSON_TWINS) != 0)
		return fault(r, "a member of the call is there twice");
	if ((doc->flags & PR_JSON_ODD_KEY) != 0)
		return fault(r, "a member of the call has an odd name");
	return read_members(r, doc);
}

int
/* NOLINTNEXTLINE(readability-non-const-parameter): read_bytes writes there */
call_read(struct pr_arena *a, char *text, size_t n, enum call_stage stage,
    struct call *out, struct call_fault *why)
{
	struct reading r = {.a = a, .stage = stage, .out = out, .why = why};
	const struct pr_call *call = &out->judge.call;

	*out = (struct call){0};
	why->text[0] = '\0';
	out->judge.call.max_body = PR_CAP_PLUGIN_BODY;
	if (read_document(&r, (struct pr_str){text, n}) != 0)
		return -1;
	if (call->method.n == 0)
		return fault(&r, "RequestMethod is missing");
	if (call->target.n == 0)
		return fault(&r, "RequestUri is missing");
	return 0;
}
