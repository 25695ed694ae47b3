/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A closed-loop load generator that talks to an authorization plugin as
 * dockerd does: N keep-alive connections to its unix socket, on each an
 * AuthZReq, its answer, the AuthZRes of the same request, its answer, and so
 * on.  Messages have dockerd's member order, escaping and heads, and carry
 * the peer certificate.  Any plugin's socket can be measured; the CPU is that
 * of the process --pid, all threads.  Prints one JSON object.
 */
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <portreeve/arena.h>
#include <portreeve/buf.h>
#include <portreeve/clock.h>
#include <portreeve/digest.h>
#include <portreeve/err.h>
#include <portreeve/file.h>
#include <portreeve/str.h>

#include "measure.h"

enum {
	MAX_CONNS = 4096,
	MAX_EXCHANGES = 16,
	ID_LEN = 64
};
static const char created[] = "{\"Id\":\"%064" PRIx64 "\",\"Warnings\":[]}\n";

struct options {
	const char *sock;
	const char *kind;
	const char *cert;
	const char *user;
	const char *container;
	const char *create_body;
	const char *full_body;
	const char *refused_body;
	const char *list_body;
	const char *inspect_body;
	unsigned conns;
	unsigned big;
	double warm;
	double seconds;
	uint64_t limit; /* of calls, instead of a time; 0: none */
	pid_t pid;
};

/* One API request as a pair of messages, ready to be sent. */
struct exchange {
	struct pr_buf req;        /* whole, with its HTTP head */
	struct pr_buf res_before; /* up to the base64 of the response's body */
	struct pr_buf res_body;
	struct pr_buf res_after;
	bool creates; /* every response names a container of its own */
	bool refused; /* so there is no response to tell of */
};

struct conn {
	int fd;
	unsigned exchange;
	bool response;
	size_t sent;
	uint64_t start;
	size_t have;
	char in[4096];
	char id_body[160]; /* base64 of the newest `created` */
};

struct run {
	const struct options *o;
	struct exchange ex[MAX_EXCHANGES];
	unsigned n_ex;
	struct conn *conns;
	int epfd;
	uint64_t next_id;
	bool measuring;
	unsigned ended; /* connections that begin nothing any more */
	bool ending;
	uint64_t allows, denies, errors;
	uint64_t sent;     /* calls, with --calls */
	struct hist times; /* of the calls */
};

static _Noreturn void
die(const char *what)
{
	fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
	exit(EXIT_FAILURE);
}

/* A string as Go's encoding/json writes it (ASCII input). */
static void
go_string(struct pr_buf *b, const char *s)
{
	pr_buf_char(b, '"');
	for (; *s != '\0'; s++) {
		if (strchr("<>&", *s) != NULL)
			pr_buf_printf(b, "\\u%04x", (unsigned)*s);
		else if (*s == '"' || *s == '\\')
			pr_buf_printf(b, "\\%c", *s);
		else
			pr_buf_char(b, *s);
	}
	pr_buf_char(b, '"');
}

static void
base64(struct pr_buf *b, struct pr_str s)
{
	char *to = pr_buf_reserve(b, 4 * ((s.n + 2) / 3) + 1);

	pr_buf_grew(b, pr_base64_encode(s.p, s.n, to));
}

static struct pr_str
read_file(struct pr_arena *a, const char *path)
{
	struct pr_err *err = NULL;
	struct pr_str s;

	if (pr_file_read(a, path, 4 << 20, &s, &err) != 0) {
		fprintf(stderr, "load: cannot read %s\n", path);
		exit(EXIT_FAILURE);
	}
	return s;
}

/* The members that request and response message share, without braces. */
static void
request_members(struct pr_buf *b, const struct options *o, const char *method,
    const char *uri, struct pr_str body, struct pr_str pem)
{
	pr_buf_cstr(b, "\"User\":");
	go_string(b, o->user);
	pr_buf_cstr(b, ",\"UserAuthNMethod\":\"TLS\",\"RequestMethod\":");
	go_string(b, method);
	pr_buf_cstr(b, ",\"RequestUri\":");
	go_string(b, uri);
	if (body.n > 0) {
		pr_buf_cstr(b, ",\"RequestBody\":\"");
		base64(b, body);
		pr_buf_char(b, '"');
	}
	pr_buf_cstr(b, ",\"RequestHeaders\":{\"Accept-Encoding\":\"gzip\",");
	if (body.n > 0)
		pr_buf_printf(b,
		    "\"Content-Length\":\"%zu\","
		    "\"Content-Type\":\"application/json\",",
		    body.n);
	else if (strcmp(method, "POST") == 0)
		pr_buf_cstr(b,
		    "\"Content-Length\":\"0\","
		    "\"Content-Type\":\"text/plain\",");
	pr_buf_cstr(b,
	    "\"User-Agent\":\"Docker-Client/20.10.24+dfsg1 "
	    "(linux)\"}");
	if (pem.n > 0) {
		/* dockerd encodes the PEM's text once more */
		pr_buf_cstr(b, ",\"RequestPeerCertificates\":[\"");
		base64(b, pem);
		pr_buf_cstr(b, "\"]");
	}
}

static void
http_head(struct pr_buf *b, const char *call, size_t length)
{
	pr_buf_printf(b,
	    "POST /AuthZPlugin.%s HTTP/1.1\r\nHost: \r\n"
	    "User-Agent: Go-http-client/1.1\r\nContent-Length: %zu\r\n"
	    "Accept: application/vnd.docker.plugins.v1.2+json\r\n\r\n",
	    call, length);
}

static void
response_body(struct exchange *e, struct pr_str body)
{
	char text[128];

	if (e->creates) {
		snprintf(text, sizeof text, created, (uint64_t)0);
		body = pr_str_of(text);
	}
	base64(&e->res_body, body);
}

/* status 0: what dockerd sends for an implicit 200 and for streams. */
static void
add_exchange(struct run *r, const char *method, const char *uri,
    struct pr_str body, int status, struct pr_str answer, struct pr_str pem)
{
	static const char headers[] =
	    ",\"ResponseHeaders\":{\"Api-Version\":\"1.41\",\"Content-Type\":"
	    "\"application/json\",\"Docker-Experimental\":\"false\","
	    "\"Ostype\":\"linux\",\"Server\":\"Docker/20.10.24+dfsg1 "
	    "(linux)\"}}\n";
	struct pr_buf members PR_CLEANUP(pr_buf_fini) = PR_BUF_INIT;
	struct pr_buf status_text PR_CLEANUP(pr_buf_fini) = PR_BUF_INIT;
	struct exchange *e = &r->ex[r->n_ex++];
	bool has_body;

	e->creates = strstr(uri, "/containers/create") != NULL;
	has_body = answer.n > 0 || e->creates;
	request_members(&members, r->o, method, uri, body, pem);
	http_head(&e->req, "AuthZReq", members.n + 3);
	pr_buf_printf(&e->req, "{%s}\n", members.p);

	if (status != 0)
		pr_buf_printf(
		    &status_text, ",\"ResponseStatusCode\":%d", status);
	if (has_body) {
		pr_buf_cstr(&status_text, ",\"ResponseBody\":\"");
		response_body(e, answer);
		pr_buf_char(&e->res_after, '"');
	}
	pr_buf_cstr(&e->res_after, headers);
	http_head(&e->res_before, "AuthZRes",
	    1 + members.n + status_text.n + e->res_body.n + e->res_after.n);
	pr_buf_char(&e->res_before, '{');
	pr_buf_str(&e->res_before, pr_buf_view(&members));
	pr_buf_str(&e->res_before, pr_buf_view(&status_text));
}

/* The create body with environment variables added up to `size` bytes. */
static struct pr_str
grown(struct pr_arena *a, struct pr_str body, size_t size)
{
	static const char key[] = "\"Env\":[";
	struct pr_buf b PR_CLEANUP(pr_buf_fini) = PR_BUF_INIT;
	const char *at = memmem(body.p, body.n, key, sizeof key - 1);
	struct pr_str out;
	char *copy;
	size_t head;

	if (at == NULL) {
		fprintf(stderr, "load: the create body has no %s\n", key);
		exit(EXIT_FAILURE);
	}
	head = (size_t)(at - body.p) + sizeof key - 1;
	pr_buf_add(&b, body.p, head);
	for (unsigned i = 0; b.n + body.n - head + 200 < size; i++)
		pr_buf_printf(&b, "\"SETTING_%05u=%0150u\",", i, i);
	if (body.p[head] == ']')
		b.n--; /* no variable follows: no comma */
	pr_buf_add(&b, body.p + head, body.n - head);
	copy = pr_arena_bytes(a, b.n);
	memcpy(copy, b.p, b.n);
	out = (struct pr_str){copy, b.n};
	return out;
}

static void
build(struct run *r, struct pr_arena *a)
{
	static const struct pr_str none = {NULL, 0};
	const struct options *o = r->o;
	struct pr_str pem = o->cert ? read_file(a, o->cert) : none;
	struct pr_str create = read_file(a, o->create_body);
	struct pr_str list =
	    o->list_body ? read_file(a, o->list_body) : PR_STR("[]\n");
	struct pr_str inspect =
	    o->inspect_body ? read_file(a, o->inspect_body) : none;
	char uri[256];
	const char *make = "/v1.41/containers/create";
	const char *all = "/v1.41/containers/json?all=1&limit=0";

	if (strcmp(o->kind, "list") == 0) {
		add_exchange(
		    r, "GET", "/v1.41/containers/json", none, 200, list, pem);
	} else if (strcmp(o->kind, "create") == 0) {
		add_exchange(r, "POST", make, create, 201, none, pem);
	} else if (strcmp(o->kind, "full") == 0) {
		add_exchange(r, "POST", make, read_file(a, o->full_body), 201,
		    none, pem);
	} else if (strcmp(o->kind, "refused") == 0) {
		add_exchange(r, "POST", make, read_file(a, o->refused_body),
		    201, none, pem);
		r->ex[0].refused = true;
	} else if (strcmp(o->kind, "big") == 0) {
		add_exchange(
		    r, "POST", make, grown(a, create, o->big), 201, none, pem);
	} else if (strcmp(o->kind, "mix") == 0) {
		/* a developer's minute: look, look closer, make, look again */
		add_exchange(r, "HEAD", "/_ping", none, 0, none, pem);
		add_exchange(
		    r, "GET", "/v1.41/containers/json", none, 200, list, pem);
		add_exchange(r, "GET", all, none, 200, list, pem);
		snprintf(
		    uri, sizeof uri, "/v1.41/containers/%s/json", o->container);
		add_exchange(r, "GET", uri, none, 200, inspect, pem);
		add_exchange(r, "POST", make, create, 201, none, pem);
		snprintf(uri, sizeof uri,
		    "/v1.41/containers/%s/logs?follow=1&stderr=1&stdout=1",
		    o->container);
		add_exchange(r, "GET", uri, none, 0, none, pem);
		add_exchange(r, "POST", make, create, 201, none, pem);
		add_exchange(r, "GET", "/v1.41/version", none, 200, list, pem);
	} else {
		fprintf(stderr,
		    "load: --kind list, create, full, refused, mix or big\n");
		exit(64);
	}
}

static void
connect_to(struct run *r, struct conn *c)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	struct epoll_event ev = {.events = EPOLLIN, .data.ptr = c};

	snprintf(sa.sun_path, sizeof sa.sun_path, "%s", r->o->sock);
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&sa, sizeof sa) != 0)
		die(r->o->sock);
	if (epoll_ctl(r->epfd, EPOLL_CTL_ADD, c->fd, &ev) != 0)
		die("epoll_ctl");
}

/* Sends the connection's current message whole; the server reads or waits. */
static void
send_message(struct run *r, struct conn *c)
{
	const struct exchange *e = &r->ex[c->exchange];
	struct iovec v[3];
	struct msghdr m = {.msg_iov = v, .msg_iovlen = 1};

	v[0] = (struct iovec){e->req.p, e->req.n};
	if (c->response) {
		v[0] = (struct iovec){e->res_before.p, e->res_before.n};
		v[1] = (struct iovec){e->res_body.p, e->res_body.n};
		v[2] = (struct iovec){e->res_after.p, e->res_after.n};
		m.msg_iovlen = 3;
		if (e->creates) {
			char text[128];
			int n =
			    snprintf(text, sizeof text, created, r->next_id++);

			pr_base64_encode(text, (size_t)n, c->id_body);
			v[1].iov_base = c->id_body;
		}
	}
	c->have = 0;
	c->start = pr_clock_now();
	for (;;) {
		ssize_t n = sendmsg(c->fd, &m, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return; /* the reader will see the end, and count it */
		while (m.msg_iovlen > 0 && (size_t)n >= m.msg_iov->iov_len) {
			n -= (ssize_t)m.msg_iov->iov_len;
			m.msg_iov++;
			m.msg_iovlen--;
		}
		if (m.msg_iovlen == 0)
			return;
		m.msg_iov->iov_base = (char *)m.msg_iov->iov_base + n;
		m.msg_iov->iov_len -= (size_t)n;
	}
}

/* The whole answer is in: its length, or 0 when more must come. */
static size_t
answer_length(const struct conn *c)
{
	static const char name[] = "Content-Length:";
	const char *end = memmem(c->in, c->have, "\r\n\r\n", 4);
	const char *cl;
	size_t head;

	if (end == NULL)
		return 0;
	head = (size_t)(end - c->in) + 4;
	cl = memmem(c->in, head, name, sizeof name - 1);
	if (cl == NULL)
		return head;
	head += strtoul(cl + sizeof name - 1, NULL, 10);
	return c->have >= head ? head : 0;
}

static void
count(struct run *r, const struct conn *c, size_t n)
{
	static const char yes[] = "\"Allow\":true";

	if (!r->measuring)
		return;
	hist_add(&r->times, pr_clock_now() - c->start);
	if (memmem(c->in, n, yes, sizeof yes - 1) != NULL)
		r->allows++;
	else
		r->denies++;
}

static void
advance(struct run *r, struct conn *c)
{
	if (c->response)
		c->exchange = (c->exchange + 1) % r->n_ex;
	c->response = !c->response && !r->ex[c->exchange].refused;
	if (r->ending && !c->response)
		r->ended++;
	else if (r->o->limit == 0 || r->sent++ < r->o->limit)
		send_message(r, c);
}

static void
readable(struct run *r, struct conn *c)
{
	ssize_t n = recv(c->fd, c->in + c->have, sizeof c->in - 1 - c->have, 0);
	size_t len;

	if (n <= 0 || c->have + (size_t)n >= sizeof c->in - 1) {
		r->errors++;
		if (r->errors > 10000) {
			fprintf(stderr, "load: the server keeps closing\n");
			exit(EXIT_FAILURE);
		}
		close(c->fd);
		connect_to(r, c);
		send_message(r, c);
		return;
	}
	c->have += (size_t)n;
	len = answer_length(c);
	if (len > 0) {
		count(r, c, len);
		advance(r, c);
	}
}

static void
spin(struct run *r, double seconds)
{
	uint64_t end = pr_clock_now() + (uint64_t)(seconds * 1e9);
	struct epoll_event ev[256];

	while (
	    r->o->limit > 0 ? r->times.n < r->o->limit : pr_clock_now() < end) {
		int n = epoll_wait(r->epfd, ev, 256, 1000);

		if (n < 0 && errno != EINTR)
			die("epoll_wait");
		for (int i = 0; i < n; i++)
			readable(r, ev[i].data.ptr);
	}
}

/* What dockerd was allowed to do it does, and says so: no AuthZReq alone. */
static void
finish(struct run *r)
{
	uint64_t end = pr_clock_now() + UINT64_C(2000000000);
	struct epoll_event ev[256];

	r->measuring = false;
	r->ending = true;
	while (r->ended < r->o->conns && pr_clock_now() < end) {
		int n = epoll_wait(r->epfd, ev, 256, 100);

		for (int i = 0; i < n; i++)
			readable(r, ev[i].data.ptr);
	}
}

static void
measure(struct run *r)
{
	const struct options *o = r->o;
	double cpu, wall;

	if (o->limit == 0)
		spin(r, o->warm);
	r->measuring = true;
	r->errors = 0;
	cpu = cpu_seconds(o->pid);
	wall = (double)pr_clock_now();
	spin(r, o->seconds);
	cpu = cpu_seconds(o->pid) - cpu;
	wall = ((double)pr_clock_now() - wall) / 1e9;
	if (r->o->limit == 0)
		finish(r);
	if (r->times.n == 0) {
		fprintf(stderr, "load: not one call was answered\n");
		exit(EXIT_FAILURE);
	}
	printf("{\"kind\":\"%s\",\"conns\":%u,\"calls\":%" PRIu64
	       ",\"allow\":%" PRIu64 ",\"deny\":%" PRIu64 ",\"errors\":%" PRIu64
	       ",\"per_second\":%.0f,\"cpu_us\":%.3f,\"p50_us\":%.1f"
	       ",\"p90_us\":%.1f,\"p99_us\":%.1f,\"p999_us\":%.1f"
	       ",\"rss_kib\":%ld,\"peak_kib\":%ld,\"bytes\":%zu}\n",
	    o->kind, o->conns, r->times.n, r->allows, r->denies, r->errors,
	    (double)r->times.n / wall, cpu * 1e6 / (double)r->times.n,
	    hist_us(&r->times, 0.5), hist_us(&r->times, 0.9),
	    hist_us(&r->times, 0.99), hist_us(&r->times, 0.999),
	    status_kib(o->pid, "VmRSS:"), status_kib(o->pid, "VmHWM:"),
	    r->ex[0].req.n);
}

static const struct option long_options[] = {
    {"sock", required_argument, NULL, 's'},
    {"kind", required_argument, NULL, 'k'},
    {"cert", required_argument, NULL, 'c'},
    {"user", required_argument, NULL, 'u'},
    {"container", required_argument, NULL, 'i'},
    {"create-body", required_argument, NULL, 'b'},
    {"full-body", required_argument, NULL, 'f'},
    {"refused-body", required_argument, NULL, 'r'},
    {"list-body", required_argument, NULL, 'l'},
    {"inspect-body", required_argument, NULL, 'j'},
    {"conns", required_argument, NULL, 'n'},
    {"big", required_argument, NULL, 'g'},
    {"warm", required_argument, NULL, 'w'},
    {"seconds", required_argument, NULL, 't'},
    {"calls", required_argument, NULL, 'm'},
    {"pid", required_argument, NULL, 'p'},
    {NULL, 0, NULL, 0},
};

static void
set_option(struct options *o, int c, const char *value)
{
	const char **text[128] = {
	    ['s'] = &o->sock,
	    ['k'] = &o->kind,
	    ['c'] = &o->cert,
	    ['u'] = &o->user,
	    ['i'] = &o->container,
	    ['b'] = &o->create_body,
	    ['f'] = &o->full_body,
	    ['r'] = &o->refused_body,
	    ['l'] = &o->list_body,
	    ['j'] = &o->inspect_body,
	};

	if (c == 'n')
		o->conns = (unsigned)strtoul(value, NULL, 10);
	else if (c == 'g')
		o->big = (unsigned)strtoul(value, NULL, 10);
	else if (c == 'm')
		o->limit = strtoull(value, NULL, 10);
	else if (c == 'p')
		o->pid = (pid_t)strtol(value, NULL, 10);
	else if (c == 'w')
		o->warm = strtod(value, NULL);
	else if (c == 't')
		o->seconds = strtod(value, NULL);
	else if (c > 0 && c < 128 && text[c] != NULL)
		*text[c] = value;
	else
		exit(64);
}

int
main(int argc, char **argv)
{
	struct options o = {.kind = "list",
	    .user = "alice",
	    .container = "0",
	    .conns = 16,
	    .big = 900000,
	    .warm = 0.3,
	    .seconds = 2};
	struct pr_arena *a = pr_arena_new(1 << 20);
	struct run *r = calloc(1, sizeof *r);
	int c;

	while ((c = getopt_long(argc, argv, "", long_options, NULL)) != -1)
		set_option(&o, c, optarg);
	if (o.full_body == NULL)
		o.full_body = o.create_body;
	if (o.refused_body == NULL)
		o.refused_body = o.create_body;
	if (o.sock == NULL || o.create_body == NULL || o.conns == 0 ||
	    o.conns > MAX_CONNS || r == NULL) {
		fprintf(stderr,
		    "usage: load --sock S --create-body FILE "
		    "[--kind K] [--conns N] [--pid P] …\n");
		return 64;
	}

	r->o = &o;
	pr_random(&r->next_id, sizeof r->next_id);
	r->epfd = epoll_create1(EPOLL_CLOEXEC);
	build(r, a);
	r->conns = calloc(o.conns, sizeof *r->conns);
	if (r->conns == NULL || r->epfd < 0)
		die("start");
	for (unsigned i = 0; i < o.conns; i++) {
		r->conns[i].exchange = i % r->n_ex;
		connect_to(r, &r->conns[i]);
		r->sent++;
		send_message(r, &r->conns[i]);
	}
	measure(r);
	return EXIT_SUCCESS;
}
