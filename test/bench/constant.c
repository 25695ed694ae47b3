/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The floor of the bench: a bare libmicrohttpd server on a unix socket that
 * reads each call to its end and answers {"Allow":true}.  It knows nothing.
 *
 *   constant SOCKET [epoll | select | threads | POOLSIZE]
 */
#include <sys/socket.h>
#include <sys/un.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <microhttpd.h>

static struct MHD_Response *allow, *activate;

static enum MHD_Result
answer(void *cls, struct MHD_Connection *c, const char *url, const char *method,
    const char *version, const char *data, size_t *n, void **state)
{
	static int seen;

	(void)cls;
	(void)method;
	(void)version;
	(void)data;
	if (*state == NULL) {
		*state = &seen;
		return MHD_YES;
	}
	if (*n > 0) {
		*n = 0;
		return MHD_YES;
	}
	return MHD_queue_response(c, MHD_HTTP_OK,
	    strcmp(url, "/Plugin.Activate") == 0 ? activate : allow);
}

static struct MHD_Response *
constant(const char *text)
{
	return MHD_create_response_from_buffer(
	    strlen(text), (void *)(uintptr_t)text, MHD_RESPMEM_PERSISTENT);
}

static void
quiet(void *cls, const char *format, va_list ap)
{
	(void)cls;
	(void)format;
	(void)ap;
}

static int
listen_on(const char *path)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	snprintf(sa.sun_path, sizeof sa.sun_path, "%s", path);
	unlink(path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&sa, sizeof sa) != 0 ||
	    listen(fd, 512) != 0) {
		perror(path);
		exit(EXIT_FAILURE);
	}
	return fd;
}

int
main(int argc, char **argv)
{
	const char *mode = argc > 2 ? argv[2] : "epoll";
	unsigned flags = MHD_USE_ERROR_LOG | MHD_USE_EPOLL_INTERNAL_THREAD;
	unsigned pool = (unsigned)strtoul(mode, NULL, 10);
	struct MHD_Daemon *d;
	sigset_t set;
	int sig;

	if (argc < 2)
		return 64;
	if (strcmp(mode, "select") == 0)
		flags = MHD_USE_ERROR_LOG | MHD_USE_INTERNAL_POLLING_THREAD;
	else if (strcmp(mode, "threads") == 0)
		flags = MHD_USE_ERROR_LOG | MHD_USE_INTERNAL_POLLING_THREAD |
		    MHD_USE_THREAD_PER_CONNECTION;
	allow = constant("{\"Allow\":true}");
	activate = constant("{\"Implements\":[\"authz\"]}");
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	d = MHD_start_daemon(flags, 0, NULL, NULL, answer, NULL,
	    MHD_OPTION_EXTERNAL_LOGGER, quiet, NULL, MHD_OPTION_LISTEN_SOCKET,
	    listen_on(argv[1]), MHD_OPTION_CONNECTION_LIMIT, 4096u,
	    MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)32 * 1024,
	    MHD_OPTION_THREAD_POOL_SIZE, pool, MHD_OPTION_END);
	if (d == NULL) {
		fprintf(stderr, "constant: cannot start\n");
		return EXIT_FAILURE;
	}
	sigwait(&set, &sig);
	MHD_stop_daemon(d);
	MHD_destroy_response(allow);
	MHD_destroy_response(activate);
	return EXIT_SUCCESS;
}
