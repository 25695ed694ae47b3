/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The world's failures (a socket, a file, a directory server): a function
 * that can meet one returns 0 or -1 and takes `struct pr_err **err` last.
 * On -1 *err is set (err itself may be NULL: the caller does not care).  The
 * text is wrapped on the way up and printed once, by main().
 */
#ifndef PR_ERR_H
#define PR_ERR_H

#include <portreeve/compiler.h>

enum pr_err_code {
	PR_ERR_IO = 1,  /* the system said no; see errnum */
	PR_ERR_OFFLINE, /* nobody there */
	PR_ERR_TIMEOUT, /* there, but not in time */
	PR_ERR_DENIED,  /* there, and refused us */
	PR_ERR_INVALID, /* there, and said something that we do not accept */
};

struct pr_err {
	enum pr_err_code code;
	int errnum; /* errno, or 0 */
	char *text; /* one line, no newline */
};

/* Sets *err (freeing what was there) and returns -1. */
int pr_err_set(struct pr_err **err, enum pr_err_code code, int errnum,
    const char *fmt, ...) PR_PRINTF(4, 5);
/* Puts "text: " before the text of *err and returns -1. */
int pr_err_wrap(struct pr_err **err, const char *fmt, ...) PR_PRINTF(2, 3);
void pr_err_free(struct pr_err *err);
void pr_err_freep(struct pr_err **err); /* for PR_CLEANUP */
/* Never NULL, also for err == NULL; borrowed from err. */
const char *pr_err_text(const struct pr_err *err);

#endif /* PR_ERR_H */
