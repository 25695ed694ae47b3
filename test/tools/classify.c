/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What Portreeve takes a call for.  Reads a call a line from stdin:
 *
 *     METHOD TARGET [Name:value ...] [=BODY]
 *
 * parted by tabs, bodies in hexadecimal; answers a line each:
 *
 *     OPERATION<tab>action<tab>name<tab>name2<tab>canonical target
 *     !reason<tab>OPERATION<tab>text
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <portreeve/arena.h>
#include <portreeve/caps.h>
#include <portreeve/request.h>

#define MAX_HEADERS 32

static int
hex(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *p = c != '\0' ? strchr(digits, c) : NULL;

	return p != NULL ? (int)(p - digits) : -1;
}

/* Decodes in place, for bodies and for targets with bytes of any kind. */
static struct pr_str
unhex(char *s)
{
	size_t n = 0;

	for (char *p = s; hex(p[0]) >= 0 && hex(p[1]) >= 0; p += 2)
		s[n++] = (char)(hex(p[0]) << 4 | hex(p[1]));
	return (struct pr_str){s, n};
}

static void
read_field(struct pr_call *call, struct pr_header *headers, char *field)
{
	struct pr_str value = pr_str_of(field);

	if (field[0] == '=') {
		call->body = unhex(field + 1);
		call->body_shown = true;
		return;
	}
	if (call->n_headers == MAX_HEADERS)
		return;
	headers[call->n_headers].name = pr_str_cut(&value, ':');
	headers[call->n_headers].value = value;
	call->n_headers++;
}

static void
answer(struct pr_arena *a, const struct pr_call *call)
{
	struct pr_refusal why;
	struct pr_request rq;

	if (pr_request_read(a, call, &rq, &why) < 0) {
		printf("!%s\t%s\t%s\n", pr_reason_code(why.reason), rq.op->id,
		    why.text);
		return;
	}
	printf("%s\t%s\t%.*s\t%.*s\t%.*s\n", rq.op->id, rq.op->action,
	    PR_STRF(rq.name), PR_STRF(rq.name2), PR_STRF(rq.canonical));
}

int
main(void)
{
	PR_CLEANUP(pr_arena_freep) struct pr_arena *a = pr_arena_new(65536);
	char *line = NULL;
	size_t size = 0;

	while (getline(&line, &size, stdin) > 0) {
		struct pr_header headers[MAX_HEADERS];
		struct pr_call call = {
		    .headers = headers, .max_body = PR_CAP_PLUGIN_BODY};
		char *save, *field;

		line[strcspn(line, "\n")] = '\0';
		field = strtok_r(line, "\t", &save);
		if (field == NULL)
			continue;
		call.method = pr_str_of(field);
		field = strtok_r(NULL, "\t", &save);
		call.target = pr_str_of(field != NULL ? field : "");
		while ((field = strtok_r(NULL, "\t", &save)) != NULL)
			read_field(&call, headers, field);
		answer(a, &call);
		fflush(stdout);
		pr_arena_reset(a, 65536);
	}
	free(line);
	return 0;
}
