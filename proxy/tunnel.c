/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Raw bytes both ways after a hijack or an upgrade.  Each half ends by
 * itself: the end of the client's input reaches the container, and its output
 * still flows.
 */
#include "conn.h"

#define AT_ONCE CHAN_LARGE

/* What can be read of one goes to the other; true: something moved. */
static bool
move(struct chan *from, struct chan *to)
{
	bool any = false;

	for (;;) {
		if (iobuf_len(&to->tx) >= AT_ONCE && !chan_flush(to))
			break;
		if (iobuf_len(&from->rx) == 0 && !chan_fill(from, AT_ONCE))
			break;
		chan_send(
		    to, from->rx.p + from->rx.begin, iobuf_len(&from->rx));
		iobuf_take(&from->rx, iobuf_len(&from->rx));
		any = true;
		if (to->failed)
			break;
	}
	if (from->eof && iobuf_len(&from->rx) == 0 && !to->ending) {
		to->ending = true;
		any = true;
	}
	return chan_flush(to) || any;
}

enum go
tunnel_run(struct conn *c)
{
	struct chan *up = &c->up->ch;
	uint64_t before = up->in;

	while (move(&c->ch, up) || move(up, &c->ch)) {
		if (c->ch.failed || up->failed)
			break;
	}
	c->flow->bytes += up->in - before;
	if (c->ch.failed)
		return conn_goto(c, STEP_CLOSE);
	/* the daemon is done, or gone: what it said is delivered first */
	if ((up->eof || up->failed) && iobuf_len(&c->ch.tx) == 0) {
		conn_drop_up(c, false);
		return conn_done(c);
	}
	return WAIT;
}
