/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <portreeve/buf.h>
#include <portreeve/clock.h>
#include <portreeve/log.h>

static const char *const names[] = {[PR_LOG_ERROR] = "error",
    [PR_LOG_WARNING] = "warning",
    [PR_LOG_NOTICE] = "notice",
    [PR_LOG_INFO] = "info",
    [PR_LOG_DEBUG] = "debug"};

static _Atomic int threshold = PR_LOG_INFO;
static _Atomic bool as_json;
static _Atomic unsigned limit = 20;
static _Atomic uint64_t window = 10 * PR_SEC;

void
pr_log_set_level(enum pr_log_level level)
{
	threshold = (int)level;
}

int
pr_log_level_of(const char *word)
{
	for (size_t i = PR_LOG_ERROR; i < PR_COUNT(names); i++) {
		if (strcmp(word, names[i]) == 0)
			return (int)i;
	}
	return -1;
}

void
pr_log_set_json(bool json)
{
	as_json = json;
}

void
pr_log_set_limit(unsigned lines, uint64_t ns)
{
	limit = lines;
	window = ns;
}

static void
put_json(struct pr_buf *line, enum pr_log_level level, struct pr_str text)
{
	char now[32];

	pr_clock_format(pr_clock_wall(), now);
	pr_buf_printf(line, "{\"time\":\"%s\",\"level\":\"%s\",\"text\":", now,
	    names[level]);
	pr_buf_json(line, text);
	pr_buf_cstr(line, "}\n");
}

static void
put_text(struct pr_buf *line, enum pr_log_level level, struct pr_str text)
{
	/* sd-daemon(3): journald reads the level from <N> */
	if (getenv("JOURNAL_STREAM") != NULL)
		pr_buf_printf(line, "<%d>", (int)level);
	else
		pr_buf_printf(line, "%s: ", names[level]);
	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.p[i];

		if (c < 0x20 || c == 0x7f)
			pr_buf_printf(line, "\\x%02x", c);
		else
			pr_buf_char(line, (char)c);
	}
	pr_buf_char(line, '\n');
}

static void
put(struct pr_buf *line, enum pr_log_level level, struct pr_str text)
{
	if (as_json)
		put_json(line, level, text);
	else
		put_text(line, level, text);
}

enum limited {
	WRITTEN = 0,
	LAST, /* the next ones of this window are counted only */
	KEPT_BACK
};

/* *before: how many were kept back in the window that is over. */
static enum limited
count(struct pr_log_place *place, unsigned *before)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	uint64_t now = pr_clock_now();
	enum limited is = WRITTEN;

	pthread_mutex_lock(&lock);
	if (place->since == 0 || now - place->since >= window) {
		*before = place->kept_back;
		*place = (struct pr_log_place){.since = now};
	}
	if (++place->lines == limit)
		is = LAST;
	if (place->lines > limit) {
		place->lines = limit; /* it does not wrap */
		place->kept_back++;
		is = KEPT_BACK;
	}
	pthread_mutex_unlock(&lock);
	return is;
}

void
pr_log_at(
    struct pr_log_place *place, enum pr_log_level level, const char *fmt, ...)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf text = PR_BUF_INIT;
	PR_CLEANUP(pr_buf_fini) struct pr_buf line = PR_BUF_INIT;
	enum limited is = WRITTEN;
	unsigned before = 0;
	va_list ap;

	if ((int)level > threshold)
		return;
	if (place != NULL && level != PR_LOG_DEBUG)
		is = count(place, &before);
	if (is == KEPT_BACK)
		return;
	if (before > 0) {
		pr_buf_printf(
		    &text, "%u more of what follows were not written", before);
		put(&line, level, pr_buf_view(&text));
		pr_buf_reset(&text);
	}
	va_start(ap, fmt);
	pr_buf_vprintf(&text, fmt, ap);
	va_end(ap);
	put(&line, level, pr_buf_view(&text));
	if (is == LAST)
		put(&line, level,
		    PR_STR("more of this is counted for some seconds, and not "
			   "written"));
	/* one write a line, so that threads do not mix; nobody to tell */
	if (write(STDERR_FILENO, line.p, line.n) < 0)
		return;
}
