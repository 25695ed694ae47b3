/* SPDX-License-Identifier: Apache-2.0 */
/* The ledger in memory: a hash table of entries.  Callers lock. */
#ifndef LEDGER_TABLE_H
#define LEDGER_TABLE_H

#include <portreeve/ledger.h>

struct entry {
	struct entry *next;
	uint64_t seq; /* of the write that made it; 0: read from disk */
	struct pr_ledger_entry e;
	char text[];
};

struct table {
	struct entry **buckets;
	size_t n_buckets; /* a power of two */
	size_t count;
};

void table_init(struct table *t);
void table_fini(struct table *t);
/* Where the entry is, or where a new one is to be put: *result is NULL. */
struct entry **table_slot(
    const struct table *t, enum pr_kind kind, struct pr_str id);
/* Puts e in, instead of what was there; takes e over. */
void table_put(struct table *t, struct entry *e);
/* Frees the entry at a slot; the slot then holds another, or NULL. */
void table_remove(struct table *t, struct entry **at);
/* A copy with its strings in one allocation; free() frees it. */
struct entry *entry_copy(
    const struct pr_ledger_entry *from, uint64_t seq) PR_NODISCARD;

#endif /* LEDGER_TABLE_H */
