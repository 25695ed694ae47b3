/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Promotion lines (docs/promotion.md): what a daemon says about images that
 * have run there, signed, for daemons elsewhere.  A line is text:
 *
 *   portreeve-promotion/1 DIGEST PHASE SECONDS DAEMON TIME KEY SIGNATURE
 */
#ifndef PR_PROMOTION_H
#define PR_PROMOTION_H

#include <portreeve/arena.h>
#include <portreeve/buf.h>
#include <portreeve/diag.h>
#include <portreeve/sign.h>

#define PR_CAP_PROMOTION_LINE ((size_t)1024)

struct pr_promotion {
	struct pr_str digest; /* "sha256:" and 64 hex digits */
	struct pr_str phase;
	uint64_t seconds; /* the longest run of one container */
	struct pr_str daemon;
	struct pr_str time; /* when it was signed, for people */
	struct pr_str key;  /* "ed25519:..." */
};

struct pr_promotions; /* opaque, immutable */

/*
 * Reads a file, or the *.promotions of a folder in order of name, and checks
 * every signature.  NULL: some line is bad; all are in ds.
 */
struct pr_promotions *pr_promotions_load(
    const char *path, struct pr_diags *ds) PR_NODISCARD;
/* The same from a text (tests, fuzzers). */
struct pr_promotions *pr_promotions_parse(
    const char *name, struct pr_str text, struct pr_diags *ds) PR_NODISCARD;
void pr_promotions_free(struct pr_promotions *p); /* NULL is fine */

/* The longest that the holder of the key says; false: it says nothing. */
bool pr_promotions_find(const struct pr_promotions *p, struct pr_str key,
    struct pr_str phase, struct pr_str digest, uint64_t *ns);
/* Line i (from 0), where it stands; false: there is none. */
bool pr_promotions_get(const struct pr_promotions *p, size_t i,
    struct pr_promotion *out, struct pr_loc *loc);

/* Signs and appends a line with its end; key is filled in. */
void pr_promotion_print(const struct pr_promotion *p,
    const struct pr_private_key *k, struct pr_buf *out);

#endif /* PR_PROMOTION_H */
