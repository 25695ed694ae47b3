/* SPDX-License-Identifier: Apache-2.0 */
/* Who works on flights beside the event thread: workers and the sweeper. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <portreeve/clock.h>

#include "flight_local.h"

/*
 * Workers wait for dockerd and the directory, they do not compute: many more
 * than processors, but no more than the daemon is asked at once.
 */
#define WORKERS     16
#define QUEUE       1024
#define TRIM_EVERY  (1 * PR_SEC)
#define REFUSE_KEEP 4096

/* --- the queue ---------------------------------------------------------- */

/*
 * Lock held.  Is a worker to be called?  One at a time, who calls the next
 * when there is more to do: called all at once they wait for each other.
 */
static bool
call_worker(struct flights *fs)
{
	bool call =
	    fs->queue.head != NULL && fs->queue.idle > 0 && !fs->queue.waking;

	fs->queue.waking |= call;
	return call;
}

bool
work_push(struct flight *f)
{
	struct flights *fs = f->fs;
	bool room, call;

	pthread_mutex_lock(&fs->queue.lock);
	room = fs->queue.n < fs->config.queue && !fs->queue.stop;
	if (room) {
		atomic_fetch_add(&f->refs, 1);
		f->next = NULL;
		*fs->queue.tail = f;
		fs->queue.tail = &f->next;
		fs->queue.n++;
	}
	call = call_worker(fs);
	pthread_mutex_unlock(&fs->queue.lock);
	if (call)
		pthread_cond_signal(&fs->queue.more);
	return room;
}

/* The oldest; NULL: it is over. */
static struct flight *
work_pop(struct flights *fs)
{
	struct flight *f;
	bool call;

	pthread_mutex_lock(&fs->queue.lock);
	while ((f = fs->queue.head) == NULL && !fs->queue.stop) {
		fs->queue.idle++;
		pthread_cond_wait(&fs->queue.more, &fs->queue.lock);
		fs->queue.idle--;
		/* whoever was called: somebody has come */
		fs->queue.waking = false;
	}
	if (f != NULL) {
		fs->queue.head = f->next;
		if (f->next == NULL)
			fs->queue.tail = &fs->queue.head;
		f->next = NULL;
		fs->queue.n--;
	}
	call = call_worker(fs);
	pthread_mutex_unlock(&fs->queue.lock);
	if (call)
		pthread_cond_signal(&fs->queue.more);
	return f;
}

bool
flights_working(struct flights *fs)
{
	bool working;

	pthread_mutex_lock(&fs->queue.lock);
	working = fs->queue.n > 0 || fs->queue.idle < fs->n_workers;
	pthread_mutex_unlock(&fs->queue.lock);
	return working;
}

static void *
work(void *arg)
{
	struct flights *fs = arg;
	struct flight *f;

	while ((f = work_pop(fs)) != NULL) {
		flight_work(f);
		flight_unref(f);
	}
	return NULL;
}

/* --- deadlines ---------------------------------------------------------- */

static void
link_last(struct parked *list, struct flight *f)
{
	f->in = list;
	f->later = NULL;
	f->sooner = list->tail;
	if (f->sooner != NULL)
		f->sooner->later = f;
	else
		list->head = f;
	list->tail = f;
}

static void
unlink_from(struct flight *f)
{
	struct parked *list = f->in;

	if (f->sooner != NULL)
		f->sooner->later = f->later;
	else
		list->head = f->later;
	if (f->later != NULL)
		f->later->sooner = f->sooner;
	else
		list->tail = f->sooner;
	f->sooner = f->later = NULL;
	f->in = NULL;
}

static void
wake_sweeper(struct flights *fs)
{
	if (!fs->timer.asleep)
		return;
	fs->timer.asleep = false;
	pthread_cond_signal(&fs->timer.more);
}

/* All have the same time, so the order of coming is the order of deadlines. */
void
timer_add(struct flight *f)
{
	struct flights *fs = f->fs;

	pthread_mutex_lock(&fs->timer.lock);
	link_last(&fs->timer.waiting, f);
	wake_sweeper(fs);
	pthread_mutex_unlock(&fs->timer.lock);
}

void
timer_remove(struct flight *f)
{
	struct flights *fs = f->fs;

	pthread_mutex_lock(&fs->timer.lock);
	if (f->in != NULL)
		unlink_from(f);
	pthread_mutex_unlock(&fs->timer.lock);
}

void
timer_poke(struct flights *fs)
{
	pthread_mutex_lock(&fs->timer.lock);
	wake_sweeper(fs);
	pthread_mutex_unlock(&fs->timer.lock);
}

/* Answers for whoever hangs; what they hold is taken back when they return. */
static void
expire(struct flights *fs, struct flight *f)
{
	struct pr_judgement out = {0};

	if (!flight_claim(f))
		return;
	fs->count.deadlines++;
	flight_refuse(f, fs->timer.arena, PR_REASON_DEADLINE,
	    "no decision in time; try again", &out);
	flight_publish(f, false, PR_REASON_DEADLINE, out.message);
	pr_judgement_end(&out);
	pr_arena_reset(fs->timer.arena, REFUSE_KEEP);
}

static void
sleep_until(struct flights *fs, uint64_t now, uint64_t until)
{
	struct timespec at;
	uint64_t left = until > now ? until - now : 0;

	clock_gettime(CLOCK_MONOTONIC, &at);
	left += (uint64_t)at.tv_nsec;
	at.tv_sec += (time_t)(left / PR_SEC);
	at.tv_nsec = (long)(left % PR_SEC);
	pthread_cond_timedwait(&fs->timer.more, &fs->timer.lock, &at);
}

/* The first that is due, with a reference, or NULL. */
static struct flight *
next_due(struct flights *fs, uint64_t now)
{
	struct flight *f = fs->timer.waiting.head;

	if (f == NULL || f->call.judge.deadline > now)
		return NULL;
	unlink_from(f);
	link_last(&fs->timer.overdue, f);
	atomic_fetch_add(&f->refs, 1);
	return f;
}

/* Nothing is parked: gives memory back, then waits for a signal. */
static void
rest(struct flights *fs, uint64_t now, bool *again)
{
	uint64_t turn = fs->config.deadline;

	pthread_mutex_unlock(&fs->timer.lock);
	*again = pool_trim(fs, now) || *again;
	pthread_mutex_lock(&fs->timer.lock);
	if (fs->timer.waiting.head != NULL || fs->timer.stop)
		return;
	if (*again) {
		*again = false;
		sleep_until(
		    fs, now, now + (turn < TRIM_EVERY ? turn : TRIM_EVERY));
		return;
	}
	fs->timer.asleep = true;
	while (fs->timer.asleep && !fs->timer.stop)
		pthread_cond_wait(&fs->timer.more, &fs->timer.lock);
	*again = true;
}

/*
 * Whoever is added while the sweeper sleeps for a known time has a deadline
 * after it (it came later, or has at least `deadline` from now), so only the
 * endless sleep needs a signal.
 */
static void *
sweep(void *arg)
{
	struct flights *fs = arg;
	bool again = true;

	pthread_mutex_lock(&fs->timer.lock);
	while (!fs->timer.stop) {
		uint64_t now = pr_clock_now();
		struct flight *f = next_due(fs, now);

		if (f != NULL) {
			pthread_mutex_unlock(&fs->timer.lock);
			expire(fs, f);
			flight_unref(f);
			pthread_mutex_lock(&fs->timer.lock);
		} else if ((f = fs->timer.waiting.head) != NULL) {
			sleep_until(fs, now, f->call.judge.deadline);
		} else {
			rest(fs, now, &again);
		}
	}
	pthread_mutex_unlock(&fs->timer.lock);
	return NULL;
}

uint64_t
flights_overdue(struct flights *fs)
{
	uint64_t now = pr_clock_now(), over = 0;
	struct flight *f;

	pthread_mutex_lock(&fs->timer.lock);
	f = fs->timer.overdue.head;
	if (f == NULL)
		f = fs->timer.waiting.head;
	if (f != NULL && f->call.judge.deadline < now)
		over = now - f->call.judge.deadline;
	pthread_mutex_unlock(&fs->timer.lock);
	return over;
}

/* --- start and end ------------------------------------------------------ */

static void
cond_init(pthread_cond_t *c)
{
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(c, &attr);
	pthread_condattr_destroy(&attr);
}

int
work_start(struct flights *fs, struct pr_err **err)
{
	unsigned want = fs->config.workers != 0 ? fs->config.workers : WORKERS;
	int e;

	if (fs->config.queue == 0)
		fs->config.queue = QUEUE;
	pthread_mutex_init(&fs->queue.lock, NULL);
	pthread_cond_init(&fs->queue.more, NULL);
	fs->queue.tail = &fs->queue.head;
	pthread_mutex_init(&fs->timer.lock, NULL);
	cond_init(&fs->timer.more);
	fs->timer.arena = pr_arena_new(REFUSE_KEEP);
	fs->workers = pr_xcalloc(want, sizeof *fs->workers);
	e = pthread_create(&fs->sweeper, NULL, sweep, fs);
	fs->sweeping = e == 0;
	while (e == 0 && fs->n_workers < want) {
		e = pthread_create(&fs->workers[fs->n_workers], NULL, work, fs);
		if (e == 0)
			fs->n_workers++;
	}
	if (e == 0)
		return 0;
	work_stop(fs);
	return pr_err_set(
	    err, PR_ERR_IO, e, "cannot start a thread: %s", strerror(e));
}

void
work_stop(struct flights *fs)
{
	pthread_mutex_lock(&fs->queue.lock);
	fs->queue.stop = true;
	pthread_cond_broadcast(&fs->queue.more);
	pthread_mutex_unlock(&fs->queue.lock);
	for (unsigned i = 0; i < fs->n_workers; i++)
		pthread_join(fs->workers[i], NULL);
	pthread_mutex_lock(&fs->timer.lock);
	fs->timer.stop = true;
	pthread_cond_broadcast(&fs->timer.more);
	pthread_mutex_unlock(&fs->timer.lock);
	if (fs->sweeping)
		pthread_join(fs->sweeper, NULL);
	fs->n_workers = 0;
	fs->sweeping = false;
}

void
work_fini(struct flights *fs)
{
	pthread_mutex_destroy(&fs->queue.lock);
	pthread_cond_destroy(&fs->queue.more);
	pthread_mutex_destroy(&fs->timer.lock);
	pthread_cond_destroy(&fs->timer.more);
	pr_arena_free(fs->timer.arena);
	free(fs->workers);
}
