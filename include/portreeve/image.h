/* SPDX-License-Identifier: Apache-2.0 */
/* Image references, as distribution/reference and moby read them (FACTS F). */
#ifndef PR_IMAGE_H
#define PR_IMAGE_H

#include <portreeve/arena.h>
#include <portreeve/str.h>

enum pr_image_form {
	PR_IMAGE_INVALID = 0,
	PR_IMAGE_NAME, /* cannot be an id */
	PR_IMAGE_EITHER, /* hex digits only, no tag: a name, else the prefix of an id */
	PR_IMAGE_ID, /* sha256:..., or 64 hex digits */
};

struct pr_image {
	enum pr_image_form form;
	struct pr_str
	    name; /* "docker.io/library/alpine": registry/path, spelt out */
	struct pr_str tag;    /* as given, or empty */
	struct pr_str digest; /* "sha256:...", or empty */
};

/* Reads a reference; the parts live in the arena. */
struct pr_image pr_image_read(struct pr_arena *a, struct pr_str text);
/*
 * A pattern of images.* with what the daemon adds to a name spelt out:
 * "alpine:3" is docker.io/library/alpine:3.  In buf, or the pattern itself; an
 * empty string, which matches nothing, if it is too long.
 */
struct pr_str pr_image_spell(struct pr_str pattern, char *buf, size_t len);
/*
 * Does a pattern of images.* (semantics 5.5, 5.9) match?  A pattern with a tag
 * wants that tag (`:latest` where the reference has none) and no digest; one
 * with a digest that digest; one with neither takes all.  The pattern is spelt
 * out.
 */
bool pr_image_match(struct pr_str pattern, const struct pr_image *image);
/*
 * The same for a name without tag and digest that means all tags (a pull, a
 * push): the pattern has no digest, and no tag or the tag `*`.
 */
bool pr_image_match_all_tags(
    struct pr_str pattern, const struct pr_image *image);

#endif /* PR_IMAGE_H */
