/* SPDX-License-Identifier: Apache-2.0 */
#include "chan.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <portreeve/arena.h>

/* ---- buffers ---- */

char *
iobuf_room(struct iobuf *b, size_t n)
{
	size_t len = iobuf_len(b), cap;
	char *p;

	if (b->cap - b->end >= n && b->p != NULL)
		return b->p + b->end;
	if (b->cap - len >= n && b->p != NULL) {
		memmove(b->p, b->p + b->begin, len);
	} else {
		for (cap = CHAN_SMALL; cap < len + n;)
			cap *= 2;
		p = pr_xmalloc(cap);
		if (len > 0)
			memcpy(p, b->p + b->begin, len);
		free(b->p);
		b->p = p;
		b->cap = cap;
	}
	b->begin = 0;
	b->end = len;
	return b->p + b->end;
}

void
iobuf_add(struct iobuf *b, const void *p, size_t n)
{
	if (n == 0)
		return;
	memcpy(iobuf_room(b, n), p, n);
	b->end += n;
}

void
iobuf_take(struct iobuf *b, size_t n)
{
	b->begin += n;
	if (b->begin == b->end)
		b->begin = b->end = 0;
}

void
iobuf_free(struct iobuf *b)
{
	free(b->p);
	*b = (struct iobuf){NULL, 0, 0, 0};
}

/* ---- channels ---- */

void
chan_init(struct chan *c, int fd, struct tls *tls)
{
	*c = (struct chan){.fd = fd, .tls = tls};
	c->can_read = c->can_write = true; /* until it says otherwise */
}

void
chan_event(struct chan *c, unsigned events)
{
	if (c->failed)
		return;
	if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) {
		c->can_read = true;
		if (c->tls != NULL)
			tls_has_more(c->tls);
	}
	if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0)
		c->hup = true;
	if ((events & EPOLLOUT) != 0) {
		c->can_write = true;
		if (c->read_blocked)
			c->can_read = true;
		c->read_blocked = false;
	}
}

void
chan_close(struct chan *c)
{
	tls_free(c->tls);
	c->tls = NULL;
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
	iobuf_free(&c->rx);
	iobuf_free(&c->tx);
	c->can_read = c->can_write = false;
	c->failed = true;
}

static void
failed(struct chan *c)
{
	c->failed = true;
	c->can_read = c->can_write = false;
}

static size_t
read_plain(struct chan *c, char *p, size_t n)
{
	ssize_t got;

	do
		got = recv(c->fd, p, n, 0);
	while (got < 0 && errno == EINTR);
	if (got > 0) {
		/* short: the socket is empty, another edge will come; but
		 * the one of its end may have come already */
		if ((size_t)got < n && !c->hup)
			c->can_read = false;
		return (size_t)got;
	}
	c->can_read = false;
	if (got == 0)
		c->eof = true;
	else if (errno != EAGAIN)
		failed(c);
	return 0;
}

static size_t
read_tls(struct chan *c, char *p, size_t n)
{
	size_t got = 0;

	switch (tls_read(c->tls, p, n, &got)) {
	case TLS_OK:
		/* as with a plain socket: another edge will come */
		if (!c->hup && tls_drained(c->tls))
			c->can_read = false;
		return got;
	case TLS_EOF:
		c->eof = true;
		c->can_read = false;
		break;
	case TLS_WANT_READ:
		c->can_read = false;
		break;
	case TLS_WANT_WRITE: /* no renegotiation: it is a key update */
		c->can_write = false;
		c->can_read = false;
		c->read_blocked = true;
		break;
	case TLS_FAILED:
	default:
		failed(c);
		break;
	}
	return 0;
}

bool
chan_fill(struct chan *c, size_t most)
{
	bool moved = false;

	while (c->can_read && !c->eof && iobuf_len(&c->rx) < most) {
		size_t want = most - iobuf_len(&c->rx), got;
		char *p;

		/* a first look is small: most messages are */
		if (iobuf_len(&c->rx) == 0 && c->rx.cap <= CHAN_SMALL &&
		    !moved && want > CHAN_SMALL)
			want = CHAN_SMALL;
		p = iobuf_room(&c->rx, want);
		got = c->tls != NULL ? read_tls(c, p, want)
				     : read_plain(c, p, want);
		if (got == 0)
			break;
		c->rx.end += got;
		c->in += got;
		moved = true;
	}
	return moved;
}

void
chan_rest(struct chan *c)
{
	if (iobuf_len(&c->rx) == 0 && c->rx.p != NULL)
		iobuf_free(&c->rx);
	if (iobuf_len(&c->tx) == 0 && c->tx.p != NULL)
		iobuf_free(&c->tx);
}

static size_t
write_plain(struct chan *c, const char *p, size_t n)
{
	ssize_t put;

	do
		put = send(c->fd, p, n, MSG_NOSIGNAL);
	while (put < 0 && errno == EINTR);
	if (put >= 0) {
		if ((size_t)put < n)
			c->can_write = false;
		return (size_t)put;
	}
	c->can_write = false;
	if (errno != EAGAIN)
		failed(c);
	return 0;
}

static size_t
write_tls(struct chan *c, const char *p, size_t n)
{
	size_t put = 0;

	switch (tls_write(c->tls, p, n, &put)) {
	case TLS_OK:
		return put;
	case TLS_WANT_READ:
	case TLS_WANT_WRITE:
		c->can_write = false;
		break;
	default:
		failed(c);
		break;
	}
	return 0;
}

static size_t
write_some(struct chan *c, const char *p, size_t n)
{
	size_t put = c->tls != NULL ? write_tls(c, p, n) : write_plain(c, p, n);

	c->out += put;
	return put;
}

static void
end_writing(struct chan *c)
{
	if (c->tls != NULL && tls_end(c->tls) == TLS_FAILED)
		failed(c);
	/* TLS: the alert says it; the socket stays open for what comes */
	if (c->tls == NULL && shutdown(c->fd, SHUT_WR) < 0)
		failed(c);
	c->ended = true;
}

bool
chan_flush(struct chan *c)
{
	bool moved = false;

	while (c->can_write && !c->failed && iobuf_len(&c->tx) > 0) {
		size_t put =
		    write_some(c, c->tx.p + c->tx.begin, iobuf_len(&c->tx));

		if (put == 0)
			break;
		iobuf_take(&c->tx, put);
		moved = true;
	}
	if (c->ending && !c->ended && !c->failed && iobuf_len(&c->tx) == 0) {
		end_writing(c);
		moved = true;
	}
	return moved;
}

void
chan_send(struct chan *c, const char *p, size_t n)
{
	if (iobuf_len(&c->tx) == 0) {
		while (n > 0 && c->can_write && !c->failed) {
			size_t put = write_some(c, p, n);

			if (put == 0)
				break;
			p += put;
			n -= put;
		}
	}
	if (n > 0 && !c->failed)
		iobuf_add(&c->tx, p, n);
}
