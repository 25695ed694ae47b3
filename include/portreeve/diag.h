/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Diagnostics: what we tell a person about a file the person wrote.
 *
 * A reader never prints and never exits.  It adds diagnostics to the list it
 * was given, goes on to the next sensible place, and leaves the printing to
 * main().  So one run reports every mistake, and a test can compare the text.
 */
#ifndef PR_DIAG_H
#define PR_DIAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <portreeve/buf.h>
#include <portreeve/compiler.h>

enum pr_severity {
	PR_NOTE = 0,
	PR_WARNING,
	PR_ERROR,
};

/* A place in a source file; lines and columns count from 1, columns in bytes. */
struct pr_loc {
	const char *file; /* borrowed; outlives the loc */
	unsigned line;    /* 0: the file as a whole */
	unsigned col;
	unsigned len; /* bytes to underline; 0 means a single caret */
};

struct pr_diags; /* opaque */

/* Returns an empty list.  The caller frees it with pr_diags_free(). */
struct pr_diags *pr_diags_new(void) PR_NODISCARD;
/* Frees the list and every message in it.  NULL is fine. */
void pr_diags_free(struct pr_diags *ds);
void pr_diags_freep(struct pr_diags **ds); /* for PR_CLEANUP */

/*
 * Adds one diagnostic.  `loc` and the formatted text are copied; `hint` may be
 * NULL and is copied otherwise.  A PR_NOTE belongs to the one added before it.
 */
void pr_diags_add(struct pr_diags *ds, enum pr_severity sev, struct pr_loc loc,
    const char *hint, const char *fmt, ...) PR_PRINTF(5, 6);

/* Number of diagnostics of severity `sev` or worse. */
size_t pr_diags_count(const struct pr_diags *ds, enum pr_severity sev);

/*
 * Copies the source lines that diagnostics about `file` point into, so that
 * they are shown.  Readers call it once, when a file has been read.
 */
void pr_diags_source(struct pr_diags *ds, const char *file, const char *text);

/* One diagnostic, for those who print them in another form; borrowed. */
struct pr_diag {
	enum pr_severity severity;
	struct pr_loc loc;
	const char *text;
	const char *hint; /* or NULL */
};
/* The i-th in the order they were added; false: there is none. */
bool pr_diags_get(const struct pr_diags *ds, size_t i, struct pr_diag *out);

/*
 * Every diagnostic, in the order they were added, as
 *
 *     site.yaml:12:7: error: unknown action "container.strat"
 *         allow container.strat
 *               ^~~~~~~~~~~~~~~
 *     hint: did you mean "container.start"?
 */
void pr_diags_format(const struct pr_diags *ds, struct pr_buf *out);
/* To the journal: a line each, with its level. */
void pr_diags_print(const struct pr_diags *ds, FILE *out);

#endif /* PR_DIAG_H */
