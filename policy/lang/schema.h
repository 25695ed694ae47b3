/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Maps with known keys, as tables: one row a key.  The row feeds the reader,
 * did-you-mean, and the JSON Schema.
 *
 * A struct that is read is one of `const struct ynode *`: each row says where
 * its value goes.  A value of the wrong shape is reported and left out, so
 * whoever uses the struct meets values of the right shape only.
 */
#ifndef LANG_SCHEMA_H
#define LANG_SCHEMA_H

#include <stddef.h>

#include <portreeve/buf.h>

#include "node.h"

enum shape {
	SHAPE_STR,  /* one printable line, not empty */
	SHAPE_TEXT, /* any string */
	SHAPE_BOOL,
	SHAPE_WORD,     /* one of `words` */
	SHAPE_NUM,      /* 0 and up */
	SHAPE_SIZE,     /* "64MiB" */
	SHAPE_CPUS,     /* "1.5" */
	SHAPE_DURATION, /* "15m" */
	SHAPE_STRS,     /* list of STR */
	SHAPE_NUMS,     /* list of NUM */
	SHAPE_MAP,      /* map by table `sub` */
	SHAPE_MAPS,     /* list of maps by `sub` */
	SHAPE_NAMED,    /* map: name of the writer's choice to map by `sub` */
	SHAPE_LISTS,    /* map: name to list of STR */
	SHAPE_VERBS,    /* map: resource to list of verbs */
	SHAPE_WORD_OR_STRS, /* one of `words`, or list of STR */
	SHAPE_STR_OR_STRS,
	SHAPE_PROFILE, /* map by profile_keys.def and `sub` */
	SHAPE_COUNT
};

struct field {
	const char *name;
	enum shape shape;
	size_t offset; /* of a const struct ynode * in what is read */
	bool required;
	const char *words; /* "own|any" */
	const struct table *sub;
	const char *text; /* for people: what it is */
};

struct table {
	const char *what; /* "grant": 'unknown key "x" of a grant' */
	const struct field *fields;
	size_t n;
};

/*
 * Reads a map by its table into `out`.  False: it is no map, or a required
 * key is missing (reported).
 */
bool schema_read(
    struct lang *l, const struct ynode *map, const struct table *t, void *out);
/* True if the node has the shape; otherwise reported. */
bool schema_shape(struct lang *l, const struct ynode *n, const char *name,
    const struct field *f);

/* Of portreeve.yaml. */
extern const struct table config_table;

/* Appends the JSON Schema of a table, as an object's members. */
void schema_print(struct pr_buf *out, const struct table *t);
/* "a|b|c" in pieces, into v; returns how many. */
size_t schema_words(
    struct lang *l, const char *words, const char **v, size_t max);
#define SCHEMA_WORDS_MAX 64

#endif /* LANG_SCHEMA_H */
