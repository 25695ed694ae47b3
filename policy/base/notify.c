/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/socket.h>
#include <sys/un.h>

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <portreeve/notify.h>
#include <portreeve/str.h>

static void PR_PRINTF(1, 2) notify(const char *fmt, ...)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	size_t len = path != NULL ? strlen(path) : 0;
	char text[512];
	va_list ap;
	int fd, n;

	if (len < 2 || len >= sizeof sa.sun_path)
		return;
	va_start(ap, fmt);
	n = vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	if (n <= 0 || (size_t)n >= sizeof text)
		return;
	memcpy(sa.sun_path, path, len);
	if (path[0] == '@')
		sa.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return;
	/* nobody there: nothing to do about it */
	(void)sendto(fd, text, (size_t)n, MSG_NOSIGNAL,
	    (const struct sockaddr *)&sa,
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len));
	close(fd);
}

void
pr_notify_ready(const char *status)
{
	notify("READY=1\nSTATUS=%s", status);
}

void
pr_notify_reloading(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	notify("RELOADING=1\nMONOTONIC_USEC=%llu",
	    (unsigned long long)t.tv_sec * 1000000 +
		(unsigned long long)t.tv_nsec / 1000);
}

void
pr_notify_stopping(void)
{
	notify("STOPPING=1");
}

void
pr_notify_watchdog(void)
{
	notify("WATCHDOG=1");
}

uint64_t
pr_notify_watchdog_every(void)
{
	const char *usec = getenv("WATCHDOG_USEC");
	const char *pid = getenv("WATCHDOG_PID");
	uint64_t n, p;

	if (usec == NULL || !pr_str_u64(pr_str_of(usec), &n))
		return 0;
	if (pid != NULL &&
	    (!pr_str_u64(pr_str_of(pid), &p) || p != (uint64_t)getpid()))
		return 0;
	return n * 1000 / 2;
}
