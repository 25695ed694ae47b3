/* SPDX-License-Identifier: Apache-2.0 */
#include "admin.h"

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <portreeve/clock.h>
#include <portreeve/log.h>
#include <portreeve/version.h>

#include "http.h"
#include "loop.h"

#define PATIENCE 2 /* s; for a client of the admin's own */
#define PREFIX   "portreeve_proxy_"

struct admin {
	struct proxy *proxy;
	struct pr_config_listen config;
	struct listener listener;
	int stop[2]; /* a pipe: closed when it ends */
	pthread_t thread;
	bool started;
};

struct reply {
	int status;
	const char *reason, *type;
	struct pr_buf body;
};

/* ---- what is told ---- */

static bool
check(struct pr_buf *b, bool ok, const char *what)
{
	pr_buf_printf(b, "%s%s\n", ok ? "ok      " : "not ok  ", what);
	return ok;
}

static bool
is_ready(struct proxy *p, struct pr_buf *b)
{
	PR_CLEANUP(pr_arena_freep) struct pr_arena *a = pr_arena_new(4096);
	PR_CLEANUP(pr_buf_fini) struct pr_buf why = PR_BUF_INIT;
	struct pr_daemon_facts facts;
	bool ok = check(b, pr_audit_healthy(p->audit), "audit");

	ok &= check(b,
	    pr_inventory_daemon(pr_judge_inventory(p->judge), a, &facts),
	    "daemon");
	ok &= check(b, pr_judge_directory_ready(p->judge, &why), "directory");
	ok &= check(b, !p->draining, "taking connections");
	return ok;
}

static void
get_health(struct proxy *p, struct reply *r)
{
	(void)p;
	pr_buf_cstr(&r->body, "ok\n");
}

static void
get_ready(struct proxy *p, struct reply *r)
{
	bool ready = is_ready(p, &r->body);

	pr_buf_cstr(&r->body, ready ? "ready\n" : "not ready\n");
	if (ready)
		return;
	r->status = 503;
	r->reason = "Service Unavailable";
}

static void
get_status(struct proxy *p, struct reply *r)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf ignored = PR_BUF_INIT;
	char hash[65];

	pr_judge_policy_hash(p->judge, hash);
	r->type = "application/json";
	pr_buf_printf(&r->body,
	    "{\"version\":\"" PR_VERSION "\",\"pid\":%d,\"door\":\"proxy\","
	    "\"ready\":%s,\"uptime_s\":%llu,\"policy\":\"%s\","
	    "\"policy_serial\":%llu,\"connections\":%u,\"held_bytes\":%zu",
	    (int)getpid(), is_ready(p, &ignored) ? "true" : "false",
	    (unsigned long long)((pr_clock_now() - p->started) / PR_SEC), hash,
	    (unsigned long long)pr_judge_policy_serial(p->judge),
	    (unsigned)p->connections, (size_t)p->held);
#define X(field, text)                                  \
	pr_buf_printf(&r->body, ",\"" #field "\":%llu", \
	    (unsigned long long)p->count.field);
	PROXY_COUNTS(X)
#undef X
	pr_buf_cstr(&r->body, "}\n");
}

static void
metric(struct pr_buf *b, const char *name, const char *type, const char *help,
    uint64_t v)
{
	pr_buf_printf(b,
	    "# HELP " PREFIX "%s %s\n# TYPE " PREFIX "%s %s\n" PREFIX
	    "%s %llu\n",
	    name, help, name, type, name, (unsigned long long)v);
}

static void
get_metrics(struct proxy *p, struct reply *r)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf ignored = PR_BUF_INIT;
	struct pr_audit_stats audit;
	struct rusage u = {0};

	r->type = "text/plain; version=0.0.4; charset=utf-8";
	metric(&r->body, "ready", "gauge", "1: ready, as /readyz says",
	    is_ready(p, &ignored));
	metric(&r->body, "directory_up", "gauge",
	    "1: the directory can be asked",
	    pr_judge_directory_ready(p->judge, &ignored));
	metric(&r->body, "policy_number", "gauge",
	    "First 48 bits of the policy's hash: the same on hosts with the "
	    "same policy",
	    pr_judge_policy_number(p->judge));
	metric(&r->body, "last_reload_successful", "gauge",
	    "0: the last reload was refused", !p->reload_failed);
	metric(&r->body, "connections", "gauge", "Connections now",
	    p->connections);
	metric(&r->body, "held_bytes", "gauge",
	    "Of bodies and answers that are held to be judged", p->held);
#define X(field, text) \
	metric(&r->body, #field "_total", "counter", text, p->count.field);
	PROXY_COUNTS(X)
#undef X
	pr_audit_stats(p->audit, &audit);
	metric(&r->body, "audit_healthy", "gauge",
	    "0: allows are refused, no record can be made", audit.healthy);
	metric(&r->body, "audit_records_total", "counter", "Lines written",
	    audit.records);
	metric(&r->body, "audit_refused_total", "counter",
	    "Allows that found no room", audit.refused);
	getrusage(RUSAGE_SELF, &u);
	pr_buf_printf(&r->body,
	    "# HELP " PREFIX "cpu_seconds_total CPU time, user and system\n"
	    "# TYPE " PREFIX "cpu_seconds_total counter\n" PREFIX
	    "cpu_seconds_total %.3f\n",
	    (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
		(double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6);
}

static void
post_reload(struct proxy *p, struct reply *r)
{
	if (proxy_reload(p, &r->body) == 0)
		return;
	r->status = 422;
	r->reason = "Unprocessable Content";
}

static const struct {
	const char *method, *path;
	void (*answer)(struct proxy *p, struct reply *r);
} endpoints[] = {
    {"GET", "/healthz", get_health},
    {"GET", "/readyz", get_ready},
    {"GET", "/status", get_status},
    {"GET", "/metrics", get_metrics},
    {"POST", "/reload", post_reload},
};

/* ---- how ---- */

/* A whole head in buf; its size, or 0. */
static size_t
read_head(int fd, char *buf, size_t cap)
{
	struct http_scan scan = {0, 0};
	struct http_fault why;
	size_t n = 0, size = 0;

	while (n < cap) {
		ssize_t got = recv(fd, buf + n, cap - n, 0);

		if (got <= 0)
			return 0;
		n += (size_t)got;
		switch (http_scan(&scan, buf, n, &size, &why)) {
		case HTTP_DONE:
			return size;
		case HTTP_MORE:
			break;
		case HTTP_BAD:
		default:
			return 0;
		}
	}
	return 0;
}

static void
fill(struct proxy *p, const struct http_head *h, struct reply *r)
{
	struct pr_str path = h->target;

	path = pr_str_cut(&path, '?');
	for (size_t i = 0; i < PR_COUNT(endpoints); i++) {
		if (!pr_str_is(h->method, endpoints[i].method) ||
		    !pr_str_is(path, endpoints[i].path))
			continue;
		endpoints[i].answer(p, r);
		return;
	}
	r->status = 404;
	r->reason = "Not Found";
	pr_buf_cstr(&r->body, "no such endpoint\n");
}

static void
send_all(int fd, struct pr_str s)
{
	while (s.n > 0) {
		ssize_t put = send(fd, s.p, s.n, MSG_NOSIGNAL);

		if (put <= 0)
			return;
		s = pr_str_sub(s, (size_t)put, s.n);
	}
}

static void
serve(struct admin *a, int fd)
{
	const struct timeval patience = {.tv_sec = PATIENCE};
	struct reply r = {200, "OK", "text/plain; charset=utf-8", PR_BUF_INIT};
	struct pr_buf head = PR_BUF_INIT;
	struct http_head h;
	struct http_fault why;
	char buf[8192];
	size_t size;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
	size = read_head(fd, buf, sizeof buf);
	if (size == 0)
		return;
	if (http_read_request(buf, size, &h, &why) < 0) {
		r.status = why.status;
		r.reason = "Refused";
		pr_buf_printf(&r.body, "%s\n", why.text);
	} else {
		fill(a->proxy, &h, &r);
	}
	pr_buf_printf(&head,
	    "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
	    "Connection: close\r\n\r\n",
	    r.status, r.reason, r.type, r.body.n);
	send_all(fd, pr_buf_view(&head));
	send_all(fd, pr_buf_view(&r.body));
	pr_buf_fini(&head);
	pr_buf_fini(&r.body);
}

static void *
run(void *arg)
{
	struct admin *a = arg;
	struct pollfd fds[2] = {{.fd = a->listener.fd, .events = POLLIN},
	    {.fd = a->stop[0], .events = POLLIN}};

	for (;;) {
		int fd;

		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return NULL;
		if (fds[1].revents != 0)
			return NULL;
		fd = accept4(a->listener.fd, NULL, NULL, SOCK_CLOEXEC);
		if (fd < 0)
			continue;
		serve(a, fd);
		close(fd);
	}
}

struct admin *
admin_open(struct proxy *p, const char *path, struct pr_err **err)
{
	struct admin *a = pr_xcalloc(1, sizeof *a);

	a->proxy = p;
	a->config = (struct pr_config_listen){
	    .name = "admin", .unix_path = path, .mode = 0600};
	a->stop[0] = a->stop[1] = -1;
	if (listener_open(&a->listener, &a->config, err) == 0)
		return a;
	admin_stop(a);
	return NULL;
}

int
admin_start(struct admin *a, struct pr_err **err)
{
	int e;

	if (pipe2(a->stop, O_CLOEXEC) < 0)
		return pr_err_set(
		    err, PR_ERR_IO, errno, "pipe: %s", strerror(errno));
	e = pthread_create(&a->thread, NULL, run, a);
	a->started = e == 0;
	return e == 0 ? 0
		      : pr_err_set(err, PR_ERR_IO, e,
			    "cannot start a thread: %s", strerror(e));
}

void
admin_stop(struct admin *a)
{
	if (a == NULL)
		return;
	if (a->stop[1] >= 0)
		close(a->stop[1]);
	if (a->started)
		pthread_join(a->thread, NULL);
	if (a->stop[0] >= 0)
		close(a->stop[0]);
	listener_close(&a->listener);
	free(a);
}
