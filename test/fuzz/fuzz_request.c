/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whole calls.  The input is lines: method, target, Content-Type,
 * Content-Length ("-": none), then the body, shown if there is such a line.
 * What is accepted has an operation, obeys its body kind, and means the same
 * in its canonical form.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <portreeve/arena.h>
#include <portreeve/request.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool ok)
{
	if (!ok)
		abort();
}

static void
add_header(struct pr_call *call, struct pr_header *headers, const char *name,
    struct pr_str value)
{
	if (pr_str_is(value, "-"))
		return;
	headers[call->n_headers++] = (struct pr_header){pr_str_of(name), value};
	call->headers = headers;
}

static void
check_body(const struct pr_request *rq)
{
	switch (rq->op->body) {
	case PR_BODY_KIND_JSON:
		must(rq->json != NULL);
		break;
	case PR_BODY_KIND_JSON_OPTIONAL:
	case PR_BODY_KIND_WITHHELD:
		must(rq->body.n == 0 || !rq->body_shown || rq->json != NULL);
		break;
	case PR_BODY_KIND_START:
		must(rq->json == NULL ||
		    (rq->json->type == PR_JSON_OBJECT && rq->json->n == 0));
		break;
	case PR_BODY_KIND_NONE:
	case PR_BODY_KIND_OPAQUE:
		must(rq->json == NULL);
		break;
	}
}

static void
check_same(
    struct pr_arena *a, const struct pr_call *call, const struct pr_request *rq)
{
	struct pr_call other = *call;
	struct pr_request again;
	struct pr_refusal why;

	other.target = rq->canonical;
	must(pr_request_read(a, &other, &again, &why) == 0);
	must(again.op == rq->op && pr_str_eq(again.name, rq->name) &&
	    pr_str_eq(again.name2, rq->name2));
	must(pr_str_eq(again.canonical, rq->canonical));
	must(again.n_query == rq->n_query && again.spec == rq->spec);
	for (size_t i = 0; i < rq->n_query; i++)
		must(pr_str_eq(again.query[i].key, rq->query[i].key) &&
		    pr_str_eq(again.query[i].value, rq->query[i].value));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pr_arena *a = pr_arena_new(4096);
	char *copy = pr_xmalloc(size + 1);
	struct pr_str rest = {copy, size};
	struct pr_header headers[2];
	struct pr_call call = {.max_body = 65536};
	struct pr_request rq;
	struct pr_refusal why;

	if (size > 0)
		memcpy(copy, data, size);
	call.method = pr_str_cut(&rest, '\n');
	call.target = pr_str_cut(&rest, '\n');
	add_header(&call, headers, "Content-Type", pr_str_cut(&rest, '\n'));
	add_header(&call, headers, "Content-Length", pr_str_cut(&rest, '\n'));
	call.body = rest;
	call.body_shown = rest.p != NULL;
	if (pr_request_read(a, &call, &rq, &why) == 0) {
		must(rq.op->op != PR_OP_UNKNOWN);
		must(rq.op->op != PR_OP_BUILD_GRPC_H2);
		must(rq.op->until == 0);
		must((rq.op->kind != PR_KIND_NONE) <= (rq.name.n > 0));
		check_body(&rq);
		check_same(a, &call, &rq);
	} else {
		must(rq.op != NULL && why.reason != PR_REASON_NONE);
		must(
		    pr_str_printable(pr_str_of(why.text)) && *why.text != '\0');
	}
	free(copy);
	pr_arena_free(a);
	return 0;
}
