/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The strict JSON reader of the hot path: one pass, into an arena, bounded
 * in depth, values and keys (caps.h).  It accepts a subset of what Go's
 * encoding/json accepts and gives it the same meaning; what Go would read in
 * a way of its own (twin keys, lone surrogates, bytes that are not UTF-8) is
 * refused or marked.  It never guesses and never keeps half a document.
 */
#ifndef PR_JSON_H
#define PR_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include <portreeve/arena.h>
#include <portreeve/buf.h>
#include <portreeve/compiler.h>
#include <portreeve/str.h>

enum pr_json_type {
	PR_JSON_NULL = 0,
	PR_JSON_FALSE,
	PR_JSON_TRUE,
	PR_JSON_NUMBER,
	PR_JSON_STRING,
	PR_JSON_ARRAY,
	PR_JSON_OBJECT,
};

enum pr_json_flags {
	PR_JSON_INT =
	    1, /* NUMBER: an int64 as Go decodes one: no '.', no exponent */
	PR_JSON_HAS_NUL = 2, /* STRING: a NUL inside; most places refuse it */
	PR_JSON_TWINS = 4,   /* OBJECT: two keys are equal under Go's folding */
	PR_JSON_ODD_KEY =
	    8, /* OBJECT: a non-ASCII key folds to an ASCII one, or a key holds NUL */
};

struct pr_json_member;

struct pr_json {
	uint8_t type;   /* enum pr_json_type */
	uint8_t flags;  /* enum pr_json_flags */
	uint32_t n;     /* elements or members */
	uint32_t begin; /* where the value begins and ends in the text */
	uint32_t end;
	union {
		int64_t i;             /* NUMBER with PR_JSON_INT */
		struct pr_str str;     /* STRING, decoded */
		struct pr_json *items; /* ARRAY */
		struct pr_json_member
		    *members; /* OBJECT, in the text's order */
	};
};

struct pr_json_member {
	struct pr_str key; /* decoded */
	uint32_t at;       /* where the key begins in the text */
	struct pr_json value;
};

enum pr_json_error {
	PR_JSON_OK = 0,
	PR_JSON_SYNTAX,    /* not JSON (RFC 8259), or cut off */
	PR_JSON_TRAILING,  /* something after the value */
	PR_JSON_ENCODING,  /* not UTF-8, BOM, lone surrogate */
	PR_JSON_DEPTH,     /* deeper than PR_CAP_JSON_DEPTH */
	PR_JSON_SIZE,      /* more values or keys than the caps */
	PR_JSON_DUPLICATE, /* two equal keys in one object */
};

struct pr_json_fault {
	enum pr_json_error error;
	uint32_t at;      /* byte offset in the text */
	const char *text; /* static; what is wrong */
};

/*
 * Reads one document.  Strings without escapes are borrowed from `text`, the
 * others live in the arena; so both must outlive the tree.  NULL: *fault says
 * where and why (fault may not be NULL).
 */
const struct pr_json *pr_json_read(struct pr_arena *a, struct pr_str text,
    struct pr_json_fault *fault) PR_NODISCARD;

/*
 * The member whose key equals `name` under Go's folding (the field that Go
 * would fill), or NULL.  Only right for objects without PR_JSON_TWINS.
 */
const struct pr_json *pr_json_field(
    const struct pr_json *object, const char *name);
/* The member with exactly this key (maps), or NULL. */
const struct pr_json *pr_json_get(
    const struct pr_json *object, struct pr_str key);
/* Go's folding (encoding/json fold.go: simple case folding, K and s included). */
bool pr_json_fold_eq(struct pr_str a, struct pr_str b);
/*
 * Writes the document anew: the same values in one spelling, without blanks.
 * `text` is what it was read from: numbers keep their digits.
 */
void pr_json_write(
    struct pr_buf *b, const struct pr_json *v, struct pr_str text);
/* A word for messages: "string", "object", ... static. */
const char *pr_json_type_name(const struct pr_json *v);

#endif /* PR_JSON_H */
