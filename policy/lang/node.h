/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What both languages of ours (policy, configuration) are read from: the part
 * of YAML that has one meaning only, as a tree of nodes with places.  No
 * anchors, aliases, tags, merge keys, directives, second documents, twin
 * keys; a scalar is text, and what it is read as depends on the key, never
 * on its looks.
 *
 * One struct lang is one load: its arenas, its diagnostics, its bounds.
 */
#ifndef LANG_NODE_H
#define LANG_NODE_H

#include <stdbool.h>
#include <stdint.h>

#include <portreeve/arena.h>
#include <portreeve/diag.h>
#include <portreeve/str.h>

enum ynode_type {
	Y_SCALAR,
	Y_LIST,
	Y_MAP,
};

struct ynode {
	uint8_t type; /* enum ynode_type */
	bool plain;   /* SCALAR: not quoted */
	bool bad;     /* reported already: nothing more is said about it */
	uint32_t n;   /* LIST: elements; MAP: pairs */
	uint32_t line, col, len;
	const char *file;
	struct ynode
	    *next; /* in the list, or of the map: key, value, key, ... */
	union {
		struct pr_str s;     /* SCALAR */
		struct ynode *first; /* LIST, MAP */
	};
};

struct lang {
	struct pr_arena *tree;  /* nodes: given back after the load */
	struct pr_arena *arena; /* what stays */
	struct pr_diags *ds;
	size_t nodes;
	size_t errors, warnings; /* found, printed or not */
};

/* for (k = map's first key; ...) with v its value */
#define Y_EACH_PAIR(map, k, v)                                   \
	for (const struct ynode *k = (map)->first,               \
				*v = k != NULL ? k->next : NULL; \
	     k != NULL; k = v->next, v = k != NULL ? k->next : NULL)
#define Y_EACH(list, e) \
	for (const struct ynode *e = (list)->first; e != NULL; e = e->next)

/*
 * Reads one file's text, NUL-terminated; `file` stays borrowed as long as the
 * places live.  Returns the node at the top, or NULL: reported, or nothing in
 * it (then *empty is true).
 */
const struct ynode *yaml_read(
    struct lang *l, const char *file, struct pr_str text, bool *empty);

struct pr_loc ynode_loc(const struct ynode *n);
/* "a string", "a list", "a map": for messages. */
const char *ynode_kind(const struct ynode *n);
/* The value of a key, or NULL. */
const struct ynode *ynode_get(const struct ynode *map, const char *key);
/* A scalar made by us, without a place (values of tables). */
struct ynode *ynode_make(struct lang *l, struct pr_str text);
struct ynode *ynode_make_list(struct lang *l);
void ynode_push(struct ynode *list, struct ynode *element);

/*
 * Diagnostics.  After LANG_MAX_DIAGS errors (or warnings) they are counted
 * only: nobody reads the rest.  hint may be NULL.
 */
#define LANG_MAX_DIAGS 100
void lang_error(struct lang *l, struct pr_loc loc, const char *hint,
    const char *fmt, ...) PR_PRINTF(4, 5);
void lang_warn(struct lang *l, struct pr_loc loc, const char *hint,
    const char *fmt, ...) PR_PRINTF(4, 5);
/* About the last error or warning. */
void lang_note(struct lang *l, struct pr_loc loc, const char *fmt, ...)
    PR_PRINTF(3, 4);
/*
 * "did you mean "x"?" in the tree arena, or `otherwise` if nothing is near.
 */
const char *lang_meant(struct lang *l, struct pr_str word,
    const char *const *candidates, size_t n, const char *otherwise);

#endif /* LANG_NODE_H */
