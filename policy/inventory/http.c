/* SPDX-License-Identifier: Apache-2.0 */
#include "http.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include <portreeve/clock.h>

/* ---- waiting and bytes ---- */

/* 0: ready; -1: not.  A wake-up counts as "not", with h->woken set. */
static int
wait_for(struct http *h, short events, uint64_t deadline, struct pr_err **err)
{
	for (;;) {
		struct pollfd p[2] = {{.fd = h->fd, .events = events},
		    {.fd = h->wake, .events = POLLIN}};
		uint64_t now = pr_clock_now();
		int ms = -1;

		if (deadline != UINT64_MAX) {
			if (now >= deadline)
				return pr_err_set(err, PR_ERR_TIMEOUT, 0,
				    "dockerd did not answer in time");
			uint64_t left = (deadline - now + PR_MS - 1) / PR_MS;

			ms = left > 60000 ? 60000 : (int)left;
		}
		int n = poll(p, 2, ms);

		if (n < 0 && errno != EINTR)
			return pr_err_set(
			    err, PR_ERR_IO, errno, "poll: %s", strerror(errno));
		if (n <= 0)
			continue;
		if (p[1].revents != 0) {
			h->woken = true;
			return pr_err_set(err, PR_ERR_TIMEOUT, 0, "stopped");
		}
		return 0;
	}
}

static int
connect_failed(const char *socket, int errnum, struct pr_err **err)
{
	enum pr_err_code code = errnum == EACCES || errnum == EPERM
	    ? PR_ERR_DENIED
	    : errnum == ENOENT || errnum == ECONNREFUSED ? PR_ERR_OFFLINE
							 : PR_ERR_IO;

	return pr_err_set(
	    err, code, errnum, "dockerd at %s: %s", socket, strerror(errnum));
}

int
http_connect(struct http *h, const char *socket_path, uint64_t deadline,
    struct pr_err **err)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	size_t n = strlen(socket_path);

	h->wake = -1;
	h->woken = false;
	h->at = h->n = 0;
	h->fd = -1;
	if (n >= sizeof sun.sun_path)
		return pr_err_set(err, PR_ERR_INVALID, 0,
		    "%s: longer than a socket's name can be", socket_path);
	memcpy(sun.sun_path, socket_path, n + 1);
	h->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (h->fd < 0)
		return connect_failed(socket_path, errno, err);
	/* EAGAIN: its backlog is full, which no poll reports */
	while (connect(h->fd, (const struct sockaddr *)&sun, sizeof sun) < 0) {
		if (errno != EAGAIN && errno != EINTR) {
			(void)connect_failed(socket_path, errno, err);
			http_close(h);
			return -1;
		}
		if (pr_clock_now() >= deadline) {
			http_close(h);
			return pr_err_set(err, PR_ERR_TIMEOUT, 0,
			    "dockerd does not take connections");
		}
		poll(NULL, 0, 2);
	}
	return 0;
}

void
http_close(struct http *h)
{
	if (h->fd >= 0)
		close(h->fd);
	h->fd = -1;
}

int
http_write(
    struct http *h, struct pr_str s, uint64_t deadline, struct pr_err **err)
{
	while (s.n > 0) {
		ssize_t w = send(h->fd, s.p, s.n, MSG_NOSIGNAL);

		if (w > 0) {
			s = pr_str_sub(s, (size_t)w, s.n);
		} else if (errno == EAGAIN) {
			if (wait_for(h, POLLOUT, deadline, err) < 0)
				return -1;
		} else if (errno != EINTR) {
			return pr_err_set(err, PR_ERR_OFFLINE, errno,
			    "dockerd went away: %s", strerror(errno));
		}
	}
	return 0;
}

/* Reads more into the buffer.  1: there is more, 0: the end, -1: failure. */
static int
fill(struct http *h, uint64_t deadline, struct pr_err **err)
{
	if (h->at == h->n)
		h->at = h->n = 0;
	if (h->n == sizeof h->in) {
		memmove(h->in, h->in + h->at, h->n - h->at);
		h->n -= h->at;
		h->at = 0;
	}
	for (;;) {
		ssize_t r = recv(h->fd, h->in + h->n, sizeof h->in - h->n, 0);

		if (r > 0) {
			h->n += (size_t)r;
			return 1;
		}
		if (r == 0 || errno == ECONNRESET)
			return 0;
		if (errno != EAGAIN && errno != EINTR)
			return pr_err_set(err, PR_ERR_IO, errno, "dockerd: %s",
			    strerror(errno));
		if (wait_for(h, POLLIN, deadline, err) < 0)
			return -1;
	}
}

static int
cut_off(struct pr_err **err)
{
	return pr_err_set(
	    err, PR_ERR_INVALID, 0, "dockerd's answer is cut off");
}

static int
nonsense(struct pr_err **err, const char *what)
{
	return pr_err_set(err, PR_ERR_INVALID, 0,
	    "dockerd's answer is no HTTP that is understood (%s)", what);
}

/* A line that ends in CRLF, without it; borrowed until the next read. */
static int
read_line(struct http *h, struct pr_str *line, bool *none, uint64_t deadline,
    struct pr_err **err)
{
	size_t seen = 0;

	for (;;) {
		const char *from = h->in + h->at;
		const char *lf = memchr(from + seen, '\n', h->n - h->at - seen);

		if (lf != NULL) {
			size_t n = (size_t)(lf - from);

			if (n == 0 || from[n - 1] != '\r')
				return nonsense(err, "a line ends in LF alone");
			*line = (struct pr_str){from, n - 1};
			h->at += n + 1;
			return 0;
		}
		seen = h->n - h->at;
		if (seen == sizeof h->in)
			return nonsense(err, "a line that is too long");
		int more = fill(h, deadline, err);

		if (more < 0)
			return -1;
		if (more == 0) {
			if (none != NULL)
				*none = seen == 0;
			return cut_off(err);
		}
	}
}

/* ---- heads ---- */

static int
read_status(struct pr_str line, struct http_head *head, struct pr_err **err)
{
	uint64_t status;

	if (!pr_str_starts(line, "HTTP/1.1 ") || line.n < 12 ||
	    (line.n > 12 && line.p[12] != ' ') ||
	    !pr_str_u64(pr_str_sub(line, 9, 12), &status) || status < 200 ||
	    status > 599)
		return nonsense(err, "status line");
	head->status = (int)status;
	return 0;
}

struct framing {
	unsigned lengths, encodings, types;
};

static int
read_header(struct pr_str line, struct http_head *head, struct framing *f,
    struct pr_err **err)
{
	struct pr_str value = line, name = pr_str_cut(&value, ':');

	if (value.p == NULL || name.n == 0 || name.p[name.n - 1] == ' ' ||
	    name.p[0] == ' ' || name.p[0] == '\t')
		return nonsense(err, "header line");
	value = pr_str_trim(value);
	if (pr_str_is_nocase(name, "Content-Length")) {
		f->lengths++;
		if (!pr_str_u64(value, &head->length))
			return nonsense(err, "Content-Length");
	} else if (pr_str_is_nocase(name, "Transfer-Encoding")) {
		f->encodings++;
		head->chunked = true;
		if (!pr_str_is_nocase(value, "chunked"))
			return nonsense(err, "Transfer-Encoding");
	} else if (pr_str_is_nocase(name, "Content-Type")) {
		struct pr_str type = pr_str_trim(pr_str_cut(&value, ';'));

		f->types++;
		head->json = pr_str_is_nocase(type, "application/json");
	} else if (pr_str_is_nocase(name, "Connection")) {
		head->close |= !pr_str_is_nocase(value, "keep-alive");
	} else if (pr_str_is_nocase(name, "Content-Encoding")) {
		return nonsense(err, "Content-Encoding");
	}
	return 0;
}

int
http_read_head(struct http *h, struct http_head *head, bool *none,
    uint64_t deadline, struct pr_err **err)
{
	struct framing f = {0, 0, 0};
	struct pr_str line = {NULL, 0};
	size_t size = 0;

	*head = (struct http_head){0};
	*none = false;
	if (read_line(h, &line, none, deadline, err) < 0 ||
	    read_status(line, head, err) < 0)
		return -1;
	for (;;) {
		if (read_line(h, &line, NULL, deadline, err) < 0)
			return -1;
		if (line.n == 0)
			break;
		size += line.n;
		if (size > HTTP_BUF)
			return nonsense(err, "a head that is too long");
		if (read_header(line, head, &f, err) < 0)
			return -1;
	}
	if (f.lengths > 1 || f.encodings > 1 || f.types > 1 ||
	    f.lengths + f.encodings != 1)
		return nonsense(err, "not one framing of the body");
	return 0;
}

/* ---- bodies ---- */

int
http_read_bytes(struct http *h, uint64_t n, struct pr_buf *to,
    uint64_t deadline, struct pr_err **err)
{
	while (n > 0) {
		size_t have = h->n - h->at;

		if (have == 0) {
			int more = fill(h, deadline, err);

			if (more < 0)
				return -1;
			if (more == 0)
				return cut_off(err);
			continue;
		}
		if (have > n)
			have = (size_t)n;
		pr_buf_add(to, h->in + h->at, have);
		h->at += have;
		n -= have;
	}
	return 0;
}

static int
read_chunk_size(struct pr_str line, uint64_t *out)
{
	static const char digits[] = "0123456789abcdef";
	uint64_t size = 0;

	if (line.n == 0 || line.n > 8) /* no extensions: dockerd sends none */
		return -1;
	for (size_t i = 0; i < line.n; i++) {
		const char *d = memchr(digits, line.p[i], sizeof digits - 1);

		if (d == NULL)
			return -1;
		size = size << 4 | (uint64_t)(d - digits);
	}
	*out = size;
	return 0;
}

int
http_read_chunk(struct http *h, struct pr_buf *to, size_t max,
    uint64_t deadline, struct pr_err **err)
{
	struct pr_str line = {NULL, 0};
	uint64_t size;

	if (read_line(h, &line, NULL, deadline, err) < 0)
		return -1;
	if (read_chunk_size(line, &size) < 0)
		return nonsense(err, "chunk size");
	if (size > max || to->n > max - size)
		return pr_err_set(err, PR_ERR_INVALID, 0,
		    "dockerd's answer is longer than %zu bytes", max);
	if (http_read_bytes(h, size, to, deadline, err) < 0 ||
	    read_line(h, &line, NULL, deadline, err) < 0)
		return -1;
	if (line.n != 0)
		return nonsense(err, "chunk, or a trailer");
	return size > 0;
}
