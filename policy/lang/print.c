/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A policy in its canonical form: sections and keys in the order of the
 * tables, names in order, lists as they were written, each string in one
 * spelling.  What is read from it is the same policy; its SHA-256 is the
 * policy's hash.
 */
#include <string.h>

#include "load.h"

#define MAX_VERBS 128

/* A map in flow style: says when a comma is due. */
struct flow {
	struct pr_buf *out;
	bool any;
};

static bool
is_plain(struct pr_str s)
{
	static const char *const taken[] = {
	    "true", "false", "yes", "no", "on", "off", "y", "n", "null"};

	if (s.n == 0 || ((s.p[0] | 0x20) < 'a' || (s.p[0] | 0x20) > 'z'))
		return false;
	for (size_t i = 1; i < s.n; i++) {
		char c = s.p[i];

		if (!((c | 0x20) >= 'a' && (c | 0x20) <= 'z') &&
		    !(c >= '0' && c <= '9') && c != '.' && c != '_' && c != '-')
			return false;
	}
	for (size_t i = 0; i < PR_COUNT(taken); i++) {
		if (pr_str_is_nocase(s, taken[i]))
			return false;
	}
	return true;
}

static void
put_str(struct pr_buf *out, struct pr_str s)
{
	if (is_plain(s))
		pr_buf_str(out, s);
	else
		pr_buf_json(out, s);
}

static void
put_key(struct flow *f, const char *key)
{
	pr_buf_cstr(f->out, f->any ? ", " : "");
	pr_buf_cstr(f->out, key);
	pr_buf_cstr(f->out, ": ");
	f->any = true;
}

static void
key_str(struct flow *f, const char *key, struct pr_str s)
{
	if (s.n == 0)
		return;
	put_key(f, key);
	put_str(f->out, s);
}

static void
put_strs(struct pr_buf *out, const struct pr_strs *list)
{
	pr_buf_char(out, '[');
	for (size_t i = 0; i < list->n; i++) {
		pr_buf_cstr(out, i > 0 ? ", " : "");
		put_str(out, list->v[i]);
	}
	pr_buf_char(out, ']');
}

static void
key_strs(struct flow *f, const char *key, const struct pr_strs *list)
{
	if (list->n == 0)
		return;
	put_key(f, key);
	put_strs(f->out, list);
}

static void
put_teams(
    const struct pr_policy *p, struct pr_buf *out, const unsigned *v, size_t n)
{
	pr_buf_char(out, '[');
	for (size_t i = 0; i < n; i++) {
		pr_buf_cstr(out, i > 0 ? ", " : "");
		put_str(out, p->teams[v[i]].name);
	}
	pr_buf_char(out, ']');
}

static void
key_teams(const struct pr_policy *p, struct flow *f, const char *key,
    const unsigned *v, size_t n)
{
	if (n == 0)
		return;
	put_key(f, key);
	put_teams(p, f->out, v, n);
}

static void
put_phases(
    const struct pr_policy *p, struct pr_buf *out, pr_phase_mask mask, bool all)
{
	bool any = false;

	pr_buf_cstr(out, all ? "[\"*\"" : "[");
	for (size_t i = 0; i < p->n_phases && !all; i++) {
		if ((mask >> i & 1) == 0)
			continue;
		pr_buf_cstr(out, any ? ", " : "");
		put_str(out, p->phases[i].name);
		any = true;
	}
	pr_buf_char(out, ']');
}

static bool
has_all(const struct pr_opset *set, const struct pr_opset *of)
{
	for (size_t i = 0; i < PR_COUNT(set->bits); i++) {
		if ((of->bits[i] & ~set->bits[i]) != 0)
			return false;
	}
	return true;
}

static bool
has_any(const struct pr_opset *set)
{
	for (size_t i = 0; i < PR_COUNT(set->bits); i++) {
		if (set->bits[i] != 0)
			return true;
	}
	return false;
}

/*
 * The verbs of a resource that make up its part of the set: "*", or those
 * whose operations are all in it, without those that a wider one covers.
 */
static void
put_resource(struct flow *f, enum pr_resource r, const struct pr_opset *set)
{
	const char *names[MAX_VERBS];
	struct pr_opset ops[MAX_VERBS], all = {{0}};
	size_t n = pr_api_verbs(r, names, PR_COUNT(names));
	bool any = false;

	(void)pr_opset_add_verb(&all, r, PR_STR("*"));
	if (has_all(set, &all) && has_any(&all)) {
		put_key(f, pr_resource_name(r));
		pr_buf_cstr(f->out, "[\"*\"]");
		return;
	}
	for (size_t i = 0; i < n; i++) {
		ops[i] = (struct pr_opset){{0}};
		(void)pr_opset_add_verb(&ops[i], r, pr_str_of(names[i]));
	}
	for (size_t i = 0; i < n; i++) {
		bool covered = !has_all(set, &ops[i]);

		for (size_t j = 0; j < n && !covered; j++)
			covered = j != i && has_all(set, &ops[j]) &&
			    has_all(&ops[j], &ops[i]) &&
			    (j < i || !has_all(&ops[i], &ops[j]));
		if (covered)
			continue;
		if (!any)
			put_key(f, pr_resource_name(r));
		pr_buf_cstr(f->out, any ? ", " : "[");
		put_str(f->out, pr_str_of(names[i]));
		any = true;
	}
	pr_buf_cstr(f->out, any ? "]" : "");
}

static void
put_verbs(struct pr_buf *out, const struct pr_opset *set)
{
	struct flow f = {out, false};
	struct pr_opset all = {{0}};

	for (int r = 0; r < PR_RES_COUNT; r++)
		(void)pr_opset_add_verb(&all, (enum pr_resource)r, PR_STR("*"));
	pr_buf_char(out, '{');
	if (has_all(set, &all))
		pr_buf_cstr(out, "\"*\": [\"*\"]");
	else
		for (int r = 0; r < PR_RES_COUNT; r++)
			put_resource(&f, (enum pr_resource)r, set);
	pr_buf_char(out, '}');
}

static void
key_verbs(struct flow *f, const char *key, const struct pr_opset *set)
{
	if (!has_any(set))
		return;
	put_key(f, key);
	put_verbs(f->out, set);
}

/* A line of a section of names; what follows is a map in flow style. */
static struct flow
begin_name(struct pr_buf *out, struct pr_str name)
{
	pr_buf_cstr(out, "  ");
	put_str(out, name);
	pr_buf_cstr(out, ": {");
	return (struct flow){out, false};
}

static struct flow
begin_item(struct pr_buf *out)
{
	pr_buf_cstr(out, "  - {");
	return (struct flow){out, false};
}

static void
end_line(struct flow *f)
{
	pr_buf_cstr(f->out, "}\n");
}

static void
put_certs(struct flow *f, const struct pr_cert_pattern *v, size_t n)
{
	if (n == 0)
		return;
	put_key(f, "cert");
	pr_buf_char(f->out, '[');
	for (size_t i = 0; i < n; i++) {
		pr_buf_cstr(f->out, i > 0 ? ", " : "");
		put_str(f->out, v[i].pattern);
	}
	pr_buf_char(f->out, ']');
	key_str(f, "issuer", v[0].issuer);
}

static void
print_teams(const struct pr_policy *p, struct pr_buf *out)
{
	for (size_t i = 0; i < p->n_teams; i++) {
		const struct pr_team *t = &p->teams[i];
		struct flow f = begin_name(out, t->name);

		key_strs(&f, "ldap", &t->ldap);
		put_certs(&f, t->cert, t->n_cert);
		if (t->anonymous) {
			put_key(&f, "anonymous");
			pr_buf_cstr(out, "true");
		}
		if (t->acts_for >= 0)
			key_str(&f, "acts_for", p->teams[t->acts_for].name);
		key_str(&f, "contact", t->contact);
		if (t->n_require > 0) {
			struct flow sub = {out, false};

			put_key(&f, "require");
			pr_buf_char(out, '{');
			put_certs(&sub, t->require, t->n_require);
			pr_buf_char(out, '}');
		}
		end_line(&f);
	}
}

static void
print_hosts(const struct pr_policy *p, struct pr_buf *out)
{
	for (size_t i = 0; i < p->n_hosts; i++) {
		pr_buf_cstr(out, "  ");
		put_str(out, p->hosts[i].pattern);
		pr_buf_cstr(out, ": ");
		put_phases(p, out, p->hosts[i].phases, false);
		pr_buf_char(out, '\n');
	}
}

static void
put_moment(struct pr_buf *out, unsigned minute)
{
	static const char *const days[] = {
	    "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};

	pr_buf_printf(out, "%s %02u:%02u", days[minute / 1440 % 7],
	    minute / 60 % 24, minute % 60);
}

static void
put_freeze(
    const struct pr_policy *p, struct flow *outer, const struct pr_phase *ph)
{
	struct pr_opset usual = load_freeze_allow();
	struct flow f = {outer->out, false};

	if (ph->n_freeze == 0)
		return;
	put_key(outer, "freeze");
	pr_buf_char(f.out, '{');
	put_key(&f, "windows");
	for (size_t i = 0; i < ph->n_freeze; i++) {
		pr_buf_cstr(f.out, i > 0 ? ", \"" : "[\"");
		put_moment(f.out, ph->freeze[i].begin);
		pr_buf_cstr(f.out, "..");
		put_moment(f.out, ph->freeze[i].end);
		pr_buf_printf(f.out, " %.*s\"", PR_STRF(ph->freeze[i].zone));
	}
	pr_buf_char(f.out, ']');
	key_teams(p, &f, "except", ph->freeze_except, ph->n_freeze_except);
	if (memcmp(&usual, &ph->freeze_allow, sizeof usual) != 0) {
		put_key(&f, "allow");
		put_verbs(f.out, &ph->freeze_allow);
	}
	pr_buf_char(f.out, '}');
}

static void
print_phases(const struct pr_policy *p, struct pr_buf *out)
{
	static const char *const levels[] = {
	    [PR_AUDIT_LEVEL_NONE] = "none",
	    [PR_AUDIT_LEVEL_METADATA] = "metadata",
	    [PR_AUDIT_LEVEL_REQUEST] = "request",
	};

	for (size_t i = 0; i < p->n_phases; i++) {
		const struct pr_phase *ph = &p->phases[i];
		struct flow f = begin_name(out, ph->name);

		if (ph->complain)
			key_str(&f, "mode", PR_STR("complain"));
		key_str(&f, "audit", pr_str_of(levels[ph->audit]));
		put_freeze(p, &f, ph);
		if (ph->directory_stale_ok != UINT64_MAX) {
			put_key(&f, "directory_stale_ok");
			value_print_duration(out, ph->directory_stale_ok);
		}
		end_line(&f);
	}
}

static void
print_roles(const struct pr_policy *p, struct pr_buf *out)
{
	for (size_t i = 0; i < p->n_roles; i++) {
		const struct pr_role *r = &p->roles[i];
		struct flow f = begin_name(out, r->name);

		if (r->extends >= 0)
			key_str(&f, "extends", p->roles[r->extends].name);
		key_verbs(&f, "allow", &r->own_allow);
		key_verbs(&f, "deny", &r->own_deny);
		end_line(&f);
	}
}

static void
put_requests(struct pr_buf *out, const struct pr_leaf *leaf)
{
	pr_buf_char(out, '[');
	for (size_t i = 0; i < leaf->n_requests; i++) {
		const struct pr_device_request *r = &leaf->requests[i];
		struct flow f = {out, false};

		pr_buf_cstr(out, i > 0 ? ", {" : "{");
		key_str(&f, "driver", r->driver);
		key_strs(&f, "capabilities", &r->capabilities);
		put_key(&f, "count");
		pr_buf_i64(out, r->count);
		pr_buf_char(out, '}');
	}
	pr_buf_char(out, ']');
}

static void
put_ranges(struct pr_buf *out, const struct pr_leaf *leaf)
{
	pr_buf_char(out, '{');
	for (size_t i = 0; i < leaf->n_own_ranges; i++) {
		pr_buf_cstr(out, i > 0 ? ", " : "");
		put_str(out, leaf->ranges[i].name);
		pr_buf_cstr(out, ": ");
		put_str(out, leaf->ranges[i].text);
	}
	pr_buf_char(out, '}');
}

static void
put_leaf(
    struct pr_buf *out, enum pr_profile_key key, const struct pr_leaf *leaf)
{
	switch (pr_profile_key(key)->type) {
	case PR_LEAF_BOOL:
		pr_buf_cstr(out, leaf->b ? "true" : "false");
		break;
	case PR_LEAF_WORD:
		put_str(out, leaf->word);
		break;
	case PR_LEAF_BOOL_OR_LIST:
		if (leaf->list.n == 0)
			pr_buf_cstr(out, leaf->b ? "true" : "false");
		else
			put_strs(out, &leaf->list);
		break;
	case PR_LEAF_ANY_OR_LIST:
		if (leaf->b)
			pr_buf_cstr(out, "any");
		else
			put_strs(out, &leaf->list);
		break;
	case PR_LEAF_LIST:
		put_strs(out, &leaf->list);
		break;
	case PR_LEAF_RANGE:
	case PR_LEAF_PORTS:
		put_str(out, leaf->ranges[0].text);
		break;
	case PR_LEAF_RANGES:
		put_ranges(out, leaf);
		break;
	case PR_LEAF_REQUESTS:
		put_requests(out, leaf);
		break;
	}
}

/* The length of a key's group, or 0: "mounts" of "mounts.bind". */
static size_t
group_len(const char *path)
{
	const char *dot = strchr(path, '.');

	return dot != NULL ? (size_t)(dot - path) : 0;
}

static bool
is_own(const struct pr_profile *p, int key)
{
	return p->leaf[key].given && pr_str_eq(p->leaf[key].profile, p->name);
}

/* All own keys of the group that begins with `first`, on one line. */
static void
print_group(struct pr_buf *out, const struct pr_profile *p, int first)
{
	const char *head = pr_profile_key((enum pr_profile_key)first)->path;
	size_t len = group_len(head);
	struct flow f = {out, false};

	for (int k = 0; k < first; k++) {
		const char *path = pr_profile_key((enum pr_profile_key)k)->path;

		if (is_own(p, k) && group_len(path) == len &&
		    strncmp(path, head, len) == 0)
			return; /* printed with that one */
	}
	pr_buf_printf(out, "    %.*s: {", (int)len, head);
	for (int k = first; k < PR_KEY_COUNT; k++) {
		const char *path = pr_profile_key((enum pr_profile_key)k)->path;

		if (!is_own(p, k) || group_len(path) != len ||
		    strncmp(path, head, len) != 0)
			continue;
		put_key(&f, path + len + 1);
		put_leaf(out, (enum pr_profile_key)k, &p->leaf[k]);
	}
	pr_buf_cstr(out, "}\n");
}

static void
print_defaults(struct pr_buf *out, const struct pr_strs *list)
{
	struct flow f = {out, false};

	pr_buf_cstr(out, "    defaults: {");
	for (size_t i = 0; i < list->n; i++) {
		struct pr_str value = list->v[i];
		struct pr_str key = pr_str_cut(&value, '=');

		pr_buf_cstr(out, f.any ? ", " : "");
		pr_buf_printf(out, "%.*s: ", PR_STRF(key));
		put_str(out, value);
		f.any = true;
	}
	pr_buf_cstr(out, "}\n");
}

static void
print_profiles(const struct pr_policy *p, struct pr_buf *out)
{
	for (size_t i = 1; i < p->n_profiles; i++) {
		const struct pr_profile *pr = &p->profiles[i];
		size_t begin;

		pr_buf_cstr(out, "  ");
		put_str(out, pr->name);
		pr_buf_cstr(out, ":\n");
		begin = out->n;
		if (pr->extends >= 0) {
			pr_buf_cstr(out, "    extends: ");
			put_str(out, p->profiles[pr->extends].name);
			pr_buf_char(out, '\n');
		}
		for (int k = 0; k < PR_KEY_COUNT; k++) {
			const char *path =
			    pr_profile_key((enum pr_profile_key)k)->path;

			if (!is_own(pr, k))
				continue;
			if (group_len(path) > 0) {
				print_group(out, pr, k);
				continue;
			}
			pr_buf_printf(out, "    %s: ", path);
			put_leaf(out, (enum pr_profile_key)k, &pr->leaf[k]);
			pr_buf_char(out, '\n');
		}
		if (pr->own_defaults.n > 0)
			print_defaults(out, &pr->own_defaults);
		if (out->n == begin) {
			/* a map without keys is no nothing */
			out->n--;
			pr_buf_cstr(out, " {}\n");
		}
	}
}

static void
put_owner(const struct pr_policy *p, struct flow *f, const struct pr_grant *g)
{
	if (g->owner == PR_OWNER_ANY)
		key_str(f, "owner", PR_STR("any"));
	else if (g->owner == PR_OWNER_TEAMS)
		key_teams(p, f, "owner", g->owner_teams, g->n_owner_teams);
}

static void
print_grants(const struct pr_policy *p, struct pr_buf *out)
{
	for (size_t i = 0; i < p->n_grants; i++) {
		const struct pr_grant *g = &p->grants[i];
		struct flow f = begin_item(out), sub = {out, false};

		key_str(&f, "id", g->id);
		key_str(&f, "team",
		    g->team >= 0 ? p->teams[g->team].name : PR_STR("*"));
		key_str(&f, "role", p->roles[g->role].name);
		put_key(&f, "phases");
		put_phases(p, out, g->phases, g->all_phases);
		if (g->profile >= 0)
			key_str(&f, "profile", p->profiles[g->profile].name);
		put_owner(p, &f, g);
		if (g->stored_specs_any)
			key_str(&f, "stored_specs", PR_STR("any"));
		if (g->promoted_phase >= 0) {
			put_key(&f, "promoted_from");
			pr_buf_char(out, '{');
			key_str(
			    &sub, "phase", p->phases[g->promoted_phase].name);
			put_key(&sub, "min_runtime");
			value_print_duration(out, g->promoted_runtime);
			key_strs(&sub, "via", &g->promoted_via);
			pr_buf_char(out, '}');
		}
		end_line(&f);
	}
}

static void
print_guards(const struct pr_policy *p, struct pr_buf *out)
{
	for (size_t i = 0; i < p->n_guards; i++) {
		const struct pr_guard *g = &p->guards[i];
		struct flow f = begin_item(out);

		key_str(&f, "id", g->id);
		put_key(&f, "deny");
		put_verbs(out, &g->deny);
		if (!g->all_phases) {
			put_key(&f, "phases");
			put_phases(p, out, g->phases, false);
		}
		key_teams(p, &f, "except", g->except, g->n_except);
		key_str(&f, "message", g->message);
		end_line(&f);
	}
}

static void
print_responses(const struct pr_policy *p, struct pr_buf *out)
{
	for (size_t i = 0; i < p->n_responses; i++) {
		const struct pr_response *r = &p->responses[i];
		struct flow f = begin_item(out);

		key_str(&f, "id", r->id);
		put_key(&f, "on");
		put_verbs(out, &r->on);
		if (r->keep_own_team)
			key_str(&f, "keep", PR_STR("own-team"));
		if (!r->keep_own_team || r->redact.n > 0) {
			put_key(&f, "redact");
			put_strs(out, &r->redact);
		}
		key_teams(p, &f, "except", r->except, r->n_except);
		end_line(&f);
	}
}

static void
key_quantity(struct flow *f, const char *key, int64_t v,
    void (*print)(struct pr_buf *, int64_t))
{
	if (v < 0)
		return;
	put_key(f, key);
	print(f->out, v);
}

static void
print_quotas(const struct pr_policy *p, struct pr_buf *out)
{
	for (size_t i = 0; i < p->n_quotas; i++) {
		const struct pr_quota *q = &p->quotas[i];
		struct flow f = begin_item(out);

		key_str(&f, "team",
		    q->team >= 0 ? p->teams[q->team].name : PR_STR("*"));
		if (!q->all_phases) {
			put_key(&f, "phases");
			put_phases(p, out, q->phases, false);
		}
		key_quantity(&f, "containers", q->containers, pr_buf_i64);
		key_quantity(&f, "memory", q->memory, value_print_size);
		key_quantity(&f, "cpus", q->cpus, value_print_cpus);
		key_quantity(&f, "ports", q->ports, pr_buf_i64);
		end_line(&f);
	}
}

static void
put_given(struct flow *outer, const struct pr_policy_test *t)
{
	struct pr_buf *out = outer->out;

	if (t->n_given == 0)
		return;
	put_key(outer, "given");
	pr_buf_char(out, '{');
	for (size_t i = 0; i < t->n_given; i++) {
		const struct pr_given *g = &t->given[i];
		struct flow f = {out, false};

		pr_buf_cstr(out, i > 0 ? ", " : "");
		put_str(out, g->name);
		pr_buf_cstr(out, ": {");
		if (g->kind != PR_KIND_CONTAINER)
			key_str(&f, "kind", pr_str_of(pr_kind_name(g->kind)));
		key_str(&f, "team", g->team);
		key_str(&f, "phase", g->phase);
		if (g->absent) {
			put_key(&f, "absent");
			pr_buf_cstr(out, "true");
		}
		pr_buf_char(out, '}');
	}
	pr_buf_char(out, '}');
}

static void
print_tests(const struct pr_policy *p, struct pr_buf *out)
{
	for (size_t i = 0; i < p->n_tests; i++) {
		const struct pr_policy_test *t = &p->tests[i];
		struct flow f = begin_item(out), sub = {out, false};

		key_str(&f, "as", t->as);
		key_str(&f, "do", t->command);
		if (t->method.n > 0) {
			put_key(&f, "request");
			pr_buf_char(out, '{');
			key_str(&sub, "method", t->method);
			key_str(&sub, "target", t->target);
			key_str(&sub, "body", t->body);
			pr_buf_char(out, '}');
		}
		put_given(&f, t);
		key_str(&f, "host", t->host);
		key_str(&f, "door", t->door);
		key_str(&f, "at", t->at);
		key_str(&f, "expect",
		    t->expect_would_deny  ? PR_STR("would-deny")
			: t->expect_allow ? PR_STR("allow")
					  : PR_STR("deny"));
		key_str(&f, "by", t->by);
		end_line(&f);
	}
}

static void
print_head(const struct pr_policy *p, struct pr_buf *out)
{
	struct flow f = {out, false};

	pr_buf_cstr(out, "version: 1\n");
	if (p->label_team.n > 0 || p->label_phase.n > 0) {
		pr_buf_cstr(out, "labels: {");
		key_str(&f, "team", p->label_team);
		key_str(&f, "phase", p->label_phase);
		end_line(&f);
	}
}

void
pr_policy_print(const struct pr_policy *p, struct pr_buf *out)
{
	const struct {
		const char *name;
		size_t n;
		void (*print)(const struct pr_policy *, struct pr_buf *);
	} sections[] = {
	    {"teams", p->n_teams, print_teams},
	    {"hosts", p->n_hosts, print_hosts},
	    {"phases", p->n_phases, print_phases},
	    {"roles", p->n_roles, print_roles},
	    {"profiles", p->n_profiles - 1, print_profiles},
	    {"grants", p->n_grants, print_grants},
	    {"guards", p->n_guards, print_guards},
	    {"responses", p->n_responses, print_responses},
	    {"quotas", p->n_quotas, print_quotas},
	    {"tests", p->n_tests, print_tests},
	};

	print_head(p, out);
	for (size_t i = 0; i < PR_COUNT(sections); i++) {
		if (i == 3 && p->cluster_phases != 0) {
			pr_buf_cstr(out, "cluster_phases: ");
			put_phases(p, out, p->cluster_phases, false);
			pr_buf_char(out, '\n');
		}
		if (sections[i].n == 0)
			continue;
		pr_buf_printf(out, "%s:\n", sections[i].name);
		sections[i].print(p, out);
	}
}
