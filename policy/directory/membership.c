/* SPDX-License-Identifier: Apache-2.0 */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <portreeve/caps.h>
#include <portreeve/clock.h>

#include "local.h"

/* A membership with what it stands in. */
struct holder {
	struct pr_membership m;
	struct pr_arena *arena;
	_Atomic unsigned refs;
};

static struct holder *
holder_of(const struct pr_membership *m)
{
	/* m is the first member of what holder_new made */
	return (struct holder *)(uintptr_t)m;
}

static struct holder *
holder_new(struct pr_str source)
{
	struct holder *h = pr_xcalloc(1, sizeof *h);

	h->arena = pr_arena_new(512);
	h->m.source = pr_arena_str(h->arena, source);
	h->m.user_dn = h->m.user_name = PR_STR("");
	atomic_init(&h->refs, 1);
	return h;
}

const struct pr_membership *
pr_membership_ref(const struct pr_membership *m)
{
	atomic_fetch_add_explicit(&holder_of(m)->refs, 1, memory_order_relaxed);
	return m;
}

void
pr_membership_unref(const struct pr_membership *m)
{
	struct holder *h;

	if (m == NULL)
		return;
	h = holder_of(m);
	if (atomic_fetch_sub_explicit(&h->refs, 1, memory_order_acq_rel) != 1)
		return;
	pr_arena_free(h->arena);
	free(h);
}

void
pr_membership_unrefp(const struct pr_membership **m)
{
	pr_membership_unref(*m);
	*m = NULL;
}

const struct pr_membership *
dir_membership_none(struct pr_str source, bool ambiguous)
{
	struct holder *h = holder_new(source);

	h->m.ambiguous = ambiguous;
	h->m.fetched_at = pr_clock_now();
	return &h->m;
}

struct builder {
	struct holder *h;
	struct pr_group *v;
	size_t n, cap;
	uint32_t *table; /* open addressing: index into v plus one */
	size_t slots;    /* a power of two, at least twice n */
};

struct builder *
dir_builder_new(struct pr_str source)
{
	struct builder *b = pr_xcalloc(1, sizeof *b);

	b->h = holder_new(source);
	b->slots = 32;
	b->table = pr_xcalloc(b->slots, sizeof *b->table);
	return b;
}

void
dir_builder_freep(struct builder **bp)
{
	struct builder *b = *bp;

	*bp = NULL;
	if (b == NULL)
		return;
	if (b->h != NULL)
		pr_membership_unref(&b->h->m);
	free(b->v);
	free(b->table);
	free(b);
}

void
dir_builder_user(struct builder *b, struct pr_str normal_dn, struct pr_str name)
{
	b->h->m.found = true;
	b->h->m.user_dn = pr_arena_str(b->h->arena, normal_dn);
	b->h->m.user_name = pr_arena_str(b->h->arena, name);
}

static uint32_t *
slot(const struct builder *b, struct pr_str dn)
{
	size_t i = pr_hash(PR_HASH_SEED, dn.p, dn.n) & (b->slots - 1);

	while (b->table[i] != 0 && !pr_str_eq(b->v[b->table[i] - 1].dn, dn))
		i = (i + 1) & (b->slots - 1);
	return &b->table[i];
}

static void
grow_table(struct builder *b)
{
	free(b->table);
	b->slots *= 2;
	b->table = pr_xcalloc(b->slots, sizeof *b->table);
	for (size_t i = 0; i < b->n; i++)
		*slot(b, b->v[i].dn) = (uint32_t)i + 1;
}

int
dir_builder_group(
    struct builder *b, struct pr_str normal_dn, struct pr_str name)
{
	if (dir_builder_has(b, normal_dn))
		return 0;
	if (b->n == PR_CAP_GROUPS)
		return -1;
	if (b->n * 2 >= b->slots)
		grow_table(b);
	b->v = pr_grow(b->v, b->n, &b->cap, sizeof *b->v);
	b->v[b->n].dn = pr_arena_str(b->h->arena, normal_dn);
	b->v[b->n].name = pr_arena_str(b->h->arena, name);
	b->n++;
	*slot(b, normal_dn) = (uint32_t)b->n;
	return 1;
}

bool
dir_builder_has(const struct builder *b, struct pr_str normal_dn)
{
	return *slot(b, normal_dn) != 0;
}

size_t
dir_builder_count(const struct builder *b)
{
	return b->n;
}

struct pr_str
dir_builder_dn(const struct builder *b, size_t i)
{
	return b->v[i].dn;
}

static int
by_dn(const void *a, const void *b)
{
	return pr_str_cmp(
	    ((const struct pr_group *)a)->dn, ((const struct pr_group *)b)->dn);
}

const struct pr_membership *
dir_builder_found(struct builder **bp)
{
	struct builder *b = *bp;
	struct holder *h = pr_take(&b->h);
	struct pr_group *groups;

	groups = pr_arena_array(h->arena, b->n, sizeof *groups);
	if (b->n > 0) {
		memcpy(groups, b->v, b->n * sizeof *groups);
		qsort(groups, b->n, sizeof *groups, by_dn);
	}
	h->m.groups = groups;
	h->m.n_groups = b->n;
	h->m.fetched_at = pr_clock_now();
	dir_builder_freep(bp);
	return &h->m;
}

bool
dir_name_is_sane(struct pr_str name)
{
	if (name.n == 0 || name.n > PR_DIRECTORY_NAME_MAX)
		return false;
	for (size_t i = 0; i < name.n; i++) {
		unsigned char c = (unsigned char)name.p[i];

		if (c < 0x20 || c == 0x7f)
			return false;
	}
	return pr_str_utf8(name);
}

bool
dir_name_matches(struct pr_str asked, struct pr_str value)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf a = PR_BUF_INIT;
	PR_CLEANUP(pr_buf_fini) struct pr_buf v = PR_BUF_INIT;

	if (asked.n != value.n)
		return false;
	for (size_t i = 0; i < asked.n; i++) {
		if ((asked.p[i] == ' ') != (value.p[i] == ' '))
			return false;
	}
	pr_dn_fold(asked, &a);
	pr_dn_fold(value, &v);
	return pr_str_eq(pr_buf_view(&a), pr_buf_view(&v));
}
