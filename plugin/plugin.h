/* SPDX-License-Identifier: Apache-2.0 */
/* The program: what it has opened, and what may be asked of the whole. */
#ifndef PLUGIN_H
#define PLUGIN_H

#include <pthread.h>
#include <stdatomic.h>

#include <portreeve/config.h>
#include <portreeve/judge.h>

#include "admin.h"
#include "flight.h"
#include "server.h"
#include "socket.h"

struct plugin {
	struct pr_arena *arena; /* of the configuration */
	struct pr_config config;
	struct pr_judge *judge;
	struct pr_audit *audit;
	struct listener listener, admin_listener;
	struct flights *flights;
	struct server *server;
	struct admin *admin;

	uint64_t started;
	pthread_mutex_t reload_lock;
	_Atomic uint64_t reloads, reloads_failed;
	_Atomic bool reload_failed;    /* the last one */
	_Atomic uint64_t policy_since; /* seconds since 1970 */
};

/*
 * Reads the policy again.  0, or -1 with the old one in force.  Both are
 * logged; `text` gets what a person wants to read.  Any thread, one at a time.
 */
int plugin_reload(struct plugin *p, struct pr_buf *text) PR_NODISCARD;

/* health.c: for the admin socket */
/* One line a check: "ok    policy: 3b1f…" or "not ok audit: …"; true: ready. */
bool plugin_ready(struct plugin *p, struct pr_buf *text);
/* One JSON object. */
void plugin_status(struct plugin *p, struct pr_buf *text);

#endif /* PLUGIN_H */
