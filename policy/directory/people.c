/* SPDX-License-Identifier: Apache-2.0 */
/* The embedded directory: an LDIF file, indexed when it is read. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <portreeve/caps.h>
#include <portreeve/clock.h>
#include <portreeve/file.h>

#include "local.h"

/* From a name or a DN to an entry; sorted by key. */
struct ref {
	struct pr_str key;
	const struct ldif_entry *e;
};

struct index {
	struct ref *v;
	size_t n, cap;
};

/* What one reading of the file gave; immutable. */
struct book {
	struct pr_arena *arena;
	struct ldif ldif;
	struct index users;   /* folded name → user; one for every value */
	struct index groups;  /* normal DN → group */
	struct index members; /* member as it is compared → group */
};

struct people {
	const struct pr_directory_config *c;
	char member[PR_DN_TYPE_MAX];
	char user_name[PR_DN_TYPE_MAX];
	char group_name[PR_DN_TYPE_MAX];
	struct pr_str source;
	struct pr_arena *arena;
	pthread_rwlock_t lock; /* of book */
	struct book *book;
};

static int
by_key(const void *a, const void *b)
{
	return pr_str_cmp(
	    ((const struct ref *)a)->key, ((const struct ref *)b)->key);
}

static void
index_add(struct index *x, struct pr_str key, const struct ldif_entry *e)
{
	x->v = pr_grow(x->v, x->n, &x->cap, sizeof *x->v);
	x->v[x->n++] = (struct ref){key, e};
}

/* The first place that is not before the key. */
static size_t
index_find(const struct index *x, struct pr_str key)
{
	size_t lo = 0, hi = x->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (pr_str_cmp(x->v[mid].key, key) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static bool
index_at(const struct index *x, size_t i, struct pr_str key)
{
	return i < x->n && pr_str_eq(x->v[i].key, key);
}

static void
book_free(struct book *b)
{
	if (b == NULL)
		return;
	free(b->users.v);
	free(b->groups.v);
	free(b->members.v);
	pr_arena_free(b->arena);
	free(b);
}

static struct pr_str
first_value(const struct ldif_entry *e, const char *type)
{
	for (size_t i = 0; i < e->n; i++) {
		if (strcmp(e->v[i].type, type) == 0)
			return e->v[i].value;
	}
	return PR_STR("");
}

/* Puts an entry under the compared form of each of its values of a type. */
static void
index_values(struct book *b, struct index *x, const struct ldif_entry *e,
    const char *type)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf form = PR_BUF_INIT;

	for (size_t i = 0; i < e->n; i++) {
		if (strcmp(e->v[i].type, type) != 0)
			continue;
		pr_buf_reset(&form);
		dir_attribute_form(
		    dir_attribute_syntax(type), e->v[i].value, &form);
		if (form.n > 0)
			index_add(
			    x, pr_arena_str(b->arena, pr_buf_view(&form)), e);
	}
}

struct scope {
	struct pr_buf base;
	struct filter filter;
};

/* Configuration that has been checked: what fails here was not. */
static void
scope_init(
    struct scope *s, struct pr_arena *a, const char *base, const char *filter)
{
	const char *why;
	size_t at;

	*s = (struct scope){.base = PR_BUF_INIT};
	if (!pr_dn_normalise(pr_str_of(base), &s->base) ||
	    !dir_filter_parse(a, pr_str_of(filter), &s->filter, &at, &why))
		s->filter.n = 0; /* matches nothing */
}

static bool
scope_has(const struct scope *s, const struct ldif_entry *e)
{
	return pr_dn_under(e->normal, pr_buf_view(&s->base)) &&
	    dir_filter_matches(&s->filter, e);
}

static void
book_index(struct people *p, struct book *b)
{
	struct scope users, groups;

	scope_init(&users, b->arena, p->c->user.base.s, p->c->user.filter.s);
	scope_init(&groups, b->arena, p->c->group.base.s, p->c->group.filter.s);
	for (size_t i = 0; i < b->ldif.n; i++) {
		const struct ldif_entry *e = &b->ldif.v[i];

		if (scope_has(&users, e))
			index_values(b, &b->users, e, p->user_name);
		if (!scope_has(&groups, e))
			continue;
		index_add(&b->groups, e->normal, e);
		index_values(b, &b->members, e, p->member);
	}
	pr_buf_fini(&users.base);
	pr_buf_fini(&groups.base);
	if (b->users.n > 0)
		qsort(b->users.v, b->users.n, sizeof *b->users.v, by_key);
	if (b->groups.n > 0)
		qsort(b->groups.v, b->groups.n, sizeof *b->groups.v, by_key);
	if (b->members.n > 0)
		qsort(b->members.v, b->members.n, sizeof *b->members.v, by_key);
}

/* text == NULL: the file is read. */
static struct book *
book_read(struct people *p, const struct pr_str *text, struct pr_diags *ds)
{
	PR_CLEANUP(pr_err_freep) struct pr_err *err = NULL;
	struct book *b = pr_xcalloc(1, sizeof *b);
	const char *file = p->c->file.s;
	struct pr_str got;

	b->arena = pr_arena_new(65536);
	if (text != NULL) {
		got = pr_arena_str(b->arena, *text);
	} else if (pr_file_read(b->arena, file, PR_CAP_LDIF_FILE, &got, &err) <
	    0) {
		pr_diags_add(
		    ds, PR_ERROR, p->c->file.loc, NULL, "%s", pr_err_text(err));
		book_free(b);
		return NULL;
	}
	if (!dir_ldif_read(b->arena, file, got, &b->ldif, ds)) {
		pr_diags_source(ds, file, got.p);
		book_free(b);
		return NULL;
	}
	book_index(p, b);
	return b;
}

static void
people_close(void *self)
{
	struct people *p = self;

	book_free(p->book);
	pthread_rwlock_destroy(&p->lock);
	pr_arena_free(p->arena);
	free(p);
}

static void *
people_new(const struct pr_directory_config *c, const struct pr_str *text,
    struct pr_diags *ds)
{
	struct people *p = pr_xcalloc(1, sizeof *p);

	p->c = c;
	p->arena = pr_arena_new(256);
	p->source = pr_str_of(pr_arena_printf(p->arena, "ldif %s", c->file.s));
	pthread_rwlock_init(&p->lock, NULL);
	if (!pr_dn_type(pr_str_of(c->group.member.s), p->member) ||
	    !pr_dn_type(pr_str_of(c->group.name.s), p->group_name) ||
	    !pr_dn_type(pr_str_of(c->user.name.s), p->user_name) ||
	    (p->book = book_read(p, text, ds)) == NULL) {
		people_close(p);
		return NULL;
	}
	return p;
}

void *
dir_people_open(const struct pr_directory_config *c, struct pr_diags *ds)
{
	return people_new(c, NULL, ds);
}

void *
dir_people_open_text(const struct pr_directory_config *c, struct pr_str text,
    struct pr_diags *ds)
{
	return people_new(c, &text, ds);
}

static int
people_reload(void *self, struct pr_diags *ds)
{
	struct people *p = self;
	struct book *fresh = book_read(p, NULL, ds), *old;

	if (fresh == NULL)
		return -1;
	pthread_rwlock_wrlock(&p->lock);
	old = p->book;
	p->book = fresh;
	pthread_rwlock_unlock(&p->lock);
	book_free(old);
	return 0;
}

/* How many entries are the subject's, counted up to 2; *out is the first. */
static unsigned
find_user(const struct people *p, struct pr_str name,
    const struct filter *filter, const struct ldif_entry **out)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf key = PR_BUF_INIT;
	const struct index *x = &p->book->users;
	const struct ldif_entry *hit = NULL;
	size_t i = 0;

	if (filter == NULL) {
		dir_attribute_form(
		    dir_attribute_syntax(p->user_name), name, &key);
		i = index_find(x, pr_buf_view(&key));
	}
	for (; filter != NULL ? i < x->n : index_at(x, i, pr_buf_view(&key));
	     i++) {
		const struct ldif_entry *e = x->v[i].e;

		if (e == hit)
			continue;
		if (filter != NULL && !dir_filter_matches(filter, e))
			continue;
		if (hit != NULL)
			return 2;
		hit = e;
	}
	*out = hit;
	return hit != NULL;
}

/* Which of its names an entry is known by; false: it cannot be said. */
static bool
user_name(const struct people *p, const struct ldif_entry *e,
    struct pr_str name, bool by_filter, struct pr_str *out)
{
	size_t n = 0;

	for (size_t i = 0; i < e->n; i++) {
		if (strcmp(e->v[i].type, p->user_name) != 0 ||
		    (!by_filter && !dir_name_matches(name, e->v[i].value)))
			continue;
		if (n++ == 0)
			*out = e->v[i].value;
	}
	return by_filter ? n == 1 : n > 0;
}

static int
too_many(struct pr_err **err)
{
	return pr_err_set(err, PR_ERR_INVALID, 0,
	    "more than %zu groups for one user", PR_CAP_GROUPS);
}

static int
add_groups_of(const struct people *p, struct builder *b, struct pr_str member,
    struct pr_err **err)
{
	const struct index *x = &p->book->members;

	for (size_t i = index_find(x, member); index_at(x, i, member); i++) {
		const struct ldif_entry *g = x->v[i].e;

		if (dir_builder_group(
			b, g->normal, first_value(g, p->group_name)) < 0)
			return too_many(err);
	}
	return 0;
}

/* Groups that the user's own memberOf names, for exports that have it. */
static int
add_memberof(const struct people *p, struct builder *b,
    const struct ldif_entry *user, struct pr_err **err)
{
	const struct index *x = &p->book->groups;

	for (size_t i = 0; i < user->n; i++) {
		PR_CLEANUP(pr_buf_fini) struct pr_buf dn = PR_BUF_INIT;
		size_t at;

		if (strcmp(user->v[i].type, "memberof") != 0 ||
		    !pr_dn_normalise(user->v[i].value, &dn))
			continue;
		at = index_find(x, pr_buf_view(&dn));
		if (index_at(x, at, pr_buf_view(&dn)) &&
		    dir_builder_group(b, x->v[at].key,
			first_value(x->v[at].e, p->group_name)) < 0)
			return too_many(err);
	}
	return 0;
}

/* Level by level; what is known is not looked at again, so loops end. */
static int
expand(const struct people *p, struct builder *b, unsigned depth,
    struct pr_err **err)
{
	size_t from = 0;

	for (unsigned level = 0; level < depth; level++) {
		size_t to = dir_builder_count(b);

		for (; from < to; from++) {
			if (add_groups_of(p, b, dir_builder_dn(b, from), err) <
			    0)
				return -1;
		}
	}
	return 0;
}

static int
add_groups(const struct people *p, struct builder *b,
    const struct ldif_entry *user, struct pr_str name, struct pr_err **err)
{
	bool by_dn = dir_attribute_syntax(p->member) == SYNTAX_DN;

	if (add_groups_of(p, b, by_dn ? user->normal : name, err) < 0)
		return -1;
	switch (p->c->group.nested) {
	case PR_NESTED_NONE:
		return 0;
	case PR_NESTED_MEMBEROF:
		return add_memberof(p, b, user, err);
	case PR_NESTED_EXPAND:
		return expand(p, b, p->c->group.depth, err);
	case PR_NESTED_CHAIN:
		return expand(p, b, PR_CAP_NESTING, err);
	}
	return pr_err_set(err, PR_ERR_INVALID, 0, "no such nesting");
}

static int
ask(const struct people *p, struct pr_str name, const struct filter *filter,
    const struct pr_membership **out, struct pr_err **err)
{
	PR_CLEANUP(dir_builder_freep) struct builder *b = NULL;
	const struct ldif_entry *user = NULL;
	unsigned n = find_user(p, name, filter, &user);
	struct pr_str known;

	if (n == 1 && !user_name(p, user, name, filter != NULL, &known))
		n = filter != NULL ? 2 : 0;
	if (n != 1) {
		*out = dir_membership_none(p->source, n > 1);
		return 0;
	}
	b = dir_builder_new(p->source);
	dir_builder_user(b, user->normal, known);
	if (add_groups(p, b, user, known, err) < 0)
		return -1;
	*out = dir_builder_found(&b);
	return 0;
}

static int
people_fetch(void *self, struct pr_str name, struct pr_str filter,
    uint64_t deadline, const struct pr_membership **out, struct pr_err **err)
{
	PR_CLEANUP(pr_arena_freep) struct pr_arena *a = NULL;
	struct people *p = self;
	struct filter f;
	const char *why;
	size_t at;
	int rc;

	(void)deadline; /* nothing here waits */
	if (filter.n > 0) {
		a = pr_arena_new(1024);
		if (!dir_filter_parse(a, filter, &f, &at, &why) || f.extensible)
			return pr_err_set(err, PR_ERR_INVALID, 0,
			    "an LDIF file has no matching rules");
	}
	pthread_rwlock_rdlock(&p->lock);
	rc = ask(p, name, filter.n > 0 ? &f : NULL, out, err);
	pthread_rwlock_unlock(&p->lock);
	return rc;
}

static bool
people_ready(void *self, struct pr_buf *why)
{
	(void)self;
	(void)why;
	return true;
}

const struct backend_ops dir_people_backend = {
    people_fetch, people_reload, people_ready, people_close};
