/* SPDX-License-Identifier: Apache-2.0 */
#include "answer.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <portreeve/arena.h>
#include <portreeve/buf.h>

#define TYPE "application/vnd.docker.plugins.v1.2+json"

struct answers {
	struct MHD_Response *allow, *allow_last, *activate, *unknown;
};

static struct MHD_Response *
head(struct MHD_Response *r, const char *type, bool last)
{
	/* NULL is out of memory, as everywhere */
	if (r == NULL ||
	    MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, type) !=
		MHD_YES ||
	    (last &&
		MHD_add_response_header(
		    r, MHD_HTTP_HEADER_CONNECTION, "close") != MHD_YES))
		abort();
	return r;
}

static struct MHD_Response *
constant(const char *text, const char *type, bool last)
{
	/* MHD does not write to a persistent buffer; its type is older */
	void *p = (void *)(uintptr_t)text;

	return head(MHD_create_response_from_buffer(
			strlen(text), p, MHD_RESPMEM_PERSISTENT),
	    type, last);
}

struct answers *
answers_new(void)
{
	struct answers *a = pr_xcalloc(1, sizeof *a);

	a->allow = constant("{\"Allow\":true}", TYPE, false);
	a->allow_last = constant("{\"Allow\":true}", TYPE, true);
	a->activate = constant("{\"Implements\":[\"authz\"]}", TYPE, false);
	a->unknown = constant("no such endpoint\n", "text/plain", false);
	return a;
}

void
answers_free(struct answers *a)
{
	MHD_destroy_response(a->allow);
	MHD_destroy_response(a->allow_last);
	MHD_destroy_response(a->activate);
	MHD_destroy_response(a->unknown);
	free(a);
}

enum MHD_Result
answer_allow(struct answers *a, struct MHD_Connection *c, bool last)
{
	return MHD_queue_response(
	    c, MHD_HTTP_OK, last ? a->allow_last : a->allow);
}

enum MHD_Result
answer_deny(struct MHD_Connection *c, const char *message, bool last)
{
	struct pr_buf b = PR_BUF_INIT;
	struct MHD_Response *r;
	enum MHD_Result rc;

	pr_buf_cstr(&b, "{\"Allow\":false,\"Msg\":");
	pr_buf_json(&b, pr_str_of(message));
	pr_buf_char(&b, '}');
	r = head(
	    MHD_create_response_from_buffer(b.n, b.p, MHD_RESPMEM_MUST_FREE),
	    TYPE, last);
	rc = MHD_queue_response(c, MHD_HTTP_OK, r);
	MHD_destroy_response(r);
	return rc;
}

enum MHD_Result
answer_activate(struct answers *a, struct MHD_Connection *c)
{
	return MHD_queue_response(c, MHD_HTTP_OK, a->activate);
}

enum MHD_Result
answer_no_endpoint(struct answers *a, struct MHD_Connection *c)
{
	return MHD_queue_response(c, MHD_HTTP_NOT_FOUND, a->unknown);
}
