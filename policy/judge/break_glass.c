/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The break-glass file: root's own word, on the host and for a time, that the
 * built-in guards do not count (DESIGN 9).  One line: the time at which it
 * ends; what begins with '#' says why.
 */
#include <sys/stat.h>

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <portreeve/clock.h>
#include <portreeve/log.h>

#include "local.h"

#define LONGEST  (INT64_C(24) * 3600 * 1000000000)
#define MAX_FILE 4096

/* Root's, and nobody else can change it or put another in its place. */
static bool
is_roots(const struct stat *st)
{
	return st->st_uid == 0 && (st->st_mode & 022) == 0;
}

static bool
folder_is_roots(const char *path)
{
	const char *slash = strrchr(path, '/');
	char folder[4096];
	size_t n = slash != NULL ? (size_t)(slash - path) : 0;
	struct stat st;

	if (slash == NULL || n >= sizeof folder)
		return false;
	memcpy(folder, path, n);
	memcpy(folder + n, n == 0 ? "/" : "", n == 0 ? 2 : 1);
	return stat(folder, &st) == 0 && is_roots(&st);
}

static bool
read_text(const char *path, char text[MAX_FILE], size_t *len)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	ssize_t n = -1;

	if (fd < 0)
		return false;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && is_roots(&st) &&
	    st.st_nlink == 1 && folder_is_roots(path))
		n = read(fd, text, MAX_FILE);
	close(fd);
	*len = n > 0 ? (size_t)n : 0;
	return n > 0 && n < MAX_FILE;
}

/* The only line that is not a remark. */
static bool
read_end(struct pr_str text, int64_t *end)
{
	bool found = false;

	while (text.p != NULL && text.n > 0) {
		struct pr_str line = pr_str_trim(pr_str_cut(&text, '\n'));

		if (line.n == 0 || line.p[0] == '#')
			continue;
		if (found || !pr_clock_parse(line, end))
			return false;
		found = true;
	}
	return found;
}

bool
break_glass(const char *path, int64_t now)
{
	char text[MAX_FILE];
	int64_t end;
	size_t n;

	if (path == NULL || !read_text(path, text, &n))
		return false;
	if (!read_end((struct pr_str){text, n}, &end)) {
		pr_log(PR_LOG_WARNING,
		    "%s is not obeyed: it wants one line, the time at which "
		    "it ends, as 2026-01-31T18:00:00Z",
		    path);
		return false;
	}
	if (end - now > LONGEST) {
		pr_log(PR_LOG_WARNING,
		    "%s is not obeyed: it ends in more than a day", path);
		return false;
	}
	return end > now;
}
