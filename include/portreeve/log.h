/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the daemons say about themselves, to stderr: one line a message,
 * "level: text" (with the syslog prefix <N> where journald reads it).  The
 * decision log is another thing: audit.h.
 */
#ifndef PR_LOG_H
#define PR_LOG_H

#include <portreeve/compiler.h>

enum pr_log_level {
	PR_LOG_ERROR = 3, /* the numbers are syslog's */
	PR_LOG_WARNING = 4,
	PR_LOG_NOTICE = 5,
	PR_LOG_INFO = 6,
	PR_LOG_DEBUG = 7,
};

/* Messages above `level` are dropped.  Default: PR_LOG_INFO. */
void pr_log_set_level(enum pr_log_level level);
/* Control characters in the text are written as \xNN. */
void pr_log(enum pr_log_level level, const char *fmt, ...) PR_PRINTF(2, 3);

#endif /* PR_LOG_H */
