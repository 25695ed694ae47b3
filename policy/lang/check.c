/* SPDX-License-Identifier: Apache-2.0 */
/* Warnings: what a policy says, and its writer may not mean. */
#include <string.h>

#include "load.h"

static bool
allows(const struct pr_role *r, enum pr_op op)
{
	return pr_opset_has(&r->allow, op) && !pr_opset_has(&r->deny, op);
}

static bool
allows_everything(const struct pr_role *r)
{
	for (int op = PR_OP_UNKNOWN + 1; op < PR_OP_COUNT; op++) {
		if (!pr_opset_has(&r->allow, (enum pr_op)op))
			return false;
	}
	return true;
}

/* semantics 3.2 */
static void
check_run(struct load *ld, const struct pr_role *r)
{
	static const struct {
		enum pr_op op;
		const char *verb;
	} needed[] = {
	    {PR_OP_CONTAINER_ATTACH, "attach"},
	    {PR_OP_CONTAINER_START, "start"},
	    {PR_OP_CONTAINER_WAIT, "wait"},
	    {PR_OP_CONTAINER_RESIZE, "resize"},
	    {PR_OP_CONTAINER_LOGS, "logs"},
	};
	const char *missing = NULL;

	if (!allows(r, PR_OP_CONTAINER_CREATE))
		return;
	for (size_t i = 0; i < PR_COUNT(needed); i++) {
		if (allows(r, needed[i].op))
			continue;
		missing = missing == NULL
		    ? needed[i].verb
		    : pr_arena_printf(
			  ld->l.tree, "%s, %s", missing, needed[i].verb);
	}
	if (missing != NULL)
		lang_warn(&ld->l, r->loc, NULL,
		    "role \"%.*s\" allows container.create without %s: "
		    "docker run will fail",
		    PR_STRF(r->name), missing);
}

/* semantics 5.11 */
static void
check_build(struct load *ld, const struct pr_role *r)
{
	if (allows(r, PR_OP_BUILD_RUN) && !allows_everything(r))
		lang_warn(&ld->l, r->loc, NULL,
		    "role \"%.*s\" allows build.run: a legacy build runs any "
		    "FROM, and RUN without limits",
		    PR_STRF(r->name));
}

static void
check_grant(struct load *ld, const struct pr_grant *g)
{
	const struct pr_role *r = &ld->p->roles[g->role];

	if (g->profile < 0 && allows(r, PR_OP_CONTAINER_CREATE))
		lang_warn(&ld->l, g->loc,
		    "add a profile, or \"profile: unrestricted\"",
		    "grant \"%.*s\" has no profile, so container.create of "
		    "its role \"%.*s\" is denied",
		    PR_STRF(g->id), PR_STRF(r->name));
}

/* Where the tag or digest of an image pattern begins, or its end. */
static size_t
tag_at(struct pr_str s)
{
	size_t at = pr_str_find(s, '@');

	for (size_t i = at; i > 0 && s.p[i - 1] != '/'; i--) {
		if (s.p[i - 1] == ':')
			return i - 1;
	}
	return at;
}

static void
check_image_entry(
    struct load *ld, const struct pr_leaf *allow, struct pr_str entry)
{
	if (tag_at(entry) < entry.n || pr_str_find(entry, '*') < entry.n)
		return;
	lang_warn(&ld->l, allow->loc,
	    "write its tag or digest, or \":*\" for all of them",
	    "images.allow names the repository \"%.*s\" without a tag: every "
	    "tag of it may be run, and a pull takes them all",
	    PR_STRF(entry));
}

static void
check_write(struct load *ld, const struct pr_profile *p)
{
	const struct pr_leaf *allow = &p->leaf[PR_KEY_IMAGES_ALLOW];
	const struct pr_leaf *write = &p->leaf[PR_KEY_IMAGES_WRITE];

	for (size_t i = 0; i < write->list.n; i++) {
		for (size_t j = 0; j < allow->list.n; j++) {
			struct pr_str w = write->list.v[i];
			struct pr_str a = allow->list.v[j];

			if (!value_globs_meet(&ld->l,
				pr_str_sub(w, 0, tag_at(w)),
				pr_str_sub(a, 0, tag_at(a)), '/'))
				continue;
			lang_warn(&ld->l, write->loc, NULL,
			    "images.write \"%.*s\" of profile \"%.*s\" "
			    "overlaps images.allow \"%.*s\": who may build "
			    "that name chooses what runs under it",
			    PR_STRF(w), PR_STRF(p->name), PR_STRF(a));
			if (allow->given)
				lang_note(
				    &ld->l, allow->loc, "images.allow is here");
			break;
		}
	}
}

static bool
wrote(const struct pr_profile *p, enum pr_profile_key key)
{
	return p->leaf[key].given && pr_str_eq(p->leaf[key].profile, p->name);
}

static void
check_profile(struct load *ld, const struct pr_profile *p)
{
	const struct pr_leaf *allow = &p->leaf[PR_KEY_IMAGES_ALLOW];
	const struct pr_leaf *protect = &p->leaf[PR_KEY_PROTECTED];
	const struct pr_leaf *opaque = &p->leaf[PR_KEY_BUILD_OPAQUE];

	if (wrote(p, PR_KEY_PROTECTED) && pr_str_is(protect->word, "allow"))
		lang_warn(&ld->l, protect->loc, NULL,
		    "mounts.protected: allow is root on the host for whoever "
		    "gets the profile \"%.*s\"",
		    PR_STRF(p->name));
	if (wrote(p, PR_KEY_BUILD_OPAQUE) && opaque->b)
		lang_warn(&ld->l, opaque->loc, NULL,
		    "build.opaque: nobody can look into BuildKit; whoever "
		    "gets the profile \"%.*s\" builds any name, with the "
		    "host's network, from any remote",
		    PR_STRF(p->name));
	for (size_t i = 0; wrote(p, PR_KEY_IMAGES_ALLOW) && i < allow->list.n;
	     i++)
		check_image_entry(ld, allow, allow->list.v[i]);
	if (wrote(p, PR_KEY_IMAGES_ALLOW) || wrote(p, PR_KEY_IMAGES_WRITE))
		check_write(ld, p);
	if (p->extends >= 0)
		load_check_looser(ld, p, &ld->p->profiles[p->extends]);
}

void
load_check(struct load *ld)
{
	const struct pr_policy *p = ld->p;

	if (p->n_hosts == 0)
		lang_warn(&ld->l, (struct pr_loc){0}, "hosts: {\"*\": [dev]}",
		    "the policy has no \"hosts\": no daemon serves any phase, "
		    "and all is denied");
	for (size_t i = 0; i < p->n_teams; i++) {
		if (p->teams[i].anonymous)
			lang_warn(&ld->l, p->teams[i].loc, NULL,
			    "team \"%.*s\" takes callers without any "
			    "identity: whoever reaches the daemon's socket",
			    PR_STRF(p->teams[i].name));
	}
	for (size_t i = 0; i < p->n_roles; i++) {
		check_run(ld, &p->roles[i]);
		check_build(ld, &p->roles[i]);
	}
	for (size_t i = 1; i < p->n_profiles; i++)
		check_profile(ld, &p->profiles[i]);
	for (size_t i = 0; i < p->n_grants; i++)
		check_grant(ld, &p->grants[i]);
}
