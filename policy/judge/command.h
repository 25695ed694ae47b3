/* SPDX-License-Identifier: Apache-2.0 */
/* Between the files that read docker commands. */
#ifndef JUDGE_COMMAND_H
#define JUDGE_COMMAND_H

#include <portreeve/buf.h>
#include <portreeve/command.h>

struct command {
	struct pr_arena *arena;
	struct pr_str *words; /* unquoted */
	size_t n, at;
	const char *why;
};

int command_fail(struct command *c, const char *fmt, ...) PR_PRINTF(2, 3);
/* Appends s as it must stand in a path or query value. */
void command_escape(struct pr_buf *b, struct pr_str s, bool query);
void command_set(
    struct pr_call *call, const char *method, struct pr_str target);
void command_set_json(
    struct command *c, struct pr_call *call, const struct pr_buf *body);

/* docker run, create: words from c->at on are flags, image, command. */
int command_run(struct command *c, struct pr_call *call);

#endif /* JUDGE_COMMAND_H */
