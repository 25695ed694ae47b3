/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two locks: what the proxy says to the plugin behind the same daemon about a
 * request that it has forwarded (docs/design.md 2).  One header, signed with a
 * key that both read from a file: who asks, and for which message exactly.
 *
 * It names a caller, and allows nothing: the plugin decides again on all that
 * it sees.  Each is good once, for five seconds of this boot, and only where
 * the daemon saw no client certificate.
 */
#ifndef PR_ASSERTION_H
#define PR_ASSERTION_H

#include <portreeve/arena.h>
#include <portreeve/buf.h>
#include <portreeve/err.h>
#include <portreeve/identity.h>
#include <portreeve/request.h>

#define PR_ASSERTION_HEADER "X-Portreeve-Assertion"

struct pr_asserter; /* opaque; thread-safe */

/* Reads the key (32 bytes at least; nobody else may read the file).  NULL:
 * *err.  Close with pr_asserter_close. */
struct pr_asserter *pr_asserter_open(
    const char *key_file, struct pr_err **err) PR_NODISCARD;
void pr_asserter_close(struct pr_asserter *as); /* NULL is fine */

enum pr_assertion_kind {
	PR_ASSERT_REQUEST = 0, /* of a client */
	PR_ASSERT_LOOKUP,      /* of the proxy itself: a GET without a body */
};

/* A message as it goes to the daemon.  Borrowed. */
struct pr_assertion {
	enum pr_assertion_kind kind;
	struct pr_str method, target, content_type;
	struct pr_str body;
	bool streams; /* a body that no plugin is shown: not digested */
	const struct pr_identity_call *caller; /* of REQUEST */
	struct pr_str decision, policy;        /* of REQUEST: ids for the log */
};

/* Appends the header's value. */
void pr_assertion_write(
    struct pr_asserter *as, const struct pr_assertion *a, struct pr_buf *out);

/*
 * Checks the header's value against the call that bore it.  0: *kind, and of
 * REQUEST *caller (living in the arena); -1: *why, static.  `response`: of
 * the second stage, whose first one used it up.
 */
int pr_assertion_read(struct pr_asserter *as, struct pr_arena *a,
    struct pr_str value, const struct pr_call *call, bool response,
    enum pr_assertion_kind *kind, struct pr_identity_call *caller,
    const char **why) PR_NODISCARD;

#endif /* PR_ASSERTION_H */
