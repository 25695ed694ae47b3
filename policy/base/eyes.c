/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <portreeve/confine.h>
#include <portreeve/eyes.h>

#define ARGS_MAX ((size_t)128 << 10)

/* The child is asked by one datagram and answers by one. */
struct question {
	int32_t pid, file;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int child = -1;

/* --- the files ---------------------------------------------------------- */

static const struct {
	enum pr_eyes_file file;
	const char *name;
	int flags;
} files[] = {
    {PR_EYES_ROOT, "root", O_PATH | O_DIRECTORY},
    {PR_EYES_MOUNTS, "mountinfo", O_RDONLY},
    {PR_EYES_PROGRAM, "exe", O_PATH},
    {PR_EYES_ARGUMENTS, "cmdline", O_RDONLY},
};

static int
open_named(pid_t pid, int file)
{
	char path[64];

	for (size_t i = 0; i < PR_COUNT(files); i++) {
		if ((int)files[i].file != file)
			continue;
		snprintf(
		    path, sizeof path, "/proc/%d/%s", (int)pid, files[i].name);
		return open(path, files[i].flags | O_CLOEXEC);
	}
	errno = EINVAL;
	return -1;
}

/* The file that --config-file names; in text, or static. */
static const char *
config_of(const char *text, size_t n)
{
	static const char flag[] = "--config-file";
	const char *found = "/etc/docker/daemon.json";

	for (size_t i = 0; i < n; i += strlen(text + i) + 1) {
		const char *arg = text + i, *next = arg + strlen(arg) + 1;

		if (strncmp(arg, flag, sizeof flag - 1) != 0)
			continue;
		if (arg[sizeof flag - 1] == '=')
			found = arg + sizeof flag;
		else if (arg[sizeof flag - 1] == '\0' && next < text + n)
			found = next;
	}
	return found;
}

static size_t
read_all(int fd, char *to, size_t cap)
{
	size_t n = 0;
	ssize_t got = 1;

	while (fd >= 0 && got > 0 && n < cap) {
		got = read(fd, to + n, cap - n);
		n += got > 0 ? (size_t)got : 0;
	}
	return n;
}

static int
open_config(pid_t pid)
{
	static char args[ARGS_MAX + 1];
	struct open_how how = {
	    .flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
	    .resolve = RESOLVE_IN_ROOT,
	};
	int root, fd = open_named(pid, PR_EYES_ARGUMENTS), e;
	size_t n = read_all(fd, args, ARGS_MAX);

	if (fd < 0)
		return -1;
	close(fd);
	args[n] = '\0';
	root = open_named(pid, PR_EYES_ROOT);
	if (root < 0)
		return -1;
	fd = (int)syscall(
	    SYS_openat2, root, config_of(args, n), &how, sizeof how);
	e = errno;
	close(root);
	errno = e;
	return fd;
}

static int
open_file(pid_t pid, int file)
{
	if (pid <= 0) {
		errno = ESRCH;
		return -1;
	}
	return file == PR_EYES_CONFIG ? open_config(pid)
				      : open_named(pid, file);
}

/* --- a descriptor on its way -------------------------------------------- */

union control {
	struct cmsghdr head; /* for its alignment */
	char bytes[CMSG_SPACE(sizeof(int))];
};

static void
send_answer(int to, int fd, int32_t e)
{
	struct iovec v = {&e, sizeof e};
	union control c = {.bytes = {0}};
	struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1};
	struct cmsghdr *h;

	if (fd >= 0) {
		m.msg_control = c.bytes;
		m.msg_controllen = sizeof c.bytes;
		h = CMSG_FIRSTHDR(&m);
		h->cmsg_level = SOL_SOCKET;
		h->cmsg_type = SCM_RIGHTS;
		h->cmsg_len = CMSG_LEN(sizeof fd);
		memcpy(CMSG_DATA(h), &fd, sizeof fd);
	}
	/* the asker is gone: the next read says so */
	(void)!sendmsg(to, &m, MSG_NOSIGNAL);
}

static int
take_answer(int from)
{
	int32_t e = EIO;
	struct iovec v = {&e, sizeof e};
	union control c;
	struct msghdr m = {.msg_iov = &v,
	    .msg_iovlen = 1,
	    .msg_control = c.bytes,
	    .msg_controllen = sizeof c.bytes};
	struct cmsghdr *h;
	int fd = -1;

	if (recvmsg(from, &m, MSG_CMSG_CLOEXEC) != sizeof e)
		return -1;
	h = CMSG_FIRSTHDR(&m);
	if (h != NULL && h->cmsg_level == SOL_SOCKET &&
	    h->cmsg_type == SCM_RIGHTS && h->cmsg_len == CMSG_LEN(sizeof fd))
		memcpy(&fd, CMSG_DATA(h), sizeof fd);
	if (fd < 0)
		errno = e;
	return fd;
}

/* --- the child ---------------------------------------------------------- */

static void PR_NORETURN
serve(int asker)
{
	struct question q;

	while (read(asker, &q, sizeof q) == sizeof q) {
		int fd = open_file(q.pid, q.file);

		send_answer(asker, fd, fd < 0 ? errno : 0);
		if (fd >= 0)
			close(fd);
	}
	_exit(0);
}

/* Between fork and here the parent may have died already. */
static void PR_NORETURN
be_eyes(int asker, pid_t parent)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0 ||
	    getppid() != parent)
		_exit(1);
	prctl(PR_SET_NAME, "portreeve-eyes", 0, 0, 0);
	if (pr_confine(PR_EYES, NULL, 0, NULL, 0, NULL) != 0)
		_exit(1);
	serve(asker);
}

int
pr_eyes_open(struct pr_err **err)
{
	const struct timeval wait = {.tv_sec = 2};
	pid_t self = getpid(), pid;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		return pr_err_set(
		    err, PR_ERR_IO, errno, "socketpair: %s", strerror(errno));
	(void)setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
	pid = fork();
	if (pid == 0) {
		close(pair[0]);
		be_eyes(pair[1], self);
	}
	close(pair[1]);
	if (pid < 0) {
		close(pair[0]);
		return pr_err_set(
		    err, PR_ERR_IO, errno, "fork: %s", strerror(errno));
	}
	child = pair[0];
	return 0;
}

/*
 * A late answer would be taken for the next one's: after a failure nobody is
 * asked any more, and every path is one that cannot be told.
 */
int
pr_eyes_look(pid_t pid, enum pr_eyes_file file)
{
	const struct question q = {(int32_t)pid, (int32_t)file};
	int fd = -1, e;

	pthread_mutex_lock(&lock);
	if (child == -1) {
		fd = open_file(pid, (int)file);
	} else if (child == -2) {
		errno = EIO;
	} else if (send(child, &q, sizeof q, MSG_NOSIGNAL) != sizeof q) {
		close(child);
		child = -2;
		errno = EIO;
	} else {
		errno = 0;
		fd = take_answer(child);
		if (fd < 0 && (errno == 0 || errno == EAGAIN)) {
			close(child);
			child = -2;
			errno = EIO;
		}
	}
	e = errno;
	pthread_mutex_unlock(&lock);
	errno = e;
	return fd;
}
