/* SPDX-License-Identifier: Apache-2.0 */
#include "docker.h"

#include <sys/socket.h>

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <portreeve/arena.h>
#include <portreeve/caps.h>
#include <portreeve/clock.h>

#include "http.h"

#define POOL        8                 /* idle connections kept */
#define MAX_LINE    ((size_t)1 << 20) /* of the event stream */
/* how long after its look-up a nonce may still come back to us */
#define NONCE_SLACK (500 * PR_MS)

struct docker {
	char *socket;
	struct pr_nonces *nonces;
	struct pr_asserter *asserter; /* or NULL */
	int wake;
	pthread_mutex_t lock;
	struct http *idle[POOL];
	unsigned n_idle;
};

struct docker *
docker_new(const char *socket_path, struct pr_nonces *ns,
    struct pr_asserter *asserter, int wake)
{
	struct docker *d = pr_xcalloc(1, sizeof *d);

	d->socket = pr_xstrdup(socket_path);
	d->nonces = ns;
	d->asserter = asserter;
	d->wake = wake;
	pthread_mutex_init(&d->lock, NULL);
	return d;
}

static void
conn_free(struct http *h)
{
	http_close(h);
	free(h);
}

void
docker_free(struct docker *d)
{
	if (d == NULL)
		return;
	while (d->n_idle > 0)
		conn_free(d->idle[--d->n_idle]);
	pthread_mutex_destroy(&d->lock);
	free(d->socket);
	free(d);
}

/* An idle connection, or NULL. */
static struct http *
pool_take(struct docker *d)
{
	struct http *h = NULL;

	pthread_mutex_lock(&d->lock);
	if (d->n_idle > 0)
		h = d->idle[--d->n_idle];
	pthread_mutex_unlock(&d->lock);
	return h;
}

/* Takes the connection over. */
static void
pool_give(struct docker *d, struct http *h)
{
	pthread_mutex_lock(&d->lock);
	if (d->n_idle < POOL && h->at == h->n) {
		d->idle[d->n_idle++] = h;
		h = NULL;
	}
	pthread_mutex_unlock(&d->lock);
	if (h != NULL)
		conn_free(h);
}

/* It may have been closed, or talk out of turn: then it is of no use. */
static bool
still_quiet(const struct http *h)
{
	struct pollfd p = {.fd = h->fd, .events = POLLIN};

	return poll(&p, 1, 0) == 0;
}

static struct http *
new_connection(struct docker *d, uint64_t deadline, struct pr_err **err)
{
	struct http *h = pr_xmalloc(sizeof *h);

	if (http_connect(h, d->socket, deadline, err) < 0) {
		free(h);
		return NULL;
	}
	h->wake = d->wake;
	return h;
}

/* Writes the request; the nonce's value is nowhere afterwards. */
static int
send_get(struct docker *d, struct http *h, struct pr_str target, char *nonce,
    uint64_t deadline, struct pr_err **err)
{
	const struct pr_assertion about = {.kind = PR_ASSERT_LOOKUP,
	    .method = PR_STR("GET"),
	    .target = target};
	struct pr_buf b = PR_BUF_INIT;

	pr_buf_printf(&b,
	    "GET %.*s HTTP/1.1\r\nHost: docker\r\n"
	    "User-Agent: portreeve\r\n",
	    PR_STRF(target));
	if (d->asserter != NULL) {
		pr_buf_cstr(&b, PR_ASSERTION_HEADER ": ");
		pr_assertion_write(d->asserter, &about, &b);
		pr_buf_cstr(&b, "\r\n\r\n");
	} else {
		pr_buf_printf(&b, PR_LOOKUP_HEADER ": %s\r\n\r\n", nonce);
	}
	int rc = http_write(h, pr_buf_view(&b), deadline, err);

	explicit_bzero(b.p, b.n);
	explicit_bzero(nonce, PR_NONCE_HEX);
	pr_buf_fini(&b);
	return rc;
}

static int
read_body(struct http *h, const struct http_head *head, struct pr_buf *body,
    uint64_t deadline, struct pr_err **err)
{
	int more = 1;

	if (!head->chunked) {
		if (head->length > PR_CAP_LOOKUP_BODY)
			return pr_err_set(err, PR_ERR_INVALID, 0,
			    "dockerd's answer is longer than %zu bytes",
			    PR_CAP_LOOKUP_BODY);
		return http_read_bytes(h, head->length, body, deadline, err);
	}
	while (more > 0)
		more =
		    http_read_chunk(h, body, PR_CAP_LOOKUP_BODY, deadline, err);
	return more;
}

static int
exchange(struct docker *d, struct http *h, struct pr_str target, char *nonce,
    uint64_t deadline, struct pr_buf *body, bool *none, bool *again,
    struct pr_err **err)
{
	struct http_head head;

	*again = false;
	*none = false;
	if (send_get(d, h, target, nonce, deadline, err) < 0) {
		*none = true;
		return -1;
	}
	if (http_read_head(h, &head, none, deadline, err) < 0 ||
	    read_body(h, &head, body, deadline, err) < 0)
		return -1;
	if (!head.json)
		return pr_err_set(err, PR_ERR_INVALID, 0,
		    "dockerd answered %d and no JSON", head.status);
	*again = !head.close;
	return head.status;
}

/* One attempt with a nonce of its own.  *retry: an idle connection was dead. */
static int
attempt(struct docker *d, struct pr_str target, uint64_t deadline,
    struct pr_buf *body, bool *retry, struct pr_err **err)
{
	char nonce[PR_NONCE_HEX + 1];
	struct http *h = pool_take(d);
	bool pooled = h != NULL, none, again;

	*retry = pooled;
	if (pooled && !still_quiet(h)) {
		conn_free(h);
		return -1;
	}
	if (!pooled && (h = new_connection(d, deadline, err)) == NULL)
		return -1;

	uint64_t late = deadline > UINT64_MAX - NONCE_SLACK
	    ? deadline
	    : deadline + NONCE_SLACK;
	uint64_t handle = pr_nonce_add(d->nonces, target, late, late, nonce);

	if (handle == 0) {
		*retry = false;
		pool_give(d, h);
		return pr_err_set(err, PR_ERR_INVALID, 0,
		    "too many look-ups, or one that is never made");
	}
	int status =
	    exchange(d, h, target, nonce, deadline, body, &none, &again, err);

	pr_nonce_drop(d->nonces, handle, status < 0 ? late : 0);
	*retry = pooled && status < 0 && none;
	if (again)
		pool_give(d, h);
	else
		conn_free(h);
	return status;
}

int
docker_get(struct docker *d, struct pr_str target, uint64_t deadline,
    struct pr_buf *body, struct pr_err **err)
{
	bool retry = true;
	int status = -1;

	/* at most every idle connection is dead, then a new one is made */
	for (int i = 0; i <= POOL && retry && status < 0; i++) {
		pr_buf_reset(body);
		status = attempt(d, target, deadline, body, &retry, err);
	}
	if (status < 0 && retry)
		return pr_err_set(
		    err, PR_ERR_OFFLINE, 0, "dockerd closes its connections");
	return status;
}

pid_t
docker_peer(struct docker *d, uint64_t deadline)
{
	struct ucred who = {0};
	socklen_t n = sizeof who;
	struct http *h = new_connection(d, deadline, NULL);

	if (h == NULL)
		return 0;
	if (getsockopt(h->fd, SOL_SOCKET, SO_PEERCRED, &who, &n) < 0)
		who.pid = 0;
	conn_free(h);
	return who.pid;
}

/* ---- streams ---- */

struct docker_stream {
	struct docker *d;
	struct http *h;
	uint64_t nonce;
	struct pr_buf buf;
	size_t at; /* lines before this were handed out */
};

static int
stream_start(struct docker_stream *s, struct pr_str target, uint64_t deadline,
    struct pr_err **err)
{
	char nonce[PR_NONCE_HEX + 1];
	struct http_head head;
	bool none;

	if ((s->h = new_connection(s->d, deadline, err)) == NULL)
		return -1;
	/* its AuthZRes comes when the stream ends, whenever that is */
	s->nonce =
	    pr_nonce_add(s->d->nonces, target, deadline, UINT64_MAX, nonce);
	if (s->nonce == 0)
		return pr_err_set(
		    err, PR_ERR_INVALID, 0, "no nonce for the event stream");
	if (send_get(s->d, s->h, target, nonce, deadline, err) < 0 ||
	    http_read_head(s->h, &head, &none, deadline, err) < 0)
		return -1;
	if (head.status != 200 || !head.json || !head.chunked)
		return pr_err_set(err, PR_ERR_INVALID, 0,
		    "dockerd gives no event stream (status %d)", head.status);
	return 0;
}

struct docker_stream *
docker_stream_open(struct docker *d, struct pr_str target, uint64_t deadline,
    struct pr_err **err)
{
	struct docker_stream *s = pr_xcalloc(1, sizeof *s);

	s->d = d;
	if (stream_start(s, target, deadline, err) < 0) {
		docker_stream_close(s);
		return NULL;
	}
	return s;
}

/* Drops what was handed out. */
static void
stream_compact(struct docker_stream *s)
{
	size_t left = s->buf.n - s->at;

	if (s->at == 0)
		return;
	memmove(s->buf.p, s->buf.p + s->at, left);
	s->buf.n = left;
	s->at = 0;
}

int
docker_stream_line(
    struct docker_stream *s, struct pr_str *line, struct pr_err **err)
{
	for (;;) {
		struct pr_str rest =
		    pr_str_sub(pr_buf_view(&s->buf), s->at, s->buf.n);
		size_t n = pr_str_find(rest, '\n');

		if (n < rest.n) {
			*line = pr_str_sub(rest, 0, n);
			s->at += n + 1;
			return 1;
		}
		stream_compact(s);
		PR_CLEANUP(pr_err_freep) struct pr_err *why = NULL;
		int more =
		    http_read_chunk(s->h, &s->buf, MAX_LINE, UINT64_MAX, &why);

		if (more > 0)
			continue;
		if (more == 0)
			return pr_err_set(err, PR_ERR_OFFLINE, 0,
			    "dockerd ended the event stream");
		if (s->h->woken)
			return 0;
		return pr_err_set(err, why->code, why->errnum, "%s", why->text);
	}
}

void
docker_stream_close(struct docker_stream *s)
{
	if (s == NULL)
		return;
	if (s->h != NULL)
		conn_free(s->h);
	/* the AuthZRes of the stream is on its way */
	pr_nonce_drop(s->d->nonces, s->nonce, pr_clock_now() + 5 * PR_SEC);
	pr_buf_fini(&s->buf);
	free(s);
}
