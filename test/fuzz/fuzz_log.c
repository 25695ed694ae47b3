/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reader and the verifier on hostile segments: input is a log of up to
 * three files, parted by a byte 0x01.  It must be read to its end and never be
 * called intact beyond what a second look finds.
 */
#include <sys/stat.h>

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <portreeve/audit_read.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char dir[64];
static const char *const names[] = {
    "plugin-000000000001-20261122T101637.123456Z.jsonl",
    "plugin-000000000004-20261122T101638.123456Z.jsonl",
    "plugin-000000000009-20261122T101639.123456Z.jsonl",
};

static void
cleanup(void)
{
	char path[160];

	for (size_t i = 0; i < PR_COUNT(names); i++) {
		snprintf(path, sizeof path, "%s/%s", dir, names[i]);
		unlink(path);
	}
	rmdir(dir);
}

static void
setup(void)
{
	if (dir[0] != '\0')
		return;
	snprintf(dir, sizeof dir, "%s/pr-fuzz-log-XXXXXX",
	    access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	if (mkdtemp(dir) == NULL)
		abort();
	atexit(cleanup);
}

static void
store(const char *name, struct pr_str bytes)
{
	char path[160];
	int fd;

	snprintf(path, sizeof path, "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd < 0 || write(fd, bytes.p, bytes.n) != (ssize_t)bytes.n)
		abort();
	close(fd);
}

/* Lines as the stream gives them are the bytes, without their newlines. */
static void
read_back(const char *name, struct pr_str bytes)
{
	char path[160];
	struct pr_log_stream *s;
	struct pr_str line;
	uint64_t offset, seen = 0;
	enum pr_log_got got;

	snprintf(path, sizeof path, "%s/%s", dir, name);
	s = pr_log_stream_open(path, NULL);
	if (s == NULL)
		abort();
	while ((got = pr_log_stream_next(s, &line, &offset, NULL)) ==
	    PR_LOG_GOT_LINE) {
		if (offset != seen || offset + line.n >= bytes.n ||
		    memcmp(line.p, bytes.p + offset, line.n) != 0)
			abort();
		seen += line.n + 1;
		(void)pr_log_line_fault(line);
	}
	if (got == PR_LOG_GOT_TAIL ? seen + line.n != bytes.n : seen != bytes.n)
		abort();
	pr_log_stream_free(s);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pr_str rest = {(const char *)data, size};
	struct pr_log_report one, two;

	if (size > 60000)
		return 0;
	setup();
	for (size_t i = 0; i < PR_COUNT(names); i++) {
		struct pr_str part = pr_str_cut(&rest, '\x01');

		store(names[i], part);
		read_back(names[i], part);
	}
	if (pr_log_verify(dir, "plugin", size % 2 != 0, NULL, &one, NULL) != 0)
		return 0;
	if (pr_log_verify(dir, "plugin", size % 2 != 0,
		one.last.seq != 0 ? &one.last : NULL, &two, NULL) != 0)
		abort();
	/* its own head must be found again */
	if (one.intact != two.intact || (one.intact && one.lines == 0))
		abort();
	pr_log_report_fini(&one);
	pr_log_report_fini(&two);
	return 0;
}
