/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What runs for how long, against a daemon and clocks that this file plays:
 * time goes on, stands, and is set back; events come late, twice, or not.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <portreeve/clock.h>

#include "eval_kit.h"
#include "runs.h"

#define DIGEST "sha256:" ID
#define ID     "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* ---- clocks ---- */

static _Atomic int64_t moved;      /* of CLOCK_MONOTONIC, ns */
static _Atomic int64_t date_moved; /* of CLOCK_REALTIME */

/* Stand in for pr_clock_monotonic and pr_clock_wall (--wrap of the linker). */
uint64_t __real_pr_clock_monotonic(
    void); /* NOLINT(bugprone-reserved-identifier) */
uint64_t __wrap_pr_clock_monotonic(
    void);                          /* NOLINT(bugprone-reserved-identifier) */
int64_t __real_pr_clock_wall(void); /* NOLINT(bugprone-reserved-identifier) */
int64_t __wrap_pr_clock_wall(void); /* NOLINT(bugprone-reserved-identifier) */

uint64_t
__wrap_pr_clock_monotonic(void)
{
	return __real_pr_clock_monotonic() + (uint64_t)moved;
}

int64_t
__wrap_pr_clock_wall(void)
{
	return __real_pr_clock_wall() + date_moved;
}

/* ---- the daemon ---- */

struct pr_list_ref {
	struct pr_listed item;
	size_t n;
};
struct pr_object_ref {
	struct pr_object object;
	struct pr_arena *arena;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static atomic_bool running, paused, there, silent;
static char started[64];
static atomic_uint lists, looks;

struct pr_list_ref *
pr_inventory_list_containers(
    struct pr_inventory *inv, uint64_t deadline, const char **why)
{
	struct pr_list_ref *l = pr_xcalloc(1, sizeof *l);

	(void)inv;
	(void)deadline;
	*why = "silent";
	pthread_mutex_lock(&lock);
	lists++;
	l->n = there;
	l->item.id = PR_STR(ID);
	l->item.state = running ? PR_STR("running") : PR_STR("exited");
	if (silent) {
		free(l);
		l = NULL;
	}
	pthread_mutex_unlock(&lock);
	return l;
}

const struct pr_listed *
pr_list_items(const struct pr_list_ref *l, size_t *n)
{
	*n = l->n;
	return &l->item;
}

void
pr_list_unref(struct pr_list_ref *l)
{
	free(l);
}

static void
fill(struct pr_object_ref *r)
{
	struct kit k = {.arena = r->arena};
	char json[256];

	if (r->object.kind == PR_KIND_IMAGE) {
		r->object.repo_digests =
		    kit_json(&k, "['a/b@" DIGEST "','odd','a@sha256:1']");
		return;
	}
	snprintf(json, sizeof json,
	    "{'State':{'Running':%s,'Paused':%s,'StartedAt':'%s'}}",
	    running ? "true" : "false", paused ? "true" : "false", started);
	r->object.inspect = kit_json(&k, json);
	r->object.image_id = PR_STR("sha256:" ID);
}

struct pr_object_ref *
pr_inventory_get(struct pr_inventory *inv, enum pr_kind kind, struct pr_str ref,
    uint64_t deadline)
{
	struct pr_object_ref *r = pr_xcalloc(1, sizeof *r);

	(void)inv;
	(void)ref;
	(void)deadline;
	r->arena = pr_arena_new(1024);
	r->object.kind = kind;
	pthread_mutex_lock(&lock);
	looks++;
	r->object.presence = silent ? PR_PRESENCE_UNKNOWN
	    : there                 ? PR_PRESENT
				    : PR_ABSENT;
	if (r->object.presence == PR_PRESENT)
		fill(r);
	pthread_mutex_unlock(&lock);
	return r;
}

const struct pr_object *
pr_object_of(const struct pr_object_ref *r)
{
	return &r->object;
}

void
pr_object_unref(struct pr_object_ref *r)
{
	if (r != NULL)
		pr_arena_free(r->arena);
	free(r);
}

void
pr_object_unrefp(struct pr_object_ref **r)
{
	pr_object_unref(*r);
	*r = NULL;
}

/* ---- what the tests do ---- */

static char dir[64], path[96];
static struct pr_ledger *ledger;
static struct runs_watch *watch;
static const char *_Atomic phase = "staging";
static atomic_uint missed;

static bool
phase_of(void *arg, const struct pr_object *o, char out[PR_LEDGER_NAME + 1])
{
	(void)arg;
	(void)o;
	snprintf(out, PR_LEDGER_NAME + 1, "%s", phase);
	return phase[0] != '\0';
}

static void
on_missed(void *arg)
{
	(void)arg;
	missed++;
}

static void
begin(void)
{
	struct runs_source source = {.phase = phase_of, .missed = on_missed};

	ledger = pr_ledger_open(path, NULL);
	ck_assert_ptr_nonnull(ledger);
	source.ledger = ledger;
	watch = runs_watch_new();
	ck_assert_int_eq(runs_watch_start(watch, &source, NULL), 0);
}

static void
end(void)
{
	runs_watch_stop(watch);
	runs_watch_free(watch);
	pr_ledger_close(ledger);
}

static void
setup(void)
{
	strcpy(dir, "/tmp/runs.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/ledger.db", dir);
	there = true;
	running = paused = silent = false;
	strcpy(started, "2026-11-22T10:00:00.1Z");
	begin();
}

static void
teardown(void)
{
	char command[128];

	end();
	snprintf(command, sizeof command, "rm -rf '%s'", dir);
	ck_assert_int_eq(system(command), 0);
}

static void
event(enum pr_container_event what)
{
	runs_watch_event(watch, what,
	    what == PR_CONTAINER_UNSEEN || what == PR_CONTAINER_MISSED
		? PR_STR("")
		: PR_STR(ID));
}

/* Seconds; -1: it has not run. */
static long
ran(void)
{
	uint64_t ns;

	return runs_watch_longest(watch, PR_STR("staging"), PR_STR(DIGEST), &ns)
	    ? (long)(ns / PR_SEC)
	    : -1;
}

/* Until what came before is worked off. */
static void
settle(void)
{
	unsigned n = missed;

	/* a look at all comes after every event, not sooner than 2 s after
	 * the last one; who waits for a clock that jumps is woken */
	while (missed == n) {
		event(PR_CONTAINER_MISSED);
		moved += (int64_t)PR_SEC / 100;
		usleep(1000);
	}
}

static void
pass(long seconds)
{
	moved += seconds * (int64_t)PR_SEC;
}

static void
run(const char *since)
{
	pthread_mutex_lock(&lock);
	running = true;
	paused = false;
	snprintf(started, sizeof started, "%s", since);
	pthread_mutex_unlock(&lock);
	event(PR_CONTAINER_RUNS);
	settle();
}

static void
stop(void)
{
	pthread_mutex_lock(&lock);
	running = false;
	pthread_mutex_unlock(&lock);
	event(PR_CONTAINER_STOPS);
}

#define NEAR(x) \
	ck_assert_msg(labs(ran() - (x)) <= 30, "%ld, not %ld", ran(), (long)(x))

START_TEST(the_longest_run_counts)
{
	ck_assert_int_eq(ran(), -1);
	settle();
	run("a");
	pass(1000);
	NEAR(1000);
	stop();
	settle();
	NEAR(1000);
	pass(5000);
	NEAR(1000);
	run("b");
	pass(500);
	NEAR(1000);
	pass(1000);
	NEAR(1500);
}
END_TEST

START_TEST(dates_have_no_say)
{
	run("a");
	date_moved = 100000 * (int64_t)PR_SEC;
	settle();
	ck_assert_int_le(ran(), 30);
	date_moved = -100000 * (int64_t)PR_SEC;
	pass(1000);
	settle();
	NEAR(1000);
	stop();
	settle();
	date_moved = 0;
	NEAR(1000);
}
END_TEST

START_TEST(a_pause_ends_a_run)
{
	settle();
	run("a");
	pass(100);
	pthread_mutex_lock(&lock);
	paused = true;
	pthread_mutex_unlock(&lock);
	event(PR_CONTAINER_STOPS);
	settle();
	pass(1000);
	NEAR(100);
	run("a"); /* unpaused: StartedAt is the same */
	settle();
	pass(300);
	NEAR(300);
}
END_TEST

START_TEST(a_run_goes_on_through_a_restart_of_ours)
{
	run("a");
	pass(1000);
	end();
	begin();
	event(PR_CONTAINER_MISSED);
	ck_assert(runs_watch_looked(watch, pr_clock_now() + 60 * PR_SEC));
	pass(500);
	NEAR(1500);
	/* another run by the time we are back: ours has ended */
	end();
	snprintf(started, sizeof started, "b");
	begin();
	settle();
	pass(200);
	NEAR(1500);
}
END_TEST

/* What the ledger says of another boot does not go on. */
START_TEST(a_boot_ends_every_run)
{
	struct pr_ledger_running row = {
	    PR_STR(ID), PR_STR("a"), PR_STR("another boot"), 1};

	ck_assert_int_eq(pr_ledger_running_put(ledger, &row, NULL), 0);
	running = true;
	snprintf(started, sizeof started, "a");
	settle();
	ck_assert_int_le(ran(), 30);
	ck_assert_int_ge(ran(), 0);
}
END_TEST

/* While nothing is seen nothing is gained, unless it turns out to run on. */
START_TEST(what_is_not_seen_does_not_count)
{
	run("a");
	settle();
	pass(1000);
	event(PR_CONTAINER_UNSEEN);
	pass(5000);
	NEAR(1000);
	/* it stopped meanwhile */
	running = false;
	settle();
	NEAR(1000);
	run("b");
	settle();
	pass(2000);
	event(PR_CONTAINER_UNSEEN);
	pass(1000);
	NEAR(2000);
	/* it did not: the same start */
	settle();
	NEAR(3000);
}
END_TEST

START_TEST(a_late_die_gives_nothing)
{
	run("a");
	settle();
	pass(1000);
	event(PR_CONTAINER_UNSEEN);
	pass(5000);
	stop();
	settle();
	NEAR(1000);
}
END_TEST

START_TEST(events_may_come_twice)
{
	run("a");
	pass(1000);
	event(PR_CONTAINER_RUNS);
	settle();
	NEAR(1000);
	stop();
	event(PR_CONTAINER_STOPS);
	event(PR_CONTAINER_GONE);
	settle();
	NEAR(1000);
}
END_TEST

START_TEST(a_phase_that_is_unknown_gets_nothing)
{
	phase = "";
	running = true;
	event(PR_CONTAINER_RUNS);
	settle();
	pass(1000);
	ck_assert_int_eq(ran(), -1);
	phase = "production";
	event(PR_CONTAINER_RUNS);
	settle();
	pass(1000);
	ck_assert_int_eq(ran(), -1);
	phase = "staging";
}
END_TEST

START_TEST(a_silent_daemon_is_asked_again)
{
	ck_assert(!runs_watch_looked(watch, 0));
	silent = true;
	running = true;
	event(PR_CONTAINER_RUNS);
	while (looks == 0)
		usleep(1000);
	ck_assert_int_eq(ran(), -1);
	silent = false;
	settle();
	ck_assert_int_ge(ran(), 0);
	ck_assert(runs_watch_looked(watch, 0));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("runs");
	TCase *t = tcase_create("runs");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 120);
	tcase_add_test(t, the_longest_run_counts);
	tcase_add_test(t, dates_have_no_say);
	tcase_add_test(t, a_pause_ends_a_run);
	tcase_add_test(t, a_run_goes_on_through_a_restart_of_ours);
	tcase_add_test(t, a_boot_ends_every_run);
	tcase_add_test(t, what_is_not_seen_does_not_count);
	tcase_add_test(t, a_late_die_gives_nothing);
	tcase_add_test(t, events_may_come_twice);
	tcase_add_test(t, a_phase_that_is_unknown_gets_nothing);
	tcase_add_test(t, a_silent_daemon_is_asked_again);
	suite_add_tcase(suite, t);
	return unit_run(suite);
}
