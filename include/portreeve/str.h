/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Strings from outside travel as pointer and length.  A pr_str borrows its
 * bytes; it is valid as long as the arena or buffer that it points into.
 */
#ifndef PR_STR_H
#define PR_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <portreeve/compiler.h>

struct pr_str {
	const char *p; /* not NUL-terminated unless said; may be NULL if n==0 */
	size_t n;
};

#define PR_STR(literal) ((struct pr_str){(literal), sizeof(literal) - 1})
/* For printf: printf("%.*s", PR_STRF(s)) */
#define PR_STRF(s)      (int)(s).n, (s).p != NULL ? (s).p : ""

/* Here for the compiler: beside a literal they are a word or two compared. */

/* The string of a NUL-terminated one; NULL gives the empty string. */
static inline struct pr_str
pr_str_of(const char *s)
{
	return (struct pr_str){s, s != NULL ? strlen(s) : 0};
}

/* Equal bytes, as many. */
static inline bool
pr_str_eq(struct pr_str a, struct pr_str b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* Equal to a NUL-terminated one. */
static inline bool
pr_str_is(struct pr_str a, const char *b)
{
	return pr_str_eq(a, pr_str_of(b));
}

/* ASCII case is ignored; other bytes must be equal. */
bool pr_str_eq_nocase(struct pr_str a, struct pr_str b);
/* The same beside a NUL-terminated one. */
static inline bool
pr_str_is_nocase(struct pr_str a, const char *b)
{
	struct pr_str other = pr_str_of(b);

	return a.n == other.n && pr_str_eq_nocase(a, other);
}

bool pr_str_starts(struct pr_str s, const char *prefix);
bool pr_str_ends(struct pr_str s, const char *suffix);
/* memcmp order, shorter first. */
int pr_str_cmp(struct pr_str a, struct pr_str b);
/* Index of byte c, or s.n. */
size_t pr_str_find(struct pr_str s, char c);
/* Bytes [from, to) of s; both are clamped. */
struct pr_str pr_str_sub(struct pr_str s, size_t from, size_t to);
/* Without ASCII blanks at both ends. */
struct pr_str pr_str_trim(struct pr_str s);
/*
 * Cuts s at the first byte c: returns what is before it and leaves what is
 * after it in *s; without c returns all and leaves s with p == NULL.
 */
struct pr_str pr_str_cut(struct pr_str *s, char c);
/* True if all bytes are ASCII 0x20..0x7e. */
bool pr_str_printable(struct pr_str s);
/* True if s is well-formed UTF-8 (no surrogates, nothing overlong). */
bool pr_str_utf8(struct pr_str s);
/* Length of the well-formed UTF-8 sequence at the front of s, or 0. */
size_t pr_utf8_head(struct pr_str s);
/* Decimal, no sign, no leading zero but "0" itself.  False: not that. */
bool pr_str_u64(struct pr_str s, uint64_t *out);

/*
 * The globs of docs/semantics.md 5.5: `*` matches within a segment, `**` any
 * depth including none ("/srv/a/" followed by "**" matches "/srv/a" too),
 * everything else itself.  Segments are parted by `sep` ('/' for paths,
 * images and URIs; 0: `*` matches anything).  Linear in the worst case times
 * the pattern's length; no recursion on outside data.
 */
bool pr_glob(struct pr_str pattern, struct pr_str s, char sep);
/* The same without regard to ASCII case. */
bool pr_glob_nocase(struct pr_str pattern, struct pr_str s, char sep);

/*
 * The candidate nearest to `word` by edit distance, or NULL if none is near
 * enough to be what was meant.  The result is one of the candidates.
 */
const char *pr_suggest(
    struct pr_str word, const char *const *candidates, size_t n);

/* For tables inside the program; never for anything that is trusted. */
uint64_t pr_hash(uint64_t seed, const void *p, size_t n);
#define PR_HASH_SEED 0xcbf29ce484222325u

#endif /* PR_STR_H */
