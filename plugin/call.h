/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The outer message of the AuthZ protocol (moby pkg/authorization/api.go,
 * Request): what dockerd says of one API call, before anything is judged.
 * It takes exactly what a dockerd writes: one object, known members in their
 * one spelling and type, base64 that is base64.  Members that it does not
 * know are left alone, for newer daemons may add some.
 */
#ifndef CALL_H
#define CALL_H

#include <portreeve/judge.h>

enum call_stage {
	CALL_REQUEST = 0, /* /AuthZPlugin.AuthZReq */
	CALL_RESPONSE,    /* /AuthZPlugin.AuthZRes */
};

struct call {
	struct pr_judge_call judge; /* without its times */
	struct pr_judge_result result;
	/* the nonce of a look-up of our own: a secret until it is used up */
	bool has_lookup;
	struct pr_str lookup; /* empty: more than one, or an empty one */
	/* what the proxy says of who asks (assertion.h) */
	bool has_assertion;
	struct pr_str assertion;
};

/* What was wrong, for the user and the log; nothing secret is in it. */
struct call_fault {
	char text[200];
};

/*
 * Reads one message.  Returns 0, or -1 with *why; *out then holds what was
 * read before the mistake, for the log.  Strings are borrowed from `text`,
 * where bodies are decoded in their place, or live in the arena.
 */
int call_read(struct pr_arena *a, char *text, size_t n, enum call_stage stage,
    struct call *out, struct call_fault *why) PR_NODISCARD;

#endif /* CALL_H */
