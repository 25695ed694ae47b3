/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger_table.h"

#include <stdlib.h>
#include <string.h>

#include <portreeve/arena.h>

struct entry **
table_slot(const struct table *t, enum pr_kind kind, struct pr_str id)
{
	uint64_t h = pr_hash(PR_HASH_SEED + (uint64_t)kind, id.p, id.n);
	struct entry **at = &t->buckets[h & (t->n_buckets - 1)];

	while (*at != NULL &&
	    ((*at)->e.kind != kind || !pr_str_eq((*at)->e.id, id)))
		at = &(*at)->next;
	return at;
}

void
table_init(struct table *t)
{
	t->n_buckets = 256;
	t->count = 0;
	t->buckets = pr_xcalloc(t->n_buckets, sizeof(struct entry *));
}

void
table_fini(struct table *t)
{
	for (size_t i = 0; i < t->n_buckets; i++)
		for (struct entry *e = t->buckets[i], *next; e != NULL;
		     e = next) {
			next = e->next;
			free(e);
		}
	free(t->buckets);
}

static void
table_widen(struct table *t)
{
	struct table wide = {.n_buckets = t->n_buckets * 2, .count = t->count};

	wide.buckets = pr_xcalloc(wide.n_buckets, sizeof(struct entry *));
	for (size_t i = 0; i < t->n_buckets; i++)
		for (struct entry *e = t->buckets[i], *next; e != NULL;
		     e = next) {
			struct entry **at =
			    table_slot(&wide, e->e.kind, e->e.id);

			next = e->next;
			e->next = NULL;
			*at = e;
		}
	free(t->buckets);
	*t = wide;
}

void
table_remove(struct table *t, struct entry **at)
{
	struct entry *e = *at;

	*at = e->next;
	free(e);
	t->count--;
}

void
table_put(struct table *t, struct entry *e)
{
	struct entry **at = table_slot(t, e->e.kind, e->e.id);

	if (*at != NULL)
		table_remove(t, at);
	if (t->count >= t->n_buckets)
		table_widen(t);
	at = table_slot(t, e->e.kind, e->e.id);
	e->next = NULL;
	*at = e;
	t->count++;
}

static struct pr_str
keep(char **to, struct pr_str s)
{
	struct pr_str kept = {*to, s.n};

	if (s.n > 0)
		memcpy(*to, s.p, s.n);
	*to += s.n;
	return kept;
}

struct entry *
entry_copy(const struct pr_ledger_entry *from, uint64_t seq)
{
	size_t n = from->id.n + from->name.n + from->created.n + from->team.n +
	    from->phase.n + from->decision.n;
	struct entry *e = pr_xmalloc(sizeof *e + n);
	char *to = e->text;

	e->next = NULL;
	e->seq = seq;
	e->e = *from;
	e->e.id = keep(&to, from->id);
	e->e.name = keep(&to, from->name);
	e->e.created = keep(&to, from->created);
	e->e.team = keep(&to, from->team);
	e->e.phase = keep(&to, from->phase);
	e->e.decision = keep(&to, from->decision);
	return e;
}
