/* SPDX-License-Identifier: Apache-2.0 */
/* The program: what it has opened, and what its parts share. */
#ifndef PROXY_H
#define PROXY_H

#include <pthread.h>
#include <stdatomic.h>

#include <portreeve/config.h>
#include <portreeve/judge.h>

#include "listen.h"

struct admin;
struct loop;
struct jobs;
struct subjects;

/* All bodies and answers together that are held to be judged. */
#define PROXY_HELD_MOST ((size_t)256 << 20)

/* X(field, text): what is counted since the start */
#define PROXY_COUNTS(X)                                             \
	X(accepted, "connections taken")                            \
	X(refused, "connections not taken: too many")               \
	X(handshakes, "TLS handshakes that succeeded")              \
	X(handshakes_failed, "TLS handshakes that did not")         \
	X(requests, "requests read")                                \
	X(malformed, "heads and bodies refused as HTTP")            \
	X(limited, "requests refused: too many of one peer")        \
	X(allowed, "requests forwarded")                            \
	X(denied, "requests denied")                                \
	X(withheld, "answers withheld by response rules")           \
	X(waited, "judgements that a worker made")                  \
	X(upstream_failed, "the daemon was gone or spoke nonsense") \
	X(tunnels, "connections that became tunnels")               \
	X(reloads, "reloads, those that failed too")                \
	X(reloads_failed, "reloads of which not all was done")      \
	X(cut, "connections ended by a reload")                     \
	X(expired, "connections ended by a time limit")

struct proxy {
	struct pr_arena *arena; /* of the configuration */
	struct pr_config config;
	struct pr_judge *judge;
	struct pr_audit *audit;
	struct listener *listeners;
	size_t n_listeners;
	struct loop **loops;
	size_t n_loops;
	struct jobs *jobs;
	struct subjects *subjects;

	_Atomic unsigned connections;
	_Atomic size_t held; /* bytes of bodies that are held to be judged */
	atomic_bool draining;

	uint64_t started;
	struct admin *admin; /* NULL: not asked for */

	pthread_mutex_t reload_lock;
	atomic_bool reload_failed; /* the last one */
	struct {
#define X(field, text) _Atomic uint64_t field;
		PROXY_COUNTS(X)
#undef X
	} count;
};

/*
 * Reads policy, certificates and revocation lists again.  0, or -1 where not
 * all was done; `text` gets what a person wants to read.  One at a time.
 */
int proxy_reload(struct proxy *p, struct pr_buf *text) PR_NODISCARD;

#endif /* PROXY_H */
