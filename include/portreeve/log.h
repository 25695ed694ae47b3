/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the daemons say about themselves, to stderr: one line a message,
 * "level: text" (with the syslog prefix <N> where journald reads it), or an
 * object of JSON.  The decision log is another thing: audit.h.
 *
 * Nobody outside can fill a disk with it: a place in the program writes so
 * many lines in a while, then says so, and counts.
 */
#ifndef PR_LOG_H
#define PR_LOG_H

#include <stdbool.h>
#include <stdint.h>

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
/* The level of a word, "warning"; -1: there is none. */
int pr_log_level_of(const char *word);
/* {"time":"...","level":"warning","text":"..."} from now on. */
void pr_log_set_json(bool json);
/* Of a place: `lines` in `window` ns.  Default: 20 in 10 s. */
void pr_log_set_limit(unsigned lines, uint64_t window);

/* A place in the program that says something; all zero at first. */
struct pr_log_place {
	uint64_t since; /* when the window began */
	unsigned lines, kept_back;
};

/*
 * Control characters in the text are written as \xNN.  Debug messages, whoever
 * asks for them, are not limited.
 */
#define pr_log(level, ...)                                   \
	do {                                                 \
		static struct pr_log_place pr_log_here;      \
		pr_log_at(&pr_log_here, level, __VA_ARGS__); \
	} while (0)
/* What root or the service manager asked for: never limited. */
#define pr_log_always(level, ...) pr_log_at(NULL, level, __VA_ARGS__)

/* What both of them call: with a place it is limited. */
void pr_log_at(struct pr_log_place *place, enum pr_log_level level,
    const char *fmt, ...) PR_PRINTF(3, 4);

#endif /* PR_LOG_H */
