/* SPDX-License-Identifier: Apache-2.0 */
/* One judgement under way, between the files of the request stage. */
#ifndef JUDGE_WORK_H
#define JUDGE_WORK_H

#include "local.h"

#define LAST_MOMENT (100 * PR_MS)

struct work {
	struct pr_judge *j;
	struct pr_arena *a;
	const struct pr_judge_call *call;
	bool may_wait;
	struct pr_judgement *out;
	struct pr_request rq;
	struct pr_judgement_held *held;
	struct pr_lookup lookup;
	struct pr_facts facts;
	struct pr_object_ref **objects; /* held until the judgement ends */
	size_t n_objects, cap_objects;
	struct pr_spec *spec;
	struct pr_who who;
	struct pr_question q;
	struct pr_decision d;
	bool narrow;    /* asked about the caller's own objects alone */
	uint64_t since; /* time of names, before the last look-up */
	struct usage_view usage;
	bool counts; /* quotas may be asked */
	uint64_t reserved;
	struct pr_daemon_facts daemon; /* if they are known */
	bool daemon_known;
	enum pr_tri plain_tcp;
	enum {
		AS_IT_IS = 0,
		ANEW,
		LATER
	} again; /* names change meanwhile */
};

void work_set_who(struct work *w);

/* ---- daemon.c ---- */
/* The last moment for an answer of our own. */
bool work_time_is_up(const struct work *w);
/*
 * Until it is known, or the last moment has come: JUDGED, and whoever needs it
 * looks; WOULD_WAIT: where nobody may wait.
 */
enum pr_judge_answer work_await(struct work *w, bool (*known)(struct work *w));
bool work_knows_daemon(struct work *w);    /* w->daemon */
bool work_knows_listeners(struct work *w); /* w->plain_tcp */

/* ---- ask.c ---- */
/* Decides, with quotas counted and reserved; JUDGED or WOULD_WAIT. */
enum pr_judge_answer work_decide(struct work *w);

/* ---- hold.c ---- */
/* A wait for others leaves time to say that it was in vain. */
uint64_t work_wait_until(const struct pr_judge_call *call);
bool work_target_absent(const struct work *w);
/* As pending_add; n_refs of the references keep their names. */
int work_hold(struct work *w, size_t n_refs);
/* As pending_unsettled, if the denial may be for that. */
int work_unsettled(struct work *w);
/* Gives back what was reserved of quotas. */
void work_let_go(struct work *w);

#endif /* JUDGE_WORK_H */
