/* SPDX-License-Identifier: Apache-2.0 */
#include "server.h"

#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <microhttpd.h>

#include <portreeve/clock.h>
#include <portreeve/log.h>

#include "answer.h"
#include "mhd_log.h"

/*
 * A connection's memory holds a head and what is read at once of a body; big
 * bodies come in few reads, small calls touch little of it.
 */
#define POOL        ((size_t)16 << 10)
#define CONNECTIONS 8192U
#define FDS_SPARE \
	((rlim_t)256) /* the log, look-ups, the directory, the ledger */
#define SAY_EVERY (10 * PR_SEC)
#define QUIET     (200 * PR_MS)
#define QUIET_NEW (1 * PR_SEC)

enum route {
	ROUTE_UNKNOWN = 0,
	ROUTE_ACTIVATE,
	ROUTE_REQUEST,
	ROUTE_RESPONSE,
};

struct conn {
	struct server *server;
	struct conn *prev, *next; /* under server.lock */
	int fd;
	struct peer peer;
	bool refused;
	atomic_bool busy; /* a call is being read or answered */
	atomic_bool used; /* at least one has come */
	_Atomic uint64_t quiet_since;
	enum route route; /* of that call */
	struct flight *flight;
};

struct server {
	struct server_config config;
	struct MHD_Daemon *mhd;
	struct answers *answers;
	atomic_bool draining;
	_Atomic pid_t daemon_pid;

	pthread_mutex_t lock;
	pthread_cond_t fewer;
	struct conn *conns;
	unsigned n_conns;

	_Atomic uint64_t accepted, refused, unknown;
	uint64_t refused_said; /* event thread */
};

/* --- connections -------------------------------------------------------- */

static bool
may_call(const struct server *s, uid_t uid)
{
	for (size_t i = 0; i < s->config.n_peer_uids; i++)
		if (s->config.peer_uids[i] == uid)
			return true;
	return false;
}

static void
refuse_peer(struct server *s, struct conn *conn)
{
	uint64_t now = pr_clock_now(), n = ++s->refused;

	conn->refused = true;
	/* it ends before a byte of it is read */
	shutdown(conn->fd, SHUT_RDWR);
	if (s->refused_said != 0 && now - s->refused_said < SAY_EVERY)
		return;
	s->refused_said = now;
	pr_log(PR_LOG_WARNING,
	    "refused a connection of uid %u (pid %d): not among "
	    "plugin.peer_uids (%llu so far)",
	    (unsigned)conn->peer.uid, (int)conn->peer.pid,
	    (unsigned long long)n);
}

static struct conn *
conn_new(struct server *s, struct MHD_Connection *c)
{
	struct conn *conn = pr_xcalloc(1, sizeof *conn);

	conn->server = s;
	conn->quiet_since = pr_clock_now();
	conn->fd = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD)
		       ->connect_fd;
	if (!peer_of(conn->fd, &conn->peer) || !may_call(s, conn->peer.uid))
		refuse_peer(s, conn);
	else
		s->accepted++;
	pthread_mutex_lock(&s->lock);
	conn->next = s->conns;
	if (conn->next != NULL)
		conn->next->prev = conn;
	s->conns = conn;
	s->n_conns++;
	pthread_mutex_unlock(&s->lock);
	return conn;
}

static void
conn_free(struct server *s, struct conn *conn)
{
	pthread_mutex_lock(&s->lock);
	if (conn->prev != NULL)
		conn->prev->next = conn->next;
	else
		s->conns = conn->next;
	if (conn->next != NULL)
		conn->next->prev = conn->prev;
	s->n_conns--;
	if (s->draining)
		pthread_cond_signal(&s->fewer);
	pthread_mutex_unlock(&s->lock);
	free(conn);
}

/* MHD_NotifyConnectionCallback; the descriptor is open in both cases. */
static void
on_connection(void *cls, struct MHD_Connection *c, void **context,
    enum MHD_ConnectionNotificationCode what)
{
	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		*context = conn_new(cls, c);
	} else if (*context != NULL) {
		conn_free(cls, *context);
		*context = NULL;
	}
}

/* --- calls -------------------------------------------------------------- */

static const struct {
	const char *path;
	enum route route;
} routes[] = {
    {"/AuthZPlugin.AuthZReq", ROUTE_REQUEST},
    {"/AuthZPlugin.AuthZRes", ROUTE_RESPONSE},
    {"/Plugin.Activate", ROUTE_ACTIVATE},
};

static enum route
route_of(const char *method, const char *path)
{
	if (strcmp(method, MHD_HTTP_METHOD_POST) != 0)
		return ROUTE_UNKNOWN;
	for (size_t i = 0; i < PR_COUNT(routes); i++)
		if (strcmp(path, routes[i].path) == 0)
			return routes[i].route;
	return ROUTE_UNKNOWN;
}

/* The head is read. */
static enum MHD_Result
begin(struct server *s, struct MHD_Connection *c, const char *url,
    const char *method, void **state)
{
	struct conn *conn =
	    MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT)
		->socket_context;
	const char *length;
	uint64_t n;

	if (conn == NULL || conn->refused)
		return MHD_NO;
	*state = conn;
	conn->busy = conn->used = true;
	conn->route = route_of(method, url);
	if (conn->route != ROUTE_REQUEST && conn->route != ROUTE_RESPONSE)
		return MHD_YES;
	conn->flight = flight_new(s->config.flights,
	    conn->route == ROUTE_REQUEST ? CALL_REQUEST : CALL_RESPONSE, c);
	length = MHD_lookup_connection_value(
	    c, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);
	if (length != NULL && pr_str_u64(pr_str_of(length), &n))
		flight_expect(conn->flight, n);
	return MHD_YES;
}

/* Paths are resolved in the mount namespace of whoever calls: dockerd. */
static void
note_daemon(struct server *s, const struct conn *conn)
{
	if (conn->peer.pid <= 0 || conn->peer.pid == s->daemon_pid ||
	    s->config.inventory == NULL)
		return;
	s->daemon_pid = conn->peer.pid;
	pr_inventory_daemon_pid(s->config.inventory, conn->peer.pid);
}

/* The call is whole, its parked connection was woken, or its round is over. */
static enum MHD_Result
judge(struct server *s, struct MHD_Connection *c, struct conn *conn)
{
	struct flight *f = conn->flight;

	if (!flight_begun(f)) {
		note_daemon(s, conn);
		switch (flight_run(f)) {
		case FLIGHT_PARKED:
			MHD_suspend_connection(c);
			if (!flight_parked(f))
				MHD_resume_connection(c);
			return MHD_YES;
		case FLIGHT_IN_ROUND:
			/* without an answer it is called again, when the other
			 * connections that were ready have been called */
			return MHD_YES;
		case FLIGHT_ANSWERED:
			break;
		}
	}
	switch (flight_land(f)) {
	case FLIGHT_ALLOW:
		return answer_allow(s->answers, c, s->draining);
	case FLIGHT_DENY:
		return answer_deny(c, flight_message(f), s->draining);
	case FLIGHT_NONE:
	default:
		return MHD_YES;
	}
}

static enum MHD_Result
finish(struct server *s, struct MHD_Connection *c, struct conn *conn)
{
	switch (conn->route) {
	case ROUTE_REQUEST:
	case ROUTE_RESPONSE:
		return judge(s, c, conn);
	case ROUTE_ACTIVATE:
		note_daemon(s, conn);
		return answer_activate(s->answers, c);
	case ROUTE_UNKNOWN:
	default:
		s->unknown++;
		return answer_no_endpoint(s->answers, c);
	}
}

/* MHD_AccessHandlerCallback: once for the head, for each part, at the end. */
static enum MHD_Result
on_call(void *cls, struct MHD_Connection *c, const char *url,
    const char *method, const char *version, const char *data, size_t *n,
    void **state)
{
	struct conn *conn = *state;

	(void)version;
	if (conn == NULL)
		return begin(cls, c, url, method, state);
	if (*n == 0)
		return finish(cls, c, conn);
	if (conn->flight != NULL)
		flight_add(conn->flight, data, *n);
	*n = 0;
	return MHD_YES;
}

/* MHD_RequestCompletedCallback. */
static void
on_completed(void *cls, struct MHD_Connection *c, void **state,
    enum MHD_RequestTerminationCode code)
{
	struct conn *conn = *state;

	(void)cls;
	(void)c;
	if (conn == NULL)
		return;
	if (conn->flight != NULL && code != MHD_REQUEST_TERMINATED_COMPLETED_OK)
		flight_lost(conn->flight);
	flight_unref(conn->flight);
	conn->flight = NULL;
	conn->quiet_since = pr_clock_now();
	conn->busy = false;
	*state = NULL;
}

void
server_wake(void *conn)
{
	MHD_resume_connection(conn);
}

/* --- start and end ------------------------------------------------------ */

/* As many descriptors as we may have; the connections that leaves room for. */
static unsigned
raise_limits(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) != 0)
		return 512;
	if (r.rlim_cur < r.rlim_max) {
		r.rlim_cur = r.rlim_max;
		if (setrlimit(RLIMIT_NOFILE, &r) != 0)
			(void)getrlimit(RLIMIT_NOFILE, &r);
	}
	if (r.rlim_cur >= CONNECTIONS + FDS_SPARE)
		return CONNECTIONS;
	pr_log(PR_LOG_WARNING, "only %llu descriptors: fewer connections",
	    (unsigned long long)r.rlim_cur);
	return r.rlim_cur > 2 * FDS_SPARE ? (unsigned)(r.rlim_cur - FDS_SPARE)
					  : (unsigned)r.rlim_cur / 2;
}

static struct MHD_Daemon *
listen_with(struct server *s)
{
	return MHD_start_daemon(MHD_USE_ERROR_LOG |
		MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME |
		MHD_USE_SUPPRESS_DATE_NO_CLOCK,
	    0, NULL, NULL, on_call, s, MHD_OPTION_EXTERNAL_LOGGER, mhd_log,
	    NULL, MHD_OPTION_LISTEN_SOCKET, s->config.listener->fd,
	    MHD_OPTION_CONNECTION_LIMIT, raise_limits(),
	    MHD_OPTION_CONNECTION_MEMORY_LIMIT, POOL,
	    MHD_OPTION_NOTIFY_CONNECTION, on_connection, s,
	    MHD_OPTION_NOTIFY_COMPLETED, on_completed, s, MHD_OPTION_END);
}

struct server *
server_start(const struct server_config *config, struct pr_err **err)
{
	struct server *s = pr_xcalloc(1, sizeof *s);
	pthread_condattr_t attr;

	s->config = *config;
	s->answers = answers_new();
	pthread_mutex_init(&s->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&s->fewer, &attr);
	pthread_condattr_destroy(&attr);
	s->mhd = listen_with(s);
	if (s->mhd != NULL)
		return s;
	pr_err_set(err, PR_ERR_IO, 0, "cannot start the HTTP server");
	server_stop(s);
	return NULL;
}

static const struct timespec moment = {.tv_nsec = PR_MS};

/* Lets the event thread accept what has connected before we left. */
static void
accept_the_last(struct server *s, uint64_t until)
{
	struct pollfd p = {.fd = s->config.listener->fd, .events = POLLIN};

	while (poll(&p, 1, 0) == 1 && pr_clock_now() < until)
		nanosleep(&moment, NULL);
}

/* The daemon may need a new connection to ask about a look-up. */
static void
answer_look_ups(struct server *s, uint64_t until)
{
	while (flights_working(s->config.flights) && pr_clock_now() < until)
		nanosleep(&moment, NULL);
}

/*
 * Connections end with their next answer.  Those that are quiet are ended: what
 * has come in can still be read and is answered, what dockerd has not sent yet
 * it cannot send here any more.  But a call that is just being sent would be
 * cut in two, and dockerd sends such a call again without its body: so only
 * those that have been quiet for a while, and a new one, on which a call is to
 * come, for longer.
 */
static void
end_idle(struct server *s)
{
	uint64_t now = pr_clock_now();

	for (struct conn *c = s->conns; c != NULL; c = c->next) {
		int unread = 0;

		if (now - c->quiet_since < (c->used ? QUIET : QUIET_NEW))
			continue;
		if (!c->busy && ioctl(c->fd, FIONREAD, &unread) == 0 &&
		    unread == 0)
			shutdown(c->fd, SHUT_RD);
	}
}

void
server_drain(struct server *s, uint64_t look_ups, uint64_t until)
{
	MHD_socket fd;

	answer_look_ups(s, look_ups);
	if (!s->config.listener->inherited) {
		listener_unlink(s->config.listener);
		accept_the_last(s, until);
	}
	fd = MHD_quiesce_daemon(s->mhd);
	if (fd == MHD_INVALID_SOCKET)
		pr_log(PR_LOG_WARNING, "the socket could not be quiesced");
	pthread_mutex_lock(&s->lock);
	s->draining = true;
	while (s->n_conns > 0 && pr_clock_now() < until) {
		struct timespec at;

		end_idle(s);
		clock_gettime(CLOCK_MONOTONIC, &at);
		at.tv_nsec += 20000000;
		if (at.tv_nsec >= 1000000000) {
			at.tv_nsec -= 1000000000;
			at.tv_sec++;
		}
		pthread_cond_timedwait(&s->fewer, &s->lock, &at);
	}
	if (s->n_conns > 0)
		pr_log(PR_LOG_WARNING, "%u connections did not end in time",
		    s->n_conns);
	pthread_mutex_unlock(&s->lock);
}

void
server_stop(struct server *s)
{
	if (s->mhd != NULL)
		MHD_stop_daemon(s->mhd);
	answers_free(s->answers);
	pthread_mutex_destroy(&s->lock);
	pthread_cond_destroy(&s->fewer);
	free(s);
}

void
server_counts(struct server *s, struct server_counts *out)
{
	pthread_mutex_lock(&s->lock);
	out->connections = s->n_conns;
	pthread_mutex_unlock(&s->lock);
	out->accepted = s->accepted;
	out->refused = s->refused;
	out->unknown = s->unknown;
}
