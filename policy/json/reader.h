/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the reader share; see <portreeve/json.h>. */
#ifndef JSON_READER_H
#define JSON_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <portreeve/arena.h>
#include <portreeve/caps.h>
#include <portreeve/json.h>

#include "scan.h"

/* Of a frame, beside the flags of the value: a key is not ASCII alone. */
#define FRAME_WIDE_KEY 0x80

/* An array or object that is open. */
struct frame {
	size_t base; /* in the stack: where its children begin */
	uint32_t begin;
	uint32_t n;
	uint8_t type;
	uint8_t flags;
};

/*
 * The children of everything open lie on one stack, innermost on top; when a
 * container ends its children are on top and go to the arena in one piece.
 */
struct reader {
	const char *begin, *p, *end;
	struct pr_arena *arena;
	struct pr_json_fault *fault;
	size_t nodes;
	char *stack, *heap; /* heap: what of it is malloc'ed, or NULL */
	size_t used, cap;
	unsigned depth;
	struct frame frames[PR_CAP_JSON_DEPTH];
};

/* A string as it was read. */
struct text {
	struct pr_str s;
	bool nul;  /* there is a NUL in it */
	bool wide; /* there is more than ASCII in it */
};

/* Sets the fault; returns false. */
bool reader_fail(struct reader *r, enum pr_json_error error, const char *at,
    const char *text);
/* Room for n bytes on the stack; a pointer is good until the next push. */
void *reader_push(struct reader *r, size_t n);

/* The general way of read_string. */
bool read_any_string(struct reader *r, struct text *out);

/* r->p is at the opening quote, and afterwards behind the closing one. */
static inline bool
read_string(struct reader *r, struct text *out)
{
	const char *p = r->p + 1;
	size_t n;

	/* most strings are short and plain */
	if (!scan_short(p, r->end, &n))
		return read_any_string(r, out);
	out->s = (struct pr_str){p, n};
	out->nul = out->wide = false;
	r->p = p + n + 1;
	return true;
}

/* r->p is at a minus or a digit. */
bool read_number(struct reader *r, struct pr_json *v);

/*
 * Looks for keys that are equal, or equal when folded.  Returns the second
 * one of two equal keys, or NULL; *twins: some are equal when folded only.
 * wide: some key may be more than ASCII.
 */
const struct pr_json_member *judge_keys(struct reader *r,
    const struct pr_json_member *members, uint32_t n, bool wide, bool *twins);

/* The least code point, or small ASCII letter, that c folds with. */
uint32_t fold_rune(uint32_t c);
/*
 * Takes one code point from s, which is not empty, and folds it.  A byte
 * that is not UTF-8 is something of its own.
 */
uint32_t fold_next(struct pr_str *s);
/* s when folded is ASCII only. */
bool folds_to_ascii(struct pr_str s);

static inline unsigned char
ascii_lower(unsigned char c)
{
	return c >= 'A' && c <= 'Z' ? (unsigned char)(c | 0x20) : c;
}

#endif /* JSON_READER_H */
