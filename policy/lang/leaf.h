/* SPDX-License-Identifier: Apache-2.0 */
/* One value of a profile: read, compared with the parent's, printed. */
#ifndef LANG_LEAF_H
#define LANG_LEAF_H

#include "load.h"

/* False: reported; the leaf is as it was. */
bool leaf_read(struct load *ld, enum pr_profile_key key, const struct ynode *n,
    struct pr_leaf *leaf);
/* How the ends of a range key are written. */
enum unit leaf_unit(enum pr_profile_key key);
/* The JSON Schema of a key's value. */
void leaf_schema(struct pr_buf *out, enum pr_profile_key key);
/*
 * True if `child` lets through what `parent` does not; what is then said of
 * it, in the tree arena, in *how.
 */
bool leaf_is_looser(struct load *ld, enum pr_profile_key key,
    const struct pr_leaf *child, const struct pr_leaf *parent,
    const char **how);

/* A row a LIST key whose entries are not any pattern: leaf_words.c. */
struct leaf_list {
	enum pr_profile_key key;
	const char *words; /* "private|none", or NULL */
	/* of what is none of the words; NULL: nothing else */
	bool (*other)(struct load *ld, const struct ynode *n);
};
const struct leaf_list *leaf_list(enum pr_profile_key key);

#endif /* LANG_LEAF_H */
