/* SPDX-License-Identifier: Apache-2.0 */
/* Sections of a policy that refer to others: roles, grants, tests. */
#include <stdlib.h>
#include <string.h>

#include <portreeve/caps.h>
#include <portreeve/sign.h>

#include "load.h"

#define MAX_KEY 255 /* libyaml takes keys up to 1,024 as they are printed */

static const char *const section_words[SEC_COUNT] = {
    [SEC_TEAMS] = "team",
    [SEC_PHASES] = "phase",
    [SEC_ROLES] = "role",
    [SEC_PROFILES] = "profile",
};

/* The names of a section, for did-you-mean. */
static const char **
names_of(struct load *ld, enum section s, size_t *n)
{
	const struct entries *list = &ld->sec[s];
	const char **v = pr_arena_array(ld->l.tree, list->n + 1, sizeof *v);

	for (*n = 0; *n < list->n; (*n)++)
		v[*n] = pr_arena_strdup(ld->l.tree, list->v[*n].name);
	if (s == SEC_PROFILES)
		v[(*n)++] = "unrestricted";
	return v;
}

int
load_ref(struct load *ld, enum section s, const struct ynode *n)
{
	int i = n != NULL ? load_find(ld->p, s, n->s) : -1;
	const char **names;
	size_t count;

	if (i >= 0 || n == NULL)
		return i;
	/* looking for what is near costs more than the error is worth when
	 * nobody sees it */
	if (ld->l.errors >= LANG_MAX_DIAGS) {
		lang_error(&ld->l, ynode_loc(n), NULL, "unknown name");
		return -1;
	}
	names = names_of(ld, s, &count);
	lang_error(&ld->l, ynode_loc(n),
	    pr_str_is(n->s, "*") ? "\"*\" cannot stand here"
				 : lang_meant(&ld->l, n->s, names, count, NULL),
	    "unknown %s \"%.*s\"", section_words[s], PR_STRF(n->s));
	return -1;
}

static void
report_cycle(struct load *ld, enum section s, const int *extends, int at)
{
	const struct entry *v = ld->sec[s].v;
	const char *chain = pr_arena_strdup(ld->l.tree, v[at].name);
	int i = at;

	do {
		i = extends[i];
		chain = pr_arena_printf(
		    ld->l.tree, "%s -> %.*s", chain, PR_STRF(v[i].name));
	} while (i != at && strlen(chain) < 400);
	lang_error(&ld->l, ynode_loc(v[at].key), NULL, "%s extends itself: %s",
	    section_words[s], chain);
}

unsigned *
load_extends_order(struct load *ld, enum section s, int *extends, size_t n)
{
	enum {
		NEW,
		OPEN,
		DONE
	};
	unsigned *order = pr_arena_array(ld->l.tree, n, sizeof *order);
	unsigned *path = pr_arena_array(ld->l.tree, n, sizeof *path);
	uint8_t *state = pr_arena_array(ld->l.tree, n, 1);
	size_t done = 0;

	for (size_t i = 0; i < n; i++) {
		size_t depth = 0;
		int at = (int)i;

		while (at >= 0 && state[at] == NEW) {
			state[at] = OPEN;
			path[depth++] = (unsigned)at;
			at = extends[at];
		}
		if (at >= 0 && state[at] == OPEN) {
			report_cycle(ld, s, extends, at);
			extends[path[depth - 1]] = -1;
		}
		while (depth > 0) {
			state[path[--depth]] = DONE;
			order[done++] = path[depth];
		}
	}
	return order;
}

/* -- roles -- */

static void
unite(struct pr_opset *to, const struct pr_opset *from)
{
	for (size_t i = 0; i < PR_COUNT(to->bits); i++)
		to->bits[i] |= from->bits[i];
}

static int
load_role(struct load *ld, const struct entry *e, struct pr_role *r)
{
	struct raw_role raw = {0};

	if (!value_name(&ld->l, e->key, "role", true) ||
	    !schema_read(&ld->l, e->value, &role_table, &raw))
		return -1;
	r->own_allow = load_verbs(ld, raw.allow);
	r->own_deny = load_verbs(ld, raw.deny);
	return raw.extends != NULL ? load_ref(ld, SEC_ROLES, raw.extends) : -1;
}

void
load_roles(struct load *ld)
{
	struct entries *list = &ld->sec[SEC_ROLES];
	struct pr_policy *p = ld->p;
	const unsigned *order;
	int *extends;

	if (list->n > PR_CAP_ROLES) {
		lang_error(&ld->l, ynode_loc(list->v[PR_CAP_ROLES].key), NULL,
		    "more than %zu roles", PR_CAP_ROLES);
		list->n = PR_CAP_ROLES;
	}
	p->roles = pr_arena_array(ld->l.arena, list->n, sizeof *p->roles);
	p->n_roles = list->n;
	extends = pr_arena_array(ld->l.tree, list->n, sizeof *extends);
	for (size_t i = 0; i < list->n; i++) {
		p->roles[i].name = value_keep(&ld->l, list->v[i].key);
		p->roles[i].loc = ynode_loc(list->v[i].key);
	}
	for (size_t i = 0; i < list->n; i++)
		extends[i] = load_role(ld, &list->v[i], &p->roles[i]);
	order = load_extends_order(ld, SEC_ROLES, extends, list->n);
	for (size_t i = 0; i < list->n; i++) {
		struct pr_role *r = &p->roles[order[i]];

		r->extends = extends[order[i]];
		r->allow = r->own_allow;
		r->deny = r->own_deny;
		if (r->extends >= 0) {
			unite(&r->allow, &p->roles[r->extends].allow);
			unite(&r->deny, &p->roles[r->extends].deny);
		}
	}
}

/* -- grants -- */

static void
load_owner(struct load *ld, struct pr_grant *g, const struct ynode *n)
{
	unsigned *v;

	if (n == NULL || (n->type == Y_SCALAR && pr_str_is(n->s, "own")))
		return;
	if (n->type == Y_SCALAR) {
		g->owner = PR_OWNER_ANY;
		return;
	}
	g->owner = PR_OWNER_TEAMS;
	v = pr_arena_array(ld->l.arena, n->n, sizeof *v);
	Y_EACH(n, e)
	{
		int i = load_ref(ld, SEC_TEAMS, e);

		if (i >= 0)
			v[g->n_owner_teams++] = (unsigned)i;
	}
	g->owner_teams = v;
	if (n->n == 0)
		lang_error(&ld->l, ynode_loc(n), NULL,
		    "the list of owner teams is empty");
}

/* Public keys, in their one spelling (portreeve/sign.h). */
static struct pr_strs
load_keys(struct load *ld, const struct ynode *list)
{
	struct pr_public_key key;

	if (list != NULL) {
		Y_EACH(list, e)
		{
			if (!pr_public_key_read(e->s, &key))
				lang_error(&ld->l, ynode_loc(e),
				    "portreeve promote --key FILE --public "
				    "prints it",
				    "\"%.*s\" is no public key: ed25519: and "
				    "44 characters of base64",
				    PR_STRF(pr_str_sub(e->s, 0, 80)));
		}
	}
	return value_strs(&ld->l, list);
}

static void
load_promoted(struct load *ld, struct pr_grant *g, const struct ynode *n)
{
	struct raw_promoted raw = {0};

	if (n == NULL)
		return;
	(void)schema_read(&ld->l, n, &promoted_table, &raw);
	g->promoted_phase = load_ref(ld, SEC_PHASES, raw.phase);
	if (raw.min_runtime != NULL)
		(void)value_duration(
		    &ld->l, raw.min_runtime, &g->promoted_runtime);
	g->promoted_via = load_keys(ld, raw.via);
}

static void
load_grant(struct load *ld, const struct entry *e, struct pr_grant *g)
{
	struct raw_grant raw = {0};
	int role;

	g->team = g->profile = g->promoted_phase = -1;
	(void)schema_read(&ld->l, e->value, &grant_table, &raw);
	if (raw.team != NULL && !pr_str_is(raw.team->s, "*"))
		g->team = load_ref(ld, SEC_TEAMS, raw.team);
	role = load_ref(ld, SEC_ROLES, raw.role);
	g->role = role >= 0 ? (unsigned)role : 0;
	g->phases = load_phase_mask(ld, raw.phases, &g->all_phases);
	if (raw.profile != NULL)
		g->profile = load_ref(ld, SEC_PROFILES, raw.profile);
	load_owner(ld, g, raw.owner);
	g->stored_specs_any = raw.stored_specs != NULL;
	load_promoted(ld, g, raw.promoted_from);
}

static void
index_grants(struct load *ld)
{
	struct pr_policy *p = ld->p;
	size_t *count =
	    pr_arena_array(ld->l.tree, p->n_teams + 1, sizeof *count);
	unsigned **to = pr_arena_array(ld->l.tree, p->n_teams + 1, sizeof *to);

	p->grants_of =
	    pr_arena_array(ld->l.arena, p->n_teams + 1, sizeof *p->grants_of);
	for (size_t i = 0; i < p->n_grants; i++)
		count[p->grants[i].team < 0 ? p->n_teams
					    : (size_t)p->grants[i].team]++;
	for (size_t t = 0; t <= p->n_teams; t++) {
		to[t] = pr_arena_array(ld->l.arena, count[t], sizeof **to);
		p->grants_of[t].v = to[t];
	}
	for (size_t i = 0; i < p->n_grants; i++) {
		size_t t = p->grants[i].team < 0 ? p->n_teams
						 : (size_t)p->grants[i].team;

		to[t][p->grants_of[t].n++] = (unsigned)i;
	}
}

void
load_grants(struct load *ld)
{
	struct entries *list = &ld->sec[SEC_GRANTS];
	struct pr_policy *p = ld->p;

	p->grants = pr_arena_array(ld->l.arena, list->n, sizeof *p->grants);
	p->n_grants = list->n;
	for (size_t i = 0; i < list->n; i++) {
		p->grants[i].id = value_keep(&ld->l, list->v[i].key);
		p->grants[i].loc = ynode_loc(list->v[i].value);
		load_grant(ld, &list->v[i], &p->grants[i]);
	}
	index_grants(ld);
}

/* -- tests -- */

static enum pr_kind
kind_of(const struct ynode *n)
{
	for (int k = 0; n != NULL && k < PR_KIND_COUNT; k++) {
		if (pr_str_is(n->s, pr_kind_name((enum pr_kind)k)))
			return (enum pr_kind)k;
	}
	return PR_KIND_CONTAINER;
}

/*
 * Labels may say anything, so an object may belong to a team that the policy
 * does not know; but a name that is nearly one of its own is a slip.
 */
static struct pr_str
given_name(struct load *ld, enum section s, const struct ynode *n)
{
	const char **names, *hint;
	size_t count;

	if (n == NULL)
		return (struct pr_str){NULL, 0};
	if (load_find(ld->p, s, n->s) < 0 && ld->l.warnings < LANG_MAX_DIAGS) {
		names = names_of(ld, s, &count);
		hint = lang_meant(&ld->l, n->s, names, count, NULL);
		if (hint != NULL)
			lang_warn(&ld->l, ynode_loc(n), hint,
			    "the policy has no %s \"%.*s\"", section_words[s],
			    PR_STRF(n->s));
	}
	return value_keep(&ld->l, n);
}

static void
load_given(struct load *ld, struct pr_policy_test *t, const struct ynode *map)
{
	struct pr_given *v = pr_arena_array(ld->l.arena, map->n, sizeof *v);

	Y_EACH_PAIR(map, k, n)
	{
		struct raw_given raw = {0};
		struct pr_given *g = &v[t->n_given];

		if (k->bad || !schema_read(&ld->l, n, &given_table, &raw))
			continue;
		if (k->s.n == 0 || k->s.n > MAX_KEY) {
			lang_error(&ld->l, ynode_loc(k), NULL,
			    "an object's name has 1 to %d bytes", MAX_KEY);
			continue;
		}
		g->name = value_keep(&ld->l, k);
		g->kind = kind_of(raw.kind);
		g->absent = value_bool(raw.absent);
		g->team = given_name(ld, SEC_TEAMS, raw.team);
		g->phase = given_name(ld, SEC_PHASES, raw.phase);
		t->n_given++;
	}
	t->given = v;
}

/* "alice@payments+ops": the teams must be there. */
static void
check_as(struct load *ld, const struct ynode *n)
{
	struct pr_str teams = n->s;
	struct pr_str who = pr_str_cut(&teams, '@');
	size_t at = who.n + 1;

	if (who.n == 0)
		lang_error(&ld->l, ynode_loc(n), "as alice@payments+ops",
		    "the subject has no name");
	while (teams.p != NULL) {
		struct ynode team = *n;

		team.s = pr_str_cut(&teams, '+');
		/* the string may be quoted; then the place is one more */
		team.col += (unsigned)at + !n->plain;
		team.len = (unsigned)team.s.n;
		at += team.s.n + 1;
		(void)load_ref(ld, SEC_TEAMS, &team);
	}
}

static void
load_what(struct load *ld, struct pr_policy_test *t, const struct ynode *n,
    const struct raw_test *raw)
{
	struct raw_request rq = {0};

	if ((ynode_get(n, "do") != NULL) == (ynode_get(n, "request") != NULL)) {
		lang_error(&ld->l, t->loc, NULL,
		    "a test has either \"do\" or \"request\"");
		return;
	}
	if (raw->command != NULL) {
		t->command = value_keep(&ld->l, raw->command);
		if (!pr_str_starts(t->command, "docker "))
			lang_error(&ld->l, ynode_loc(raw->command),
			    "as \"docker run alpine\"",
			    "\"do\" is a docker command");
		return;
	}
	if (raw->request == NULL ||
	    !schema_read(&ld->l, raw->request, &request_table, &rq))
		return;
	t->method = value_keep(&ld->l, rq.method);
	t->target = value_keep(&ld->l, rq.target);
	if (rq.body != NULL)
		t->body = value_keep(&ld->l, rq.body);
}

static void
load_test(struct load *ld, const struct ynode *n, struct pr_policy_test *t)
{
	struct raw_test raw = {0};

	t->loc = ynode_loc(n);
	if (n->type != Y_MAP || n->bad) {
		(void)schema_read(&ld->l, n, &test_table, &raw);
		return;
	}
	(void)schema_read(&ld->l, n, &test_table, &raw);
	load_what(ld, t, n, &raw);
	if (raw.as != NULL) {
		t->as = value_keep(&ld->l, raw.as);
		check_as(ld, raw.as);
	}
	t->host = raw.host != NULL ? value_keep(&ld->l, raw.host) : t->host;
	t->door = raw.door != NULL ? value_keep(&ld->l, raw.door) : t->door;
	t->at = raw.at != NULL ? value_keep(&ld->l, raw.at) : t->at;
	t->by = raw.by != NULL ? value_keep(&ld->l, raw.by) : t->by;
	if (raw.at != NULL && !value_time(raw.at->s, &t->when))
		lang_error(&ld->l, ynode_loc(raw.at),
		    "as \"2026-11-27T17:00:00+01:00\" or with Z for UTC",
		    "not a time");
	if (raw.given != NULL)
		load_given(ld, t, raw.given);
	if (raw.expect == NULL)
		return;
	t->expect_allow = pr_str_is(raw.expect->s, "allow");
	t->expect_would_deny = pr_str_is(raw.expect->s, "would-deny");
}

void
load_tests(struct load *ld)
{
	struct entries *list = &ld->sec[SEC_TESTS];
	struct pr_policy *p = ld->p;

	p->tests = pr_arena_array(ld->l.arena, list->n, sizeof *p->tests);
	p->n_tests = list->n;
	for (size_t i = 0; i < list->n; i++)
		load_test(ld, list->v[i].value, &p->tests[i]);
}
