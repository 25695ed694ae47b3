/* SPDX-License-Identifier: Apache-2.0 */
#include "admin_client.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <portreeve/str.h>

#define ANSWER_MAX ((size_t)4 << 20)
#define WAIT_S     60 /* a reload reads policies and runs their tests */

static void
/* NOLINTNEXTLINE(readability-non-const-parameter): as PR_CLEANUP wants it */
closep(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static int
failed(struct pr_err **err, const char *socket, int e)
{
	enum pr_err_code code = PR_ERR_IO;

	if (e == ENOENT || e == ECONNREFUSED || e == EPIPE || e == ECONNRESET)
		code = PR_ERR_OFFLINE;
	else if (e == EAGAIN)
		code = PR_ERR_TIMEOUT;
	else if (e == EACCES || e == EPERM)
		code = PR_ERR_DENIED;
	return pr_err_set(err, code, e, "%s: %s", socket, strerror(e));
}

static int
dial(const char *path, struct pr_err **err)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	struct timeval wait = {.tv_sec = WAIT_S};
	int fd;

	if (strlen(path) >= sizeof sa.sun_path)
		return pr_err_set(err, PR_ERR_INVALID, 0,
		    "%s: too long for a unix socket", path);
	memcpy(sa.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return failed(err, path, errno);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
	if (connect(fd, (const struct sockaddr *)&sa, sizeof sa) == 0)
		return fd;
	failed(err, path, errno);
	close(fd);
	return -1;
}

/* All of the answer: the daemon closes after it. */
static int
read_all(int fd, const char *path, struct pr_buf *to, struct pr_err **err)
{
	ssize_t n;

	do {
		char *room = pr_buf_reserve(to, 4096);

		n = recv(fd, room, 4096, 0);
		if (n < 0 && errno != EINTR)
			return failed(err, path, errno);
		if (n > 0)
			pr_buf_grew(to, (size_t)n);
		if (to->n > ANSWER_MAX)
			return pr_err_set(err, PR_ERR_INVALID, 0,
			    "%s: an endless answer", path);
	} while (n != 0);
	return 0;
}

static int
no_http(struct pr_err **err, const char *path)
{
	return pr_err_set(err, PR_ERR_INVALID, 0,
	    "%s: what answers there is not Portreeve's admin socket", path);
}

/*
 * "HTTP/1.1 200 OK", head, body to the length that the head says; or, where
 * it says none, as dockerd does for long answers, to the end.
 */
static int
read_answer(struct pr_str all, const char *path, unsigned *status,
    struct pr_buf *body, struct pr_err **err)
{
	static const char end[] = "\r\n\r\n";
	const char *p = memmem(all.p, all.n, end, 4);
	uint64_t n, length = UINT64_MAX;
	struct pr_str head, rest;

	if (p == NULL ||
	    !(pr_str_starts(all, "HTTP/1.1 ") ||
		pr_str_starts(all, "HTTP/1.0 ")))
		return no_http(err, path);
	head = pr_str_sub(all, 0, (size_t)(p - all.p));
	rest = pr_str_sub(all, head.n + 4, all.n);
	if (!pr_str_u64(pr_str_sub(head, 9, 12), &n) || n < 100)
		return no_http(err, path);
	*status = (unsigned)n;
	while (head.p != NULL) {
		struct pr_str value = pr_str_cut(&head, '\n');
		struct pr_str name = pr_str_cut(&value, ':');

		if (pr_str_is_nocase(name, "content-length") &&
		    !pr_str_u64(pr_str_trim(value), &length))
			return no_http(err, path);
	}
	if (length != UINT64_MAX && length != rest.n)
		return pr_err_set(
		    err, PR_ERR_IO, 0, "%s: the answer was broken off", path);
	pr_buf_str(body, rest);
	return 0;
}

int
admin_ask(const char *socket, const char *method, const char *path,
    unsigned *status, struct pr_buf *body, struct pr_err **err)
{
	PR_CLEANUP(closep) int fd = dial(socket, err);
	PR_CLEANUP(pr_buf_fini) struct pr_buf b = PR_BUF_INIT;

	if (fd < 0)
		return -1;
	pr_buf_printf(&b,
	    "%s %s HTTP/1.0\r\nHost: portreeve\r\nContent-Length: 0\r\n"
	    "Connection: close\r\n\r\n",
	    method, path);
	if (send(fd, b.p, b.n, MSG_NOSIGNAL) != (ssize_t)b.n)
		return failed(err, socket, errno);
	pr_buf_reset(&b);
	if (read_all(fd, socket, &b, err) != 0)
		return -1;
	return read_answer(pr_buf_view(&b), socket, status, body, err);
}
