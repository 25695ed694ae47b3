/* SPDX-License-Identifier: Apache-2.0 */
#include "checkpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include <portreeve/arena.h>
#include <portreeve/clock.h>
#include <portreeve/log.h>

#define RECORDS   1000
#define INTERVAL  (60 * PR_SEC)
#define MAX_QUEUE 4096           /* copies that wait for the sink */
#define RETRY     (5 * PR_SEC)   /* after it failed */
#define SAY_EVERY (600 * PR_SEC) /* that it still fails */
#define LAST_WAIT (2 * PR_SEC)   /* at the end */

struct copy {
	struct copy *next;
	size_t n;
	char line[]; /* with its newline */
};

struct checkpoints {
	struct pr_private_key *key;
	char key_text[PR_PUBLIC_KEY_TEXT];
	uint64_t records, interval;
	uint64_t seq;     /* of the last one */
	uint64_t at;      /* pr_clock_now() of it */
	struct copy *own; /* put, not yet durable */
	uint64_t own_seq;

	/* the sink */
	char *file; /* NULL: syslog, or none */
	bool syslog;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t work, empty;
	struct copy *first, **last;
	size_t queued;
	uint64_t dropped, said_at;
	bool stop;
};

/* ---- the sink ---- */

static int
write_file(const char *path, const struct copy *c)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	size_t done = 0;
	int rc = 0;

	if (fd < 0)
		return -1;
	while (done < c->n && rc == 0) {
		ssize_t n = write(fd, c->line + done, c->n - done);

		if (n > 0)
			done += (size_t)n;
		else if (n == 0 || errno != EINTR)
			rc = -1;
	}
	if (rc == 0)
		rc = fsync(fd);
	if (close(fd) != 0)
		rc = -1;
	return rc;
}

static int
send_copy(const struct checkpoints *c, const struct copy *copy)
{
	if (!c->syslog)
		return write_file(c->file, copy);
	syslog(LOG_AUTHPRIV | LOG_NOTICE, "%.*s", (int)copy->n - 1, copy->line);
	return 0;
}

/* Lock held. */
static void
wait_for(struct checkpoints *c, pthread_cond_t *cond, uint64_t ns)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	ns += (uint64_t)ts.tv_nsec;
	ts.tv_sec += (time_t)(ns / PR_SEC);
	ts.tv_nsec = (long)(ns % PR_SEC);
	pthread_cond_timedwait(cond, &c->lock, &ts);
}

/* Lock held. */
static void
say_failure(struct checkpoints *c, int errnum)
{
	uint64_t now = pr_clock_now();

	if (c->said_at != 0 && now - c->said_at < SAY_EVERY)
		return;
	c->said_at = now;
	pr_log(PR_LOG_ERROR,
	    "decision log: checkpoints are not copied to %s: %s; %zu wait, "
	    "%llu were dropped",
	    c->file, strerror(errnum), c->queued,
	    (unsigned long long)c->dropped);
}

/* Lock held. */
static void
drop_first(struct checkpoints *c)
{
	struct copy *copy = c->first;

	c->first = copy->next;
	if (c->first == NULL)
		c->last = &c->first;
	c->queued--;
	free(copy);
}

static void *
run_sink(void *arg)
{
	struct checkpoints *c = arg;

	pthread_mutex_lock(&c->lock);
	for (;;) {
		struct copy *copy = c->first;
		int rc, errnum;

		if (copy == NULL) {
			pthread_cond_broadcast(&c->empty);
			if (c->stop)
				break;
			pthread_cond_wait(&c->work, &c->lock);
			continue;
		}
		/* only this thread takes the first one, and dropping spares
		 * it: see push */
		pthread_mutex_unlock(&c->lock);
		rc = send_copy(c, copy);
		errnum = errno;
		pthread_mutex_lock(&c->lock);
		if (rc == 0) {
			drop_first(c);
			c->said_at = 0;
			continue;
		}
		say_failure(c, errnum);
		if (c->stop)
			break;
		wait_for(c, &c->work, RETRY);
	}
	pthread_mutex_unlock(&c->lock);
	return NULL;
}

static void
push(struct checkpoints *c, struct copy *copy)
{
	pthread_mutex_lock(&c->lock);
	if (c->queued >= MAX_QUEUE) {
		/* the second: the first may be on its way.  Later ones vouch
		 * for all that this one did */
		struct copy *old = c->first->next;

		c->first->next = old->next;
		c->queued--;
		c->dropped++;
		free(old);
	}
	*c->last = copy;
	c->last = &copy->next;
	c->queued++;
	pthread_cond_signal(&c->work);
	pthread_mutex_unlock(&c->lock);
}

/* ---- life ---- */

static bool
has_sink(const struct checkpoints *c)
{
	return c->syslog || c->file != NULL;
}

static int
start_sink(struct checkpoints *c, struct pr_err **err)
{
	pthread_condattr_t attr;

	pthread_mutex_init(&c->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&c->work, &attr);
	pthread_cond_init(&c->empty, &attr);
	pthread_condattr_destroy(&attr);
	c->last = &c->first;
	if (has_sink(c) && pthread_create(&c->thread, NULL, run_sink, c) != 0)
		return pr_err_set(err, PR_ERR_IO, errno,
		    "audit.checkpoint: cannot start a thread");
	return 0;
}

struct checkpoints *
pr_checkpoints_open(const struct pr_audit_config *config, struct pr_err **err)
{
	struct pr_private_key *key;
	struct pr_public_key public;
	struct checkpoints *c;

	if (config->checkpoint_key == NULL)
		return NULL;
	key = pr_private_key_load(config->checkpoint_key, err);
	if (key == NULL) {
		pr_err_wrap(err, "audit.checkpoint");
		return NULL;
	}
	c = pr_xcalloc(1, sizeof *c);
	c->key = key;
	pr_private_key_public(key, &public);
	pr_public_key_print(&public, c->key_text);
	c->records = config->checkpoint_records != 0
	    ? config->checkpoint_records
	    : RECORDS;
	c->interval = config->checkpoint_interval != 0
	    ? config->checkpoint_interval
	    : INTERVAL;
	c->at = pr_clock_now();
	c->syslog = config->checkpoint_copy != NULL &&
	    strcmp(config->checkpoint_copy, "syslog") == 0;
	if (config->checkpoint_copy != NULL && !c->syslog)
		c->file = pr_xstrdup(config->checkpoint_copy);
	if (start_sink(c, err) == 0)
		return c;
	c->syslog = false;
	pr_freep(&c->file);
	pr_checkpoints_close(c);
	return NULL;
}

static void
stop_sink(struct checkpoints *c)
{
	pthread_mutex_lock(&c->lock);
	c->stop = true;
	pthread_cond_signal(&c->work);
	if (c->first != NULL)
		wait_for(c, &c->empty, LAST_WAIT);
	pthread_mutex_unlock(&c->lock);
	pthread_join(c->thread, NULL);
}

void
pr_checkpoints_close(struct checkpoints *c)
{
	if (c == NULL)
		return;
	if (has_sink(c))
		stop_sink(c);
	while (c->first != NULL)
		drop_first(c);
	free(c->own);
	free(c->file);
	pr_private_key_free(c->key);
	pthread_cond_destroy(&c->work);
	pthread_cond_destroy(&c->empty);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

/* ---- the lines ---- */

bool
pr_checkpoint_due(
    const struct checkpoints *c, const struct segment *s, bool force)
{
	if (c == NULL || s->at.seq <= c->seq)
		return false;
	return force || s->at.seq - c->seq >= c->records ||
	    pr_clock_now() - c->at >= c->interval;
}

void
pr_checkpoint_put(struct checkpoints *c, struct segment *s, struct pr_buf *out)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf body = PR_BUF_INIT;
	char time[28] = "";
	size_t from = out->n;

	pr_record_time(pr_clock_wall(), time);
	pr_buf_cstr(&body, "\"time\":\"");
	pr_buf_cstr(&body, time);
	pr_buf_char(&body, '"');
	pr_buf_str(&body, s->constants);
	pr_buf_cstr(&body, ",\"chain\":");
	pr_buf_json(&body, pr_str_of(s->chain));
	pr_buf_cstr(&body, ",\"key\":");
	pr_buf_json(&body, pr_str_of(c->key_text));
	pr_segment_put_signed(s, out, pr_buf_view(&body), c->key);
	c->seq = s->at.seq;
	c->at = pr_clock_now();
	if (!has_sink(c))
		return;
	free(c->own);
	c->own = pr_xmalloc(sizeof *c->own + out->n - from);
	c->own->next = NULL;
	c->own->n = out->n - from;
	memcpy(c->own->line, out->p + from, c->own->n);
	c->own_seq = c->seq;
}

void
pr_checkpoint_durable(struct checkpoints *c, uint64_t seq)
{
	if (c == NULL || c->own == NULL || seq < c->own_seq)
		return;
	push(c, pr_take(&c->own));
}
