/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <portreeve/file.h>

static void
close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static int
read_all(int fd, char *to, size_t n, size_t *got)
{
	*got = 0;
	while (*got < n) {
		ssize_t r = read(fd, to + *got, n - *got);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return -1;
		if (r == 0)
			break;
		*got += (size_t)r;
	}
	return 0;
}

static int
read_file(struct pr_arena *a, const char *path, size_t cap, mode_t forbidden,
    struct pr_str *out, struct pr_err **err)
{
	PR_CLEANUP(close_fd)
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	size_t got;

	if (fd < 0 || fstat(fd, &st) < 0)
		return pr_err_set(
		    err, PR_ERR_IO, errno, "%s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return pr_err_set(
		    err, PR_ERR_INVALID, 0, "%s: not a regular file", path);
	if ((st.st_mode & forbidden) != 0)
		return pr_err_set(err, PR_ERR_INVALID, 0,
		    "%s: mode %04o lets others read a secret; chmod 0600 %s",
		    path, (unsigned)(st.st_mode & 07777), path);
	if (st.st_size < 0 || (uint64_t)st.st_size > cap)
		return pr_err_set(err, PR_ERR_INVALID, 0,
		    "%s: larger than %zu bytes", path, cap);

	/* one byte more than it had: a file that grew is seen */
	size_t want = (size_t)st.st_size + 1;
	char *p = pr_arena_bytes(a, want + 1);

	if (read_all(fd, p, want, &got) < 0)
		return pr_err_set(
		    err, PR_ERR_IO, errno, "%s: %s", path, strerror(errno));
	if (got == want)
		return pr_err_set(err, PR_ERR_INVALID, 0,
		    "%s: changed while it was read", path);
	p[got] = '\0';
	*out = (struct pr_str){p, got};
	return 0;
}

int
pr_file_read(struct pr_arena *a, const char *path, size_t cap,
    struct pr_str *out, struct pr_err **err)
{
	return read_file(a, path, cap, 0, out, err);
}

int
pr_file_read_secret(struct pr_arena *a, const char *path, size_t cap,
    struct pr_str *out, struct pr_err **err)
{
	return read_file(a, path, cap, S_IRWXG | S_IRWXO, out, err);
}

enum pr_file_trust
pr_file_trusted(
    const char *path, unsigned forbidden, struct pr_file_fault *fault)
{
	return pr_file_trusted_of(path, forbidden, geteuid(), fault);
}

enum pr_file_trust
pr_file_trusted_of(const char *path, unsigned forbidden, uid_t owner,
    struct pr_file_fault *fault)
{
	struct stat st;
	unsigned mode, bad;

	*fault = (struct pr_file_fault){0};
	if (stat(path, &st) != 0) {
		snprintf(fault->text, sizeof fault->text, "%s: %s", path,
		    strerror(errno));
		return PR_FILE_MISSING;
	}
	mode = st.st_mode & 07777;
	bad = mode & forbidden;
	if (st.st_uid != 0 && st.st_uid != owner) {
		snprintf(fault->text, sizeof fault->text,
		    "%s: user %u owns it and may change it", path,
		    (unsigned)st.st_uid);
		snprintf(fault->mend, sizeof fault->mend, "chown %u %s",
		    (unsigned)owner, path);
		return PR_FILE_BAD;
	}
	if (bad == 0)
		return PR_FILE_GOOD;
	snprintf(fault->text, sizeof fault->text, "%s: mode %04o lets %s %s it",
	    path, mode, (bad & 07) != 0 ? "others" : "its group",
	    (bad & 022) != 0 ? "change" : "read");
	snprintf(fault->mend, sizeof fault->mend, "chmod %04o %s",
	    mode & ~forbidden, path);
	return PR_FILE_BAD;
}
