/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bodies by table: body_fields.def says which fields a struct of the daemon
 * has and what Go decodes there.  A walk checks an object against its struct
 * (twin keys, types, NULs, unknown fields, at every depth) and hands out the
 * fields by number, so that an extractor never asks for a key by name.
 */
#ifndef BODY_H
#define BODY_H

#include <portreeve/json.h>
#include <portreeve/request.h>
#include <portreeve/spec.h>

enum body_struct {
	BODY_NONE = 0,
#define BODY_STRUCT(id) BODY_##id,
#define BODY_FIELD(...)
#include "body_fields.def"
#undef BODY_STRUCT
#undef BODY_FIELD
	BODY_STRUCT_COUNT
};

enum body_field {
#define BODY_STRUCT(id)
#define BODY_FIELD(st, id, ...) F_##id,
#include "body_fields.def"
#undef BODY_STRUCT
#undef BODY_FIELD
	BODY_FIELD_COUNT
};

enum body_type {
	BODY_STR = 0,
	BODY_BOOL,
	BODY_INT,
	BODY_UINT,
	BODY_FLOAT,
	BODY_INTS,
	BODY_STRS,
	BODY_STRS_NUL,
	BODY_STRSLICE, /* strings, or one string (engines to 28) */
	BODY_STRSLICE_NUL,
	BODY_STRSS, /* lists of strings */
	BODY_MAP_STR,
	BODY_MAP_STR_NUL,
	BODY_OBJ,
	BODY_OBJS,
	BODY_MAP_OBJ,
	BODY_MAP_OBJS,
};

enum body_class {
	BODY_FREE = 0,
	BODY_JUDGED,
	BODY_DEFAULT
};

struct body_walk {
	struct pr_arena *arena;
	bool checked; /* walked before: only the fields are wanted */
	bool deep;   /* slots take fields of structs inside, but not of lists */
	bool stored; /* an answer of the daemon: an unknown field may be zero */
	struct pr_refusal *why;
	struct pr_strs
	    echoes; /* query keys that may stand at the top as well */
	const char *unknown_field; /* the first, or NULL */
	const char *must_default;  /* the first, or NULL */
};

/* The fields of one object, by number; NULL: absent or null. */
struct body_slots {
	const struct pr_json *f[BODY_FIELD_COUNT];
};

/*
 * Walks `v` (an object, null or NULL) as struct `st`; `path` is its own place
 * ("HostConfig"; "" at the top).  `slots` may be NULL: only check; it is not
 * cleared first, so several structs can share one.  Returns 0, or -1 with
 * *walk->why filled.
 */
int body_walk(struct body_walk *walk, enum body_struct st,
    const struct pr_json *v, const char *path, struct body_slots *slots);
/*
 * One body of several structs at once (create: Config beside HostConfig): a
 * field is looked for in each; in `shadow` it must be zero, else the request
 * is ambiguous (semantics 5.3).
 */
int body_walk_any(struct body_walk *walk, const enum body_struct *st, size_t n,
    enum body_struct shadow, const struct pr_json *v, const char *path,
    struct body_slots *slots);

/* Fills why and returns -1. */
int body_refuse(struct pr_refusal *why, enum pr_reason reason, const char *fmt,
    ...) PR_PRINTF(3, 4);

/* "Memory"; static. */
const char *body_name(enum body_field f);
/* Values by Go's zero rules; NULL gives the zero value. */
struct pr_str body_str(const struct pr_json *v);
bool body_bool(const struct pr_json *v);
int64_t body_int(const struct pr_json *v);
struct pr_strs body_strs(struct pr_arena *a, const struct pr_json *v);
struct pr_kvs body_map(struct pr_arena *a, const struct pr_json *v);
/* Elements or members; 0 for NULL. */
size_t body_count(const struct pr_json *v);
/* True for null, "", 0, false (and with `empty` also [] and {}). */
bool body_is_zero(const struct pr_json *v, bool empty);

#endif /* BODY_H */
