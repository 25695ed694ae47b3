/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is asked about one subject.  The server's answers are data that count
 * only as what they were asked for: one user whose name is the subject's,
 * groups below the base, and nothing in parts.
 */
#include <stdlib.h>
#include <string.h>

#include <portreeve/caps.h>

#include "ldap_local.h"

#define MEMBERS_A_FILTER 25
#define RANGES_MAX       64 /* times an attribute may come in parts */
#define CHAIN_RULE       "1.2.840.113556.1.4.1941"

/* One subject while it is read. */
struct reading {
	struct conn *c;
	const struct pr_directory_config *conf;
	struct pr_arena *a;
	uint64_t deadline;
	struct pr_str asked; /* the name; by_filter: of no account */
	bool by_filter;
	unsigned users; /* entries that were found */
	unsigned names; /* fitting names of the first */
	struct pr_str name;
	char *dn; /* as the server writes it */
	struct pr_buf normal;
	struct builder *memberof; /* what memberOf names: a set */
	size_t range_next;        /* 0: memberOf is complete */
	struct builder *groups;
	const char *what; /* for messages */
};

/* "member;range=0-1499": the end, or 0 for "*"; false: no range. */
static bool
range_of(struct pr_str options, size_t *end)
{
	while (options.p != NULL) {
		struct pr_str o = pr_str_cut(&options, ';');
		uint64_t to;

		if (o.n < 6 || !pr_str_is_nocase(pr_str_sub(o, 0, 6), "range="))
			continue;
		pr_str_cut(&o, '-');
		*end = pr_str_u64(o, &to) && to < SIZE_MAX - 1 ? (size_t)to : 0;
		return true;
	}
	return false;
}

static int
too_many(const struct reading *r, struct pr_err **err)
{
	return pr_err_set(err, PR_ERR_INVALID, 0,
	    "%s: more than %zu groups for one user", r->what, PR_CAP_GROUPS);
}

static int
bad_dn(const struct reading *r, struct pr_err **err)
{
	return pr_err_set(err, PR_ERR_INVALID, 0,
	    "%s: the server sent a DN that is none", r->what);
}

static int
read_names(struct reading *r, struct berval **v)
{
	for (size_t i = 0; v[i] != NULL; i++) {
		struct pr_str s = {v[i]->bv_val, v[i]->bv_len};

		if (!r->by_filter && !dir_name_matches(r->asked, s))
			continue;
		if (r->names++ == 0)
			r->name = pr_arena_str(r->a, s);
	}
	return 0;
}

static int
read_memberof(struct reading *r, struct berval **v, struct pr_err **err)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf dn = PR_BUF_INIT;

	for (size_t i = 0; v[i] != NULL; i++) {
		struct pr_str s = {v[i]->bv_val, v[i]->bv_len};

		pr_buf_reset(&dn);
		if (!pr_dn_normalise(s, &dn))
			return bad_dn(r, err);
		if (dir_builder_group(
			r->memberof, pr_buf_view(&dn), PR_STR("")) < 0)
			return too_many(r, err);
	}
	return 0;
}

/* One attribute of the user's entry, under whatever of its names it comes. */
static int
read_attribute(
    struct reading *r, LDAPMessage *e, const char *attr, struct pr_err **err)
{
	char type[PR_DN_TYPE_MAX], name[PR_DN_TYPE_MAX];
	struct pr_str rest = pr_str_of(attr);
	struct berval **v;
	size_t end = 0;
	int rc = 0;

	if (!pr_dn_type(rest, type) ||
	    !pr_dn_type(pr_str_of(r->conf->user.name.s), name))
		return 0;
	v = ldap_get_values_len(r->c->ld, e, attr);
	if (v == NULL)
		return 0;
	pr_str_cut(&rest, ';');
	if (strcmp(type, name) == 0)
		rc = read_names(r, v);
	if (rc == 0 && r->memberof != NULL && strcmp(type, "memberof") == 0) {
		rc = read_memberof(r, v, err);
		if (range_of(rest, &end) && end > 0)
			r->range_next = end + 1;
	}
	ldap_value_free_len(v);
	return rc;
}

/* Every attribute of an entry that is the user's. */
static int
attributes_entry(void *ctx, struct conn *c, LDAPMessage *e, struct pr_err **err)
{
	struct reading *r = ctx;
	BerElement *ber = NULL;
	char *attr = ldap_first_attribute(c->ld, e, &ber);
	int rc = 0;

	while (attr != NULL) {
		if (rc == 0)
			rc = read_attribute(r, e, attr, err);
		ldap_memfree(attr);
		attr = ldap_next_attribute(c->ld, e, ber);
	}
	ber_free(ber, 0);
	return rc;
}

static int
user_entry(void *ctx, struct conn *c, LDAPMessage *e, struct pr_err **err)
{
	struct reading *r = ctx;

	if (++r->users > 1)
		return 0;
	r->dn = ldap_get_dn(c->ld, e);
	if (r->dn == NULL || !pr_dn_normalise(pr_str_of(r->dn), &r->normal))
		return bad_dn(r, err);
	return attributes_entry(r, c, e, err);
}

/* True if normal is base or below it. */
static bool
is_below(struct pr_str normal, const char *base)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf b = PR_BUF_INIT;

	return pr_dn_normalise(pr_str_of(base), &b) &&
	    pr_dn_under(normal, pr_buf_view(&b));
}

/* 1: exactly one is the subject's; 0: none; 2: it cannot be said which. */
static int
find_user(struct reading *r, struct pr_str filter, struct pr_err **err)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf f = PR_BUF_INIT;
	struct query q = {r->conf->user.base.s, LDAP_SCOPE_SUBTREE, NULL,
	    {r->conf->user.name.s, r->memberof != NULL ? "memberOf" : NULL,
		NULL},
	    2};
	int code, rc;

	r->what = "user search";
	pr_buf_printf(&f, "(&%s", r->conf->user.filter.s);
	if (r->by_filter)
		pr_buf_str(&f, filter);
	pr_buf_printf(&f, "(%s=", r->conf->user.name.s);
	if (r->by_filter)
		pr_buf_char(&f, '*');
	else
		pr_directory_escape(&f, r->asked);
	pr_buf_cstr(&f, "))");
	q.filter = f.p;
	rc = dir_conn_search(r->c, &q, r->deadline, user_entry, r, &code, err);
	if (rc < 0 && code == LDAP_SIZELIMIT_EXCEEDED && r->users >= 2) {
		pr_err_freep(err);
		return 2;
	}
	if (rc < 0)
		return pr_err_wrap(err, "%s", r->what);
	if (r->users != 1)
		return r->users == 0 ? 0 : 2;
	if (!is_below(pr_buf_view(&r->normal), r->conf->user.base.s))
		return pr_err_set(err, PR_ERR_INVALID, 0,
		    "user search: the answer is not below the base");
	if (r->by_filter)
		return r->names == 1 ? 1 : 2;
	return r->names > 0;
}

static struct pr_str
group_name(struct reading *r, LDAPMessage *e)
{
	struct berval **v =
	    ldap_get_values_len(r->c->ld, e, r->conf->group.name.s);
	struct pr_str name = {"", 0};

	if (v != NULL && v[0] != NULL)
		name = pr_arena_str(
		    r->a, (struct pr_str){v[0]->bv_val, v[0]->bv_len});
	ldap_value_free_len(v);
	return name;
}

static int
group_entry(void *ctx, struct conn *c, LDAPMessage *e, struct pr_err **err)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf normal = PR_BUF_INIT;
	struct reading *r = ctx;
	char *dn = ldap_get_dn(c->ld, e);
	bool ok = dn != NULL && pr_dn_normalise(pr_str_of(dn), &normal);

	ldap_memfree(dn);
	if (!ok)
		return bad_dn(r, err);
	if (!is_below(pr_buf_view(&normal), r->conf->group.base.s))
		return pr_err_set(err, PR_ERR_INVALID, 0,
		    "%s: an answer is not below the base", r->what);
	if (r->memberof != NULL &&
	    !dir_builder_has(r->memberof, pr_buf_view(&normal)))
		return 0;
	if (dir_builder_group(
		r->groups, pr_buf_view(&normal), group_name(r, e)) < 0)
		return too_many(r, err);
	return 0;
}

/* All groups that fit group.filter and `inner`. */
static int
find_groups(struct reading *r, struct pr_str inner, struct pr_err **err)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf f = PR_BUF_INIT;
	struct query q = {r->conf->group.base.s, LDAP_SCOPE_SUBTREE, NULL,
	    {r->conf->group.name.s, NULL, NULL}, 0};
	int code;

	r->what = "group search";
	pr_buf_printf(&f, "(&%s%.*s)", r->conf->group.filter.s, PR_STRF(inner));
	q.filter = f.p;
	if (dir_conn_search(r->c, &q, r->deadline, group_entry, r, &code, err) <
	    0)
		return pr_err_wrap(err, "%s", r->what);
	return 0;
}

static void
add_item(
    struct pr_buf *f, const char *attr, const char *rule, struct pr_str value)
{
	pr_buf_printf(f, "(%s%s=", attr, rule);
	pr_directory_escape(f, value);
	pr_buf_char(f, ')');
}

static int
direct_groups(struct reading *r, const char *rule, struct pr_err **err)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf f = PR_BUF_INIT;
	char type[PR_DN_TYPE_MAX];
	bool by_dn = pr_dn_type(pr_str_of(r->conf->group.member.s), type) &&
	    dir_attribute_syntax(type) == SYNTAX_DN;

	add_item(&f, r->conf->group.member.s, rule,
	    by_dn ? pr_str_of(r->dn) : r->name);
	return find_groups(r, pr_buf_view(&f), err);
}

/*
 * Groups of groups, level by level, some members a search.  What is known is
 * not asked for again, so loops end by themselves.
 */
static int
expand(struct reading *r, struct pr_err **err)
{
	size_t from = 0;

	for (unsigned level = 0; level < r->conf->group.depth; level++) {
		size_t to = dir_builder_count(r->groups);

		while (from < to) {
			PR_CLEANUP(pr_buf_fini) struct pr_buf f = PR_BUF_INIT;

			pr_buf_cstr(&f, "(|");
			for (int i = 0; i < MEMBERS_A_FILTER && from < to; i++)
				add_item(&f, r->conf->group.member.s, "",
				    dir_builder_dn(r->groups, from++));
			pr_buf_cstr(&f, ")");
			if (find_groups(r, pr_buf_view(&f), err) < 0)
				return -1;
		}
	}
	return 0;
}

/* Appends the first RDN of a normal DN as a filter; \xx is \xx in both. */
static void
add_rdn_filter(struct pr_buf *f, struct pr_str dn)
{
	struct pr_str rdn = pr_str_sub(dn, 0, pr_str_find(dn, ','));

	pr_buf_cstr(f, "(&");
	while (rdn.p != NULL) {
		struct pr_str ava = pr_str_cut(&rdn, '+');

		pr_buf_char(f, '(');
		for (size_t i = 0; i < ava.n; i++) {
			if (ava.p[i] == '(' || ava.p[i] == ')')
				pr_buf_printf(f, "\\%02x", ava.p[i]);
			else
				pr_buf_char(f, ava.p[i]);
		}
		pr_buf_char(f, ')');
	}
	pr_buf_char(f, ')');
}

/* A memberOf in parts (Active Directory): the rest of it. */
static int
read_ranges(struct reading *r, struct pr_err **err)
{
	for (unsigned i = 0; r->range_next > 0; i++) {
		char attr[48];
		struct query q = {r->dn, LDAP_SCOPE_BASE, "(objectClass=*)",
		    {attr, NULL, NULL}, 1};
		int code;

		if (i == RANGES_MAX)
			return too_many(r, err);
		snprintf(
		    attr, sizeof attr, "memberOf;range=%zu-*", r->range_next);
		r->range_next = 0;
		if (dir_conn_search(r->c, &q, r->deadline, attributes_entry, r,
			&code, err) < 0)
			return pr_err_wrap(err, "memberOf in parts");
	}
	return 0;
}

/*
 * memberOf is not always true (a group that is gone may still be named), and
 * does not know group.filter: the groups are looked up by their RDNs, and
 * those count that are there.
 */
static int
memberof_groups(struct reading *r, struct pr_err **err)
{
	size_t n = dir_builder_count(r->memberof), i = 0;

	while (i < n) {
		PR_CLEANUP(pr_buf_fini) struct pr_buf f = PR_BUF_INIT;
		int k = 0;

		pr_buf_cstr(&f, "(|");
		for (; k < MEMBERS_A_FILTER && i < n; i++) {
			struct pr_str dn = dir_builder_dn(r->memberof, i);

			if (!is_below(dn, r->conf->group.base.s) || dn.n == 0)
				continue;
			add_rdn_filter(&f, dn);
			k++;
		}
		pr_buf_cstr(&f, ")");
		if (k > 0 && find_groups(r, pr_buf_view(&f), err) < 0)
			return -1;
	}
	return 0;
}

static int
read_groups(struct reading *r, struct pr_err **err)
{
	switch (r->conf->group.nested) {
	case PR_NESTED_NONE:
		return direct_groups(r, "", err);
	case PR_NESTED_MEMBEROF:
		return read_ranges(r, err) < 0 ? -1 : memberof_groups(r, err);
	case PR_NESTED_EXPAND:
		return direct_groups(r, "", err) < 0 ? -1 : expand(r, err);
	case PR_NESTED_CHAIN:
		/* others would find nothing and call that success */
		if (!r->c->ad)
			return pr_err_set(err, PR_ERR_INVALID, 0,
			    "nested: chain is for Active Directory, which "
			    "this server is not");
		return direct_groups(r, ":" CHAIN_RULE ":", err);
	}
	return pr_err_set(err, PR_ERR_INVALID, 0, "no such nesting");
}

static int
read_subject(struct reading *r, struct pr_str filter,
    const struct pr_membership **out, struct pr_err **err)
{
	int n = find_user(r, filter, err);

	if (n < 0)
		return -1;
	if (n != 1) {
		*out = dir_membership_none(r->c->source, n > 1);
		return 0;
	}
	dir_builder_user(r->groups, pr_buf_view(&r->normal), r->name);
	if (read_groups(r, err) < 0)
		return -1;
	*out = dir_builder_found(&r->groups);
	return 0;
}

int
dir_ldap_read(struct conn *c, struct pr_str name, struct pr_str filter,
    uint64_t deadline, const struct pr_membership **out, struct pr_err **err)
{
	struct reading r = {.c = c,
	    .conf = c->c,
	    .deadline = deadline,
	    .asked = name,
	    .by_filter = filter.n > 0};
	int rc;

	r.a = pr_arena_new(1024);
	r.groups = dir_builder_new(c->source);
	if (c->c->group.nested == PR_NESTED_MEMBEROF)
		r.memberof = dir_builder_new(c->source);
	rc = read_subject(&r, filter, out, err);
	dir_builder_freep(&r.groups);
	dir_builder_freep(&r.memberof);
	pr_buf_fini(&r.normal);
	ldap_memfree(r.dn);
	pr_arena_free(r.a);
	return rc;
}
