/* SPDX-License-Identifier: Apache-2.0 */
/* The insides of flights, shared by flight*.c. */
#ifndef FLIGHT_LOCAL_H
#define FLIGHT_LOCAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "flight.h"

#define BIG_TEXTS 4

enum flight_meet { /* bits: event thread and answerer meet in them */
	MEET_PARKED = 1,
	MEET_ANSWERED = 2,
};

struct flight {
	struct flights *fs;
	void *conn;
	enum call_stage stage;
	_Atomic unsigned refs;
	atomic_bool claimed;   /* somebody answers it */
	_Atomic unsigned meet; /* enum flight_meet */

	/* the message; event thread until it has been run */
	char *text;
	size_t n, cap;
	bool too_long, begun;

	/* read once, then only looked at, by anybody */
	struct pr_arena *parse;
	struct call call;

	/* whoever judges, then whoever concludes */
	struct pr_arena *work;
	struct pr_judgement out;
	struct pr_outcome outcome;
	bool appended; /* the log was given an allow */

	/* event thread */
	bool in_round;            /* of fs->round, which has a reference */
	bool unsettled;           /* an allow, answered at the round's end */
	struct flight *next_mate; /* in the round */

	/* the claimant, until MEET_ANSWERED */
	bool allow;
	char message[PR_CAP_MESSAGE + 1];

	struct flight *next; /* in the queue, or among the spare */
	/* parked, under timer.lock */
	struct parked *in;
	struct flight *sooner, *later;
};

struct parked { /* in order of deadline */
	struct flight *head, *tail;
};

struct flights {
	struct flights_config config;

	struct {
		pthread_mutex_t lock;
		struct flight *list;
		unsigned n;
		uint64_t used; /* ns: when one was last taken */
		size_t big;    /* bytes of big messages since the last trim */
		/* buffers of big messages, until it is quiet */
		struct {
			char *p;
			size_t cap;
		} texts[BIG_TEXTS];
	} spare;

	struct {           /* event thread */
		bool open; /* the log gathers our records */
		struct flight *mates;
		unsigned n;
		size_t allows; /* that wait for their record */
	} round;

	struct {
		pthread_mutex_t lock;
		pthread_cond_t more;
		struct flight *head, **tail;
		unsigned n;
		unsigned idle; /* workers that wait for `more` */
		bool waking;   /* one was called and has not come yet */
		bool stop;
	} queue;
	pthread_t *workers;
	unsigned n_workers;

	struct {
		pthread_mutex_t lock;
		pthread_cond_t more;
		struct parked waiting;
		struct parked overdue; /* answered, not yet sent */
		bool asleep;           /* the sweeper waits for a signal */
		bool stop;
		struct pr_arena *arena; /* of the sweeper's own denials */
	} timer;
	pthread_t sweeper;
	bool sweeping;

	struct {
#define X(field, text) _Atomic uint64_t field;
		FLIGHT_COUNTS(X)
#undef X
	} count;
	struct {
		_Atomic uint64_t verdicts[2][2][PR_REASON_COUNT];
		_Atomic uint64_t would_deny;
		_Atomic uint64_t took[2][FLIGHT_TIMES + 1];
		_Atomic uint64_t took_us[2];
	} meter;
};

/* flight.c */
bool flight_claim(struct flight *f) PR_NODISCARD;
void flight_publish(
    struct flight *f, bool allow, enum pr_reason reason, const char *message);
/* A denial of our own, recorded; the caller holds the claim or knows none. */
void flight_refuse(struct flight *f, struct pr_arena *a, enum pr_reason reason,
    const char *text, struct pr_judgement *out);
/* Judges with waiting, records, answers; by a worker. */
void flight_work(struct flight *f);
void flight_record(struct flight *f, struct pr_judgement *out);

/* flight_pool.c */
void pool_init(struct flights *fs);
void pool_fini(struct flights *fs);
/* Gives memory back when nothing has been in flight for a while; true: there
 * is something left that may be given back later. */
bool pool_trim(struct flights *fs, uint64_t now);

/* flight_work.c: queue, workers, sweeper */
int work_start(struct flights *fs, struct pr_err **err) PR_NODISCARD;
void work_stop(struct flights *fs);
void work_fini(struct flights *fs);
/* Takes a reference; false: the queue is full. */
bool work_push(struct flight *f) PR_NODISCARD;
void timer_add(struct flight *f);
void timer_remove(struct flight *f);
/* There is memory to give back when it is quiet. */
void timer_poke(struct flights *fs);

#endif /* FLIGHT_LOCAL_H */
