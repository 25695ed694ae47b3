/* SPDX-License-Identifier: Apache-2.0 */
/* Profiles: leaves by profile_keys.def, and what they inherit. */
#include <string.h>

#include <portreeve/caps.h>

#include "leaf.h"

#define HARD false
#define SOFT true
static const struct pr_profile_key_info keys[PR_KEY_COUNT] = {
#define PROFILE_KEY(id, path, type, soft, absent, bodies, text) \
	[PR_KEY_##id] = {path, PR_LEAF_##type, soft, absent, bodies, text},
#include <portreeve/profile_keys.def>
#undef PROFILE_KEY
};
#undef HARD
#undef SOFT

const struct pr_profile_key_info *
pr_profile_key(enum pr_profile_key key)
{
	return &keys[key];
}

/* The value of a key that no profile gives, from the table's text. */
static void
absent_leaf(struct load *ld, enum pr_profile_key key, struct pr_leaf *leaf)
{
	struct pr_str s = pr_str_of(keys[key].absent);
	struct ynode *n;

	if (s.n == 0)
		return;
	if (s.p[0] != '[') {
		n = ynode_make(&ld->l, s);
	} else {
		n = ynode_make_list(&ld->l);
		s = pr_str_sub(s, 1, s.n - 1);
		while (s.p != NULL && s.n > 0) {
			struct pr_str e = pr_str_trim(pr_str_cut(&s, ','));

			if (e.n > 1 && e.p[0] == '"')
				e = pr_str_sub(e, 1, e.n - 1);
			ynode_push(n, ynode_make(&ld->l, e));
		}
	}
	n->plain = false; /* "no" is meant as it stands */
	leaf_read(ld, key, n, leaf);
	leaf->given = false;
	leaf->made = true;
}

/* The names of a level: of the top, or of a group. */
static const char *
level_hint(struct lang *l, struct pr_str word, const char *group)
{
	const char *v[PR_KEY_COUNT + 2];
	size_t n = 0, len = strlen(group);
	const char *all;

	for (int k = 0; k < PR_KEY_COUNT; k++) {
		const char *path = keys[k].path;
		struct pr_str name;

		if (strncmp(path, group, len) != 0)
			continue;
		name = pr_str_of(path + len);
		name = pr_str_sub(name, 0, pr_str_find(name, '.'));
		if (n > 0 && pr_str_is(name, v[n - 1]))
			continue;
		v[n++] = pr_arena_strdup(l->tree, name);
	}
	if (len == 0) {
		v[n++] = "extends";
		v[n++] = "defaults";
	}
	all = v[0];
	for (size_t i = 1; i < n; i++)
		all = pr_arena_printf(l->tree, "%s, %s", all, v[i]);
	return lang_meant(
	    l, word, v, n, pr_arena_printf(l->tree, "the keys are %s", all));
}

/* The key of that path, or PR_KEY_COUNT; *group: it begins some paths. */
static int
find_key(struct pr_str group, struct pr_str name, bool *is_group)
{
	size_t head = group.n > 0 ? group.n + 1 : 0;

	*is_group = false;
	for (int k = 0; k < PR_KEY_COUNT; k++) {
		struct pr_str path = pr_str_of(keys[k].path);
		struct pr_str rest = pr_str_sub(path, head, path.n);

		if (group.n > 0 &&
		    (!pr_str_eq(pr_str_sub(path, 0, group.n), group) ||
			path.n <= group.n || path.p[group.n] != '.'))
			continue;
		if (pr_str_eq(rest, name))
			return k;
		if (group.n == 0 && rest.n > name.n && rest.p[name.n] == '.' &&
		    pr_str_eq(pr_str_sub(rest, 0, name.n), name))
			*is_group = true;
	}
	return PR_KEY_COUNT;
}

static void
set_leaf(struct load *ld, struct pr_profile *p, int key, const struct ynode *v)
{
	if (v->bad ||
	    !leaf_read(ld, (enum pr_profile_key)key, v, &p->leaf[key]))
		return;
	p->leaf[key].given = true;
	p->leaf[key].loc = ynode_loc(v);
	p->leaf[key].profile = p->name;
}

static void
load_group(struct load *ld, struct pr_profile *p, const struct ynode *group,
    const struct ynode *map)
{
	if (map->type != Y_MAP) {
		if (!map->bad)
			lang_error(&ld->l, ynode_loc(map), NULL,
			    "\"%.*s\" wants a map, this is %s",
			    PR_STRF(group->s), ynode_kind(map));
		return;
	}
	Y_EACH_PAIR(map, k, v)
	{
		bool is_group;
		int key = find_key(group->s, k->s, &is_group);

		if (k->bad)
			continue;
		if (key == PR_KEY_COUNT)
			lang_error(&ld->l, ynode_loc(k),
			    level_hint(&ld->l, k->s,
				pr_arena_printf(
				    ld->l.tree, "%.*s.", PR_STRF(group->s))),
			    "unknown key \"%.*s.%.*s\" of a profile",
			    PR_STRF(group->s), PR_STRF(k->s));
		else
			set_leaf(ld, p, key, v);
	}
}

static void
load_defaults(struct load *ld, struct pr_profile *p, const struct ynode *map)
{
	static const enum unit units[] = {
	    UNIT_SIZE, UNIT_SIZE, UNIT_CPUS, UNIT_NUM, UNIT_SIZE};
	struct raw_defaults raw = {0};
	struct pr_str *v =
	    pr_arena_array(ld->l.arena, PR_COUNT(units), sizeof *v);

	_Static_assert(PR_COUNT(units) == PR_COUNT(raw.v), "a unit each");
	if (!schema_read(&ld->l, map, &defaults_table, &raw))
		return;
	for (size_t i = 0; i < PR_COUNT(units); i++) {
		int64_t value;

		if (raw.v[i] == NULL ||
		    !value_quantity(&ld->l, raw.v[i], units[i], &value))
			continue;
		v[p->own_defaults.n++] =
		    pr_str_of(pr_arena_printf(ld->l.arena, "%s=%.*s",
			defaults_table.fields[i].name, PR_STRF(raw.v[i]->s)));
	}
	p->own_defaults.v = v;
}

/* Returns what it extends, or -1. */
static int
load_profile(struct load *ld, const struct entry *e, struct pr_profile *p)
{
	int extends = -1;

	if (!value_name(&ld->l, e->key, "profile", true))
		return -1;
	if (pr_str_is(e->name, "unrestricted"))
		lang_error(&ld->l, ynode_loc(e->key), NULL,
		    "the profile \"unrestricted\" is built in");
	if (e->value->type != Y_MAP) {
		if (!e->value->bad)
			lang_error(&ld->l, ynode_loc(e->value), NULL,
			    "a profile is a map, this is %s",
			    ynode_kind(e->value));
		return -1;
	}
	Y_EACH_PAIR(e->value, k, v)
	{
		bool is_group;
		int key = find_key(PR_STR(""), k->s, &is_group);

		if (k->bad)
			continue;
		if (key < PR_KEY_COUNT)
			set_leaf(ld, p, key, v);
		else if (is_group)
			load_group(ld, p, k, v);
		else if (pr_str_is(k->s, "defaults"))
			load_defaults(ld, p, v);
		else if (!pr_str_is(k->s, "extends"))
			lang_error(&ld->l, ynode_loc(k),
			    level_hint(&ld->l, k->s, ""),
			    "unknown key \"%.*s\" of a profile", PR_STRF(k->s));
		else if (schema_shape(
			     &ld->l, v, "extends", &profile_table.fields[0]))
			extends = load_ref(ld, SEC_PROFILES, v);
	}
	return extends;
}

static bool
same_default(struct pr_str a, struct pr_str b)
{
	return pr_str_eq(pr_str_cut(&a, '='), pr_str_cut(&b, '='));
}

/* The child's first, then those of the parent that it does not have. */
static void
merge_defaults(
    struct load *ld, struct pr_profile *p, const struct pr_strs *parent)
{
	size_t n = p->own_defaults.n;
	struct pr_str *v =
	    pr_arena_array(ld->l.arena, n + parent->n, sizeof *v);

	if (n > 0)
		memcpy(v, p->own_defaults.v, n * sizeof *v);
	for (size_t i = 0; i < parent->n; i++) {
		size_t j = 0;

		while (
		    j < p->own_defaults.n && !same_default(v[j], parent->v[i]))
			j++;
		if (j == p->own_defaults.n)
			v[n++] = parent->v[i];
	}
	p->defaults = (struct pr_strs){v, n};
}

/* The one key whose value is a map: maps merge, name by name (5.1). */
static void
merge_ranges(struct load *ld, struct pr_leaf *own, const struct pr_leaf *from)
{
	size_t n = own->n_ranges;
	struct pr_range *v =
	    pr_arena_array(ld->l.arena, n + from->n_ranges, sizeof *v);

	if (n > 0)
		memcpy(v, own->ranges, n * sizeof *v);
	for (size_t i = 0; i < from->n_ranges; i++) {
		size_t j = 0;

		while (j < own->n_ranges &&
		    !pr_str_eq(v[j].name, from->ranges[i].name))
			j++;
		if (j == own->n_ranges)
			v[n++] = from->ranges[i];
	}
	own->ranges = v;
	own->n_ranges = n;
	own->made = n > 0;
}

static void
inherit(struct load *ld, struct pr_profile *p, const struct pr_leaf *absent)
{
	const struct pr_profile *from =
	    p->extends >= 0 ? &ld->p->profiles[p->extends] : NULL;

	for (int k = 0; k < PR_KEY_COUNT; k++) {
		if (!p->leaf[k].given)
			p->leaf[k] = from != NULL ? from->leaf[k] : absent[k];
		else if (from != NULL &&
		    pr_profile_key((enum pr_profile_key)k)->type ==
			PR_LEAF_RANGES)
			merge_ranges(ld, &p->leaf[k], &from->leaf[k]);
	}
	merge_defaults(
	    ld, p, from != NULL ? &from->defaults : &(struct pr_strs){NULL, 0});
}

/* A chain must not end in the built-in profile: it has no leaves to give. */
static int
check_parent(struct load *ld, const struct entry *e, int extends)
{
	if (extends != 0)
		return extends;
	lang_error(&ld->l, ynode_loc(ynode_get(e->value, "extends")), NULL,
	    "the profile \"unrestricted\" cannot be extended");
	return -1;
}

void
load_profiles(struct load *ld)
{
	struct entries *list = &ld->sec[SEC_PROFILES];
	struct pr_policy *p = ld->p;
	struct pr_leaf *absent =
	    pr_arena_array(ld->l.tree, PR_KEY_COUNT, sizeof *absent);
	const unsigned *order;
	int *extends;

	if (list->n > PR_CAP_PROFILES) {
		lang_error(&ld->l, ynode_loc(list->v[PR_CAP_PROFILES].key),
		    NULL, "more than %zu profiles", PR_CAP_PROFILES);
		list->n = PR_CAP_PROFILES;
	}
	for (int k = 0; k < PR_KEY_COUNT; k++)
		absent_leaf(ld, (enum pr_profile_key)k, &absent[k]);
	p->n_profiles = list->n + 1;
	p->profiles =
	    pr_arena_array(ld->l.arena, p->n_profiles, sizeof *p->profiles);
	p->profiles[0].name = PR_STR("unrestricted");
	p->profiles[0].unrestricted = true;
	p->profiles[0].extends = -1;
	inherit(ld, &p->profiles[0], absent);
	extends = pr_arena_array(ld->l.tree, list->n, sizeof *extends);
	for (size_t i = 0; i < list->n; i++) {
		p->profiles[i + 1].name = value_keep(&ld->l, list->v[i].key);
		p->profiles[i + 1].loc = ynode_loc(list->v[i].key);
	}
	for (size_t i = 0; i < list->n; i++) {
		int to = load_profile(ld, &list->v[i], &p->profiles[i + 1]);

		extends[i] = check_parent(ld, &list->v[i], to) - (to > 0);
	}
	order = load_extends_order(ld, SEC_PROFILES, extends, list->n);
	for (size_t i = 0; i < list->n; i++) {
		struct pr_profile *pr = &p->profiles[order[i] + 1];
		int from = extends[order[i]];

		pr->extends = from >= 0 ? from + 1 : -1;
		inherit(ld, pr, absent);
	}
}
