/* SPDX-License-Identifier: Apache-2.0 */
/* The files of a policy, read once: what is signed is what is parsed. */
#ifndef LANG_FILES_H
#define LANG_FILES_H

#include <portreeve/policy_signature.h>

#include "node.h"

struct file {
	const char *name;   /* in the arena that stays, for places */
	struct pr_str text; /* NUL-terminated; in the tree's arena */
};

struct files {
	struct file *v; /* malloc'ed */
	size_t n, cap;
	size_t bytes;
	bool is_folder;
};

/*
 * One file, or the *.yaml and *.yml of a folder in order of name; reports
 * what cannot be read.  The caller frees v.
 */
void files_read(struct lang *l, const char *path, struct files *out);

/* False: not signed as the signers want it, which is reported. */
bool files_signed(struct lang *l, const char *path, const struct files *files,
    const struct pr_policy_signers *s, struct pr_policy_signature *out);

#endif /* LANG_FILES_H */
