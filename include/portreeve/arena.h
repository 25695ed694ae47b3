/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arenas: memory that is given back all at once.  One holds a policy
 * snapshot, one holds a request.  Allocation never returns NULL: out of
 * memory aborts (DESIGN "When things fail": dockerd refuses while the plugin
 * is away), so sizes from outside are capped before they come here (caps.h).
 */
#ifndef PR_ARENA_H
#define PR_ARENA_H

#include <stdarg.h>
#include <stddef.h>

#include <portreeve/compiler.h>
#include <portreeve/str.h>

struct pr_arena; /* opaque */

/* A new arena with a first block of `first` bytes; free with pr_arena_free. */
struct pr_arena *pr_arena_new(size_t first) PR_NODISCARD;
void pr_arena_free(struct pr_arena *a);
/* For PR_CLEANUP. */
void pr_arena_freep(struct pr_arena **a);
/* Forgets everything in it; keeps at most `keep` bytes for the next use. */
void pr_arena_reset(struct pr_arena *a, size_t keep);
/* Bytes handed out since the last reset. */
size_t pr_arena_used(const struct pr_arena *a);

/* Zeroed, aligned for any type; valid until reset or free. */
void *pr_arena_alloc(struct pr_arena *a, size_t n) PR_NODISCARD;
/* The same, not zeroed and not aligned: for bytes. */
char *pr_arena_bytes(struct pr_arena *a, size_t n) PR_NODISCARD;
/* A copy of n bytes, aligned for any type. */
void *pr_arena_copy(struct pr_arena *a, const void *p, size_t n) PR_NODISCARD;
/* n * size, zeroed; aborts if the product overflows. */
void *pr_arena_array(struct pr_arena *a, size_t n, size_t size) PR_NODISCARD;
/* A NUL-terminated copy (bytes inside s are copied as they are). */
char *pr_arena_strdup(struct pr_arena *a, struct pr_str s) PR_NODISCARD;
struct pr_str pr_arena_str(struct pr_arena *a, struct pr_str s);
char *pr_arena_printf(struct pr_arena *a, const char *fmt, ...) PR_PRINTF(2, 3);
char *pr_arena_vprintf(struct pr_arena *a, const char *fmt, va_list ap)
    PR_PRINTF(2, 0);

/* malloc family that aborts instead of returning NULL. */
void *pr_xmalloc(size_t n) PR_NODISCARD;
void *pr_xcalloc(size_t n, size_t size) PR_NODISCARD;
void *pr_xrealloc(void *p, size_t n) PR_NODISCARD;
char *pr_xstrdup(const char *s) PR_NODISCARD;
void pr_freep(void *p); /* PR_CLEANUP for a malloc'ed pointer variable */

/*
 * Grows a malloc'ed array so that index `count` exists; `*cap` elements of
 * `size` bytes are allocated.  Returns the array.
 */
void *pr_grow(void *array, size_t count, size_t *cap, size_t size) PR_NODISCARD;

/* The value of a pointer variable, which becomes NULL: handing over. */
#define pr_take(pp)                               \
	({                                        \
		__typeof__(*(pp)) taken_ = *(pp); \
		*(pp) = NULL;                     \
		taken_;                           \
	})

#endif /* PR_ARENA_H */
