/* SPDX-License-Identifier: Apache-2.0 */
/* Whose a volume is that nobody named (docs/semantics.md 10.14). */
#include "local.h"

bool
volume_is_nameless(const struct pr_policy *p, const struct pr_object *o)
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

void
volume_give(const struct volume_user *users, size_t n, struct pr_object *o)
{
	for (size_t i = 1; i < n; i++) {
		if (!pr_str_eq(users[i].team, users[0].team) ||
		    !pr_str_eq(users[i].phase, users[0].phase))
			return;
	}
	if (n == 0)
		return;
	o->in_ledger = true;
	o->ledger_team = users[0].team;
	o->ledger_phase = users[0].phase;
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
label_of(struct pr_arena *a, const struct pr_object *c, struct pr_str key)
{
	const struct pr_json *v =
	    c->labels != NULL && key.n > 0 ? pr_json_get(c->labels, key) : NULL;

	return v != NULL && v->type == PR_JSON_STRING ? pr_arena_str(a, v->str)
						      : PR_STR("");
}

/*
 * Whose the container is.  The list cannot tell its own labels from those of
 * its image, and whoever makes an image makes nobody an owner (11.11).  False:
 * it cannot be looked up.
 */
static bool
read_user(struct pr_inventory *inv, struct pr_arena *a,
    const struct pr_policy *p, const struct pr_listed *c, uint64_t deadline,
    struct volume_user *out)
{
	PR_CLEANUP(pr_object_unrefp) struct pr_object_ref *r = NULL;
	const struct pr_object *o;

	*out = (struct volume_user){PR_STR(""), PR_STR("")};
	if (c->in_ledger) {
		out->team = pr_arena_str(a, pr_str_of(c->owner.team));
		out->phase = pr_arena_str(a, pr_str_of(c->owner.phase));
		return true;
	}
	r = pr_inventory_get(inv, PR_KIND_CONTAINER, c->id, deadline);
	o = pr_object_of(r);
	if (o->presence == PR_PRESENT) {
		out->team = label_of(a, o, p->label_team);
		out->phase = label_of(a, o, p->label_phase);
	}
	return o->presence == PR_PRESENT;
}

static bool
read_users(struct pr_inventory *inv, struct pr_arena *a,
    const struct pr_policy *p, struct pr_object *o, uint64_t deadline)
{
	const char *why;
	struct pr_list_ref *list =
	    pr_inventory_list_containers(inv, deadline, &why);
	const struct pr_listed *all;
	struct volume_user *users;
	size_t n, found = 0;
	bool known = list != NULL;

	if (!known)
		return false;
	all = pr_list_items(list, &n);
	users = pr_arena_array(a, n + 1, sizeof *users);
	for (size_t i = 0; i < n && known; i++) {
		if (has_volume(&all[i], o->id))
			known = read_user(
			    inv, a, p, &all[i], deadline, &users[found++]);
	}
	pr_list_unref(list);
	if (known)
		volume_give(users, found, o);
	return known;
}

const struct pr_object *
volume_of_containers(struct pr_judge *j, struct pr_arena *a,
    const struct pr_policy *p, const struct pr_object *o, bool may_wait,
    uint64_t deadline)
{
	struct pr_object *copy;

	if (!volume_is_nameless(p, o))
		return o;
	if (!may_wait)
		return NULL;
	copy = pr_arena_copy(a, o, sizeof *o);
	if (!read_users(j->inventory, a, p, copy, deadline))
		copy->presence = PR_PRESENCE_UNKNOWN;
	return copy;
}
