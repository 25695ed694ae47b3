/* SPDX-License-Identifier: Apache-2.0 */
#include "listen.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <portreeve/arena.h>
#include <portreeve/str.h>

#define BACKLOG  4096
#define FIRST_FD 3
#define MAX_FDS  1024

/* ---- addresses ---- */

static int
resolve(const char *address, struct addrinfo **out, struct pr_err **err)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
	    .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
	const char *colon = strrchr(address, ':');
	char host[256];
	size_t n = (size_t)(colon - address);
	int rc;

	if (address[0] == '[')
		snprintf(host, sizeof host, "%.*s", (int)n - 2, address + 1);
	else
		snprintf(host, sizeof host, "%.*s", (int)n, address);
	rc = getaddrinfo(host, colon + 1, &hints, out);
	if (rc != 0)
		return pr_err_set(err, PR_ERR_INVALID, 0, "%s: %s", address,
		    gai_strerror(rc));
	return 0;
}

static int
failed(struct pr_err **err, const char *what)
{
	int e = errno;

	return pr_err_set(
	    err, PR_ERR_IO, e, "cannot listen on %s: %s", what, strerror(e));
}

static int
listen_tcp(struct listener *l, struct pr_err **err)
{
	const char *address = l->config->address;
	struct addrinfo *ai;
	int one = 1;

	if (resolve(address, &ai, err) < 0)
		return -1;
	l->fd = socket(
	    ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (l->fd < 0 ||
	    setsockopt(l->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) < 0 ||
	    bind(l->fd, ai->ai_addr, ai->ai_addrlen) < 0 ||
	    listen(l->fd, BACKLOG) < 0) {
		freeaddrinfo(ai);
		return failed(err, address);
	}
	freeaddrinfo(ai);
	return 0;
}

/* ---- unix ---- */

static int
set_path(struct sockaddr_un *sun, const char *path, struct pr_err **err)
{
	*sun = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof sun->sun_path)
		return pr_err_set(
		    err, PR_ERR_INVALID, 0, "%s: too long for a socket", path);
	memcpy(sun->sun_path, path, strlen(path));
	return 0;
}

/* Nobody may listen there; what is left of somebody goes. */
static int
clear_path(const char *path, const struct sockaddr_un *sun, struct pr_err **err)
{
	struct stat st;
	int fd, rc;

	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0 : failed(err, path);
	if (!S_ISSOCK(st.st_mode))
		return pr_err_set(err, PR_ERR_INVALID, 0,
		    "%s is there and is no socket", path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return failed(err, path);
	rc = connect(fd, (const void *)sun, sizeof *sun);
	close(fd);
	if (rc == 0 || errno != ECONNREFUSED)
		return pr_err_set(err, PR_ERR_DENIED, 0,
		    "another process listens on %s", path);
	return unlink(path) == 0 ? 0 : failed(err, path);
}

static int
listen_unix(struct listener *l, struct pr_err **err)
{
	const char *path = l->config->unix_path;
	struct sockaddr_un sun;
	struct stat st;

	if (set_path(&sun, path, err) < 0 || clear_path(path, &sun, err) < 0)
		return -1;
	l->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* no moment in which the mode is wider than what was asked for */
	if (l->fd < 0 || fchmod(l->fd, l->config->mode) < 0 ||
	    bind(l->fd, (const void *)&sun, sizeof sun) < 0 ||
	    chmod(path, l->config->mode) < 0 || listen(l->fd, BACKLOG) < 0 ||
	    lstat(path, &st) < 0)
		return failed(err, path);
	l->dev = st.st_dev;
	l->ino = st.st_ino;
	return 0;
}

/* ---- inherited ---- */

static bool
same_port(const struct sockaddr *a, const struct sockaddr *b)
{
	if (a->sa_family != b->sa_family)
		return false;
	if (a->sa_family == AF_INET) {
		const struct sockaddr_in *x = (const void *)a;
		const struct sockaddr_in *y = (const void *)b;

		return x->sin_port == y->sin_port &&
		    x->sin_addr.s_addr == y->sin_addr.s_addr;
	}
	if (a->sa_family == AF_INET6) {
		const struct sockaddr_in6 *x = (const void *)a;
		const struct sockaddr_in6 *y = (const void *)b;

		return x->sin6_port == y->sin6_port &&
		    memcmp(&x->sin6_addr, &y->sin6_addr, sizeof x->sin6_addr) ==
		    0;
	}
	return false;
}

static bool
is_socket_of(int fd, const struct pr_config_listen *config)
{
	struct sockaddr_storage ss = {0};
	struct addrinfo *ai;
	socklen_t len = sizeof ss;
	int listens = 0;
	bool same;

	if (getsockname(fd, (void *)&ss, &len) < 0)
		return false;
	len = sizeof listens;
	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len) < 0 ||
	    listens == 0)
		return false;
	if (config->unix_path != NULL)
		return ss.ss_family == AF_UNIX &&
		    strcmp(((struct sockaddr_un *)(void *)&ss)->sun_path,
			config->unix_path) == 0;
	if (resolve(config->address, &ai, NULL) < 0)
		return false;
	same = same_port((const void *)&ss, ai->ai_addr);
	freeaddrinfo(ai);
	return same;
}

static bool
inherit(struct listener *l)
{
	const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
	uint64_t n, us;

	if (pid == NULL || fds == NULL || !pr_str_u64(pr_str_of(pid), &us) ||
	    us != (uint64_t)getpid() || !pr_str_u64(pr_str_of(fds), &n) ||
	    n > MAX_FDS)
		return false;
	for (int fd = FIRST_FD; fd < FIRST_FD + (int)n; fd++) {
		if (!is_socket_of(fd, l->config))
			continue;
		l->fd = fd;
		l->inherited = true;
		fcntl(fd, F_SETFD, FD_CLOEXEC);
		fcntl(fd, F_SETFL, O_NONBLOCK);
		return true;
	}
	return false;
}

/* ---- listeners ---- */

int
listener_open(struct listener *l, const struct pr_config_listen *config,
    struct pr_err **err)
{
	*l = (struct listener){.config = config, .fd = -1};
	pthread_mutex_init(&l->lock, NULL);
	if (config->address != NULL) {
		l->tls = tls_ctx_new(config, err);
		if (l->tls == NULL)
			return -1;
	}
	if (inherit(l))
		return 0;
	return config->address != NULL ? listen_tcp(l, err)
				       : listen_unix(l, err);
}

void
listener_shut(struct listener *l)
{
	struct stat st;

	if (l->fd < 0)
		return;
	if (l->ino != 0 && lstat(l->config->unix_path, &st) == 0 &&
	    st.st_dev == l->dev && st.st_ino == l->ino)
		unlink(l->config->unix_path);
	close(l->fd);
	l->fd = -1;
}

void
listener_close(struct listener *l)
{
	listener_shut(l);
	tls_ctx_unref(l->tls);
	l->tls = NULL;
	pthread_mutex_destroy(&l->lock);
}

struct tls_ctx *
listener_tls(struct listener *l)
{
	struct tls_ctx *c;

	if (l->config->address == NULL)
		return NULL;
	pthread_mutex_lock(&l->lock);
	c = tls_ctx_ref(l->tls);
	pthread_mutex_unlock(&l->lock);
	return c;
}

void
listener_set_tls(struct listener *l, struct tls_ctx *fresh)
{
	struct tls_ctx *old;

	pthread_mutex_lock(&l->lock);
	old = l->tls;
	l->tls = fresh;
	pthread_mutex_unlock(&l->lock);
	tls_ctx_unref(old);
}

/* ---- peers ---- */

bool
peer_uid(int fd, uid_t *uid)
{
	struct ucred cred = {0};
	socklen_t len = sizeof cred;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0 ||
	    len != sizeof cred)
		return false;
	*uid = cred.uid;
	return true;
}

bool
uid_name(uid_t uid, char *buf, size_t size)
{
	struct passwd pw, *found = NULL;
	char text[4096];

	if (getpwuid_r(uid, &pw, text, sizeof text, &found) != 0 ||
	    found == NULL || strlen(found->pw_name) >= size)
		return false;
	memcpy(buf, found->pw_name, strlen(found->pw_name) + 1);
	return true;
}
