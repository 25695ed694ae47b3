/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The outer message of the AuthZ protocol, both stages: what is taken has a
 * method and a target, its strings hold no NUL, its bodies are the base64 of
 * the text, and a fault says why in one printable line.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <portreeve/arena.h>

#include "call.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool ok)
{
	if (!ok)
		abort();
}

static void
must_be_text(struct pr_str s)
{
	must(pr_str_utf8(s));
	must(s.n == 0 || memchr(s.p, '\0', s.n) == NULL);
}

static void
look(const struct call *c)
{
	const struct pr_call *call = &c->judge.call;

	must(call->method.n > 0 && call->target.n > 0);
	must(call->max_body == PR_CAP_PLUGIN_BODY);
	must_be_text(call->method);
	must_be_text(call->target);
	must_be_text(c->judge.caller.user);
	must_be_text(c->judge.caller.method);
	must(call->body_shown == (call->body.n > 0));
	must(c->result.body_shown == (c->result.body.n > 0));
	must(c->result.status >= 0 && c->result.status < 1000);
	for (size_t i = 0; i < call->n_headers; i++) {
		must_be_text(call->headers[i].name);
		must_be_text(call->headers[i].value);
		must(c->has_lookup ||
		    !pr_str_is_nocase(call->headers[i].name, PR_LOOKUP_HEADER));
	}
	for (size_t i = 0; i < c->judge.caller.n_chain; i++)
		must_be_text(c->judge.caller.chain[i]);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pr_arena *a = pr_arena_new(1024);
	/* a block of its own, so that a byte too many is seen */
	char *copy = pr_xmalloc(size);
	struct call c;
	struct call_fault why;

	for (int stage = CALL_REQUEST; stage <= CALL_RESPONSE; stage++) {
		int rc;

		if (size > 0)
			memcpy(copy, data, size);
		rc = call_read(a, copy, size, (enum call_stage)stage, &c, &why);

		if (rc == 0)
			look(&c);
		else
			must(pr_str_printable(pr_str_of(why.text)) &&
			    why.text[0] != '\0');
		must((rc == 0) == (why.text[0] == '\0'));
	}
	free(copy);
	pr_arena_free(a);
	return 0;
}
