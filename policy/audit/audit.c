/* SPDX-License-Identifier: Apache-2.0 */
/* The callers' side of the log: encode, then write (none) or queue (group). */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <portreeve/arena.h>
#include <portreeve/clock.h>
#include <portreeve/log.h>

#include "checkpoint.h"
#include "local.h"

#define ROUND_BYTES ((size_t)256 << 10) /* of a round, then it is written */

/* A buffer a thread, so that encoding needs no lock and no allocation. */
static __thread struct pr_buf *scratch;
static pthread_key_t scratch_key;
static pthread_once_t scratch_once = PTHREAD_ONCE_INIT;

static void
scratch_free(void *p)
{
	pr_buf_fini(p);
	free(p);
}

static void
scratch_setup(void)
{
	if (pthread_key_create(&scratch_key, scratch_free) != 0)
		abort();
}

static struct pr_buf *
scratch_get(void)
{
	if (scratch == NULL) {
		pthread_once(&scratch_once, scratch_setup);
		scratch = pr_xcalloc(1, sizeof *scratch);
		pthread_setspecific(scratch_key, scratch);
	}
	pr_buf_reset(scratch);
	return scratch;
}

/* --- the queue ---------------------------------------------------------- */

void
pr_queue_push(struct queue *q, enum line_type type, struct pr_str body,
    pr_audit_done *done, void *arg)
{
	q->items = pr_grow(q->items, q->n, &q->cap, sizeof *q->items);
	q->items[q->n++] = (struct item){type, (uint32_t)body.n, done, arg};
	q->waiting += done != NULL;
	pr_buf_str(&q->bytes, body);
}

void
pr_queue_reset(struct queue *q)
{
	q->n = 0;
	q->waiting = 0;
	pr_buf_reset(&q->bytes);
}

void
pr_queue_fini(struct queue *q)
{
	free(q->items);
	pr_buf_fini(&q->bytes);
}

bool
pr_audit_enqueue(struct pr_audit *a, enum line_type type, struct pr_str body,
    pr_audit_done *done, void *arg)
{
	unsigned share = done != NULL ? 1 : 2;
	struct queue *q = &a->queue;
	bool first, room;

	pthread_mutex_lock(&a->qlock);
	room = q->n < QUEUE_ITEMS / share &&
	    q->bytes.n + body.n <= QUEUE_BYTES / share;
	first = q->n == 0 || (done != NULL && q->waiting == 0);
	if (room)
		pr_queue_push(q, type, body, done, arg);
	if (room && first)
		pthread_cond_signal(&a->wake);
	pthread_mutex_unlock(&a->qlock);
	return room;
}

/* --- sync none: the caller writes --------------------------------------- */

/* The log whose round this thread is in, and what it had lost before. */
static __thread struct pr_audit *round_of;
static __thread uint64_t round_lost;

void
pr_audit_lose(struct pr_audit *a)
{
	a->lost_lines += a->unwritten > 0;
	a->count.dropped += a->unawaited;
	a->unwritten = a->unawaited = 0;
	pr_buf_reset(&a->out);
}

int
pr_audit_flush(struct pr_audit *a)
{
	struct segment *s = &a->seg;

	if (pr_segment_write(s, a->out.p, a->out.n) != 0) {
		a->write_errno = errno;
		s->at = s->good;
		a->broken = true;
		pr_audit_lose(a);
		return -1;
	}
	pr_segment_commit(s);
	a->count.records += a->unwritten;
	a->count.bytes += a->out.n;
	a->unwritten = a->unawaited = 0;
	pr_buf_reset(&a->out);
	return 0;
}

/* The committer shall look at the segment: it failed, or is full. */
static void
call_committer(struct pr_audit *a)
{
	pthread_mutex_lock(&a->qlock);
	a->rotate = true;
	pthread_cond_signal(&a->wake);
	pthread_mutex_unlock(&a->qlock);
}

/* In a round it is only put; false: it is not written. */
static bool
write_now(
    struct pr_audit *a, enum line_type type, struct pr_str body, bool awaited)
{
	bool ok = true, full;

	pthread_mutex_lock(&a->wlock);
	if (a->broken) {
		pthread_mutex_unlock(&a->wlock);
		return false;
	}
	pr_segment_put(&a->seg, &a->out, type, body);
	a->unwritten++;
	a->unawaited += !awaited && round_of == a;
	if (round_of != a || a->out.n >= ROUND_BYTES)
		ok = pr_audit_flush(a) == 0;
	full = a->seg.at.offset >= a->segment_max && a->unwritten == 0;
	pthread_mutex_unlock(&a->wlock);
	if (!ok || full)
		call_committer(a);
	return ok;
}

bool
pr_audit_round(struct pr_audit *a)
{
	if (a->sync != PR_AUDIT_SYNC_NONE)
		return false;
	pthread_mutex_lock(&a->wlock);
	round_lost = a->lost_lines;
	pthread_mutex_unlock(&a->wlock);
	round_of = a;
	return true;
}

bool
pr_audit_round_end(struct pr_audit *a, size_t allows)
{
	bool ok = true, full;

	round_of = NULL;
	pthread_mutex_lock(&a->wlock);
	if (a->unwritten > 0)
		ok = pr_audit_flush(a) == 0;
	/* lost meanwhile, by whomever: what of it was ours is not asked */
	ok = ok && a->lost_lines == round_lost;
	full = a->seg.at.offset >= a->segment_max;
	pthread_mutex_unlock(&a->wlock);
	if (!ok || full)
		call_committer(a);
	return ok || allows == 0 || pr_audit_without(a, allows);
}

void
pr_audit_submit(struct pr_audit *a, enum line_type type, struct pr_str body)
{
	if (a->sync == PR_AUDIT_SYNC_NONE && write_now(a, type, body, false))
		return;
	if (!pr_audit_enqueue(a, type, body, NULL, NULL))
		a->count.dropped++;
}

/* --- what callers call -------------------------------------------------- */

bool
pr_audit_without(struct pr_audit *a, size_t n)
{
	uint64_t now = pr_clock_now(), last = a->lost_said_at;

	if (a->failure != PR_AUDIT_FAILURE_ALLOW) {
		a->count.refused += n;
		return false;
	}
	a->count.lost += n;
	if ((last == 0 || now - last >= 10 * PR_SEC) &&
	    atomic_compare_exchange_strong(&a->lost_said_at, &last, now))
		pr_log(PR_LOG_ERROR,
		    "decision log unavailable: requests are allowed without a "
		    "record (audit.failure: allow), %llu so far",
		    (unsigned long long)a->count.lost);
	return true;
}

static void
deny(struct pr_audit *a, struct pr_str body, size_t stable)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf driven_out = PR_BUF_INIT;
	bool write;

	if (a->low) {
		a->count.dropped++;
		return;
	}
	write = pr_fold_seen(&a->fold, body, stable, pr_clock_now(),
	    pr_clock_wall(), &driven_out);
	if (driven_out.n > 0)
		pr_audit_submit(a, LINE_DECISION, pr_buf_view(&driven_out));
	if (write)
		pr_audit_submit(a, LINE_DECISION, body);
	else
		a->count.folded++;
}

enum pr_audit_answer
pr_audit_append(struct pr_audit *a, const struct pr_record *r,
    pr_audit_done *done, void *arg)
{
	struct pr_buf *b = scratch_get();
	size_t stable = pr_record_encode(b, pr_buf_view(&a->constants), r);
	struct pr_str body = pr_buf_view(b);
	bool ok;

	if (r->verdict != PR_ALLOW) {
		deny(a, body, stable);
		return PR_AUDIT_DONE;
	}
	if (a->sync == PR_AUDIT_SYNC_NONE) {
		ok = write_now(a, LINE_DECISION, body, true);
		if (ok && round_of == a)
			return PR_AUDIT_ROUND;
	} else {
		if (!a->broken &&
		    pr_audit_enqueue(a, LINE_DECISION, body, done, arg))
			return PR_AUDIT_WAIT;
		ok = false;
	}
	if (!ok)
		ok = pr_audit_without(a, 1);
	return ok ? PR_AUDIT_DONE : PR_AUDIT_FAILED;
}

void
pr_audit_outcome(struct pr_audit *a, const struct pr_outcome *o)
{
	struct pr_buf *b = scratch_get();

	pr_outcome_encode(b, pr_buf_view(&a->constants), o);
	pr_audit_submit(a, LINE_OUTCOME, pr_buf_view(b));
}

/* Shared by the caller and the committer; the last one frees it. */
struct waiter {
	pthread_mutex_t lock;
	pthread_cond_t cond;
	unsigned refs;
	bool known, ok;
};

static void
waiter_unref(struct waiter *w)
{
	bool last = --w->refs == 0;

	pthread_mutex_unlock(&w->lock);
	if (!last)
		return;
	pthread_mutex_destroy(&w->lock);
	pthread_cond_destroy(&w->cond);
	free(w);
}

static void
waiter_done(void *arg, bool ok)
{
	struct waiter *w = arg;

	pthread_mutex_lock(&w->lock);
	w->known = true;
	w->ok = ok;
	pthread_cond_signal(&w->cond);
	waiter_unref(w);
}

static void
cond_init(pthread_cond_t *c)
{
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(c, &attr);
	pthread_condattr_destroy(&attr);
}

bool
pr_audit_append_wait(
    struct pr_audit *a, const struct pr_record *r, uint64_t deadline)
{
	struct waiter *w;
	enum pr_audit_answer answer;
	uint64_t now;
	bool ok;

	if (a->sync == PR_AUDIT_SYNC_NONE || r->verdict != PR_ALLOW)
		return pr_audit_append(a, r, NULL, NULL) == PR_AUDIT_DONE;
	w = pr_xcalloc(1, sizeof *w);
	pthread_mutex_init(&w->lock, NULL);
	cond_init(&w->cond);
	w->refs = 2;
	answer = pr_audit_append(a, r, waiter_done, w);
	pthread_mutex_lock(&w->lock);
	if (answer != PR_AUDIT_WAIT) {
		w->refs--;
		waiter_unref(w);
		return answer == PR_AUDIT_DONE;
	}
	while (!w->known && (now = pr_clock_now()) < deadline) {
		uint64_t left = deadline - now;
		struct timespec at;

		clock_gettime(CLOCK_MONOTONIC, &at);
		left += (uint64_t)at.tv_nsec;
		at.tv_sec += (time_t)(left / PR_SEC);
		at.tv_nsec = (long)(left % PR_SEC);
		pthread_cond_timedwait(&w->cond, &w->lock, &at);
	}
	ok = w->known && w->ok;
	waiter_unref(w);
	return ok;
}

bool
pr_audit_healthy(struct pr_audit *a)
{
	return !a->broken;
}

void
pr_audit_stats(struct pr_audit *a, struct pr_audit_stats *out)
{
	*out = (struct pr_audit_stats){
	    .records = a->count.records,
	    .bytes = a->count.bytes,
	    .commits = a->count.commits,
	    .segments = a->count.segments,
	    .failures = a->count.failures,
	    .refused = a->count.refused,
	    .lost = a->count.lost,
	    .folded = a->count.folded,
	    .dropped = a->count.dropped,
	    .healthy = !a->broken,
	};
}

/* --- open and close ----------------------------------------------------- */

static int
check_config(const struct pr_audit_config *c, struct pr_err **err)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789";

	if (c->dir == NULL || c->dir[0] != '/' || strlen(c->dir) > 3900)
		return pr_err_set(err, PR_ERR_INVALID, 0,
		    "audit.dir must be an absolute path");
	if (c->door == NULL || c->door[0] == '\0' || strlen(c->door) > 32 ||
	    c->door[strspn(c->door, letters)] != '\0')
		return pr_err_set(err, PR_ERR_INVALID, 0,
		    "the door's name must be letters and digits");
	if (c->segment != 0 && (c->segment < 4096 || c->segment >> 40 != 0))
		return pr_err_set(err, PR_ERR_INVALID, 0,
		    "audit.segment must be from 4KiB to 1TiB");
	return 0;
}

static void
constants(struct pr_audit *a, const char *daemon)
{
	char boot[64] = "", host[256] = "";
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, boot, sizeof boot - 1) : -1;

	if (fd >= 0)
		close(fd);
	boot[n > 0 ? (size_t)n : 0] = '\0';
	boot[strcspn(boot, "\n")] = '\0';
	if (gethostname(host, sizeof host - 1) != 0)
		host[0] = '\0';
	pr_record_constants(&a->constants, boot, daemon, host, a->door);
}

static char *
key_path(const struct pr_audit_config *c)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf b = PR_BUF_INIT;

	if (c->key_file != NULL)
		return pr_xstrdup(c->key_file);
	pr_buf_printf(&b, "%s/hmac.key", c->dir);
	return pr_xstrdup(b.p);
}

static struct pr_audit *
create(const struct pr_audit_config *c)
{
	struct pr_audit *a = pr_xcalloc(1, sizeof *a);

	a->dir = pr_xstrdup(c->dir);
	a->door = pr_xstrdup(c->door);
	a->key_file = key_path(c);
	a->failure = c->failure;
	a->sync = c->sync;
	a->segment_max = c->segment != 0 ? c->segment : (uint64_t)64 << 20;
	a->space = c->space;
	a->age = c->age;
	constants(a, c->daemon);
	pthread_mutex_init(&a->qlock, NULL);
	pthread_mutex_init(&a->wlock, NULL);
	pthread_mutex_init(&a->keylock, NULL);
	pthread_mutex_init(&a->fold.lock, NULL);
	cond_init(&a->wake);
	pr_segment_init(&a->seg);
	a->seg.dir = a->dir;
	a->seg.door = a->door;
	a->seg.constants = pr_buf_view(&a->constants);
	a->broken = true;
	return a;
}

static void
destroy(struct pr_audit *a)
{
	pr_segment_close(&a->seg);
	pr_checkpoints_close(a->checkpoints);
	pr_fold_fini(&a->fold);
	pr_queue_fini(&a->queue);
	pr_buf_fini(&a->out);
	pr_buf_fini(&a->constants);
	pthread_mutex_destroy(&a->qlock);
	pthread_mutex_destroy(&a->wlock);
	pthread_mutex_destroy(&a->keylock);
	pthread_cond_destroy(&a->wake);
	explicit_bzero(a->key, sizeof a->key);
	free(a->dir);
	free(a->door);
	free(a->key_file);
	free(a);
}

struct pr_audit *
pr_audit_open(const struct pr_audit_config *config, struct pr_err **err)
{
	PR_CLEANUP(pr_err_freep) struct pr_err *why = NULL;
	struct checkpoints *checkpoints;
	struct pr_audit *a;

	if (check_config(config, err) != 0)
		return NULL;
	checkpoints = pr_checkpoints_open(config, &why);
	if (why != NULL) {
		pr_err_set(err, why->code, why->errnum, "%s", pr_err_text(why));
		return NULL;
	}
	a = create(config);
	a->checkpoints = checkpoints;
	if (pr_commit_begin(a, &why) != 0 && why->code == PR_ERR_DENIED) {
		pr_err_set(err, PR_ERR_DENIED, why->errnum, "%s", why->text);
		destroy(a);
		return NULL;
	}
	if (pthread_create(&a->committer, NULL, pr_commit_run, a) != 0) {
		pr_err_set(err, PR_ERR_IO, EAGAIN, "no thread for the log");
		destroy(a);
		return NULL;
	}
	return a;
}

void
pr_audit_close(struct pr_audit *a)
{
	if (a == NULL)
		return;
	pthread_mutex_lock(&a->qlock);
	a->stop = true;
	pthread_cond_signal(&a->wake);
	pthread_mutex_unlock(&a->qlock);
	pthread_join(a->committer, NULL);
	destroy(a);
}
