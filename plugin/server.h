/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plugin's socket: HTTP by libmicrohttpd on one event thread, the three
 * endpoints of the protocol, and its answers, which have two constant shapes.
 * It takes calls only from the users that the configuration names.  It knows
 * nothing about decisions: flight.h.
 */
#ifndef SERVER_H
#define SERVER_H

#include <stdint.h>

#include <portreeve/inventory.h>

#include "flight.h"
#include "socket.h"

struct server; /* opaque */

struct server_config {
	struct listener *listener;
	const uint32_t *peer_uids; /* who may call */
	size_t n_peer_uids;
	struct flights *flights;
	struct pr_inventory *inventory; /* is told who dockerd is; or NULL */
};

/* Starts the event thread. */
struct server *server_start(
    const struct server_config *config, struct pr_err **err) PR_NODISCARD;
/*
 * Takes no more connections, answers what is in flight, and ends the
 * connections; at most until `until` (pr_clock_now() time).  Connections are
 * taken until `look_ups` at most while calls wait for the daemon: it asks us
 * before it answers.
 */
void server_drain(struct server *s, uint64_t look_ups, uint64_t until);
/* After server_drain; frees. */
void server_stop(struct server *s);

struct server_counts {
	unsigned connections; /* now */
	uint64_t accepted;
	uint64_t refused; /* of other users */
	uint64_t unknown; /* calls of none of the endpoints */
};
void server_counts(struct server *s, struct server_counts *out);

/* For flights_config.wake. */
void server_wake(void *conn);

#endif /* SERVER_H */
