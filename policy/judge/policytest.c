/* SPDX-License-Identifier: Apache-2.0 */
/* The tests that a policy carries, decided without daemon or directory. */
#include <stdio.h>
#include <string.h>

#include <portreeve/caps.h>
#include <portreeve/clock.h>
#include <portreeve/command.h>
#include <portreeve/policytest.h>
#include <portreeve/resolve.h>

/* What binds are protected when nobody can look at the host. */
static const char *const protected_paths[] = {"/var/run/docker.sock",
    "/run/docker.sock", "/run/docker", "/etc/docker", "/var/lib/docker",
    "/run/containerd", "/etc/portreeve", "/run/portreeve", "/var/lib/portreeve",
    "/var/log/portreeve", "/proc", "/sys", "/dev"};

struct world {
	struct pr_arena *arena;
	const struct pr_policy_test *test;
};

static const struct pr_object *
given_object(void *arg, enum pr_kind kind, struct pr_str name, bool lazy)
{
	struct world *w = arg;
	struct pr_object *o;

	if (lazy)
		return NULL;
	o = pr_arena_alloc(w->arena, sizeof *o);
	o->kind = kind;
	o->presence = PR_ABSENT;
	for (size_t i = 0; i < w->test->n_given; i++) {
		const struct pr_given *g = &w->test->given[i];

		if (g->kind != kind || !pr_str_eq(g->name, name))
			continue;
		if (g->absent)
			return o;
		o->presence = PR_PRESENT;
		o->by = PR_BY_NAME;
		o->id = o->name = g->name;
		o->in_ledger = true;
		o->ledger_team = g->team;
		o->ledger_phase = g->phase;
	}
	return o;
}

static bool
below(struct pr_str a, struct pr_str b)
{
	return a.n <= b.n && memcmp(a.p, b.p, a.n) == 0 &&
	    (a.n == b.n || a.n == 1 || b.p[a.n] == '/');
}

static const struct pr_path_fact *
given_path(void *arg, struct pr_str path, bool writes, struct pr_str except)
{
	struct world *w = arg;
	struct pr_path_fact *f = pr_arena_alloc(w->arena, sizeof *f);

	(void)writes;
	(void)except;
	f->known = f->exists = f->shared_known = true;
	f->real = path;
	f->plain = path.n;
	for (size_t i = 0; i < PR_COUNT(protected_paths); i++) {
		struct pr_str place = pr_str_of(protected_paths[i]);

		if (below(path, place) || below(place, path)) {
			f->is_protected = true;
			f->protected_by = place;
		}
	}
	return f;
}

bool
pr_who_read(const struct pr_policy *p, struct pr_arena *a, struct pr_str as,
    struct pr_who *who, struct pr_str *unknown)
{
	struct pr_str teams = as, name = pr_str_cut(&teams, '@');
	unsigned *list = pr_arena_array(a, p->n_teams + 1, sizeof *list);
	bool *in = pr_arena_array(a, p->n_teams + 1, sizeof *in);

	*who = (struct pr_who){.name = name, .source = PR_STR("test")};
	who->anonymous = pr_str_is(name, "anonymous");
	while (teams.p != NULL) {
		struct pr_str one = pr_str_cut(&teams, '+');
		int t = pr_policy_team(p, one);

		if (t < 0) {
			*unknown = one;
			return false;
		}
		in[t] = true;
	}
	for (unsigned t = 0; t < p->n_teams; t++) {
		if (in[t] || (who->anonymous && p->teams[t].anonymous))
			list[who->n_teams++] = t;
	}
	who->teams = list;
	return true;
}

/* The host of a test: as written, or the only one; '*' becomes a letter. */
static struct pr_str
host_of(const struct pr_policy *p, const struct pr_policy_test *t,
    struct pr_arena *a)
{
	struct pr_str host = t->host;
	char *copy;

	if (host.n == 0 && p->n_hosts > 0)
		host = p->hosts[0].pattern;
	copy = pr_arena_strdup(a, host);
	for (size_t i = 0; i < host.n; i++) {
		if (copy[i] == '*')
			copy[i] = 'x';
	}
	return (struct pr_str){copy, host.n};
}

static int
read_call(struct pr_arena *a, const struct pr_policy_test *t,
    struct pr_call *call, const char **why)
{
	struct pr_header *h;

	if (t->command.n > 0)
		return pr_docker_command(a, t->command, call, why);
	h = pr_arena_array(a, 1, sizeof *h);
	*h = t->body.n > 0
	    ? (struct pr_header){PR_STR("Content-Type"),
		  PR_STR("application/json")}
	    : (struct pr_header){PR_STR("Content-Length"), PR_STR("0")};
	*call = (struct pr_call){.method = t->method,
	    .target = t->target,
	    .headers = h,
	    .n_headers = 1,
	    .body = t->body,
	    .body_shown = t->body.n > 0,
	    .max_body = PR_CAP_PLUGIN_BODY};
	return 0;
}

/* A given container was made with a spec that nobody objects to. */
static void
assume_stored(struct pr_facts *f, const struct pr_request *rq)
{
	if (!pr_decide_wants_stored(rq) || f->stored != NULL)
		return;
	f->stored = pr_arena_alloc(f->arena, sizeof *f->stored);
	f->stored->stored = true;
	f->stored->body = PR_SPEC_NOTHING;
	f->stored_known = true;
}

/* Nothing is there but the request itself (semantics 11.4). */
static bool
nothing_used(void *arg, unsigned quota, int team, struct pr_used *out)
{
	(void)arg;
	(void)quota;
	(void)team;
	*out = (struct pr_used){0};
	return true;
}

static void
undecided(struct pr_decision *d)
{
	*d = (struct pr_decision){.grant = -1,
	    .guard = -1,
	    .key = -1,
	    .profile = -1,
	    .role = -1,
	    .team = -1,
	    .phase = -1,
	    .owner_team = -1,
	    .owner_phase = -1};
}

static void
decide(const struct pr_policy *p, const struct pr_policy_test *t,
    struct pr_arena *a, const struct pr_call *call, const struct pr_who *who,
    struct pr_decision *d)
{
	bool plugin = pr_str_is(t->door, "plugin");
	struct world w = {a, t};
	struct pr_lookup lookup = {&w, given_object, given_path};
	struct pr_facts f = {.arena = a, .lookup = &lookup, .plugin = plugin};
	struct pr_extract x = {a, plugin};
	struct pr_refusal why = {0};
	struct pr_spec *spec = NULL;
	struct pr_request rq;
	struct pr_question q;

	undecided(d);
	if (pr_request_read(a, call, &rq, &why) < 0 ||
	    pr_spec_read(&x, &rq, &spec, &why) < 0) {
		d->reason = why.reason;
		snprintf(d->what, sizeof d->what, "%s", why.text);
		return;
	}
	pr_resolve(&f, &rq, spec);
	pr_resolve_lazy(&f, spec);
	assume_stored(&f, &rq);
	q = (struct pr_question){.policy = p,
	    .request = &rq,
	    .who = who,
	    .door = plugin ? PR_DOOR_PLUGIN : PR_DOOR_PROXY,
	    .served = pr_policy_host(p, host_of(p, t, a)),
	    .now = t->when != 0 ? t->when : pr_clock_wall(),
	    .refs = f.refs,
	    .n_refs = f.n_refs,
	    .spec = spec,
	    .stored = f.stored,
	    .stored_known = f.stored_known,
	    .used = nothing_used};
	pr_decide(a, &q, d);
}

/* `by`: a reason code, a grant, a guard, a role, or profile.key. */
static bool
decided_by(const struct pr_policy *p, const struct pr_decision *d,
    struct pr_str by, const char *key)
{
	if (by.n == 0 || pr_str_is(by, pr_reason_code(d->reason)) ||
	    (key != NULL && pr_str_is(by, key)))
		return true;
	return (d->grant >= 0 && pr_str_eq(by, p->grants[d->grant].id)) ||
	    (d->guard >= 0 && pr_str_eq(by, p->guards[d->guard].id)) ||
	    (d->role >= 0 && pr_str_eq(by, p->roles[d->role].name));
}

void
pr_policy_test_run(const struct pr_policy *p, const struct pr_policy_test *t,
    struct pr_arena *a, struct pr_test_result *out)
{
	const char *why = NULL, *verdict, *key = NULL;
	struct pr_str unknown;
	struct pr_decision d;
	struct pr_call call;
	struct pr_who who;

	*out = (struct pr_test_result){.test = t};
	undecided(&out->decision);
	out->got = out->what = "";
	if (!pr_who_read(p, a, t->as, &who, &unknown)) {
		out->got = pr_arena_printf(
		    a, "there is no team %.*s", PR_STRF(unknown));
		return;
	}
	if (read_call(a, t, &call, &why) < 0) {
		out->got =
		    pr_arena_printf(a, "the command cannot be read: %s", why);
		return;
	}
	decide(p, t, a, &call, &who, &d);
	verdict = d.verdict != PR_ALLOW ? "deny"
	    : d.would_deny              ? "would-deny"
					: "allow";
	if (d.key >= 0 && d.profile >= 0)
		key = pr_arena_printf(a, "%.*s.%s",
		    PR_STRF(p->profiles[d.profile].name),
		    pr_profile_key((enum pr_profile_key)d.key)->path);
	out->got = pr_arena_printf(a, "%s, by %s%s%s", verdict,
	    pr_reason_code(d.reason), key != NULL ? ", " : "",
	    key != NULL ? key : "");
	out->what = pr_arena_strdup(a, pr_str_of(d.what));
	out->decision = d;
	out->passed = strcmp(verdict,
			  t->expect_would_deny  ? "would-deny"
			      : t->expect_allow ? "allow"
						: "deny") == 0 &&
	    decided_by(p, &d, t->by, key);
}

size_t
pr_policy_tests_run(const struct pr_policy *p, struct pr_diags *ds)
{
	struct pr_arena *a = pr_arena_new(1 << 16);
	size_t failed = 0;

	for (size_t i = 0; i < p->n_tests; i++) {
		const struct pr_policy_test *t = &p->tests[i];
		struct pr_test_result r;

		pr_arena_reset(a, 1 << 16);
		pr_policy_test_run(p, t, a, &r);
		if (r.passed)
			continue;
		failed++;
		pr_diags_add(ds, PR_ERROR, t->loc,
		    r.what[0] != '\0' ? r.what : NULL,
		    "test failed: expected %s%s%.*s, got %s",
		    t->expect_would_deny  ? "would-deny"
			: t->expect_allow ? "allow"
					  : "deny",
		    t->by.n > 0 ? " by " : "", PR_STRF(t->by), r.got);
	}
	pr_arena_free(a);
	return failed;
}
