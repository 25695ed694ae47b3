/* SPDX-License-Identifier: Apache-2.0 */
#include "socket.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <portreeve/arena.h>
#include <portreeve/log.h>
#include <portreeve/str.h>

#define LISTEN_FIRST 3 /* SD_LISTEN_FDS_START */
#define LISTEN_MAX   64

static int
address(const char *path, struct sockaddr_un *sa, struct pr_err **err)
{
	size_t n = strlen(path);

	*sa = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (n == 0 || n >= sizeof sa->sun_path || path[0] != '/')
		return pr_err_set(err, PR_ERR_INVALID, 0,
		    "%s: the path of a unix socket is absolute and shorter "
		    "than %zu bytes",
		    path, sizeof sa->sun_path);
	memcpy(sa->sun_path, path, n + 1);
	return 0;
}

/* The folder of the socket and those above it. */
int
listener_make_folder(const char *path, struct pr_err **err)
{
	PR_CLEANUP(pr_freep) char *folder = pr_xstrdup(path);

	for (char *p = strchr(folder + 1, '/'); p != NULL;
	     p = strchr(p + 1, '/')) {
		*p = '\0';
		if (mkdir(folder, 0755) != 0 && errno != EEXIST)
			return pr_err_set(err, PR_ERR_IO, errno,
			    "cannot make %s: %s", folder, strerror(errno));
		*p = '/';
	}
	return 0;
}

/*
 * What is at the path: nothing or a socket that nobody listens on (removed);
 * else an error.
 */
static int
clear_path(const struct sockaddr_un *sa, struct pr_err **err)
{
	const char *path = sa->sun_path;
	struct stat st;
	int fd, rc, e;

	if (lstat(path, &st) != 0) {
		if (errno == ENOENT)
			return 0;
		return pr_err_set(
		    err, PR_ERR_IO, errno, "%s: %s", path, strerror(errno));
	}
	if (!S_ISSOCK(st.st_mode))
		return pr_err_set(err, PR_ERR_INVALID, 0,
		    "%s is there and is no socket: not touched", path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return pr_err_set(
		    err, PR_ERR_IO, errno, "socket: %s", strerror(errno));
	rc = connect(fd, (const struct sockaddr *)sa, sizeof *sa);
	e = errno;
	close(fd);
	/* EAGAIN: its backlog is full, so somebody listens */
	if (rc == 0 || e == EAGAIN)
		return pr_err_set(err, PR_ERR_DENIED, 0,
		    "%s is in use: another process listens there", path);
	if (e != ECONNREFUSED && e != ENOENT)
		return pr_err_set(err, PR_ERR_IO, e,
		    "cannot tell whether %s is in use: %s", path, strerror(e));
	if (unlink(path) != 0 && errno != ENOENT)
		return pr_err_set(err, PR_ERR_IO, errno,
		    "cannot replace %s: %s", path, strerror(errno));
	pr_log(PR_LOG_NOTICE, "%s was left behind: replaced", path);
	return 0;
}

static int
bind_and_listen(
    struct listener *l, const struct sockaddr_un *sa, struct pr_err **err)
{
	mode_t old;
	int rc;

	/* the socket never has another mode; no thread runs yet */
	old = umask(0177);
	rc = bind(l->fd, (const struct sockaddr *)sa, sizeof *sa);
	umask(old);
	if (rc != 0)
		return pr_err_set(err, PR_ERR_IO, errno,
		    "cannot listen at %s: %s", sa->sun_path, strerror(errno));

	struct stat st;

	if (lstat(sa->sun_path, &st) == 0) {
		l->path = pr_xstrdup(sa->sun_path);
		l->dev = st.st_dev;
		l->ino = st.st_ino;
	}
	if (listen(l->fd, SOMAXCONN) != 0)
		return pr_err_set(err, PR_ERR_IO, errno,
		    "cannot listen at %s: %s", sa->sun_path, strerror(errno));
	return 0;
}

int
listener_open(struct listener *l, const char *path, struct pr_err **err)
{
	struct sockaddr_un sa;

	*l = (struct listener){.fd = -1};
	if (address(path, &sa, err) != 0 ||
	    listener_make_folder(path, err) != 0 || clear_path(&sa, err) != 0)
		return -1;
	l->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (l->fd < 0)
		return pr_err_set(
		    err, PR_ERR_IO, errno, "socket: %s", strerror(errno));
	if (bind_and_listen(l, &sa, err) == 0)
		return 0;
	listener_close(l);
	return -1;
}

/* --- inherited ---------------------------------------------------------- */

static bool
option_is(int fd, int name, int want)
{
	int value = -1;
	socklen_t n = sizeof value;

	return getsockopt(fd, SOL_SOCKET, name, &value, &n) == 0 &&
	    value == want;
}

static bool
is_listener(int fd)
{
	return option_is(fd, SO_DOMAIN, AF_UNIX) &&
	    option_is(fd, SO_TYPE, SOCK_STREAM) &&
	    option_is(fd, SO_ACCEPTCONN, 1);
}

int
listener_take(struct listener *l, int fd, struct pr_err **err)
{
	*l = (struct listener){.fd = -1};
	if (!is_listener(fd))
		return pr_err_set(err, PR_ERR_INVALID, 0,
		    "descriptor %d is no listening unix socket", fd);
	if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0 ||
	    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) != 0)
		return pr_err_set(err, PR_ERR_IO, errno, "descriptor %d: %s",
		    fd, strerror(errno));
	l->fd = fd;
	l->inherited = true;
	return 0;
}

static bool
listens_at(int fd, const char *path)
{
	struct sockaddr_un sa = {0};
	socklen_t n = sizeof sa;

	return getsockname(fd, (struct sockaddr *)&sa, &n) == 0 &&
	    sa.sun_family == AF_UNIX &&
	    strncmp(sa.sun_path, path, sizeof sa.sun_path) == 0;
}

bool
listener_inherit(struct listener *l, const char *path)
{
	const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
	uint64_t n, p;

	*l = (struct listener){.fd = -1};
	if (pid == NULL || fds == NULL || !pr_str_u64(pr_str_of(pid), &p) ||
	    !pr_str_u64(pr_str_of(fds), &n) || p != (uint64_t)getpid() ||
	    n > LISTEN_MAX)
		return false;
	for (int fd = LISTEN_FIRST; fd < LISTEN_FIRST + (int)n; fd++)
		if (is_listener(fd) && listens_at(fd, path))
			return listener_take(l, fd, NULL) == 0;
	return false;
}

/* --- the end ------------------------------------------------------------ */

void
listener_unlink(struct listener *l)
{
	struct stat st;

	if (l->path != NULL && lstat(l->path, &st) == 0 &&
	    st.st_dev == l->dev && st.st_ino == l->ino)
		unlink(l->path);
	free(l->path);
	l->path = NULL;
}

void
listener_close(struct listener *l)
{
	listener_unlink(l);
	if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
}

bool
peer_of(int fd, struct peer *out)
{
	struct ucred cred;
	socklen_t n = sizeof cred;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &n) != 0)
		return false;
	*out = (struct peer){.pid = cred.pid, .uid = cred.uid};
	return true;
}
