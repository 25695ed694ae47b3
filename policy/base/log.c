/* SPDX-License-Identifier: Apache-2.0 */
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include <portreeve/buf.h>
#include <portreeve/log.h>

static _Atomic int threshold = PR_LOG_INFO;

void
pr_log_set_level(enum pr_log_level level)
{
	threshold = (int)level;
}

void
pr_log(enum pr_log_level level, const char *fmt, ...)
{
	static const char *const names[] = {[PR_LOG_ERROR] = "error",
	    [PR_LOG_WARNING] = "warning",
	    [PR_LOG_NOTICE] = "notice",
	    [PR_LOG_INFO] = "info",
	    [PR_LOG_DEBUG] = "debug"};
	PR_CLEANUP(pr_buf_fini) struct pr_buf text = PR_BUF_INIT;
	PR_CLEANUP(pr_buf_fini) struct pr_buf line = PR_BUF_INIT;
	va_list ap;

	if ((int)level > threshold)
		return;
	va_start(ap, fmt);
	pr_buf_vprintf(&text, fmt, ap);
	va_end(ap);
	/* sd-daemon(3): journald reads the level from <N> */
	if (getenv("JOURNAL_STREAM") != NULL)
		pr_buf_printf(&line, "<%d>", (int)level);
	else
		pr_buf_printf(&line, "%s: ", names[level]);
	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.p[i];

		if (c < 0x20 || c == 0x7f)
			pr_buf_printf(&line, "\\x%02x", c);
		else
			pr_buf_char(&line, (char)c);
	}
	pr_buf_char(&line, '\n');
	/* one write a line, so that threads do not mix; nobody to tell */
	if (write(STDERR_FILENO, line.p, line.n) < 0)
		return;
}
