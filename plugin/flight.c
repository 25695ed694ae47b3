/* SPDX-License-Identifier: Apache-2.0 */
#include "flight.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <portreeve/clock.h>

#include "flight_local.h"

#define ROUND_MAX 64 /* calls that wait for each other's records */

static void end_round(struct flights *fs);

/* --- the meeting of answer and connection ------------------------------- */

bool
flight_claim(struct flight *f)
{
	bool free = false;

	return atomic_compare_exchange_strong(&f->claimed, &free, true);
}

const uint64_t flight_times[FLIGHT_TIMES] = {100, 250, 500, 1000, 2500, 5000,
    10000, 25000, 50000, 100000, 250000, 500000, 1000000, 2500000, 5000000};

/* Of a look-up of our own. */
#define UNMEASURED PR_REASON_COUNT

static void
add_relaxed(_Atomic uint64_t *n, uint64_t more)
{
	atomic_fetch_add_explicit(n, more, memory_order_relaxed);
}

static void
measure(struct flight *f, bool allow, enum pr_reason reason)
{
	uint64_t us = (pr_clock_now() - f->call.judge.received) / 1000;
	size_t class = 0;

	while (class < FLIGHT_TIMES && us > flight_times[class])
		class ++;
	add_relaxed(&f->fs->meter.verdicts[f->stage][allow][reason], 1);
	add_relaxed(&f->fs->meter.took[f->stage][class], 1);
	add_relaxed(&f->fs->meter.took_us[f->stage], us);
}

/* After a claim; f may be gone when this returns, but for a reference. */
void
flight_publish(
    struct flight *f, bool allow, enum pr_reason reason, const char *message)
{
	struct flights *fs = f->fs;

	if (reason != UNMEASURED)
		measure(f, allow, reason);

	f->allow = allow;
	if (!allow)
		snprintf(f->message, sizeof f->message, "%s", message);
	if (allow)
		fs->count.allowed++;
	else
		fs->count.denied++;
	if (f->stage == CALL_REQUEST)
		fs->count.requests++;
	else
		fs->count.responses++;
	if ((atomic_fetch_or(&f->meet, MEET_ANSWERED) & MEET_PARKED) != 0)
		fs->config.wake(f->conn);
}

bool
flight_parked(struct flight *f)
{
	timer_add(f);
	return (atomic_fetch_or(&f->meet, MEET_PARKED) & MEET_ANSWERED) == 0;
}

bool
flight_begun(const struct flight *f)
{
	return f->begun;
}

enum flight_answer
flight_land(struct flight *f)
{
	unsigned meet;

	if (f->in_round)
		end_round(f->fs);
	meet = atomic_load(&f->meet);
	if ((meet & MEET_ANSWERED) == 0)
		return FLIGHT_NONE;
	if ((meet & MEET_PARKED) != 0)
		timer_remove(f);
	return f->allow ? FLIGHT_ALLOW : FLIGHT_DENY;
}

const char *
flight_message(const struct flight *f)
{
	return f->message;
}

/* --- records ------------------------------------------------------------ */

static void
stamp(struct flight *f, struct pr_record *r)
{
	r->latency_us = (pr_clock_now() - f->call.judge.received) / 1000;
}

/* A denial's record: queued, never waited for. */
void
flight_record(struct flight *f, struct pr_judgement *out)
{
	enum pr_audit_answer ignored;

	stamp(f, &out->record);
	ignored =
	    pr_audit_append(f->fs->config.audit, &out->record, NULL, NULL);
	(void)ignored; /* always DONE for a denial */
}

void
flight_refuse(struct flight *f, struct pr_arena *a, enum pr_reason reason,
    const char *text, struct pr_judgement *out)
{
	pr_judge_refuse(
	    f->fs->config.judge, a, &f->call.judge, reason, text, out);
	if (f->stage == CALL_RESPONSE)
		out->record.stage = PR_STR("response");
	flight_record(f, out);
}

/* The judgement allowed, and no allow leaves: takes it back. */
static void
take_back(struct flight *f, enum pr_reason reason)
{
	if (f->out.verdict != PR_ALLOW || f->stage != CALL_REQUEST)
		return;
	pr_judge_withdraw(f->fs->config.judge, &f->out, reason);
	if (f->appended)
		flight_record(f, &f->out);
}

/* Judged, and answered by the sweeper before. */
static void
too_late(struct flight *f)
{
	f->fs->count.late++;
	take_back(f, PR_REASON_DEADLINE);
}

static void
settle(struct flight *f)
{
	bool allow = f->out.verdict == PR_ALLOW;

	if (!flight_claim(f)) {
		too_late(f);
		return;
	}
	if (allow && f->out.record.would_deny)
		add_relaxed(&f->fs->meter.would_deny, 1);
	flight_publish(f, allow, f->out.record.reason, f->out.message);
}

static void
without_record(struct flight *f)
{
	f->fs->count.audit_failures++;
	if (!flight_claim(f)) {
		too_late(f);
		return;
	}
	pr_judge_withdraw(f->fs->config.judge, &f->out, PR_REASON_AUDIT);
	flight_record(f, &f->out);
	flight_publish(f, false, PR_REASON_AUDIT, f->out.message);
}

/* pr_audit_done: the committer's thread. */
static void
recorded(void *arg, bool ok)
{
	struct flight *f = arg;

	if (ok)
		settle(f);
	else
		without_record(f);
	flight_unref(f);
}

/* --- judging ------------------------------------------------------------ */

static enum pr_judge_answer
judge(struct flight *f, bool may_wait)
{
	struct pr_judge *j = f->fs->config.judge;

	if (f->stage == CALL_REQUEST)
		return pr_judge_request(
		    j, f->work, &f->call.judge, may_wait, &f->out);
	return pr_judge_response(j, f->work, &f->call.judge, &f->call.result,
	    may_wait, &f->out, &f->outcome);
}

/*
 * The judgement is complete: records it and answers.  PARKED: the log will
 * call recorded(), or has; then f->out is no longer ours.
 */
static enum flight_step
conclude(struct flight *f)
{
	struct pr_audit *audit = f->fs->config.audit;

	if (f->stage == CALL_RESPONSE) {
		pr_audit_outcome(audit, &f->outcome);
		settle(f);
		return FLIGHT_ANSWERED;
	}
	if (atomic_load(
		&f->claimed)) { /* by the sweeper: no allow is written */
		too_late(f);
		return FLIGHT_ANSWERED;
	}
	stamp(f, &f->out.record);
	f->appended = f->out.verdict == PR_ALLOW;
	atomic_fetch_add(&f->refs, 1); /* for recorded() */
	switch (pr_audit_append(audit, &f->out.record, recorded, f)) {
	case PR_AUDIT_WAIT:
		return FLIGHT_PARKED;
	case PR_AUDIT_ROUND:
		f->unsettled = true;
		f->fs->round.allows++;
		break;
	case PR_AUDIT_DONE:
		settle(f);
		break;
	case PR_AUDIT_FAILED:
	default:
		without_record(f);
		break;
	}
	flight_unref(f);
	return FLIGHT_ANSWERED;
}

static enum flight_step
refused(struct flight *f, enum pr_reason reason, const char *text)
{
	flight_refuse(f, f->work, reason, text, &f->out);
	if (flight_claim(f))
		flight_publish(f, false, reason, f->out.message);
	return FLIGHT_ANSWERED;
}

static enum flight_step
bad_call(struct flight *f, const char *text)
{
	f->fs->count.bad_calls++;
	return refused(f, PR_REASON_BAD_CALL, text);
}

/* A call that shows a nonce: ours, or somebody's who is curious. */
static enum flight_step
look_up(struct flight *f)
{
	const struct pr_call *call = &f->call.judge.call;
	enum pr_nonce_stage stage =
	    f->stage == CALL_REQUEST ? PR_NONCE_REQUEST : PR_NONCE_RESPONSE;

	if (!pr_nonce_accept(f->fs->config.nonces, f->call.lookup, call->method,
		call->target, stage, !call->body_shown))
		return bad_call(
		    f, "the header " PR_LOOKUP_HEADER " is not for clients");
	f->fs->count.lookups++;
	if (flight_claim(f))
		flight_publish(f, true, UNMEASURED, "");
	return FLIGHT_ANSWERED;
}

/*
 * The proxy has forwarded this: it says for whom.  True: judge it as that
 * caller's; false: *step is what becomes of it.
 */
static bool
assertion(struct flight *f, enum flight_step *step)
{
	struct pr_judge_call *j = &f->call.judge;
	struct pr_asserter *as = f->fs->config.asserter;
	enum pr_assertion_kind kind;
	struct pr_identity_call caller;
	const char *why =
	    "the header " PR_ASSERTION_HEADER " is not for clients";
	bool local = j->caller.user.n == 0 && j->caller.method.n == 0 &&
	    j->caller.n_chain == 0;

	if (as == NULL || !local ||
	    pr_assertion_read(as, f->parse, f->call.assertion, &j->call,
		f->stage == CALL_RESPONSE, &kind, &caller, &why) < 0) {
		*step = bad_call(f, why);
		return false;
	}
	if (kind == PR_ASSERT_REQUEST) {
		j->caller = caller;
		j->forwarded = true;
		return true;
	}
	f->fs->count.lookups++;
	if (flight_claim(f))
		flight_publish(f, true, UNMEASURED, "");
	*step = FLIGHT_ANSWERED;
	return false;
}

/* --- rounds ------------------------------------------------------------- */

/* Writes what the round has recorded, and answers it. */
static void
end_round(struct flights *fs)
{
	struct flight *f = fs->round.mates, *next;
	bool ok = pr_audit_round_end(fs->config.audit, fs->round.allows);

	fs->round.open = false;
	fs->round.mates = NULL;
	fs->round.n = 0;
	fs->round.allows = 0;
	for (; f != NULL; f = next) {
		next = f->next_mate;
		f->in_round = false;
		if (f->unsettled && ok)
			settle(f);
		else if (f->unsettled)
			without_record(f);
		f->unsettled = false;
		flight_unref(f);
	}
}

static void
join_round(struct flight *f)
{
	struct flights *fs = f->fs;

	atomic_fetch_add(&f->refs, 1);
	f->in_round = true;
	f->next_mate = fs->round.mates;
	fs->round.mates = f;
	if (++fs->round.n == ROUND_MAX)
		end_round(fs);
}

static enum flight_step
run(struct flight *f)
{
	struct call_fault why;
	enum flight_step step;
	uint64_t now = pr_clock_now();
	int rc;

	rc = call_read(f->parse, f->text, f->n, f->stage, &f->call, &why);
	f->call.judge.received = now;
	f->call.judge.deadline = now + f->fs->config.deadline;
	if (f->too_long)
		return bad_call(f, "the call is longer than 16 MiB");
	if (rc != 0)
		return bad_call(f, why.text);
	if (f->call.has_lookup)
		return look_up(f);
	if (f->call.has_assertion && !assertion(f, &step))
		return step;
	if (judge(f, false) == PR_JUDGED)
		return conclude(f);
	f->fs->count.waited++;
	pr_judgement_end(&f->out);
	f->out = (struct pr_judgement){0};
	pr_arena_reset(f->work, 0);
	if (work_push(f))
		return FLIGHT_PARKED;
	f->fs->count.busy++;
	return refused(
	    f, PR_REASON_BUSY, "too many calls wait for answers of the daemon");
}

enum flight_step
flight_run(struct flight *f)
{
	struct flights *fs = f->fs;
	enum flight_step step;

	f->begun = true;
	if (!fs->round.open)
		fs->round.open = pr_audit_round(fs->config.audit);
	step = run(f);
	if (!fs->round.open)
		return step;
	/* whoever is parked has recorded nothing yet */
	if (step != FLIGHT_PARKED)
		join_round(f);
	else if (fs->round.n == 0)
		end_round(fs);
	return f->in_round ? FLIGHT_IN_ROUND : step;
}

void
flight_work(struct flight *f)
{
	enum flight_step ignored;

	if (atomic_load(&f->claimed))
		return; /* its deadline passed in the queue */
	switch (judge(f, true)) {
	case PR_JUDGED:
		ignored = conclude(f);
		break;
	case PR_JUDGE_LATER:
		/* behind the others, so that who waits keeps no worker */
		pr_arena_reset(f->work, 0);
		if (work_push(f))
			return;
		f->fs->count.busy++;
		ignored = refused(f, PR_REASON_BUSY,
		    "too many calls wait for answers of the daemon");
		break;
	case PR_JUDGE_WOULD_WAIT:
	default:
		ignored = refused(f, PR_REASON_CANNOT_TELL,
		    "the judgement did not come to an end");
		break;
	}
	(void)ignored; /* the connection is parked already */
}

void
flight_lost(struct flight *f)
{
	if (flight_land(f) == FLIGHT_NONE)
		return;
	f->fs->count.lost++;
	if (f->allow)
		take_back(f, PR_REASON_BAD_CALL);
}

/* --- all of them -------------------------------------------------------- */

struct flights *
flights_start(const struct flights_config *config, struct pr_err **err)
{
	struct flights *fs = pr_xcalloc(1, sizeof *fs);

	fs->config = *config;
	pool_init(fs);
	if (work_start(fs, err) == 0)
		return fs;
	flights_free(fs);
	return NULL;
}

void
flights_stop(struct flights *fs)
{
	work_stop(fs);
}

void
flights_free(struct flights *fs)
{
	if (fs == NULL)
		return;
	pool_fini(fs);
	work_fini(fs);
	free(fs);
}

void
flights_counts(struct flights *fs, struct flight_counts *out)
{
#define X(field, text) out->field = fs->count.field;
	FLIGHT_COUNTS(X)
#undef X
}

void
flights_meter(struct flights *fs, struct flight_meter *out)
{
	for (size_t stage = 0; stage < 2; stage++) {
		for (size_t r = 0; r < PR_REASON_COUNT; r++) {
			out->verdicts[stage][0][r] =
			    fs->meter.verdicts[stage][0][r];
			out->verdicts[stage][1][r] =
			    fs->meter.verdicts[stage][1][r];
		}
		for (size_t i = 0; i <= FLIGHT_TIMES; i++)
			out->took[stage][i] = fs->meter.took[stage][i];
		out->took_us[stage] = fs->meter.took_us[stage];
	}
	out->would_deny = fs->meter.would_deny;
}
