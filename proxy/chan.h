/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One end of the relay: a socket, perhaps with TLS on it, and what was read
 * from it and waits to be written to it.  Edge-triggered: it remembers that
 * the socket can be read or written until the socket says otherwise.
 */
#ifndef CHAN_H
#define CHAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tls.h"

#define CHAN_SMALL ((size_t)4096)   /* of a head */
#define CHAN_LARGE ((size_t)131072) /* of a body that streams */

/* Bytes [begin, end) of p; no memory while its channel rests empty. */
struct iobuf {
	char *p;
	size_t begin, end, cap;
};

static inline size_t
iobuf_len(const struct iobuf *b)
{
	return b->end - b->begin;
}
/* Room for n bytes more at the end, moved or grown if need be. */
char *iobuf_room(struct iobuf *b, size_t n);
void iobuf_add(struct iobuf *b, const void *p, size_t n);
void iobuf_take(struct iobuf *b, size_t n); /* from the front */
void iobuf_free(struct iobuf *b);

struct chan {
	int fd; /* -1: closed */
	struct tls *tls;
	struct iobuf rx, tx;
	bool can_read, can_write;
	bool eof;          /* the peer said that it is done */
	bool failed;       /* the connection is of no use */
	bool hup;          /* epoll: nothing more comes after what is there */
	bool read_blocked; /* TLS reads when it can write */
	bool ending;       /* write side: end when tx is out */
	bool ended;        /* write side: has ended */
	uint64_t in, out;  /* bytes moved */
};

void chan_init(struct chan *c, int fd, struct tls *tls);
void chan_close(struct chan *c);
/* What epoll says. */
void chan_event(struct chan *c, unsigned events);
/* Reads while the socket gives and rx holds less than `most`; true: moved. */
bool chan_fill(struct chan *c, size_t most);
/* Writes what is in tx, then ends if that was asked for; true: moved. */
bool chan_flush(struct chan *c);
/* Nothing moves for now: empty buffers are given back. */
void chan_rest(struct chan *c);
/* Writes p directly if tx is empty, the rest goes to tx. */
void chan_send(struct chan *c, const char *p, size_t n);

#endif /* CHAN_H */
