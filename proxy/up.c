/* SPDX-License-Identifier: Apache-2.0 */
#include "up.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <portreeve/arena.h>
#include <portreeve/clock.h>

#include "conn.h"

#define IDLE_MOST 64
#define IDLE_LONG (30 * PR_SEC)

static void
unlink_idle(struct up *u)
{
	struct loop *l = u->loop;

	if (u->prev != NULL)
		u->prev->next = u->next;
	else
		l->idle = u->next;
	if (u->next != NULL)
		u->next->prev = u->prev;
	u->next = u->prev = NULL;
	l->n_idle--;
}

static int
connect_daemon(const char *path)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	int fd, e;

	if (strlen(path) >= sizeof sun.sun_path) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(sun.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -1;
	/* a unix socket connects at once, or not */
	if (connect(fd, (const void *)&sun, sizeof sun) == 0)
		return fd;
	e = errno;
	close(fd);
	errno = e;
	return -1;
}

struct up *
up_take(struct loop *l, struct conn *c)
{
	struct up *u = l->idle;
	int fd;

	if (u != NULL) {
		unlink_idle(u);
		u->conn = c;
		return u;
	}
	fd = connect_daemon(l->proxy->config.daemon.socket);
	if (fd < 0)
		return NULL;
	u = pr_xcalloc(1, sizeof *u);
	u->source.kind = SOURCE_UP;
	u->loop = l;
	u->conn = c;
	chan_init(&u->ch, fd, NULL);
	u->ch.can_read = false; /* there is nothing until we ask */
	if (loop_watch(l, fd, &u->source) == 0)
		return u;
	chan_close(&u->ch);
	free(u);
	return NULL;
}

void
up_give(struct up *u)
{
	struct loop *l = u->loop;

	u->conn = NULL;
	/* an answer that nobody asked for: no request follows it */
	if (u->ch.failed || u->ch.eof || u->ch.hup || l->proxy->draining ||
	    iobuf_len(&u->ch.rx) > 0 || iobuf_len(&u->ch.tx) > 0 ||
	    l->n_idle >= IDLE_MOST) {
		up_close(u);
		return;
	}
	chan_rest(&u->ch);
	u->since = l->now;
	u->prev = NULL;
	u->next = l->idle;
	if (u->next != NULL)
		u->next->prev = u;
	l->idle = u;
	l->n_idle++;
}

void
up_close(struct up *u)
{
	struct loop *l = u->loop;

	if (u->conn == NULL && (u->prev != NULL || l->idle == u))
		unlink_idle(u);
	chan_close(&u->ch);
	loop_bury(l, &u->source);
}

void
up_event(struct up *u, unsigned events)
{
	chan_event(&u->ch, events);
	if (u->conn != NULL)
		conn_run(u->conn);
	else if ((events & ~(unsigned)EPOLLOUT) != 0)
		up_close(u); /* idle, and it says something or goes away */
}

void
up_tick(struct loop *l)
{
	struct up *u = l->idle, *next;

	for (; u != NULL; u = next) {
		next = u->next;
		if (l->now - u->since > IDLE_LONG)
			up_close(u);
	}
}
