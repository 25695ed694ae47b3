/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls in flight: from the last byte of an AuthZReq or AuthZRes to its
 * answer.  What can be answered at once is; what must ask somebody goes to a
 * worker, what must be durable waits for the log, and in both cases the
 * connection is parked.  A sweeper answers "deadline" for what is parked too
 * long, whoever hangs.
 *
 *   event thread ──judge──► answer
 *        │ would wait          ▲
 *        ├──► queue ──► worker ┤ the first to claim the flight answers it;
 *        ├──► log ──► done() ──┤ whoever comes later lets go of what the
 *        └──► sweeper ─────────┘ judgement held
 *
 * It never lets an answer leave twice, and never an allow without its record.
 */
#ifndef FLIGHT_H
#define FLIGHT_H

#include <stdatomic.h>

#include <portreeve/audit.h>
#include <portreeve/judge.h>
#include <portreeve/nonce.h>

#include "call.h"

struct flights; /* opaque: all that is in flight, and who works on it */

struct flights_config {
	struct pr_judge *judge;
	struct pr_audit *audit;
	struct pr_nonces *nonces;
	struct pr_asserter *asserter; /* NULL: no proxy is before us */
	uint64_t deadline; /* ns, from the whole call to its answer */
	unsigned workers;  /* 0: as many as fit the machine */
	unsigned queue;    /* calls that wait for a worker; 0: 1024 */
	/* wakes a parked connection; from any thread */
	void (*wake)(void *conn);
};

struct flights *flights_start(
    const struct flights_config *config, struct pr_err **err) PR_NODISCARD;
/* Ends workers and sweeper; nothing may be parked any more. */
void flights_stop(struct flights *fs);
/* When the log is closed, so that nothing comes back; NULL is fine. */
void flights_free(struct flights *fs);

/* X(field, text): what is counted since the start */
#define FLIGHT_COUNTS(X)                                     \
	X(requests, "AuthZReq answered")                     \
	X(responses, "AuthZRes answered")                    \
	X(allowed, "of both")                                \
	X(denied, "of both")                                 \
	X(bad_calls, "not what a dockerd sends")             \
	X(lookups, "own look-ups let through")               \
	X(waited, "went to a worker")                        \
	X(busy, "found the queue full")                      \
	X(deadlines, "answered by the sweeper")              \
	X(audit_failures, "allows without a record: denied") \
	X(late, "judged after the answer")                   \
	X(lost, "the caller went away before the answer")

struct flight_counts {
#define X(field, text) uint64_t field;
	FLIGHT_COUNTS(X)
#undef X
};
void flights_counts(struct flights *fs, struct flight_counts *out);

/* Upper bounds of the classes of latency, in µs; one more is beyond them. */
#define FLIGHT_TIMES 15
extern const uint64_t flight_times[FLIGHT_TIMES];
/* Of what was decided, by stage; look-ups of our own are not in it. */
struct flight_meter {
	uint64_t verdicts[2][2][PR_REASON_COUNT]; /* stage, allowed, reason */
	uint64_t would_deny; /* of the allowed: complain mode */
	uint64_t took[2][FLIGHT_TIMES + 1];
	uint64_t took_us[2]; /* the sum */
};
void flights_meter(struct flights *fs, struct flight_meter *out);
/* Is a call with the workers: it may be waiting for the daemon. */
bool flights_working(struct flights *fs);
/* How long the oldest parked call is overdue, ns; 0: none is. */
uint64_t flights_overdue(struct flights *fs);

struct flight; /* opaque, counted, reused */

/* A flight for the message that is about to be read from `conn`. */
struct flight *flight_new(
    struct flights *fs, enum call_stage stage, void *conn) PR_NODISCARD;
void flight_unref(struct flight *f); /* NULL is fine */
/* Room for a message of that length at once; a hint. */
void flight_expect(struct flight *f, uint64_t length);
/* More of the message; beyond the cap it is dropped and remembered. */
void flight_add(struct flight *f, const char *p, size_t n);

enum flight_step {
	FLIGHT_ANSWERED = 0,
	FLIGHT_PARKED, /* suspend the connection, then flight_parked() */
	/*
	 * Judged, and its record waits for those of the other connections that
	 * are ready now: one write(2) for all of them.  Come back when they
	 * have had their turn; flight_land() ends the round.
	 */
	FLIGHT_IN_ROUND,
};
/* The message is whole: judges it.  Event thread only, once. */
enum flight_step flight_run(struct flight *f) PR_NODISCARD;
/* True once flight_run was called. */
bool flight_begun(const struct flight *f);
/*
 * The connection is suspended: from now on it is woken when there is an
 * answer.  False: there is one already; resume it at once.
 */
bool flight_parked(struct flight *f) PR_NODISCARD;
enum flight_answer {
	FLIGHT_NONE = 0, /* not yet */
	FLIGHT_ALLOW,
	FLIGHT_DENY,
};
/* Takes the answer, if there is one; its time is then not watched any more. */
enum flight_answer flight_land(struct flight *f) PR_NODISCARD;
/* Of a denial; borrowed from f. */
const char *flight_message(const struct flight *f);
/* The connection broke before the answer was out: an allow is taken back. */
void flight_lost(struct flight *f);

#endif /* FLIGHT_H */
