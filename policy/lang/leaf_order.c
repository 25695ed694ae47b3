/* SPDX-License-Identifier: Apache-2.0 */
/* When a leaf lets through what another does not: for a warning, no more. */
#include <string.h>

#include "leaf.h"

/* Words from strict to loose; a key's words that are in no row are equal. */
static const char *const looser_words[] = {"deny|allow", "none|own|any|devices",
    "required|any", "default|any", "non-root|any"};

static int
rank(const char *row, struct pr_str word)
{
	struct pr_str rest = pr_str_of(row);

	for (int i = 0; rest.p != NULL; i++) {
		if (pr_str_eq(pr_str_cut(&rest, '|'), word))
			return i;
	}
	return -1;
}

static bool
word_is_looser(struct pr_str child, struct pr_str parent)
{
	for (size_t i = 0; i < PR_COUNT(looser_words); i++) {
		int c = rank(looser_words[i], child);
		int p = rank(looser_words[i], parent);

		if (c >= 0 && p >= 0)
			return c > p;
	}
	return false;
}

/* An entry of a list that some entry of the other covers. */
static bool
is_covered(struct pr_str s, const struct pr_strs *by)
{
	for (size_t i = 0; i < by->n; i++) {
		struct pr_str p = by->v[i];

		if (pr_str_eq_nocase(p, s) || pr_glob(p, s, '/'))
			return true;
		/* read-only is within read-write */
		if (pr_str_ends(s, ":ro") &&
		    pr_glob(p, pr_str_sub(s, 0, s.n - 3), '/'))
			return true;
	}
	return false;
}

static bool
list_is_looser(struct load *ld, bool demand, const struct pr_leaf *child,
    const struct pr_leaf *parent, const char **how)
{
	const struct pr_strs *of = demand ? &parent->list : &child->list;
	const struct pr_strs *in = demand ? &child->list : &parent->list;

	for (size_t i = 0; i < of->n; i++) {
		if (is_covered(of->v[i], in))
			continue;
		*how = pr_arena_printf(ld->l.tree, "%s \"%.*s\"",
		    demand ? "it no longer has" : "it adds", PR_STRF(of->v[i]));
		return true;
	}
	return false;
}

static bool
range_is_looser(const struct pr_range *c, const struct pr_range *p)
{
	return (c->optional && !p->optional) ||
	    (p->has_lo && (!c->has_lo || c->lo < p->lo)) ||
	    (p->has_hi && (!c->has_hi || c->hi > p->hi));
}

static bool
ranges_are_looser(struct load *ld, const struct pr_leaf *child,
    const struct pr_leaf *parent, const char **how)
{
	for (size_t i = 0; i < parent->n_ranges; i++) {
		const struct pr_range *p = &parent->ranges[i], *c = NULL;

		for (size_t j = 0; j < child->n_ranges; j++) {
			if (pr_str_eq(child->ranges[j].name, p->name))
				c = &child->ranges[j];
		}
		if (c != NULL && !range_is_looser(c, p))
			continue;
		*how = pr_arena_printf(
		    ld->l.tree, "it was \"%.*s\"", PR_STRF(p->text));
		return true;
	}
	return false;
}

static bool
ports_are_looser(const struct pr_range *c, const struct pr_range *p)
{
	if (c->lo > c->hi) /* none */
		return false;
	return p->lo > p->hi || c->lo < p->lo || c->hi > p->hi;
}

static bool
requests_are_looser(const struct pr_leaf *child, const struct pr_leaf *parent)
{
	for (size_t i = 0; i < child->n_requests; i++) {
		const struct pr_device_request *c = &child->requests[i];
		bool found = false;

		for (size_t j = 0; j < parent->n_requests && !found; j++) {
			const struct pr_device_request *p =
			    &parent->requests[j];

			found = pr_glob(p->driver, c->driver, '\0') &&
			    (p->count == -1 ||
				(c->count != -1 && c->count <= p->count));
			for (size_t k = 0; k < c->capabilities.n; k++)
				found = found &&
				    is_covered(
					c->capabilities.v[k], &p->capabilities);
		}
		if (!found)
			return true;
	}
	return false;
}

bool
leaf_is_looser(struct load *ld, enum pr_profile_key key,
    const struct pr_leaf *child, const struct pr_leaf *parent, const char **how)
{
	bool demand = profile_key_is_demand(key);

	*how = "it was not";
	if (demand && !parent->made)
		return false;
	*how = "what it demanded is gone";
	if (demand && !child->made)
		return true;
	*how = NULL;
	switch (pr_profile_key(key)->type) {
	case PR_LEAF_BOOL:
		*how = "it was false";
		return !demand && child->b && !parent->b;
	case PR_LEAF_WORD:
		*how = pr_arena_printf(
		    ld->l.tree, "it was %.*s", PR_STRF(parent->word));
		return word_is_looser(child->word, parent->word);
	case PR_LEAF_BOOL_OR_LIST:
		*how = "it was false";
		if (child->b && !parent->b)
			return true;
		return list_is_looser(ld, demand, child, parent, how);
	case PR_LEAF_ANY_OR_LIST:
		*how = "it was a list";
		if (parent->b)
			return false;
		return child->b ||
		    list_is_looser(ld, demand, child, parent, how);
	case PR_LEAF_LIST:
		return list_is_looser(ld, demand, child, parent, how);
	case PR_LEAF_RANGE:
	case PR_LEAF_RANGES:
		return ranges_are_looser(ld, child, parent, how);
	case PR_LEAF_PORTS:
		*how = pr_arena_printf(
		    ld->l.tree, "it was %.*s", PR_STRF(parent->ranges[0].text));
		return ports_are_looser(child->ranges, parent->ranges);
	case PR_LEAF_REQUESTS:
		*how = "it asks for more devices";
		return requests_are_looser(child, parent);
	}
	return false;
}

void
load_check_looser(struct load *ld, const struct pr_profile *child,
    const struct pr_profile *parent)
{
	for (int k = 0; k < PR_KEY_COUNT; k++) {
		const struct pr_leaf *c = &child->leaf[k];
		const char *how;

		if (!c->given || !pr_str_eq(c->profile, child->name) ||
		    !leaf_is_looser(
			ld, (enum pr_profile_key)k, c, &parent->leaf[k], &how))
			continue;
		lang_warn(&ld->l, c->loc, NULL,
		    "%.*s.%s is looser than in \"%.*s\", which it extends: "
		    "%s",
		    PR_STRF(child->name),
		    pr_profile_key((enum pr_profile_key)k)->path,
		    PR_STRF(parent->name), how);
		if (parent->leaf[k].given)
			lang_note(&ld->l, parent->leaf[k].loc,
			    "the stricter value is here");
	}
}
