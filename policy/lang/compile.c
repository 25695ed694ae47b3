/* SPDX-License-Identifier: Apache-2.0 */
/* Sections of a policy, from nodes to the snapshot: what stands alone. */
#include <stdlib.h>
#include <string.h>

#include <portreeve/caps.h>
#include <portreeve/dn.h>

#include "load.h"
#include "zone.h"

#define MAX_VERBS 128
#define MAX_HOST  255

void
load_top(struct load *ld)
{
	struct raw_labels raw = {0};

	if (ld->version == NULL && ld->l.errors == 0)
		lang_error(&ld->l, (struct pr_loc){0}, NULL,
		    "the policy does not say its \"version\"; write version: "
		    "1");
	if (ld->labels == NULL ||
	    !schema_read(&ld->l, ld->labels, &labels_table, &raw))
		return;
	if (raw.team != NULL)
		ld->p->label_team = value_keep(&ld->l, raw.team);
	if (raw.phase != NULL)
		ld->p->label_phase = value_keep(&ld->l, raw.phase);
	if (raw.team != NULL && raw.phase != NULL &&
	    pr_str_eq(raw.team->s, raw.phase->s))
		lang_error(&ld->l, ynode_loc(raw.phase), NULL,
		    "owner and phase cannot be in the same label");
}

/* A resource's set of verbs. */
static void
add_verbs(struct load *ld, struct pr_opset *set, const struct ynode *key,
    const struct ynode *list)
{
	enum pr_resource r = pr_resource_of(key->s);
	const char *names[MAX_VERBS];
	size_t n;

	if (r == PR_RES_COUNT) {
		for (n = 0; n < PR_RES_COUNT; n++)
			names[n] = pr_resource_name((enum pr_resource)n);
		lang_error(&ld->l, ynode_loc(key),
		    lang_meant(&ld->l, key->s, names, n,
			"portreeve api lists resources and verbs"),
		    "unknown resource \"%.*s\"", PR_STRF(key->s));
		return;
	}
	Y_EACH(list, v)
	{
		if (v->bad || v->type != Y_SCALAR || v->s.n == 0 ||
		    pr_opset_add_verb(set, r, v->s))
			continue;
		n = pr_api_verbs(r, names, PR_COUNT(names));
		lang_error(&ld->l, ynode_loc(v),
		    lang_meant(&ld->l, v->s, names, n,
			"portreeve api lists resources and verbs"),
		    "unknown action \"%.*s.%.*s\"", PR_STRF(key->s),
		    PR_STRF(v->s));
	}
}

struct pr_opset
load_verbs(struct load *ld, const struct ynode *map)
{
	struct pr_opset set = {{0}};

	if (map == NULL)
		return set;
	Y_EACH_PAIR(map, k, v)
	{
		if (k->bad || v->bad || v->type != Y_LIST)
			continue;
		if (!pr_str_is(k->s, "*")) {
			add_verbs(ld, &set, k, v);
			continue;
		}
		if (v->n != 1 || v->first->type != Y_SCALAR ||
		    !pr_str_is(v->first->s, "*")) {
			lang_error(&ld->l, ynode_loc(v),
			    "write \"*\": [\"*\"], or name the resources",
			    "the resource \"*\" has the verb \"*\" only");
			continue;
		}
		for (int r = 0; r < PR_RES_COUNT; r++)
			(void)pr_opset_add_verb(
			    &set, (enum pr_resource)r, PR_STR("*"));
	}
	return set;
}

pr_phase_mask
load_phase_mask(struct load *ld, const struct ynode *list, bool *all)
{
	pr_phase_mask mask = 0;

	if (list == NULL || list->type != Y_LIST)
		return 0;
	Y_EACH(list, e)
	{
		int i;

		if (e->bad || e->type != Y_SCALAR)
			continue;
		if (all != NULL && pr_str_is(e->s, "*")) {
			*all = true;
			continue;
		}
		i = load_ref(ld, SEC_PHASES, e);
		if (i >= 0)
			mask |= UINT64_C(1) << i;
	}
	if (all != NULL && *all && list->n > 1)
		lang_error(&ld->l, ynode_loc(list), NULL,
		    "\"*\" stands alone: it means every phase");
	if (list->n == 0)
		lang_error(&ld->l, ynode_loc(list), NULL,
		    "the list of phases is empty");
	return mask;
}

/* -- teams -- */

static void
check_issuer(struct load *ld, const struct ynode *issuer)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf b = PR_BUF_INIT;

	if (issuer != NULL && !pr_dn_normalise(issuer->s, &b))
		lang_error(&ld->l, ynode_loc(issuer),
		    "as in \"CN=Acme User CA,O=Acme\" (RFC 4514)",
		    "not a distinguished name");
}

static const struct pr_cert_pattern *
cert_patterns(struct load *ld, const struct ynode *list,
    const struct ynode *issuer, size_t *n)
{
	struct pr_cert_pattern *v;
	struct pr_str by = {NULL, 0};

	*n = 0;
	check_issuer(ld, issuer);
	if (list == NULL) {
		if (issuer != NULL)
			lang_error(&ld->l, ynode_loc(issuer), NULL,
			    "\"issuer\" without \"cert\" means nothing");
		return NULL;
	}
	if (issuer != NULL)
		by = value_keep(&ld->l, issuer);
	v = pr_arena_array(ld->l.arena, list->n, sizeof *v);
	Y_EACH(list, e)
	{
		if (value_glob(&ld->l, e, false))
			v[(*n)++] =
			    (struct pr_cert_pattern){value_keep(&ld->l, e), by};
	}
	return v;
}

static void
add_groups(struct load *ld, const struct ynode *list, unsigned team)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf b = PR_BUF_INIT;

	Y_EACH(list, e)
	{
		pr_buf_reset(&b);
		if (!pr_dn_pattern(e->s, &b) || b.n == 0)
			lang_error(&ld->l, ynode_loc(e),
			    "as in \"cn=payments,ou=groups,dc=acme,dc=com\"; "
			    "* stands for anything in one value",
			    "not the DN of a group");
		else
			group_index_add(
			    ld->l.arena, ld->p->groups, pr_buf_view(&b), team);
	}
}

static void
load_team(struct load *ld, const struct entry *e, struct pr_team *t)
{
	struct raw_team raw = {0};
	struct raw_require req = {0};

	t->acts_for = -1;
	if (!value_name(&ld->l, e->key, "team", false) ||
	    !schema_read(&ld->l, e->value, &team_table, &raw))
		return;
	if (raw.ldap != NULL)
		add_groups(ld, raw.ldap, (unsigned)(t - ld->p->teams));
	t->ldap = value_strs(&ld->l, raw.ldap);
	t->cert = cert_patterns(ld, raw.cert, raw.issuer, &t->n_cert);
	t->anonymous = value_bool(raw.anonymous);
	if (raw.contact != NULL)
		t->contact = value_keep(&ld->l, raw.contact);
	if (raw.require == NULL ||
	    !schema_read(&ld->l, raw.require, &require_table, &req))
		return;
	t->require = cert_patterns(ld, req.cert, req.issuer, &t->n_require);
	if (req.cert->n == 0)
		lang_error(&ld->l, ynode_loc(req.cert), NULL,
		    "an empty second factor would let nobody in");
}

/* After all teams have their names. */
static void
load_acts_for(struct load *ld)
{
	struct pr_policy *p = ld->p;

	for (size_t i = 0; i < p->n_teams; i++) {
		const struct entry *e = &ld->sec[SEC_TEAMS].v[i];
		const struct ynode *n = e->value->type == Y_MAP
		    ? ynode_get(e->value, "acts_for")
		    : NULL;

		if (n != NULL && n->type == Y_SCALAR && n->s.n > 0 && !n->bad)
			p->teams[i].acts_for = load_ref(ld, SEC_TEAMS, n);
	}
	for (size_t i = 0; i < p->n_teams; i++) {
		int to = p->teams[i].acts_for;

		if (to >= 0 && p->teams[to].acts_for >= 0)
			lang_error(&ld->l, p->teams[i].loc, NULL,
			    "team \"%.*s\" acts for \"%.*s\", which acts for "
			    "another: there is one level only",
			    PR_STRF(p->teams[i].name),
			    PR_STRF(p->teams[to].name));
	}
}

void
load_teams(struct load *ld)
{
	struct entries *list = &ld->sec[SEC_TEAMS];
	struct pr_policy *p = ld->p;
	size_t patterns = 0;

	p->teams = pr_arena_array(ld->l.arena, list->n, sizeof *p->teams);
	p->n_teams = list->n;
	for (size_t i = 0; i < list->n; i++) {
		const struct ynode *n = list->v[i].value->type == Y_MAP
		    ? ynode_get(list->v[i].value, "ldap")
		    : NULL;

		p->teams[i].name = value_keep(&ld->l, list->v[i].key);
		p->teams[i].loc = ynode_loc(list->v[i].key);
		patterns += n != NULL && n->type == Y_LIST ? n->n : 0;
	}
	p->groups = group_index_new(ld->l.arena, patterns);
	for (size_t i = 0; i < list->n; i++)
		load_team(ld, &list->v[i], &p->teams[i]);
	load_acts_for(ld);
}

/* -- phases -- */

static bool
parse_moment(struct pr_str s, bool end, unsigned *minute)
{
	static const char days[] = "MonTueWedThuFriSatSun";
	struct pr_str time = s;
	struct pr_str day = pr_str_cut(&time, ' ');
	uint64_t h = 0, m = 0;

	time = pr_str_trim(time);
	if (day.n != 3 || time.n != 5 || time.p[2] != ':')
		return false;
	for (size_t i = 0; i < 5; i++) {
		if (i != 2 && (time.p[i] < '0' || time.p[i] > '9'))
			return false;
	}
	h = (uint64_t)(time.p[0] - '0') * 10 + (uint64_t)(time.p[1] - '0');
	m = (uint64_t)(time.p[3] - '0') * 10 + (uint64_t)(time.p[4] - '0');
	if (m > 59 || h > 24 || (h == 24 && (!end || m > 0)))
		return false;
	for (unsigned d = 0; d < 7; d++) {
		if (pr_str_eq_nocase(
			day, (struct pr_str){days + (size_t)d * 3, 3})) {
			*minute =
			    (d * 1440 + (unsigned)(h * 60 + m)) % (7 * 1440);
			return true;
		}
	}
	return false;
}

static const struct pr_zone *
find_zone(struct load *ld, const struct ynode *n, struct pr_str name)
{
	const char *why;
	const struct pr_zone *z;

	for (size_t i = 0; i < ld->n_zones; i++) {
		if (pr_str_eq(ld->zones[i].name, name))
			return ld->zones[i].tz;
	}
	z = zone_load(ld->l.arena, name, &why);
	if (z == NULL)
		lang_error(&ld->l, ynode_loc(n),
		    "a name like Europe/Berlin or UTC, from the package "
		    "tzdata",
		    "time zone \"%.*s\": %s", PR_STRF(name), why);
	else if (ld->n_zones < PR_COUNT(ld->zones)) {
		ld->zones[ld->n_zones].name = name;
		ld->zones[ld->n_zones++].tz = z;
	}
	return z;
}

/* "Fri 16:00..Mon 06:00 Europe/Berlin" */
static bool
load_window(struct load *ld, const struct ynode *n, struct pr_window *w)
{
	struct pr_str rest = n->s, begin, end;
	size_t blank;
	bool good;

	begin = pr_str_cut(&rest, '.');
	good = rest.n > 0 && rest.p[0] == '.';
	rest = pr_str_sub(rest, 1, rest.n);
	rest = pr_str_trim(rest);
	/* the day, the time, the zone */
	blank = pr_str_find(rest, ' ');
	while (blank < rest.n && rest.p[blank] == ' ')
		blank++;
	blank += pr_str_find(pr_str_sub(rest, blank, rest.n), ' ');
	end = pr_str_sub(rest, 0, blank);
	w->zone = pr_str_trim(pr_str_sub(rest, blank, rest.n));
	good = good && parse_moment(pr_str_trim(begin), false, &w->begin) &&
	    parse_moment(end, true, &w->end);
	if (!good || w->zone.n == 0) {
		lang_error(&ld->l, ynode_loc(n),
		    "as \"Fri 16:00..Mon 06:00 Europe/Berlin\"",
		    good ? "the window names no time zone"
			 : "not a window of the week");
		return false;
	}
	if (w->begin == w->end) {
		lang_error(&ld->l, ynode_loc(n), NULL,
		    "the window ends where it begins");
		return false;
	}
	w->tz = find_zone(ld, n, w->zone);
	w->zone = pr_arena_str(ld->l.arena, w->zone);
	return w->tz != NULL;
}

static int
unsigned_order(const void *a, const void *b)
{
	unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;

	return x < y ? -1 : x > y;
}

/* Teams by name: ascending indexes, each once. */
static const unsigned *
team_list(struct load *ld, const struct ynode *list, size_t *n)
{
	unsigned *v;
	size_t kept = 0;

	*n = 0;
	if (list == NULL)
		return NULL;
	v = pr_arena_array(ld->l.arena, list->n, sizeof *v);
	Y_EACH(list, e)
	{
		int i = load_ref(ld, SEC_TEAMS, e);

		if (i >= 0)
			v[(*n)++] = (unsigned)i;
	}
	qsort(v, *n, sizeof *v, unsigned_order);
	for (size_t i = 0; i < *n; i++) {
		if (kept == 0 || v[kept - 1] != v[i])
			v[kept++] = v[i];
	}
	*n = kept;
	return v;
}

struct pr_opset
load_freeze_allow(void)
{
	static const struct pr_str verbs[] = {
	    {"stop", 4}, {"kill", 4}, {"restart", 7}};
	struct pr_opset set = {{0}};

	for (size_t i = 0; i < PR_COUNT(verbs); i++)
		(void)pr_opset_add_verb(&set, PR_RES_CONTAINER, verbs[i]);
	return set;
}

static void
load_freeze(struct load *ld, struct pr_phase *ph, const struct ynode *n)
{
	struct raw_freeze raw = {0};
	struct pr_window *v;

	(void)schema_read(&ld->l, n, &freeze_table, &raw);
	if (raw.allow != NULL)
		ph->freeze_allow = load_verbs(ld, raw.allow);
	if (raw.windows == NULL)
		return;
	v = pr_arena_array(ld->l.arena, raw.windows->n, sizeof *v);
	Y_EACH(raw.windows, e)
	{
		if (load_window(ld, e, &v[ph->n_freeze]))
			ph->n_freeze++;
	}
	ph->freeze = v;
}

/* Except is for later: it names teams. */
static void
load_phase(struct load *ld, const struct entry *e, struct pr_phase *ph)
{
	struct raw_phase raw = {0};

	ph->audit = PR_AUDIT_LEVEL_METADATA;
	ph->freeze_allow = load_freeze_allow();
	/* production trusts no old answers unless it says so (DESIGN 8) */
	ph->directory_stale_ok =
	    pr_str_is(ph->name, "production") ? 0 : UINT64_MAX;
	if (!value_name(&ld->l, e->key, "phase", false) ||
	    !schema_read(&ld->l, e->value, &phase_table, &raw))
		return;
	ph->complain = raw.mode != NULL && pr_str_is(raw.mode->s, "complain");
	if (raw.audit != NULL && pr_str_is(raw.audit->s, "none"))
		ph->audit = PR_AUDIT_LEVEL_NONE;
	else if (raw.audit != NULL && pr_str_is(raw.audit->s, "request"))
		ph->audit = PR_AUDIT_LEVEL_REQUEST;
	if (raw.stale_ok != NULL)
		(void)value_duration(
		    &ld->l, raw.stale_ok, &ph->directory_stale_ok);
	if (raw.freeze != NULL)
		load_freeze(ld, ph, raw.freeze);
}

void
load_phases(struct load *ld)
{
	struct entries *list = &ld->sec[SEC_PHASES];
	struct pr_policy *p = ld->p;

	if (list->n > PR_MAX_PHASES) {
		lang_error(&ld->l, ynode_loc(list->v[PR_MAX_PHASES].key), NULL,
		    "more than %d phases", PR_MAX_PHASES);
		list->n = PR_MAX_PHASES;
	}
	p->phases = pr_arena_array(ld->l.arena, list->n, sizeof *p->phases);
	p->n_phases = list->n;
	for (size_t i = 0; i < list->n; i++) {
		p->phases[i].name = value_keep(&ld->l, list->v[i].key);
		p->phases[i].loc = ynode_loc(list->v[i].key);
		load_phase(ld, &list->v[i], &p->phases[i]);
	}
	if (ld->cluster_phases != NULL)
		p->cluster_phases =
		    load_phase_mask(ld, ld->cluster_phases, NULL);
}

void
load_freeze_excepts(struct load *ld)
{
	for (size_t i = 0; i < ld->p->n_phases; i++) {
		const struct ynode *n = ld->sec[SEC_PHASES].v[i].value;
		struct pr_phase *ph = &ld->p->phases[i];

		n = n->type == Y_MAP ? ynode_get(n, "freeze") : NULL;
		n = n != NULL && n->type == Y_MAP ? ynode_get(n, "except")
						  : NULL;
		if (n != NULL && n->type == Y_LIST)
			ph->freeze_except =
			    team_list(ld, n, &ph->n_freeze_except);
	}
}

/* -- hosts -- */

/*
 * Exact beats glob and a longer literal beginning beats a shorter one; two
 * globs with the same beginning that can match one name are a tie.
 */
static void
check_tie(struct load *ld, const struct pr_host *a, const struct pr_host *b)
{
	size_t la = pr_str_find(a->pattern, '*');
	size_t lb = pr_str_find(b->pattern, '*');

	if (la != lb || la == a->pattern.n || lb == b->pattern.n ||
	    !value_globs_meet(&ld->l, a->pattern, b->pattern, '\0'))
		return;
	lang_error(&ld->l, b->loc, "make one of them longer before its first *",
	    "hosts \"%.*s\" and \"%.*s\" can match the same name",
	    PR_STRF(a->pattern), PR_STRF(b->pattern));
	lang_note(&ld->l, a->loc, "the other is here");
}

void
load_hosts(struct load *ld)
{
	struct entries *list = &ld->sec[SEC_HOSTS];
	struct pr_policy *p = ld->p;

	if (list->n > PR_CAP_HOSTS) {
		lang_error(&ld->l, ynode_loc(list->v[PR_CAP_HOSTS].key), NULL,
		    "more than %zu hosts", PR_CAP_HOSTS);
		list->n = PR_CAP_HOSTS;
	}
	p->hosts = pr_arena_array(ld->l.arena, list->n, sizeof *p->hosts);
	for (size_t i = 0; i < list->n; i++) {
		const struct entry *e = &list->v[i];
		struct pr_host *h = &p->hosts[p->n_hosts];

		if (!value_glob(&ld->l, e->key, false))
			continue;
		if (e->key->s.n == 0 || e->key->s.n > MAX_HOST) {
			lang_error(&ld->l, ynode_loc(e->key), NULL,
			    "a host's name has 1 to %d bytes", MAX_HOST);
			continue;
		}
		h->pattern = value_keep(&ld->l, e->key);
		h->loc = ynode_loc(e->key);
		h->phases = load_phase_mask(ld, e->value, NULL);
		for (size_t j = 0; j < p->n_hosts; j++)
			check_tie(ld, &p->hosts[j], h);
		p->n_hosts++;
	}
}

/* -- guards, responses, quotas -- */

void
load_guards(struct load *ld)
{
	struct entries *list = &ld->sec[SEC_GUARDS];
	struct pr_policy *p = ld->p;

	p->guards = pr_arena_array(ld->l.arena, list->n, sizeof *p->guards);
	p->n_guards = list->n;
	for (size_t i = 0; i < list->n; i++) {
		struct pr_guard *g = &p->guards[i];
		struct raw_guard raw = {0};

		g->id = value_keep(&ld->l, list->v[i].key);
		g->loc = ynode_loc(list->v[i].value);
		(void)schema_read(&ld->l, list->v[i].value, &guard_table, &raw);
		g->deny = load_verbs(ld, raw.deny);
		g->all_phases = raw.phases == NULL;
		if (raw.phases != NULL)
			g->phases =
			    load_phase_mask(ld, raw.phases, &g->all_phases);
		g->except = team_list(ld, raw.except, &g->n_except);
		if (raw.message != NULL)
			g->message = value_keep(&ld->l, raw.message);
	}
}

/* "Config.Env[*TOKEN*|*SECRET*]": a dotted path, and globs on the element. */
static void
check_redact(struct load *ld, const struct ynode *n)
{
	struct pr_str s = n->s;
	size_t open = pr_str_find(s, '[');
	bool good = open > 0 && s.p[0] != '.';

	for (size_t i = 0; i < open; i++) {
		char c = s.p[i];
		bool word = ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
		    (c >= '0' && c <= '9') || c == '_' || c == '-';

		good = good &&
		    (word || (c == '.' && s.p[i - 1] != '.') ||
			(c == '*' && s.p[i - 1] == '.'));
	}
	if (open < s.n)
		good = good && s.p[s.n - 1] == ']' && open + 2 < s.n &&
		    pr_str_find(pr_str_sub(s, open + 1, s.n), '[') ==
			s.n - open - 1 &&
		    pr_str_find(s, ']') == s.n - 1;
	if (!good)
		lang_error(&ld->l, ynode_loc(n),
		    "as Config.Env[*TOKEN*|*SECRET*] or Config.Labels.x",
		    "not a field to redact");
}

void
load_responses(struct load *ld)
{
	struct entries *list = &ld->sec[SEC_RESPONSES];
	struct pr_policy *p = ld->p;

	p->responses =
	    pr_arena_array(ld->l.arena, list->n, sizeof *p->responses);
	p->n_responses = list->n;
	for (size_t i = 0; i < list->n; i++) {
		struct pr_response *r = &p->responses[i];
		struct raw_response raw = {0};

		r->id = value_keep(&ld->l, list->v[i].key);
		r->loc = ynode_loc(list->v[i].value);
		(void)schema_read(
		    &ld->l, list->v[i].value, &response_table, &raw);
		r->on = load_verbs(ld, raw.on);
		r->keep_own_team = raw.keep != NULL;
		r->redact = value_strs(&ld->l, raw.redact);
		if (raw.redact != NULL) {
			Y_EACH(raw.redact, e)
			{
				check_redact(ld, e);
			}
		}
		r->except = team_list(ld, raw.except, &r->n_except);
		if (raw.keep == NULL && raw.redact == NULL)
			lang_error(&ld->l, r->loc, NULL,
			    "the response rule neither keeps nor redacts");
	}
}

static int64_t
quota_value(struct load *ld, const struct ynode *n, enum unit unit)
{
	int64_t v = -1;

	if (n != NULL)
		(void)value_quantity(&ld->l, n, unit, &v);
	return v;
}

void
load_quotas(struct load *ld)
{
	struct entries *list = &ld->sec[SEC_QUOTAS];
	struct pr_policy *p = ld->p;

	p->quotas = pr_arena_array(ld->l.arena, list->n, sizeof *p->quotas);
	p->n_quotas = list->n;
	for (size_t i = 0; i < list->n; i++) {
		struct pr_quota *q = &p->quotas[i];
		struct raw_quota raw = {0};

		q->loc = ynode_loc(list->v[i].value);
		q->team = -1;
		(void)schema_read(&ld->l, list->v[i].value, &quota_table, &raw);
		if (raw.team != NULL && !pr_str_is(raw.team->s, "*"))
			q->team = load_ref(ld, SEC_TEAMS, raw.team);
		q->all_phases = raw.phases == NULL;
		if (raw.phases != NULL)
			q->phases =
			    load_phase_mask(ld, raw.phases, &q->all_phases);
		q->containers = quota_value(ld, raw.containers, UNIT_NUM);
		q->memory = quota_value(ld, raw.memory, UNIT_SIZE);
		q->cpus = quota_value(ld, raw.cpus, UNIT_CPUS);
		q->ports = quota_value(ld, raw.ports, UNIT_NUM);
		if (list->v[i].value->type == Y_MAP && q->containers < 0 &&
		    q->memory < 0 && q->cpus < 0 && q->ports < 0)
			lang_error(
			    &ld->l, q->loc, NULL, "the quota limits nothing");
	}
}
