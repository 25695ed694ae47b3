/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A closed-loop load generator for what stands before a daemon: N connections
 * with a client certificate (or to a unix socket), each of which asks, reads
 * the answer and asks again.  Kinds:
 *
 *   get        a GET of --path
 *   handshake  a connection with a full handshake, and its end, and another
 *   down       one GET of --path on each connection, bodies to the end
 *   up         one POST of --path, --bytes in chunks of 32 KiB
 *
 * The CPU is that of the process --pid, all threads.  Prints one JSON object.
 */
#include <sys/epoll.h>

#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>

#include <portreeve/clock.h>

#include "client.h"
#include "measure.h"

#define CHUNK ((size_t)32768)
#define FRAME (CHUNK + 8) /* "8000\r\n", data, "\r\n" */

struct conn {
	int fd;
	SSL *ssl;
	uint64_t start;
	bool open; /* its handshake is made */
	bool sends;
	uint64_t up; /* bytes that are still to be sent; 0: the last chunk */
	size_t at;   /* in the frame */
	size_t have;
	bool headless; /* the answer's head was read */
	bool chunked;
	uint64_t left; /* of its body */
	char last[5];  /* bytes of a chunked body: its end is seen there */
};

struct run {
	struct target to;
	const char *kind, *path;
	unsigned n;
	double warm, seconds;
	uint64_t bytes, limit;
	pid_t pid;
	int epfd;
	struct conn *conns;
	char head[512];
	size_t n_head;
	struct hist times;
	uint64_t errors, refused, moved, finished;
	bool measuring, streams, shakes;
};

static char frame[FRAME];
static char in[1 << 17];

/* ---- one connection ---- */

static void
join(struct run *r, struct conn *c)
{
	struct epoll_event e = {
	    .events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = c};

	*c = (struct conn){.start = pr_clock_now()};
	c->fd = target_connect(&r->to);
	if (c->fd < 0)
		die("connect");
	fcntl(c->fd, F_SETFL, O_NONBLOCK);
	c->ssl = target_tls(&r->to, c->fd);
	if (epoll_ctl(r->epfd, EPOLL_CTL_ADD, c->fd, &e) != 0)
		die("epoll_ctl");
}

static void
leave(struct conn *c)
{
	/* a reset leaves no port behind that nobody can use for a minute */
	struct linger hard = {.l_onoff = 1};

	setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
	SSL_free(c->ssl);
	close(c->fd);
}

/* >0: bytes; 0: later; -1: over or broken. */
static ssize_t
put(struct conn *c, const char *p, size_t n)
{
	ssize_t rc = c->ssl != NULL ? SSL_write(c->ssl, p, (int)n)
				    : send(c->fd, p, n, MSG_NOSIGNAL);

	if (rc > 0)
		return rc;
	if (c->ssl == NULL)
		return errno == EAGAIN ? 0 : -1;
	rc = SSL_get_error(c->ssl, (int)rc);
	return rc == SSL_ERROR_WANT_WRITE || rc == SSL_ERROR_WANT_READ ? 0 : -1;
}

static ssize_t
get(struct conn *c, char *p, size_t n)
{
	ssize_t rc =
	    c->ssl != NULL ? SSL_read(c->ssl, p, (int)n) : recv(c->fd, p, n, 0);

	if (rc > 0)
		return rc;
	if (c->ssl == NULL)
		return rc < 0 && errno == EAGAIN ? 0 : -1;
	rc = SSL_get_error(c->ssl, (int)rc);
	return rc == SSL_ERROR_WANT_READ ? 0 : -1;
}

static int
send_stream(struct run *r, struct conn *c)
{
	static const char last[] = "0\r\n\r\n";

	while (c->sends) {
		bool ends = c->up == 0;
		const char *p = ends ? last : frame;
		size_t size = ends ? sizeof last - 1 : FRAME;
		ssize_t n = put(c, p + c->at, size - c->at);

		if (n <= 0)
			return (int)n;
		c->at += (size_t)n;
		if (c->at < size)
			continue;
		c->at = 0;
		c->sends = !ends;
		c->up -= ends ? 0 : CHUNK;
		r->moved += ends ? 0 : CHUNK;
	}
	return 0;
}

static int
ask(struct run *r, struct conn *c)
{
	c->start = pr_clock_now();
	c->have = 0;
	c->headless = false;
	/* small: it fits into the socket */
	if (put(c, r->head, r->n_head) != (ssize_t)r->n_head)
		return -1;
	c->at = 0;
	c->sends = r->streams;
	c->up = r->bytes;
	return send_stream(r, c);
}

/* ---- answers ---- */

static void
read_head(struct run *r, struct conn *c, const char *p, size_t n)
{
	static const char length[] = "content-length:";
	char head[2048];

	/* names are in lower case where haproxy has written them */
	n = n < sizeof head - 1 ? n : sizeof head - 1;
	for (size_t i = 0; i < n; i++)
		head[i] = (char)(p[i] >= 'A' && p[i] <= 'Z' ? p[i] + 32 : p[i]);
	head[n] = '\0';
	if (strncmp(head, "http/1.1 2", 10) != 0)
		r->refused++;
	c->chunked = strstr(head, "transfer-encoding: chunked") != NULL;
	p = strstr(head, length);
	c->left = p != NULL ? strtoull(p + sizeof length - 1, NULL, 10) : 0;
	memset(c->last, 0, sizeof c->last);
	c->headless = true;
}

/* Returns whether the answer is over. */
static bool
read_body(struct run *r, struct conn *c, const char *p, size_t n)
{
	if (!r->streams)
		r->moved += n;
	if (!c->chunked) {
		c->left -= n < c->left ? n : c->left;
		return c->left == 0;
	}
	if (n >= sizeof c->last) {
		memcpy(c->last, p + n - sizeof c->last, sizeof c->last);
	} else {
		memmove(c->last, c->last + n, sizeof c->last - n);
		memcpy(c->last + sizeof c->last - n, p, n);
	}
	return memcmp(c->last, "0\r\n\r\n", sizeof c->last) == 0;
}

/* More came, `n` bytes behind the `have` of a head that is not whole. */
static bool
take(struct run *r, struct conn *c, size_t n)
{
	const char *end;
	size_t size;

	if (c->headless)
		return read_body(r, c, in, n);
	/* the head comes at once from all of them */
	end = memmem(in, n, "\r\n\r\n", 4);
	if (end == NULL) {
		r->errors++;
		return false;
	}
	size = (size_t)(end - in) + 4;
	read_head(r, c, in, size);
	return read_body(r, c, in + size, n - size);
}

static void
count(struct run *r, const struct conn *c)
{
	r->finished++;
	if (r->measuring)
		hist_add(&r->times, pr_clock_now() - c->start);
}

static void
again(struct run *r, struct conn *c)
{
	leave(c);
	join(r, c);
}

static void
broken(struct run *r, struct conn *c)
{
	if (++r->errors > 1000) {
		fprintf(stderr, "tls_load: the server keeps closing\n");
		exit(EXIT_FAILURE);
	}
	again(r, c);
}

/* Ends the connection; the server has read all of it when it ends, too. */
static int
part(struct conn *c)
{
	if (SSL_shutdown(c->ssl) < 0)
		return -1;
	shutdown(c->fd, SHUT_WR);
	return 1;
}

/* The server has ended, not refused. */
static bool
parted(const struct conn *c)
{
	char ignored;
	int rc = SSL_read(c->ssl, &ignored, 1);
	int why = SSL_get_error(c->ssl, rc);

	return why == SSL_ERROR_ZERO_RETURN ||
	    (why == SSL_ERROR_SSL &&
		ERR_GET_REASON(ERR_peek_error()) ==
		    SSL_R_UNEXPECTED_EOF_WHILE_READING);
}

/* 1: goes on; 0: waits; -1: broken. */
static int
shake(struct run *r, struct conn *c)
{
	if (c->ssl != NULL) {
		int rc = SSL_do_handshake(c->ssl);
		int why = rc == 1 ? 0 : SSL_get_error(c->ssl, rc);

		if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE)
			return 0;
		if (rc != 1)
			return -1;
	}
	c->open = true;
	if (r->shakes)
		return part(c);
	return ask(r, c) < 0 ? -1 : 1;
}

static void
happens(struct run *r, struct conn *c)
{
	int rc = c->open ? 1 : shake(r, c);

	if (rc > 0 && r->shakes) {
		ERR_clear_error();
		if (parted(c)) {
			count(r, c);
			again(r, c);
			return;
		}
		rc = SSL_get_error(c->ssl, -1) == SSL_ERROR_WANT_READ ? 0 : -1;
	}
	if (rc > 0)
		rc = send_stream(r, c) < 0 ? -1 : 1;
	while (rc > 0) {
		ssize_t n = get(c, in, sizeof in);

		rc = n > 0 ? 1 : (int)n;
		if (n <= 0 || !take(r, c, (size_t)n))
			continue;
		count(r, c);
		if (r->limit > 0 && r->finished >= r->limit)
			return;
		if (ask(r, c) < 0)
			rc = -1;
	}
	if (rc < 0)
		broken(r, c);
}

/* ---- the run ---- */

static void
spin(struct run *r, double seconds)
{
	uint64_t end = pr_clock_now() + (uint64_t)(seconds * 1e9);
	struct epoll_event ev[256];

	while (r->limit > 0 ? r->finished < r->limit : pr_clock_now() < end) {
		int n = epoll_wait(r->epfd, ev, 256, 1000);

		for (int i = 0; i < n; i++)
			happens(r, ev[i].data.ptr);
	}
}

static void
measure(struct run *r)
{
	double cpu, wall;

	if (r->limit == 0)
		spin(r, r->warm);
	r->measuring = true;
	r->errors = r->refused = r->moved = 0;
	cpu = cpu_seconds(r->pid);
	wall = (double)pr_clock_now();
	spin(r, r->seconds);
	cpu = cpu_seconds(r->pid) - cpu;
	wall = ((double)pr_clock_now() - wall) / 1e9;
	if (r->times.n == 0) {
		fprintf(stderr, "tls_load: no answer, %" PRIu64 " errors\n",
		    r->errors);
		exit(EXIT_FAILURE);
	}
	printf("{\"kind\":\"%s\",\"conns\":%u,\"calls\":%" PRIu64
	       ",\"errors\":%" PRIu64 ",\"refused\":%" PRIu64
	       ",\"per_second\":%.1f,\"cpu_us\":%.3f,\"cpu_s\":%.3f"
	       ",\"wall_s\":%.3f,\"bytes\":%" PRIu64
	       ",\"p50_us\":%.1f,\"p90_us\":%.1f,\"p99_us\":%.1f"
	       ",\"rss_kib\":%ld,\"peak_kib\":%ld}\n",
	    r->kind, r->n, r->times.n, r->errors, r->refused,
	    (double)r->times.n / wall, cpu * 1e6 / (double)r->times.n, cpu,
	    wall, r->moved, hist_us(&r->times, 0.5), hist_us(&r->times, 0.9),
	    hist_us(&r->times, 0.99), status_kib(r->pid, "VmRSS:"),
	    status_kib(r->pid, "VmHWM:"));
}

static void
prepare(struct run *r)
{
	bool up = strcmp(r->kind, "up") == 0;

	r->shakes = strcmp(r->kind, "handshake") == 0;
	r->streams = up;
	r->bytes -= r->bytes % CHUNK;
	r->n_head = (size_t)snprintf(r->head, sizeof r->head,
	    "%s %s HTTP/1.1\r\nHost: docker\r\n"
	    "User-Agent: Docker-Client/20.10.24 (linux)\r\n%s\r\n",
	    up ? "POST" : "GET", r->path,
	    up ? "Content-Type: application/x-tar\r\n"
		 "Transfer-Encoding: chunked\r\n"
	       : "");
	memcpy(frame, "8000\r\n", 6);
	for (size_t i = 0; i < CHUNK; i++)
		frame[6 + i] = (char)(i * 13 + i / 5);
	memcpy(frame + 6 + CHUNK, "\r\n", 2);
	target_open(&r->to);
	r->epfd = epoll_create1(EPOLL_CLOEXEC);
	r->conns = calloc(r->n, sizeof *r->conns);
	if (r->epfd < 0 || r->conns == NULL)
		die("start");
	if (r->streams || strcmp(r->kind, "down") == 0)
		r->limit = r->n;
}

static const struct option long_options[] = {
    TARGET_OPTIONS,
    {"kind", required_argument, NULL, 'K'},
    {"path", required_argument, NULL, 'P'},
    {"conns", required_argument, NULL, 'n'},
    {"warm", required_argument, NULL, 'w'},
    {"seconds", required_argument, NULL, 't'},
    {"bytes", required_argument, NULL, 'b'},
    {"calls", required_argument, NULL, 'm'},
    {"pid", required_argument, NULL, 'i'},
    {NULL, 0, NULL, 0},
};

static void
set_option(struct run *r, int c, const char *value)
{
	if (target_option(&r->to, c, value))
		return;
	if (c == 'K')
		r->kind = value;
	else if (c == 'P')
		r->path = value;
	else if (c == 'n')
		r->n = (unsigned)strtoul(value, NULL, 10);
	else if (c == 'w')
		r->warm = strtod(value, NULL);
	else if (c == 't')
		r->seconds = strtod(value, NULL);
	else if (c == 'b')
		r->bytes = strtoull(value, NULL, 10);
	else if (c == 'm')
		r->limit = strtoull(value, NULL, 10);
	else if (c == 'i')
		r->pid = (pid_t)strtol(value, NULL, 10);
	else
		exit(64);
}

int
main(int argc, char **argv)
{
	static struct run r = {.kind = "get",
	    .path = "/v1.41/containers/json",
	    .n = 16,
	    .warm = 0.3,
	    .seconds = 1,
	    .bytes = 1 << 30};
	int c;

	while ((c = getopt_long(argc, argv, "", long_options, NULL)) != -1)
		set_option(&r, c, optarg);
	if (r.n == 0 || (r.to.sock == NULL && r.to.port == 0))
		return 64;
	signal(SIGPIPE, SIG_IGN);
	prepare(&r);
	for (unsigned i = 0; i < r.n; i++) {
		join(&r, &r.conns[i]);
		happens(&r, &r.conns[i]);
	}
	measure(&r);
	return EXIT_SUCCESS;
}
