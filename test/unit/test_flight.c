/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls in flight, between a scripted judge and a scripted log: each call is
 * answered once, by whoever is first, and an allow that no answer carried is
 * taken back.  What the judge does stands in the call's target.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <portreeve/clock.h>

#include "flight.h"
#include "unit.h"

/* --- the scripted judge and log ----------------------------------------- */

static struct {
	_Atomic int held;      /* allows that were not withdrawn */
	_Atomic int withdrawn; /* judgements, by pr_judge_withdraw */
	_Atomic int ended;     /* pr_judgement_end of a filled one */
	_Atomic int allow_records, deny_records, outcomes;
	_Atomic int reason;     /* of the last refusal or withdrawal */
	_Atomic int accepts;    /* answers of pr_nonce_accept to come */
	atomic_bool judge_held; /* "hang" waits until this is false */
	_Atomic int hanging;
	enum pr_audit_answer log; /* what the log says to an allow */
	bool rounds;              /* the log gathers */
	bool round_fails;         /* what it gathered is lost */
	int round_open, round_ends;
	size_t round_allows;  /* of the last one */
	_Atomic int log_mode; /* enum log_mode */
} script;

enum log_mode {
	LOG_BY_TEST = 0, /* the test calls log_done */
	LOG_BEFORE,      /* done() is called before append returns */
	LOG_THREAD,      /* by a thread, a little later */
};

static struct {
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct {
		pr_audit_done *done;
		void *arg;
	} waiting[65536];
	unsigned begin, end;
	bool stop;
} logged = {.lock = PTHREAD_MUTEX_INITIALIZER,
    .more = PTHREAD_COND_INITIALIZER};

static void
nap(long ns)
{
	struct timespec t = {.tv_nsec = ns};

	nanosleep(&t, NULL);
}

static void
fill(struct pr_judgement *out, enum pr_verdict verdict, const char *text)
{
	*out = (struct pr_judgement){.verdict = verdict};
	out->held = pr_xmalloc(1);
	snprintf(out->message, sizeof out->message, "%s", text);
	out->record.verdict = verdict;
	if (verdict == PR_ALLOW)
		script.held++;
}

static bool
says(const struct pr_judge_call *call, const char *word)
{
	return memmem(call->call.target.p, call->call.target.n, word,
		   strlen(word)) != NULL;
}

static enum pr_judge_answer
follow(const struct pr_judge_call *call, struct pr_arena *a, bool may_wait,
    struct pr_judgement *out)
{
	(void)!pr_arena_alloc(a, 100);
	if (says(call, "wait") && !may_wait)
		return PR_JUDGE_WOULD_WAIT;
	if (says(call, "slow") && may_wait)
		nap(2000000);
	if (says(call, "hang") && may_wait) {
		script.hanging++;
		while (script.judge_held)
			nap(100000);
		script.hanging--;
	}
	fill(out, says(call, "allow") ? PR_ALLOW : PR_DENY, "the policy");
	return PR_JUDGED;
}

enum pr_judge_answer
pr_judge_request(struct pr_judge *j, struct pr_arena *a,
    const struct pr_judge_call *call, bool may_wait, struct pr_judgement *out)
{
	(void)j;
	ck_assert(call->deadline > call->received && call->received > 0);
	return follow(call, a, may_wait, out);
}

enum pr_judge_answer
pr_judge_response(struct pr_judge *j, struct pr_arena *a,
    const struct pr_judge_call *call, const struct pr_judge_result *result,
    bool may_wait, struct pr_judgement *out, struct pr_outcome *outcome)
{
	enum pr_judge_answer answer = follow(call, a, may_wait, out);

	(void)j;
	(void)result;
	*outcome = (struct pr_outcome){.status = 200};
	if (answer == PR_JUDGED && out->verdict == PR_ALLOW)
		script.held--; /* the outcome is known */
	return answer;
}

void
pr_judge_refuse(struct pr_judge *j, struct pr_arena *a,
    const struct pr_judge_call *call, enum pr_reason reason, const char *text,
    struct pr_judgement *out)
{
	(void)j;
	(void)call;
	(void)!pr_arena_alloc(a, 100);
	script.reason = (int)reason;
	fill(out, PR_DENY, text);
}

void
pr_judge_withdraw(
    struct pr_judge *j, struct pr_judgement *out, enum pr_reason reason)
{
	(void)j;
	ck_assert(out->verdict == PR_ALLOW);
	script.held--;
	script.withdrawn++;
	script.reason = (int)reason;
	out->verdict = out->record.verdict = PR_DENY;
	snprintf(out->message, sizeof out->message, "withdrawn");
}

void
pr_judgement_end(struct pr_judgement *out)
{
	if (out->held != NULL)
		script.ended++;
	free(out->held);
	out->held = NULL;
}

enum pr_audit_answer
pr_audit_append(struct pr_audit *a, const struct pr_record *r,
    pr_audit_done *done, void *arg)
{
	(void)a;
	if (r->verdict != PR_ALLOW) {
		script.deny_records++;
		return PR_AUDIT_DONE;
	}
	if (script.log == PR_AUDIT_FAILED)
		return PR_AUDIT_FAILED;
	script.allow_records++;
	if (script.log != PR_AUDIT_WAIT)
		return script.log;
	if (script.log_mode == LOG_BEFORE) {
		done(arg, true);
		return PR_AUDIT_WAIT;
	}
	pthread_mutex_lock(&logged.lock);
	logged.waiting[logged.end].done = done;
	logged.waiting[logged.end++ % PR_COUNT(logged.waiting)].arg = arg;
	pthread_cond_signal(&logged.more);
	pthread_mutex_unlock(&logged.lock);
	return PR_AUDIT_WAIT;
}

bool
pr_audit_round(struct pr_audit *a)
{
	(void)a;
	if (script.rounds)
		ck_assert_int_eq(script.round_open++, 0);
	return script.rounds;
}

bool
pr_audit_round_end(struct pr_audit *a, size_t allows)
{
	(void)a;
	ck_assert_int_eq(--script.round_open, 0);
	script.round_ends++;
	script.round_allows = allows;
	return !script.round_fails;
}

static bool
log_done(bool ok)
{
	pr_audit_done *done = NULL;
	void *arg = NULL;

	pthread_mutex_lock(&logged.lock);
	if (logged.begin != logged.end) {
		done = logged.waiting[logged.begin].done;
		arg = logged.waiting[logged.begin++].arg;
	}
	pthread_mutex_unlock(&logged.lock);
	if (done != NULL)
		done(arg, ok);
	return done != NULL;
}

void
pr_audit_outcome(struct pr_audit *a, const struct pr_outcome *o)
{
	(void)a;
	ck_assert_int_eq(o->status, 200);
	script.outcomes++;
}

bool
pr_nonce_accept(struct pr_nonces *ns, struct pr_str value, struct pr_str method,
    struct pr_str uri, enum pr_nonce_stage stage, bool body_empty)
{
	(void)ns;
	(void)method;
	(void)uri;
	(void)stage;
	(void)body_empty;
	return value.n > 0 && script.accepts-- > 0;
}

/* --- connections -------------------------------------------------------- */

struct conn { /* stands for libmicrohttpd's */
	_Atomic int woken;
	struct flight *f;
	bool parked;
};

static struct flights *fs;

static void
wake(void *conn)
{
	((struct conn *)conn)->woken++;
}

static void
begin(uint64_t deadline, unsigned workers, unsigned queue)
{
	struct flights_config config = {.deadline = deadline,
	    .workers = workers,
	    .queue = queue,
	    .wake = wake};

	memset(&script, 0, sizeof script);
	script.log = PR_AUDIT_DONE;
	logged.begin = logged.end = 0;
	logged.stop = false;
	fs = flights_start(&config, NULL);
	ck_assert_ptr_nonnull(fs);
}

static void
end(void)
{
	flights_stop(fs);
	flights_free(fs);
}

/* Sends a message whole, as the event thread does. */
static void
run_text(struct conn *c, enum call_stage stage, const char *text, size_t n)
{
	c->f = flight_new(fs, stage, c);
	flight_expect(c->f, n);
	for (size_t at = 0; at < n; at += 100)
		flight_add(c->f, text + at, n - at < 100 ? n - at : 100);
	ck_assert(!flight_begun(c->f));
	c->parked = flight_run(c->f) == FLIGHT_PARKED;
	ck_assert(flight_begun(c->f));
	if (c->parked && !flight_parked(c->f))
		c->parked = false;
}

static void
run(struct conn *c, enum call_stage stage, const char *target)
{
	char text[256];
	int n = snprintf(text, sizeof text,
	    "{\"RequestMethod\":\"GET\",\"RequestUri\":\"%s\"}", target);

	run_text(c, stage, text, (size_t)n);
}

static enum flight_answer
land(struct conn *c)
{
	enum flight_answer answer;

	for (unsigned i = 0; c->parked && c->woken == 0; i++) {
		ck_assert_msg(i < 300000, "never woken");
		nap(100000);
	}
	answer = flight_land(c->f);
	ck_assert_int_eq(c->woken, c->parked);
	return answer;
}

static void
done(struct conn *c)
{
	flight_unref(c->f);
	c->f = NULL;
}

#define LONG (100 * PR_SEC)

/* --- at once ------------------------------------------------------------ */

START_TEST(at_once)
{
	struct conn c[3] = {{0}};

	begin(LONG, 1, 1);
	run(&c[0], CALL_REQUEST, "/allow");
	ck_assert(!c[0].parked);
	ck_assert_int_eq(land(&c[0]), FLIGHT_ALLOW);
	ck_assert_int_eq(script.allow_records, 1);
	run(&c[1], CALL_REQUEST, "/deny");
	ck_assert(!c[1].parked);
	ck_assert_int_eq(land(&c[1]), FLIGHT_DENY);
	ck_assert_str_eq(flight_message(c[1].f), "the policy");
	ck_assert_int_eq(script.deny_records, 1);
	run(&c[2], CALL_RESPONSE, "/allow");
	ck_assert_int_eq(land(&c[2]), FLIGHT_ALLOW);
	ck_assert_int_eq(script.outcomes, 1);
	for (int i = 0; i < 3; i++)
		done(&c[i]);
	ck_assert_int_eq(script.held, 1);
	ck_assert_int_eq(script.ended, 3);
	end();
}
END_TEST

START_TEST(what_cannot_be_read_is_refused_and_recorded)
{
	struct conn c = {0};
	char *big = pr_xcalloc(1, PR_CAP_PLUGIN_CALL + 200);

	begin(LONG, 1, 1);
	run_text(&c, CALL_REQUEST, "{", 1);
	ck_assert_int_eq(land(&c), FLIGHT_DENY);
	ck_assert_int_eq(script.reason, PR_REASON_BAD_CALL);
	done(&c);
	run_text(&c, CALL_REQUEST, "", 0);
	ck_assert_int_eq(land(&c), FLIGHT_DENY);
	done(&c);
	run_text(&c, CALL_REQUEST, big, PR_CAP_PLUGIN_CALL + 1);
	ck_assert_int_eq(land(&c), FLIGHT_DENY);
	ck_assert_ptr_nonnull(strstr(flight_message(c.f), "16 MiB"));
	done(&c);
	ck_assert_int_eq(script.deny_records, 3);
	free(big);
	end();
}
END_TEST

START_TEST(a_length_that_was_not_said_is_capped_all_the_same)
{
	struct conn c = {0};
	char part[65536] = {0};

	begin(LONG, 1, 1);
	c.f = flight_new(fs, CALL_REQUEST, &c);
	for (size_t n = 0; n <= PR_CAP_PLUGIN_CALL; n += sizeof part)
		flight_add(c.f, part, sizeof part);
	ck_assert_int_eq(flight_run(c.f), FLIGHT_ANSWERED);
	ck_assert_int_eq(land(&c), FLIGHT_DENY);
	ck_assert_ptr_nonnull(strstr(flight_message(c.f), "16 MiB"));
	done(&c);
	end();
}
END_TEST

START_TEST(own_look_ups_pass_unrecorded)
{
	static const char text[] =
	    "{\"RequestMethod\":\"GET\",\"RequestUri\":\"/deny\","
	    "\"RequestHeaders\":{\"X-Portreeve-Lookup\":\"ab\"}}";
	struct conn c = {0};

	begin(LONG, 1, 1);
	script.accepts = 1;
	run_text(&c, CALL_REQUEST, text, sizeof text - 1);
	ck_assert_int_eq(land(&c), FLIGHT_ALLOW);
	done(&c);
	ck_assert_int_eq(script.allow_records + script.deny_records, 0);
	run_text(&c, CALL_REQUEST, text, sizeof text - 1);
	ck_assert_int_eq(land(&c), FLIGHT_DENY);
	ck_assert_int_eq(script.reason, PR_REASON_BAD_CALL);
	ck_assert_int_eq(script.deny_records, 1);
	done(&c);
	end();
}
END_TEST

START_TEST(an_allow_without_a_record_is_none)
{
	struct conn c = {0};

	begin(LONG, 1, 1);
	script.log = PR_AUDIT_FAILED;
	run(&c, CALL_REQUEST, "/allow");
	ck_assert_int_eq(land(&c), FLIGHT_DENY);
	ck_assert_str_eq(flight_message(c.f), "withdrawn");
	ck_assert_int_eq(script.reason, PR_REASON_AUDIT);
	ck_assert_int_eq(script.held, 0);
	done(&c);
	end();
}
END_TEST

/* --- rounds ------------------------------------------------------------- */

START_TEST(a_round_is_written_once_and_then_answered)
{
	struct conn c[4] = {{0}};

	begin(LONG, 1, 1);
	script.rounds = true;
	script.log = PR_AUDIT_ROUND;
	run(&c[0], CALL_REQUEST, "/allow");
	run(&c[1], CALL_REQUEST, "/deny");
	run(&c[2], CALL_RESPONSE, "/allow");
	run(&c[3], CALL_REQUEST, "/allow");
	ck_assert_int_eq(script.round_ends, 0);
	/* who comes first ends it for all */
	ck_assert_int_eq(land(&c[1]), FLIGHT_DENY);
	ck_assert_int_eq(script.round_ends, 1);
	ck_assert_uint_eq(script.round_allows, 2);
	ck_assert_int_eq(land(&c[0]), FLIGHT_ALLOW);
	ck_assert_int_eq(land(&c[2]), FLIGHT_ALLOW);
	ck_assert_int_eq(land(&c[3]), FLIGHT_ALLOW);
	ck_assert_int_eq(script.round_ends, 1);
	for (int i = 0; i < 4; i++)
		done(&c[i]);
	run(&c[0], CALL_REQUEST, "/allow");
	ck_assert_int_eq(land(&c[0]), FLIGHT_ALLOW);
	ck_assert_int_eq(script.round_ends, 2);
	ck_assert_uint_eq(script.round_allows, 1);
	done(&c[0]);
	ck_assert_int_eq(script.ended, 5);
	end();
}
END_TEST

START_TEST(a_round_that_is_lost_allows_nothing)
{
	struct conn c[3] = {{0}};

	begin(LONG, 1, 1);
	script.rounds = true;
	script.log = PR_AUDIT_ROUND;
	script.round_fails = true;
	run(&c[0], CALL_REQUEST, "/allow");
	run(&c[1], CALL_RESPONSE, "/allow");
	run(&c[2], CALL_REQUEST, "/allow");
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(
		    land(&c[i]), i == 1 ? FLIGHT_ALLOW : FLIGHT_DENY);
	ck_assert_str_eq(flight_message(c[2].f), "withdrawn");
	ck_assert_int_eq(script.reason, PR_REASON_AUDIT);
	ck_assert_int_eq(script.withdrawn, 2);
	ck_assert_int_eq(script.deny_records, 2);
	for (int i = 0; i < 3; i++)
		done(&c[i]);
	end();
}
END_TEST

START_TEST(who_waits_is_in_no_round)
{
	struct conn c = {0};

	begin(LONG, 1, 4);
	script.rounds = true;
	script.log = PR_AUDIT_DONE; /* a worker's own write */
	run(&c, CALL_REQUEST, "/wait/allow");
	ck_assert_int_eq(script.round_open, 0);
	ck_assert_int_eq(land(&c), FLIGHT_ALLOW);
	done(&c);
	end();
}
END_TEST

START_TEST(who_left_a_round_is_taken_back)
{
	struct conn c[2] = {{0}};

	begin(LONG, 1, 1);
	script.rounds = true;
	script.log = PR_AUDIT_ROUND;
	run(&c[0], CALL_REQUEST, "/allow");
	run(&c[1], CALL_REQUEST, "/allow");
	flight_lost(c[0].f);
	done(&c[0]);
	ck_assert_int_eq(script.withdrawn, 1);
	ck_assert_int_eq(script.held, 1);
	ck_assert_int_eq(land(&c[1]), FLIGHT_ALLOW);
	ck_assert_int_eq(script.round_ends, 1);
	done(&c[1]);
	end();
}
END_TEST

START_TEST(a_round_is_not_endless)
{
	struct conn c[100] = {{0}};

	begin(LONG, 1, 1);
	script.rounds = true;
	script.log = PR_AUDIT_ROUND;
	for (int i = 0; i < 100; i++)
		run(&c[i], CALL_REQUEST, "/allow");
	ck_assert_int_eq(script.round_ends, 1);
	for (int i = 0; i < 100; i++) {
		ck_assert_int_eq(land(&c[i]), FLIGHT_ALLOW);
		done(&c[i]);
	}
	ck_assert_int_eq(script.round_ends, 2);
	ck_assert_int_eq(script.ended, 100);
	end();
}
END_TEST

/* --- waiting ------------------------------------------------------------ */

START_TEST(a_worker_answers)
{
	struct conn c[2] = {{0}};

	begin(LONG, 2, 8);
	run(&c[0], CALL_REQUEST, "/wait/slow/allow");
	run(&c[1], CALL_RESPONSE, "/wait/deny");
	ck_assert_int_eq(land(&c[0]), FLIGHT_ALLOW);
	ck_assert_int_eq(land(&c[1]), FLIGHT_DENY);
	ck_assert_int_eq(script.held, 1);
	done(&c[0]);
	done(&c[1]);
	end();
}
END_TEST

START_TEST(the_log_answers_when_it_is_durable)
{
	struct conn c = {0};

	begin(LONG, 1, 1);
	script.log = PR_AUDIT_WAIT;
	run(&c, CALL_REQUEST, "/allow");
	ck_assert(c.parked);
	ck_assert_int_eq(flight_land(c.f), FLIGHT_NONE);
	ck_assert(log_done(true));
	ck_assert_int_eq(land(&c), FLIGHT_ALLOW);
	done(&c);
	c = (struct conn){0};
	run(&c, CALL_REQUEST, "/allow");
	ck_assert(log_done(false));
	ck_assert_int_eq(land(&c), FLIGHT_DENY);
	ck_assert_int_eq(script.reason, PR_REASON_AUDIT);
	done(&c);
	ck_assert_int_eq(script.held, 1);
	end();
}
END_TEST

START_TEST(a_log_that_is_quicker_than_the_connection)
{
	struct conn c = {0};

	begin(LONG, 1, 1);
	script.log = PR_AUDIT_WAIT;
	script.log_mode = LOG_BEFORE;
	run(&c, CALL_REQUEST, "/allow");
	ck_assert(!c.parked);
	ck_assert_int_eq(land(&c), FLIGHT_ALLOW);
	done(&c);
	end();
}
END_TEST

START_TEST(a_full_queue_is_busy)
{
	struct conn c[3] = {{0}};
	unsigned busy = 0;

	begin(LONG, 1, 1);
	script.judge_held = true;
	run(&c[0], CALL_REQUEST, "/wait/hang/allow");
	while (script.hanging == 0)
		nap(100000);
	run(&c[1], CALL_REQUEST, "/wait/hang/allow");
	run(&c[2], CALL_REQUEST, "/wait/hang/allow");
	ck_assert(c[1].parked && !c[2].parked);
	ck_assert_int_eq(land(&c[2]), FLIGHT_DENY);
	ck_assert_int_eq(script.reason, PR_REASON_BUSY);
	script.judge_held = false;
	for (int i = 0; i < 3; i++) {
		busy += land(&c[i]) == FLIGHT_DENY;
		done(&c[i]);
	}
	ck_assert_uint_eq(busy, 1);
	end();
}
END_TEST

/* --- deadlines ---------------------------------------------------------- */

START_TEST(whoever_hangs_the_deadline_answers)
{
	struct conn c = {0}, queued = {0};

	begin(20 * PR_MS, 1, 8);
	script.judge_held = true;
	run(&c, CALL_REQUEST, "/wait/hang/allow");
	run(&queued, CALL_REQUEST, "/wait/allow");
	ck_assert_int_eq(land(&c), FLIGHT_DENY);
	ck_assert_int_eq(land(&queued), FLIGHT_DENY);
	ck_assert_int_eq(script.reason, PR_REASON_DEADLINE);
	ck_assert_int_eq(script.deny_records, 2);
	done(&c);
	done(&queued);
	script.judge_held = false;
	end();
	ck_assert_int_eq(script.held, 0);
	ck_assert_int_eq(script.withdrawn, 1);
	ck_assert_int_eq(script.allow_records, 0);
}
END_TEST

START_TEST(a_log_that_hangs)
{
	struct conn c = {0};

	begin(20 * PR_MS, 1, 8);
	script.log = PR_AUDIT_WAIT;
	run(&c, CALL_REQUEST, "/allow");
	ck_assert_int_eq(land(&c), FLIGHT_DENY);
	ck_assert_int_eq(script.reason, PR_REASON_DEADLINE);
	done(&c);
	ck_assert_int_eq(script.held, 1);
	/* the allow is durable at last: its taking back is recorded too */
	ck_assert_int_eq(script.deny_records, 1);
	ck_assert(log_done(true));
	ck_assert_int_eq(script.held, 0);
	ck_assert_int_eq(script.deny_records, 2);
	end();
}
END_TEST

START_TEST(an_answer_that_nobody_sends_is_overdue)
{
	struct conn c = {0};

	begin(10 * PR_MS, 1, 8);
	script.log = PR_AUDIT_WAIT;
	run(&c, CALL_REQUEST, "/allow");
	while (flights_overdue(fs) < 20 * PR_MS)
		nap(1000000);
	ck_assert_int_eq(land(&c), FLIGHT_DENY);
	ck_assert_uint_eq(flights_overdue(fs), 0);
	done(&c);
	ck_assert(log_done(true));
	end();
}
END_TEST

START_TEST(who_went_away_is_taken_back)
{
	struct conn c = {0};

	begin(LONG, 1, 1);
	run(&c, CALL_REQUEST, "/allow");
	flight_lost(c.f);
	done(&c);
	ck_assert_int_eq(script.held, 0);
	ck_assert_int_eq(script.deny_records, 1);
	/* gone before the message was whole */
	c.f = flight_new(fs, CALL_REQUEST, &c);
	flight_add(c.f, "{", 1);
	flight_lost(c.f);
	done(&c);
	ck_assert_int_eq(script.deny_records, 1);
	end();
}
END_TEST

/* --- all at once -------------------------------------------------------- */

static void *
committer(void *arg)
{
	unsigned seed = 7;

	(void)arg;
	for (;;) {
		pthread_mutex_lock(&logged.lock);
		while (logged.begin == logged.end && !logged.stop)
			pthread_cond_wait(&logged.more, &logged.lock);
		pthread_mutex_unlock(&logged.lock);
		if (rand_r(&seed) % 50 == 0)
			nap(3000000);
		if (!log_done(rand_r(&seed) % 20 != 0))
			return NULL;
	}
}

START_TEST(everything_at_once)
{
	enum {
		CONNS = 64,
		ROUNDS = 200
	};
	static const char *const targets[] = {"/allow", "/deny", "/wait/allow",
	    "/wait/slow/allow", "/wait/deny", "/allow/2", "/wait/slow/deny",
	    "/wait/hang/allow"};
	static struct conn c[CONNS];
	int allows = 0, lost = 0;
	unsigned seed = 42;
	pthread_t t;

	begin(4 * PR_MS, 4, 16);
	script.log = PR_AUDIT_WAIT;
	script.log_mode = LOG_THREAD;
	ck_assert_int_eq(pthread_create(&t, NULL, committer, NULL), 0);
	for (int round = 0; round < ROUNDS; round++) {
		for (int i = 0; i < CONNS; i++) {
			unsigned k = (unsigned)rand_r(&seed) % 32;

			c[i] = (struct conn){0};
			run(&c[i], CALL_REQUEST,
			    targets[k % PR_COUNT(targets)]);
		}
		for (int i = 0; i < CONNS; i++) {
			enum flight_answer a = land(&c[i]);

			ck_assert_int_ne(a, FLIGHT_NONE);
			if (a == FLIGHT_ALLOW && rand_r(&seed) % 10 == 0) {
				flight_lost(c[i].f);
				lost++;
			} else {
				allows += a == FLIGHT_ALLOW;
			}
			done(&c[i]);
		}
	}
	flights_stop(fs);
	pthread_mutex_lock(&logged.lock);
	logged.stop = true;
	pthread_cond_signal(&logged.more);
	pthread_mutex_unlock(&logged.lock);
	pthread_join(t, NULL);
	ck_assert_int_gt(allows, 0);
	ck_assert_int_gt(lost, 0);
	ck_assert_msg(script.held == allows,
	    "%d allows were answered, %d are held", allows, script.held);
	flights_free(fs);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("flight");
	TCase *t = tcase_create("flight");

	tcase_set_timeout(t, 120);
	tcase_add_test(t, at_once);
	tcase_add_test(t, what_cannot_be_read_is_refused_and_recorded);
	tcase_add_test(t, a_length_that_was_not_said_is_capped_all_the_same);
	tcase_add_test(t, own_look_ups_pass_unrecorded);
	tcase_add_test(t, an_allow_without_a_record_is_none);
	tcase_add_test(t, a_round_is_written_once_and_then_answered);
	tcase_add_test(t, a_round_that_is_lost_allows_nothing);
	tcase_add_test(t, who_waits_is_in_no_round);
	tcase_add_test(t, who_left_a_round_is_taken_back);
	tcase_add_test(t, a_round_is_not_endless);
	tcase_add_test(t, a_worker_answers);
	tcase_add_test(t, the_log_answers_when_it_is_durable);
	tcase_add_test(t, a_log_that_is_quicker_than_the_connection);
	tcase_add_test(t, a_full_queue_is_busy);
	tcase_add_test(t, whoever_hangs_the_deadline_answers);
	tcase_add_test(t, a_log_that_hangs);
	tcase_add_test(t, an_answer_that_nobody_sends_is_overdue);
	tcase_add_test(t, who_went_away_is_taken_back);
	tcase_add_test(t, everything_at_once);
	suite_add_tcase(s, t);
	return unit_run(s);
}
