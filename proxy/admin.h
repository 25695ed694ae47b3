/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The admin socket: GET /healthz, /readyz, /status, /metrics, POST /reload,
 * over HTTP on a unix socket that only its owner may open.  One request a
 * connection, one at a time, in a thread of its own.
 */
#ifndef ADMIN_H
#define ADMIN_H

#include "proxy.h"

struct admin; /* opaque */

/* Opens the socket; nobody is answered before admin_start. */
struct admin *admin_open(
    struct proxy *p, const char *path, struct pr_err **err) PR_NODISCARD;
int admin_start(struct admin *a, struct pr_err **err) PR_NODISCARD;
void admin_stop(struct admin *a); /* NULL is fine */

#endif /* ADMIN_H */
