/* SPDX-License-Identifier: Apache-2.0 */
/* One question to a daemon's unix socket: one answer, the end. */
#ifndef ADMIN_CLIENT_H
#define ADMIN_CLIENT_H

#include <portreeve/buf.h>
#include <portreeve/err.h>

/*
 * Asks `path` by `method` (no body) at the unix socket.  0: *status and *body
 * (appended) are the answer.  Errors: OFFLINE: nobody listens; TIMEOUT;
 * DENIED: not for us; INVALID: no HTTP; IO.
 */
int admin_ask(const char *socket, const char *method, const char *path,
    unsigned *status, struct pr_buf *body, struct pr_err **err) PR_NODISCARD;

#endif /* ADMIN_CLIENT_H */
