/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The decision log, the reading side: lines in order, and the proof that they
 * are whole.  It trusts no byte of what it reads and changes nothing.
 *
 * What a proof means: every line carries the digest of the line before it,
 * so a change anywhere shows in the next line.  The last line of a chain has
 * no next line: that it is the last one, and what it says, nothing proves
 * behind the last signed checkpoint.  The report names it as unsealed; keeping
 * its number and digest elsewhere (`--head`) closes the gap, and so do copies
 * of checkpoints in a second place.  Whose log it is, only a checkpoint proves
 * whose key is known from elsewhere.
 */
#ifndef PR_AUDIT_READ_H
#define PR_AUDIT_READ_H

#include <stdbool.h>
#include <stdint.h>

#include <portreeve/arena.h>
#include <portreeve/buf.h>
#include <portreeve/compiler.h>
#include <portreeve/digest.h>
#include <portreeve/err.h>
#include <portreeve/sign.h>
#include <portreeve/str.h>

/* No line is longer; the writer's caps keep far below. */
#define PR_CAP_LOG_LINE ((size_t)1 << 20)

/*
 * True if `name` is that of a segment: DOOR-SEQ-TIME.jsonl.  door NULL: of
 * any door.
 */
bool pr_log_is_segment(const char *name, const char *door);

/* The segments of a directory, sorted, which is the order of each chain. */
struct pr_log_files {
	char **names;
	size_t n;
};
int pr_log_files(const char *dir, const char *door, struct pr_log_files *out,
    struct pr_err **err) PR_NODISCARD;
void pr_log_files_free(struct pr_log_files *f); /* for PR_CLEANUP too */
/* The door in a segment's name, copied into out (empty: it is none). */
void pr_log_door(const char *name, char out[64]);

/*
 * How many bytes of each file count, as the header of the one after it says
 * (UINT64_MAX: nothing says it; 0: a header that nothing follows).  limits
 * takes f->n numbers.
 */
int pr_log_limits(const char *dir, const struct pr_log_files *f,
    uint64_t *limits, struct pr_err **err) PR_NODISCARD;

/* --- a file, line by line ---------------------------------------------- */

struct pr_log_stream; /* opaque */

/* Opens a file for reading; free with pr_log_stream_free. */
struct pr_log_stream *pr_log_stream_open(
    const char *path, struct pr_err **err) PR_NODISCARD;
void pr_log_stream_free(struct pr_log_stream *s);

enum pr_log_got {
	PR_LOG_GOT_ERROR = -1, /* the system said no */
	PR_LOG_GOT_END = 0,    /* nothing more (now: ask again to follow) */
	PR_LOG_GOT_LINE = 1,
	PR_LOG_GOT_TAIL = 2, /* bytes without a newline, or too many */
};
/*
 * The next line, without its newline, borrowed until the next call; *offset
 * is where it begins.  A tail is given again, longer, once it has grown.
 */
enum pr_log_got pr_log_stream_next(struct pr_log_stream *s, struct pr_str *line,
    uint64_t *offset, struct pr_err **err) PR_NODISCARD;

/* --- the proof ---------------------------------------------------------- */

struct pr_log_head {
	uint64_t seq; /* 0: none */
	char hash[PR_SHA256_HEX];
};

/* What is asked of a chain, besides that it holds. */
struct pr_log_demand {
	bool partial; /* older segments may have been moved away */
	const struct pr_log_head *head; /* a line that must be in it, or NULL */
	/* Whose checkpoints count; there must be one then.  None: each must
	 * be its own key's, which proves no origin. */
	const struct pr_public_key *keys;
	size_t n_keys;
	/* Lines of a second sink: those of this door must be in it. */
	struct pr_str copies;
};

struct pr_log_report {
	bool intact;
	/* where it breaks first, if it does */
	char file[96];
	uint64_t seq, offset;
	char what[256];
	/* what was read */
	uint64_t segments, lines, decisions, outcomes;
	uint64_t first_seq;
	struct pr_log_head last; /* the last line: unsealed */
	char last_file[96];
	uint64_t last_offset;
	uint64_t checkpoints;
	struct pr_log_head sealed; /* the last checkpoint; seq 0: none */
	char sealed_key[PR_PUBLIC_KEY_TEXT];
	uint64_t copies;     /* of the second sink that are here */
	bool head_seen;      /* the head that was asked for is in the chain */
	struct pr_buf notes; /* lines: torn tails, losses, orphans */
};

/*
 * Verifies the chain of one door.  `partial`: the first segment may name one
 * that is not there (older ones were moved away).  `head`: a line that must
 * be in the chain, or NULL.  0: *out says what was found (free its notes with
 * pr_log_report_fini); -1: the files could not be read.
 */
int pr_log_verify(const char *dir, const char *door, bool partial,
    const struct pr_log_head *head, struct pr_log_report *out,
    struct pr_err **err) PR_NODISCARD;
/* The same, asking for more. */
int pr_log_prove(const char *dir, const char *door,
    const struct pr_log_demand *demand, struct pr_log_report *out,
    struct pr_err **err) PR_NODISCARD;
void pr_log_report_fini(struct pr_log_report *r);

/*
 * One line by itself: is it of the format (type, keys, their types)?  NULL,
 * or what is wrong with it (static).
 */
const char *pr_log_line_fault(struct pr_str line);

#endif /* PR_AUDIT_READ_H */
