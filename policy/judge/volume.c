/* SPDX-License-Identifier: Apache-2.0 */
/* Whose a volume is that nobody named (docs/semantics.md 10.14). */
#include "local.h"

static bool
is_anonymous(const struct pr_policy *p, const struct pr_object *o)
{
	if (o->kind != PR_KIND_VOLUME || o->presence != PR_PRESENT ||
	    o->in_ledger || o->id.n != 64)
		return false;
	for (size_t i = 0; i < o->id.n; i++) {
		char c = o->id.p[i];

		if ((c < '0' || c > '9') && (c < 'a' || c > 'f'))
			return false;
	}
	return o->labels == NULL || o->labels->type != PR_JSON_OBJECT ||
	    pr_json_get(o->labels, p->label_team) == NULL;
}

static bool
has_volume(const struct pr_listed *c, struct pr_str name)
{
	for (uint32_t i = 0; c->mounts != NULL && i < c->mounts->n; i++) {
		const struct pr_json *m = &c->mounts->items[i], *n;

		if (m->type != PR_JSON_OBJECT)
			continue;
		n = pr_json_get(m, PR_STR("Name"));
		if (n != NULL && n->type == PR_JSON_STRING &&
		    pr_str_eq(n->str, name))
			return true;
	}
	return false;
}

static struct pr_str
listed_label(const struct pr_listed *c, struct pr_str key)
{
	const struct pr_json *v =
	    c->labels != NULL && key.n > 0 ? pr_json_get(c->labels, key) : NULL;

	return v != NULL && v->type == PR_JSON_STRING ? v->str : PR_STR("");
}

/* Whose containers have it: false: of several teams, or phases, or none. */
static bool
one_owner(const struct pr_policy *p, const struct pr_listed *all, size_t n,
    struct pr_object *o)
{
	bool any = false;

	for (size_t i = 0; i < n; i++) {
		const struct pr_listed *c = &all[i];
		struct pr_str team = c->in_ledger
		    ? pr_str_of(c->owner.team)
		    : listed_label(c, p->label_team);
		struct pr_str phase = c->in_ledger
		    ? pr_str_of(c->owner.phase)
		    : listed_label(c, p->label_phase);

		if (!has_volume(c, o->id))
			continue;
		if (any &&
		    (!pr_str_eq(team, o->ledger_team) ||
			!pr_str_eq(phase, o->ledger_phase)))
			return false;
		any = true;
		o->ledger_team = team;
		o->ledger_phase = phase;
	}
	return any;
}

const struct pr_object *
volume_of_containers(struct pr_judge *j, struct pr_arena *a,
    const struct pr_policy *p, const struct pr_object *o, bool may_wait,
    uint64_t deadline)
{
	struct pr_object *copy;
	const struct pr_listed *all;
	struct pr_list_ref *list;
	const char *why;
	size_t n;

	if (!is_anonymous(p, o))
		return o;
	if (!may_wait)
		return NULL;
	list = pr_inventory_list_containers(j->inventory, deadline, &why);
	if (list == NULL)
		return o;
	all = pr_list_items(list, &n);
	copy = pr_arena_alloc(a, sizeof *copy);
	*copy = *o;
	if (one_owner(p, all, n, copy)) {
		copy->in_ledger = true;
		copy->ledger_team = pr_arena_str(a, copy->ledger_team);
		copy->ledger_phase = pr_arena_str(a, copy->ledger_phase);
		o = copy;
	}
	pr_list_unref(list);
	return o;
}
