/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The admin socket: HTTP on a unix socket that only its owner may open.
 *
 *   GET  /healthz           200: it answers
 *   GET  /readyz?verbose    200 or 503, with the checks
 *   GET  /status            a JSON object
 *   GET  /metrics           Prometheus text
 *   POST /reload            200, or 422 with the mistakes; the old policy
 *                           stays then
 */
#ifndef ADMIN_H
#define ADMIN_H

#include <portreeve/err.h>

#include "socket.h"

struct plugin;
struct admin; /* opaque: its thread */

struct admin *admin_start(
    struct plugin *p, struct listener *l, struct pr_err **err) PR_NODISCARD;
void admin_stop(struct admin *a); /* NULL is fine */

#endif /* ADMIN_H */
