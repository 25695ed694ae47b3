/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lines of a log directory in the order of their times: each door's
 * chain in its own order, the chains merged.  Bytes that do not count (torn,
 * abandoned) are not shown.
 */
#ifndef CLI_LOG_SOURCE_H
#define CLI_LOG_SOURCE_H

#include <stdio.h>

#include <portreeve/arena.h>
#include <portreeve/audit_read.h>

#define LOG_DEFAULT_DIR "/var/log/portreeve"

#define LOG_OPTION_DIR(type, field)                                 \
	{                                                           \
		"dir", 'd', CLI_TEXT, offsetof(type, field), "DIR", \
		    "the log (default: the configuration's, "       \
		    "or " LOG_DEFAULT_DIR ")"                       \
	}
#define LOG_OPTION_DOOR(type, field, more)                          \
	{                                                           \
		"door", 0, CLI_TEXT, offsetof(type, field), "DOOR", \
		    "only that of plugin or proxy" more             \
	}

/*
 * Where the log is: `dir` if given, else what the configuration says, else
 * the default (when no configuration is named and there is none).  In `a`;
 * NULL: the configuration cannot be read, reported to `complaints`.
 */
const char *log_dir(
    struct pr_arena *a, const char *dir, const char *config, FILE *complaints);

struct log_source; /* opaque */

/* door NULL: all of them.  Free with log_source_free. */
struct log_source *log_source_open(
    const char *dir, const char *door, struct pr_err **err) PR_NODISCARD;
void log_source_free(struct log_source *s);
/*
 * 1: a line, borrowed until the next call; 0: no more (with follow: now);
 * -1: the system said no.  follow: looks for new segments as well.
 */
int log_source_next(struct log_source *s, bool follow, struct pr_str *line,
    struct pr_err **err) PR_NODISCARD;
/* The time in a line ("2026-11-22T10:16:37.123456Z"), or an empty string. */
struct pr_str log_line_time(struct pr_str line);

#endif /* CLI_LOG_SOURCE_H */
