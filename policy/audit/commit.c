/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The committer: one thread that opens and closes the files, makes lines
 * durable, and tells those who wait.
 *
 *   callers ──► queue ──► lines (chain) ──► write ──► fdatasync ──► done(ok)
 *                 ▲                            │ any error
 *                 └── denials, outcomes ◄──────┴──► the segment is abandoned,
 *                     stay queued                   allows fail, a new one
 *
 * A file that once gave an error is never written, synced or believed again.
 */
#include <sys/statvfs.h>

#include <errno.h>
#include <string.h>

#include <portreeve/clock.h>
#include <portreeve/log.h>

#include "checkpoint.h"
#include "local.h"

#define TICK      PR_SEC            /* housekeeping */
#define RETRY     (200 * PR_MS)     /* while there is no segment */
#define GATHER    (20 * PR_MS)      /* denials wait for company */
#define SAY_EVERY (10 * PR_SEC)     /* that it still fails */
#define TELL_LOW  (60 * PR_SEC)     /* counts, while room is short */
#define CHUNK     ((size_t)1 << 20) /* bytes a write */

/* --- segments ----------------------------------------------------------- */

int
pr_commit_begin(struct pr_audit *a, struct pr_err **err)
{
	PR_CLEANUP(pr_err_freep) struct pr_err *why = NULL;
	uint64_t now = pr_clock_now();

	if (pr_segment_begin(&a->seg, &why) == 0) {
		a->count.segments++;
		a->count.records++;
		if (a->said_at != 0)
			pr_log(PR_LOG_NOTICE, "decision log works again: %s/%s",
			    a->dir, a->seg.name);
		a->said_at = 0;
		a->broken = false;
		a->born = now;
		return 0;
	}
	a->count.failures++;
	pr_segment_abandon(&a->seg);
	a->broken = true;
	a->next_try = now + RETRY;
	if (a->said_at == 0 || now - a->said_at >= SAY_EVERY) {
		a->said_at = now;
		pr_log(PR_LOG_ERROR, "decision log unavailable: %s",
		    pr_err_text(why));
	}
	return pr_err_set(err, why->code, why->errnum, "%s", pr_err_text(why));
}

/* After an error on the segment's file. */
static void
segment_failed(struct pr_audit *a, const char *what, int errnum)
{
	uint64_t now = pr_clock_now();

	pr_log(PR_LOG_ERROR, "decision log: %s: %s/%s: %s; segment abandoned",
	    what, a->dir, a->seg.name, strerror(errnum));
	a->said_at = now;
	a->count.failures++;
	a->broken = true;
	pr_audit_lose(a);
	/* at once if this one had been good for something, else in a while */
	a->next_try = a->seg.used ? 0 : now + RETRY;
	pr_segment_abandon(&a->seg);
}

/* Puts and writes a checkpoint; the caller makes it durable. */
static int
sign_lines(struct pr_audit *a)
{
	size_t n;

	pr_buf_reset(&a->out);
	pr_checkpoint_put(a->checkpoints, &a->seg, &a->out);
	n = a->out.n;
	if (pr_segment_write(&a->seg, a->out.p, n) != 0)
		return -1;
	a->count.bytes += n;
	a->count.records++;
	pr_buf_reset(&a->out);
	return 0;
}

/* What is to be the last line of a segment is signed; wlock held. */
static void
seal(struct pr_audit *a)
{
	if (a->broken || !pr_checkpoint_due(a->checkpoints, &a->seg, true))
		return;
	if (sign_lines(a) != 0) {
		segment_failed(a, "write", errno);
	} else if (pr_segment_sync(&a->seg) != 0) {
		segment_failed(a, "fdatasync", errno);
	} else {
		a->seg.durable = a->seg.at.seq;
		pr_segment_commit(&a->seg);
		pr_checkpoint_durable(a->checkpoints, a->seg.durable);
	}
}

static bool
is_old(const struct pr_audit *a)
{
	return a->age != 0 && a->seg.used && pr_clock_now() - a->born >= a->age;
}

static void
rotate(struct pr_audit *a)
{
	seal(a);
	if (a->broken)
		return;
	if (a->sync == PR_AUDIT_SYNC_NONE && pr_segment_sync(&a->seg) != 0) {
		segment_failed(a, "fdatasync", errno);
		return;
	}
	pr_segment_finish(&a->seg);
	pr_commit_begin(a, NULL);
}

/* True if there is a segment to write to. */
static bool
ready(struct pr_audit *a)
{
	if (a->broken && a->seg.fd >= 0)
		/* a caller's write failed (sync none) */
		segment_failed(a, "write", a->write_errno);
	if (a->broken)
		return pr_clock_now() >= a->next_try &&
		    pr_commit_begin(a, NULL) == 0;
	if (a->seg.at.offset >= a->segment_max || is_old(a))
		rotate(a);
	return !a->broken;
}

/* --- a batch ------------------------------------------------------------ */

static int
flush(struct pr_audit *a)
{
	size_t n = a->out.n;

	if (pr_segment_write(&a->seg, a->out.p, n) != 0)
		return -1;
	a->count.bytes += n;
	pr_buf_reset(&a->out);
	return 0;
}

static int
write_lines(struct pr_audit *a, const struct queue *q)
{
	const char *body = q->bytes.p;

	pr_buf_reset(&a->out);
	for (size_t i = 0; i < q->n; i++) {
		const struct item *it = &q->items[i];

		pr_segment_put(
		    &a->seg, &a->out, it->type, (struct pr_str){body, it->n});
		body += it->n;
		if (a->out.n >= CHUNK && flush(a) != 0)
			return -1;
	}
	return a->out.n > 0 ? flush(a) : 0;
}

/* All of the queue, durable; or the segment is abandoned. */
static bool
commit(struct pr_audit *a, const struct queue *q)
{
	bool due;

	if (q->n > 0 && write_lines(a, q) != 0) {
		segment_failed(a, "write", errno);
		return false;
	}
	due = pr_checkpoint_due(a->checkpoints, &a->seg, false);
	if (q->n == 0 && !due)
		return true;
	if (due && sign_lines(a) != 0) {
		segment_failed(a, "write", errno);
		return false;
	}
	if (a->sync == PR_AUDIT_SYNC_GROUP) {
		if (pr_segment_sync(&a->seg) != 0) {
			segment_failed(a, "fdatasync", errno);
			return false;
		}
		a->seg.durable = a->seg.at.seq;
		a->count.commits++;
	}
	pr_segment_commit(&a->seg);
	pr_checkpoint_durable(a->checkpoints, a->seg.durable);
	a->count.records += q->n;
	return true;
}

/* Puts back what nobody waits for, in front of what came meanwhile. */
static void
put_back(struct pr_audit *a, const struct queue *work)
{
	struct queue kept = {0};
	const char *body = work->bytes.p;
	bool room;

	for (size_t i = 0; i < work->n; i++) {
		const struct item *it = &work->items[i];

		if (it->done == NULL)
			pr_queue_push(&kept, it->type,
			    (struct pr_str){body, it->n}, NULL, NULL);
		body += it->n;
	}
	pthread_mutex_lock(&a->qlock);
	room = !a->stop && kept.n + a->queue.n <= QUEUE_ITEMS / 2 &&
	    kept.bytes.n + a->queue.bytes.n <= QUEUE_BYTES / 2;
	if (!room) {
		a->count.dropped += kept.n;
		pthread_mutex_unlock(&a->qlock);
		pr_log(PR_LOG_ERROR,
		    "decision log: %zu denials or outcomes are not written",
		    kept.n);
		pr_queue_fini(&kept);
		return;
	}
	body = a->queue.bytes.p;
	for (size_t i = 0; i < a->queue.n; i++) {
		const struct item *it = &a->queue.items[i];

		pr_queue_push(&kept, it->type, (struct pr_str){body, it->n},
		    it->done, it->arg);
		body += it->n;
	}
	pr_queue_fini(&a->queue);
	a->queue = kept;
	pthread_mutex_unlock(&a->qlock);
}

static void
serve(struct pr_audit *a, const struct queue *work)
{
	bool ok = false, lost;

	pthread_mutex_lock(&a->wlock);
	/* a round's lines stand before these in the chain */
	lost = a->unwritten > 0 && pr_audit_flush(a) != 0;
	(void)lost; /* ready() sees it */
	/* twice: a segment that fails is followed by one that may not */
	for (int attempt = 0; attempt < 2 && !ok; attempt++)
		ok = ready(a) && commit(a, work);
	pthread_mutex_unlock(&a->wlock);
	if (!ok && work->n > work->waiting)
		put_back(a, work);
	for (size_t i = 0; i < work->n; i++) {
		const struct item *it = &work->items[i];

		if (it->done != NULL)
			it->done(it->arg, ok || pr_audit_without(a, 1));
	}
}

/* --- housekeeping ------------------------------------------------------- */

static void
measure(struct pr_audit *a)
{
	struct statvfs v;
	uint64_t budget, left;
	bool low;

	a->measured = a->count.bytes;
	if (a->seg.dirfd < 0 || fstatvfs(a->seg.dirfd, &v) != 0)
		return;
	budget = (uint64_t)v.f_blocks * v.f_frsize;
	left = (uint64_t)v.f_bavail * v.f_frsize;
	if (a->space != 0)
		budget = a->space;
	else if (budget > 16 * a->segment_max)
		budget = 16 * a->segment_max;
	a->reserve = budget / 10;
	low = left < a->reserve;
	if (low != a->low)
		pr_log(low ? PR_LOG_WARNING : PR_LOG_NOTICE,
		    low ? "%s: %llu bytes left: denials are counted, no longer "
			  "written"
			: "%s: %llu bytes left: denials are written again",
		    a->dir, (unsigned long long)left);
	a->low = low;
}

static void
tell_losses(struct pr_audit *a, uint64_t now)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf b = PR_BUF_INIT;
	uint64_t refused = a->count.refused, lost = a->count.lost;
	uint64_t dropped = a->count.dropped;
	char time[28] = "";

	if (a->broken || (a->low && now - a->told_at < TELL_LOW) ||
	    (refused == a->told_refused && lost == a->told_lost &&
		dropped == a->told_dropped))
		return;
	pr_record_time(pr_clock_wall(), time);
	pr_buf_cstr(&b, "\"time\":\"");
	pr_buf_cstr(&b, time);
	pr_buf_char(&b, '"');
	pr_buf_str(&b, pr_buf_view(&a->constants));
	pr_buf_cstr(&b, ",\"refused\":");
	pr_buf_u64(&b, refused - a->told_refused);
	pr_buf_cstr(&b, ",\"lost\":");
	pr_buf_u64(&b, lost - a->told_lost);
	pr_buf_cstr(&b, ",\"dropped\":");
	pr_buf_u64(&b, dropped - a->told_dropped);
	pr_buf_char(&b, '}');
	if (!pr_audit_enqueue(a, LINE_LOSS, pr_buf_view(&b), NULL, NULL))
		return; /* next time */
	a->told_refused = refused;
	a->told_lost = lost;
	a->told_dropped = dropped;
	a->told_at = now;
}

/*
 * sync none: what is written becomes durable, late.  The lock is not held
 * over fdatasync: only this thread closes the file.
 */
static void
sync_behind(struct pr_audit *a)
{
	uint64_t seq, durable;
	int rc, errnum;

	pthread_mutex_lock(&a->wlock);
	seq = a->seg.good.seq; /* not what a round has put */
	durable = a->seg.durable;
	pthread_mutex_unlock(&a->wlock);
	if (a->broken || seq == durable)
		return;
	rc = pr_segment_sync(&a->seg);
	errnum = errno;
	pthread_mutex_lock(&a->wlock);
	if (rc == 0) {
		a->seg.durable = seq;
		pr_checkpoint_durable(a->checkpoints, seq);
	} else if (!a->broken) {
		segment_failed(a, "fdatasync", errnum);
	}
	pthread_mutex_unlock(&a->wlock);
}

static void
housekeep(struct pr_audit *a, uint64_t now, bool all)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf b = PR_BUF_INIT;
	size_t at = 0;

	measure(a);
	if (a->sync == PR_AUDIT_SYNC_NONE)
		sync_behind(a);
	while (pr_fold_due(&a->fold, now, all, &at, &b)) {
		if (!pr_audit_enqueue(
			a, LINE_DECISION, pr_buf_view(&b), NULL, NULL))
			a->count.dropped++;
		pr_buf_reset(&b);
	}
	tell_losses(a, now);
}

/* --- the thread --------------------------------------------------------- */

static void
wait_until(struct pr_audit *a, uint64_t until)
{
	struct timespec at;
	uint64_t now = pr_clock_now(), left = until > now ? until - now : 0;

	clock_gettime(CLOCK_MONOTONIC, &at);
	left += (uint64_t)at.tv_nsec;
	at.tv_sec += (time_t)(left / PR_SEC);
	at.tv_nsec = (long)(left % PR_SEC);
	pthread_cond_timedwait(&a->wake, &a->qlock, &at);
}

/*
 * Waits for something to do, at most until `tick`, and takes the queue.
 * True: the log is being closed.
 */
static bool
take(struct pr_audit *a, uint64_t tick, struct queue *work)
{
	uint64_t gather = 0;
	struct queue empty = *work;
	bool stop;

	pthread_mutex_lock(&a->qlock);
	while (!a->stop && !a->rotate && a->queue.waiting == 0) {
		uint64_t now = pr_clock_now(), until = tick;

		if (a->queue.n > 0 && !a->broken) {
			if (gather == 0)
				gather = now + GATHER;
			until = gather < tick ? gather : tick;
		}
		if (now >= until)
			break;
		wait_until(a, until);
	}
	a->rotate = false;
	*work = a->queue;
	a->queue = empty;
	stop = a->stop;
	pthread_mutex_unlock(&a->qlock);
	return stop;
}

void *
pr_commit_run(void *audit)
{
	struct pr_audit *a = audit;
	struct queue work = {0};
	uint64_t tick = 0;
	bool stop = false, last;

	measure(a);
	do {
		uint64_t now;

		last = stop;
		stop = take(a, tick, &work);
		now = pr_clock_now();
		if (stop)
			a->next_try = 0; /* now or never */
		if (now >= tick || (stop && !last) ||
		    a->count.bytes - a->measured > a->reserve / 4) {
			housekeep(a, now, stop);
			tick = now + (a->broken ? RETRY : TICK);
		}
		serve(a, &work);
		if (a->broken && tick > now + RETRY)
			tick = now + RETRY;
		pr_queue_reset(&work);
	} while (!last);
	pr_queue_fini(&work);
	pthread_mutex_lock(&a->wlock);
	if (a->unwritten == 0 || pr_audit_flush(a) == 0)
		seal(a);
	pthread_mutex_unlock(&a->wlock);
	if (a->sync == PR_AUDIT_SYNC_NONE)
		sync_behind(a);
	return NULL;
}
