/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jansson, for all that is off the hot path (reading our own log, answers of
 * commands, tests).  jansson 2.14 crashes when an allocation fails half way,
 * so it gets an allocator that aborts.  Who uses it includes <jansson.h>,
 * too.  Never for what a client sent: that is what <portreeve/json.h> is for.
 */
#ifndef PR_JSONOUT_H
#define PR_JSONOUT_H

#include <portreeve/compiler.h>
#include <portreeve/err.h>
#include <portreeve/str.h>

struct json_t; /* jansson's */

/* Hands jansson its allocator; once, and before any other use of it. */
void pr_jansson_setup(void);
/*
 * One value of any type, nothing behind it, no key twice; sets up if need
 * be.  NULL: *err is set, PR_ERR_INVALID with line and column.  Caller frees
 * with json_decref.
 */
struct json_t *pr_jansson_load(
    struct pr_str text, struct pr_err **err) PR_NODISCARD;
/* For PR_CLEANUP. */
void pr_jansson_freep(struct json_t **v);

#endif /* PR_JSONOUT_H */
