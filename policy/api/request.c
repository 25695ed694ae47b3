/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include <portreeve/request.h>

#include "refuse.h"

const struct pr_str *
pr_header_get(
    const struct pr_header *h, size_t n, const char *name, bool *repeated)
{
	const struct pr_str *found = NULL;
	struct pr_str want = pr_str_of(name);

	*repeated = false;
	for (size_t i = 0; i < n; i++) {
		if (h[i].name.n != want.n || !pr_str_eq_nocase(h[i].name, want))
			continue;
		if (found != NULL) {
			*repeated = true;
			return NULL;
		}
		found = &h[i].value;
	}
	return found;
}

/* "POST is" or "GET and DELETE are": the methods that the path has. */
static const char *
other_methods(struct pr_str path, char *out, size_t size)
{
	static const char *const methods[] = {
	    "GET", "HEAD", "POST", "PUT", "DELETE"};
	size_t n = 0, used = 0;

	out[0] = '\0';
	for (size_t i = 0; i < PR_COUNT(methods); i++) {
		struct pr_str unused;

		if (pr_api_match(pr_str_of(methods[i]), path, &unused, &unused)
			->op == PR_OP_UNKNOWN)
			continue;
		used += (size_t)snprintf(out + used, size - used, "%s%s",
		    n++ > 0 ? ", " : "; there is ", methods[i]);
	}
	return out;
}

/* Names with slashes: images, plugins; whatever else has one is an alias. */
static bool
name_may_hold_slashes(const struct pr_op_info *op)
{
	return op->kind == PR_KIND_IMAGE || op->kind == PR_KIND_PLUGIN ||
	    op->op == PR_OP_DISTRIBUTION_INSPECT;
}

static int
check_name(struct pr_request *rq, struct pr_refusal *why)
{
	const char *what = pr_resource_name(rq->op->resource);

	if (rq->op->op == PR_OP_SYSTEM_OPTIONS) {
		rq->name = PR_STR(""); /* any path: it names nothing */
		return 0;
	}
	if (strchr(rq->op->path, '{') == NULL)
		return 0;
	if (rq->name.n == 0)
		return pr_refuse(
		    why, PR_REASON_AMBIGUOUS, "the path names no %s", what);
	if (pr_str_ends(rq->name, "/") ||
	    (!name_may_hold_slashes(rq->op) &&
		pr_str_find(rq->name, '/') < rq->name.n))
		return pr_refuse(why, PR_REASON_AMBIGUOUS,
		    "\"%s\" holds a slash: name the %s itself, or its id",
		    pr_show(rq->name).text, what);
	return 0;
}

/*
 * The daemon looks at fromImage first and imports only without it; a call
 * with both is somebody's mistake or trick.
 */
static int
tell_import(struct pr_request *rq, struct pr_refusal *why)
{
	const struct pr_str *image = pr_query_get(rq, "fromImage");
	const struct pr_str *src = pr_query_get(rq, "fromSrc");

	if (image != NULL && image->n > 0 && src != NULL && src->n > 0)
		return pr_refuse(why, PR_REASON_AMBIGUOUS,
		    "fromImage and fromSrc in one query: pull or import, not "
		    "both");
	if (image == NULL || image->n == 0)
		rq->op = pr_api_op(PR_OP_IMAGE_IMPORT);
	return 0;
}

static int
find_operation(
    struct pr_request *rq, struct pr_str path, struct pr_refusal *why)
{
	char methods[64];

	rq->op = pr_api_match(rq->method, path, &rq->name, &rq->name2);
	if (rq->op->op == PR_OP_UNKNOWN)
		return pr_refuse(why, PR_REASON_UNKNOWN_OPERATION,
		    "%.12s %s is no operation of the Docker API%s",
		    pr_show(rq->method).text, pr_show(path).text,
		    other_methods(path, methods, sizeof methods));
	if (rq->op->until != 0 &&
	    (rq->version.major != 1 || rq->version.minor > rq->op->until))
		return pr_refuse(why, PR_REASON_UNSUPPORTED_VERSION,
		    "%s ended with API 1.%u", rq->op->action, rq->op->until);
	return check_name(rq, why);
}

/* At most ten digits. */
static char *
put_number(char *p, unsigned v)
{
	char digits[10];
	size_t n = 0;

	do
		digits[n++] = (char)('0' + v % 10);
	while ((v /= 10) > 0);
	while (n > 0)
		*p++ = digits[--n];
	return p;
}

/* One spelling of what was judged; the daemon decodes it to the same. */
static struct pr_str
write_canonical(
    struct pr_arena *a, const struct pr_request *rq, struct pr_str path)
{
	size_t room = 3 * path.n + sizeof "/v9999.9999";
	char *begin, *p;

	for (size_t i = 0; i < rq->n_query; i++)
		room += 3 * (rq->query[i].key.n + rq->query[i].value.n) + 2;
	p = begin = pr_arena_bytes(a, room);
	if (rq->version.major != 0) {
		memcpy(p, "/v", 2);
		p = put_number(p + 2, rq->version.major);
		*p++ = '.';
		p = put_number(p, rq->version.minor);
	}
	p = pr_percent_encode(p, path, PR_ENCODE_PATH);
	for (size_t i = 0; i < rq->n_query; i++) {
		*p++ = i == 0 ? '?' : '&';
		p = pr_percent_encode(p, rq->query[i].key, PR_ENCODE_KEY);
		*p++ = '=';
		p = pr_percent_encode(p, rq->query[i].value, PR_ENCODE_VALUE);
	}
	return (struct pr_str){begin, (size_t)(p - begin)};
}

struct pr_str
pr_request_requery(struct pr_arena *a, struct pr_str target,
    const struct pr_query_pair *pairs, size_t n)
{
	struct pr_str path = pr_str_cut(&target, '?');
	size_t room = path.n + 1;
	char *begin, *p;

	for (size_t i = 0; i < n; i++)
		room += 3 * (pairs[i].key.n + pairs[i].value.n) + 2;
	p = begin = pr_arena_bytes(a, room);
	memcpy(p, path.p, path.n);
	p += path.n;
	for (size_t i = 0; i < n; i++) {
		*p++ = i == 0 ? '?' : '&';
		p = pr_percent_encode(p, pairs[i].key, PR_ENCODE_KEY);
		*p++ = '=';
		p = pr_percent_encode(p, pairs[i].value, PR_ENCODE_VALUE);
	}
	return (struct pr_str){begin, (size_t)(p - begin)};
}

/* The operation's path, with its variables filled in. */
static struct pr_str
fill_path(struct pr_arena *a, const struct pr_request *rq, struct pr_str name)
{
	const char *at = rq->op->path;
	char *p = pr_arena_bytes(a, strlen(at) + name.n + rq->name2.n + 1);
	struct pr_str out = {p, 0};
	bool first = true;

	while (*at != '\0') {
		struct pr_str value = first ? name : rq->name2;

		if (*at != '{') {
			*p++ = *at++;
			continue;
		}
		if (value.n > 0)
			memcpy(p, value.p, value.n);
		p += value.n;
		first = false;
		at = strchr(at, '}') + 1;
	}
	out.n = (size_t)(p - out.p);
	return out;
}

struct pr_str
pr_request_target(
    struct pr_arena *a, const struct pr_request *rq, struct pr_str id)
{
	struct pr_request as = *rq;
	struct pr_query_pair *pairs;

	if (id.n == 0)
		return rq->canonical;
	if (rq->op->op != PR_OP_CONTAINER_COMMIT)
		return strchr(rq->op->path, '{') == NULL
		    ? rq->canonical
		    : write_canonical(a, rq, fill_path(a, rq, id));
	pairs = pr_arena_array(a, rq->n_query, sizeof *pairs);
	for (size_t i = 0; i < rq->n_query; i++) {
		pairs[i] = rq->query[i];
		if (pr_str_is(pairs[i].key, "container"))
			pairs[i].value = id;
	}
	as.query = pairs;
	return write_canonical(a, &as, pr_str_of(rq->op->path));
}

/* What the headers say about the body. */
struct head {
	enum pr_media media;
	struct pr_str type;
	bool typed;    /* there is a Content-Type, maybe more than we see */
	bool zero;     /* Content-Length: 0, so there is no body */
	bool measured; /* there is a Content-Length */
};

static int
read_head(const struct pr_call *call, struct head *head, struct pr_refusal *why)
{
	const struct pr_str *type, *length;
	bool repeated;

	*head = (struct head){.media = PR_MEDIA_NONE};
	type = pr_header_get(
	    call->headers, call->n_headers, "Content-Type", &repeated);
	if (repeated)
		return pr_refuse(
		    why, PR_REASON_AMBIGUOUS, "more than one Content-Type");
	length = pr_header_get(
	    call->headers, call->n_headers, "Content-Length", &repeated);
	if (repeated)
		return pr_refuse(
		    why, PR_REASON_AMBIGUOUS, "more than one Content-Length");
	if (type != NULL) {
		head->typed = true;
		head->type = *type;
		head->media = pr_media_of(*type);
	}
	head->measured = length != NULL;
	head->zero = length != NULL && pr_str_is(*length, "0");
	if (head->media == PR_MEDIA_BAD)
		return pr_refuse(why, PR_REASON_AMBIGUOUS,
		    "Content-Type \"%s\" is not well formed",
		    pr_show(head->type).text);
	if (head->media == PR_MEDIA_FORM)
		return pr_refuse(why, PR_REASON_AMBIGUOUS,
		    "form bodies are refused, they would override the query: "
		    "send the parameters in the query");
	return 0;
}

static int
parse_json(struct pr_arena *a, const struct pr_call *call,
    const struct head *head, struct pr_request *rq, struct pr_refusal *why)
{
	struct pr_json_fault fault;

	if (head->media != PR_MEDIA_JSON)
		return pr_refuse(why, PR_REASON_AMBIGUOUS,
		    "%s takes application/json, not \"%s\"", rq->op->action,
		    pr_show(head->type).text);
	if (rq->body.n > call->max_body)
		return pr_refuse(why, PR_REASON_AMBIGUOUS,
		    "the body has %zu bytes, %zu are the most here", rq->body.n,
		    call->max_body);
	rq->json = pr_json_read(a, rq->body, &fault);
	if (rq->json == NULL)
		return pr_refuse(why, PR_REASON_AMBIGUOUS,
		    "the JSON body is refused at byte %u: %s",
		    (unsigned)fault.at, fault.text);
	return 0;
}

static int
not_visible(const struct pr_request *rq, const struct head *head,
    struct pr_refusal *why)
{
	if (head->media == PR_MEDIA_JSON && !head->zero)
		return pr_refuse(why, PR_REASON_BODY_NOT_VISIBLE,
		    "the daemon did not show the body of %s: too long for it, "
		    "or sent so that it hides it",
		    rq->op->action);
	return pr_refuse(why, PR_REASON_BODY_NOT_VISIBLE,
	    "%s shows no body: send one as application/json with its "
	    "Content-Length%s",
	    rq->op->action,
	    rq->op->body == PR_BODY_KIND_JSON ? "" : ", or Content-Length: 0");
}

/* Routes whose body is JSON. */
static int
read_json_body(struct pr_arena *a, const struct pr_call *call,
    const struct head *head, struct pr_request *rq, struct pr_refusal *why)
{
	if (call->body_shown && call->body.n > 0)
		return parse_json(a, call, head, rq, why);
	switch (rq->op->body) {
	case PR_BODY_KIND_JSON_OPTIONAL:
		if (call->body_shown || head->zero)
			return 0;
		break;
	case PR_BODY_KIND_WITHHELD:
		/* nothing in it is judged; but it must be what it is taken for */
		if (head->media == PR_MEDIA_JSON || call->body_shown ||
		    head->zero)
			return 0;
		break;
	default:
		break;
	}
	return not_visible(rq, head, why);
}

/*
 * A route without a body.  A plugin is shown the last of several
 * Content-Types and the daemon obeys the first, so a type that goes with a
 * body which is not shown may be a form's.
 */
static int
read_no_body(const struct pr_call *call, const struct head *head,
    const struct pr_request *rq, struct pr_refusal *why)
{
	bool may_be_form =
	    pr_str_is(rq->method, "POST") || pr_str_is(rq->method, "PUT");

	if (!may_be_form || !head->typed || call->body_shown || head->zero)
		return 0;
	return pr_refuse(why, PR_REASON_BODY_NOT_VISIBLE,
	    "%s takes no body: leave Content-Type and body away, or send "
	    "Content-Length: 0",
	    rq->op->action);
}

/*
 * Start: before API 1.24 a body was a new spec.  What the daemon cannot take
 * for one passes: no body, none announced, {}, or null (go-dockerclient).
 */
static int
read_start(struct pr_arena *a, const struct pr_call *call,
    const struct head *head, struct pr_request *rq, struct pr_refusal *why)
{
	if (!call->body_shown) {
		if (head->zero || (!head->measured && !head->typed))
			return 0;
		return pr_refuse(why, PR_REASON_BODY_NOT_VISIBLE,
		    "container.start takes no body: send Content-Length: 0");
	}
	if (call->body.n == 0)
		return 0;
	if (parse_json(a, call, head, rq, why) < 0)
		return -1;
	if (rq->json->type != PR_JSON_NULL &&
	    (rq->json->type != PR_JSON_OBJECT || rq->json->n > 0))
		return pr_refuse(why, PR_REASON_AMBIGUOUS,
		    "container.start takes no body but {}: options belong to "
		    "create");
	return 0;
}

static int
check_opaque(const struct head *head, const struct pr_request *rq,
    struct pr_refusal *why)
{
	if (head->media == PR_MEDIA_TAR || head->media == PR_MEDIA_NONE)
		return 0;
	return pr_refuse(why, PR_REASON_AMBIGUOUS,
	    "%s takes application/x-tar, not \"%s\"", rq->op->action,
	    pr_show(head->type).text);
}

static int
read_body(struct pr_arena *a, const struct pr_call *call, struct pr_request *rq,
    struct pr_refusal *why)
{
	struct head head;

	if (read_head(call, &head, why) < 0)
		return -1;
	switch (rq->op->body) {
	case PR_BODY_KIND_NONE:
		return read_no_body(call, &head, rq, why);
	case PR_BODY_KIND_START:
		return read_start(a, call, &head, rq, why);
	case PR_BODY_KIND_OPAQUE:
		return check_opaque(&head, rq, why);
	case PR_BODY_KIND_JSON:
	case PR_BODY_KIND_JSON_OPTIONAL:
	case PR_BODY_KIND_WITHHELD:
		break;
	}
	return read_json_body(a, call, &head, rq, why);
}

static bool
carries_spec(const struct pr_request *rq)
{
	if (rq->op->op == PR_OP_CONTAINER_ATTACH)
		return pr_query_bool(rq, "stdin");
	return rq->op->spec;
}

int
pr_request_read(struct pr_arena *a, const struct pr_call *call,
    struct pr_request *rq, struct pr_refusal *why)
{
	struct pr_target t;

	*rq = (struct pr_request){
	    .op = pr_api_op(PR_OP_UNKNOWN),
	    .method = call->method,
	    .target = call->target,
	    .body = call->body,
	    .body_shown = call->body_shown,
	    .spec = true,
	};
	*why = (struct pr_refusal){.reason = PR_REASON_NONE};
	if (pr_target_read(a, call->target, &t, why) < 0) {
		if (why->reason == PR_REASON_UNSUPPORTED_VERSION)
			rq->op = pr_api_match(
			    call->method, t.path, &rq->name, &rq->name2);
		return -1;
	}
	rq->version = t.version;
	if (find_operation(rq, t.path, why) < 0 ||
	    pr_query_read(a, t.query, &rq->query, &rq->n_query, why) < 0)
		return -1;
	if (rq->op->op == PR_OP_IMAGE_PULL && tell_import(rq, why) < 0)
		return -1;
	rq->canonical = write_canonical(a, rq, t.path);
	rq->spec = carries_spec(rq);
	return read_body(a, call, rq, why);
}
