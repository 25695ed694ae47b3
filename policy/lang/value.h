/* SPDX-License-Identifier: Apache-2.0 */
/* Scalars with a meaning: numbers, sizes, durations, ranges, names, globs. */
#ifndef LANG_VALUE_H
#define LANG_VALUE_H

#include <portreeve/policy.h>

#include "node.h"

/* How the ends of a range are written. */
enum unit {
	UNIT_NUM,  /* whole numbers, also negative */
	UNIT_SIZE, /* bytes; K M G T and with i and B, all binary */
	UNIT_CPUS, /* decimals, in 1e-9 */
};

/* False: not that; nothing is reported. */
bool value_parse(struct pr_str s, enum unit unit, int64_t *out);
bool value_parse_duration(struct pr_str s, uint64_t *ns);
/* In the shortest way that is read as the same. */
void value_print_duration(struct pr_buf *out, uint64_t ns);
void value_print_cpus(struct pr_buf *out, int64_t v);
void value_print_size(struct pr_buf *out, int64_t v);

/* These report what is wrong and return false. */
bool value_num(struct lang *l, const struct ynode *n, uint64_t min,
    uint64_t max, uint64_t *out);
bool value_quantity(
    struct lang *l, const struct ynode *n, enum unit unit, int64_t *out);
bool value_duration(struct lang *l, const struct ynode *n, uint64_t *ns);
/* "A..B", "A..", "..B", each with "?" after it. */
bool value_range(struct lang *l, const struct ynode *n, enum unit unit,
    struct pr_range *out);
/* "1024-65535", "8080", or none. */
bool value_ports(struct lang *l, const struct ynode *n, struct pr_range *out);
/* [a-z0-9][a-z0-9._-]*, or with capitals too; at most 128 bytes. */
bool value_name(
    struct lang *l, const struct ynode *n, const char *what, bool capitals);
/* No `?`, no `[]`, substitutions only if allowed. */
bool value_glob(struct lang *l, const struct ynode *n, bool substitutions);
/* "2026-11-27T17:00:00Z", with an offset, or without seconds; wall ns. */
bool value_time(struct pr_str s, int64_t *wall);

/* The list of strings, copied into the arena that stays. */
struct pr_strs value_strs(struct lang *l, const struct ynode *list);
struct pr_str value_keep(struct lang *l, const struct ynode *scalar);
static inline bool
value_bool(const struct ynode *n)
{
	return n != NULL && pr_str_is(n->s, "true");
}

/*
 * True if there may be a string that both globs match: `*` takes anything
 * but sep, `**` anything; a substitution is taken as `*`.
 */
bool value_globs_meet(
    struct lang *l, struct pr_str a, struct pr_str b, char sep);

#endif /* LANG_VALUE_H */
